"""A run as an RO-Crate 1.1 of the Workflow Run profile: what ran, on what, by whom, and what came of it."""

from __future__ import annotations

import json
import mimetypes
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from curifactory.core.outcomes import RunOutcome
from curifactory.core.secrets import mask_tree
from curifactory.publishing.archive import list_files, write_zip
from curifactory.publishing.bundle import write_page
from curifactory.publishing.parts import Published
from curifactory.store.full_store import ARTIFACTS_NAME
from curifactory.store.run import Run
from curifactory.store.run_row import read_time

METADATA_NAME = "ro-crate-metadata.json"
PREVIEW_NAME = "ro-crate-preview.html"
README_NAME = "README.md"

_CONTEXT = ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"]
_PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
_WORKFLOW_PROFILE = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
_PARAMETER_PROFILE = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"
_PYTHON = "https://www.python.org/"
_STATUS = {
    RunOutcome.COMPLETE: "http://schema.org/CompletedActionStatus",
    RunOutcome.RUNNING: "http://schema.org/ActiveActionStatus",
    RunOutcome.LIVE: "http://schema.org/ActiveActionStatus",
}
_FAILED = "http://schema.org/FailedActionStatus"
# Of more sets than this the file with all of them stands for their values.
_MOST_VALUES = 2_000
_KINDS = {
    ".jsonl": "application/x-ndjson",
    ".pkl": "application/octet-stream",
    ".diff": "text/x-diff",
    ".toml": "application/toml",
}
_LICENSES = ("LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "COPYING")

_READ_ME = """# {reference}

An [RO-Crate](https://www.researchobject.org/ro-crate/) of one run.

- `ro-crate-preview.html`: the report of the run, which opens in a browser
- `ro-crate-metadata.json`: what ran, on what, by whom, and what came of it
- `code`: the code that ran
- `data/runs/{reference}`: the run with its artifacts; in Python `cf.load_run(Path("data/runs/{reference}"))`
"""

Entity = dict[str, Any]


def write_research_object(published: Published, target: Path) -> Path:
    """Write a run as an RO-Crate: a zip file, or a folder if the name does not end with ``.zip``.

    Parameters
    ----------
    published : Published
        The run.
    target : Path
        The zip file, or a folder that does not exist yet.

    Returns
    -------
    Path
        The file or folder.

    Raises
    ------
    StoreError
        If it cannot be written, or nothing is left of the code of the run.
    """
    with published.workplace() as folder:
        crate = folder / "crate"
        fill_crate(published, crate)
        if target.suffix == ".zip":
            return write_zip(crate, target)
        target.parent.mkdir(parents=True, exist_ok=True)
        _move_folder(crate, target)
        return target


def fill_crate(published: Published, crate: Path) -> None:
    """Write the files of an RO-Crate, and what it says about them, into a folder."""
    run = published.run
    as_it_was = published.copy_code(crate / "code")
    published.copy_run(crate / "data" / "runs" / run.reference)
    write_page(published, crate / PREVIEW_NAME)
    (crate / README_NAME).write_text(_READ_ME.format(reference=run.reference), encoding="utf-8")
    description = _Description(published, crate, code_as_it_was=as_it_was)
    document = {"@context": _CONTEXT, "@graph": list(description.iter_entities())}
    text = json.dumps(mask_tree(document), ensure_ascii=False, indent=2)
    (crate / METADATA_NAME).write_bytes(f"{text}\n".encode("utf-8", "backslashreplace"))


class _Description:
    """What an RO-Crate says about a run; each entity once."""

    def __init__(self, published: Published, crate: Path, *, code_as_it_was: bool) -> None:
        self._run: Run = published.run
        self._crate = crate
        self._as_it_was = code_as_it_was
        self._place = f"data/runs/{published.run.reference}"
        self._files = [path for path in list_files(crate) if path not in {METADATA_NAME, PREVIEW_NAME}]
        self._workflow = self._find_workflow(published)
        self._outputs = self._find_outputs()

    def iter_entities(self) -> Iterator[Entity]:
        yield {
            "@id": METADATA_NAME,
            "@type": "CreativeWork",
            "conformsTo": [
                _link("https://w3id.org/ro/crate/1.1"),
                _link("https://w3id.org/workflowhub/workflow-ro-crate/1.0"),
            ],
            "about": _link("./"),
        }
        yield self._root()
        for address, (name, version) in _PROFILES.items():
            yield {"@id": address, "@type": "CreativeWork", "name": name, "version": version}
        yield {"@id": PREVIEW_NAME, "@type": "CreativeWork", "name": "The run's report", "about": _link("./")}
        yield {
            "@id": _PYTHON,
            "@type": "ComputerLanguage",
            "name": "Python",
            "identifier": _link(_PYTHON),
            "url": _link(_PYTHON),
            "version": str(self._run.facts.get("python") or ""),
        }
        yield self._agent()
        if not any(f"code/{name}" in self._files for name in _LICENSES):
            yield {
                "@id": "#license",
                "@type": "CreativeWork",
                "name": "No license",
                "description": "The project says nothing of a license: all rights are reserved by its authors.",
            }
        values = list(self._iter_values())
        inputs, outputs = list(self._iter_inputs()), list(self._iter_outputs())
        yield self._action(values)
        yield from (*inputs, *outputs, *values)
        yield from self._iter_files([each["@id"] for each in inputs], [each["@id"] for each in outputs])

    def _root(self) -> Entity:
        run, facts = self._run, self._run.facts
        about = str(facts.get("experiment_doc") or "").strip() or f"A run of the experiment {run.experiment}"
        code = (
            "" if self._as_it_was else " The code is that of a later time: it was not recorded with the run."
        )
        parts = [_identity(path) for path in self._iter_parts()]
        license_file = next((f"code/{name}" for name in _LICENSES if f"code/{name}" in self._files), None)
        return {
            "@id": "./",
            "@type": "Dataset",
            "name": run.reference,
            "description": f"{about.rstrip('.')}. Made by curifactory {facts.get('curifactory') or ''}.{code}",
            "datePublished": _time(facts.get("finished_at") or facts.get("started_at")) or "1970-01-01",
            "license": _link(_identity(license_file) if license_file else "#license"),
            "author": _link("#agent"),
            "conformsTo": [_link(address) for address in _PROFILES],
            "mainEntity": _link(_identity(self._workflow)),
            "hasPart": [_link(part) for part in parts],
            "mentions": _link("#run"),
        }

    def _agent(self) -> Entity:
        return {"@id": "#agent", "@type": "Person", "name": str(self._run.facts.get("user") or "unknown")}

    def _action(self, values: list[Entity]) -> Entity:
        run, facts = self._run, self._run.facts
        status = _STATUS.get(run.outcome, _FAILED)
        results = [_identity(path) for path in self._outputs]
        action: Entity = {
            "@id": "#run",
            "@type": "CreateAction",
            "name": f"Run {run.number} of {run.experiment}",
            "description": str(facts.get("command_line") or ""),
            "instrument": _link(_identity(self._workflow)),
            "agent": _link("#agent"),
            "actionStatus": status,
            "startTime": _time(facts.get("started_at")),
            "object": _links([each["@id"] for each in values] or [self._given()]),
            "result": _links(results),
        }
        if facts.get("finished_at"):
            action["endTime"] = _time(facts["finished_at"])
        if status == _FAILED:
            action["error"] = str(facts.get("error") or f"the run was {run.outcome.value}")
        return action

    def _given(self) -> str:
        """Return the file that says what the run was given, where its values are not told one by one."""
        parameters = f"{self._place}/parameters.json"
        return _identity(parameters if parameters in self._files else f"{self._place}/run.json")

    def _iter_inputs(self) -> Iterator[Entity]:
        names: dict[str, Any] = {}
        for row in self._run.parameters:
            for name, value in _iter_fields(row.shown):
                names.setdefault(name, value)
        for name, value in names.items():
            yield {
                "@id": f"#parameter-{quote(name)}",
                "@type": "FormalParameter",
                "additionalType": _type_of(value),
                "name": name,
                "conformsTo": _link(_PARAMETER_PROFILE),
                "valueRequired": False,
            }

    def _iter_outputs(self) -> Iterator[Entity]:
        for name in sorted({name for _, name in self._outputs.values()}):
            stage = next(stage for stage, each in self._outputs.values() if each == name)
            yield {
                "@id": f"#output-{quote(name)}",
                "@type": "FormalParameter",
                "additionalType": self._kind_of_output(name),
                "name": name,
                "description": f"Output of the stage {stage}",
                "conformsTo": _link(_PARAMETER_PROFILE),
            }

    def _kind_of_output(self, name: str) -> str:
        folders = {path.endswith("/") for path, (_, each) in self._outputs.items() if each == name}
        return "Dataset" if folders == {True} else "File"

    def _iter_values(self) -> Iterator[Entity]:
        rows = self._run.parameters
        found = [(row.name, name, value) for row in rows for name, value in _iter_fields(row.shown)]
        if len(found) > _MOST_VALUES:
            return
        for number, (parameters, name, value) in enumerate(found):
            text = (
                value if isinstance(value, (str, int, float, bool)) else json.dumps(value, ensure_ascii=False)
            )
            yield {
                "@id": f"#value-{number}",
                "@type": "PropertyValue",
                "name": name,
                "value": text,
                "description": f"Of the parameter set {parameters}",
                "exampleOfWork": _link(f"#parameter-{quote(name)}"),
            }

    def _iter_parts(self) -> Iterator[str]:
        yield from self._files
        yield from (path for path in self._outputs if path.endswith("/"))

    def _iter_files(self, inputs: list[str], outputs: list[str]) -> Iterator[Entity]:
        for path in self._iter_parts():
            entity: Entity = {
                "@id": _identity(path),
                "@type": "File",
                "name": os.path.basename(path.rstrip("/")),
            }
            if path.endswith("/"):
                entity["@type"] = "Dataset"
            else:
                entity["contentSize"] = str((self._crate / path).stat().st_size)
                entity["encodingFormat"] = kind_of(path)
            if path in self._outputs:
                stage, name = self._outputs[path]
                entity["description"] = f"Output {name} of the stage {stage}"
                entity["exampleOfWork"] = _link(f"#output-{quote(name)}")
            if path == README_NAME:
                entity |= {"about": _link("./"), "encodingFormat": "text/markdown"}
            if path == self._workflow:
                git = self._run.facts.get("git") or {}
                entity |= {
                    "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
                    "name": self._run.experiment,
                    "conformsTo": _link(_WORKFLOW_PROFILE),
                    "programmingLanguage": _link(_PYTHON),
                    **({"input": _links(inputs)} if inputs else {}),
                    **({"output": _links(outputs)} if outputs else {}),
                    **({"version": git["commit"]} if git.get("commit") else {}),
                }
            yield entity

    def _find_workflow(self, published: Published) -> str:
        """Return the file of the experiment; of a script or notebook, whatever code there is that comes nearest."""
        given = str(published.run.facts.get("experiment_file") or "")
        code = [path for path in self._files if path.startswith("code/")]
        path = Path(given)
        for length in range(len(path.parts)):
            candidate = f"code/{'/'.join(path.parts[length:])}"
            if given and candidate in code:
                return candidate
        words = [str(word) for word in published.run.facts.get("command") or ()]
        scripts = [
            each for each in code if any(word.endswith(".py") and each.endswith(f"/{word}") for word in words)
        ]
        sources = [each for each in code if each.endswith((".py", ".ipynb"))]
        return (scripts or sources or code)[0]

    def _find_outputs(self) -> dict[str, tuple[str, str]]:
        """Return the files and folders that the run made, with stage and name of the output."""
        found: dict[str, tuple[str, str]] = {}
        there = set(self._files)
        for call in self._run.calls:
            for output in call.outputs:
                for file in () if output.artifact is None else output.artifact.files:
                    path = f"{self._place}/{ARTIFACTS_NAME}/{file.path}"
                    if path in there:
                        found.setdefault(path, (call.name, output.name))
                    elif (self._crate / path).is_dir() and ".." not in file.path.split("/"):
                        found.setdefault(f"{path}/", (call.name, output.name))
        return found


def kind_of(path: str) -> str:
    """Return the media type of a file by its name.

    Examples
    --------
    >>> kind_of("a.json"), kind_of("calls.jsonl"), kind_of("Makefile")
    ('application/json', 'application/x-ndjson', 'application/octet-stream')
    """
    suffix = os.path.splitext(path)[1]
    return _KINDS.get(suffix) or mimetypes.guess_type(f"file{suffix}")[0] or "application/octet-stream"


def _identity(path: str) -> str:
    return quote(path, safe="/~")


def _link(identity: str) -> dict[str, str]:
    return {"@id": identity}


def _links(identities: list[str]) -> Any:
    """Return links; of one alone the link itself, as the specification would have it."""
    links = [_link(each) for each in identities]
    return links[0] if len(links) == 1 else links


def _time(text: Any) -> str:
    """Return a time of ``run.json`` to the second, with its offset."""
    moment = read_time(str(text)) if text else None
    return "" if moment is None else moment.isoformat(timespec="seconds")


def _iter_fields(shown: Any) -> Iterator[tuple[str, Any]]:
    for name, value in shown.items() if isinstance(shown, dict) else ():
        if name not in {"name", "hash", "overwrite", "hash_representations"}:
            yield str(name), value


def _type_of(value: Any) -> str:
    kinds = {bool: "Boolean", int: "Integer", float: "Float"}
    return kinds.get(type(value), "Text")


def _move_folder(source: Path, target: Path) -> None:
    import shutil

    from curifactory.errors import StoreError

    if target.exists():
        raise StoreError(
            f"{target} is there already.", hint="Name a folder that does not exist yet: --to FOLDER."
        )
    try:
        shutil.copytree(source, target)
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise StoreError(
            f"{target} could not be written: {error}.", hint="Make room, or name another place."
        ) from error

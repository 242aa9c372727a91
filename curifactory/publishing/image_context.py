"""What an image of a run is built from: its code, the exact packages, its artifacts, and a Dockerfile."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curifactory.core.secrets import MASK
from curifactory.errors import StoreError
from curifactory.provenance.environment import restore_variables
from curifactory.publishing.parts import Published
from curifactory.store.run import Run

PROJECT = "/project"
_LOCK_NAME = "requirements.lock"
# Files of a run that tell of the place where it was made.
_TOLD = (".json", ".jsonl", ".txt")
_OF_THE_PLACE = ("executable",)
_PLACES = ("CONDA_PREFIX", "PYTHONPATH", "VIRTUAL_ENV")

_DOCKERFILE = """# {reference}
# The base image, and options of pip such as another index, can be given: --build-arg PIP_OPTIONS="--extra-index-url …"
ARG BASE=python:{python}-slim
FROM ${{BASE}}
ARG PIP_OPTIONS=""

COPY {lock} /opt/{lock}
RUN pip install --no-cache-dir --no-deps ${{PIP_OPTIONS}} -r /opt/{lock}

COPY curifactory /opt/curifactory/curifactory
COPY --chmod=755 experiment /usr/local/bin/experiment
ENV {variables}

COPY project {project}
WORKDIR {project}
{install}
# Everything is reused, as its artifacts are in the image; without --cache it is made again.
CMD {command}
"""
_PROGRAM = """#!/bin/sh
exec python -P -m curifactory.cli.experiment "$@"
"""


@dataclass(frozen=True, slots=True)
class ImageContext:
    """A folder that an image can be built from.

    Parameters
    ----------
    folder : Path
        The folder.
    not_from_index : tuple of str
        Packages of the run that came from a folder or an address and are not in the lock.
    code_as_it_was : bool
        Whether the code is that of the run; where it was not recorded, it is the present one.
    """

    folder: Path
    not_from_index: tuple[str, ...]
    code_as_it_was: bool


def write_image_context(published: Published, folder: Path) -> ImageContext:
    """Write what an image of a run is built from.

    No address of a registry and no path of this machine is in it.

    Parameters
    ----------
    published : Published
        The run.
    folder : Path
        Where to; what an earlier call has left there is replaced.

    Returns
    -------
    ImageContext
        What was written.

    Raises
    ------
    StoreError
        If the packages of the run were not recorded, nothing of its code is left, or the folder cannot be written.
    """
    run = published.run
    packages = run.environment.get("packages")
    if not packages:
        raise StoreError(
            f"The packages of {run.reference} were not recorded, so no image can be built of it.",
            hint="It ended before they were written down; run it again.",
        )
    local = find_local_packages(packages)
    with published.workplace() as workplace:
        context = workplace / "context"
        as_it_was = published.copy_code(context / "project")
        kept = context / "project" / "data" / "runs" / run.reference
        published.copy_run(kept)
        _forget_place(kept, str(published.project.root))
        _copy_package(context / "curifactory")
        (context / "experiment").write_text(_PROGRAM, encoding="utf-8")
        (context / "experiment").chmod(0o755)
        (context / _LOCK_NAME).write_text(render_lock(packages, local), encoding="utf-8")
        (context / ".dockerignore").write_text("**/__pycache__\n**/*.pyc\n", encoding="utf-8")
        (context / "Dockerfile").write_text(_render_dockerfile(run, context, local), encoding="utf-8")
        _replace(context, folder)
    return ImageContext(folder, tuple(f"{name} {packages[name]}" for name in local), as_it_was)


def render_lock(packages: Mapping[str, str], local: Iterable[str]) -> str:
    """Return the packages of a run for ``pip install -r``, each at its exact version.

    Parameters
    ----------
    packages : mapping of str to str
        Name to version.
    local : iterable of str
        Those that no index has.

    Examples
    --------
    >>> print(
    ...     render_lock({"numpy": "2.4.6", "mine": "1", "pip": "25.0", "torch": "2.13.0+cpu"}, ["mine"]),
    ...     end="",
    ... )
    # mine 1 was installed from a folder or an address
    # torch 2.13.0+cpu is a build that may need an index of its own: PIP_OPTIONS
    numpy==2.4.6
    torch==2.13.0+cpu
    """
    left = set(local)
    lines = [f"# {name} {packages[name]} was installed from a folder or an address" for name in sorted(left)]
    kept = {
        name: version for name, version in packages.items() if name not in left and name.lower() not in _TOOLS
    }
    lines += [
        f"# {name} {version} is a build that may need an index of its own: PIP_OPTIONS"
        for name, version in kept.items()
        if "+" in version
    ]
    lines += [
        f"{name}=={version}" for name, version in sorted(kept.items(), key=lambda item: item[0].lower())
    ]
    return "".join(f"{line}\n" for line in lines)


# The image has its own pip; ours comes as its sources.
_TOOLS = frozenset({"curifactory", "pip"})


def find_local_packages(names: Iterable[str]) -> list[str]:
    """Return those packages that were installed here from a folder or an address, as far as this environment tells.

    Examples
    --------
    >>> find_local_packages(["blake3"])
    []
    """
    from importlib import metadata

    found = []
    for name in names:
        try:
            text = metadata.distribution(name).read_text("direct_url.json")
        except metadata.PackageNotFoundError:
            continue
        if text and name.lower() != "curifactory":
            found.append(name)
    return sorted(found)


def _render_dockerfile(run: Run, context: Path, local: list[str]) -> str:
    variables = {
        name: value
        for name, value in restore_variables({}, run.environment.get("variables") or {}).items()
        if value != MASK and not value.startswith("/") and not name.startswith("CURIFACTORY_")
    }
    # Who runs the image runs its code in any case; its pickles are no more dangerous.
    variables |= {"PYTHONPATH": "/opt/curifactory", "CURIFACTORY_TRUST": "true"}
    own = _project_name(context / "project")
    install = (
        "RUN pip install --no-cache-dir --no-deps -e .\n" if own and own in map(_normalize, local) else ""
    )
    return _DOCKERFILE.format(
        reference=run.reference,
        python=run.environment.get("python") or run.facts.get("python"),
        lock=_LOCK_NAME,
        variables=" ".join(f"{name}={_quote(value)}" for name, value in sorted(variables.items())),
        project=PROJECT,
        install=install,
        command=json.dumps(_command(run)),
    )


def _command(run: Run) -> list[str]:
    """Return the command that shows in the image that everything is there: the run's own, with its artifacts as cache."""
    place = f"data/runs/{run.reference}"
    words = [str(word) for word in run.facts.get("command") or ()]
    if words[:1] == ["experiment"] and MASK not in " ".join(words):
        return [*_without_cache(words), "--cache", place]
    if run.facts.get("request") and run.experiment:
        return ["experiment", "run", run.experiment, "--cache", place]
    return ["experiment", "show", place]


def _without_cache(words: list[str]) -> list[str]:
    kept, skips = [], False
    for word in words:
        if skips or word in {"-c", "--cache"}:
            skips = not skips
        elif not word.startswith("--cache=") and word not in {"--docker", "--notebook", "-s", "--store-full"}:
            kept.append(word)
    return kept


def _project_name(folder: Path) -> str | None:
    import tomllib

    try:
        document = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    name = (document.get("project") or {}).get("name")
    return _normalize(name) if isinstance(name, str) else None


def _normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _quote(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$") + '"'


def _copy_package(folder: Path) -> None:
    home = Path(__file__).resolve().parents[1]
    shutil.copytree(home, folder, ignore=shutil.ignore_patterns("__pycache__"))


def _forget_place(folder: Path, root: str) -> None:
    """Take the paths of this machine out of what a run's folder tells; the project lies elsewhere in the image."""
    environment = folder / "environment.json"
    if environment.is_file():
        told = json.loads(environment.read_text(encoding="utf-8"))
        for name in _OF_THE_PLACE:
            told.pop(name, None)
        for name in _PLACES:
            (told.get("variables") or {}).pop(name, None)
        _write(environment, json.dumps(told, ensure_ascii=False, indent=1))
    run = folder / "run.json"
    told = json.loads(run.read_text(encoding="utf-8"))
    git: dict[str, Any] | None = told.get("git")
    outer = str(git.get("root")) if git and git.get("root") else root
    for path in folder.iterdir():
        if path.is_file() and path.suffix in _TOLD:
            text = path.read_text(encoding="utf-8", errors="surrogateescape")
            changed = text.replace(root, PROJECT).replace(outer, PROJECT)
            if changed != text:
                _write(path, changed)


def _write(path: Path, text: str) -> None:
    # The file may be a second name of the original: it is replaced, not written into.
    partial = path.with_name(f".{path.name}.new")
    partial.write_text(text, encoding="utf-8", errors="surrogateescape")
    partial.replace(path)


def _replace(context: Path, folder: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists():
            if not (folder / "Dockerfile").is_file() and any(folder.iterdir()):
                raise StoreError(
                    f"{folder} has other files in it; it would be replaced.",
                    hint="Name another folder: --to FOLDER.",
                )
            shutil.rmtree(folder)
        shutil.move(context, folder)
    except OSError as error:
        raise StoreError(
            f"{folder} could not be written: {error.strerror or error}.",
            hint="Make room, or name another: --to FOLDER.",
        ) from error

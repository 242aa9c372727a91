"""The files that a run would make or reuse, told before it is run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from curifactory.core.outcomes import Verdict
from curifactory.engine.graph import Call
from curifactory.manager.manager import ArtifactManager
from curifactory.project.project import Project
from curifactory.store.layout import Layout
from curifactory.workflow.experiment import planned
from curifactory.workflow.request import RunRequest


@dataclass(frozen=True, slots=True)
class ExpectedFile:
    """One file of an artifact.

    Parameters
    ----------
    path : str
        Absolute path.
    call : int
        Position of the call among those of the run.
    stage, record, output : str
        Which output of which call for which record.
    verdict : str
        ``reuse`` if the file is there and would be reused, ``run`` or ``perhaps`` if it would be made.
    """

    path: str
    call: int
    stage: str
    record: str
    output: str
    verdict: str

    def to_json(self) -> dict[str, Any]:
        """Return the file as JSON values."""
        return {
            "path": self.path,
            "call": self.call,
            "stage": self.stage,
            "record": self.record,
            "output": self.output,
            "verdict": self.verdict,
        }


def expected_files(request: RunRequest, *, project: Project | None = None) -> list[ExpectedFile]:
    """Return the files of all artifacts of a run; what stages write by themselves is known only to them.

    Parameters
    ----------
    request : RunRequest
        What would be run.
    project : Project, optional
        The project; found from the working folder if not given.

    Raises
    ------
    StageError
        If ``run()`` raised, or a stage that it needs a value of.
    """
    with planned(request, project=project) as (_, manager):
        return [file for call in manager.engine.graph.calls for file in _iter_files(call, manager)]


def _iter_files(call: Call, manager: ArtifactManager) -> Iterator[ExpectedFile]:
    verdict = call.verdict or Verdict.PERHAPS
    about = (call.index, call.name, call.record.get_reference_name())
    made = {output.name: output.artifact for output in call.outputs} if verdict is Verdict.REUSE else {}
    saver, layout = manager.engine.saver, Layout(manager.project.cache_folder)
    for position, (output, template) in enumerate(call.output_specs):
        if template is None:
            continue
        artifact = made.get(output.name)
        if artifact is not None:
            paths = [layout.absolute(file.path) for file in artifact.files]
        else:
            label = saver.labels.plain(call, saver.prototype(template, output.name), output.name)
            paths = [saver.placed(call, position, label).get_path()]
        for path in paths:
            yield ExpectedFile(path, *about, output.name, verdict.value)

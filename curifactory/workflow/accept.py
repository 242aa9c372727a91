"""Accepting changed code: results stay good although the code that made them has been rewritten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from curifactory.core.trace import Trace
from curifactory.engine.accepting import AcceptedAs, AcceptedCall, Acceptor, write_accepted
from curifactory.engine.graph import Call
from curifactory.manager.manager import ArtifactManager
from curifactory.project.project import Project
from curifactory.store.artifacts import ArtifactFiles
from curifactory.store.index import Index
from curifactory.store.layout import Layout
from curifactory.store.traces import TraceStore
from curifactory.workflow.last_calls import LastCalls, planned_beside_last
from curifactory.workflow.request import RunRequest


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What would be accepted, and what not.

    Parameters
    ----------
    experiment : str
        Name of the experiment.
    calls : tuple of AcceptedCall
        The calls that it concerns, in call order.
    manager : ArtifactManager
        Of the plan that they are a part of.
    last : LastCalls
        What they were when they were last settled.
    """

    experiment: str
    calls: tuple[AcceptedCall, ...]
    manager: ArtifactManager
    last: LastCalls

    def select(self, *verdicts: AcceptedAs) -> list[AcceptedCall]:
        """Return the calls with one of these verdicts."""
        return [each for each in self.calls if each.verdict in verdicts]

    @property
    def accepted(self) -> list[AcceptedCall]:
        """The calls that would keep their results."""
        return self.select(AcceptedAs.ACCEPTED, AcceptedAs.FOLLOWS)

    def to_json(self) -> dict[str, Any]:
        """Return what would be accepted as JSON values; the names of keys are kept from version to version."""
        return {
            "experiment": self.experiment,
            "calls": [
                {
                    "index": each.call.index,
                    "name": each.call.name,
                    "stage": each.call.stage_id,
                    "record_name": each.call.record.get_reference_name(),
                    "verdict": each.verdict.value,
                    "changes": [change.to_json() for change in each.changes],
                    "refusal": None if each.refusal is None else each.refusal.to_json(),
                    "run": None if each.old is None else each.old.run,
                }
                for each in self.calls
            ],
        }

    def carry_out(self) -> int:
        """Write the traces of the accepted calls beside the old ones and return how many were written.

        Raises
        ------
        CacheError
            If one cannot be written.
        StoreError
            If it cannot be noted in the folder of the last run.
        """
        project = self.manager.project
        layout = Layout(project.cache_folder)
        durable = project.settings.durable
        with Index(layout.index_path) as index:
            files = ArtifactFiles(layout, index, durable=durable)
            traces = TraceStore(layout, index, durable=durable, files=files)
            written = write_accepted(self.accepted, self.manager.engine.identifier, traces)
            traces.close()
            files.close()
        self.last.note_accepted(self.accepted)
        return written


@contextmanager
def planned_acceptance(
    request: RunRequest, *, stage: str | None = None, project: Project | None = None
) -> Iterator[Acceptance]:
    """Give what accepting the changed code of an experiment would do; nothing is written before it is carried out.

    Calls whose code alone has changed since the last run keep their results, and so do the calls that read them. Where
    parameters, inputs or keywords have changed too the call is refused.

    Parameters
    ----------
    request : RunRequest
        The experiment and its parameter sets.
    stage : str, optional
        Accept the changed code of this stage only.
    project : Project, optional
        The project; found from the working folder if not given.

    Raises
    ------
    DiscoveryError
        If no stage of that name is called.
    StageError
        If ``run()`` raised.
    """
    with planned_beside_last(request, stage=stage, project=project) as (_, manager, last, _):
        engine = manager.engine
        acceptor = Acceptor(
            engine.decider,
            engine.identifier,
            engine.traces,
            find_last=lambda call: None if (found := last.find(call)) is None else found.trace,
            made_from_same=lambda call, trace, old: _made_from_same(call, trace, old, last),
        )
        accepted = tuple(acceptor.accept(engine.graph.calls, stage=stage))
        yield Acceptance(request.experiment, accepted, manager, last)


def _made_from_same(call: Call, trace: Trace, old: Mapping[int, Trace], last: LastCalls) -> bool:
    """Say whether the run that a trace was last used in gave the call outputs of the very traces that it is given now."""
    found = last.find(call)
    if found is None or found.row is None or found.run is None or found.trace.key != trace.key:
        return False
    keys = last.keys_of(found.run)
    before = [(each.name, None if each.call is None else keys.get(each.call)) for each in found.row.inputs]
    now = []
    for name, slot in call.input_slots():
        producer = slot.producer
        known = old.get(producer.index) if isinstance(producer, Call) else None
        if known is None:
            # Put in by hand: only its digest tells.
            return False
        now.append((name, known.key))
    return before == now

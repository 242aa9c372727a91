"""What each call of an experiment was when it was last settled: found in the experiment's latest runs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from curifactory.core.outcomes import CallOutcome
from curifactory.core.trace import Trace
from curifactory.engine.accepting import AcceptedCall
from curifactory.engine.graph import Call
from curifactory.engine.plan import Plan
from curifactory.engine.previous import find_previous
from curifactory.errors import StoreError
from curifactory.manager.manager import ArtifactManager
from curifactory.project.project import Project
from curifactory.store.artifacts import ArtifactFiles
from curifactory.store.calls import CallRow
from curifactory.store.index import Index
from curifactory.store.last_uses import note_accepted, read_accepted
from curifactory.store.layout import Layout
from curifactory.store.run import Run
from curifactory.store.runs import RunStore
from curifactory.store.traces import TraceStore
from curifactory.workflow.asked_stages import check_called
from curifactory.workflow.experiment import planned
from curifactory.workflow.request import RunRequest

_MOST_RUNS = 20
_SETTLED = (CallOutcome.RAN, CallOutcome.REUSED)

_Place = tuple[str, str | None, int]


@dataclass(frozen=True, slots=True)
class LastCall:
    """What a call was.

    Parameters
    ----------
    trace : Trace
        What it read and made.
    run : Run or None
        The run it was a part of; None if no run is known that had it, and the trace only fits best.
    row : CallRow or None
        What became of it there; its key is that of the trace which it has got since, where changed code was accepted.
    of_another : bool
        Whether the trace is another record's.
    """

    trace: Trace
    run: Run | None = None
    row: CallRow | None = None
    of_another: bool = False


class LastCalls:
    """Finds for a planned call what it was in the last run that had it.

    A call is known by its stage, the name of its record's parameter set, and how many calls of both came before it.

    Parameters
    ----------
    calls : sequence of Call
        The planned calls, all of them and in their order.
    experiment : str
        Whose runs are looked through, newest first.
    runs : RunStore
        The runs.
    traces : TraceStore
        The traces.
    """

    def __init__(self, calls: list[Call], experiment: str, *, runs: RunStore, traces: TraceStore) -> None:
        self._traces = traces
        self._runs = _iter_runs(runs, experiment)
        self._read: list[tuple[Run, dict[_Place, CallRow]]] = []
        counts: Counter[tuple[str, str | None]] = Counter()
        self._places: dict[int, _Place] = {}
        for call in calls:
            name = (call.stage_id, _params_name(call))
            self._places[call.index] = (*name, counts[name])
            counts[name] += 1

    @property
    def latest(self) -> Run | None:
        """The latest run that has settled a call; None if there is none."""
        return next((run for run, _ in self._iter_rows()), None)

    def find(self, call: Call) -> LastCall | None:
        """Find what a call was, None if neither its runs nor the traces of its stage tell.

        Without a run that had the call, the trace that an explanation would compare with is taken.
        """
        place = self._places[call.index]
        for run, rows in self._iter_rows():
            row = rows.get(place)
            trace = None if row is None or row.key is None else self._traces.find(row.key, stage=row.stage)
            if trace is not None:
                return LastCall(trace, run, row)
        previous = find_previous(call)
        return None if previous is None else LastCall(previous.trace, of_another=not previous.is_own)

    def keys_of(self, run: Run) -> dict[int, str | None]:
        """Return the keys of the traces that the calls of a run have by their index; the run is that of a call found here."""
        return {row.index: row.key for each, rows in self._read if each is run for row in rows.values()}

    def note_accepted(self, accepted: Iterable[AcceptedCall]) -> None:
        """Write beside what calls were that their changed code was accepted, so that later ones are compared with that.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        keys: defaultdict[Path, dict[int, str]] = defaultdict(dict)
        for each in accepted:
            last = self.find(each.call)
            if each.new is not None and last is not None and last.run is not None and last.row is not None:
                keys[last.run.folder][last.row.index] = each.new.key
        for folder, noted in keys.items():
            note_accepted(folder, noted)

    def _iter_rows(self) -> Iterator[tuple[Run, dict[_Place, CallRow]]]:
        yield from self._read
        for run in self._runs:
            rows = _rows_of(run)
            if rows:
                self._read.append((run, rows))
                yield run, rows


class PlannedBesideLast(NamedTuple):
    """A plan, its manager, what its calls were, and the files of the store."""

    plan: Plan
    manager: ArtifactManager
    last: LastCalls
    files: ArtifactFiles


@contextmanager
def planned_beside_last(
    request: RunRequest, *, stage: str | None, project: Project | None
) -> Iterator[PlannedBesideLast]:
    """Give the plan of a request beside what its calls were when they were last settled; nothing is written.

    Parameters
    ----------
    request : RunRequest
        The experiment and its parameter sets.
    stage : str or None
        A stage that it has to call.
    project : Project, optional
        The project; found from the working folder if not given.

    Raises
    ------
    DiscoveryError
        If no stage of that name is called.
    StageError
        If ``run()`` raised.
    """
    with planned(request, project=project) as (plan, manager):
        calls = manager.engine.graph.calls
        check_called(() if stage is None else (stage,), calls, request.experiment)
        layout = Layout(manager.project.cache_folder)
        with Index(layout.index_path, read_only=True) as index:
            runs = RunStore(manager.project.runs_folder, index)
            last = LastCalls(calls, request.experiment, runs=runs, traces=manager.engine.traces)
            yield PlannedBesideLast(plan, manager, last, ArtifactFiles(layout, index))


def _iter_runs(runs: RunStore, experiment: str) -> Iterator[Run]:
    for row in runs.iter_rows(experiment, limit=_MOST_RUNS):
        try:
            yield Run.read(runs.folder / row.reference)
        except StoreError:
            # Gone or damaged: an older one may tell.
            continue


def _rows_of(run: Run) -> dict[_Place, CallRow]:
    try:
        names = {record.index: record.params_name for record in run.records}
        calls = run.calls
        accepted = read_accepted(run.folder)
    except StoreError:
        return {}
    counts: Counter[tuple[str, str | None]] = Counter()
    found: dict[_Place, CallRow] = {}
    for row in calls:
        name = (row.stage, names.get(row.record, row.record_name))
        if row.outcome in _SETTLED and row.key is not None:
            found[*name, counts[name]] = row._replace(key=accepted.get(row.index, row.key))
        counts[name] += 1
    return found


def _params_name(call: Call) -> str | None:
    record = call.record
    if record.hidden:
        return record.get_reference_name()
    return call.set_name

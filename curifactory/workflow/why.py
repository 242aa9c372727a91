"""Why each call of an experiment would be run or reused, with everything that was compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from curifactory.core.outcomes import Verdict
from curifactory.core.reason import OF_COMPARISON, Reason, ReasonKind
from curifactory.core.trace import Trace
from curifactory.engine.explain import is_same, iter_differences
from curifactory.engine.graph import Call
from curifactory.engine.identify import ABSENT, Identifier, NotYetKnownError, find_repetition
from curifactory.engine.plan import PlanRow
from curifactory.errors import UnidentifiableError
from curifactory.identity.fingerprint import compare
from curifactory.parameters.lossless import dump_set
from curifactory.parameters.reads import OBJECT, WHOLE
from curifactory.parameters.sets import REPEAT
from curifactory.parameters.shown import diff_sets, diff_shown
from curifactory.project.project import Project
from curifactory.store.artifacts import ArtifactFiles
from curifactory.store.traces import TraceStore
from curifactory.workflow.last_calls import LastCall, planned_beside_last
from curifactory.workflow.request import RunRequest

_PARAMETERS = "params."


@dataclass(frozen=True, slots=True)
class ComparedRead:
    """A parameter that the call has read: its value then and now, as short texts (None: a trace does not keep it)."""

    name: str
    before: str | None
    now: str | None
    changed: bool


@dataclass(frozen=True, slots=True)
class ComparedCode:
    """A part of the call's code: what happened to it (``changed``, ``added``, ``removed``) and file and line."""

    part: str
    change: str
    place: str


@dataclass(frozen=True, slots=True)
class ComparedInput:
    """An input or keyword: which calls it comes from, and whether it has changed (None: nobody can know yet)."""

    name: str
    kind: str
    made_by: tuple[str, ...]
    changed: bool | None


@dataclass(frozen=True, slots=True)
class ComparedFile:
    """A file of an artifact, and how it is: ``present``, ``missing``, ``modified``, ``unreadable`` or ``aside``."""

    path: str
    size_bytes: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallExplanation:
    """One call: what the plan says of it, and everything that was compared with when it was last settled.

    Parameters
    ----------
    row : PlanRow
        Verdict and reason.
    compared_with : str or None
        The run that it is compared with; None if it has never run.
    compared_with_another : bool
        Whether that is another record's call of the stage, as this one has none that was finished.
    differences : tuple of Reason
        All that differs; the first is the reason of the row where something differs.
    parameters, code, inputs, files : tuple
        What was read and made, changed or not; of the code only the parts that have changed.
    """

    row: PlanRow
    compared_with: str | None = None
    compared_with_another: bool = False
    differences: tuple[Reason, ...] = ()
    parameters: tuple[ComparedRead, ...] = ()
    code: tuple[ComparedCode, ...] = ()
    inputs: tuple[ComparedInput, ...] = ()
    files: tuple[ComparedFile, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the explanation as JSON values; the names of keys are kept from version to version."""
        return {
            **self.row.to_json(),
            "compared_with": self.compared_with,
            "compared_with_another": self.compared_with_another,
            "differences": [reason.to_json() for reason in self.differences],
            "parameters": [
                {"name": each.name, "before": each.before, "now": each.now, "changed": each.changed}
                for each in self.parameters
            ],
            "code": [{"part": each.part, "change": each.change, "place": each.place} for each in self.code],
            "inputs": [
                {
                    "name": each.name,
                    "kind": each.kind,
                    "made_by": list(each.made_by),
                    "changed": each.changed,
                }
                for each in self.inputs
            ],
            "artifacts": [
                {"path": each.path, "size_bytes": each.size_bytes, "state": each.state} for each in self.files
            ],
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why the calls of an experiment would be run or reused; ``last_run`` is None if there is none."""

    experiment: str
    last_run: str | None
    calls: tuple[CallExplanation, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the explanation as JSON values."""
        return {
            "experiment": self.experiment,
            "last_run": self.last_run,
            "calls": [call.to_json() for call in self.calls],
        }


def explain_experiment(
    request: RunRequest, *, stage: str | None = None, project: Project | None = None
) -> Explanation:
    """Explain every call of an experiment as it would be decided now, against the last run.

    Parameters
    ----------
    request : RunRequest
        The experiment and its parameter sets.
    stage : str, optional
        Explain the calls of this stage only.
    project : Project, optional
        The project; found from the working folder if not given.

    Raises
    ------
    DiscoveryError
        If no stage of that name is called.
    StageError
        If ``run()`` raised.
    """
    with planned_beside_last(request, stage=stage, project=project) as (plan, manager, last, files):
        engine = manager.engine
        comparer = _Comparer(engine.identifier, engine.traces, files)
        explained = tuple(
            comparer.explain(call, row, last.find(call))
            for call, row in zip(engine.graph.calls, plan.rows, strict=True)
            if stage is None or call.name == stage
        )
        latest = last.latest
    return Explanation(request.experiment, None if latest is None else latest.reference, explained)


@dataclass(frozen=True, slots=True)
class _Comparer:
    identifier: Identifier
    traces: TraceStore
    files: ArtifactFiles

    def explain(self, call: Call, row: PlanRow, last: LastCall | None) -> CallExplanation:
        if last is None:
            return CallExplanation(row=row)
        trace = last.trace
        if row.verdict is Verdict.REUSE and call.key is not None:
            trace = self.traces.find(call.key, stage=call.stage_id) or trace
        differences = self._differences(call, trace)
        if (
            differences
            and row.verdict is Verdict.RUN
            and row.reason.kind in OF_COMPARISON
            and not last.of_another
        ):
            row = row._replace(reason=differences[0])
        return CallExplanation(
            row=row,
            compared_with=trace.run if last.run is None else last.run.reference,
            compared_with_another=last.of_another and row.verdict is not Verdict.REUSE,
            differences=differences,
            parameters=tuple(self._parameters(call, trace, last)),
            code=tuple(self._code(call, trace)),
            inputs=tuple(self._inputs(call, trace)),
            files=tuple(
                ComparedFile(file.path, file.size_bytes, self.files.state(file).value)
                for output in trace.outputs
                if output.artifact is not None
                for file in output.artifact.files
            ),
        )

    def _differences(self, call: Call, trace: Trace) -> tuple[Reason, ...]:
        if call.key == trace.key:
            return ()
        found: list[Reason] = []
        for inputs in (True, False):
            found.clear()
            try:
                found.extend(iter_differences(call, trace, self.traces, self.identifier, inputs=inputs))
            except NotYetKnownError:
                continue
            except UnidentifiableError as error:
                found.append(Reason(ReasonKind.UNIDENTIFIABLE, {"what": error.message.rstrip(".")}))
            break
        return tuple(found)

    def _parameters(self, call: Call, trace: Trace, last: LastCall) -> Iterator[ComparedRead]:
        for path, before in trace.reads.items():
            if not path.startswith(_PARAMETERS):
                continue
            name = path.removeprefix(_PARAMETERS)
            try:
                changed = not is_same(before, self.identifier.read_values(call, [path])[path])
            except UnidentifiableError:
                changed = True
            if name in (WHOLE, OBJECT):
                yield from _whole(call, last, changed=changed)
                continue
            now = {} if call.parameters is None else call.parameters.shown([name])
            if not changed or name not in trace.shown:
                yield ComparedRead(name, trace.shown.get(name), now.get(name), changed)
                continue
            for part, old, new in diff_shown(name, trace.shown, now):
                yield ComparedRead(part, old, new, changed)
        played, repeat = find_repetition(trace.inputs), str(getattr(call.record.params, REPEAT, 0))
        if played != repeat:
            yield ComparedRead(REPEAT, played, repeat, changed=True)

    def _code(self, call: Call, trace: Trace) -> Iterator[ComparedCode]:
        now = self.identifier.fingerprint_of(call.spec)
        if trace.code == now.digest:
            return
        before = self.traces.parts_of(trace.stage, trace.code)
        if before is None:
            yield ComparedCode(call.stage_id, "changed", "")
            return
        for part, change, place in compare(before[0], now):
            yield ComparedCode(part, change, place or before[1].get(part, ""))

    def _inputs(self, call: Call, trace: Trace) -> Iterator[ComparedInput]:
        names = list(dict.fromkeys([*call.input_names, *call.record_inputs]))
        try:
            now = self.identifier.input_identities(call)
        except (NotYetKnownError, UnidentifiableError):
            now = {}
        for name in [*names, *(name for name in trace.inputs if name not in (*names, REPEAT))]:
            makers = dict.fromkeys(
                slot.producer.name
                for each, slot in call.input_slots()
                if each == name and isinstance(slot.producer, Call)
            )
            same: bool | None = is_same(trace.inputs.get(name, ""), now.get(name, ABSENT)) if now else None
            yield ComparedInput(name, "input", tuple(makers), None if same is None else not same)
        try:
            keywords = self.identifier.override_identities(call) if call.overrides else {}
        except UnidentifiableError:
            keywords = {}
        for name in dict.fromkeys([*call.overrides, *trace.overrides]):
            same = is_same(trace.overrides.get(name, ""), keywords.get(name, ABSENT))
            yield ComparedInput(name, "keyword", (), not same)


def _whole(call: Call, last: LastCall, *, changed: bool) -> Iterator[ComparedRead]:
    """Tell what differs in a set that was read as a whole, if the last run has kept it."""
    yield ComparedRead("the whole set", None, None, changed)
    params = call.record.params
    if not changed or params is None or last.run is None:
        return
    name = getattr(params, "name", None)
    kept = next((row.value for row in last.run.parameters if row.name == name), None)
    if isinstance(kept, dict):
        for path, before, now in diff_sets(kept, dump_set(params)):
            yield ComparedRead(path, before, now, changed=True)

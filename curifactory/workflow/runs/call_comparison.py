"""Which calls of two runs differ, and in what of all that they have read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from curifactory.core.reason import Reason, ReasonKind
from curifactory.core.trace import Trace
from curifactory.engine.explain import explain_read, is_same
from curifactory.engine.told_code import tell_part
from curifactory.identity.fingerprint import Fingerprint, compare
from curifactory.parameters.reads import OBJECT, WHOLE
from curifactory.parameters.shown import diff_shown, shown_code
from curifactory.store.calls import CallRow, OutputRow
from curifactory.store.run import Run
from curifactory.store.traces import TraceStore
from curifactory.workflow.runs.call_pairs import find_renamed, pair, place_calls
from curifactory.workflow.runs.difference import (
    CallDifference,
    OutputDifference,
    ParameterDifference,
    PartDifference,
)

_PARAMETERS = "params."
_NOT_KEPT = "what it has read is not kept"

Place = tuple[str, str, int]


class CallComparison:
    """Compares the calls of two runs.

    Parameters
    ----------
    before, after : Run
        The runs.
    traces : (TraceStore, TraceStore)
        What each run's calls have read.
    parameters : sequence of ParameterDifference
        What differs between the parameter sets.

    Raises
    ------
    StoreError
        If a file of a run is damaged.
    """

    def __init__(
        self,
        before: Run,
        after: Run,
        traces: tuple[TraceStore, TraceStore],
        parameters: tuple[ParameterDifference, ...],
    ) -> None:
        self._traces = traces
        self._calls = pair(place_calls(before, find_renamed(before, after)), place_calls(after, {}))
        self._parameters: dict[str, list[ParameterDifference]] = {}
        for each in parameters:
            self._parameters.setdefault(each.set, []).append(each)
        self._differing: set[int] = set()
        self._parts: dict[PartDifference, None] = {}

    @property
    def parts(self) -> tuple[PartDifference, ...]:
        """What differs of the code that calls of both have used; known when all calls have been compared."""
        return tuple(self._parts)

    def compare(self) -> tuple[CallDifference, ...]:
        """Return every call of either run, in the order of the first one."""
        return tuple(self._compare(place, before, after) for place, before, after in self._calls)

    def _compare(self, place: Place, before: CallRow | None, after: CallRow | None) -> CallDifference:
        row = before or after
        assert row is not None  # noqa: S101 (one of them is there, or there would be no pair)
        outputs = tuple(_compare_outputs(before, after))
        reasons: tuple[Reason, ...] = ()
        unknown = ""
        same = before is not None and after is not None and before.key == after.key and before.key is not None
        if before is not None and after is not None and not same:
            kept = [
                None if call.key is None else store.find(call.key, stage=call.stage)
                for call, store in zip((before, after), self._traces, strict=True)
            ]
            if kept[0] is not None and kept[1] is not None:
                reasons = tuple(self._iter_reasons(place[1], kept[0], kept[1]))
            else:
                reasons = tuple(self._iter_likely(place[1], before, after))
                unknown = _NOT_KEPT
                # Without a key there is nothing to tell two calls apart by but what is known of their surroundings.
                same = not reasons and before.key is None and after.key is None
        is_alike = same and all(each.is_same is not False for each in outputs)
        if not is_alike and after is not None and any(each.is_same is not True for each in outputs):
            self._differing.add(after.index)
        return CallDifference(
            name=row.name,
            stage=row.stage,
            record=row.record_name,
            before=None if before is None else before.outcome.value,
            after=None if after is None else after.outcome.value,
            is_same=is_alike and _has_ended_alike(before, after),
            reasons=reasons,
            outputs=outputs,
            unknown=unknown if not same else "",
        )

    def _iter_reasons(self, record: str, before: Trace, after: Trace) -> Iterator[Reason]:
        yield from self._iter_code(before, after)
        for path in before.reads:
            if path in after.reads and not is_same(before.reads[path], after.reads[path]):
                yield from self._explain_read(record, path, before, after)
        for name in _differing(before.inputs, after.inputs):
            yield Reason(ReasonKind.INPUT_CHANGED, {"name": name})
        for name in _differing(before.overrides, after.overrides):
            yield Reason(ReasonKind.OVERRIDE_CHANGED, {"name": name})

    def _iter_code(self, before: Trace, after: Trace) -> Iterator[Reason]:
        if before.code == after.code:
            return
        then = self._traces[0].parts_of(before.stage, before.code)
        now = self._traces[1].parts_of(after.stage, after.code)
        if then is None or now is None:
            self._parts[PartDifference(after.stage, "changed", "")] = None
            yield Reason(ReasonKind.CODE_CHANGED, {"part": after.name, "place": ""})
            return
        module = after.stage.rpartition(".")[0]
        for part, change, now_at in compare(then[0], Fingerprint(after.code, now[0], now[1])):
            was_at = then[1].get(part, "")
            place = now_at or was_at
            self._parts[PartDifference(part, change, place)] = None
            yield tell_part(part, change, place, module=module, was_at=was_at)

    def _explain_read(self, record: str, path: str, before: Trace, after: Trace) -> Iterator[Reason]:
        name = path.removeprefix(_PARAMETERS)
        if name == path:
            yield explain_read(path, before.reads[path], after.reads[path])
        elif (code := shown_code(name)) is not None:
            yield Reason(ReasonKind.CODE_CHANGED, {"part": code, "place": ""})
        elif name in (WHOLE, OBJECT) or name not in before.shown:
            yield from self._iter_set(record)
        else:
            for part, old, new in diff_shown(name, before.shown, after.shown):
                yield Reason(ReasonKind.PARAMETER_CHANGED, {"name": part, "old": old, "new": new})

    def _iter_set(self, record: str) -> Iterator[Reason]:
        for each in self._parameters.get(record, ()):
            if each.name and each.name != "name":
                particulars = {
                    "name": each.name,
                    "old": each.before or "absent",
                    "new": each.after or "absent",
                }
                yield Reason(ReasonKind.PARAMETER_CHANGED, particulars)

    def _iter_likely(self, record: str, before: CallRow, after: CallRow) -> Iterator[Reason]:
        """Give what may be why two calls differ of which one has left no trace: its parameters, and its inputs."""
        yield from self._iter_set(record)
        for each in after.inputs:
            if each.call in self._differing:
                yield Reason(ReasonKind.INPUT_CHANGED, {"name": each.name})


def _compare_outputs(before: CallRow | None, after: CallRow | None) -> Iterator[OutputDifference]:
    then = {} if before is None else {output.name: output for output in before.outputs}
    now = {} if after is None else {output.name: output for output in after.outputs}
    for name, old, new in pair(then, now):
        yield OutputDifference(name, _digest(old), _digest(new))


def _digest(output: OutputRow | None) -> str | None:
    return None if output is None or output.artifact is None else output.artifact.digest


def _differing(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for name, old, new in pair(before, after):
        if not is_same(old or "", new or ""):
            yield name


def _has_ended_alike(before: CallRow | None, after: CallRow | None) -> bool:
    """Say whether both have come to the same: made or reused is one, failed is another."""
    if before is None or after is None:
        return False
    good = {"ran", "reused", "not needed"}
    return {before.outcome.value, after.outcome.value} <= good or before.outcome is after.outcome

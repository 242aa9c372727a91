"""Why a call has to run: what differs from the last trace of the same stage and record."""

from __future__ import annotations

from collections.abc import Mapping

from curifactory.core.reason import Reason, ReasonKind
from curifactory.core.trace import Trace
from curifactory.engine.graph import Call
from curifactory.engine.identify import Identifier
from curifactory.identity.fingerprint import compare
from curifactory.store.traces import TraceStore

# Manifests keep the beginnings of digests, which is enough to tell a person what has changed.
_KEPT_DIGITS = 16


def explain(
    call: Call, traces: TraceStore, identifier: Identifier, *, experiment: str, run: str, inputs: bool = True
) -> Reason:
    """Return the first difference between a call and the last trace of its stage that fits best.

    Parameters
    ----------
    call : Call
        A call for which no trace holds.
    traces : TraceStore
        Where earlier traces are.
    identifier : Identifier
        Gives the call's present values.
    experiment : str
        The experiment, whose own earlier runs are compared first.
    run : str
        Reference of the present run.
    inputs : bool
        Whether the call's inputs are known, so that they can be compared.
    """
    record_name = str(getattr(call.record.params, "name", None))
    previous = traces.previous(call.stage_id, experiment, record_name)
    if previous is None:
        return Reason(ReasonKind.NEVER_RUN)
    if previous.run == run:
        # The newest trace is of another record in this very run, which is nothing to compare with.
        return Reason(ReasonKind.PARAMETERS_NOT_SEEN)
    return (
        _code_reason(call, previous, traces, identifier)
        or _parameter_reason(call, previous)
        or (_input_reason(call, previous, identifier) if inputs else None)
        or Reason(ReasonKind.PARAMETERS_NOT_SEEN)
    )


def _code_reason(call: Call, previous: Trace, traces: TraceStore, identifier: Identifier) -> Reason | None:
    now = identifier.fingerprint_of(call.spec)
    if previous.code == now.digest:
        return None
    before = traces.parts_of(previous.stage, previous.code)
    if before is not None:
        for part, change, place in compare(before[0], now):
            where = f" ({place})" if place else ""
            return Reason(
                ReasonKind.CODE_CHANGED,
                {"part": _short_part(part, call), "place": where if change != "removed" else " (removed)"},
            )
    return Reason(ReasonKind.CODE_CHANGED, {"part": call.name, "place": ""})


def _parameter_reason(call: Call, previous: Trace) -> Reason | None:
    if call.parameters is None:
        return None
    now = call.parameters.shown(previous.shown)
    for path, before in previous.shown.items():
        if path in now and now[path] != before:
            return Reason(ReasonKind.PARAMETER_CHANGED, {"name": path, "old": before, "new": now[path]})
    return None


def _input_reason(call: Call, previous: Trace, identifier: Identifier) -> Reason | None:
    changed = _first_difference(previous.inputs, identifier.input_identities(call))
    if changed is not None:
        return Reason(ReasonKind.INPUT_CHANGED, {"name": changed})
    changed = _first_difference(previous.overrides, identifier.override_identities(call))
    if changed is not None:
        return Reason(ReasonKind.OVERRIDE_CHANGED, {"name": changed})
    for path, before in previous.reads.items():
        if path.startswith(("state.", "records.")):
            value = identifier.read_values(call, [path])[path]
            if not _same(before, value):
                name = path.rpartition(".")[2].replace("*", "parameters of the records")
                return Reason(ReasonKind.INPUT_CHANGED, {"name": name})
    return None


def _first_difference(before: Mapping[str, str], now: Mapping[str, str]) -> str | None:
    for name in [*now, *(name for name in before if name not in now)]:
        if not _same(before.get(name, ""), now.get(name, "")):
            return name
    return None


def _same(before: str, now: str) -> bool:
    """Compare a kept digest, which may be cut, with a whole one."""
    return before == now or (len(before) >= _KEPT_DIGITS and now.startswith(before))


def _short_part(part: str, call: Call) -> str:
    """Name a part as a person would: without the module if it is the stage's own."""
    own = call.spec.module + "."
    return part.removeprefix(own)

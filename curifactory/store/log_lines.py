"""What the log says of each event, and how loudly."""

from __future__ import annotations

from typing import Any

from curifactory.core.events import (
    CallEnded,
    CallStarted,
    RecordAdded,
    Reported,
    RunFinished,
    RunPlanned,
    RunStarted,
    Warned,
)
from curifactory.core.outcomes import CallOutcome, RunOutcome

_LOUD_CALLS = {CallOutcome.FAILED: "ERROR", CallOutcome.INTERRUPTED: "WARNING"}
_LOUD_RUNS = {
    RunOutcome.FAILED: "ERROR",
    RunOutcome.PARTLY_FAILED: "ERROR",
    RunOutcome.INTERRUPTED: "WARNING",
}


def level_of(event: Any) -> str:
    """Return the level of an event, as ``logging`` names them.

    Examples
    --------
    >>> level_of(RunPlanned(calls=3, to_run=1))
    'INFO'
    """
    kind = type(event)
    if kind is CallEnded:
        return _LOUD_CALLS.get(event.outcome, "INFO")
    if kind is RunFinished:
        return _LOUD_RUNS.get(event.outcome, "INFO")
    return "WARNING" if kind is Warned else "INFO"


def describe(event: Any) -> str:
    """Return what the log says of an event; further lines are its traceback.

    Examples
    --------
    >>> describe(RunPlanned(calls=3, to_run=1))
    'planned: 3 calls, 1 of them may have to run'
    >>> describe(RecordAdded(0, "Record 0 (a)", "a", "9f"))
    'record: Record 0 (a) added, parameters 9f'
    """
    match event:
        case CallEnded():
            return _describe_call(event)
        case CallStarted():
            return f"call {event.call}: {event.name} started, {event.record_name}"
        case Reported():
            source = "outside of a stage" if event.call is None else f"call {event.call}: {event.stage}"
            return f"report: {event.fragment.kind} {event.fragment.name!r} by {source}"
        case RecordAdded():
            copied = "" if event.copied_from is None else f", a copy of record {event.copied_from}"
            return f"record: {event.name} added, parameters {event.params_hash}{copied}"
        case RunStarted():
            return f"run: {event.reference} started"
        case RunPlanned():
            return f"planned: {event.calls} calls, {event.to_run} of them may have to run"
        case Warned():
            return f"warning: {event.text}"
        case RunFinished():
            said = f"run: {event.outcome.value}"
            if event.error:
                said = f"{said}, {event.error}"
            return f"{said}\n{event.traceback.rstrip()}" if event.traceback else said
    return str(event)


def _describe_call(event: CallEnded) -> str:
    said = f"call {event.index}: {event.name} {event.outcome.value}"
    if event.outcome in {CallOutcome.RAN, CallOutcome.FAILED, CallOutcome.INTERRUPTED}:
        said = f"{said} after {event.duration_s:.3f} s"
    said = f"{said}, {event.record_name}"
    if event.reason is not None:
        said = f"{said}: {event.reason}"
    return f"{said}\n{event.error.rstrip()}" if event.error else said

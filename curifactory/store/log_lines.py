"""What the log says of each event, and how loudly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from curifactory.core.events import (
    CallEnded,
    CallRecalled,
    CallRetracted,
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
LEVELS_OF_CALLS: Mapping[CallOutcome, str] = {each: _LOUD_CALLS.get(each, "INFO") for each in CallOutcome}
_EXECUTED = (CallOutcome.RAN, CallOutcome.FAILED, CallOutcome.INTERRUPTED)
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
        return LEVELS_OF_CALLS[event.outcome]
    if kind is RunFinished:
        return _LOUD_RUNS.get(event.outcome, "INFO")
    return "WARNING" if kind is Warned else "INFO"


class Descriptions(dict[type, Callable[[Any], str]]):
    """What the log says of an event, by its type; further lines are its traceback. Anything else says what it is by itself.

    Examples
    --------
    >>> DESCRIPTIONS[RunPlanned](RunPlanned(calls=3, to_run=1))
    'planned: 3 calls, 1 of them may have to run'
    >>> DESCRIPTIONS[RecordAdded](RecordAdded(0, "Record 0 (a)", "a", "9f"))
    'record: Record 0 (a) added, parameters 9f'
    >>> DESCRIPTIONS[str]("as it is")
    'as it is'
    """

    def __missing__(self, kind: type) -> Callable[[Any], str]:
        return str


def _describe_started(event: CallStarted) -> str:
    call, name, _, record_name, _ = event
    return f"call {call}: {name} started, {record_name}"


def _describe_call(event: CallEnded) -> str:
    index, name, _, _, record_name, outcome, reason, _, _, duration_s, _, _, _, _, _, error, _ = event
    took = f" after {duration_s:.3f} s" if outcome in _EXECUTED else ""
    why = "" if reason is None else f": {reason.to_json()['text']}"
    said = f"call {index}: {name} {outcome._value_}{took}, {record_name}{why}"
    return f"{said}\n{error.rstrip()}" if error else said


def _describe_reported(event: Reported) -> str:
    source = "outside of a stage" if event.call is None else f"call {event.call}: {event.stage}"
    return f"report: {event.fragment.kind} {event.fragment.name!r} by {source}"


def _describe_record(event: RecordAdded) -> str:
    copied = "" if event.copied_from is None else f", a copy of record {event.copied_from}"
    return f"record: {event.name} added, parameters {event.params_hash}{copied}"


def _describe_end(event: RunFinished) -> str:
    said = f"run: {event.outcome.value}"
    if event.error:
        said = f"{said}, {event.error}"
    return f"{said}\n{event.traceback.rstrip()}" if event.traceback else said


DESCRIPTIONS = Descriptions(
    {
        CallEnded: _describe_call,
        CallStarted: _describe_started,
        CallRecalled: lambda event: f"call {event.call}: not begun after all",
        CallRetracted: lambda event: (
            f"call {event.call}: what it has logged and reported so far does not count"
        ),
        RecordAdded: _describe_record,
        Reported: _describe_reported,
        RunStarted: lambda event: f"run: {event.reference} started",
        RunPlanned: lambda event: f"planned: {event.calls} calls, {event.to_run} of them may have to run",
        Warned: lambda event: f"warning: {event.text}",
        RunFinished: _describe_end,
    }
)

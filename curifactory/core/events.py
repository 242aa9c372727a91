"""A run as a stream of events: frozen values in the past tense that anybody may read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from curifactory.core.outcomes import CallOutcome, RunOutcome
from curifactory.core.reason import Reason
from curifactory.core.trace import Artifact, Fragment


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run has got its reference; nothing has been called yet."""

    reference: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RecordAdded:
    """A record has joined the run. ``params_hash`` is ``"None"`` for a record without parameters."""

    index: int
    name: str
    params_name: str | None
    params_hash: str
    copied_from: int | None = None


@dataclass(frozen=True, slots=True)
class RunPlanned:
    """The graph has been planned: how many calls are there, and how many may have to run."""

    calls: int
    to_run: int


@dataclass(frozen=True, slots=True)
class InputFacts:
    """One input of a call: its name, and the call and record that it came from (None: put in by hand)."""

    name: str
    call: int | None
    record: int | None


@dataclass(frozen=True, slots=True)
class OutputFacts:
    """One output of a call. ``run`` is the run that made it, None when it was made by this call now."""

    name: str
    type: str = ""
    summary: str = ""
    artifact: Artifact | None = None
    run: str | None = None
    lazy: bool = False


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A stage function is about to be executed."""

    call: int
    name: str
    record: int
    record_name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CallEnded:
    """What became of one call: it ran, was reused, failed, was not needed or not reached.

    One such event is one line of a run's ``calls.jsonl``. ``index`` numbers the calls of a run in the order in which
    ``run()`` made them; events come in the order in which calls end. ``record_name`` is the record's reference name,
    ``line`` the place in the person's code that made the call, ``error`` the traceback of a failed one. ``peak_bytes``
    is the most memory that the process had used by the end of a call that was executed.
    """

    index: int
    name: str
    stage: str
    record: int
    record_name: str
    outcome: CallOutcome
    reason: Reason | None
    key: str | None
    started_at: datetime | None
    duration_s: float
    line: str
    aggregate: bool
    inputs: tuple[InputFacts, ...]
    outputs: tuple[OutputFacts, ...]
    fragments: int = 0
    error: str | None = None
    peak_bytes: int | None = None


class MetricLogged(NamedTuple):
    """A stage (or the person, then ``call`` is None) has logged metrics of a record.

    A tuple, since a training loop makes one at each of its steps.
    """

    record: int
    call: int | None
    type: str
    values: Mapping[str, float]
    step: int | None
    epoch: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Reported:
    """A reportable has become a fragment in ``folder`` (relative to the run's ``fragments`` folder)."""

    record: int
    call: int | None
    stage: str | None
    folder: str
    fragment: Fragment


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that the person should know, in one line."""

    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run is over. ``error`` is one line, ``traceback`` the person's frames."""

    outcome: RunOutcome
    at: datetime
    error: str | None = None
    traceback: str | None = None


Event = (
    RunStarted
    | RecordAdded
    | RunPlanned
    | CallStarted
    | CallEnded
    | MetricLogged
    | Reported
    | Warned
    | RunFinished
)

Listener = Callable[[Any], None]


class EventStream:
    """Hands each event to every listener, in the order in which they subscribed.

    Examples
    --------
    >>> stream = EventStream()
    >>> seen = []
    >>> stream.subscribe(seen.append)
    >>> stream.emit(RunPlanned(calls=3, to_run=1))
    >>> seen
    [RunPlanned(calls=3, to_run=1)]
    """

    __slots__ = ("_listeners",)

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()

    def subscribe(self, listener: Listener) -> None:
        """Add a callable that takes one event."""
        self._listeners = (*self._listeners, listener)

    def unsubscribe(self, listener: Listener) -> None:
        """Take a listener out again; one that is not there is ignored."""
        self._listeners = tuple(kept for kept in self._listeners if kept != listener)

    def emit(self, event: Event) -> None:
        """Hand an event to all listeners."""
        for listener in self._listeners:
            listener(event)

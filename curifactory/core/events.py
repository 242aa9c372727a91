"""A run as a stream of events: frozen values in the past tense that anybody may read.

Those that come once a call or oftener are tuples, which are made in a quarter of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from curifactory.core.outcomes import CallOutcome, RunOutcome
from curifactory.core.reason import Reason
from curifactory.core.trace import Artifact, Fragment


class RunStarted(NamedTuple):
    """A run has got its reference; nothing has been called yet."""

    reference: str
    at: datetime


class RecordAdded(NamedTuple):
    """A record has joined the run. ``params_hash`` is ``"None"`` for a record without parameters."""

    index: int  # type: ignore[assignment]  # nobody looks for a value in it
    name: str
    params_name: str | None
    params_hash: str
    copied_from: int | None = None


class PlannedStage(NamedTuple):
    """A stage of the plan: its name with its module and without, how many calls it has, how many may have to run."""

    stage: str
    name: str
    calls: int
    to_run: int


class RunPlanned(NamedTuple):
    """The graph has been planned: how many calls are there, and how many of them may still have to run."""

    calls: int
    to_run: int
    stages: tuple[PlannedStage, ...] = ()


class InputFacts(NamedTuple):
    """One input of a call: its name, and the call and record that it came from (None: put in by hand)."""

    name: str
    call: int | None
    record: int | None


class OutputFacts(NamedTuple):
    """One output of a call. ``run`` is the run that made it, None when it was made by this call now."""

    name: str
    type: str = ""
    summary: str = ""
    artifact: Artifact | None = None
    run: str | None = None
    lazy: bool = False


class CallStarted(NamedTuple):
    """A stage function is about to be executed."""

    call: int
    name: str
    record: int
    record_name: str
    at: datetime


class CallRecalled(NamedTuple):
    """A call that was said to start has not begun, and is not going to for now."""

    call: int


class CallRetracted(NamedTuple):
    """What a call has logged and reported so far does not count: its execution came to nothing, and there is another one."""

    call: int


class CallEnded(NamedTuple):
    """What became of one call: it ran, was reused, failed, was not needed or not reached.

    One such event is one line of a run's ``calls.jsonl``. ``index`` numbers the calls of a run in the order in which
    ``run()`` made them; events come in the order in which calls end. ``record_name`` is the record's reference name,
    ``line`` the place in the person's code that made the call, ``error`` the traceback of a failed one. ``peak_bytes``
    is the most memory that the process had used by the end of a call that was executed.
    """

    index: int  # type: ignore[assignment]  # nobody looks for a value in an event
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
    """A stage (or the person, then ``call`` is None) has logged metrics of a record."""

    record: int
    call: int | None
    type: str
    values: Mapping[str, float]
    step: int | None
    epoch: int | None
    at: datetime


class Reported(NamedTuple):
    """A reportable has become a fragment in ``folder`` (relative to the run's ``fragments`` folder)."""

    record: int
    call: int | None
    stage: str | None
    folder: str
    fragment: Fragment


class Warned(NamedTuple):
    """Something that the person should know, in one line."""

    text: str
    at: datetime


class RunFinished(NamedTuple):
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
    | CallRecalled
    | CallRetracted
    | CallEnded
    | MetricLogged
    | Reported
    | Warned
    | RunFinished
)

Listener = Callable[[Any], None]


class EventStream:
    """Hands each event to every listener, in the order in which they subscribed.

    A listener that has a ``handler_of(kind)`` is asked once for each kind of event which callable takes those; None takes
    none of them.

    Examples
    --------
    >>> stream = EventStream()
    >>> seen = []
    >>> stream.subscribe(seen.append)
    >>> stream.emit(RunPlanned(calls=3, to_run=1))
    >>> seen
    [RunPlanned(calls=3, to_run=1, stages=())]
    """

    __slots__ = ("_listeners", "_routes")

    def __init__(self) -> None:
        self._listeners: tuple[tuple[Listener, type | None], ...] = ()
        self._routes: dict[type, tuple[Listener, ...]] = {}

    def subscribe(self, listener: Listener, *, only: type | None = None) -> None:
        """Add a callable that takes one event.

        Parameters
        ----------
        listener : callable
            Takes the events.
        only : type, optional
            The only kind of event that it takes.
        """
        self._listeners = (*self._listeners, (listener, only))
        self._routes = {}

    def emit(self, event: Event) -> None:
        """Hand an event to all listeners."""
        route = self._routes.get(event.__class__)
        if route is None:
            route = self._find_route(event.__class__)
        for take in route:
            take(event)

    def _find_route(self, kind: type) -> tuple[Listener, ...]:
        found: list[Listener] = []
        for listener, only in self._listeners:
            if only is not None and only is not kind:
                continue
            handler_of = getattr(listener, "handler_of", None)
            take = listener if handler_of is None else handler_of(kind)
            if take is not None:
                found.append(take)
        route = self._routes[kind] = tuple(found)
        return route

"""Counts a run's events: what its end has to say."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from curifactory.core.events import (
    CallEnded,
    CallRetracted,
    MetricLogged,
    RecordAdded,
    RunFinished,
    RunStarted,
    Warned,
)
from curifactory.core.last_metrics import LastMetrics
from curifactory.core.outcomes import CallOutcome, RunOutcome
from curifactory.core.reason import ReasonKind


class Tally:
    """A listener that keeps what the last lines of a run tell.

    Attributes
    ----------
    reference : str or None
        The run's reference; None as long as there is no run.
    outcome : RunOutcome or None
        How the run ended; None as long as it goes on.
    counts : Counter of CallOutcome
        How many calls ended how.
    origins : Counter of str
        References of the runs that reused results came from.
    warnings : list of str
        What the person should know.

    Examples
    --------
    >>> from datetime import timezone
    >>> tally = Tally()
    >>> tally(RunStarted("iris_1_2026-11-21-T101500", datetime(2026, 11, 21, tzinfo=timezone.utc)))
    >>> tally.reference
    'iris_1_2026-11-21-T101500'
    """

    def __init__(self) -> None:
        self.reference: str | None = None
        self.outcome: RunOutcome | None = None
        self.counts: Counter[CallOutcome] = Counter()
        self.origins: Counter[str] = Counter()
        self.warnings: list[str] = []
        self._records: dict[int, str] = {}
        self._last_metrics = LastMetrics()
        self._started: datetime | None = None
        self._finished: datetime | None = None

    @property
    def duration_s(self) -> float | None:
        """How long the run took; None if it has no beginning or no end."""
        if self._started is None or self._finished is None:
            return None
        return (self._finished - self._started).total_seconds()

    @property
    def executed(self) -> int:
        """How many stage functions were called."""
        return sum(
            self.counts[outcome] for outcome in (CallOutcome.RAN, CallOutcome.FAILED, CallOutcome.INTERRUPTED)
        )

    @property
    def scores(self) -> list[tuple[str, dict[tuple[str, str], float]]]:
        """Name of each record, and the last value of each of its metrics by type and name, in the order of the run."""
        return [
            (self._records.get(record, f"Record {record}"), self._last_metrics.of(record))
            for record in self._last_metrics.records
        ]

    def __call__(self, event: Any) -> None:
        """Take one event."""
        match event:
            case CallEnded():
                self.counts[event.outcome] += 1
                reason = event.reason
                if reason is not None and reason.kind is ReasonKind.UNCHANGED and "run" in reason.particulars:
                    self.origins[reason.particulars["run"]] += 1
            case MetricLogged():
                self._last_metrics.keep(event)
            case CallRetracted():
                self._last_metrics.forget(event.call)
            case RecordAdded():
                self._records[event.index] = event.name
            case RunStarted():
                self.reference, self._started = event.reference, event.at
            case RunFinished():
                self.outcome, self._finished = event.outcome, event.at
            case Warned():
                self.warnings.append(event.text)

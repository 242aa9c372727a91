"""Counts a run's events: what its end has to say."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from curifactory.core.events import (
    CallEnded,
    MetricLogged,
    RecordAdded,
    RunFinished,
    RunStarted,
    Warned,
)
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
    scores : dict
        Name of each record to the last value of each of its metrics.
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
        self.scores: dict[str, dict[str, float]] = {}
        self.origins: Counter[str] = Counter()
        self.warnings: list[str] = []
        self._records: dict[int, str] = {}
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

    def __call__(self, event: Any) -> None:
        """Take one event."""
        match event:
            case CallEnded():
                self.counts[event.outcome] += 1
                reason = event.reason
                if reason is not None and reason.kind is ReasonKind.UNCHANGED and "run" in reason.particulars:
                    self.origins[reason.particulars["run"]] += 1
            case MetricLogged():
                name = self._records.get(event.record, f"Record {event.record}")
                scores = self.scores.setdefault(name, {})
                for metric, value in event.values.items():
                    scores[f"{event.type} {metric}".lstrip()] = value
            case RecordAdded():
                self._records[event.index] = event.name
            case RunStarted():
                self.reference, self._started = event.reference, event.at
            case RunFinished():
                self.outcome, self._finished = event.outcome, event.at
            case Warned():
                self.warnings.append(event.text)

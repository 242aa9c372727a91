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
        # By index of the record, and by type and name: the last value of a metric, and the call that logged it.
        self._scores: dict[int, dict[tuple[str, str], tuple[int | None, float]]] = {}
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
    def scores(self) -> dict[str, dict[str, float]]:
        """Name of each record to the last value of each of its metrics, records and calls in the order of the run."""
        return {
            self._records.get(record, f"Record {record}"): {
                " ".join(metric).lstrip(): value for metric, (_, value) in sorted(found.items(), key=_order)
            }
            for record, found in sorted(self._scores.items())
        }

    def __call__(self, event: Any) -> None:
        """Take one event."""
        match event:
            case CallEnded():
                self.counts[event.outcome] += 1
                reason = event.reason
                if reason is not None and reason.kind is ReasonKind.UNCHANGED and "run" in reason.particulars:
                    self.origins[reason.particulars["run"]] += 1
            case MetricLogged():
                self._keep_scores(event)
            case CallRetracted():
                self._forget_scores(event.call)
            case RecordAdded():
                self._records[event.index] = event.name
            case RunStarted():
                self.reference, self._started = event.reference, event.at
            case RunFinished():
                self.outcome, self._finished = event.outcome, event.at
            case Warned():
                self.warnings.append(event.text)

    def _keep_scores(self, event: MetricLogged) -> None:
        scores = self._scores.get(event.record)
        if scores is None:
            scores = self._scores[event.record] = {}
        call = event.call
        for name, value in event.values.items():
            metric = (event.type, name)
            kept = scores.get(metric)
            if kept is not None and kept[0] != call:
                # Calls may end in any order: the last value is that of the call which was made last.
                if kept[0] is not None and call is not None and kept[0] > call:
                    continue
                del scores[metric]
            scores[metric] = (call, value)

    def _forget_scores(self, call: int) -> None:
        for scores in self._scores.values():
            for metric in [metric for metric, kept in scores.items() if kept[0] == call]:
                del scores[metric]


def _order(score: tuple[tuple[str, str], tuple[int | None, float]]) -> int:
    """Return where a score stands among those of its record: what was logged outside of a call comes first."""
    call = score[1][0]
    return -1 if call is None else call

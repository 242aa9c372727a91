"""What the end of a run is told with: how its calls have ended, where results came from, the last metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from curifactory.core.events import CallEnded, CallRetracted, MetricLogged
from curifactory.core.last_metrics import LastMetrics
from curifactory.core.outcomes import CallOutcome


class Ends:
    """Listens to a run.

    Attributes
    ----------
    last_metrics : LastMetrics
        The last value of each metric of each record.
    reused_from : set of str
        References of runs that have made what was reused.

    Examples
    --------
    >>> Ends().counts()
    {}
    """

    __slots__ = ("_outcomes", "last_metrics", "reused_from")

    def __init__(self) -> None:
        self.last_metrics = LastMetrics()
        self.reused_from: set[str] = set()
        # By index of the call; a run may have very many.
        self._outcomes: list[CallOutcome | None] = []

    def __call__(self, event: Any) -> None:
        """Take an event."""
        take = self.handler_of(type(event))
        if take is not None:
            take(event)

    def handler_of(self, kind: type) -> Callable[[Any], None] | None:
        """Give what takes the events of a kind, for a stream that hands out very many of them."""
        handlers: dict[type, Callable[[Any], None]] = {
            MetricLogged: self.last_metrics.keep,
            CallRetracted: self._forget,
            CallEnded: self._count,
        }
        return handlers.get(kind)

    def counts(self) -> dict[CallOutcome, int]:
        """Return how many calls have ended in which way."""
        return dict(Counter(outcome for outcome in self._outcomes if outcome is not None))

    def _forget(self, event: CallRetracted) -> None:
        self.last_metrics.forget(event.call)

    def _count(self, event: CallEnded) -> None:
        outcomes, index, outcome = self._outcomes, event.index, event.outcome
        if index == len(outcomes):
            outcomes.append(outcome)
        else:
            outcomes += [None] * (index + 1 - len(outcomes))
            outcomes[index] = outcome
        if outcome is CallOutcome.REUSED:
            self.reused_from.update([output.run for output in event.outputs if output.run is not None])

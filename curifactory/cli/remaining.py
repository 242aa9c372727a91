"""How long a run may still take: what is left of its plan, at the pace of this run and of earlier ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from curifactory.cli.past import Past
from curifactory.core.events import CallEnded, RunPlanned
from curifactory.core.outcomes import CallOutcome


class Remaining:
    """Counts down the calls that may have to run, stage by stage.

    Parameters
    ----------
    past : Past
        Knows how long calls took in earlier runs.

    Examples
    --------
    >>> from curifactory.core.events import PlannedStage
    >>> remaining = Remaining(Past())
    >>> remaining.plan(RunPlanned(3, 2, (PlannedStage("iris.train", "train", 3, 2),)))
    >>> remaining.estimate_s([]) is None
    True
    """

    def __init__(self, past: Past) -> None:
        self._past = past
        self._before: dict[str, float] = {}
        self._now: dict[str, list[float]] = {}
        self._to_run: Counter[str] = Counter()
        self._to_reuse: Counter[str] = Counter()
        self._side_by_side = 1

    def plan(self, event: RunPlanned) -> None:
        """Take what the plan says."""
        self._to_run = Counter()
        self._to_reuse = Counter()
        for stage in event.stages:
            self._to_run[stage.name] += stage.to_run
            self._to_reuse[stage.name] += stage.calls - stage.to_run
        waiting = {stage.stage: stage.name for stage in event.stages if stage.to_run}
        self._before = {waiting[stage]: seconds for stage, seconds in self._past.durations(waiting).items()}

    def end(self, event: CallEnded) -> None:
        """Take the end of a call."""
        name = event.name
        if event.outcome in (CallOutcome.RAN, CallOutcome.FAILED, CallOutcome.INTERRUPTED):
            self._to_run[name] -= 1
            total = self._now.setdefault(name, [0.0, 0.0])
            total[0] += event.duration_s
            total[1] += 1
        elif self._to_reuse[name] > 0:
            self._to_reuse[name] -= 1
        else:
            # It was not certain that it had to run, and it did not.
            self._to_run[name] -= 1

    def estimate_s(self, running: Sequence[tuple[str, float]]) -> float | None:
        """Return how many seconds are left; None if nothing is, or a stage of which nothing is known has to run.

        Parameters
        ----------
        running : sequence of (str, float)
            Stage and time so far, in seconds, of each call that goes on.
        """
        self._side_by_side = max(self._side_by_side, len(running))
        left = 0.0
        for name, count in self._to_run.items():
            if count > 0:
                each = self._pace(name)
                if each is None:
                    return None
                left += count * each
        for name, since_s in running:
            left -= min(since_s, self._pace(name) or 0.0)
        return left / self._side_by_side if left > 0 else None

    def _pace(self, name: str) -> float | None:
        now = self._now.get(name)
        return now[0] / now[1] if now else self._before.get(name)

"""Time and memory of work: medians of many turns, floor and ours alternating, so that a busy moment meets both."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Work = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured.

    Parameters
    ----------
    quick : bool
        Leave out what takes minutes.
    tiny : bool
        Only show that every benchmark works: the figures say nothing.
    """

    quick: bool = False
    tiny: bool = False

    def of(self, full: int, *, quick: int | None = None, tiny: int) -> int:
        """Return a size of this kind."""
        if self.tiny:
            return tiny
        return quick if self.quick and quick is not None else full

    @property
    def repeats(self) -> int:
        """How often each thing is measured at least."""
        return 1 if self.tiny else 5


def time_once(work: Work) -> float:
    """Return how long work takes, in seconds, with the garbage of before collected."""
    gc.collect()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def median_s(work: Work, repeats: int, *, prepare: Work | None = None) -> float:
    """Return the median time of work, each time after an untimed preparation."""
    times = []
    for _ in range(repeats):
        if prepare is not None:
            prepare()
        times.append(time_once(work))
    return statistics.median(times)


def in_turns_s(floor: Work, ours: Work, repeats: int, *, prepare: Work | None = None) -> tuple[float, float]:
    """Return the median times of two kinds of work that take turns."""
    floors, times = [], []
    for _ in range(repeats):
        if prepare is not None:
            prepare()
        floors.append(time_once(floor))
        times.append(time_once(ours))
    return statistics.median(floors), statistics.median(times)


def calls_in(seconds: float, count: int) -> float:
    """Return microseconds for each of many."""
    return seconds / count * 1e6

"""``Benchmark``: work that is measured under the name of a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.bench.figures import Figure
from tests.bench.timing import Sizes
from tests.bench.workplace import Workplace


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark; it may give several figures.

    Parameters
    ----------
    row : str
        ``group.word``; its figures' rows begin with it.
    measure : callable
        Takes a workplace and sizes, gives figures.
    """

    row: str
    measure: Callable[[Workplace, Sizes], Iterable[Figure]]

"""The garbage collector while a graph grows: thousands of calls that all stay are not looked through again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_THRESHOLDS = (50_000, 20, 50)


@contextmanager
def calm_collector() -> Iterator[None]:
    """Let the garbage collector wait for more objects than it does by default; as it was afterwards.

    Nobody's setting is overruled: a collector that is off or already calmer stays so.

    Examples
    --------
    >>> before = gc.get_threshold()
    >>> with calm_collector():
    ...     gc.get_threshold()[0] >= 50_000
    True
    >>> gc.get_threshold() == before
    True
    """
    before = gc.get_threshold()
    if 0 < before[0] < _THRESHOLDS[0]:
        gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)

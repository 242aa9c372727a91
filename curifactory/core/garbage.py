"""The garbage collector: objects that stay anyway, of which there are many, are not looked through again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_THRESHOLDS = (50_000, 20, 50)
_is_ours = False


def own_process() -> None:
    """Say that this process is a program of ours from its beginning to its end.

    Only then :func:`pass_over` does anything; what belongs to somebody else's process is theirs to decide.
    """
    global _is_ours  # noqa: PLW0603 (whose the process is)
    _is_ours = True
    gc.set_threshold(*_THRESHOLDS)


def pass_over() -> None:
    """Never look again through what there is now, in a process of ours.

    Modules are made of many objects of which none goes. At its end an interpreter looks through all of them several
    times, which takes longer than all that a small run computes. Nothing of the person's may be there yet: their files
    are closed and their objects told at the end as ever.

    Examples
    --------
    >>> before = gc.get_freeze_count()
    >>> pass_over()
    >>> gc.get_freeze_count() == before
    True
    """
    if _is_ours:
        gc.freeze()


def grow_old() -> None:
    """Count all that there is as old, without looking through it, where so much is young that this would soon be done.

    Nobody's setting is overruled: what somebody else keeps from the collector stays so.

    Examples
    --------
    >>> grow_old()
    """
    if 2 * gc.get_count()[0] > min(gc.get_threshold()[0], _THRESHOLDS[0]) and (
        _is_ours or not gc.get_freeze_count()
    ):
        gc.freeze()
        gc.unfreeze()


@contextmanager
def calm() -> Iterator[None]:
    """Let the garbage collector wait for more objects than it does by default; as it was afterwards.

    Nobody's setting is overruled: a collector that is off or already calmer stays so.

    Examples
    --------
    >>> before = gc.get_threshold()
    >>> with calm():
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

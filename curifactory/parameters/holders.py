"""Whether somebody holds what a call was given, now that the call is over, and can read it later."""

from __future__ import annotations

import gc
import sys
import threading
import time
import weakref
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from types import CellType, FrameType, FunctionType, TracebackType
from typing import Any

# Who is about to let go: a thread of a pool that has handed over a result, and still has what it was given.
_PAUSES_S = (0.001, 0.004, 0.015, 0.03)

_last_collection_s = 0.0


def are_held(given: Sequence[weakref.ref[Any]], *, took_s: float = 0.0) -> bool:
    """Say whether anything that can use it holds one of the objects that a call was given.

    What is found at once is no holder: cycles that nobody reaches, and frames of functions that have returned. A profiler or
    debugger has those as long as it likes, and all variables with them; they are emptied, so that nobody reads from them
    either. What an exception shows of its frames stays, and holds.

    Parameters
    ----------
    given : sequence of weak references
        What it was given; the caller has let go of it.
    took_s : float
        How long the call took. Nobody is waited for longer than that; whoever lets go later is a holder.

    Examples
    --------
    >>> class Given:
    ...     pass
    >>> given = Given()
    >>> here = weakref.ref(given)
    >>> are_held([here])
    True
    >>> del given
    >>> are_held([here])
    False
    """
    if _are_gone(given):
        return False
    # Before the collection, after which nothing is young.
    _empty_frames(_young_frames())
    gc.collect(1)
    return not (_are_gone(given) or _are_let_go(given, took_s)) and not _are_collected(given, took_s)


def _are_gone(given: Iterable[weakref.ref[Any]]) -> bool:
    return all(reference() is None for reference in given)


def _are_let_go(given: Sequence[weakref.ref[Any]], took_s: float) -> bool:
    """Give other threads a moment for letting go; nothing that they read until then is missed."""
    slept_s = 0.0
    for pause_s in _PAUSES_S:
        if slept_s + pause_s > took_s or threading.active_count() == 1:
            break
        time.sleep(pause_s)
        slept_s += pause_s
        _empty_frames(_young_frames())
        if _are_gone(given):
            return True
    return False


def _are_collected(given: Sequence[weakref.ref[Any]], took_s: float) -> bool:
    """Look through all that there is, if that takes no longer than the call itself."""
    global _last_collection_s  # noqa: PLW0603 (a measure of this process, not of a call)
    if took_s < _last_collection_s:
        return False
    before = time.perf_counter()
    _empty_frames(_frames_of(None))
    gc.collect()
    _last_collection_s = time.perf_counter() - before
    return _are_gone(given)


def _young_frames() -> list[FrameType]:
    return _frames_of(0) + _frames_of(1)


def _frames_of(generation: int | None) -> list[FrameType]:
    return [each for each in gc.get_objects(generation) if type(each) is FrameType]


def _empty_frames(frames: Sequence[FrameType]) -> None:
    """Let frames of functions that have returned, and that are of no exception, let go of their variables."""
    if not frames:
        return
    shown = {id(each.tb_frame) for each in gc.get_referrers(*frames) if type(each) is TracebackType}
    functions: list[Any] = []
    for frame in frames:
        code, parts = frame.f_code, gc.get_referents(frame)
        # As long as a function goes on, the thread or the generator has what is in its frame, and not the frame.
        if id(frame) not in shown and any(each is code for each in parts):
            frame.clear()
            functions += [each for each in parts if type(each) is FunctionType and each.__code__ is code]
        del parts
    _empty_closures(functions)


def _empty_closures(functions: list[Any]) -> None:
    """Let functions of which nothing is left but emptied frames, one for each entry, let go of their variables."""
    functions.append(lambda: None)
    cells = [cell for each in _of_entries_alone(functions) for cell in each.__closure__ or ()]
    cells.append(CellType())
    for cell in _of_entries_alone(cells):
        with suppress(ValueError):
            del cell.cell_contents


def _of_entries_alone(listed: list[Any]) -> list[Any]:
    """Return what nobody holds besides who has listed it; the last one, which is new, shows what asking takes."""
    entries = Counter(map(id, listed))
    found = list({id(each): each for each in listed}.values())
    references = [sys.getrefcount(each) for each in found]
    asking = references[-1] - 1
    return [
        each for each, count in zip(found, references, strict=True) if count == 2 * entries[id(each)] + asking
    ]

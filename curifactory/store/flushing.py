"""The thread that commits now and then what the index was given."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress

FLUSH_AFTER_S = 0.2

Flush = Callable[[threading.Event], float | None]


def start_flushing(flush: weakref.WeakMethod[Flush], wake: threading.Event) -> None:
    """Flush each time some moments after an event was set, for as long as the index lives and wants it.

    Parameters
    ----------
    flush : weakref.WeakMethod
        Takes the event; gives the seconds to wait after the next time that it is set, None to end.
    wake : threading.Event
        Set with the first row that waits.
    """
    with suppress(RuntimeError):
        # While the interpreter ends there are no new threads; then `close` flushes.
        threading.Thread(
            target=_flush_now_and_then, args=(flush, wake), name="curifactory-index", daemon=True
        ).start()


def _flush_now_and_then(reference: weakref.WeakMethod[Flush], wake: threading.Event) -> None:
    pause_s: float | None = FLUSH_AFTER_S
    while pause_s is not None:
        wake.wait()
        wake.clear()
        time.sleep(pause_s)
        flush = reference()
        pause_s = flush(wake) if flush is not None else None
        del flush

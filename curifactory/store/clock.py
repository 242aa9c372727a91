"""A clock that has waiting lines written soon, also when nothing more happens."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import nullcontext, suppress

INTERVAL_S = 0.2
# So long a thread waits for its clock to be set again: a run that is over may be read from, and nobody closes it after that.
_IDLE_S = 2.0


class Clock:
    """Calls a function 0.2 s after it was set, in a thread of its own that is there only while it is needed.

    A process that logs, then computes for an hour and is killed has thereby lost nothing but what it logged in its
    last fifth of a second. In a forked child the clock stands still: what waits there is its parent's.

    Parameters
    ----------
    strike : callable
        What to call; it must not raise.

    Examples
    --------
    >>> struck = threading.Event()
    >>> clock = Clock(struck.set)
    >>> clock.set()
    >>> struck.wait(5)
    True
    >>> clock.stop()
    """

    __slots__ = ("_lock", "_process", "_stopped", "_strike", "_thread", "_wake", "is_set")

    def __init__(self, strike: Callable[[], None]) -> None:
        self._strike = strike
        self._wake = threading.Event()
        self._stopped = threading.Event()
        # Whoever handles a signal may come between.
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._process = os.getpid()
        self.is_set = False

    def set(self) -> None:
        """Have the function called in 0.2 s; cheap to ask for again and again."""
        if self.is_set:
            return
        self.is_set = True
        if self._process != os.getpid():
            return
        with self._lock:
            self._wake.set()
            if self._thread is None:
                self._start()

    def stop(self) -> None:
        """Let the thread end; setting the clock later starts another one."""
        with self._lock if self._process == os.getpid() else nullcontext():
            thread, self._thread = self._thread, None
            self._stopped.set()
            self._wake.set()
        if thread is not None and self._process == os.getpid() and thread is not threading.current_thread():
            thread.join()
        self.is_set = False

    def _start(self) -> None:
        self._stopped = threading.Event()
        thread = threading.Thread(
            target=self._run, args=(self._stopped,), name="curifactory-clock", daemon=True
        )
        # While the interpreter ends there are no new threads; what waits is written when its file is closed.
        with suppress(RuntimeError):
            thread.start()
            self._thread = thread

    def _run(self, stopped: threading.Event) -> None:
        while self._is_wanted():
            self._wake.clear()
            if stopped.wait(INTERVAL_S):
                return
            # Whoever adds a line from here on sets the clock again.
            self.is_set = False
            self._strike()

    def _is_wanted(self) -> bool:
        """Wait until the clock is set; False if it has not been for long, and has no thread any more."""
        while not self._wake.wait(_IDLE_S):
            with self._lock:
                if not self._wake.is_set():
                    self._thread = None
                    return False
        return True

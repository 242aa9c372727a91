"""A clock that has waiting lines written soon, also when nothing more happens."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

INTERVAL_S = 0.2


class Clock:
    """Calls a function 0.2 s after it was set, in a thread of its own that starts when it is first needed.

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

    __slots__ = ("_process", "_stopped", "_strike", "_thread", "_wake", "is_set")

    def __init__(self, strike: Callable[[], None]) -> None:
        self._strike = strike
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._process = os.getpid()
        self.is_set = False

    def set(self) -> None:
        """Have the function called in 0.2 s; cheap to ask for again and again."""
        if self.is_set:
            return
        self.is_set = True
        if self._thread is None:
            if self._process != os.getpid():
                return
            self._stopped = threading.Event()
            self._thread = threading.Thread(
                target=self._run, args=(self._stopped,), name="curifactory-clock", daemon=True
            )
            self._thread.start()
        self._wake.set()

    def stop(self) -> None:
        """Let the thread end; setting the clock later starts another one."""
        thread, self._thread = self._thread, None
        self._stopped.set()
        self._wake.set()
        if thread is not None and self._process == os.getpid() and thread is not threading.current_thread():
            thread.join()
        self.is_set = False

    def _run(self, stopped: threading.Event) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            if stopped.wait(INTERVAL_S):
                return
            # Whoever adds a line from here on sets the clock again.
            self.is_set = False
            self._strike()

"""Signals that end a run: the first one in order, with a report, a second one soon after it at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from curifactory.errors import ExitCode

# Later it is another interruption: a stage may have taken the first one for itself.
_AT_ONCE_S = 10.0
_AGAIN_S = 0.05


class Interruption:
    """Takes Ctrl-C and ``SIGTERM``.

    What a run has finished is on the disk already, and whoever works for it ends when this process does, so that nothing has
    to be put in order by one who cannot wait.
    """

    __slots__ = ("_last_s", "_number", "_show_unraisable")

    def __init__(self) -> None:
        self._last_s: float | None = None
        self._number: int = signal.SIGINT
        self._show_unraisable = sys.unraisablehook

    @property
    def has_come(self) -> bool:
        """Whether there was a signal."""
        return self._last_s is not None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Take a signal."""
        now_s = time.monotonic()
        if self._last_s is not None and now_s - self._last_s < _AT_ONCE_S:
            with suppress(OSError, ValueError):
                os.write(2, b"\nInterrupted at once; what is finished is kept.\n")
            os._exit(ExitCode.INTERRUPTED)
        self._last_s, self._number = now_s, number
        raise KeyboardInterrupt

    def send_again(self, unraisable: sys.UnraisableHookArgs) -> None:
        """Let a signal come again that came where nothing can be raised, as while an object was finalized; show the rest."""
        if unraisable.exc_type is not KeyboardInterrupt or not self.has_come:
            self._show_unraisable(unraisable)
            return
        self._last_s = None
        # To the process, so that it reaches the main thread whatever that waits for.
        again = threading.Timer(_AGAIN_S, os.kill, (os.getpid(), self._number))
        again.daemon = True
        again.start()


@contextmanager
def interruptible() -> Iterator[None]:
    """Let a run in the block be ended by Ctrl-C and by ``SIGTERM``, the way that schedulers of clusters end programs.

    Examples
    --------
    >>> with interruptible():
    ...     signal.getsignal(signal.SIGTERM).__class__.__name__
    'Interruption'
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    interruption = Interruption()
    before = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        # What somebody has set up, nohup for instance, is to stay.
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            before[number] = signal.signal(number, interruption)
    show_unraisable, sys.unraisablehook = sys.unraisablehook, interruption.send_again
    try:
        yield
    finally:
        sys.unraisablehook = show_unraisable
        # One that was interrupted is about to end, and may still be asked to hurry.
        if not interruption.has_come:
            for number, handler in before.items():
                signal.signal(number, handler)

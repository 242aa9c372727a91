"""Signals that end a run: the first one in order, with a report, a second one soon after it at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import Any, NoReturn

from curifactory.errors import ExitCode

# Later it is another interruption: a stage may have taken the first one for itself.
_AT_ONCE_S = 10.0
_AGAIN_S = 0.05


class Interruption:
    """Takes Ctrl-C and ``SIGTERM``.

    What a run has finished is on the disk already, and whoever works for it ends when this process does, so that nothing has
    to be put in order by one who cannot wait.
    """

    __slots__ = ("_came_s", "_last_s", "_number", "_sent_again", "_show_unraisable")

    def __init__(self) -> None:
        self._last_s: float | None = None
        # When the last signal came; Python takes it later, if the main thread is at something that is not Python.
        self._came_s: float | None = None
        self._number: int = signal.SIGINT
        # As many as there are signals that we have sent to ourselves and that nobody has told apart from a person's yet.
        self._sent_again: list[int] = []
        self._show_unraisable = sys.unraisablehook

    @property
    def has_come(self) -> bool:
        """Whether there was a signal."""
        return self._last_s is not None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Take a signal."""
        now_s = time.monotonic()
        if self._last_s is not None and now_s - self._last_s < _AT_ONCE_S:
            _end_at_once()
        self._last_s, self._number = now_s, number
        raise KeyboardInterrupt

    def send_again(self, unraisable: sys.UnraisableHookArgs) -> None:
        """Let a signal come again that came where nothing can be raised, as while an object was finalized; show the rest."""
        if unraisable.exc_type is not KeyboardInterrupt or not self.has_come:
            self._show_unraisable(unraisable)
            return
        self._last_s = None
        self._sent_again.append(self._number)
        # To the process, so that it reaches the main thread whatever that waits for.
        again = threading.Timer(_AGAIN_S, os.kill, (os.getpid(), self._number))
        again.daemon = True
        again.start()

    def watch(self, told: int, numbers: Collection[int]) -> None:
        """End the process at the second signal, though the main thread is in C code and does not take the first one.

        Parameters
        ----------
        told : int
            Descriptor at which the number of each signal is read, as it comes.
        numbers : collection of int
            The signals that count.
        """
        while came := os.read(told, 64):
            for number in came:
                if number not in numbers:
                    continue
                if self._sent_again:
                    # That it may be the person's, and ours is yet to come, makes no difference: one of them counts.
                    self._sent_again.pop()
                    continue
                now_s = time.monotonic()
                if self._came_s is not None and now_s - self._came_s < _AT_ONCE_S:
                    _end_at_once()
                self._came_s = now_s
        os.close(told)


def _end_at_once() -> NoReturn:
    with suppress(OSError, ValueError):
        os.write(2, b"\nInterrupted at once; what is finished is kept.\n")
    os._exit(ExitCode.INTERRUPTED)


@contextmanager
def _watched(interruption: Interruption, numbers: Collection[int]) -> Iterator[None]:
    told, telling = os.pipe()
    os.set_blocking(telling, False)
    before = signal.set_wakeup_fd(telling, warn_on_full_buffer=False)
    # A child that a stage forks gets the same signals from the terminal, and must not tell ours of them.
    os.register_at_fork(after_in_child=partial(_forget, telling))
    threading.Thread(target=interruption.watch, args=(told, numbers), daemon=True).start()
    try:
        yield
    finally:
        # One that was interrupted is about to end, and may still be asked to hurry.
        if not interruption.has_come:
            signal.set_wakeup_fd(before)
            # The other end is read until this one is closed.
            os.close(telling)


def _forget(telling: int) -> None:
    """Tell nobody of the signals of this process, unless somebody else is told by now."""
    with suppress(ValueError):
        told = signal.set_wakeup_fd(-1)
        if told not in (telling, -1):
            signal.set_wakeup_fd(told)


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
    before: dict[signal.Signals, Any] = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        # What somebody has set up, nohup for instance, is to stay.
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            before[number] = signal.signal(number, interruption)
    show_unraisable, sys.unraisablehook = sys.unraisablehook, interruption.send_again
    try:
        with _watched(interruption, before):
            yield
    finally:
        sys.unraisablehook = show_unraisable
        if not interruption.has_come:
            for number, handler in before.items():
                signal.signal(number, handler)

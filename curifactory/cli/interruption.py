"""Signals that end a run: the first one in order, with a report, a second one soon after it at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
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
        while came := _hear(told):
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


def _end_at_once() -> NoReturn:
    with suppress(OSError, ValueError):
        os.write(2, b"\nInterrupted at once; what is finished is kept.\n")
    os._exit(ExitCode.INTERRUPTED)


def _hear(told: int) -> bytes:
    """Return the numbers of signals that have come; nothing at the end, be it that a stage has closed the descriptor."""
    try:
        came = os.read(told, 64)
    except OSError:
        return b""
    if not came:
        os.close(told)
    return came


class _Forks:
    """Has a child that a stage forks take signals as it would do without us.

    It gets the same ones from the terminal as we do, and must not tell ours of them. A pool ends its processes by
    ``SIGTERM``: one that raised an exception there would keep the locks that it shares with the others for ever. Nor must
    one be lost that comes while the child does not know yet who it is.

    Parameters
    ----------
    interruption : Interruption
        What takes signals here.
    telling : int
        Descriptor to which the number of each signal is written.
    handlers : mapping
        What has taken each signal before.
    """

    __slots__ = ("_before", "_handlers", "_interruption", "_telling")

    def __init__(
        self, interruption: Interruption, telling: int, handlers: Mapping[signal.Signals, Any]
    ) -> None:
        self._interruption, self._telling, self._handlers = interruption, telling, handlers
        # Threads may fork at the same time, and each of them has a mask of its own.
        self._before = threading.local()
        os.register_at_fork(before=self._hold, after_in_parent=self._release, after_in_child=self._leave)

    def _hold(self) -> None:
        self._before.mask = signal.pthread_sigmask(signal.SIG_BLOCK, self._handlers)

    def _release(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._before.mask)

    def _leave(self) -> None:
        with suppress(ValueError):
            told = signal.set_wakeup_fd(-1)
            if told not in (self._telling, -1):
                signal.set_wakeup_fd(told)
        for number, handler in self._handlers.items():
            if signal.getsignal(number) is self._interruption:
                signal.signal(number, handler)
        self._release()


@contextmanager
def _watched(interruption: Interruption, handlers: Mapping[signal.Signals, Any]) -> Iterator[None]:
    told, telling = os.pipe()
    os.set_blocking(telling, False)
    before = signal.set_wakeup_fd(telling, warn_on_full_buffer=False)
    _Forks(interruption, telling, handlers)
    threading.Thread(target=interruption.watch, args=(told, tuple(handlers)), daemon=True).start()
    try:
        yield
    finally:
        # One that was interrupted is about to end, and may still be asked to hurry.
        if not interruption.has_come:
            signal.set_wakeup_fd(before)
            # The other end is read until this one is closed.
            with suppress(OSError):
                os.close(telling)


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

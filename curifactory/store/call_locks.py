"""Locks on calls, so that two processes that need the same one compute it once."""

from __future__ import annotations

import logging
import os
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache

from curifactory.store.forks import stays_here
from curifactory.store.layout import Layout

# How the system is told of a part of a file: kind of lock, from where it counts, first byte, bytes, no process.
_PART = struct.Struct("hhqqi")
_PAUSES_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1)


class CallLocks:
    """Locks by key, of which each is one byte of one file; the system drops them with their process.

    They order work and decide nothing: where a file system has no locks everything goes on after one line, and the same
    may be computed twice.

    Parameters
    ----------
    layout : Layout
        Where the store lies.
    warn : callable, optional
        Takes one line of text; by default it is logged.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as data:
    ...     layout = Layout(Path(data, "cache"))
    ...     one, other = CallLocks(layout), CallLocks(layout)
    ...     found = one.try_take("9f"), other.try_take("9f"), other.try_take("00")
    ...     one.release("9f")
    ...     found, other.try_take("9f"), one.close(), other.close()
    ((True, False, True), True, None, None)
    """

    __slots__ = ("__weakref__", "_descriptor", "_held", "_is_off", "_path", "_warn")

    def __init__(self, layout: Layout, *, warn: Callable[[str], None] | None = None) -> None:
        self._path = os.fspath(layout.call_locks_path)
        self._warn = warn if warn is not None else logging.getLogger("curifactory").warning
        self._descriptor: int | None = None
        self._held: dict[str, int] = {}
        self._is_off = False
        stays_here(self)

    def try_take(self, *keys: str) -> bool:
        """Take all of some locks if nobody has one of them, and say whether they are ours now.

        Parameters
        ----------
        *keys : str
            Hex digits, the first fifteen of which count.
        """
        for number, key in enumerate(keys):
            try:
                is_ours = self._set(key, take=True)
            except OSError as error:
                self._turn_off(error)
                is_ours = True
            if not is_ours:
                self.release(*keys[:number])
                return False
            # The system does not count how often we take one that is ours already.
            self._held[key] = self._held.get(key, 0) + 1
        return True

    def take(self, *keys: str, what: str) -> bool:
        """Take all of some locks, and wait for them if somebody else has one.

        Parameters
        ----------
        *keys : str
            As in :meth:`try_take`.
        what : str
            What is waited for, for the one line that says so after a second.

        Returns
        -------
        bool
            Whether it had to be waited for.
        """
        if self.try_take(*keys):
            return False
        began, told, turn = time.monotonic(), False, 0
        while not self.try_take(*keys):
            time.sleep(_PAUSES_S[min(turn, len(_PAUSES_S) - 1)])
            turn += 1
            if not told and time.monotonic() - began > 1.0:
                told = True
                self._warn(f"Waiting for another process that executes {what}.")
        return True

    def release(self, *keys: str) -> None:
        """Let go of locks."""
        for key in keys:
            times = self._held.pop(key, 1)
            if times > 1:
                self._held[key] = times - 1
                continue
            try:
                self._set(key, take=False)
            except OSError:
                # The system takes it back with the process.
                return

    def close(self) -> None:
        """Let go of everything; the object can still be used."""
        descriptor, self._descriptor = self._descriptor, None
        self._held.clear()
        if descriptor is not None:
            os.close(descriptor)

    def leave_to_parent(self) -> None:
        """Have no lock, in a child process that was forked: it may outlive its parent, whose locks die with it."""
        with suppress(OSError):
            self.close()

    def _set(self, key: str, *, take: bool) -> bool:
        """Take or let go of one lock; False if somebody else has it."""
        if self._is_off:
            return True
        control, command, kinds = _find_locks()
        descriptor = self._descriptor
        if descriptor is None:
            if not take:
                return True
            descriptor = self._descriptor = self._open()
        # Which byte it is stands for the call; the file stays empty.
        part = _PART.pack(kinds[take], os.SEEK_SET, int(key[:15], 16), 1, 0)
        try:
            control(descriptor, command, part)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            return os.open(self._path, flags, 0o666)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            return os.open(self._path, flags, 0o666)

    def _turn_off(self, error: OSError) -> None:
        self._is_off = True
        self._warn(
            f"Calls cannot be locked ({error.strerror or error}): processes that run at the same time may compute the "
            "same twice."
        )


@cache
def _find_locks() -> tuple[Callable[[int, int, bytes], object], int, tuple[int, int]]:
    """Return what takes and lets go of locks of open files: a function, its command, and the kinds of none and of a lock.

    Raises
    ------
    OSError
        If the system has none.
    """
    import fcntl

    command = getattr(fcntl, "F_OFD_SETLK", None)
    if command is None:
        raise OSError("the system has no locks of open files")
    return fcntl.fcntl, command, (fcntl.F_UNLCK, fcntl.F_WRLCK)

"""A process that has what workers need, and of which they are forks: they are ready in milliseconds."""

from __future__ import annotations

import atexit
import math
import os
import select
import signal
import socket
import time
from collections import deque
from contextlib import suppress

from curifactory.executors.nursery_birth import Process, fork, may_fork, start
from curifactory.executors.nursery_process import BORN, REPLY
from curifactory.executors.tray import Tray

# The one that was begun before anybody knew what it will be for.
_early: list[Nursery] = []


class Nursery:
    """Gives birth to workers. It has no threads and has never run a line of a person's code: what a fork could tear is not there.

    Parameters
    ----------
    module : str
        What it imports before its first child, if it can.
    is_fork : bool
        Whether it begins as a fork of this process, of which the same must be true; otherwise it does as a fresh interpreter.

    Examples
    --------
    >>> nursery = Nursery("json")
    >>> ours, theirs = socket.socketpair()
    >>> child = nursery.bear(theirs)
    >>> ours.close(), theirs.close()
    (None, None)
    >>> child.wait(60.0) is None
    False
    >>> nursery.close()
    """

    __slots__ = ("_births", "_children", "_control", "_heard", "_is_lost", "_process", "_told", "module")

    def __init__(self, module: str, *, is_fork: bool = False) -> None:
        self.module = module
        self._births: deque[Child] = deque()
        self._children: dict[int, Child] = {}
        self._told = b""
        self._is_lost = False
        self._process: Process
        self._control, theirs = socket.socketpair()
        self._heard = select.poll()
        self._heard.register(self._control, select.POLLIN)
        try:
            self._process = (fork if is_fork else start)(theirs, module)
        finally:
            theirs.close()

    def fileno(self) -> int:
        """Return the descriptor at which it is heard."""
        return self._control.fileno()

    @property
    def is_there(self) -> bool:
        """Whether it can bear children."""
        return not self._is_lost and self._process.poll() is None

    def bear(self, *ends: socket.socket | Tray) -> Child:
        """Have a worker born, now or as soon as the nursery is ready for it.

        Parameters
        ----------
        ends : socket or Tray
            Its ends of what it is told by what to do, in the order in which :func:`process_worker.main` takes them.
        """
        child = Child(self)
        try:
            socket.send_fds(self._control, [b"w"], [each.fileno() for each in ends])
        except OSError:
            child.is_lost = True
        else:
            self._births.append(child)
        return child

    def listen(self, timeout_s: float = 0.0) -> None:
        """Take what the nursery tells of its children, waiting for something if it tells nothing."""
        if not self._heard.poll(math.ceil(1000 * max(timeout_s, 0.0))):
            return
        try:
            told = self._control.recv(4096)
        except OSError:
            told = b""
        if not told:
            self._lose_all()
        self._told += told
        while len(self._told) >= REPLY.size:
            pid, code = REPLY.unpack_from(self._told)
            self._told = self._told[REPLY.size :]
            if code == BORN:
                child = self._children[pid] = self._births.popleft()
                child.pid = pid
            else:
                self._children.pop(pid).code = code

    def close(self) -> None:
        """End the nursery, whatever it is importing; its children end when their connections do."""
        self._lose_all()
        self._process.kill()
        self._process.wait()
        self._control.close()

    def _lose_all(self) -> None:
        self._is_lost = True
        for child in (*self._births, *self._children.values()):
            child.is_lost = True
        self._births.clear()
        self._children.clear()


class Child:
    """A process that a nursery has borne, at the head of a session of its own.

    Attributes
    ----------
    pid : int or None
        None until it is born.
    code : int or None
        How it ended: its exit code, or less than zero for a signal; None before, and if nobody knows.
    is_lost : bool
        Whether the nursery is gone, so that nobody will tell how it ends.
    """

    __slots__ = ("_nursery", "code", "is_lost", "pid")

    def __init__(self, nursery: Nursery) -> None:
        self._nursery = nursery
        self.pid: int | None = None
        self.code: int | None = None
        self.is_lost = False

    @property
    def is_over(self) -> bool:
        """Whether it has ended, as far as has been heard."""
        return self.code is not None or (self.is_lost and self.pid is None)

    def wait(self, timeout_s: float) -> int | None:
        """Wait until it has ended and return how; None if that takes longer, or if nobody knows."""
        self._hear()
        until = time.monotonic() + timeout_s
        while not self.is_over and not self.is_lost:
            left = until - time.monotonic()
            if left <= 0:
                break
            self._nursery.listen(left)
        return self.code

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and to all that it has started; one that is not born yet is told by its connection."""
        self._hear()
        if self.pid is not None and self.code is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def _hear(self) -> None:
        if self.code is None and not self.is_lost:
            self._nursery.listen()


def begin_early(module: str) -> None:
    """Start a nursery that whoever needs one first is going to take; it ends with this process at the latest.

    Nothing of a person's may have been imported yet.
    """
    if not _early and may_fork():
        nursery = Nursery(module, is_fork=True)
        _early.append(nursery)
        atexit.register(_end_early)


def take_nursery(module: str) -> Nursery:
    """Return the nursery that was begun early, if it fits, or a new one."""
    if _early and _early[0].module == module and _early[0].is_there:
        atexit.unregister(_end_early)
        return _early.pop()
    return Nursery(module)


def _end_early() -> None:
    while _early:
        _early.pop().close()

"""How a nursery comes to be: as a fork of a process in which there is nothing yet, or as a fresh interpreter."""

from __future__ import annotations

import importlib
import os
import signal
import socket
import sys
import time
import traceback
from contextlib import suppress
from typing import NoReturn, Protocol

from curifactory.executors.nursery_process import main

_LOOK_S = 0.01


class Process(Protocol):
    """A child of this process, as far as anybody asks for it."""

    pid: int

    def poll(self) -> int | None:
        """Return how it has ended; None as long as it goes on."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended, and return how."""
        ...


class Forked:
    """A child that this process has forked, asked as one is that `subprocess` has started.

    Parameters
    ----------
    pid : int
        Its number.

    Examples
    --------
    >>> pid = os.fork()
    >>> if pid == 0:
    ...     os._exit(3)
    >>> child = Forked(pid)
    >>> child.wait(60.0), child.poll()
    (3, 3)
    """

    __slots__ = ("_code", "pid")

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        """Return how it has ended; None as long as it goes on."""
        return self._ask(os.WNOHANG)

    def kill(self) -> None:
        """End it at once."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended, and return how.

        Raises
        ------
        TimeoutError
            If that takes longer than so many seconds.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while (code := self._ask(0 if until is None else os.WNOHANG)) is None:
            if until is not None and time.monotonic() >= until:
                raise TimeoutError(f"process {self.pid} goes on")
            time.sleep(_LOOK_S)
        return code

    def _ask(self, how: int) -> int | None:
        if self._code is None:
            try:
                pid, status = os.waitpid(self.pid, how)
            except ChildProcessError:
                # Somebody has waited for all children that there are; what it ended with nobody knows.
                self._code = 0
            else:
                self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code


def may_fork() -> bool:
    """Whether a fork of this process is a whole one: where the system tells that there is no other thread."""
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


def fork(end: socket.socket, module: str) -> Forked:
    """Begin a nursery as a fork, with the modules that this process has, and nothing else of it.

    Parameters
    ----------
    end : socket
        Its end of a socket pair.
    module : str
        What its children need, imported here before: it is needed on both sides.
    """
    importlib.import_module(module)
    importlib.import_module("curifactory.executors.process_worker")
    # What waits in them would be written twice.
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        # Whose reader has gone away, and who it is said to, is noticed where something is written.
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()  # type: ignore[union-attr]
    # One that comes between the two is for this process alone.
    signals = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    pid = os.fork()
    if pid == 0:
        _become_nursery(end.fileno(), module, signals)
    signal.pthread_sigmask(signal.SIG_SETMASK, signals)
    return Forked(pid)


def _become_nursery(descriptor: int, module: str, signals: set[int]) -> NoReturn:
    try:
        os.setsid()
        # A Ctrl-C that has come in between was for the other one.
        at_interruption = signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, signals)
        signal.signal(signal.SIGINT, at_interruption)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        _close_all_but(descriptor)
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
        main(descriptor, module)
    except BaseException:  # noqa: BLE001 - nobody else is going to tell it
        traceback.print_exc()
    finally:
        os._exit(1)


def _close_all_but(descriptor: int) -> None:
    # As many as a process may have can be a thousand million, which not every system closes at once.
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) != descriptor:
            # The one of the list itself is closed already.
            with suppress(OSError):
                os.close(int(name))


def start(end: socket.socket, module: str) -> Process:
    """Begin a nursery as a fresh interpreter, which imports what its children need.

    Parameters
    ----------
    end, module
        As of :func:`fork`.
    """
    import subprocess

    path = [each for each in sys.path if each]
    program = (
        f"import sys; sys.path[:] = {path!r}; from curifactory.executors.nursery_process import main; "
        f"main({end.fileno()}, {module!r})"
    )
    return subprocess.Popen(
        [
            sys.executable,
            *subprocess._args_from_interpreter_flags(),  # type: ignore[attr-defined]  # noqa: SLF001 - as multiprocessing does
            # A file of the working folder must not stand for a module of the standard library.
            "-P",
            "-c",
            program,
        ],
        pass_fds=[end.fileno()],
        stdin=subprocess.DEVNULL,
        # The person's Ctrl-C is for us; we tell it.
        start_new_session=True,
    )

"""The main program of a nursery: it imports what workers need, and forks them when it is told to."""

from __future__ import annotations

import importlib
import os
import select
import signal
import socket
import struct
import traceback
from collections.abc import Sequence
from contextlib import suppress

from curifactory.core import garbage

# What is told of a child: its process and how that ended, or that it is there.
REPLY = struct.Struct("=ii")
BORN = 1 << 16
# How many descriptors a worker begins with.
_ENDS = 2


def main(descriptor: int, module: str) -> None:
    """Bear children until nobody is there any more to ask for them.

    Parameters
    ----------
    descriptor : int
        Of our end of a socket pair: for each worker comes one byte with what it is told by, and each birth and death is told.
    module : str
        What is imported before.
    """
    # Who runs us decides when we end.
    at_interruption = signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.set_inheritable(descriptor, False)
    control = socket.socket(fileno=descriptor)
    heard, telling = os.pipe()
    os.set_blocking(heard, False)
    os.set_blocking(telling, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(telling, warn_on_full_buffer=False)
    garbage.own_process()
    # What is wrong with it, the first worker tells.
    with suppress(Exception):
        importlib.import_module(module)
        importlib.import_module("curifactory.executors.process_worker")
    # A look through it would only copy its pages in every child.
    garbage.pass_over()
    while True:
        ready, _, _ = select.select([descriptor, heard], [], [])
        if heard in ready:
            with suppress(BlockingIOError):
                os.read(heard, 4096)
            _tell_deaths(control)
        if descriptor in ready:
            given = _hear(control)
            if given:
                pid = os.fork()
                if pid == 0:
                    control.close()
                    os.close(heard)
                    os.close(telling)
                    # What a stage starts and interrupts is to end as it does elsewhere.
                    signal.signal(signal.SIGINT, at_interruption)
                    _become_worker(given)
                for each in given:
                    os.close(each)
                _tell(control, pid, BORN)


def _hear(control: socket.socket) -> list[int]:
    """Return the ends of what a worker is told by that is wanted, and leave when nobody is there any more to want any."""
    try:
        asked, given, _, _ = socket.recv_fds(control, 1, _ENDS)
    except OSError:
        # Who has gone without having heard all that we told.
        asked, given = b"", []
    if not asked:
        os._exit(0)
    return given


def _become_worker(given: Sequence[int]) -> None:
    """Work in a child, and never come back."""
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        from curifactory.executors.process_worker import main

        main(*given)
    except BaseException:  # noqa: BLE001 - nobody else is going to tell it
        traceback.print_exc()
    finally:
        os._exit(1)


def _tell_deaths(control: socket.socket) -> None:
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            # With whatever its stages have started and left running.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            _tell(control, pid, os.waitstatus_to_exitcode(status))


def _tell(control: socket.socket, pid: int, code: int) -> None:
    try:
        control.sendall(REPLY.pack(pid, code))
    except OSError:
        os._exit(0)

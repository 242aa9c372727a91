"""The main program of a nursery: it imports what workers need, and forks them when it is told to."""

from __future__ import annotations

import importlib
import os
import select
import signal
import socket
import struct
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NoReturn

from curifactory.core import garbage

# What is told of a child: its process and how that ended, or that it is there.
REPLY = struct.Struct("=ii")
BORN = 1 << 16
# How many descriptors a worker begins with.
_ENDS = 2
# How long processes that stages have left running may take to end, and workers that nobody needs any more.
_GROUP_S = 0.5
_WORKERS_S = 3.0
_LOOK_S = 0.005


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
    children: set[int] = set()
    while True:
        ready, _, _ = select.select([descriptor, heard], [], [])
        if heard in ready:
            with suppress(BlockingIOError):
                os.read(heard, 4096)
            _tell_deaths(control, children)
        if descriptor in ready:
            given = _hear(control, children)
            if given:
                pid = os.fork()
                if pid == 0:
                    control.close()
                    os.close(heard)
                    os.close(telling)
                    # What a stage starts and interrupts is to end as it does elsewhere.
                    signal.signal(signal.SIGINT, at_interruption)
                    _become_worker(given)
                children.add(pid)
                for each in given:
                    os.close(each)
                _tell(control, pid, BORN)


def _hear(control: socket.socket, children: set[int]) -> list[int]:
    """Return the ends of what a worker is told by that is wanted, and leave when nobody is there any more to want any."""
    try:
        asked, given, _, _ = socket.recv_fds(control, 1, _ENDS)
    except OSError:
        # Who has gone without having heard all that we told.
        asked, given = b"", []
    if not asked:
        _leave(children)
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


def _tell_deaths(control: socket.socket, children: set[int]) -> None:
    for pid, status in _iter_deaths(children):
        _tell(control, pid, os.waitstatus_to_exitcode(status))


def _iter_deaths(children: set[int]) -> Iterator[tuple[int, int]]:
    """Give the number and the status of each child that has ended, with whatever it has left running."""
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            _end_group(pid)
            children.discard(pid)
            yield pid, status


def _end_group(leader: int) -> None:
    """End what the stages of a worker have started and left running.

    First as one asks for it, which those do not heed that remove shared memory and the like on behalf of processes that are
    gone: they end by themselves when nobody else is left.
    """
    until = time.monotonic() + _GROUP_S
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGTERM)
        while time.monotonic() < until:
            time.sleep(_LOOK_S)
            os.killpg(leader, 0)
        os.killpg(leader, signal.SIGKILL)


def _tell(control: socket.socket, pid: int, code: int) -> None:
    with suppress(OSError):
        # That nobody is there any more is seen when the next wish is asked for.
        control.sendall(REPLY.pack(pid, code))


def _leave(children: set[int]) -> NoReturn:
    """End when all children have: they do by themselves when nobody is there any more to work for."""
    until = time.monotonic() + _WORKERS_S
    while children and time.monotonic() < until:
        for _ in _iter_deaths(children):
            pass
        time.sleep(_LOOK_S)
    for pid in children:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    os._exit(0)

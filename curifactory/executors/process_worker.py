"""A process that does jobs for another one, from its birth to its end."""

from __future__ import annotations

import atexit
import os
import pickle
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import NoReturn

from curifactory.executors.channel import Channel
from curifactory.executors.executor import Work
from curifactory.executors.resolving import begin_work, tell_fault
from curifactory.executors.threads import limit_threads
from curifactory.executors.tray import Tray

# Threads of a stage tell things, too, and a message in the middle of another one is the end of both.
_sending = threading.Lock()
_own_pid: list[int] = []
_parent: list[int] = []
# How long what stages have set up may take to be put in order at the end.
_ORDER_S = 1.0


def main(descriptor: int, tray_descriptor: int) -> None:
    """Do the jobs that come over a channel until it is closed.

    Parameters
    ----------
    descriptor : int
        Of our end of a socket pair.
    tray_descriptor : int
        Where jobs are laid ready, with which we go on by ourselves.
    """
    _own_pid[:], _parent[:] = [os.getpid()], [os.getppid()]
    for each in (descriptor, tray_descriptor):
        os.set_inheritable(each, False)
    channel, tray = Channel(socket.socket(fileno=descriptor)), Tray(socket.socket(fileno=tray_descriptor))
    # A child that a stage forks must not speak for us, nor keep the channel open when we are gone.
    os.register_at_fork(after_in_child=channel.close)
    os.register_at_fork(after_in_child=tray.close)
    try:
        setup, environment = pickle.loads(channel.receive())
    except EOFError:
        return
    sys.path[:] = setup.path
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(setup.folder)
    is_busy = threading.Event()
    threading.Thread(target=_watch, args=(channel.fileno(), is_busy), daemon=True).start()
    work: Work | None = None
    told: bytes | str
    threads = setup.threads
    # What is wrong with it, the first job tells.
    with suppress(BaseException):
        work = begin_work(setup)
    _hand_in(channel, b"")
    for message in _iter_messages(channel, tray):
        is_busy.set()
        began = time.monotonic()
        number, payload, wanted = pickle.loads(message)
        try:
            if work is None:
                work = begin_work(setup)
            wanted = max(wanted, setup.threads)
            if wanted != threads:
                limit_threads(wanted, usual=setup.threads)
                threads = wanted
            kind, told = "done", work(payload, partial(_send, channel, "told", number))
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is told
            kind, told = "raised", tell_fault(error)
        # Who hears the last answer may hang up at once, and that is then the end of no job.
        is_busy.clear()
        _send(channel, kind, number, told, time.monotonic() - began)
        if kind == "raised" and not _is_to_go_on(channel):
            break
    # Pools, shared memory, temporary folders: what has asked for it is put in order here as at the end of any program.
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - as multiprocessing does
    atexit._run_exitfuncs()  # noqa: SLF001
    _leave()


def _is_to_go_on(channel: Channel) -> bool:
    """Wait until those have heard of a failure who may want nothing else to begin; False if nobody is there any more."""
    try:
        return channel.receive() == b""
    except EOFError:
        return False


def _iter_messages(channel: Channel, tray: Tray) -> Iterator[bytes]:
    """Give each job as it comes, until the channel is closed."""
    heard = select.poll()
    for each in (channel, tray):
        heard.register(each, select.POLLIN)
    while True:
        message = tray.take()
        if message is not None:
            yield message
            continue
        messages = channel.take()
        yield from messages
        if channel.is_over:
            return
        if not messages:
            heard.poll()


def _watch(descriptor: int, is_busy: threading.Event) -> None:
    """Leave when nobody is there any more to do jobs for, even in the middle of one: its result would reach nobody."""
    watched = select.poll()
    # What can be read is not its affair.
    watched.register(descriptor, select.POLLHUP)
    watched.poll()
    is_busy.wait(_ORDER_S)
    _leave()


def _send(channel: Channel, kind: str, number: int, content: bytes | str, took_s: float = 0.0) -> None:
    if os.getpid() not in _own_pid:
        # A forked child that has come back from the stage: there is only one end of a job.
        os._exit(0)
    sys.stdout.flush()
    sys.stderr.flush()
    _hand_in(channel, pickle.dumps((kind, number, content, took_s)))


def _hand_in(channel: Channel, message: bytes) -> None:
    """Send a message, an empty one when everything is there for the first job."""
    try:
        with _sending:
            channel.send(message)
    except OSError:
        _leave()


def _leave() -> NoReturn:
    """End this process. Whatever its stages have left running is ended by whoever has borne it, if that is still there."""
    if os.getpgrp() == os.getpid() and [os.getppid()] != _parent:
        os.killpg(0, signal.SIGKILL)
    os._exit(0)

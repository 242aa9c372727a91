"""A process that does jobs for another one, from its birth to its end."""

from __future__ import annotations

import os
import pickle
import select
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import NoReturn

from curifactory.executors.channel import Channel
from curifactory.executors.executor import Failed, Work
from curifactory.executors.resolving import begin_work
from curifactory.executors.threads import limit_threads
from curifactory.executors.tray import Tray

# Threads of a stage tell things, too, and a message in the middle of another one is the end of both.
_sending = threading.Lock()
_own_pid: list[int] = []


def main(descriptor: int, tray_descriptor: int) -> None:
    """Do the jobs that come over a channel until it is closed.

    Parameters
    ----------
    descriptor : int
        Of our end of a socket pair.
    tray_descriptor : int
        Where jobs are laid ready, with which we go on by ourselves.
    """
    _own_pid[:] = [os.getpid()]
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
    threading.Thread(target=_watch, args=(channel.fileno(),), daemon=True).start()
    work: Work | None = None
    threads = setup.threads
    # What is wrong with it, the first job tells.
    with suppress(BaseException):
        work = begin_work(setup)
    for message in _iter_messages(channel, tray):
        began = time.monotonic()
        number, payload, wanted = pickle.loads(message)
        try:
            if work is None:
                work = begin_work(setup)
            wanted = max(wanted, setup.threads)
            if wanted != threads:
                limit_threads(wanted)
                threads = wanted
            result = work(payload, partial(_send, channel, "told", number))
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is told
            kind, told = "raised", error.result if isinstance(error, Failed) else traceback.format_exc()
        else:
            kind, told = "done", result
        _send(channel, kind, number, told, time.monotonic() - began)
        if kind == "raised" and not _is_to_go_on(channel):
            break
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


def _watch(descriptor: int) -> None:
    """Leave when nobody is there any more to do jobs for, even in the middle of one: its result would reach nobody."""
    watched = select.poll()
    # What can be read is not its affair.
    watched.register(descriptor, select.POLLHUP)
    watched.poll()
    _leave()


def _send(channel: Channel, kind: str, number: int, content: bytes | str, took_s: float = 0.0) -> None:
    if os.getpid() not in _own_pid:
        # A forked child that has come back from the stage: there is only one end of a job.
        os._exit(0)
    sys.stdout.flush()
    sys.stderr.flush()
    message = pickle.dumps((kind, number, content, took_s))
    try:
        with _sending:
            channel.send(message)
    except OSError:
        _leave()


def _leave() -> NoReturn:
    """End this process, with whatever its stages have started and left running."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)

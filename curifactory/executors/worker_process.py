"""One of the processes that do jobs, as the one sees it that has the jobs."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import time
from collections import deque
from contextlib import suppress

from curifactory.executors.channel import Channel
from curifactory.executors.executor import Job, Setup
from curifactory.executors.nursery import Nursery
from curifactory.executors.threads import thread_variables
from curifactory.executors.tray import Tray

GRACE_S = 2.0


class WorkerProcess:
    """A process, the channel to it, and the jobs that it has.

    A job lies on its tray; one that is too large comes over the channel, and is the only one.

    Parameters
    ----------
    nursery : Nursery
        Gives birth to it.
    setup : Setup
        What it needs before its first job.

    Attributes
    ----------
    jobs : deque of Job
        What it was given and has not told the end of. It is at the first one; the others lie ready for it.
    counted : Job or None
        The one of them that was last counted as begun.
    deadline : float or None
        When that one has to be over, by the monotonic clock.
    is_ready : bool
        Whether it has told that it has what its first job needs.
    is_held : bool
        Whether it begins nothing until it is told to go on, since its last job has failed.
    takes_more : bool
        Whether a job may lie ready behind those that it has.
    """

    __slots__ = (
        "_tray",
        "channel",
        "counted",
        "deadline",
        "is_held",
        "is_ready",
        "jobs",
        "process",
        "takes_more",
    )

    def __init__(self, nursery: Nursery, setup: Setup) -> None:
        ours, theirs = socket.socketpair()
        self._tray = Tray.open()
        with theirs:
            self.process = nursery.bear(theirs, self._tray)
        self.channel = Channel(ours)
        self.jobs: deque[Job] = deque()
        self.is_ready = self.is_held = False
        self.takes_more = True
        self.counted: Job | None = None
        self.deadline: float | None = None
        environment = {
            **os.environ,
            **thread_variables(setup.threads, os.environ),
            "PYTHONPATH": os.pathsep.join(each for each in setup.path if each),
        }
        # One that died at once is noticed when it is given a job.
        with suppress(OSError):
            self.channel.send(pickle.dumps((setup, environment)))

    def give(self, job: Job) -> bool:
        """Hand over a job to one that has none; False if nobody is there to take it."""
        if not self.is_ready:
            # On the tray it would lie, and be told dead, for one that died before anybody had a job for it.
            self.take_answers()
        if self.channel.is_over:
            return False
        message = _pack(job)
        # Jobs are begun in their order only if all of them go the same way.
        self.takes_more = self._tray.put(message)
        if not self.takes_more:
            try:
                self.channel.send(message)
            except OSError:
                return False
        self.jobs.append(job)
        return True

    def lay_ready(self, job: Job) -> bool:
        """Lay a job ready behind those that it has, with which it goes on by itself; False if that cannot be."""
        if not self.takes_more or not self._tray.put(_pack(job)):
            return False
        self.jobs.append(job)
        return True

    def go_on(self) -> None:
        """Let it go on after a failure that everybody has heard of."""
        self.is_held = False
        # That it is there no more is noticed like any other death.
        with suppress(OSError):
            self.channel.send(b"")

    def take_back(self) -> Job | None:
        """Take the next job back that it has not begun; None if there is none."""
        message = self._tray.take()
        if message is None:
            return None
        number = pickle.loads(message)[0]
        job = next(each for each in self.jobs if each.number == number)
        self.jobs.remove(job)
        return job

    def take_answers(self) -> list[bytes]:
        """Return what it has told of its jobs since the last time."""
        answers = self.channel.take()
        if answers and not self.is_ready:
            # Before anything else it tells that.
            self.is_ready = True
            del answers[0]
        return answers

    def end(self, *, by_force: bool) -> None:
        """Have it end."""
        if by_force:
            self.process.signal(signal.SIGTERM)
        self.channel.close()
        self._tray.close()

    def bury(self, until: float) -> int | None:
        """Wait for the process to be gone, with all its children; after a while it is killed."""
        code = self.process.wait(max(until - time.monotonic(), 0.05))
        if code is None:
            self.process.signal(signal.SIGKILL)
            code = self.process.wait(GRACE_S)
        return code


def _pack(job: Job) -> bytes:
    return pickle.dumps((job.number, job.payload, job.threads))

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

    A job lies on its tray, or comes over the channel: the first one, and one that is too large. Then it is the only one.

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
    deadline : float or None
        When the first one has to be over, by the monotonic clock.
    """

    __slots__ = ("_has_answered", "_is_apart", "_tray", "channel", "deadline", "jobs", "process")

    def __init__(self, nursery: Nursery, setup: Setup) -> None:
        ours, theirs = socket.socketpair()
        self._tray = Tray.open()
        with theirs:
            self.process = nursery.bear(theirs, self._tray)
        self.channel = Channel(ours)
        self.jobs: deque[Job] = deque()
        self._is_apart = self._has_answered = False
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
        message = _pack(job)
        # Jobs are begun in their order only if all of them go the same way. One that dies before its first answer is told by
        # the job that it was given, so that it is not given to others for ever.
        self._is_apart = not (self._has_answered and self._tray.put(message))
        if self._is_apart:
            try:
                self.channel.send(message)
            except OSError:
                return False
        self.jobs.append(job)
        self.deadline = None if job.timeout_s is None else time.monotonic() + job.timeout_s
        return True

    def lay_ready(self, job: Job) -> bool:
        """Lay a job ready behind those that it has, with which it goes on by itself; False if that cannot be."""
        if self._is_apart or not self._tray.put(_pack(job)):
            return False
        self.jobs.append(job)
        return True

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
        """Return what it has told since the last time."""
        answers = self.channel.take()
        self._has_answered |= bool(answers)
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

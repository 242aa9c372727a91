"""Jobs are done in processes of this machine, each of which does one after the other."""

from __future__ import annotations

import math
import os
import pickle
import select
import signal
import socket
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress

from curifactory.executors.budget import Budget
from curifactory.executors.channel import Channel
from curifactory.executors.executor import Ended, Ending, Job, Setup, Told
from curifactory.executors.nursery import Nursery, take_nursery
from curifactory.executors.threads import thread_variables

_GRACE_S = 2.0


class ProcessExecutor:
    """Does jobs in processes that descend from a fresh interpreter, so that nothing of this one leaks into them.

    A process that dies takes only its own job with it; another one is started in its place.

    Parameters
    ----------
    workers : int
        How many processes there may be; also how many cores jobs may keep busy together.
    memory_bytes, resources
        What jobs may take together; see :class:`Budget`.

    Examples
    --------
    >>> import sys
    >>> executor = ProcessExecutor(1)
    >>> executor.start(
    ...     Setup(begin="curifactory.executors.resolving:echo", initial=b"", path=tuple(sys.path), folder=".")
    ... )
    >>> executor.submit(Job(number=7, payload=b"payload"))
    >>> executor.wait()
    [Ended(number=7, ending=<Ending.DONE: 'done'>, result=b'payload', detail='')]
    >>> executor.close()
    """

    in_process = False

    def __init__(
        self,
        workers: int,
        *,
        memory_bytes: int | None = None,
        resources: Mapping[str, float] | None = None,
    ) -> None:
        self.name = f"{workers} processes" if workers != 1 else "one process"
        self._budget = Budget(workers, memory_bytes=memory_bytes, resources=resources)
        self._setup: Setup | None = None
        self._nursery: Nursery | None = None
        self._workers: list[_Worker] = []
        self._waiting: deque[Job] = deque()
        # Of whom something may be heard: the nursery, and the workers that have a job.
        self._heard = select.poll()

    def start(self, setup: Setup) -> None:
        """Start all processes: they get ready while the graph is still being planned."""
        self._setup = setup
        for _ in range(self._budget.cores):
            self._add_worker(setup)

    def has_room(self, job: Job) -> bool:
        """Whether a job would begin at once."""
        return not self._waiting and self._budget.fits(job)

    def submit(self, job: Job) -> None:
        """Take a job; it begins when there is room for it."""
        self._waiting.append(job)
        self._begin_waiting()

    def wait(self, timeout_s: float | None = None) -> Sequence[Ended | Told]:
        """Return what has happened."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while any(worker.job for worker in self._workers):
            happened = self._look(until)
            self._begin_waiting()
            if happened or (until is not None and time.monotonic() >= until):
                return happened
        return []

    def close(self, *, at_once: bool = False) -> None:
        """End all processes: those that are idle by themselves, those that are not by force."""
        self._waiting.clear()
        workers, self._workers = self._workers, []
        for worker in workers:
            is_busy = worker.job is not None
            if is_busy:
                self._free(worker)
            worker.end(by_force=at_once or is_busy)
        until = time.monotonic() + _GRACE_S
        for worker in workers:
            worker.bury(until)
        self._lose_nursery()

    def _add_worker(self, setup: Setup) -> None:
        if self._nursery is not None and not self._nursery.is_there:
            self._lose_nursery()
        if self._nursery is None:
            self._nursery = take_nursery(setup.begin.partition(":")[0])
            self._heard.register(self._nursery, select.POLLIN)
        self._workers.append(_Worker(self._nursery, setup))

    def _lose_nursery(self) -> None:
        nursery, self._nursery = self._nursery, None
        if nursery is not None:
            self._heard.unregister(nursery)
            nursery.close()

    def _begin_waiting(self) -> None:
        while self._waiting and self._budget.fits(self._waiting[0]):
            worker = next((each for each in self._workers if each.job is None), None)
            if worker is None:
                # More jobs than cores fit only if some of them ask for none.
                return
            job = self._waiting[0]
            if not worker.give(job):
                # It has died with nothing to do, which is nobody's failure.
                self._exchange(worker)
                continue
            self._waiting.popleft()
            self._budget.take(job)
            self._heard.register(worker.channel, select.POLLIN)

    def _look(self, until: float | None) -> list[Ended | Told]:
        """Wait until something is heard or a job has taken too long, and no longer than until a time."""
        happened = self._replace_dead()
        if happened:
            return happened
        busy = [worker for worker in self._workers if worker.job is not None]
        times = [worker.deadline for worker in busy if worker.deadline is not None]
        if until is not None:
            times.append(until)
        left_s = max(min(times) - time.monotonic(), 0.0) if times else None
        ready = {
            descriptor
            for descriptor, _ in self._heard.poll(None if left_s is None else math.ceil(1000 * left_s))
        }
        for worker in busy:
            if worker.channel.fileno() in ready:
                happened += self._read(worker)
                if worker.job is not None and worker.channel.is_over:
                    happened.append(self._replace(worker, Ending.DIED))
            if worker.deadline is not None and time.monotonic() >= worker.deadline:
                happened.append(self._replace(worker, Ending.TIMED_OUT))
        if self._nursery is not None and self._nursery.fileno() in ready:
            self._nursery.listen()
            if not self._nursery.is_there:
                self._lose_nursery()
        return happened

    def _replace_dead(self) -> list[Ended | Told]:
        """Put others in the place of workers whose end was told; one that was idle takes no job with it."""
        happened: list[Ended | Told] = []
        for worker in [each for each in self._workers if each.process.is_over]:
            happened += self._read(worker)
            if worker.job is None:
                self._exchange(worker)
            else:
                # A child of it may have kept its end of the channel open.
                happened.append(self._replace(worker, Ending.DIED))
        return happened

    def _read(self, worker: _Worker) -> list[Ended | Told]:
        happened: list[Ended | Told] = []
        for message in worker.channel.take():
            kind, number, content = pickle.loads(message)
            if kind == "told":
                happened.append(Told(number, content))
                continue
            self._free(worker)
            happened.append(
                Ended(number, Ending.DONE, content)
                if kind == "done"
                else Ended(number, Ending.RAISED, detail=content)
            )
        return happened

    def _free(self, worker: _Worker) -> Job:
        job, worker.job, worker.deadline = worker.job, None, None
        assert job is not None  # noqa: S101 - only a busy worker is freed
        self._heard.unregister(worker.channel)
        self._budget.free(job.number)
        return job

    def _replace(self, worker: _Worker, ending: Ending) -> Ended:
        """Put another process in the place of one that is dead with its job, or has to die."""
        job = self._free(worker)
        code = self._exchange(worker)
        if ending is Ending.TIMED_OUT:
            return Ended(
                job.number, ending, detail=f"it took longer than {job.timeout_s:g} s and was stopped"
            )
        return Ended(job.number, ending, detail=describe_death(code))

    def _exchange(self, worker: _Worker) -> int | None:
        worker.end(by_force=True)
        code = worker.bury(time.monotonic() + _GRACE_S)
        self._workers.remove(worker)
        if self._setup is not None:
            self._add_worker(self._setup)
        return code


def describe_death(code: int | None) -> str:
    """Say how a process ended.

    Examples
    --------
    >>> describe_death(-9)
    'killed by SIGKILL, as the system does when memory runs out'
    >>> describe_death(3)
    'it exited with 3'
    """
    if code is None:
        return "it does not answer"
    if code >= 0:
        return f"it exited with {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"killed by {name}" + (", as the system does when memory runs out" if name == "SIGKILL" else "")


class _Worker:
    """One process and the channel to it."""

    __slots__ = ("channel", "deadline", "job", "process")

    def __init__(self, nursery: Nursery, setup: Setup) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = nursery.bear(theirs)
        self.channel = Channel(ours)
        self.job: Job | None = None
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
        """Hand over a job; False if nobody is there to take it."""
        try:
            self.channel.send(pickle.dumps((job.number, job.payload, job.threads)))
        except OSError:
            return False
        self.job = job
        self.deadline = None if job.timeout_s is None else time.monotonic() + job.timeout_s
        return True

    def end(self, *, by_force: bool) -> None:
        if by_force:
            self.process.signal(signal.SIGTERM)
        self.channel.close()

    def bury(self, until: float) -> int | None:
        """Wait for the process to be gone, with all its children; after a while it is killed."""
        code = self.process.wait(max(until - time.monotonic(), 0.05))
        if code is None:
            self.process.signal(signal.SIGKILL)
            code = self.process.wait(_GRACE_S)
        return code

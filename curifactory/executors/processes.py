"""Jobs are done in processes of this machine, each of which does one after the other."""

from __future__ import annotations

import math
import pickle
import select
import signal
import time
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from functools import partial

from curifactory.executors.budget import Budget
from curifactory.executors.executor import PREPARATION_S, Ended, Ending, Job, Setup, Told
from curifactory.executors.nursery import Nursery, take_nursery
from curifactory.executors.pace import Pace, is_plain
from curifactory.executors.worker_process import GRACE_S, WorkerProcess

# While jobs take no longer than this, so many lie ready for each process behind the one that it does: it need not wait for us,
# nor for a core on which we could hand it the next.
_SHORT_S = 0.25
_AHEAD = 2


class ProcessExecutor:
    """Does jobs in processes that descend from one in which there was nothing yet, so that nothing of this one leaks into them.

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
    is_remote = False

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
        self._workers: list[WorkerProcess] = []
        self._pace = Pace(_SHORT_S, cores=workers)
        # How many jobs have to end before one may go ahead again, since one waits that needs more than a core.
        self._patience = 0
        self._waiting: deque[Job] = deque()
        # Of whom something may be heard: the nursery, and the workers that have a job.
        self._heard = select.poll()

    def start(self, setup: Setup) -> None:
        """Start all processes: they get ready while the graph is still being planned."""
        self._setup = setup
        for _ in range(self._budget.cores):
            self._add_worker(setup)

    def has_room(self, job: Job) -> bool:
        """Whether a job would begin at once, or without our doing when one of those that run is over."""
        if self._waiting:
            return False
        if self._budget.fits(job):
            return True
        if not is_plain(job):
            # It would never begin if others went on taking what each one before them leaves.
            self._patience = 2 * self._budget.cores
        return self._find_ahead(job) is not None

    def submit(self, job: Job) -> None:
        """Take a job; it begins when there is room for it."""
        self._waiting.append(job)
        self._begin_waiting()

    def recall(self) -> Collection[int]:
        """Take back what waits and what lies ready; of what a process has taken nothing comes back."""
        recalled = list(self._waiting)
        self._waiting.clear()
        for worker in self._workers:
            recalled += self._take_all_back(worker)
        return [job.number for job in recalled]

    def wait(self, timeout_s: float | None = None) -> Sequence[Ended | Told]:
        """Return what has happened."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        for worker in self._workers:
            if worker.is_held:
                worker.go_on()
        # Not before whoever heard of the latest ends has had the chance to hand over what follows them.
        self._even_out()
        self._begin_waiting()
        while any(worker.jobs for worker in self._workers):
            happened = self._look(until)
            self._begin_waiting()
            if happened or (until is not None and time.monotonic() >= until):
                return happened
        return []

    def close(self, *, at_once: bool = False) -> None:
        """End all processes: those that are idle by themselves, those that are not by force."""
        self._waiting.clear()
        self._pace.forget()
        workers, self._workers = self._workers, []
        for worker in workers:
            is_busy = bool(worker.jobs)
            worker.jobs.clear()
            self._follow(worker)
            worker.end(by_force=at_once or is_busy)
        until = time.monotonic() + GRACE_S
        for worker in workers:
            worker.bury(until)
        self._lose_nursery()

    def _add_worker(self, setup: Setup) -> None:
        if self._nursery is not None and not self._nursery.is_there:
            self._lose_nursery()
        if self._nursery is None:
            self._nursery = take_nursery(setup.begin.partition(":")[0])
            self._heard.register(self._nursery, select.POLLIN)
        self._workers.append(WorkerProcess(self._nursery, setup))

    def _lose_nursery(self) -> None:
        nursery, self._nursery = self._nursery, None
        if nursery is not None:
            self._heard.unregister(nursery)
            nursery.close()

    def _begin_waiting(self) -> None:
        while self._waiting:
            job = self._waiting[0]
            if not self._budget.fits(job):
                worker = self._find_ahead(job)
                if worker is None or not worker.lay_ready(job):
                    break
                self._waiting.popleft()
                continue
            worker = next((each for each in self._workers if not (each.jobs or each.is_held)), None)
            if worker is None:
                # More jobs than cores fit only if some of them ask for none.
                break
            if self._give(worker, job):
                self._waiting.popleft()

    def _give(self, worker: WorkerProcess, job: Job) -> bool:
        """Let an idle worker begin a job; False if it is there no more, and another one is."""
        if not worker.give(job):
            # It has died with nothing to do, which is nobody's failure.
            self._exchange(worker)
            return False
        self._follow(worker)
        return True

    def _follow(self, worker: WorkerProcess) -> None:
        """Count what a worker is at after any change of its jobs, and hear it while there is something."""
        before, job = worker.counted, worker.jobs[0] if worker.jobs else None
        if job is before:
            return
        worker.counted = job
        worker.deadline = None
        if before is None:
            self._heard.register(worker.channel, select.POLLIN)
        else:
            self._budget.free(before.number)
        if job is None:
            self._heard.unregister(worker.channel)
            return
        self._budget.take(job)
        _set_deadline(worker)

    def _find_ahead(self, job: Job) -> WorkerProcess | None:
        """Return a worker for which a job may be laid ready although it has something to do."""
        if self._patience:
            return None
        busy = [worker for worker in self._workers if worker.jobs]
        if not self._pace.lets_ahead(job, beside=(worker.jobs[0] for worker in busy)):
            return None
        # What waits for a job goes on where it was, and not after whatever came in between.
        free = [
            worker
            for worker in busy
            if worker.takes_more and len(worker.jobs) <= _AHEAD and not worker.jobs[-1].leads_on
        ]
        return min(free, key=lambda worker: len(worker.jobs), default=None)

    def _even_out(self) -> None:
        """Let who has nothing to do begin what lies ready for somebody else."""
        for idle in [worker for worker in self._workers if not worker.jobs]:
            most = max(self._workers, key=lambda worker: len(worker.jobs))
            fits = len(most.jobs) > 1 and self._budget.fits(most.jobs[-1])
            job = self._take_back(most) if fits else None
            if job is None:
                return
            if not self._give(idle, job):
                self._waiting.append(job)
                return

    def _look(self, until: float | None) -> list[Ended | Told]:
        """Wait until something is heard or a job has taken too long, and no longer than until a time."""
        happened = self._replace_dead()
        if happened:
            return happened
        busy = [worker for worker in self._workers if worker.jobs]
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
                if worker.channel.is_over:
                    happened += self._replace(worker, Ending.DIED)
                    continue
            if worker.deadline is not None and time.monotonic() >= worker.deadline:
                happened += self._replace(worker, Ending.TIMED_OUT)
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
            # A child of it may have kept its end of the channel open.
            happened += self._replace(worker, Ending.DIED)
        return happened

    def _read(self, worker: WorkerProcess) -> list[Ended | Told]:
        happened: list[Ended | Told] = []
        was_ready = worker.is_ready
        answers = worker.take_answers()
        if worker.is_ready and not was_ready:
            _set_deadline(worker)
        for message in answers:
            kind, number, content, took_s = pickle.loads(message)
            if kind == "told":
                happened.append(Told(number, content))
                continue
            self._pace.note(took_s)
            self._end_first(worker)
            worker.is_held = kind == "raised"
            happened.append(Ended.as_told(number, kind, content))
        return happened

    def _end_first(self, worker: WorkerProcess) -> Job:
        """Note that a worker is over with its job, and at the next one if there is one."""
        job = worker.jobs.popleft()
        self._patience = max(self._patience - 1, 0)
        self._follow(worker)
        return job

    def _take_back(self, worker: WorkerProcess) -> Job | None:
        """Take back the next job that a worker has not begun; None if there is none."""
        job = worker.take_back()
        # A slow one had not even begun the first: it will be at the next one, or has nothing to do.
        self._follow(worker)
        return job

    def _take_all_back(self, worker: WorkerProcess) -> list[Job]:
        return list(iter(partial(self._take_back, worker), None))

    def _replace(self, worker: WorkerProcess, ending: Ending) -> list[Ended | Told]:
        """Put another process in the place of one that is dead, maybe with a job, or has to die."""
        # What it had not begun, it does not take with it.
        spared = self._take_all_back(worker)
        if spared and not (worker.is_ready or worker.jobs):
            # But one that cannot even begin does, or the job would be given to others for ever.
            worker.jobs.append(spared.pop(0))
        self._waiting.extendleft(reversed(spared))
        if not worker.jobs:
            self._exchange(worker)
            return []
        job = self._end_first(worker)
        code = self._exchange(worker)
        if ending is Ending.TIMED_OUT:
            detail = f"it took longer than {job.timeout_s:g} s and was stopped"
            if not worker.is_ready:
                detail = (
                    f"its process was stopped, as it had not imported the project after {PREPARATION_S:g} s"
                )
            return [Ended(job.number, ending, detail=detail)]
        return [Ended(job.number, ending, detail=describe_death(code))]

    def _exchange(self, worker: WorkerProcess) -> int | None:
        worker.end(by_force=True)
        code = worker.bury(time.monotonic() + GRACE_S)
        self._workers.remove(worker)
        if self._setup is not None:
            self._add_worker(self._setup)
        return code


def _set_deadline(worker: WorkerProcess) -> None:
    """Note when the job that a worker is at has to be over."""
    job = worker.counted
    if job is not None and job.timeout_s is not None:
        # Not before it is ready does the time begin; but one that never is must not keep the job for ever.
        preparation_s = 0.0 if worker.is_ready else PREPARATION_S
        worker.deadline = time.monotonic() + preparation_s + job.timeout_s


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

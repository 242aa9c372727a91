"""Jobs are done in processes of this machine, each of which does one after the other."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait

from curifactory.executors.budget import Budget
from curifactory.executors.executor import Ended, Ending, Job, Setup, Told
from curifactory.executors.threads import thread_variables

# How long nobody notices that a process is dead whose end of the connection a child of it has kept open.
_LOOK_S = 0.5
_GRACE_S = 2.0


class ProcessExecutor:
    """Does jobs in processes that begin as fresh interpreters, so that nothing of this one leaks into them.

    A process that dies takes only its own job with it; another one is started in its place.

    Parameters
    ----------
    workers : int
        How many processes there may be; also how many cores jobs may keep busy together.
    memory_bytes, resources
        What jobs may take together; see :class:`Budget`.

    Examples
    --------
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
        self._workers: list[_Worker] = []
        self._waiting: deque[Job] = deque()

    def start(self, setup: Setup) -> None:
        """Start all processes: they get ready while the graph is still being planned."""
        self._setup = setup
        for _ in range(self._budget.cores):
            self._workers.append(_Worker(setup))

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
            left = _LOOK_S if until is None else min(_LOOK_S, until - time.monotonic())
            happened = self._look(max(left, 0.0))
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

    def _begin_waiting(self) -> None:
        while self._waiting and self._budget.fits(self._waiting[0]):
            worker = next((each for each in self._workers if each.job is None), None)
            if worker is None:
                # More jobs than cores fit only if some of them ask for none.
                return
            job = self._waiting.popleft()
            self._budget.take(job)
            worker.give(job)

    def _look(self, timeout_s: float) -> list[Ended | Told]:
        busy = {worker.connection: worker for worker in self._workers if worker.job is not None}
        now = time.monotonic()
        deadlines = [worker.deadline - now for worker in busy.values() if worker.deadline is not None]
        ready = wait(list(busy), min([timeout_s, *(max(each, 0.0) for each in deadlines)]))
        happened: list[Ended | Told] = []
        for connection in ready:
            happened += self._read(busy[connection])  # type: ignore[index]
        for worker in busy.values():
            if worker.job is None:
                continue
            if worker.deadline is not None and time.monotonic() >= worker.deadline:
                happened.append(self._replace(worker, Ending.TIMED_OUT))
            elif worker.process.poll() is not None and not worker.connection.poll():
                happened.append(self._replace(worker, Ending.DIED))
        return happened

    def _read(self, worker: _Worker) -> list[Ended | Told]:
        happened: list[Ended | Told] = []
        try:
            while worker.job is not None and worker.connection.poll():
                kind, number, content = pickle.loads(worker.connection.recv_bytes())
                if kind == "told":
                    happened.append(Told(number, content))
                    continue
                self._free(worker)
                ended = (
                    Ended(number, Ending.DONE, content)
                    if kind == "done"
                    else Ended(number, Ending.RAISED, detail=content)
                )
                happened.append(ended)
        except (EOFError, OSError):
            happened.append(self._replace(worker, Ending.DIED))
        return happened

    def _free(self, worker: _Worker) -> Job:
        job, worker.job, worker.deadline = worker.job, None, None
        assert job is not None  # noqa: S101 - only a busy worker is freed
        self._budget.free(job.number)
        return job

    def _replace(self, worker: _Worker, ending: Ending) -> Ended:
        """Put another process in the place of one that is dead, or has to die."""
        job = self._free(worker)
        worker.end(by_force=True)
        code = worker.bury(time.monotonic() + _GRACE_S)
        self._workers.remove(worker)
        if self._setup is not None:
            self._workers.append(_Worker(self._setup))
        if ending is Ending.TIMED_OUT:
            return Ended(job.number, ending, detail=f"it took longer than {job.timeout_s:g} s")
        return Ended(job.number, ending, detail=describe_death(code))


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
    """One process and the connection to it."""

    __slots__ = ("connection", "deadline", "job", "process")

    def __init__(self, setup: Setup) -> None:
        ours, theirs = socket.socketpair()
        try:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    *subprocess._args_from_interpreter_flags(),  # type: ignore[attr-defined]  # noqa: SLF001 - as multiprocessing does
                    "-m",
                    "curifactory.executors.process_worker",
                    str(theirs.fileno()),
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                cwd=setup.folder,
                env={
                    **os.environ,
                    **thread_variables(setup.threads, os.environ),
                    "PYTHONPATH": os.pathsep.join(each for each in setup.path if each),
                },
                # The person's Ctrl-C is for us; we tell it.
                start_new_session=True,
            )
        finally:
            theirs.close()
        self.connection = Connection(ours.detach())
        self.job: Job | None = None
        self.deadline: float | None = None
        # One that died at once is noticed when it has a job.
        with suppress(OSError):
            self.connection.send_bytes(pickle.dumps(setup))

    def give(self, job: Job) -> None:
        self.job = job
        self.deadline = None if job.timeout_s is None else time.monotonic() + job.timeout_s
        with suppress(OSError):
            self.connection.send_bytes(pickle.dumps((job.number, job.payload, job.threads)))

    def end(self, *, by_force: bool) -> None:
        if by_force:
            self._signal(signal.SIGTERM)
        self.connection.close()

    def bury(self, until: float) -> int | None:
        """Wait for the process to be gone, with all its children; after a while it is killed."""
        try:
            code = self.process.wait(max(until - time.monotonic(), 0.05))
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            code = self.process.wait()
        self._signal(signal.SIGKILL)
        return code

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

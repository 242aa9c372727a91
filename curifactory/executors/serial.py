"""Jobs are done here, one after the other."""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Collection, Sequence

from curifactory.executors.executor import Ended, Ending, Failed, Job, Setup, Told, Work
from curifactory.executors.resolving import begin_work


class SerialExecutor:
    """Does each job in this process while somebody waits for it.

    Examples
    --------
    >>> executor = SerialExecutor()
    >>> executor.in_process
    True
    """

    name = "serial"
    in_process = True
    is_remote = False

    def __init__(self) -> None:
        self._setup: Setup | None = None
        self._work: Work | None = None
        self._jobs: deque[Job] = deque()

    def start(self, setup: Setup) -> None:
        """Take what the work needs."""
        self._setup = setup

    def has_room(self, job: Job) -> bool:
        """Whether nothing else waits."""
        return not self._jobs

    def submit(self, job: Job) -> None:
        """Take a job; it is done in :meth:`wait`."""
        self._jobs.append(job)

    def recall(self) -> Collection[int]:
        """Forget what waits, and say what that was."""
        recalled = [job.number for job in self._jobs]
        self._jobs.clear()
        return recalled

    def wait(self, timeout_s: float | None = None) -> Sequence[Ended | Told]:
        """Do the next job."""
        if not self._jobs or self._setup is None:
            return []
        job = self._jobs.popleft()
        happened: list[Ended | Told] = []
        try:
            if self._work is None:
                self._work = begin_work(self._setup)
            result = self._work(job.payload, lambda message: happened.append(Told(job.number, message)))
        except Failed as failed:
            return [*happened, Ended(job.number, Ending.RAISED, failed.result)]
        except (Exception, SystemExit):  # noqa: BLE001 - whatever it is, it is told
            return [*happened, Ended(job.number, Ending.RAISED, detail=traceback.format_exc())]
        return [*happened, Ended(job.number, Ending.DONE, result)]

    def close(self, *, at_once: bool = False) -> None:
        """Forget what waits."""
        self._jobs.clear()

"""Jobs are done by a Dask cluster: one that runs already, or one of this machine's own."""

from __future__ import annotations

import logging
import os
import pickle
import queue
import signal
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Any, NamedTuple

from curifactory.executors.budget import Budget
from curifactory.executors.cluster_faults import describe_death, is_of_job, say_fault
from curifactory.executors.cluster_worker import do_job
from curifactory.executors.executor import Ended, Ending, Job, Setup, Told, Waits
from curifactory.executors.marks import Mark, Marks
from curifactory.executors.others_cluster import OthersCluster
from curifactory.executors.own_cluster import OwnCluster
from curifactory.executors.pace import Pace
from curifactory.executors.scheduler_client import connect
from curifactory.optional import require

# Jobs that take no longer than this are handed over ahead of time, and so many for each core.
_SHORT_S = 0.02
_AHEAD = 4
# How often a job is done whose result is lost each time, and how long after the first time it is asked for again.
_TRIES = 4
_AGAIN_S = 0.1
# How long a scheduler is waited for that nobody needs any more.
_PATIENCE_S = 5
# What the scheduler says of jobs that it has given to no worker; None of those that are still on their way to it.
_WITH_THE_SCHEDULER = ("waiting", "no-worker", "queued", None)
_LOGGER = logging.getLogger("distributed.client")


class _Handed(NamedTuple):
    """A job that was handed over: by what Dask knows it, the number of its mark, and how often its result was lost."""

    job: Job
    future: Any
    mark: int
    losses: int


class DaskExecutor:
    """Does jobs on a Dask cluster. Its workers need this project under the same path, and the same packages.

    Parameters
    ----------
    address : str, optional
        ``HOST:PORT`` of a scheduler; without it a cluster is started here and stopped at the end.
    workers : int
        How many processes that one has.
    resources : mapping of str to float, optional
        What there is of everything else for them together; see :class:`~curifactory.executors.budget.Budget`.

    Raises
    ------
    ConfigurationError
        If ``distributed`` is not installed.
    """

    in_process = False

    def __init__(
        self,
        address: str | None = None,
        *,
        workers: int = 1,
        resources: Mapping[str, float] | None = None,
    ) -> None:
        self._distributed = require("distributed", extra="dask", purpose="the Dask executor")
        self.name = f"Dask at {address}" if address else f"Dask with {workers} workers"
        self._address = address
        self.is_remote = address is not None
        self._workers = workers
        self._resources = dict(resources or {})
        self._client: Any = None
        self._cluster: OwnCluster | None = None
        self._others: OthersCluster | None = None
        # Of a cluster of our own, whose workers are processes of this machine.
        self._marks: Marks | None = None
        self._budget: Budget | None = None
        self._numbers = count()
        self._setup = b""
        self._key = ""
        self._over: queue.SimpleQueue[tuple[int, Any] | Ended] = queue.SimpleQueue()
        self._handed: dict[int, _Handed] = {}
        self._pace = Pace(_SHORT_S, cores=workers)
        self._level: int | None = None

    def start(self, setup: Setup) -> None:
        """Connect to the cluster, or start one.

        Raises
        ------
        ConfigurationError
            If nobody answers at the address.
        """
        import hashlib

        # What it has to say is said of the calls that it has lost, without its frames.
        self._level = _LOGGER.level
        _LOGGER.setLevel(logging.CRITICAL)
        self._setup = pickle.dumps(setup)
        self._key = hashlib.sha256(repr((setup.begin, setup.folder)).encode() + setup.initial).hexdigest()
        # Ends of an earlier time are not those of jobs to come.
        self._over = queue.SimpleQueue()
        try:
            if self._address is None:
                self._marks = Marks()
                self._budget = Budget(self._workers, resources=self._resources)
                self._cluster = OwnCluster(self._distributed, workers=self._workers, threads=setup.threads)
                self._client = self._distributed.Client(self._cluster.dask)
            else:
                self._client = connect(self._distributed, self._address)
                self._others = OthersCluster(self._client, self._key)
                self._budget = self._others.budget
        except BaseException:
            self.close(at_once=True)
            raise

    def has_room(self, job: Job) -> bool:
        """Whether there is enough of everything for a job, or is going to be at once."""
        if self._budget is None:
            return True
        if self._others is not None:
            return self._budget.fits(job)
        # Some go ahead: to the scheduler it is a long way, in which many short ones would have been done. Of fewer jobs it
        # makes no queue, but hands them to workers.
        return self._budget.fits(job) or (
            len(self._handed) < self._workers * _AHEAD
            and self._pace.lets_ahead(job, beside=(each.job for each in self._handed.values()))
        )

    def submit(self, job: Job) -> None:
        """Hand a job to the scheduler."""
        if self._budget is not None:
            self._budget.take(job)
        self._hand_over(job)

    def _hand_over(self, job: Job, losses: int = 0) -> None:
        is_ours = self._marks is not None
        mark = next(self._numbers)
        resources = {name: amount for name, amount in job.resources.items() if amount}
        try:
            future = self._client.submit(
                do_job,
                self._key,
                self._setup,
                job.payload,
                job.threads,
                None if self._marks is None else self._marks.path,
                mark,
                pure=False,
                retries=0,
                resources=None if is_ours else resources or None,
            )
        except Exception as error:  # noqa: BLE001 - the scheduler is gone for good, and its client has closed itself
            self._handed[job.number] = _Handed(job, None, mark, losses)
            detail = f"the cluster has lost it ({say_fault(error)})"
            self._over.put(Ended(job.number, Ending.DIED, detail=detail))
            return
        self._handed[job.number] = _Handed(job, future, mark, losses)
        future.add_done_callback(lambda done, number=job.number: self._over.put((number, done)))
        if self._client.status != "running":
            # It may be that the scheduler comes back; if not, Dask says nothing of it.
            self._call_later(_AGAIN_S, self._over.put, (job.number, future))
        if job.timeout_s is not None:
            watch = self._stop_overdue if is_ours else self._give_up
            self._call_later(job.timeout_s, watch, job, future.key)

    def _call_later(self, seconds: float, function: Callable[..., Any], *arguments: Any) -> None:
        loop = self._client.loop
        # It takes nothing but this from another thread.
        loop.add_callback(loop.call_later, seconds, function, *arguments)

    def recall(self) -> Collection[int]:
        """Take back the jobs that no worker has begun, as far as that can be known."""
        waiting = {each.future.key: each for each in self._handed.values() if each.future is not None}
        if self._marks is not None:
            recalled = [each for each in waiting.values() if self._marks.recall(each.mark)]
        else:
            # One that the scheduler gives to a worker just now is done in vain, and nobody hears of it.
            states = {} if self._others is None else self._others.states_of(list(waiting))
            recalled = [
                each
                for key, each in waiting.items()
                if key in states and states[key] in _WITH_THE_SCHEDULER and not each.future.done()
            ]
        for each in recalled:
            self._forget(each.job.number)
        with suppress(Exception):
            self._client.cancel([each.future for each in recalled])
        return [each.job.number for each in recalled]

    def wait(self, timeout_s: float | None = None) -> Sequence[Ended | Told | Waits]:
        """Return what has happened."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        if self._cluster is not None:
            self._cluster.keep_whole()
        if self._others is not None and self._others.look():
            self._refuse_lacking(self._others)
            waits = self._others.find_waiting([each.mark for each in self._handed.values()])
            if waits is not None:
                mark, detail = waits
                return [Waits(each.job.number, detail) for each in self._handed.values() if each.mark == mark]
        happened: list[Ended | Told] = []
        while self._handed and not happened:
            over: list[tuple[int, Any] | Ended] = []
            with suppress(queue.Empty):
                over.append(
                    self._over.get(timeout=None if until is None else max(until - time.monotonic(), 0))
                )
                while True:
                    over.append(self._over.get_nowait())
            if not over:
                break
            happened = self._end(over)
            if not self._handed:
                self._pace.forget()
        return happened

    def close(self, *, at_once: bool = False) -> None:
        """Let go of the cluster; one that was started here is stopped."""
        handed, self._handed = self._handed, {}
        client, self._client = self._client, None
        cluster, self._cluster = self._cluster, None
        self._pace.forget()
        try:
            with suppress(Exception):
                if at_once and handed:
                    client.cancel([each.future for each in handed.values() if each.future], force=True)
            for each in (client, cluster):
                with suppress(Exception):
                    if each is not None:
                        each.close(timeout=_PATIENCE_S)
        finally:
            if self._marks is not None:
                self._marks.remove()
            self._marks = self._budget = self._others = None
            if self._level is not None:
                _LOGGER.setLevel(self._level)
                self._level = None

    def _end(self, over: Sequence[tuple[int, Any] | Ended]) -> list[Ended | Told]:
        """Tell what came of jobs that are over; of a job only its first end counts."""
        happened: list[Ended | Told] = []
        done: dict[int, _Handed] = {}
        for each in over:
            if isinstance(each, Ended):
                happened += self._let_go(each) if each.number in self._handed else []
                continue
            number, future = each
            handed = self._handed.get(number)
            # A job that is tried again has the number of one that was given up, whose end comes later.
            if handed is None or handed.future is not future:
                continue
            # Asked for once: it may change at any time.
            status = future.status
            if status == "finished":
                done[number] = handed
            elif status in ("pending", "lost") and self._client.status in ("running", "connecting"):
                # It was done in a worker that has died since, and the scheduler has it done again.
                self._call_later(_AGAIN_S, self._over.put, each)
            else:
                happened += self._tell_fault(handed)
        return happened + self._fetch(done)

    def _refuse_lacking(self, others: OthersCluster) -> None:
        """End the jobs that need what no worker has, for which the scheduler would wait for ever."""
        for handed in self._handed.values():
            lacking = others.say_lacking(handed.job) if handed.job.resources else None
            if lacking is not None and handed.future is not None and not handed.future.done():
                detail = f"no worker of the cluster has {lacking}; start some with: dask worker … --resources '{lacking}'"
                self._over.put(Ended(handed.job.number, Ending.RAISED, detail=detail))
                handed.future.cancel()

    def _let_go(self, ended: Ended) -> list[Ended | Told]:
        self._forget(ended.number)
        return [ended]

    def _forget(self, number: int) -> None:
        del self._handed[number]
        if self._budget is not None:
            self._budget.free(number)

    def _fetch(self, done: Mapping[int, _Handed]) -> list[Ended | Told]:
        """Fetch the results of jobs together: one by one each takes a way through the whole cluster."""
        happened: list[Ended | Told] = []
        found = self._gather([each.future.key for each in done.values() if not each.losses])
        is_hurt = False
        for number, handed in done.items():
            key = handed.future.key
            if handed.losses and not is_hurt:
                # One of those that were lost together may be what kills workers.
                found.update(self._gather([key]))
            elif handed.losses:
                self._call_later(_AGAIN_S, self._over.put, (number, handed.future))
                continue
            if key not in found:
                is_hurt = True
                happened += self._miss(handed)
                continue
            kind, told, content, took_s = found[key]
            self._pace.note(took_s)
            happened += [Told(number, message) for message in told]
            happened += self._let_go(Ended.as_told(number, kind, content))
        return happened

    def _gather(self, keys: Sequence[Any]) -> dict[Any, Any]:
        """Return those results that are there; `Client.gather` would wait until all are, however long that takes."""
        while keys:
            try:
                answer = self._client.sync(self._client.scheduler.gather, keys=list(keys))
            except Exception:  # noqa: BLE001 - the scheduler does not answer
                break
            if answer["status"] == "OK":
                found: dict[Any, Any] = answer["data"]
                return found
            there = [key for key in keys if key not in answer["keys"]]
            if len(there) == len(keys):
                break
            keys = there
        return {}

    def _miss(self, handed: _Handed) -> list[Ended | Told]:
        """Ask again for a result that is lost: the scheduler notices it, and has the job done again."""
        number, losses = handed.job.number, handed.losses + 1
        if losses >= _TRIES:
            return self._let_go(
                Ended(number, Ending.DIED, detail="the cluster has lost its result again and again")
            )
        self._handed[number] = handed._replace(losses=losses)
        self._call_later(_AGAIN_S * 2**losses, self._over.put, (number, handed.future))
        return []

    def _tell_fault(self, handed: _Handed) -> list[Ended | Told]:
        """Say what became of a job that has no result, unless it is somebody else's fault: then it is done again."""
        number = handed.job.number
        error = None
        if handed.future.done():
            with suppress(Exception):
                error = handed.future.exception()
        if is_of_job(error):
            return self._let_go(Ended(number, Ending.RAISED, detail=say_fault(error)))
        if self._marks is not None and isinstance(error, self._distributed.KilledWorker):
            mark = self._marks.get(handed.mark).mark
            if mark is Mark.STOPPED:
                detail = f"it took longer than {handed.job.timeout_s:g} s and was stopped"
                return self._let_go(Ended(number, Ending.TIMED_OUT, detail=detail))
            if mark is not Mark.RUNS and handed.losses + 1 < _TRIES:
                # Its worker has died of another one, before or after it.
                self._hand_over(handed.job, handed.losses + 1)
                return []
        detail = (
            describe_death(error, is_ours=self._marks is not None)
            or f"the cluster has lost it ({say_fault(error)})"
        )
        return self._let_go(Ended(number, Ending.DIED, detail=detail))

    def _stop_overdue(self, job: Job, key: Any) -> None:
        """End the process in which a job takes longer than it may, whatever it is at; another one takes its place."""
        handed, marks = self._handed.get(job.number), self._marks
        if handed is None or marks is None or job.timeout_s is None:
            return
        if handed.future is None or handed.future.key != key or handed.future.done():
            return
        begun = marks.get(handed.mark)
        # One that waits is looked at again and again, since nobody tells when it begins.
        left_s = job.timeout_s + begun.began_s - time.monotonic() if begun.mark is Mark.RUNS else _AGAIN_S
        if left_s > 0 and begun.mark in (Mark.WAITS, Mark.RUNS):
            # The time of one whose process gets ready meanwhile begins anew, and is over no earlier than this.
            self._call_later(min(left_s, job.timeout_s), self._stop_overdue, job, key)
        if left_s > 0:
            return
        with suppress(OSError):
            # While it stands still it does not go on to another job, whose end this would be.
            os.kill(begun.pid, signal.SIGSTOP)
            if marks.get(handed.mark).mark is Mark.RUNS:
                marks.set(handed.mark, Mark.STOPPED)
                os.kill(begun.pid, signal.SIGKILL)
            else:
                os.kill(begun.pid, signal.SIGCONT)

    def _give_up(self, job: Job, key: Any) -> Any:
        """Wait for a job no longer whose worker is not ours to end."""
        handed = self._handed.get(job.number)
        # A job that is tried again has the number of the one that has failed.
        if handed is None or handed.future is None or handed.future.key != key or handed.future.done():
            return None
        detail = f"it took longer than {job.timeout_s:g} s; its worker goes on with it, since Dask cannot stop what runs"
        self._over.put(Ended(job.number, Ending.TIMED_OUT, detail=detail))
        # In the thread of the client's loop, which waits for what this returns.
        return handed.future.cancel()

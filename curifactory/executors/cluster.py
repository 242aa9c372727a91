"""Jobs are done by a Dask cluster: one that runs already, or one of this machine's own."""

from __future__ import annotations

import logging
import math
import pickle
import queue
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from curifactory.executors.executor import Ended, Ending, Job, Setup, Told, Work
from curifactory.executors.resolving import begin_work
from curifactory.executors.threads import limit_threads, thread_variables
from curifactory.optional import require

# Jobs that take no longer than this are handed over ahead of time, and so many for each core.
_SHORT_S = 0.02
_AHEAD = 4
_LOGGER = logging.getLogger("distributed.client")
# Work that was begun for a setup, in a process of the cluster, and the threads of its jobs; a setup is known by its digest.
_begun: dict[str, tuple[Work, int]] = {}
# How many threads libraries use in a process of the cluster, and how many modules there were when it was told.
_limited: dict[str, tuple[int, int]] = {}
# The path of a process of the cluster before its first work.
_own_path: dict[str, tuple[str, ...]] = {}


class DaskExecutor:
    """Does jobs on a Dask cluster. Its workers need this project under the same path, and the same packages.

    Parameters
    ----------
    address : str, optional
        ``HOST:PORT`` of a scheduler; without it a cluster is started here and stopped at the end.
    workers : int
        How many processes that one has.
    resources : mapping of str to float, optional
        What each of them has beside a core, for stages that ask for it.

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
        self._workers = workers
        self._resources = dict(resources or {"gpu": 1})
        self._client: Any = None
        self._cluster: Any = None
        self._setup = b""
        self._key = ""
        self._over: queue.SimpleQueue[tuple[int, Any] | Ended] = queue.SimpleQueue()
        self._futures: dict[int, Any] = {}
        # When the time of a job is over at the earliest, and how long that is.
        self._limits: dict[int, tuple[float, float]] = {}
        self._cores = workers
        # How long the latest jobs took, since there was a moment without one.
        self._lately: deque[float] = deque()
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
        distributed = self._distributed
        if self._address is None:
            dask = require("dask", extra="dask", purpose="the Dask executor")
            # What a worker is to find in its environment is told to it; that of this process stays as it is.
            changes = {
                "distributed.nanny.pre-spawn-environ": {},
                "distributed.scheduler.allowed-failures": 0,
                # A job that waits does so at the scheduler: a worker that dies takes one with it.
                "distributed.scheduler.worker-saturation": 1.0,
            }
            with dask.config.set(changes):
                self._cluster = distributed.LocalCluster(
                    n_workers=self._workers,
                    threads_per_worker=1,
                    resources=self._resources,
                    dashboard_address="127.0.0.1:0",
                    silence_logs=50,
                    env=thread_variables(setup.threads, {}),
                )
            self._client = distributed.Client(self._cluster)
        else:
            self._client = _connect(distributed, self._address)
        self._cores = sum(self._client.nthreads().values()) or self._workers

    def has_room(self, job: Job) -> bool:
        """Whether a core is free, or is going to be at once. What else a job needs is the scheduler's affair."""
        return len(self._futures) < max(self._cores, 1) * (_AHEAD if self._may_go_ahead(job) else 1)

    def _may_go_ahead(self, job: Job) -> bool:
        """Whether a job may wait at the scheduler: it goes a long way, in which many short ones would have been done."""
        if self._cluster is None or job.timeout_s is not None or job.resources:
            return False
        # Of fewer jobs the scheduler makes no queue, but hands them to workers.
        return len(self._lately) > 2 * self._cores and max(self._lately) < _SHORT_S

    def submit(self, job: Job) -> None:
        """Hand a job to the scheduler."""
        resources = {name: amount for name, amount in job.resources.items() if amount}
        future = self._client.submit(
            _do,
            self._key,
            self._setup,
            job.payload,
            job.threads,
            job.timeout_s if self._cluster is not None else None,
            pure=False,
            retries=0,
            resources=resources or None,
        )
        self._futures[job.number] = future
        if job.timeout_s is not None:
            self._limits[job.number] = (time.monotonic() + job.timeout_s, job.timeout_s)
        future.add_done_callback(lambda done, number=job.number: self._over.put((number, done)))
        if job.timeout_s is not None and self._cluster is None:
            self._client.loop.call_later(job.timeout_s, self._give_up, job, future)

    def wait(self, timeout_s: float | None = None) -> Sequence[Ended | Told]:
        """Return what has happened."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        happened: list[Ended | Told] = []
        while self._futures and not happened:
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
            if not self._futures:
                self._lately.clear()
        return happened

    def close(self, *, at_once: bool = False) -> None:
        """Let go of the cluster; one that was started here is stopped."""
        futures, self._futures = self._futures, {}
        with suppress(Exception):
            if at_once and futures:
                self._client.cancel(list(futures.values()), force=True)
        for each in (self._client, self._cluster):
            with suppress(Exception):
                if each is not None:
                    each.close(timeout=5)
        self._client = self._cluster = None
        if self._level is not None:
            _LOGGER.setLevel(self._level)
            self._level = None

    def _end(self, over: Sequence[tuple[int, Any] | Ended]) -> list[Ended | Told]:
        """Let go of jobs that are over, and tell what came of them; of a job only its first end counts."""
        happened: list[Ended | Told] = []
        done: dict[int, Any] = {}
        for each in over:
            number, told = (each.number, None) if isinstance(each, Ended) else each
            future = self._futures.get(number)
            # A job that is tried again has the number of one that was given up, whose end comes later.
            if future is None or told not in (None, future):
                continue
            del self._futures[number]
            if isinstance(each, Ended):
                happened.append(each)
            elif future.status == "finished":
                done[number] = future
            else:
                happened.append(self._tell_end(number, future))
            self._limits.pop(number, None)
        if done:
            happened += self._fetch(done)
        return happened

    def _fetch(self, done: Mapping[int, Any]) -> list[Ended | Told]:
        """Fetch the results of jobs together: one by one each takes a way through the whole cluster."""
        happened: list[Ended | Told] = []
        # A worker of this very machine that does not answer soon is dead.
        is_ours = self._cluster is not None
        changes = {"distributed.comm.timeouts.connect": "3s"} if is_ours else {}
        try:
            with require("dask", extra="dask", purpose="the Dask executor").config.set(changes):
                results = self._client.gather(list(done.values()), direct=is_ours or None)
        except Exception:  # noqa: BLE001 - a worker has died with one of them
            results = [None] * len(done)
        for (number, future), result in zip(done.items(), results, strict=True):
            if result is None:
                happened.append(_tell_fault(number, future.result))
                continue
            kind, told, content, took_s = result
            self._lately.append(took_s)
            if len(self._lately) > 2 * self._cores + 1:
                self._lately.popleft()
            happened += [Told(number, message) for message in told]
            happened.append(
                Ended(number, Ending.DONE, content)
                if kind == "done"
                else Ended(number, Ending.RAISED, detail=content)
            )
        return happened

    def _tell_end(self, number: int, future: Any) -> Ended:
        """Say why a job has no result: its worker has ended when its time was over, or something else was wrong."""
        over_s, limit_s = self._limits.get(number, (math.inf, 0.0))
        ended = _tell_fault(number, future.exception)
        if ended.ending is Ending.DIED and time.monotonic() >= over_s:
            return Ended(
                number, Ending.TIMED_OUT, detail=f"it took longer than {limit_s:g} s and was stopped"
            )
        return ended

    def _give_up(self, job: Job, future: Any) -> Any:
        """Wait for a job no longer whose worker is not ours to end."""
        # A job that is tried again has the number of the one that has failed.
        is_awaited = self._futures.get(job.number) is future
        if not is_awaited or future.done():
            return None
        detail = f"it took longer than {job.timeout_s:g} s; its worker goes on with it, since Dask cannot stop what runs"
        self._over.put(Ended(job.number, Ending.TIMED_OUT, detail=detail))
        # In the thread of the client's loop, which waits for what this returns.
        return future.cancel()


def _tell_fault(number: int, ask: Callable[[], Any]) -> Ended:
    """Say what became of a job that has no result."""
    error = None
    with suppress(BaseException):
        error = ask()
    return (
        Ended(number, Ending.RAISED, detail=_say(error))
        if _is_of_job(error)
        else Ended(number, Ending.DIED, detail=f"the cluster has lost it ({_say(error)})")
    )


def _is_of_job(error: BaseException | None) -> bool:
    """Whether a worker lives and could not do a job at all, for want of a package maybe."""
    return isinstance(error, (ImportError, AttributeError, TypeError))


def _say(error: BaseException | None) -> str:
    if error is None:
        return "the scheduler does not answer"
    told = " ".join(str(error).partition("\n")[0].split())
    return f"{type(error).__name__}: {told}" if told else type(error).__name__


def _connect(distributed: Any, address: str) -> Any:
    from curifactory.errors import ConfigurationError

    try:
        return distributed.Client(address, timeout=10)
    except (OSError, TimeoutError, ValueError) as error:
        raise ConfigurationError(
            f"No Dask scheduler answers at {address}: {error}.",
            hint="Start one with `dask scheduler`, or write --executor dask for a cluster of this machine's own.",
        ) from error


def _do(
    key: str, packed: bytes, payload: bytes, threads: int, stop_after_s: float | None
) -> tuple[str, list[bytes], Any, float]:
    """Do a job in a process of the cluster, and say how long it took.

    What takes longer than it may ends with its process: that one has nothing else to do, and another takes its place.
    """
    import os
    import sys

    began = time.monotonic()
    stopping = None
    if stop_after_s is not None:
        stopping = threading.Timer(stop_after_s, os._exit, (1,))
        stopping.daemon = True
        stopping.start()
    told: list[bytes] = []
    content: Any
    try:
        work, usual = _begun.get(key, (None, 1))
        if work is None:
            setup: Setup = pickle.loads(packed)
            # Not what an earlier run has put there: its modules are not this one's.
            own = _own_path.setdefault("path", tuple(sys.path))
            sys.path[:] = [*setup.path, *(each for each in own if each not in setup.path)]
            if os.path.isdir(setup.folder):
                os.chdir(setup.folder)
            _begun.clear()
            work, usual = _begun[key] = begin_work(setup), setup.threads
        _limit(max(threads, usual))
        kind, content = "done", work(payload, told.append)
    except BaseException:  # noqa: BLE001 - whatever it is, it is told
        kind, content = "raised", traceback.format_exc()
    finally:
        if stopping is not None:
            stopping.cancel()
    return kind, told, content, time.monotonic() - began


def _limit(threads: int) -> None:
    """Limit the threads of libraries if it was another number before, or if there may be more libraries."""
    import sys

    wanted = threads, len(sys.modules)
    if _limited.get("threads") != wanted:
        limit_threads(threads)
        _limited["threads"] = threads, len(sys.modules)

"""Jobs are done by a Dask cluster: one that runs already, or one of this machine's own."""

from __future__ import annotations

import logging
import queue
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from curifactory.executors.executor import Ended, Ending, Job, Setup, Told, Work
from curifactory.executors.resolving import begin_work
from curifactory.executors.threads import limit_threads, thread_variables
from curifactory.optional import require

_LOGGER = logging.getLogger("distributed.client")
# Work that was begun for a setup, in a process of the cluster; a setup is known by its digest.
_begun: dict[str, Work] = {}
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
        self._setup: Setup | None = None
        self._key = ""
        self._events: queue.SimpleQueue[Ended | Told] = queue.SimpleQueue()
        self._futures: dict[int, Any] = {}
        self._cores = workers
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
        self._setup = setup
        self._key = hashlib.sha256(repr((setup.begin, setup.folder)).encode() + setup.initial).hexdigest()
        distributed = self._distributed
        if self._address is None:
            dask = require("dask", extra="dask", purpose="the Dask executor")
            # What a worker is to find in its environment is told to it; that of this process stays as it is.
            changes = {"distributed.scheduler.allowed-failures": 0, "distributed.nanny.pre-spawn-environ": {}}
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
        """Whether a core is free. What else a job needs is the scheduler's affair."""
        return not self._futures or len(self._futures) < self._cores

    def submit(self, job: Job) -> None:
        """Hand a job to the scheduler."""
        resources = {name: amount for name, amount in job.resources.items() if amount}
        future = self._client.submit(
            _do,
            self._key,
            self._setup,
            job.payload,
            job.threads,
            pure=False,
            retries=0,
            resources=resources or None,
        )
        self._futures[job.number] = future
        future.add_done_callback(lambda done, number=job.number: self._note_end(number, done))
        if job.timeout_s is not None:
            self._client.loop.call_later(job.timeout_s, self._stop_late, job)

    def wait(self, timeout_s: float | None = None) -> Sequence[Ended | Told]:
        """Return what has happened."""
        if not self._futures and self._events.empty():
            return []
        happened: list[Ended | Told] = []
        with suppress(queue.Empty):
            happened.append(self._events.get(timeout=timeout_s))
            while True:
                happened.append(self._events.get_nowait())
        return [each for each in happened if isinstance(each, Told) or self._is_first_end(each)]

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

    def _is_first_end(self, ended: Ended) -> bool:
        return self._futures.pop(ended.number, None) is not None

    def _note_end(self, number: int, future: Any) -> None:
        if future.status == "finished":
            # The loop's own thread must not wait for the result.
            kind, told, content = future.result()
            for message in told:
                self._events.put(Told(number, message))
            self._events.put(
                Ended(number, Ending.DONE, content)
                if kind == "done"
                else Ended(number, Ending.RAISED, detail=content)
            )
            return
        error = None
        with suppress(BaseException):
            error = future.exception()
        self._events.put(
            Ended(number, Ending.RAISED, detail=_say(error))
            if _is_of_job(error)
            else Ended(number, Ending.DIED, detail=f"the cluster has lost it ({_say(error)})")
        )

    def _stop_late(self, job: Job) -> None:
        future = self._futures.get(job.number)
        if future is not None and not future.done():
            self._events.put(
                Ended(job.number, Ending.TIMED_OUT, detail=f"it took longer than {job.timeout_s:g} s")
            )
            future.cancel()


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


def _do(key: str, setup: Setup, payload: bytes, threads: int) -> tuple[str, list[bytes], Any]:
    """Do a job in a process of the cluster."""
    import os
    import sys

    told: list[bytes] = []
    try:
        work = _begun.get(key)
        if work is None:
            # Not what an earlier run has put there: its modules are not this one's.
            own = _own_path.setdefault("path", tuple(sys.path))
            sys.path[:] = [*setup.path, *(each for each in own if each not in setup.path)]
            if os.path.isdir(setup.folder):
                os.chdir(setup.folder)
            _begun.clear()
            work = _begun[key] = begin_work(setup)
        limit_threads(max(threads, setup.threads))
        return "done", told, work(payload, told.append)
    except BaseException:  # noqa: BLE001 - whatever it is, it is told
        return "raised", told, traceback.format_exc()

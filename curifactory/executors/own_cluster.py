"""A Dask cluster of this machine's own: started, kept whole, stopped."""

from __future__ import annotations

import time
from typing import Any

from curifactory.executors.threads import thread_variables
from curifactory.optional import require

# How often it is looked after workers that are gone for good.
_LOOK_S = 1.0
# What those are that look after workers, when they do so no longer.
_GONE = ("closing", "closed", "failed")


class OwnCluster:
    """Processes of this machine, with a scheduler that nobody else uses.

    Parameters
    ----------
    distributed : module
        The package.
    workers : int
        How many processes, each with one core.
    threads : int
        How many threads libraries may use in each.

    Attributes
    ----------
    dask : distributed.LocalCluster
        What a client connects to.
    """

    __slots__ = ("_look_at_s", "_workers", "dask")

    def __init__(self, distributed: Any, *, workers: int, threads: int) -> None:
        self._workers = workers
        self._look_at_s = 0.0
        # What a worker is to find in its environment is told to it; that of this process stays as it is.
        changes = {
            "distributed.nanny.pre-spawn-environ": {},
            "distributed.scheduler.allowed-failures": 0,
            # A job that waits does so at the scheduler, and goes to whichever worker is free first.
            "distributed.scheduler.worker-saturation": 1.0,
            # Nobody looks at it, and it wakes each worker a hundred times a second.
            "distributed.worker.profile.enabled": False,
        }
        with require("dask", extra="dask", purpose="the Dask executor").config.set(changes):
            self.dask = distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                dashboard_address="127.0.0.1:0",
                silence_logs=50,
                env=thread_variables(threads, {}),
            )

    def keep_whole(self) -> None:
        """Start other workers for those that Dask has given up, as it does with one that does not come back soon."""
        if time.monotonic() < self._look_at_s:
            return
        self._look_at_s = time.monotonic() + _LOOK_S
        planned, present = set(self.dask.worker_spec), dict(self.dask.workers)
        gone = {name for name, each in present.items() if each.status.name in _GONE}
        lacking = max(self._workers - len(planned - gone), 0)
        if lacking or planned - set(present):
            # It starts what is planned and not there.
            self.dask.scale(len(planned) + lacking)

    def close(self, *, timeout: float) -> None:
        """Stop the scheduler and the workers, and wait no longer for them than so many seconds."""
        self.dask.close(timeout=timeout)

"""What a Dask cluster of others has to give, which may change while a run goes on."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from curifactory.executors.budget import Budget
from curifactory.executors.cluster_worker import BEGUN
from curifactory.executors.executor import Job

# How often it is asked what it has, and how long it is waited for an answer.
_LOOK_S = 2.0
_PATIENCE_S = 5
# For how long workers are waited for that have what a job needs, where there are others.
_LACKING_S = 30.0
# For how long a job may lie with the cluster until people are told that it does.
_WAITS_S = 10.0


class OthersCluster:
    """Workers that come and go, and a scheduler that knows of them.

    Parameters
    ----------
    client : distributed.Client
        Connected to the scheduler.
    key : str
        By which its workers know the run.

    Attributes
    ----------
    budget : Budget
        What its workers have together. Whatever else jobs need is looked after by the scheduler.
    """

    __slots__ = (
        "_begun",
        "_client",
        "_is_told",
        "_key",
        "_lacking_since_s",
        "_look_at_s",
        "_offers",
        "_waiting_since_s",
        "budget",
    )

    def __init__(self, client: Any, key: str) -> None:
        self._client = client
        self._key = key
        # The marks of jobs that have begun, and whether people know that one has not.
        self._begun: set[int] = set()
        self._is_told = False
        self._waiting_since_s: dict[int, float] = {}
        client.subscribe_topic(BEGUN, self._hear)
        self._look_at_s = 0.0
        self._offers: list[Mapping[str, float]] = []
        self._lacking_since_s: dict[int, float] = {}
        self.budget = Budget(0, memory_bytes=0, only_cores_and_memory=True)
        self.look()

    def look(self) -> bool:
        """Ask what the cluster has by now, unless it was asked a moment ago, and say whether that was done."""
        now_s = time.monotonic()
        if now_s < self._look_at_s or self._client.status != "running":
            return False
        self._look_at_s = now_s + _LOOK_S
        with suppress(Exception):
            ask = self._client.scheduler.identity
            workers = self._client.sync(ask, callback_timeout=_PATIENCE_S)["workers"].values()
            self._offers = [each["resources"] for each in workers]
            self.budget.resize(
                cores=sum(each["nthreads"] for each in workers),
                # Nobody has told a worker without a limit how much it may take.
                memory_bytes=sum(each["memory_limit"] for each in workers)
                if all(each["memory_limit"] for each in workers)
                else 0,
            )
            return True
        return False

    def say_lacking(self, job: Job) -> str | None:
        """Return what a job needs that no worker has, if there have been workers for some time, and none with that."""
        needs = {name: amount for name, amount in job.resources.items() if amount}
        can_come = not self._offers or any(
            all(offer.get(name, 0) >= amount for name, amount in needs.items()) for offer in self._offers
        )
        if can_come:
            self._lacking_since_s.pop(job.number, None)
            return None
        if time.monotonic() - self._lacking_since_s.setdefault(job.number, time.monotonic()) < _LACKING_S:
            return None
        del self._lacking_since_s[job.number]
        return " ".join(f"{name}={amount:g}" for name, amount in needs.items())

    def find_waiting(self, handed: Collection[int]) -> tuple[int, str] | None:
        """Return the mark of a job that has waited for long, and why, unless that was said already.

        Parameters
        ----------
        handed : collection of int
            The marks of all jobs that are not over.
        """
        if self._offers:
            self._begun.intersection_update(handed)
        else:
            # Whatever had begun will have to begin again.
            self._begun.clear()
        now_s, since_s = time.monotonic(), self._waiting_since_s
        since_s = {mark: since_s.get(mark, now_s) for mark in handed if mark not in self._begun}
        self._waiting_since_s = since_s
        if not since_s:
            self._is_told = False
            return None
        mark = min(since_s, key=since_s.__getitem__)
        if self._is_told or now_s - since_s[mark] < _WAITS_S:
            return None
        self._is_told = True
        if not self._offers:
            return mark, "the cluster has no worker; it goes on when one comes"
        return mark, (
            "the workers of the cluster are busy with something else, maybe with calls of a run that was interrupted or of "
            "which the time was over, since Dask cannot stop what runs; it begins when one of them is through"
        )

    def _hear(self, event: tuple[float, Any]) -> None:
        """Note that a job has begun. In the thread of the client's loop."""
        with suppress(TypeError, ValueError):
            key, mark = event[1]
            if key == self._key:
                self._begun.add(mark)

    def states_of(self, keys: Sequence[Any]) -> Mapping[Any, str | None]:
        """Return how far jobs are, as the scheduler says; nothing if it does not answer."""
        with suppress(Exception):
            ask = self._client.scheduler.get_task_status
            return dict(self._client.sync(ask, keys=keys, callback_timeout=_PATIENCE_S))
        return {}

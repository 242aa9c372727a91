"""How long the latest jobs took, and whether one more may be handed over before there is a core for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from curifactory.executors.executor import Job


class Pace:
    """Says whether jobs are so short that what lies between them counts.

    Parameters
    ----------
    short_s : float
        What takes less is short.
    cores : int
        How many jobs run beside each other: of fewer than twice as many nothing follows.

    Examples
    --------
    >>> pace = Pace(0.1, cores=1)
    >>> job = Job(number=1, payload=b"")
    >>> for took_s in (0.01, 0.01, 9.0):
    ...     pace.note(took_s)
    >>> (
    ...     pace.lets_ahead(job, beside=[job]),
    ...     pace.lets_ahead(Job(number=2, payload=b"", timeout_s=9.0), beside=[job]),
    ... )
    (True, False)
    """

    __slots__ = ("_cores", "_lately", "_short_s")

    def __init__(self, short_s: float, *, cores: int) -> None:
        self._short_s = short_s
        self._cores = cores
        self._lately: deque[float] = deque(maxlen=2 * cores + 1)

    def note(self, took_s: float) -> None:
        """Note how long a job took."""
        self._lately.append(took_s)

    def forget(self) -> None:
        """Forget what was, as after a moment without a job: others come."""
        self._lately.clear()

    def lets_ahead(self, job: Job, *, beside: Iterable[Job]) -> bool:
        """Whether a job may be handed over ahead of time, beside those that were handed over."""
        if len(self._lately) <= 2 * self._cores or not is_plain(job):
            return False
        # One that was slow for once, as a disk may be, is no reason to wait.
        if sorted(self._lately)[len(self._lately) // 2] >= self._short_s:
            return False
        return all(map(is_plain, beside))


def is_plain(job: Job) -> bool:
    """Whether a job wants one core and nothing else.

    Examples
    --------
    >>> is_plain(Job(number=1, payload=b"")), is_plain(Job(number=2, payload=b"", resources={"gpu": 1}))
    (True, False)
    """
    return job.timeout_s is None and not job.resources and not job.memory_bytes and job.threads <= 1

"""How many jobs fit beside each other: by cores, by memory, by what else they need."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress

from curifactory.executors.executor import Job

_GROUPS = "/sys/fs/cgroup"
_OWN_GROUPS = "/proc/self/cgroup"


class Budget:
    """What a machine has to give, and what running jobs have taken of it.

    Parameters
    ----------
    cores : int
        Sum of the threads of jobs that may run at the same time.
    memory_bytes : int, optional
        Sum of their memory; that of the machine if not given.
    resources : mapping of str to float, optional
        How much there is of everything else; of what is not named there is 1, of ``gpu`` as many as the system shows.
    only_cores_and_memory : bool
        Whether somebody else looks after everything else.

    Examples
    --------
    >>> budget = Budget(2, memory_bytes=1000)
    >>> budget.take(Job(number=1, payload=b"", memory_bytes=900))
    >>> budget.fits(Job(number=2, payload=b"", memory_bytes=200)), budget.fits(Job(number=3, payload=b""))
    (False, True)
    """

    __slots__ = (
        "_memory_bytes",
        "_only_cores_and_memory",
        "_resources",
        "_taken",
        "_taken_bytes",
        "_taken_cores",
        "cores",
    )

    def __init__(
        self,
        cores: int,
        *,
        memory_bytes: int | None = None,
        resources: Mapping[str, float] | None = None,
        only_cores_and_memory: bool = False,
    ) -> None:
        self.cores = cores
        self._only_cores_and_memory = only_cores_and_memory
        self._memory_bytes = read_memory() if memory_bytes is None else memory_bytes
        self._resources = dict(resources or {})
        self._taken: dict[int, Job] = {}
        self._taken_cores = 0
        self._taken_bytes = 0

    def resize(self, *, cores: int, memory_bytes: int) -> None:
        """Note that there is more or less than there was; of memory 0 if nobody knows."""
        self.cores, self._memory_bytes = cores, memory_bytes

    def fits(self, job: Job) -> bool:
        """Whether a job can begin beside those that run. Alone it always can, whatever it asks for."""
        if not self._taken:
            return True
        if self._taken_cores + job.threads > self.cores:
            return False
        memory = self._taken_bytes + job.memory_bytes
        if job.memory_bytes and self._memory_bytes and memory > self._memory_bytes:
            return False
        return self._only_cores_and_memory or all(
            sum(each.resources.get(name, 0) for each in self._taken.values()) + amount <= self._of(name)
            for name, amount in job.resources.items()
        )

    def take(self, job: Job) -> None:
        """Note that a job has begun."""
        self._taken[job.number] = job
        self._taken_cores += job.threads
        self._taken_bytes += job.memory_bytes

    def free(self, number: int) -> None:
        """Note that a job is over, or was not begun after all."""
        job = self._taken.pop(number, None)
        if job is not None:
            self._taken_cores -= job.threads
            self._taken_bytes -= job.memory_bytes

    def _of(self, name: str) -> float:
        if name not in self._resources:
            self._resources[name] = max(count_gpus(), 1) if name == "gpu" else 1
        return self._resources[name]


def read_memory() -> int:
    """Return the memory of this machine, or of this container if it has less, in bytes; 0 if nobody knows."""
    found = 0
    with suppress(OSError, ValueError, AttributeError):
        found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in _own_limits("memory", "memory.max", "memory.limit_in_bytes"):
        with suppress(OSError, ValueError), open(path, encoding="ascii") as file:
            # "max" is no number, and means no limit.
            found = min(found or 2**63, int(file.read()))
    return found


def count_cores() -> int:
    """Return how many cores this process may use, by its affinity and by the limit of its container."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for path in _own_limits("cpu", "cpu.max"):
        with suppress(OSError, ValueError), open(path, encoding="ascii") as file:
            quota, period = file.read().split()
            cores = min(cores, max(1, int(quota) // int(period)))
    return cores


def _own_limits(kind: str, name: str, name_before: str | None = None) -> Iterator[str]:
    """Return the files that may limit this process: those of its group, as a batch system makes one, and of all above it."""
    groups: list[tuple[str, str]] = []
    # The name of a group is that of a folder, and may be no text.
    with suppress(OSError), open(_OWN_GROUPS, encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            _, kinds, group = line.rstrip("\n").split(":", 2)
            if not kinds:
                groups.append((_GROUPS, f"{group}/{name}"))
            elif name_before is not None and kind in kinds.split(","):
                # Linux had a tree for each kind before it had one for all.
                groups.append((f"{_GROUPS}/{kind}", f"{group}/{name_before}"))
    for root, path in groups:
        group, _, wanted = path.rpartition("/")
        while True:
            yield f"{root}{group}/{wanted}"
            if group in ("", "/"):
                break
            group = group.rpartition("/")[0]


def count_gpus() -> int:
    """Return how many GPUs this process may use: what ``CUDA_VISIBLE_DEVICES`` names, else the devices there are."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return len([each for each in named.split(",") if each.strip() not in ("", "-1")])
    with suppress(OSError):
        return len([name for name in os.listdir("/dev") if re.fullmatch(r"nvidia\d+", name)])
    return 0

"""What a machine has, as the group of processes sees it that a container or a batch system has made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from curifactory.executors import budget
from curifactory.executors.executor import Job


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Give a function that says in which group this process is, and what the files of groups say."""

    def make(own: str, limits: dict[str, str]) -> None:
        (tmp_path / "own").write_bytes(os.fsencode(own))
        for name, content in limits.items():
            path = tmp_path / "groups" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        monkeypatch.setattr(budget, "_OWN_GROUPS", str(tmp_path / "own"))
        monkeypatch.setattr(budget, "_GROUPS", str(tmp_path / "groups"))

    return make


OWN = "0::/system.slice/job_7/step_0\n"
OWN_BEFORE = "4:memory:/job_7/step_0\n2:cpu,cpuacct:/job_7\n1:name=systemd:/job_7\n"


@pytest.mark.parametrize(
    ("own", "limits"),
    [
        ("0::/\n", {"memory.max": "1000000\n"}),
        (OWN, {"system.slice/job_7/step_0/memory.max": "1000000\n", "system.slice/memory.max": "max\n"}),
        (
            OWN,
            {"system.slice/job_7/step_0/memory.max": "max\n", "system.slice/job_7/memory.max": "1000000\n"},
        ),
        (OWN_BEFORE, {"memory/job_7/step_0/memory.limit_in_bytes": "1000000\n"}),
        ("0::/job \udcff\n", {"job \udcff/memory.max": "1000000\n"}),
        (OWN_BEFORE, {"memory/memory.limit_in_bytes": "1000000\n"}),
        (OWN_BEFORE, {"memory/job_7/memory.limit_in_bytes": "1000000\n", "memory.max": "5\n"}),
    ],
)
def test_memory_is_what_the_groups_leave_that_this_process_is_in(groups, own, limits) -> None:
    groups(own, limits)
    assert budget.read_memory() == 1_000_000


def test_without_limits_memory_and_cores_are_those_of_the_machine(groups) -> None:
    groups(OWN, {"system.slice/memory.max": "max\n", "system.slice/cpu.max": "max 100000\n"})
    assert budget.read_memory() == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert budget.count_cores() == len(os.sched_getaffinity(0))


def test_cores_are_what_the_groups_leave_that_this_process_is_in(groups) -> None:
    groups(OWN, {"system.slice/job_7/cpu.max": "100000 100000\n"})
    assert budget.count_cores() == 1


def test_a_budget_that_grows_lets_more_begin() -> None:
    small = budget.Budget(1, memory_bytes=10)
    small.take(Job(number=1, payload=b"", memory_bytes=6))
    waiting = Job(number=2, payload=b"", memory_bytes=6)
    assert not small.fits(waiting)
    small.resize(cores=2, memory_bytes=10)
    assert not small.fits(waiting)
    small.resize(cores=2, memory_bytes=12)
    assert small.fits(waiting)


def test_what_else_a_job_needs_may_be_the_affair_of_somebody_else() -> None:
    ours, theirs = (
        budget.Budget(2, memory_bytes=0),
        budget.Budget(2, memory_bytes=0, only_cores_and_memory=True),
    )
    for each in (ours, theirs):
        each.take(Job(number=1, payload=b"", resources={"gpu": 1}))
    waiting = Job(number=2, payload=b"", resources={"gpu": 1})
    assert (ours.fits(waiting), theirs.fits(waiting)) == (False, True)

"""What a process of a cluster does with jobs of several runs."""

from __future__ import annotations

import os
import pickle
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from curifactory.executors import cluster_worker
from curifactory.executors.executor import Setup, Work

_inside: list[str] = []


def begin(initial: bytes) -> Work:
    """Begin work that tells who is at work beside it, and in which folder."""
    name = initial.decode()

    def work(payload: bytes, tell: Callable[[bytes], None]) -> bytes:
        _inside.append(name)
        seen = " ".join(_inside)
        time.sleep(0.02)
        _inside.remove(name)
        return f"{seen} in {os.path.basename(os.getcwd())}".encode()

    return work


@pytest.fixture(autouse=True)
def _own_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(os.getcwd())
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in ("_begun", "_own_path", "_limited"):
        monkeypatch.setattr(cluster_worker, name, {})
    monkeypatch.setitem(sys.modules, "work_of_runs", sys.modules[__name__])


def test_jobs_of_two_runs_in_threads_of_one_process_do_not_disturb_each_other(tmp_path: Path) -> None:
    answers: dict[str, list[bytes]] = {"one": [], "two": []}

    def do_jobs(name: str) -> None:
        (tmp_path / name).mkdir()
        setup = Setup("work_of_runs:begin", name.encode(), tuple(sys.path), str(tmp_path / name))
        for _ in range(5):
            kind, _, content, _ = cluster_worker.do_job(name, pickle.dumps(setup), b"", 1, None, 0)
            answers[name].append(content if kind == "done" else b"raised")

    threads = [threading.Thread(target=do_jobs, args=(name,)) for name in answers]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert answers == {name: [f"{name} in {name}".encode()] * 5 for name in answers}

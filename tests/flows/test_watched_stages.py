"""Who only looks at stages while they are executed, as profilers and debuggers do, changes nothing of what they come to."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

# Lies where installed packages do. What it has seen of other threads it keeps for good.
WATCHER = """
import sys
import threading
import time

SEEN = []
ASKED, ANSWERED = threading.Event(), threading.Event()

def watch():
    while True:
        ASKED.wait()
        ASKED.clear()
        SEEN.append(sys._current_frames())
        ANSWERED.set()

def be_seen():
    "Go on when somebody has taken the frames that are there now."
    ANSWERED.clear()
    ASKED.set()
    ANSWERED.wait()

threading.Thread(target=watch, daemon=True).start()
"""

EXPERIMENT = """
import threading
import time
from dataclasses import dataclass, field
import curifactory as cf
from curifactory.caching import JsonCacher
import watcher

@dataclass
class Model:
    lr: int = 1
    width: int = 2

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1
    other: int = 1
    model: Model = field(default_factory=Model)

def pick(params):
    watcher.be_seen()
    return params.n + params.model.lr

@cf.stage(None, ["one"], [JsonCacher])
def in_a_helper(record):
    return pick(record.params)

@cf.stage(None, ["two"], [JsonCacher])
def in_a_closure(record):
    params = record.params
    return sum(params.n + k for k in map(lambda k: watcher.be_seen() or params.model.lr, range(2)))

@cf.stage(None, ["three"], [JsonCacher])
def after_a_fault(record):
    params = record.params
    try:
        raise ValueError(params.n)
    except ValueError:
        watcher.be_seen()
    return params.n

@cf.aggregate(["one", "two"], ["all"], [JsonCacher])
def gather(record, records, one, two):
    watcher.be_seen()
    return sum(pick(each.params) for each in records) + sum(one.values()) + sum(two.values())

def get_params():
    return [Params(name="p", n=3), Params(name="q", n=4)]

def run(param_sets, manager):
    for params in param_sets:
        after_a_fault(in_a_closure(in_a_helper(cf.Record(manager, params))))
    gather(cf.Record(manager, None), None)
"""

HANDS = [
    (),
    ("-j", "2"),
    pytest.param(
        ("--executor", "dask"),
        marks=pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="no Dask"),
    ),
]


@pytest.fixture
def watched(project: Any, tmp_path: Path) -> Any:
    (tmp_path / "site-packages").mkdir()
    (tmp_path / "site-packages" / "watcher.py").write_text(WATCHER)
    path = project.environment.get("PYTHONPATH")
    project.environment["PYTHONPATH"] = ":".join(filter(None, (str(tmp_path / "site-packages"), path)))
    project.write("experiments/watched.py", EXPERIMENT)
    return project


def calls_of(project: Any) -> dict[str, tuple[str, ...]]:
    """Return of each call of the latest run how it ended and what it has read."""
    folder = max((project.root / "data/runs").glob("watched_*"), key=lambda path: path.stat().st_mtime_ns)
    manifests = {path.stem: path for path in (project.root / "data/manifests").rglob("*.json")}
    found = {}
    for line in (folder / "calls.jsonl").read_text().splitlines():
        call = json.loads(line)
        reads = (
            json.loads(manifests[call["key"]].read_text())["reads"] if call["key"] in manifests else ["none"]
        )
        found[f"{call['name']} of {call['record_name']}"] = (call["outcome"], *sorted(reads))
    return found


@pytest.mark.parametrize("hands", HANDS, ids=lambda hands: hands[0] if hands else "here")
def test_frames_that_a_watching_thread_keeps_are_no_reads(watched: Any, hands: tuple[str, ...]) -> None:
    finished = watched.experiment("watched", "-p", "watched", "--no-report", *hands)
    assert "cannot be reused" not in finished.output
    found = calls_of(watched)
    assert len(found) == 7
    for call, (outcome, *reads) in found.items():
        assert outcome == "ran"
        assert set(reads) <= {
            f"{prefix}params.{path}"
            for prefix in ("", "records.")
            for path in ("n", "model.lr", "type:model", "type:")
        }, call
    watched.write("experiments/watched.py", EXPERIMENT.replace("other: int = 1", "other: int = 2"))
    watched.experiment("watched", "-p", "watched", "--no-report", *hands)
    assert {outcome for outcome, *_ in calls_of(watched).values()} == {"reused"}

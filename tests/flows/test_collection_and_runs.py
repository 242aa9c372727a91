"""Collections of garbage and runs that go on, as real processes (entry 4.7)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

EXPERIMENT = """
import os, time
from dataclasses import dataclass
from pathlib import Path
import curifactory as cf
from curifactory.caching import JsonCacher

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return [record.params.n] * SIZE

@cf.stage(inputs=["x"], outputs=["y"], cachers=[JsonCacher])
def end(record, x):
    if os.path.exists("hold"):
        Path("there").touch()
        while os.path.exists("hold"):
            time.sleep(0.02)
    return sum(x)

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1

def get_params():
    return [Params(name="a", n=1)]

def run(param_sets, manager):
    for p in param_sets:
        end(begin(cf.Record(manager, p)))
"""

SESSION = """
import time
from pathlib import Path
import curifactory as cf
from experiments.case import Params, begin, end

manager = cf.ArtifactManager("session", quiet=True)
record = begin(cf.Record(manager, Params(name="a", n=7)))
Path("there").touch()
while Path("idle").exists():
    time.sleep(0.02)
record = begin(cf.Record(manager, Params(name="a", n=7)))
print(record.state["x"], [call.outcome.value for call in manager.engine.graph.calls])
"""


def start(project, *command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=project.root,
        env=project.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(project, name: str, process: subprocess.Popen[str]) -> None:
    latest = time.monotonic() + 60
    while not (project.root / name).exists():
        if process.poll() is not None:
            pytest.fail("".join(map(str, process.communicate())))
        assert time.monotonic() < latest
        time.sleep(0.02)


@pytest.fixture
def littered(project):
    """Give a project with results of older code that a collection would take."""
    for size in ("2", "3"):
        project.write("experiments/case.py", EXPERIMENT.replace("SIZE", size))
        project.experiment("case", "--no-report")
    return project


@pytest.fixture
def running(littered) -> Iterator[subprocess.Popen[str]]:
    """Give a run of that project that goes on until the file ``hold`` is gone."""
    littered.write("hold", "")
    process = start(
        littered, "-P", "-m", "curifactory.cli.experiment", "case", "--no-report", "--overwrite-stage", "end"
    )
    wait_for(littered, "there", process)
    yield process
    (littered.root / "hold").unlink(missing_ok=True)
    process.communicate(timeout=60)


COLLECT = ("cache", "gc", "--keep-runs", "0", "--yes")


def test_4_7_while_a_run_goes_on_nothing_is_collected_and_the_run_is_named(littered, running) -> None:
    before = littered.files("data/manifests"), littered.files("data/cache"), littered.files("data/superseded")
    done = littered.experiment(*COLLECT, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("A run goes on: case_3_")
    assert "Nothing was moved." in done.stderr
    assert "--wait" in done.stderr
    assert (
        littered.files("data/manifests"),
        littered.files("data/cache"),
        littered.files("data/superseded"),
    ) == before
    # The plan can be looked at, and nothing else waits for the run.
    told = json.loads(littered.experiment(*COLLECT[:-1], "--json").stdout)
    assert told["done"] is False
    assert littered.experiment("cache", "ls").stdout


def test_4_7_a_collection_waits_if_it_is_told_to(littered, running) -> None:
    collection = start(littered, "-P", "-m", "curifactory.cli.experiment", *COLLECT, "--wait")
    # It says so before it waits, and then does not end by itself.
    assert collection.stderr.readline().startswith("A run goes on: case_3_")
    assert collection.poll() is None
    assert not (littered.root / "data/trash").exists()
    (littered.root / "hold").unlink()
    out, err = collection.communicate(timeout=60)
    assert collection.returncode == 0, out + err
    assert "moved to" in out
    assert json.loads(littered.experiment("show", "-1", "--json").stdout)["run"]["outcome"] == "complete"
    littered.experiment("case", "--no-report")
    shown = json.loads(littered.experiment("show", "-1", "--json").stdout)
    assert {call["outcome"] for call in shown["calls"]} == {"reused"}


def test_4_7_what_was_cleared_away_does_not_come_back_under_a_run(littered) -> None:
    littered.experiment(*COLLECT)
    littered.write("hold", "")
    process = start(
        littered, "-P", "-m", "curifactory.cli.experiment", "case", "--no-report", "--overwrite-stage", "end"
    )
    try:
        wait_for(littered, "there", process)
        done = littered.experiment("cache", "undo", check=False)
        assert done.returncode == 1
        assert "Another process uses the store" in done.stderr
    finally:
        (littered.root / "hold").unlink()
        process.communicate(timeout=60)
    littered.experiment("cache", "undo")
    assert not (littered.root / "data/trash").exists()


def test_4_7_a_killed_run_holds_nothing_up(littered, running) -> None:
    running.kill()
    running.wait()
    littered.experiment(*COLLECT)


def test_4_7_an_idle_session_does_not_hold_up_a_collection_and_keeps_what_it_made(littered) -> None:
    littered.write("idle", "")
    littered.write("session.py", SESSION)
    process = start(littered, "session.py")
    try:
        wait_for(littered, "there", process)
        littered.experiment(*COLLECT)
    finally:
        (littered.root / "idle").unlink()
        out, err = process.communicate(timeout=60)
    assert out == "[7, 7, 7] ['ran', 'reused']\n", err


def test_checkpoints_that_nobody_has_come_back_to_are_collected(project) -> None:
    for name, days in (("train-old", 30), ("train-new", 1)):
        path = project.write(f"data/checkpoints/{name}/step.txt", "3")
        then = time.time() - days * 86_400
        for each in (path, path.parent):
            os.utime(each, (then, then))
    assert "1 checkpoint, 1 B" in project.experiment("cache", "gc").stdout
    project.experiment("cache", "gc", "--yes")
    left = [path.name for path in (project.root / "data/checkpoints").iterdir()]
    assert left == ["train-new"]

"""D1: killed at any moment, the next run finds only whole artifacts, finishes, and gives the right result."""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

import pytest

# The long form by hand: CURIFACTORY_FAULTS=10 tries ten times as much.
FACTOR = float(os.environ.get("CURIFACTORY_FAULTS", "1"))
DYING = Path(__file__).with_name("dying.py")
KILLS = round(8 * FACTOR)
STEP = max(1, round(23 / FACTOR))


def outcomes(root: Path) -> list[str]:
    """Return how the runs stand, as the list of runs shows them."""
    found = []
    for path in sorted((root / "data" / "runs").glob("case_*/run.json")):
        found.append(json.loads(path.read_text())["outcome"])
    return found


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("words", [(), ("-j", "2")], ids=["here", "processes"])
def test_d1_a_run_that_was_killed_at_a_random_moment(hurt: Any, words: tuple[str, ...]) -> None:
    began = time.monotonic()
    hurt.run(*words)
    whole_s = time.monotonic() - began
    moments = random.Random(17)
    for turn in range(KILLS):
        if turn % 3 == 0:
            hurt.forget()
        overwrites = ("--overwrite",) if turn % 3 == 2 else ()
        process = hurt.start(*words, *overwrites)
        time.sleep(moments.uniform(0.1, whole_s))
        hurt.kill(process)
        hurt.check_whole()
    listed = hurt.project.experiment("runs", "--json", env=hurt.environment)
    assert "running" not in {run["outcome"] for run in json.loads(listed.stdout)}


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("manner", ["kill", "fail"])
@pytest.mark.parametrize("overwrites", [(), ("--overwrite",)], ids=["first", "overwriting"])
def test_d1_at_every_operation_that_changes_a_file(
    hurt: Any, manner: str, overwrites: tuple[str, ...]
) -> None:
    moment = 1 + random.Random(f"{manner}{overwrites}").randrange(STEP)
    while True:
        hurt.forget()
        if overwrites:
            hurt.run()
        program = [sys.executable, "-P", str(DYING), manner, str(moment), "case", "--plain", *overwrites]
        process = hurt.start(program=program, PYTHONPATH=os.pathsep.join(sys.path))
        output, _ = process.communicate(timeout=110)
        if process.returncode == 77:
            break
        assert "Traceback" not in output or manner == "kill", output
        hurt.check_whole()
        moment += STEP
    assert moment > 40


def test_an_interrupted_run_is_shown_as_such_and_resumed(hurt: Any) -> None:
    process = hurt.start(WAIT_S="0.3")
    # Then the first set's call is over; that it has begun says nothing of its result.
    hurt.wait_for(lambda: hurt.executions()["measure1"])
    hurt.kill(process)
    shown = json.loads(hurt.project.experiment("show", "-1", "--json").stdout)
    assert shown["run"]["outcome"] == "interrupted"
    hurt.forget_executions()
    hurt.run(WAIT_S="0.3")
    assert hurt.result() == hurt.expected
    assert hurt.executions()["load"] == hurt.executions()["measure0"] == 0

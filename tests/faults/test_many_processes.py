"""D3: many processes on one project at once: no crash, no lost run, no number twice, each call computed once."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from typing import Any

import pytest

# The long form by hand: CURIFACTORY_FAULTS=10 tries ten times as much.
FACTOR = float(os.environ.get("CURIFACTORY_FAULTS", "1"))
PROCESSES = 8
TURNS = max(1, round(2 * FACTOR))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_d3_eight_processes_compute_each_call_once(hurt: Any) -> None:
    for _ in range(TURNS):
        hurt.forget()
        hurt.forget_executions()
        running = [hurt.start(WAIT_S="0.1") for _ in range(PROCESSES)]
        said = [process.communicate(timeout=110)[0] for process in running]
        assert [process.returncode for process in running] == [0] * PROCESSES, "\n".join(said)
        assert set(hurt.executions().values()) == {1}, hurt.executions()
        assert hurt.result() == hurt.expected
        runs = sorted((hurt.project.root / "data" / "runs").glob("case_*"))
        numbers = [int(re.fullmatch(r"case_(\d+)_.*", run.name)[1]) for run in runs]  # type: ignore[index]
        assert sorted(numbers) == list(range(1, PROCESSES + 1))
        listed = json.loads(hurt.project.experiment("runs", "--json").stdout)
        assert Counter(run["outcome"] for run in listed) == {"complete": PROCESSES}
        hurt.check_whole()


@pytest.mark.slow
def test_d3_many_processes_with_many_hands(hurt: Any) -> None:
    running = [hurt.start("-j", "2", WAIT_S="0.1") for _ in range(3)]
    said = [process.communicate(timeout=110)[0] for process in running]
    assert [process.returncode for process in running] == [0] * 3, "\n".join(said)
    assert set(hurt.executions().values()) == {1}, hurt.executions()
    hurt.check_whole()


# What it reads is not what its code speaks of: a file's name stands for the whole set.
SLOW = """
import os, time
from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 0

def get_params():
    return [Params(name=f"p{n}", n=n) for n in range(2)]

@cf.stage(None, ["x"], [JsonCacher])
def work(record):
    name = f"work{record.params.n}-{os.getpid()}-{time.time_ns()}"
    with open(os.path.join(os.environ["COUNTED"], name), "w"):
        pass
    with open(record.get_path("notes.txt"), "w") as file:
        file.write("x")
    time.sleep(2.0 if record.params.n else 0.0)
    return record.params.n

def run(param_sets, manager):
    for params in param_sets:
        work(cf.Record(manager, params))
"""


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("-j", "2")])
def test_who_knows_what_a_stage_reads_waits_for_who_does_not(hurt: Any, words: tuple[str, ...]) -> None:
    hurt.project.write("experiments/case.py", SLOW)
    # It has never seen the stage when it begins with p1.
    first = hurt.start("--names", "p1", *words)
    hurt.wait_for(lambda: hurt.executions()["work1"])
    # This one executes p0 before, and so knows what the stage reads when it comes to p1.
    second = hurt.run(*words)
    said, _ = first.communicate(timeout=110)
    assert first.returncode == 0, said
    assert hurt.executions() == {"work0": 1, "work1": 1}, second.stdout


CROSSING = """
import os, time
from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 0

def get_params():
    return [Params(name=f"p{n}", n=int(n)) for n in os.environ["ORDER"]]

def begun():
    return [name for name in os.listdir(os.environ["COUNTED"]) if name.startswith("work")]

@cf.stage(None, ["x"], [JsonCacher], threads=2)
def work(record):
    name = f"work{record.params.n}-{os.getpid()}-{time.time_ns()}"
    with open(os.path.join(os.environ["COUNTED"], name), "w"):
        pass
    until = time.monotonic() + 60
    while len(begun()) < 2 and time.monotonic() < until:
        time.sleep(0.02)
    return record.params.n

def run(param_sets, manager):
    for params in param_sets:
        work(cf.Record(manager, params))
"""


def test_two_that_want_next_what_the_other_executes_do_not_wait_for_each_other(hurt: Any) -> None:
    hurt.project.write("experiments/case.py", CROSSING)
    running = [hurt.start("-j", "2", ORDER=order) for order in ("01", "10")]
    said = [process.communicate(timeout=60)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], "\n".join(said)
    assert hurt.executions() == {"work0": 1, "work1": 1}

"""How long values live: in memory and in the run's temporary folder until their last reader has had them."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

EXPERIMENT = """
import contextlib
from dataclasses import dataclass
import os
import curifactory as cf
from curifactory.caching import JsonCacher, PickleCacher

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 0

def get_params():
    return [Params(name=f"p{n}", n=n) for n in range(6)]

@cf.stage(None, ["raw", "size"])
def make(record):
    with open(os.path.join(os.environ["MADE"], "made.txt"), "a") as file:
        print(record.params.n, file=file)
    return bytes([record.params.n]) * 2_000_000, 2_000_000

@cf.stage(["raw"], ["turned"])
def turn(record, raw):
    return raw[::-1]

@cf.stage(["turned"], ["first"])
def look(record, turned):
    return turned[0]

def spilled(folder="data/staging"):
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            # With two processes the run may take a value away just now.
            with contextlib.suppress(FileNotFoundError):
                total += os.path.getsize(os.path.join(path, name))
    return total

@cf.aggregate(["first"], ["left"], [JsonCacher])
def measure(record, records, first):
    return [sum(first.values()), spilled(os.environ["STAGING"])]
"""

PLAIN = """
def run(param_sets, manager):
    for params in param_sets:
        look(turn(make(cf.Record(manager, params))))
    measure(cf.Record(manager, None))
"""

FOUND = """
@cf.stage(["first"], ["again"], [JsonCacher])
def find(record, first):
    # What it reads is declared nowhere.
    return [len(STATE["raw"]), len(STATE["turned"])]

def run(param_sets, manager):
    for params in param_sets:
        look(turn(make(cf.Record(manager, params))))
    measure(cf.Record(manager, None))
    for record in manager.records[:-1]:
        find(record)
"""

SEEN = "record.state"
UNSEEN = "getattr(record, 'ta'.join(['s', 'te']))"

HANDS = [(), ("-j", "2")]


def _run(project: Any, *words: str) -> int:
    places = {"MADE": str(project.root), "STAGING": str(project.root / "data/staging")}
    project.experiment("case", "--no-report", "--quiet", *words, env=places)
    total, left = json.loads(next((project.root / "data/cache").glob("*_left.json")).read_text())
    assert total == 15
    return int(left)


@pytest.mark.parametrize("hands", HANDS, ids=["here", "processes"])
def test_what_no_cacher_keeps_is_gone_after_its_last_reader(project: Any, hands: tuple[str, ...]) -> None:
    project.write("experiments/case.py", EXPERIMENT + PLAIN)
    # Of twelve values of two megabytes.
    assert _run(project, *hands) < 5_000_000


@pytest.mark.parametrize("hands", HANDS, ids=["here", "processes"])
@pytest.mark.parametrize("state", [SEEN, UNSEEN], ids=["seen", "unseen"])
def test_what_a_stage_finds_by_itself_is_there(project: Any, hands: tuple[str, ...], state: str) -> None:
    project.write("experiments/case.py", EXPERIMENT + FOUND.replace("STATE", state))
    _run(project, *hands)
    found = sorted((project.root / "data/cache").glob("*_again.json"))
    assert [json.loads(path.read_text()) for path in found] == [[2_000_000, 2_000_000]] * 6
    if state == SEEN:
        assert len((project.root / "made.txt").read_text().split()) == 6


def test_who_has_called_the_run_can_ask_for_every_value_and_nothing_is_made_again(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MADE", str(here.project.root))
    monkeypatch.setenv("STAGING", str(here.project.root / "data/staging"))
    here.write("experiments/case.py", EXPERIMENT + PLAIN)
    manager = here.run().manager
    assert [record.state["raw"][0] for record in manager.records[:-1]] == list(range(6))
    assert len((here.project.root / "made.txt").read_text().split()) == 6


CUT = """
from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher, PickleCacher

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 0

def get_params():
    return [Params(name=f"p{n}", n=n) for n in range(3)]

@cf.stage(None, ["table"], [PickleCacher])
def load(record):
    return [record.params.n, 1]

@cf.stage(["table"], ["size"], [JsonCacher])
def count(record, table):
    return len(table)

def run(param_sets, manager):
    for params in param_sets:
        count(load(cf.Record(manager, params)))
"""


@pytest.mark.parametrize("jobs", [None, 2], ids=["here", "processes"])
def test_a_value_of_which_all_readers_are_reused_in_the_end_is_let_go(here: Any, jobs: int | None) -> None:
    here.write("experiments/case.py", CUT)
    here.run(jobs=jobs)
    here.edit("experiments/case.py", {"[record.params.n, 1]": "[record.params.n, 2 - 1]"})
    ended = here.run(jobs=jobs)
    assert ended.executed == {"load": 3}
    assert not any(record.state.find_slot("table").present for record in ended.manager.records)


IN_PLACE = """
from dataclasses import dataclass
import numpy as np
import curifactory as cf

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 0

def get_params():
    return [Params(name="one"), Params(name="two", n=1)]

@cf.stage(None, ["table"])
def load(record):
    return np.zeros(2_000_000)

@cf.stage(["table"], ["total"])
def add(record, table):
    table += 1
    return float(table.sum())

def run(param_sets, manager):
    for params in param_sets:
        add(load(cf.Record(manager, params)))
"""


@pytest.mark.parametrize("manner", [{}, {"eager": True}, {"jobs": 2}], ids=["here", "eager", "processes"])
def test_who_asks_late_is_given_a_large_value_as_it_was_made(here: Any, manner: dict[str, Any]) -> None:
    here.write("experiments/case.py", IN_PLACE)
    record = here.run(**manner).manager.records[0]
    assert (record.state["total"], record.state["table"].sum()) == (2_000_000, 0)


FOR_NOBODY = """
from dataclasses import dataclass
import os
import threading
import curifactory as cf
from curifactory.caching import JsonCacher

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 0

def get_params():
    return [Params(name=f"p{n}", n=n) for n in range(6)]

def note(what):
    with open(os.path.join(os.environ["MADE"], "made.txt"), "a") as file:
        print(what, file=file)

class Table:
    nbytes = 2_000_000

    def __reduce__(self):
        note("pickled")
        return Table, ()

@cf.stage(None, ["table"])
def make(record):
    return Table()

@cf.stage(["table"], ["size"], [JsonCacher])
def measure(record, table):
    return [record.params.n, table.nbytes]

@cf.stage(None, ["drawn", "lock"])
def draw(record):
    note(f"drawn by {os.getpid()}, {record.params.n}")
    return Table(), threading.Lock()

def run(param_sets, manager):
    note(f"run by {os.getpid()}")
    for params in param_sets:
        record = cf.Record(manager, params)
        measure(make(record))
        draw(record)
"""


def test_a_value_that_nobody_reads_goes_nowhere_and_may_be_any_object(project: Any) -> None:
    project.write("experiments/case.py", FOR_NOBODY)
    done = project.experiment("case", "--no-report", "-j", "2", env={"MADE": str(project.root)})
    assert "warning" not in done.stdout
    noted = (project.root / "made.txt").read_text().splitlines()
    # Each that is read, once.
    assert noted.count("pickled") == 6
    (command,) = [line.split()[-1] for line in noted if line.startswith("run by")]
    drawn = [line.split()[2].rstrip(",") for line in noted if line.startswith("drawn by")]
    assert len(drawn) == 6
    assert command not in drawn


def test_who_has_called_the_run_can_ask_for_what_no_call_reads(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MADE", str(here.project.root))
    here.write("experiments/case.py", FOR_NOBODY)
    records = here.run(jobs=2).manager.records
    assert [record.state["drawn"].nbytes for record in records] == [2_000_000] * 6
    noted = (here.project.root / "made.txt").read_text().splitlines()
    assert sum(line.startswith("drawn by") for line in noted) >= 6


HEAVY = """
from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher, PickleCacher

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 0

def get_params():
    return [Params(name=f"p{n}", n=n) for n in range(60)]

@cf.stage(None, ["block"]CACHERS)
def make(record):
    return bytes([record.params.n]) * 10_000_000

@cf.stage(["block"], ["size"], [JsonCacher])
def measure(record, block):
    return len(block)

def run(param_sets, manager):
    for params in param_sets:
        measure(make(cf.Record(manager, params)))
"""

PEAK = """
import sys
from curifactory.cli.experiment import main
from curifactory.engine.peak_memory import read_peak
sys.argv = ["experiment", *sys.argv[1:]]
try:
    main()
finally:
    print("peak", read_peak())
"""


@pytest.mark.parametrize("hands", HANDS, ids=["here", "processes"])
@pytest.mark.parametrize("cachers", ["", ", [PickleCacher]"], ids=["no cacher", "cached"])
def test_a_run_takes_no_more_memory_than_its_running_calls_hold(
    project: Any, hands: tuple[str, ...], cachers: str
) -> None:
    project.write("experiments/case.py", HEAVY.replace("CACHERS", cachers))
    project.write("peak.py", PEAK)
    done = project.run(sys.executable, "peak.py", "case", "--no-report", "--quiet", *hands)
    # Sixty times ten megabytes have gone through it, and the command alone takes fifty.
    assert int(done.stdout.split()[-1]) < 200_000_000

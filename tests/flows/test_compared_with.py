"""What a call is compared with when it has to run: the last trace of its record, whatever has become of the runs since."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from curifactory.errors import StageError
from curifactory.workflow.accept import planned_acceptance
from curifactory.workflow.request import RunRequest

if TYPE_CHECKING:
    from collections.abc import Callable

CASE = """
from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1
    fails: bool = False

def get_params():
    return [Params(name="a", n=1), Params(name="b", n=11)]

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    if record.params.fails:
        raise ValueError("this does not work")
    return record.params.n

@cf.stage(inputs=["x"], outputs=["y"], cachers=[JsonCacher])
def end(record, x):
    return x + 1

@cf.aggregate(inputs=["y"], outputs=["total"], cachers=[JsonCacher])
def add_up(record, records, y):
    return sum(y.values())

def run(param_sets, manager):
    for p in param_sets:
        end(begin(cf.Record(manager, p)))
    add_up(cf.Record(manager, None))
"""
FILE = "experiments/case.py"
A, B = 'name="a", n=', 'name="b", n='


@pytest.fixture
def case(here: Any) -> Any:
    here.write(FILE, CASE)
    return here


def change(case: Any, name: str, old: int, new: int) -> None:
    case.edit(FILE, {f'name="{name}", n={old}': f'name="{name}", n={new}'})


def told(ended: Any, stage: str = "begin") -> list[str]:
    """Return the reasons of the calls of a stage, in their order."""
    calls = sorted(ended.calls, key=lambda call: call["index"])
    return [call["reason"]["text"] for call in calls if call["name"] == stage]


def test_each_record_is_compared_with_its_own_last_trace(case: Any) -> None:
    case.run()
    change(case, "a", 1, 2)
    change(case, "b", 11, 12)
    assert told(case.run()) == ["parameter n: 1 → 2", "parameter n: 11 → 12"]


def test_a_record_that_was_left_out_of_later_runs_is_compared_with_its_own(case: Any) -> None:
    case.run()
    for n in range(1, 4):
        change(case, "b", 10 + n, 11 + n)
        case.run(names=("b",))
    change(case, "a", 1, 5)
    ended = case.run()
    assert told(ended)[0] == "parameter n: 1 → 5"
    assert ended.reasons["add_up"].startswith("input ")


def test_a_reused_call_counts_as_much_as_one_that_ran(case: Any) -> None:
    case.run()
    for before, after in ((1, 2), (2, 1)):
        change(case, "a", before, after)
        ended = case.run()
    assert ended.executed == {}
    change(case, "a", 1, 3)
    assert told(case.run())[0] == "parameter n: 1 → 3"


def lose_index(root: Path) -> None:
    for path in (root / "data").glob("index.db*"):
        path.unlink()


def copy_elsewhere(root: Path) -> None:
    """Copy everything as `cp` does, and so that files of later runs are the older ones."""
    shutil.move(root / "data", root / "old")
    shutil.copytree(root / "old", root / "data", copy_function=shutil.copy)
    for folder in sorted((root / "data/runs").iterdir(), reverse=True):
        if (folder / "calls.jsonl").exists():
            number = int(folder.name.split("_")[1])
            os.utime(folder / "calls.jsonl", (2e9 - number, 2e9 - number))


def reindex(root: Path) -> None:
    subprocess.run(
        [sys.executable, "-P", "-m", "curifactory.cli.experiment", "reindex"],
        cwd=root,
        check=True,
        capture_output=True,
    )


@pytest.mark.parametrize("befalls", [lose_index, reindex, copy_elsewhere])
def test_the_folders_of_runs_are_all_that_it_takes(case: Any, befalls: Callable[[Path], None]) -> None:
    case.run()
    change(case, "a", 1, 2)
    case.run()
    befalls(case.project.root)
    change(case, "a", 2, 3)
    change(case, "b", 11, 12)
    assert told(case.run()) == ["parameter n: 2 → 3", "parameter n: 11 → 12"]


def test_without_any_run_the_newest_trace_of_the_stage_is_compared_with(case: Any) -> None:
    case.run()
    for folder in (case.project.root / "data/runs").glob("case_*"):
        shutil.rmtree(folder)
    change(case, "a", 1, 3)
    assert told(case.run())[0] in ("parameter n: 1 → 3", "parameter n: 11 → 3")


def test_a_run_that_is_deleted_gives_way_to_the_one_before(case: Any) -> None:
    case.run()
    change(case, "a", 1, 2)
    last = case.run()
    shutil.rmtree(last.manager.run_folder)
    change(case, "a", 2, 3)
    assert told(case.run())[0] == "parameter n: 1 → 3"


def test_a_trace_that_is_gone_gives_way_to_the_one_before(case: Any) -> None:
    case.run()
    change(case, "a", 1, 2)
    key = next(call["key"] for call in case.run().calls if call["name"] == "begin")
    next((case.project.root / "data/manifests").rglob(f"{key}.json")).unlink()
    change(case, "a", 2, 3)
    assert told(case.run())[0] == "parameter n: 1 → 3"


def test_runs_that_saved_nothing_are_not_compared_with(case: Any) -> None:
    case.run()
    for n in range(1, 6):
        change(case, "a", n, n + 1)
        case.run(dry_cache=True)
    change(case, "a", 6, 7)
    assert told(case.run())[0] == "parameter n: 1 → 7"


def test_runs_with_another_cache_are_not_compared_with(case: Any, tmp_path: Path) -> None:
    case.run()
    change(case, "a", 1, 2)
    case.run(cache=str(tmp_path / "elsewhere"))
    change(case, "a", 2, 3)
    assert told(case.run())[0] == "parameter n: 1 → 3"


def test_a_call_that_failed_is_not_compared_with(case: Any) -> None:
    case.run()
    case.edit(FILE, {f"{A}1": f"{A}2, fails=True"})
    with pytest.raises(StageError, match="does not work"):
        case.run()
    case.edit(FILE, {f"{A}2, fails=True": f"{A}3"})
    assert told(case.run())[0] == "parameter n: 1 → 3"


def test_a_call_without_an_own_trace_is_not_told_that_its_input_has_changed(case: Any) -> None:
    """What failed, or was never reached, has nothing that could have changed: others have run with other inputs."""
    case.edit(FILE, {"    return x + 1\n": "    return 1 // (x - 11) + x\n"})
    for _ in range(2):
        with pytest.raises(StageError, match="division"):
            case.run()
    words = json.loads(case.project.experiment("cache", "why", "case", "--json").stdout)["calls"]
    mapped = json.loads(case.project.experiment("case", "--map", "--json").stdout)["calls"]
    for calls in (words, mapped):
        assert [call["reason"]["text"] for call in calls if call["name"] == "end"] == [
            f"nothing it read has changed (from {next((case.project.root / 'data/runs').glob('case_1_*')).name})",
            "not run with these inputs yet (x)",
        ]
    assert [(call["name"], call["record_name"]) for call in words if call["compared_with_another"]] == [
        ("end", "Record 1 (b)")
    ]
    shown = case.project.experiment("cache", "why", "case", "--stage", "end", "-n", "b").stdout
    assert "    compared with  what end last made for another record (case_1_" in shown

    case.edit(FILE, {'Params(name="b", n=11)]': 'Params(name="b", n=12), Params(name="c", n=2)]'})
    assert told(case.run(), "end")[1:] == ["not run with these inputs yet (x)"] * 2


def test_of_a_new_record_it_is_told_whether_parameters_or_inputs_are_new(case: Any) -> None:
    case.run(names=("a",))
    ended = case.run()
    assert told(ended, "begin")[1] == "parameter n: 1 → 11"
    assert told(ended, "end")[1] == "not run with these inputs yet (x)"
    assert told(ended, "add_up") == ["input y changed"]


def test_a_plan_and_its_explanation_write_nothing_and_say_the_same(case: Any) -> None:
    case.run()
    change(case, "a", 1, 2)
    case.run()
    change(case, "a", 2, 3)
    before = case.project.files("data")
    words = json.loads(case.project.experiment("cache", "why", "case", "--json").stdout)
    mapped = json.loads(case.project.experiment("case", "--map", "--json").stdout)
    assert words["calls"][0]["reason"]["text"] == mapped["calls"][0]["reason"]["text"] == "parameter n: 2 → 3"
    assert case.project.files("data") == before


def test_after_code_was_accepted_only_what_has_changed_since_is_named(case: Any) -> None:
    case.run()
    for old, new in (
        ("return x + 1", "return 1 + x"),
        ("return record.params.n", "return 0 + record.params.n"),
    ):
        case.edit(FILE, {old: new})
        case.forget_modules()
        with planned_acceptance(RunRequest(experiment="case")) as acceptance:
            assert acceptance.carry_out() == 2 if old.startswith("return x") else acceptance.carry_out() >= 2
    assert case.run().executed == {}
    change(case, "a", 1, 2)
    # The run that has reused them is gone, and the one before was with the code before.
    ended = case.run()
    assert told(ended)[0] == "parameter n: 1 → 2"
    assert told(ended, "end") == ["input x changed", told(ended, "end")[1]]


@pytest.mark.parametrize("between", [False, True])
def test_what_was_accepted_is_what_the_next_run_is_compared_with(case: Any, between: bool) -> None:
    case.run()
    case.edit(FILE, {"return record.params.n": "return 0 + record.params.n"})
    case.forget_modules()
    with planned_acceptance(RunRequest(experiment="case")) as acceptance:
        acceptance.carry_out()
    if between:
        lose_index(case.project.root)
    change(case, "a", 1, 2)
    assert told(case.run())[0] == "parameter n: 1 → 2"


def test_code_that_changes_once_more_after_it_was_accepted_names_the_last_change_alone(case: Any) -> None:
    case.write("helpers.py", "def one(n):\n    return n\n\ndef two(n):\n    return n\n")
    case.edit(
        FILE,
        {
            "return record.params.n": "return one(two(record.params.n))",
            "import curifactory": "from helpers import one, two\nimport curifactory",
        },
    )
    case.run()
    case.edit("helpers.py", {"def one(n):\n    return n": "def one(n):\n    return 0 + n"})
    case.forget_modules()
    with planned_acceptance(RunRequest(experiment="case")) as acceptance:
        acceptance.carry_out()
    case.edit("helpers.py", {"def two(n):\n    return n": "def two(n):\n    return 1 + n"})
    assert told(case.run()) == ["code of helpers.two changed (helpers.py:4)"] * 2


TWICE = """
def run(param_sets, manager):
    for p in param_sets:
        record = begin(cf.Record(manager, p))
        end(record)
        end(record, x=100 * p.n)
"""


def test_a_stage_that_a_record_has_twice_is_compared_with_its_later_call(case: Any) -> None:
    case.edit(FILE, {CASE[CASE.index("\ndef run(") :]: TWICE})
    case.run()
    case.edit(FILE, {"100 * p.n": "200 * p.n"})
    ended = case.run()
    assert ended.executed == {"end": 2}
    assert {call["reason"]["text"] for call in ended.calls if call["outcome"] == "ran"} == {
        "keyword x changed"
    }


# ------------------------------------------------------------------------------------------------------------ sessions


SESSION = """
import sys
from dataclasses import replace
import curifactory as cf
from experiments.case import Params, begin, end
manager = cf.ArtifactManager("case")
def call(name, n):
    record = begin(cf.Record(manager, Params(name=name, n=n)))
    print(manager.engine.graph.calls[-1].reason, flush=True)
    return record
"""


def run_session(case: Any, *lines: str) -> list[str]:
    done = case.project.run(sys.executable, "-c", SESSION + "\n".join(lines))
    return done.stdout.splitlines()


def test_a_session_compares_with_runs_and_with_its_own_calls(case: Any) -> None:
    case.run()
    assert run_session(
        case, "call('a', 2)", "call('b', 12)", "call('a', 1)", "call('a', 3)", "call('b', 13)"
    ) == [
        "parameter n: 1 → 2",
        "parameter n: 11 → 12",
        f"nothing it read has changed (from {next((case.project.root / 'data/runs').glob('case_1_*')).name})",
        "parameter n: 1 → 3",
        "parameter n: 12 → 13",
    ]
    # What it had last is what the next run is compared with, also where it never said that it ended.
    change(case, "a", 1, 4)
    change(case, "b", 11, 14)
    assert told(case.run()) == ["parameter n: 3 → 4", "parameter n: 13 → 14"]


def test_a_session_tells_of_its_own_calls_what_has_changed(case: Any) -> None:
    lines = [
        "def both(name, n):",
        "    end(call(name, n))",
        "    print(manager.engine.graph.calls[-1].reason, flush=True)",
        "both('a', 1)",
        "both('a', 2)",
        "both('b', 3)",
    ]
    assert run_session(case, *lines) == [
        "never run",
        "never run",
        "parameter n: 1 → 2",
        "input x changed",
        "not run with these parameters yet",
        "not run with these inputs yet (x)",
    ]


def test_a_session_that_is_still_open_counts(case: Any) -> None:
    case.run()
    session = subprocess.Popen(
        [sys.executable, "-c", SESSION + "call('a', 2)\ncall('b', 12)\nsys.stdin.read()"],
        cwd=case.project.root, env=case.project.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert [session.stdout.readline() for _ in range(2)] == [
            "parameter n: 1 → 2\n",
            "parameter n: 11 → 12\n",
        ]
        lines = case.project.root / "data/runs"
        until_s = time.monotonic() + 20
        while sum(len(path.read_bytes().splitlines()) for path in lines.glob("case_2_*/calls.jsonl")) < 2:
            assert time.monotonic() < until_s
            time.sleep(0.02)
        change(case, "a", 1, 3)
        change(case, "b", 11, 13)
        assert told(case.run()) == ["parameter n: 2 → 3", "parameter n: 12 → 13"]
    finally:
        session.communicate("")


def test_a_run_that_was_killed_counts_as_far_as_it_came(case: Any) -> None:
    case.edit(
        FILE,
        {
            "return x + 1": "import os, signal, time\n    if record.params.name == 'b' and record.params.n > 11: time.sleep(0.4); os.kill(os.getpid(), signal.SIGKILL)\n    return x + 1"
        },
    )
    case.run()
    change(case, "a", 1, 2)
    change(case, "b", 11, 12)
    done = case.project.experiment("case", "--no-report", check=False)
    assert done.returncode == -signal.SIGKILL
    folder = next((case.project.root / "data/runs").glob("case_2_*"))
    with open(folder / "calls.jsonl", "ab") as file:
        # What a kill in the middle of a write leaves.
        file.write(b'{"index":3,"name":"end","sta')
    change(case, "a", 2, 3)
    change(case, "b", 12, 10)
    assert told(case.run()) == ["parameter n: 2 → 3", "parameter n: 12 → 10"]

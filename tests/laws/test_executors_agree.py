"""The law that the executor does not change the result: random projects here, in processes and on a cluster.

``CURIFACTORY_LAW_CASES=50`` tries more cases, ``CURIFACTORY_LAW_SEED=17`` one of them. Each project is run, edited and run
again on each executor: the same values, and of each call the same key, digests and outcome.
"""

from __future__ import annotations

import gc
import importlib.util
import json
import os
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest

import curifactory as cf
from tests.conftest import load_file

CASES = int(os.environ.get("CURIFACTORY_LAW_CASES", "12"))
SEED = os.environ.get("CURIFACTORY_LAW_SEED")
RUNS = 2
# Where things stand in what is told of a call.
NAME, OUTCOME, KEY = 1, 3, 4


stale = load_file("laws/test_nothing_stale.py")


@pytest.fixture(scope="module")
def cluster() -> Iterator[str | None]:
    """Give the address of one cluster for all cases, as a group of people shares one; None without Dask."""
    if importlib.util.find_spec("distributed") is None:
        yield None
        return
    import distributed

    with ExitStack() as stack:
        started = stack.enter_context(
            distributed.LocalCluster(
                n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50
            )
        )
        yield started.scheduler_address.removeprefix("tcp://")


def clear(root: Path) -> None:
    """Remove the project of the last turn; what that has written last may still be on its way."""
    until = time.monotonic() + 20
    while root.exists() and time.monotonic() < until:
        shutil.rmtree(root, ignore_errors=True)
        time.sleep(0.02)


def play(root: Path, seed: int, hands: dict[str, Any]) -> list[Any]:
    """Run, edit and run a project again with the given hands; return the story and the values of each run."""
    clear(root)
    case = stale.Case(root, seed)
    random = Random(seed)
    told = []
    for _ in range(RUNS):
        case.write()
        unforeseen = find_unforeseen(root)
        told.append((*run(root, hands), unforeseen))
        case.edit(random)
    os.chdir(root.parent)
    stale.forget_modules(root)
    return told


def run(root: Path, hands: dict[str, Any]) -> Any:
    """Run the project as it is; return what the run tells of its calls, and all values of all records."""
    stale.forget_modules(root)
    try:
        result, manager = cf.run_experiment("case", report=False, **hands)
    except cf.CurifactoryError as error:
        return [], f"{type(error).__name__}: {error}"
    try:
        # Before values are read late, which may execute calls once more.
        told = story(Path(manager.run_folder))
        values: list[Any] = [[stale.plain_value(value) for value in result]]
        for record in manager.records:
            values.append({name: stale.plain_value(record.state[name]) for name in sorted(record.state)})
    finally:
        manager._parts.close()
    return told, values


def story(folder: Path) -> list[Any]:
    """Return what a run tells of its calls, without times."""
    calls: dict[int, Any] = {}
    for line in (folder / "calls.jsonl").read_text(encoding="utf-8").splitlines():
        call = json.loads(line)
        calls[call["index"]] = (
            call["name"],
            call["record_name"],
            call["outcome"],
            call["key"],
            [
                (each["name"], each["type"], each["summary"], each["artifact"] and each["artifact"]["digest"])
                for each in call["outputs"]
            ],
            call["fragments"],
        )
    return [(index, *calls[index]) for index in sorted(calls)]


def keys_of(told: list[Any]) -> set[str]:
    """Return the keys of all calls of all runs."""
    return {call[KEY] for story, *_ in told for call in story}


def outcomes_of(story: list[Any], unforeseen: set[str]) -> Counter[Any]:
    """Return how often what has ended how; which one of calls with the same key is executed is a matter of order.

    Who executes several at once foresees of a stage that it reads each field of which its code speaks, or all if it hands the
    set on: of one that reads fewer, calls may turn out to be the same when they are under way.
    """
    return Counter(
        (
            call[NAME],
            call[KEY],
            "ran or reused"
            if call[NAME] in unforeseen and call[OUTCOME] in ("ran", "reused")
            else call[OUTCOME],
        )
        for call in story
    )


def find_unforeseen(root: Path) -> set[str]:
    """Return the names of the stages that choose among the fields of the parameters, or hand them all to somebody else."""
    found = re.findall(
        r"^def (\w+)\(record.*\n(?: .*\n)*? .*(?: if record\.params\.|record\.params[^.\w])",
        (root / "experiments/case.py").read_text(),
        re.MULTILINE,
    )
    return set(found)


def with_keys(told: list[Any], keys: set[str]) -> list[Any]:
    """Leave out all other keys."""
    return [
        (
            [(*call[:KEY], call[KEY] if call[KEY] in keys else None, *call[KEY + 1 :]) for call in story],
            *others,
        )
        for story, *others in told
    ]


def seeds() -> list[int]:
    return list(range(CASES)) if SEED is None else [int(SEED)]


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", seeds())
def test_r6_who_executes_changes_nothing(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: str | None
) -> None:
    for name in ("CURIFACTORY_LAW_CASES", "CURIFACTORY_LAW_SEED"):
        # What begins so is a setting to the projects.
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    # The same place for each of them: a path may be a part of a result.
    root = tmp_path / "project"
    told = play(root, seed, {})
    again = play(root, seed, {})
    # Others are new ones each time: of calls that nothing can identify, and of what reads from them.
    lasting = keys_of(told) & keys_of(again)
    alone = with_keys(told, lasting)
    many: dict[str, dict[str, Any]] = {"processes": {"jobs": 2}}
    if cluster is not None:
        many["cluster"] = {"executor": f"dask://{cluster}"}
    for name, hands in many.items():
        found = with_keys(play(root, seed, hands), lasting)
        for turn, (one, other) in enumerate(zip(alone, found, strict=True)):
            assert other[1] == one[1], f"other values on {name}, in run {turn}"
            ended, ended_here = (outcomes_of(each[0], one[2]) for each in (other, one))
            assert ended == ended_here, f"other outcomes on {name}, in run {turn}"
            made, made_here = ([call[:OUTCOME] + call[KEY:] for call in each[0]] for each in (other, one))
            assert made == made_here, f"other keys or digests on {name}, in run {turn}"
    gc.collect()

"""A full store keeps everything that a run stands on, and is a cache of its own."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import pytest

import curifactory as cf
from curifactory.errors import CacheError, ConfigurationError

EXPERIMENT = """
import os
from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import FileReferenceCacher, JsonCacher, PathRef, PickleCacher
from curifactory.reporting import JsonReporter

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 3

@cf.stage(None, ["number"], [JsonCacher])
def make(record):
    record.log({"accuracy": 0.5})
    record.report(JsonReporter({"n": record.params.n}, name="numbers"))
    return record.params.n

@cf.stage(["number"], ["files"], [FileReferenceCacher])
def write(record, number):
    path = os.path.join(record.get_dir("parts"), "one.txt")
    with open(path, "w") as file:
        file.write(str(number))
    with open(record.get_path("extra.txt"), "w") as file:
        file.write("extra")
    return [path, "raw.csv"]

@cf.stage(["number"], ["table"], [PathRef(extension=".csv")])
def tabulate(record, number):
    path = record.stage_cachers[0].get_path()
    with open(path, "w") as file:
        file.write(f"n,{number}")
    return path

@cf.stage(["number"], ["model"], [PickleCacher("models/{name}_{params.name}.pkl")])
def train(record, number):
    return {"weight": number}

@cf.aggregate(["number"], ["total"], [JsonCacher])
def add_up(record, records, number):
    return sum(number.values())

def get_params():
    return [Params(name="small"), Params(name="large", n=7)]

def run(param_sets, manager):
    for params in param_sets:
        train(tabulate(write(make(cf.Record(manager, params)))))
    add_up(cf.Record(manager, None))
"""
CALLS = {"make": 2, "write": 2, "tabulate": 2, "train": 2, "add_up": 1}


@pytest.fixture
def case(here):
    here.write("experiments/case.py", EXPERIMENT)
    here.write("raw.csv", "a,b\n")
    return here


def run_folder(ended) -> Path:
    return Path(ended.manager.run_folder)


def forget_cache(case) -> None:
    for name in ("cache", "manifests", "superseded", "index.db", "index.db-wal", "index.db-shm"):
        place = case.project.root / "data" / name
        shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
    shutil.rmtree(case.project.root / "models")


@pytest.mark.parametrize("warm", [False, True])
def test_a_new_run_reuses_everything_from_a_full_store_alone(case, warm):
    if warm:
        case.run()
    kept = case.run(store_full=True)
    assert kept.executed == ({} if warm else CALLS)
    folder = run_folder(kept)
    assert not (folder / "index.db").exists()
    forget_cache(case)
    for cache in (folder, folder / "artifacts"):
        again = case.run(cache=cache)
        assert again.executed == {}, again.reasons
        record = again.manager.records[0]
        assert record.state["model"] == {"weight": 3}
        assert Path(record.state["table"]).read_text() == "n,3"
        assert [Path(path).read_text() for path in record.state["files"]] == ["3", "a,b\n"]
    reported = [
        json.loads(line) for line in (run_folder(again) / "reportables.jsonl").read_text().splitlines()
    ]
    assert [each["name"] for each in reported] == ["numbers", "numbers"]


def test_cold_and_warm_runs_keep_the_same_files(case):
    def listed(ended):
        artifacts = run_folder(ended) / "artifacts"
        return {
            str(path.relative_to(artifacts)): path.read_bytes()
            for path in artifacts.rglob("*")
            if path.is_file()
        }

    cold, warm = case.run(store_full=True), case.run(store_full=True)
    assert (cold.executed, warm.executed) == (CALLS, {}), warm.reasons
    assert listed(cold) == listed(warm)
    assert {Path(name).suffix for name in listed(cold)} == {".json", ".txt", ".csv", ".pkl"}


def test_what_was_deleted_from_the_cache_is_made_again_for_a_full_store(case):
    case.run()
    for path in case.cached("*make_number.json"):
        path.unlink()
    kept = case.run(store_full=True)
    assert kept.executed == {"make": 2}
    about = json.loads((run_folder(kept) / "run.json").read_text())
    assert about["full_store"]["missing"] == []


def test_files_of_others_are_copied_and_go_on_being_looked_at(case):
    folder = run_folder(case.run(store_full=True))
    assert (folder / "references/raw.csv").read_text() == "a,b\n"
    case.write("raw.csv", "changed\n")
    again = case.run(cache=folder)
    assert again.executed == {"write": 2}
    assert (folder / "references/raw.csv").read_text() == "a,b\n"


def test_a_full_store_does_not_change_with_the_cache(case):
    folder = run_folder(case.run(store_full=True))
    before = {path: path.read_bytes() for path in (folder / "artifacts").rglob("*") if path.is_file()}
    case.edit("experiments/case.py", {"return record.params.n": "return record.params.n + 1"})
    assert case.run().executed == CALLS
    assert {path: path.read_bytes() for path in before} == before


def test_no_path_of_this_machine_is_in_a_manifest(case):
    folder = run_folder(case.run(store_full=True))
    for path in (folder / "manifests").rglob("*"):
        if path.is_file():
            assert str(case.project.root) not in path.read_text()


def test_a_copied_project_reuses_its_full_store(case, tmp_path, monkeypatch):
    folder = run_folder(case.run(store_full=True))
    copy = tmp_path / "copy"
    shutil.copytree(case.project.root, copy)
    shutil.rmtree(case.project.root)
    monkeypatch.chdir(copy)
    shutil.rmtree(copy / "data/cache")
    shutil.rmtree(copy / "data/manifests")
    case.forget_modules()
    _, manager = cf.run_experiment(
        "case", cache=copy / folder.relative_to(case.project.root), report=False, trust=True
    )
    assert {outcome.value: count for outcome, count in manager.counts.items()} == {"reused": 9}


def test_an_artifact_that_is_not_tracked_is_left_out(case):
    case.edit(
        "experiments/case.py",
        {'["number"], [JsonCacher])\ndef make': '["number"], [JsonCacher(track=False)])\ndef make'},
    )
    folder = run_folder(case.run(store_full=True))
    names = [path.name for path in (folder / "artifacts").iterdir()]
    assert not any("make_number" in name for name in names)
    assert any("add_up_total" in name for name in names)


def test_load_run_takes_artifacts_from_the_full_store_when_the_cache_is_gone(case):
    ended = case.run(store_full=True)
    forget_cache(case)
    run = cf.load_run(ended.manager.reference)
    assert run.records[1].artifacts["number"].load() == 7
    assert run.records[0].artifacts["model"].load() == {"weight": 3}


def test_a_run_without_full_store_is_no_cache(case):
    folder = run_folder(case.run())
    with pytest.raises(ConfigurationError, match="has no full store") as raised:
        case.run(cache=folder)
    assert "--store-full" in raised.value.hint


@pytest.mark.parametrize("wish", [{"dry": True}, {"dry_cache": True}])
def test_a_full_store_of_nothing_is_refused(case, wish):
    with pytest.raises(ConfigurationError, match="saves none"):
        case.run(store_full=True, **wish)
    assert not (case.project.root / "data/runs").exists()


def test_a_full_store_that_was_cut_short_is_a_smaller_one(case, monkeypatch):
    """The disk is full in the middle: the run is recorded and says so, and what is there can be reused."""
    from curifactory.store import moves

    case.run()
    link, left = moves.link, [9]

    def link_until_full(source, target, *, scratch):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), target)
        return link(source, target, scratch=scratch)

    monkeypatch.setattr(moves, "link", link_until_full)
    with pytest.raises(CacheError, match="the disk is full"):
        case.run(store_full=True)
    monkeypatch.undo()
    monkeypatch.chdir(case.project.root)
    (folder,) = (case.project.root / "data/runs").glob("case_2_*")
    about = json.loads((folder / "run.json").read_text())
    assert about["outcome"] == "complete"
    assert "full_store" not in about
    assert "no full store" in about["warnings"][0]["text"]
    forget_cache(case)
    again = case.run(cache=folder)
    assert 0 < sum(again.executed.values()) < 9
    assert again.manager.records[1].state["model"] == {"weight": 7}


def test_a_live_session_keeps_a_full_store(here):
    here.write("experiments/case.py", EXPERIMENT)
    here.write("raw.csv", "a,b\n")
    manager = cf.ArtifactManager("proto", store_full=True, quiet=True)
    import importlib

    case = (
        importlib.import_module("experiments.case")
        if (here.project.root / "experiments/__init__.py").exists()
        else None
    )
    if case is None:
        import sys

        sys.path.insert(0, str(here.project.root))
        case = importlib.import_module("experiments.case")
    case.make(cf.Record(manager, case.Params(name="live", n=5)))
    manager.finish()
    assert list((manager.run_folder / "artifacts").glob("*make_number.json"))


def test_the_command_keeps_one_and_reads_it(project):
    project.write("experiments/case.py", EXPERIMENT)
    project.write("raw.csv", "a,b\n")
    project.experiment("case", "-s", "--no-report")
    (folder,) = (project.root / "data/runs").glob("case_1_*")
    done = project.experiment("case", "--cache", str(folder.relative_to(project.root)), "--no-report")
    assert "all 9 calls were reused" in done.stdout
    refused = project.experiment("case", "--store-full", "--dry", check=False)
    assert refused.returncode == 2
    assert "--dry and --store-full contradict each other" in refused.stderr

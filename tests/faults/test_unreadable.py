"""What cannot be read is told as such: nothing is taken for absent, modified or waste because nobody may look at it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import INTERPRETER

EXPERIMENT = """
from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1

def get_params():
    return [Params(name="a", n=1), Params(name="b", n=2)]

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return [record.params.n]

@cf.stage(inputs=["x"], outputs=["y"], cachers=[JsonCacher])
def end(record, x):
    return [10 * value for value in x]

def run(param_sets, manager):
    for p in param_sets:
        end(begin(cf.Record(manager, p)))
"""
# Root may read and write everything, unless it gives that up.
_POWERS = "-dac_override,-dac_read_search"
_HUMBLY = ["setpriv", f"--bounding-set={_POWERS}", f"--inh-caps={_POWERS}"]

Ask = Callable[..., Any]


@pytest.fixture
def store(project: Any) -> Any:
    """Give a project with results of two versions of the code, the older of which lie aside."""
    project.write("experiments/two.py", EXPERIMENT)
    project.experiment("two", "--no-report")
    project.write("experiments/two.py", EXPERIMENT.replace("10 *", "20 *"))
    project.experiment("two", "--no-report")
    return project


@pytest.fixture
def humbly(store: Any) -> Ask:
    """Give what runs a command of the project as somebody whom permission bits bind."""
    before: list[str] = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("permission bits do not bind root, and there is no setpriv")
        before = _HUMBLY

    def run(*words: str) -> Any:
        return store.run(*before, *INTERPRETER, "curifactory.cli.experiment", *words, check=False)

    return run


@contextmanager
def barred(*places: Path, mode: int = 0) -> Iterator[None]:
    """Let nobody look at files or folders."""
    modes = [(place, place.stat().st_mode & 0o777) for place in places]
    try:
        for place, _ in modes:
            place.chmod(mode)
        yield
    finally:
        for place, was in modes:
            place.chmod(was)


LOOKING = [("cache", "verify"), ("cache", "gc"), ("cache", "ls"), ("reindex",)]


@pytest.mark.parametrize("words", LOOKING, ids=" ".join)
@pytest.mark.parametrize("below", ["", "experiments.two.begin"])
def test_manifests_that_cannot_be_listed_are_an_error_of_who_needs_them_all(
    store: Any, humbly: Ask, words: tuple[str, ...], below: str
) -> None:
    folder = store.root / "data/manifests" / below
    before = store.files("data")
    with barred(folder):
        done = humbly(*words)
    assert done.returncode == 1, done.output
    assert f"Could not list the manifests in '{folder}': permission is denied." in done.stderr, done.output
    assert "right to read" in done.stderr
    assert done.stdout == ""
    changed = {name for name in before if store.files("data").get(name) != before[name]}
    assert not [name for name in changed if "index.db" not in name]


@pytest.mark.parametrize("words", LOOKING, ids=" ".join)
def test_a_manifest_that_cannot_be_read_is_an_error_of_who_needs_them_all(
    store: Any, humbly: Ask, words: tuple[str, ...]
) -> None:
    manifest = min((store.root / "data/manifests/experiments.two.end").glob("[!c]*.json"))
    with barred(manifest):
        done = humbly(*words)
    assert done.returncode == 1, done.output
    assert f"Could not read the manifest '{manifest}': permission is denied." in done.stderr, done.output


def test_a_collection_takes_nothing_whose_manifests_cannot_be_listed(store: Any, humbly: Ask) -> None:
    before = store.files("data/superseded")
    assert len(before) == 2
    with barred(store.root / "data/manifests"):
        done = humbly("cache", "gc", "--yes")
    assert done.returncode == 1, done.output
    assert store.files("data/superseded") == before
    assert not (store.root / "data/trash").exists()
    assert store.experiment("cache", "verify").stdout.startswith("6 files")


def test_manifests_that_are_not_there_are_no_error(store: Any) -> None:
    shutil.rmtree(store.root / "data/manifests")
    store.write("data/manifests/.DS_Store", "")
    assert "0 files" in store.experiment("cache", "verify").stdout
    assert store.experiment("reindex").stdout.startswith("0 traces and 2 runs")


def test_an_index_keeps_its_rows_where_it_cannot_be_made_anew(store: Any, humbly: Ask) -> None:
    folder = store.root / "data/manifests/experiments.two.begin"
    with barred(folder):
        assert humbly("reindex").returncode == 1
    assert "4 reuse" in store.experiment("two", "--map").stdout


def test_a_run_goes_on_without_what_it_cannot_list_and_a_later_one_finds_it(store: Any, humbly: Ask) -> None:
    for path in (store.root / "data").glob("index.db*"):
        path.unlink()
    with barred(store.root / "data/manifests/experiments.two.begin", mode=0o300):
        done = humbly("two", "--no-report", "--plain")
    assert done.returncode == 0, done.output
    assert "Could not list the manifests in" in done.stdout + done.stderr
    assert "4 reuse" in store.experiment("two", "--map").stdout


@pytest.mark.parametrize("is_folder", [True, False], ids=["folder", "calls"])
def test_a_collection_refuses_where_it_cannot_be_read_what_a_run_has_used(
    store: Any, humbly: Ask, is_folder: bool
) -> None:
    (run,) = (store.root / "data/runs").glob("two_1_*")
    with barred(run if is_folder else run / "calls.jsonl"):
        done = humbly("cache", "gc", "--yes")
    assert done.returncode == 1, done.output
    assert f"Could not read '{run}/calls.jsonl': permission is denied." in done.stderr
    assert "right to read" in done.stderr
    assert not (store.root / "data/trash").exists()


@pytest.mark.parametrize("how", ["gone", "damaged", "newer"])
def test_a_collection_keeps_what_a_tagged_run_has_used_whatever_became_of_its_manifests(
    store: Any, how: str
) -> None:
    store.experiment("tag", "two_1", "kept")
    aside = store.files("data/superseded")
    for manifest in (store.root / "data/manifests/experiments.two.end").glob("[!c]*.json"):
        if how == "gone":
            manifest.unlink()
        else:
            manifest.write_text('{"format": 1000}\n' if how == "newer" else "noise")
    store.experiment("cache", "gc", "--yes", "--keep-runs", "0")
    assert len(aside) == 2
    assert store.files("data/superseded").items() >= aside.items()


@pytest.mark.parametrize("words", [*LOOKING[1:], ("runs",)], ids=" ".join)
def test_runs_that_cannot_be_listed_are_an_error_that_says_what_to_do(
    store: Any, humbly: Ask, words: tuple[str, ...]
) -> None:
    runs = store.root / "data/runs"
    with barred(runs):
        done = humbly(*words)
    assert done.returncode == 1, done.output
    assert f"Could not list the runs in '{runs}': permission is denied. Give yourself the right to read" in (
        done.stderr
    ), done.output


def cached(store: Any, stage: str) -> list[Path]:
    return sorted((store.root / "data/cache").glob(f"*_{stage}_*"))


def test_a_cache_that_cannot_be_looked_into_is_not_told_as_modified(store: Any, humbly: Ask) -> None:
    with barred(store.root / "data/cache"):
        mapped = humbly("two", "--map")
        listed = humbly("cache", "ls", "--json")
        why = humbly("cache", "why", "two", "--json")
        ran = humbly("two", "--no-report", "--plain")
    assert "_end_y.json cannot be read" in mapped.stdout, mapped.output
    totals = json.loads(listed.stdout)["totals"]
    assert (totals["unreadable"], totals["modified"], totals["aside"]) == (3, 0, 3)
    assert {file["state"] for call in json.loads(why.stdout)["calls"] for file in call["artifacts"]} <= {
        "unreadable",
        "aside",
    }
    assert ran.returncode == 1
    for done in (mapped, listed, why, ran):
        assert "was modified" not in done.output, done.output
    assert "4 reuse" in store.experiment("two", "--map").stdout


def test_what_cannot_be_saved_names_the_folder_that_may_not_be_written(store: Any, humbly: Ask) -> None:
    store.write("experiments/two.py", EXPERIMENT.replace("10 *", "30 *"))
    cache = store.root / "data/cache"
    with barred(cache, mode=0o500):
        done = humbly("two", "--no-report", "--plain")
    assert done.returncode == 1
    assert f"Could not save the artifact '{cache}/" in done.output
    assert "right to write there" in done.output
    assert "data/staging" not in done.output


@pytest.mark.parametrize("is_folder", [True, False], ids=["folder", "file"])
def test_verify_tells_what_it_cannot_read_and_gives_no_all_clear(
    store: Any, humbly: Ask, is_folder: bool
) -> None:
    # What has no twin that lies aside.
    file = next(each for each in cached(store, "end") if json.loads(each.read_text()) == [40])
    with barred(store.root / "data/cache" if is_folder else file):
        done = humbly("cache", "verify")
        data = humbly("cache", "verify", "--json")
        moved = humbly("cache", "verify", "--set-aside")
    number = 3 if is_folder else 1
    assert [each.returncode for each in (done, data, moved)] == [1, 1, 1]
    assert f"unreadable  {file.name}  (end of two_2_" in done.stdout, done.output
    assert f"0 modified, 0 missing, {number} unreadable" in done.stdout
    assert "right to read" in done.stdout
    found = json.loads(data.stdout)
    assert (found["modified"], found["missing"], len(found["unreadable"])) == ([], [], number)
    assert file.exists()
    assert store.experiment("cache", "verify").stdout.startswith("6 files")


def test_a_value_that_cannot_be_read_is_made_again_and_the_warning_says_so(store: Any, humbly: Ask) -> None:
    store.write("experiments/two.py", EXPERIMENT.replace("10 *", "30 *"))
    file = cached(store, "begin")[0]
    with barred(file):
        done = humbly("two", "--no-report", "--plain")
    assert done.returncode == 0, done.output
    assert f"{file.name} cannot be read; begin of Record 1 (b) is made again." in done.output
    assert "modified" not in done.output

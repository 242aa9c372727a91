import json
import os
import shutil
from datetime import UTC, datetime, timedelta, timezone

import pytest

from curifactory.store.facts import merge_facts
from curifactory.store.index import Index
from curifactory.store.runs import RunStore

START = datetime(2026, 11, 21, 10, 15, tzinfo=UTC)


@pytest.fixture
def index(tmp_path):
    with Index(tmp_path / "index.db") as index:
        yield index


@pytest.fixture
def store(tmp_path, index):
    return RunStore(tmp_path / "runs", index)


def claim(store, number, **facts):
    run = store.claim("iris", now=START + timedelta(minutes=number))
    merge_facts(run.path, {"outcome": "complete", **facts})
    store.note(run.path)
    return run


def test_only_what_has_changed_since_a_mark_is_told(store):
    runs = [claim(store, number) for number in range(5)]
    mark = store.get_mark()
    assert store.read_changes(mark).rows == []
    merge_facts(runs[1].path, {"notes": "look at this"})
    store.note(runs[1].path)
    new = claim(store, 5)
    changes = store.read_changes(mark)
    assert [row.reference for row in changes.rows] == [runs[1].reference, new.reference]
    assert changes.rows[0].facts["notes"] == "look at this"
    assert store.read_changes(changes.mark).rows == []


def test_a_change_of_the_last_row_is_a_change(store):
    run = claim(store, 1)
    mark = store.get_mark()
    store.annotate(store.get(run.reference), add_tags=["paper"])
    assert [row.tags for row in store.read_changes(mark).rows] == [("paper",)]


def test_a_mark_of_another_index_tells_nothing(store, tmp_path):
    claim(store, 1)
    inode, last = store.get_mark().split(":")
    assert store.read_changes(f"{int(inode) + 1}:{last}") is None
    assert store.read_changes(f"{inode}:{int(last) + 1}") is None
    with Index(tmp_path / "other.db") as other:
        assert RunStore(tmp_path / "runs", other).read_changes(store.get_mark()) is None


def test_without_an_index_there_is_no_mark(tmp_path):
    store = RunStore(tmp_path / "runs", None)
    claim(store, 1)
    assert store.get_mark() is None
    assert store.read_changes("1:0") is None
    assert store.count_folders() == 1


def test_a_row_has_the_parameters_of_the_run(store):
    run = claim(store, 1)
    sets = [{"name": "a", "shown": {"n": 1, "lr": 0.1}}, {"name": "b", "shown": {"n": 2, "lr": 0.1}}]
    (run.path / "parameters.json").write_text(json.dumps(sets), encoding="utf-8")
    facts = store.read_row(run.reference).facts
    assert (facts["sets"], facts["parameters"]) == (2, {"n": ["1", "2"], "lr": "0.1"})


@pytest.mark.parametrize("content", ["", "[", "3", '["a"]', "[]"])
def test_parameters_that_cannot_be_read_do_not_cost_the_row(store, content):
    run = claim(store, 1)
    (run.path / "parameters.json").write_text(content, encoding="utf-8")
    row = store.read_row(run.reference)
    assert (row.reference, "parameters" in row.facts) == (run.reference, False)


def test_a_row_of_a_run_that_is_not_there_is_none(store):
    os.makedirs(store.folder)
    assert store.read_row("iris_1_2026-11-21-T101500") is None


def test_half_a_surrogate_pair_in_a_fact_does_not_cost_the_row(store):
    run = claim(store, 1)
    facts = json.loads((run.path / "run.json").read_text(encoding="utf-8")) | {"notes": "half: \ud800"}
    (run.path / "run.json").write_text(json.dumps(facts), encoding="ascii")
    store.note(run.path)
    row = next(iter(store.iter_rows()))
    assert row.facts["notes"].startswith("half")
    assert row.tags == ()


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_the_newest_rows_are_the_first_of_all_rows(tmp_path, index, limit):
    store = RunStore(tmp_path / "runs", index)
    for number in range(12):
        zone = timezone(timedelta(hours=number % 5 - 2))
        run = store.claim("iris", now=(START + timedelta(minutes=number * 7 % 12)).astimezone(zone))
        merge_facts(run.path, {"outcome": "complete"})
        store.note(run.path)
    assert store.iter_rows(limit=limit) == store.iter_rows()[:limit]
    assert store.iter_rows("iris", limit=limit) == store.iter_rows("iris")[:limit]
    assert store.count_folders("iris") == store.count_folders() == 12


def test_the_newest_rows_are_those_of_the_folders_that_are_there(store):
    runs = [claim(store, number) for number in range(6)]
    shutil.rmtree(runs[5].path)
    merge_facts(runs[4].path, {"notes": "look at this"})
    copied = runs[3].path.with_name("iris_9_2026-11-21-T103000")
    shutil.copytree(runs[3].path, copied)
    merge_facts(copied, {"started_at": (START + timedelta(minutes=9)).isoformat()})
    rows = store.iter_rows(limit=2)
    assert [row.reference for row in rows] == [copied.name, runs[4].reference]
    assert rows[1].facts["notes"] == "look at this"
    assert store.iter_rows(limit=2) == rows

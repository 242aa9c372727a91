"""More of what the rules of the engine settle: what a stage may read or change behind the back of its trace; named by entries."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

CASE = """
import dataclasses, os, pickle
from dataclasses import dataclass
from pathlib import Path
import numpy
import pandas
import curifactory as cf
from curifactory.caching import Cacheable, FileReferenceCacher, JsonCacher, PathRef, PickleCacher

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1

def get_params():
    return [Params(name="a", n=1)]

"""


@pytest.fixture
def case(here):
    """Give a function that writes a case and runs it."""

    def run(body: str, **options):
        here.write("experiments/case.py", CASE + body)
        return here.run(**options)

    run.here = here
    return run


# ----------------------------------------------------------------------------------------- 1. deferred execution, and values


@pytest.mark.parametrize("reads", ["r.state.get('x', 0)", "r.state['x']", "sum(r.state.values())"])
def test_1_4_what_a_helper_reads_of_the_state_counts_and_is_reused(case, reads: str) -> None:
    body = """
def look(r):
    return READS

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return 10 * FACTOR

@cf.stage(outputs=["y"], cachers=[JsonCacher])
def read(record):
    return look(record) + 1

def run(param_sets, manager):
    record = read(begin(cf.Record(manager, param_sets[0])))
    return END
""".replace("READS", reads)
    for end in ("record.state['y']", "record"):
        for factor in (1, 2, 1):
            ended = case(body.replace("FACTOR", str(factor)).replace("END", end))
            assert ended.manager.records[0].state["y"] == 10 * factor + 1
        again = case(body.replace("FACTOR", "1").replace("END", end))
        assert again.manager.records[0].state["y"] == 11
        assert again.executed == {}


CHANGED_IN_PLACE = """
def make(record):
    return VALUE

make_rows = cf.stage(outputs=["rows"])(make)

@cf.stage(inputs=["rows"], outputs=["y"], cachers=[JsonCacher])
def change(record, rows):
    CHANGE
    return ADDED

@cf.stage(inputs=["rows"], outputs=["z"], cachers=[JsonCacher])
def look(record, rows):
    return [LOOK, SUFFIX]

def run(param_sets, manager):
    record = cf.Record(manager, param_sets[0])
    ROWS
    look(change(record))
    return record
"""
VALUES = {
    "a list": ("[3, 1]", "rows.append(ADDED)", "rows"),
    "a list of lists": ("[[3], {'a': [1]}]", "rows[1]['a'].append(ADDED)", "rows"),
    "a frame": ("pandas.DataFrame({'a': [1, 2]})", "rows['a'] += ADDED", "rows['a'].tolist()"),
    "an array": ("numpy.arange(3)", "rows += ADDED", "rows.tolist()"),
    "a big array": ("numpy.zeros(2_000_000)", "rows += ADDED", "float(rows.sum())"),
    "a dataclass": ("Params(name='x', n=5)", "rows.n += ADDED", "rows.n"),
}
MADE = {"a stage without cacher": "make_rows(record)", "a person": "record.state['rows'] = make(record)"}


@pytest.mark.parametrize("made_by", MADE)
@pytest.mark.parametrize("kind", VALUES)
def test_1_5_what_a_stage_changes_in_place_others_are_not_given(case, kind: str, made_by: str) -> None:
    value, change, look = VALUES[kind]
    body = CHANGED_IN_PLACE.replace("VALUE", value).replace("CHANGE", change).replace("LOOK", look)
    body = body.replace("ROWS", MADE[made_by])
    seen = set()
    # Each edit makes another one of the two stages run, with the other one reused or not.
    for added, suffix in ((1, 1), (2, 1), (2, 2), (1, 2), (1, 1)):
        edited = body.replace("ADDED", str(added)).replace("SUFFIX", str(suffix))
        for options in ({}, {"eager": True}):
            state = case(edited, **options).result.state
            assert state["y"] == added
            assert state["z"][1] == suffix
            seen.add(str(state["z"][0]))
    assert len(seen) == 1
    assert case(body.replace("ADDED", "1").replace("SUFFIX", "1")).executed == {}


def test_1_5_a_keyword_that_a_stage_changes_in_place_is_known_by_what_was_given(case) -> None:
    body = """
@cf.stage(outputs=["y"], cachers=[JsonCacher])
def count(record, rows=None):
    rows.append(0)
    return len(rows)

def run(param_sets, manager):
    given = GIVEN
    return count(cf.Record(manager, param_sets[0]), rows=given).state["y"], given
"""
    for given, counted in (("[5]", 2), ("[5, 0]", 3), ("[5]", 2)):
        assert case(body.replace("GIVEN", given)).result == (counted, eval(given))
    assert case(body.replace("GIVEN", "[5, 0]")).executed == {}


def test_1_5_what_cannot_be_copied_and_is_changed_makes_a_call_that_is_not_reused(case) -> None:
    body = """
class Tally:
    def __init__(self):
        self.count = 5

@cf.stage(inputs=["tally"], outputs=["y"], cachers=[JsonCacher])
def count(record, tally):
    tally.count += 1
    return tally.count

def run(param_sets, manager):
    record = cf.Record(manager, param_sets[0])
    record.state["tally"] = Tally()
    return count(record).state["y"]
"""
    for _ in range(2):
        ended = case(body)
        assert ended.result == 6
        assert ended.executed == {"count": 1}
        assert [text for text in ended.warnings if "it changes 'tally' in place" in text]


# -------------------------------------------------------------------------------------------------------- 2. verifying traces


def test_2_1_classes_deep_in_a_value_of_an_own_cacher_count(case) -> None:
    body = """
from models import Net

class Pickled(Cacheable):
    extension = ".own"

    def save(self, value):
        with open(self.get_path(), "wb") as file:
            pickle.dump(value, file)

    def load(self):
        with open(self.get_path(), "rb") as file:
            return pickle.load(file)

@cf.stage(outputs=["x"], cachers=[Pickled])
def make(record):
    return {"deep": [({"deeper": Net()},)]}

@cf.stage(inputs=["x"], outputs=["y"], cachers=[JsonCacher])
def use(record, x):
    return x["deep"][0][0]["deeper"].predict()

def run(param_sets, manager):
    return use(make(cf.Record(manager, param_sets[0]))).state["y"]
"""
    for value in (1, 2, 1):
        case.here.write("models.py", f"class Net:\n    def predict(self):\n        return {value}\n")
        assert case(body).result == value
    assert case(body).executed == {}


SHARED = """
@cf.stage(outputs=["x"], cachers=[JsonCacher])
def tell(record):
    return str(record.manager.READ)

def run(param_sets, manager):
    return tell(cf.Record(manager, param_sets[0])).state["x"]
"""


def test_2_3_the_name_of_the_experiment_counts_for_who_reads_it(here) -> None:
    here.write("shared.py", CASE + SHARED.replace("READ", "experiment_name"))
    for name in ("one", "two"):
        here.write(f"experiments/{name}.py", "from shared import get_params, run\n")
        assert here.run(name).result == name
    assert here.run("one").executed == {}


@pytest.mark.parametrize("name", ["notes", "prefix"])
def test_2_3_what_is_said_of_a_run_counts_for_who_reads_it(case, name: str) -> None:
    body = SHARED.replace("READ", name)
    for said in ("one", "two", "one"):
        assert case(body, **{name: said}).result == said
    assert case(body, **{name: "two"}).executed == {}


@pytest.mark.parametrize("read", ["experiment_run_number", "reference", "get_reference_name()", "run_folder"])
def test_2_3_what_every_run_has_of_its_own_makes_a_call_that_is_not_reused(case, read: str) -> None:
    body = SHARED.replace("READ", read)
    results = [case(body), case(body)]
    assert results[0].result != results[1].result
    assert [text for text in results[1].warnings if "which is another in every run" in text]


def test_2_11_a_path_in_a_saved_value_is_made_anew_where_the_project_has_been_moved(
    case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = """
@cf.stage(outputs=["path"], cachers=[JsonCacher])
def write(record):
    path = record.get_path("notes.txt")
    Path(path).write_text("kept")
    return {"where": [path]}

@cf.stage(outputs=["ref"], cachers=[FileReferenceCacher])
def refer(record):
    path = record.get_path("more.txt")
    Path(path).write_text("kept")
    return [path]

@cf.stage(inputs=["path", "ref"], outputs=["text"], cachers=[JsonCacher])
def read(record, path, ref):
    return Path(path["where"][0]).read_text() + Path(ref[0]).read_text()

def run(param_sets, manager):
    return read(refer(write(cf.Record(manager, param_sets[0]))))
"""
    case(body)
    assert case(body).executed == {}
    case.here.project.root.rename(tmp_path / "moved")
    monkeypatch.chdir(tmp_path / "moved")
    moved = type(case.here)(type(case.here.project)(tmp_path / "moved"))
    ended = moved.run()
    # What a cacher of files keeps goes where the files go; a path in a text does not.
    assert ended.executed.get("write") == 1
    assert "refer" not in ended.executed
    assert ended.result.state["path"]["where"][0].startswith(str(tmp_path / "moved") + os.sep)
    assert ended.result.state["text"] == "keptkept"


# ------------------------------------------------------------------------------------------------------ 5. code fingerprints


def test_5_2_that_a_whole_module_counts_is_said_once_and_only_where_something_runs(case) -> None:
    case.here.write("methods.py", "def plus(x):\n    return x + 1\n")
    body = """
import methods

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return globals()["methods"].plus(record.params.n)

@cf.stage(inputs=["x"], outputs=["y"], cachers=[JsonCacher])
def end(record, x):
    return eval("x + 1")

def run(param_sets, manager):
    return end(begin(cf.Record(manager, param_sets[0])))
"""
    said = [text for text in case(body).warnings if "all of this module counts" in text]
    assert len(said) == len(set(said)) == 2
    assert [text for text in case(body).warnings if "counts" in text] == []

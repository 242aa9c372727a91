"""More of what the rules of the engine settle: what a stage may read or change behind the back of its trace; named by entries."""

from __future__ import annotations

import json
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


# ------------------------------------------------------------------------------- what reads did not show before they were sought


def anew(case, body: str):
    """Run a case beside its cache; return what a run without any earlier result gives."""
    return case(body, cache=Path(f"anew_{abs(hash(body))}/cache")).result


FORKS = """
@cf.stage(outputs=["x"], cachers=[JsonCacher])
def fork(record):
    into, out = os.pipe()
    params, state = record.params, record.state
    child = os.fork()
    if child == 0:
        os.write(out, str(READ).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(out)
    with os.fdopen(into) as pipe:
        return pipe.read()

@cf.stage(outputs=["before"], cachers=[JsonCacher])
def begin(record):
    return 1

def run(param_sets, manager):
    record = fork(begin(cf.Record(manager, dataclasses.replace(param_sets[0], n=N))))
    return record.state["x"]
"""


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_2_2_what_a_forked_process_reads_of_the_parameters_counts_as_read_whole(case) -> None:
    body = FORKS.replace("READ", "params.n + 1")
    assert case(body.replace("N)", "1)")).result == "2"
    assert case(body.replace("N)", "5)")).result == "6"
    assert case(body.replace("N)", "1)")).executed == {}


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_2_2_what_a_forked_process_does_not_read_does_not_count(case) -> None:
    body = FORKS.replace("READ", "1 + 1")
    assert case(body.replace("N)", "1)")).result == "2"
    assert case(body.replace("N)", "5)")).executed == {}


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_1_4_a_state_that_a_forked_process_reads_makes_a_call_that_is_not_reused(case) -> None:
    body = FORKS.replace("READ", "state['before'] + 1").replace("N)", "1)")
    assert case(body).result == "2"
    ended = case(body.replace("return 1\n", "return 7\n"))
    assert ended.result == "8"
    assert any("a process that it has forked reads the state" in each for each in ended.warnings)


OUTPUTS = """
@cf.stage(outputs=["first"], cachers=[JsonCacher])
def one(record):
    return 1

@cf.stage(outputs=["second"], cachers=[JsonCacher])
def two(record):
    return 2

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def look(record):
    return record.output

@cf.aggregate(outputs=["y"], cachers=[JsonCacher])
def gather(record, records):
    return [each.output for each in records]

def run(param_sets, manager):
    record = cf.Record(manager, param_sets[0])
    whole = cf.Record(manager, param_sets[0])
    CALLS
    return whole.state["y"], record.state["x"] if "x" in record.state else None
"""


@pytest.mark.parametrize("options", [{}, {"eager": True}, {"jobs": 2}])
def test_1_3_the_output_of_the_stage_before_is_that_at_the_moment_of_the_call(case, options) -> None:
    def ended(calls: str):
        return case(OUTPUTS.replace("CALLS", calls), **options)

    assert ended("one(record); two(record); look(record); gather(whole, [record])").result == ([2], 2)
    assert ended("two(record); one(record); look(record); gather(whole, [record])").result == ([1], 1)
    assert ended("one(record); gather(whole, [record]); two(record)").result == ([1], None)
    ended("one(record); two(record); gather(whole, [record])")
    assert ended("one(record); two(record); gather(whole, [record])").executed == {}


@pytest.mark.parametrize(
    ("given", "read", "edit"),
    [
        ("{k: 1 for k in 'ab'}", "list(v)", ("'ab'", "'ba'")),
        ("[{1: 2, 3: 4}]", "list(v[0])", ("{1: 2, 3: 4}", "{3: 4, 1: 2}")),
        ("Params(name='aa')", "v.name", ("'aa'", "'bb'")),
    ],
)
@pytest.mark.parametrize("by", ["record.state['v'] = GIVEN\n    read(record)", "read(record, v=GIVEN)"])
def test_2_14_of_what_is_given_by_hand_all_counts_that_a_stage_can_see(case, given, read, edit, by) -> None:
    body = """
@cf.stage(["v"], ["x"], [JsonCacher])
def read(record, v):
    return READ

def run(param_sets, manager):
    record = cf.Record(manager, param_sets[0])
    BY
    return record.state["x"]
"""
    body = body.replace("READ", read).replace("BY", by).replace("GIVEN", given)
    first = case(body).result
    changed = body.replace(*edit)
    assert case(changed).result == anew(case, changed) != first
    assert case(changed).executed == {}


MADE_BY = """
@cf.stage(outputs=["v"], cachers=[%s])
def make(record):
    return record.params.n * 10

@cf.stage(["v"], ["x"], [JsonCacher])
def read(record, v):
    return v + 1
"""


def test_2_1_what_a_cacher_keeps_beside_the_bytes_is_a_part_of_the_value(case) -> None:
    body = (
        """
class Beside(Cacheable):
    extension = ".txt"
    def save(self, value):
        self.extra_metadata["value"] = value
        Path(self.get_path()).write_text("always the same")
    def load(self):
        return self.extra_metadata["value"]
"""
        + MADE_BY % "Beside"
        + """
def run(param_sets, manager):
    sets = [dataclasses.replace(param_sets[0], name=str(n), n=n) for n in (1, 2)]
    return [read(make(cf.Record(manager, params))).state["x"] for params in sets]
"""
    )
    assert case(body).result == [11, 21]
    assert case(body.replace("* 10", "* 100")).result == [101, 201]
    assert case(body).executed == {}


def test_2_1_what_a_cacher_keeps_beside_the_bytes_may_have_names_that_are_no_texts(case) -> None:
    body = (
        """
class Counted(Cacheable):
    extension = ".txt"
    def save(self, value):
        self.extra_metadata.update(counts={10: 1, 9: (2, 3), "all": 3}, others={10: 1, 9: 2})
        Path(self.get_path()).write_text(str(value))
    def load(self):
        return int(Path(self.get_path()).read_text())
"""
        + MADE_BY % "Counted"
        + """
def run(param_sets, manager):
    return read(make(cf.Record(manager, param_sets[0]))).state["x"]
"""
    )
    assert case(body).executed == {"make": 1, "read": 1}
    assert case(body).executed == {}


def test_2_9_a_saved_value_with_sets_counts_with_the_order_of_its_dictionaries(case) -> None:
    body = """
@cf.stage(outputs=["v"], cachers=[PickleCacher])
def make(record):
    return {k: {ord(k)} for k in "ab"}

@cf.stage(["v"], ["x"], [JsonCacher])
def read(record, v):
    return list(v)

def run(param_sets, manager):
    return read(make(cf.Record(manager, param_sets[0]))).state["x"]
"""
    assert case(body).result == ["a", "b"]
    assert case(body.replace('"ab"', '"ba"')).result == ["b", "a"]


EDITS = """
@cf.stage(outputs=["x"], cachers=[JsonCacher], depends=["table.txt"])
def work(record):
    CHANGE
    import late
    return [late.f(), Path("table.txt").read_text()]

def run(param_sets, manager):
    return work(cf.Record(manager, param_sets[0])).state["x"]
"""


@pytest.mark.parametrize("options", [{}, {"jobs": 2}])
@pytest.mark.parametrize(
    ("file", "found"), [("late.py", [22, "A"]), ("table.txt", [1, "def f(): return 22\n"])]
)
def test_5_1_what_is_edited_while_a_stage_runs_that_reads_it_later_leaves_no_trace(
    case, file, found, options
) -> None:
    case.here.write("table.txt", "A")
    case.here.write("late.py", "def f(): return 1\n")
    change = "os.path.exists('go') and Path('FILE').write_text('def f(): return 22\\n')".replace("FILE", file)
    body = EDITS.replace("CHANGE", change)
    case.here.write("go", "")
    ended = case(body, **options)
    assert ended.result == found
    assert any(f"{file} was changed while it was executed" in each for each in ended.warnings)
    # Somebody goes back to what it was when the run began.
    (case.here.project.root / "go").unlink()
    case.here.write("table.txt", "A")
    case.here.write("late.py", "def f(): return 1\n")
    assert case(body, **options).result == [1, "A"]
    assert case(body, **options).executed == {}


STAGES_ELSEWHERE = """
import string
import curifactory as cf
from curifactory.caching import JsonCacher

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def read(record):
    return getattr(string, "of_patches", 0)
"""
ENTRANCE = """
import sys
sys.path.append(sys.path[0])
IMPORTS
import curifactory as cf
from stages_elsewhere import read

def get_params():
    return [cf.ExperimentParameters(name="a")]

def run(param_sets, manager):
    return read(cf.Record(manager, param_sets[0])).state["x"]
"""


@pytest.mark.parametrize("arguments", [[], ["-j", "2"]])
def test_5_2_what_only_the_experiments_file_imports_for_its_effect_counts_for_all_stages(project, arguments):
    project.write("stages_elsewhere.py", STAGES_ELSEWHERE)
    for name, imports in (("one", "import patches"), ("two", "import patches"), ("none", "")):
        project.write(f"experiments/{name}.py", ENTRANCE.replace("IMPORTS", imports))

    def value_of(name: str) -> tuple[int, bool]:
        project.experiment(name, "--no-report", *arguments)
        told = json.loads(project.experiment("show", f"{name}/-1", "--json").stdout)
        [call] = told["calls"]
        kept = json.loads(next(project.root.glob(f"data/cache/{name}_*_read_x.json")).read_text())
        return kept, call["outcome"] == "ran"

    for number in (1, 22):
        project.write("patches.py", f"import string\nstring.of_patches = {number}\n")
        assert value_of("one") == (number, True)
        assert value_of("one") == (number, False)
        # It does the same, and so what it makes is shared.
        assert value_of("two") == (number, False)
        assert value_of("none") == (0, number == 1)
    plan = project.experiment("cache", "gc", "--keep-runs", "0").stdout
    assert "1 result that nobody would use" in plan

"""The hard cases that the rules of the engine settle, at the level of whole runs; a test is named by its entry."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import curifactory as cf
from curifactory.core.outcomes import CallOutcome

HEAD = """
import dataclasses, functools, os, threading
from pathlib import Path
from dataclasses import dataclass, field
import curifactory as cf
from curifactory.caching import Cacheable, FileReferenceCacher, JsonCacher, Lazy, PathRef, PickleCacher

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1
    m: int = 1

def get_params():
    return [Params(name="a", n=1), Params(name="b", n=2)]

"""


@pytest.fixture
def case(here):
    """Give a function that writes a case and runs it."""

    def run(body: str, **options):
        here.write("experiments/case.py", HEAD + body)
        return here.run(**options)

    run.here = here
    return run


# ------------------------------------------------------------------------------- 1. deferred execution against user code


def test_1_3_a_stage_sees_the_records_of_the_moment_of_its_call(case) -> None:
    body = """
@cf.stage(outputs=["count"], cachers=[JsonCacher])
def count(record):
    return len(record.manager.records)

def run(param_sets, manager):
    return [count(cf.Record(manager, p)) for p in param_sets]
"""
    for options in ({}, {}, {"eager": True, "overwrite": True}):
        ended = case(body, **options)
        assert [record.state["count"] for record in ended.result] == [1, 2]


def test_1_3_a_stage_sees_the_entries_of_the_moment_of_its_call(case) -> None:
    body = """
@cf.stage(outputs=["known"], cachers=[JsonCacher])
def list_names(record):
    return sorted(record.state)

def run(param_sets, manager):
    first, second = [cf.Record(manager, p) for p in param_sets]
    list_names(first)
    second.state["more"] = 1
    list_names(second)
    first.state["later"] = 1
    return first, second
"""
    for _ in range(2):
        ended = case(body)
        assert [record.state["known"] for record in ended.result] == [[], ["more"]]


CHANGED_LATE = """
@cf.stage(outputs=["rows"], cachers=[CACHER])
def make_rows(record):
    return [1, 2]

@cf.stage(inputs=["rows"], outputs=["count"], cachers=[JsonCacher])
def count(record, rows):
    return len(rows)

def run(param_sets, manager):
    record = count(make_rows(cf.Record(manager, param_sets[0])))
    record.state["rows"].append(3)
"""


@pytest.mark.parametrize("cacher", ["PickleCacher", "None"])
def test_1_5_a_value_changed_after_the_call_that_takes_it_is_refused(case, cacher: str) -> None:
    body = CHANGED_LATE.replace("CACHER", cacher)
    with pytest.raises(cf.StageError, match=r"'rows' was changed between the call of 'count'.*--eager"):
        case(body)
    assert case(body, eager=True).manager.records[0].state["count"] == 2


def test_1_5_it_is_refused_also_where_a_trace_would_hold(case) -> None:
    body = CHANGED_LATE.replace("CACHER", "PickleCacher")
    # The same stage has been given the changed rows before, so that there is a trace of them.
    case(
        body.replace(
            "record = count(make_rows(cf.Record(manager, param_sets[0])))",
            "record = make_rows(cf.Record(manager, param_sets[0]))",
        )
        + "    count(record)\n"
    )
    with pytest.raises(cf.StageError, match=r"'rows' was changed between the call of 'count'"):
        case(body)


def test_1_5_a_stage_cannot_change_what_a_person_holds(case) -> None:
    ended = case(
        """
@cf.stage(outputs=["rows"], cachers=[PickleCacher])
def make_rows(record):
    return [3, 1, 2]

@cf.stage(inputs=["rows"], outputs=["least"])
def take_least(record, rows):
    rows.sort()
    return rows.pop(0)

def run(param_sets, manager):
    record = make_rows(cf.Record(manager, param_sets[0]))
    held = record.state["rows"]
    return take_least(record).state["least"], held, record.state["rows"]
"""
    )
    assert ended.result == (1, [3, 1, 2], [3, 1, 2])


# ---------------------------------------------------------------------------------------------------- 2. verifying traces

MODEL = """
class Net:
    def __init__(self, weight):
        self.weight = weight

    def predict(self, x):
        return self.weight * x
"""

TRAINED = """
from models import Net

@cf.stage(outputs=["model"], cachers=[PickleCacher])
def train(record):
    return {kept}

@cf.stage(inputs=["model"], outputs=["score"], cachers=[JsonCacher])
def evaluate(record, model):
    return {used}

def run(param_sets, manager):
    return [evaluate(train(cf.Record(manager, p))).state["score"] for p in param_sets]
"""


@pytest.mark.parametrize(
    ("kept", "used"),
    [
        ("Net(record.params.n)", "model.predict(10)"),
        ("[Net(record.params.n)]", "model[0].predict(10)"),
        ("{'deep': {'deeper': (Net(record.params.n),)}}", "model['deep']['deeper'][0].predict(10)"),
        ("Net(record.params.n).predict", "model(10)"),
        ("functools.partial(Net.predict, Net(record.params.n))", "model(10)"),
    ],
)
def test_2_1_a_method_of_a_saved_value_counts_for_whoever_is_given_it(case, kept: str, used: str) -> None:
    case.here.write("models.py", MODEL)
    body = TRAINED.replace("{kept}", kept).replace("{used}", used)
    assert case(body).result == [10, 20]
    case.here.edit("models.py", {"self.weight * x": "self.weight * x + 1"})
    assert case(body).result == [11, 21]
    case.here.edit("models.py", {"self.weight * x + 1": "self.weight * x"})
    ended = case(body)
    assert ended.result == [10, 20]
    assert ended.executed == {}


def test_2_1_a_base_of_the_class_of_a_saved_value_counts(case) -> None:
    case.here.write("bases.py", "class Base:\n    def predict(self, x):\n        return self.weight * x\n")
    case.here.write(
        "models.py",
        "from bases import Base\nclass Net(Base):\n    def __init__(self, weight):\n        self.weight = weight\n",
    )
    body = TRAINED.replace("{kept}", "Net(record.params.n)").replace("{used}", "model.predict(10)")
    assert case(body).result == [10, 20]
    case.here.edit("bases.py", {"self.weight * x": "self.weight * x + 1"})
    assert case(body).result == [11, 21]


OWN_CACHER = """
class Doubling(Cacheable):
    extension = ".txt"

    def __init__(self, factor=2, **options):
        super().__init__(**options)
        self.factor = factor

    def save(self, value):
        with open(self.get_path(), "w") as file:
            file.write(repr(value))

    def load(self):
        with open(self.get_path()) as file:
            return int(file.read()) * self.factor

@cf.stage(outputs=["x"], cachers=[{cacher}])
def begin(record):
    return record.params.n

@cf.stage(inputs=["x"], outputs=["y"], cachers=[JsonCacher])
def add_one(record, x):
    return x + 1

def run(param_sets, manager):
    return [add_one(begin(cf.Record(manager, p))).state["y"] for p in param_sets]
"""


def test_2_1_code_and_arguments_of_a_cacher_count(case) -> None:
    assert case(OWN_CACHER.replace("{cacher}", "Doubling")).result == [3, 5]
    assert case(OWN_CACHER.replace("{cacher}", "Doubling(factor=3)")).result == [4, 7]
    edited = OWN_CACHER.replace("int(file.read()) *", "1 + int(file.read()) *")
    assert case(edited.replace("{cacher}", "Doubling")).result == [4, 6]
    assert case(OWN_CACHER.replace("{cacher}", "Doubling")).result == [3, 5]


def test_2_1_methods_of_parameters_count(case) -> None:
    body = """
class Tool:
    def __init__(self, size):
        self.size = size

    def work(self):
        return self.size * 2

@dataclass
class Rich(Params):
    tool: object = field(default_factory=lambda: Tool(3))

    @property
    def double(self):
        return self.n * 2

    def triple(self):
        return self.m * 3

def get_params():
    return [Rich(name="only", n=1, m=1)]

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    p = record.params
    return [p.double, p.triple(), p.tool.work()]

def run(param_sets, manager):
    return begin(cf.Record(manager, param_sets[0])).state["x"]
"""
    assert case(body).result == [2, 3, 6]
    assert case(body.replace("self.n * 2", "self.n * 5")).result == [5, 3, 6]
    assert case(body.replace("self.m * 3", "self.m * 7")).result == [2, 7, 6]
    assert case(body.replace("self.size * 2", "self.size * 9")).result == [2, 3, 27]
    assert case(body.replace("m=1)]", "m=4)]")).result == [2, 12, 6]


ESCAPES = {
    "the view itself": ("record.params", "kept.n"),
    "an object that holds it": ("Holder(record.params)", "kept.held.n"),
    "a closure over it": ("(lambda p: lambda: p.n)(record.params)", "kept()"),
    "a bound method of it": ("record.params.get_n", "kept()"),
}


@pytest.mark.parametrize("how", ESCAPES)
def test_2_2_what_is_read_later_of_parameters_that_escaped_counts(case, how: str) -> None:
    kept, used = ESCAPES[how]
    body = """
KEPT = []

class Holder:
    def __init__(self, held):
        self.held = held

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1

    def get_n(self):
        return self.n

def get_params():
    return [Params(name="only", n=VALUE)]

@cf.stage(outputs=["kept"])
def keep(record):
    return KEPT_

@cf.stage(inputs=["kept"], outputs=["seen"], cachers=[JsonCacher])
def look(record, kept):
    return USED

def run(param_sets, manager):
    return look(keep(cf.Record(manager, param_sets[0]))).state["seen"]
""".replace("KEPT_", kept).replace("USED", used)
    for value in (1, 2, 1):
        assert case(body.replace("VALUE", str(value))).result == value


def test_2_2_a_global_by_which_one_stage_tells_another_something_is_refused(case) -> None:
    body = """
KEPT = []

@cf.stage(outputs=["kept"])
def keep(record):
    KEPT.append(record.params)
    return 1

@cf.stage(inputs=["kept"], outputs=["seen"], cachers=[JsonCacher])
def look(record, kept):
    return KEPT[-1].n

def run(param_sets, manager):
    look(keep(cf.Record(manager, param_sets[0])))
"""
    with pytest.raises(cf.StageError, match=r"Something that 'look' reaches was changed between its call"):
        case(body)


def test_2_2_a_saved_view_comes_back_as_the_plain_set(case) -> None:
    body = """
@cf.stage(outputs=["kept"], cachers=[PickleCacher])
def keep(record):
    return record.params

@cf.stage(inputs=["kept"], outputs=["seen"], cachers=[JsonCacher])
def look(record, kept):
    return [type(kept) is Params, kept.n]

def run(param_sets, manager):
    return [look(keep(cf.Record(manager, p))).state["seen"] for p in param_sets]
"""
    assert case(body).result == [[True, 1], [True, 2]]
    assert case(body).executed == {}


ROADS = {
    "a closure": ("@cf.stage(outputs=['x'], cachers=[JsonCacher])\ndef begin(record):\n    return held()\n", "def make(p):\n    return lambda: p.n\nheld = make(Params(name='only', n=VALUE))\n"),
    "a global": ("@cf.stage(outputs=['x'], cachers=[JsonCacher])\ndef begin(record):\n    return PARAMS.n\n", "PARAMS = Params(name='only', n=VALUE)\n"),
    "a default": ("@cf.stage(outputs=['x'], cachers=[JsonCacher])\ndef begin(record):\n    return read()\n", "def read(p=Params(name='only', n=VALUE)):\n    return p.n\n"),
    "a partial": ("@cf.stage(outputs=['x'], cachers=[JsonCacher])\ndef begin(record):\n    return read()\n", "read = functools.partial(getattr, Params(name='only', n=VALUE), 'n')\n"),
}  # fmt: skip


@pytest.mark.parametrize("road", ROADS)
def test_2_3_parameters_that_come_by_another_road_count(case, road: str) -> None:
    stage, before = ROADS[road]
    body = f"{before}\n{stage}\ndef run(param_sets, manager):\n    return begin(cf.Record(manager, None)).state['x']\n"
    for value in (1, 2, 1):
        assert case(body.replace("VALUE", str(value))).result == value


def test_2_3_a_keyword_that_is_a_parameter_set_counts(case) -> None:
    body = """
@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record, other=None):
    return other.n

def run(param_sets, manager):
    return begin(cf.Record(manager, None), other=dataclasses.replace(param_sets[0], n=VALUE)).state["x"]
"""
    for value in (1, 2, 1):
        assert case(body.replace("VALUE", str(value))).result == value


@pytest.mark.parametrize(
    "read",
    [
        "record.manager.records[0].params.n",
        "sum(each.params.n for each in record.manager.records)",
        "record.input_records[0].params.n",
    ],
)
def test_2_3_other_records_that_a_stage_finds_by_itself_are_never_stale(case, read: str) -> None:
    body = """
def get_params():
    return [Params(name="a", n=VALUE), Params(name="b", n=2)]

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return READ

def run(param_sets, manager):
    first = cf.Record(manager, param_sets[0])
    return begin(first.make_copy(param_sets[1])).state["x"]
""".replace("READ", read)
    results = [case(body.replace("VALUE", str(value))).result for value in (1, 5)]
    assert results[1] - results[0] == 4


def test_2_3_hash_and_equality_of_parameters_read_them_whole(case) -> None:
    body = """
@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1
    m: int = 1

    def __hash__(self):
        return hash(self.n)

def get_params():
    return [Params(name="only", n=VALUE)]

@functools.lru_cache
def work(params):
    return params.n

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return [work(record.params), record.params == Params(name="only", n=1)]

def run(param_sets, manager):
    return begin(cf.Record(manager, param_sets[0])).state["x"]
"""
    for value in (1, 2, 1):
        assert case(body.replace("VALUE", str(value))).result == [value, value == 1]


def test_2_4_an_uncached_value_is_known_by_the_call_that_made_it(case) -> None:
    body = """
@cf.stage(outputs=["rows"])
def make_rows(record):
    return [record.params.n] * SIZE

@cf.stage(inputs=["rows"], outputs=["sum"], cachers=[JsonCacher])
def add(record, rows):
    return sum(rows)

def run(param_sets, manager):
    for p in param_sets:
        add(make_rows(cf.Record(manager, p)))
"""
    assert case(body.replace("SIZE", "2")).executed == {"make_rows": 2, "add": 2}
    assert case(body.replace("SIZE", "2")).executed == {}
    ended = case(body.replace("SIZE", "3"))
    assert ended.executed == {"make_rows": 2, "add": 2}
    assert [record.state["sum"] for record in ended.manager.records] == [3, 6]


GATHERED = """
@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return record.params.n

@cf.aggregate(inputs=INPUTS, outputs=["found"], cachers=[JsonCacher])
def gather(record, recordsARGUMENTS):
    return READ

def run(param_sets, manager):
    records = [begin(cf.Record(manager, p)) for p in param_sets]
    return gather(cf.Record(manager, None), RECORDS).state["found"]
"""


OF_RECORDS = {
    "len(records)": [2, 1, 2, 0],
    "[each.params.n for each in records]": [[1, 2], [2], [2, 1], []],
    "[each.state['x'] for each in records]": [[1, 2], [2], [2, 1], []],
    "[each.get_record_index() for each in records]": [[0, 1], [1], [1, 0], []],
    "[each.get_reference_name() for each in records][:1]": [
        ["Record 0 (a)"],
        ["Record 1 (b)"],
        ["Record 1 (b)"],
        [],
    ],
}
OF_INPUTS = {
    **OF_RECORDS,
    "list(x.values())": [[1, 2], [2], [2, 1], []],
    "[records.index(each) for each in x]": [[0, 1], [0], [0, 1], []],
}


@pytest.mark.parametrize(
    ("declared", "read"), [(True, read) for read in OF_INPUTS] + [(False, read) for read in OF_RECORDS]
)
def test_2_6_number_order_and_names_of_an_aggregates_records_count(case, declared: bool, read: str) -> None:
    body = GATHERED.replace("INPUTS", '["x"]' if declared else "None").replace(
        "ARGUMENTS", ", x" if declared else ""
    )
    body = body.replace("READ", read)
    for _ in range(2):
        found = [
            case(body.replace("RECORDS", which)).result
            for which in ("None", "records[1:]", "records[::-1]", "[]")
        ]
        assert found == OF_INPUTS[read]


def test_2_6_an_aggregate_is_not_told_that_its_own_record_lacks_its_inputs(case) -> None:
    body = """
@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return record.params.n

@cf.aggregate(inputs=["x"], outputs=["found"], cachers=[JsonCacher])
def gather(record, records, x):
    return sorted(x.values())

def run(param_sets, manager):
    for p in param_sets[FIRST:]:
        begin(cf.Record(manager, p))
    if FIRST:
        cf.Record(manager, param_sets[0])
    return gather(cf.Record(manager, None), manager.records).state["found"]
"""
    for first, found, told in (
        ("0", [1, 2], []),
        ("1", [2], ["Aggregate 'gather': Record 1 (a) has no 'x'."]),
    ):
        ended = case(body.replace("FIRST", first))
        assert ended.result == found
        assert [text for text in ended.warnings if text.startswith("Aggregate")] == told


def test_2_6_an_input_that_a_record_lacks_is_a_read(case) -> None:
    body = """
@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return record.params.n

@cf.aggregate(inputs=["x"], outputs=["found"], cachers=[JsonCacher])
def gather(record, records, x):
    return [x.get(each) for each in records]

def run(param_sets, manager):
    first, second = [cf.Record(manager, p) for p in param_sets]
    LINES
    return gather(cf.Record(manager, None)).state["found"]
"""
    cases = {
        "begin(first); begin(second)": [1, 2],
        "begin(first)": [1, None],
        "begin(second)": [None, 2],
        "pass": [None, None],
    }
    for _ in range(2):
        for lines, found in cases.items():
            assert case(body.replace("LINES", lines)).result == found


def test_2_8_another_cacher_makes_the_artifact_it_lacks_and_keeps_the_others_results(case) -> None:
    body = """
@cf.stage(outputs=["x"], cachers=[CACHER])
def begin(record):
    return [record.params.n]

@cf.stage(inputs=["x"], outputs=["y"], cachers=[JsonCacher])
def add(record, x):
    return sum(x)

def run(param_sets, manager):
    add(begin(cf.Record(manager, param_sets[0])))
"""
    case(body.replace("CACHER", "JsonCacher"))
    ended = case(body.replace("CACHER", "PickleCacher"))
    assert ended.reasons["begin"] == "has no PickleCacher artifact"
    assert len(case.here.cached("*_begin_x.pkl")) == 1
    assert case(body.replace("CACHER", "PickleCacher")).executed == {}


def test_2_8_an_output_without_cacher_after_a_run_that_saved_everything(case) -> None:
    body = """
@cf.stage(outputs=["x"])
def begin(record):
    return [record.params.n]

@cf.stage(inputs=["x"], outputs=["y"], cachers=[JsonCacher])
def add(record, x):
    return sum(x)

def run(param_sets, manager):
    add(begin(cf.Record(manager, param_sets[0])))
"""
    for options in ({"lazy": True}, {}, {"overwrite_stages": ("add",)}, {"lazy": True}):
        ended = case(body, **options)
        assert dict(ended.manager.records[0].state) == {"x": [1], "y": 1}


def test_r7_what_a_cacher_makes_of_a_value_is_what_everybody_gets(case) -> None:
    body = OWN_CACHER.replace("{cacher}", "Doubling")
    assert case(body).result == [3, 5]
    assert case(body).result == [3, 5]
    assert [record.state["x"] for record in case(body, overwrite=True).manager.records] == [2, 4]


def test_2_10_a_referenced_file_that_changed_makes_its_stage_run(case) -> None:
    body = """
@cf.stage(outputs=["paths"], cachers=[FileReferenceCacher])
def find_files(record):
    if not os.path.exists("rows.txt"):
        Path("rows.txt").write_text("1 2 3")
    return ["rows.txt"]

@cf.stage(inputs=["paths"], outputs=["sum"], cachers=[JsonCacher])
def add(record, paths):
    return sum(map(int, Path(paths[0]).read_text().split()))

def run(param_sets, manager):
    return add(find_files(cf.Record(manager, param_sets[0]))).state["sum"]
"""
    assert case(body).result == 6
    assert case(body).executed == {}
    case.here.write("rows.txt", "1 2 3 4")
    ended = case(body)
    assert ended.result == 10
    assert ended.reasons["find_files"] == "file rows.txt changed"
    (case.here.project.root / "rows.txt").unlink()
    assert case(body).result == 6


def test_2_10_one_path_for_two_sets_is_told_and_never_mixed_up(case) -> None:
    body = """
@cf.stage(outputs=["x"], cachers=[JsonCacher(path_override="data/cache/one.json")])
def begin(record):
    return record.params.n

@cf.stage(inputs=["x"], outputs=["y"], cachers=[JsonCacher])
def double(record, x):
    return 2 * x

def run(param_sets, manager):
    for p in param_sets:
        double(begin(cf.Record(manager, p)))
"""
    for options in ({}, {}, {"overwrite_stages": ("double",)}, {"overwrite": True}):
        ended = case(body, **options)
        assert [record.state["x"] for record in ended.manager.records] == [1, 2]
        assert [record.state["y"] for record in ended.manager.records] == [2, 4]
        if ended.executed.get("begin"):
            (warning,) = [text for text in ended.warnings if "path_override" in text]
            assert "Record 0 (a)" in warning
            assert "Record 1 (b)" in warning


OWN_FILES = """
@cf.stage(outputs=["path"], cachers=[JsonCacher])
def write(record):
    path = record.get_path("notes.txt")
    with open(path, "a") as file:
        file.write(TEXT)
    return path

@cf.stage(inputs=["path"], outputs=["text"], cachers=[JsonCacher])
def read(record, path):
    with open(path) as file:
        return file.read()

def run(param_sets, manager):
    return [read(write(cf.Record(manager, p))).state["text"] for p in param_sets]
"""


def test_2_11_paths_that_a_stage_asks_for_are_its_own_for_good(case) -> None:
    # `write` reads no parameter, yet its path is that of its set: it is not shared.
    assert case(OWN_FILES.replace("TEXT", "'one'")).result == ["one", "one"]
    paths = [record.state["path"] for record in case(OWN_FILES.replace("TEXT", "'one'")).manager.records]
    assert len(set(paths)) == 2
    assert case(OWN_FILES.replace("TEXT", "'one'")).executed == {}
    # What an earlier call left under the name is moved away before the stage appends to it.
    assert case(OWN_FILES.replace("TEXT", "'two'")).result == ["two", "two"]
    assert case(OWN_FILES.replace("TEXT", "'one'")).result == ["one", "one"]


@pytest.mark.parametrize("option", ["dry", "dry_cache"])
def test_2_11_a_dry_run_leaves_the_files_of_stages_as_they_are(case, option: str) -> None:
    case(OWN_FILES.replace("TEXT", "'one'"))
    before = case.here.project.files("data/cache")
    # The stage appends, and still does not see what an earlier run has left.
    assert case(OWN_FILES.replace("TEXT", "'two'"), **{option: True}).result == ["two", "two"]
    assert case.here.project.files("data/cache") == before
    assert case(OWN_FILES.replace("TEXT", "'one'")).executed == {}


def test_2_11_two_calls_that_write_to_one_path_never_find_the_others_file(case) -> None:
    body = OWN_FILES.replace("TEXT", "str(by)").replace("def write(record)", "def write(record, by=0)")
    body = (
        body[: body.index("def run(")]
        + """def run(param_sets, manager):
    record = cf.Record(manager, param_sets[0])
    return [read(write(record, by=by)).state["text"] for by in (1, 2)]
"""
    )
    for _ in range(3):
        assert case(body).result == ["1", "2"]


def test_2_11_a_file_that_a_stage_wrote_itself_is_looked_after(case) -> None:
    case(OWN_FILES.replace("TEXT", "'one'"))
    for path in case.here.cached("*_write_notes.txt")[:1]:
        path.write_text("something else")
    for path in case.here.cached("*_read_text.json"):
        path.unlink()
    assert case(OWN_FILES.replace("TEXT", "'one'")).result == ["one", "one"]


@pytest.mark.parametrize(
    ("representation", "executed"),
    [("None", {}), ("lambda self, value: value // 10", {}), ("lambda self, value: value % 10", {"begin": 1})],
)
def test_2_12_representations_say_what_counts_of_a_field(case, representation: str, executed: dict) -> None:
    body = """
@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1
    hash_representations: dict = cf.set_hash_functions(n=REPRESENTATION)

def get_params():
    return [Params(name="only", n=VALUE)]

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return record.params.n // 10

def run(param_sets, manager):
    begin(cf.Record(manager, param_sets[0]))
""".replace("REPRESENTATION", representation)
    case(body.replace("VALUE", "11"))
    assert case(body.replace("VALUE", "12")).executed == executed


def test_2_14_a_value_put_by_hand_without_identity_runs_its_reader_and_says_so(case) -> None:
    body = """
@cf.stage(inputs=["lock"], outputs=["x"], cachers=[JsonCacher])
def use(record, lock):
    return lock.acquire(blocking=False)

def run(param_sets, manager):
    record = cf.Record(manager, param_sets[0])
    record.state["lock"] = threading.Lock()
    use(record)
"""
    for _ in range(2):
        ended = case(body)
        assert ended.executed == {"use": 1}
        assert [text for text in ended.warnings if "cannot be" in text]


def test_2_14_a_stage_that_raised_leaves_no_trace(case) -> None:
    body = """
@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    if os.path.exists("broken"):
        raise ValueError("broken")
    return record.params.n

def run(param_sets, manager):
    begin(cf.Record(manager, param_sets[0]))
"""
    case.here.write("broken", "")
    with pytest.raises(cf.StageError):
        case(body)
    (case.here.project.root / "broken").unlink()
    assert case(body).executed == {"begin": 1}


# ------------------------------------------------------------------------------------------------------ 3. names on disk


def test_3_1_two_calls_of_one_label_never_load_each_others_file(case) -> None:
    body = """
@cf.stage(outputs=["x"], cachers=[JsonCacher])
def scale(record, by=1):
    return by * record.params.n

def run(param_sets, manager):
    record = cf.Record(manager, param_sets[0])
    return [scale(record.make_copy(), by=by) for by in ORDER]
"""
    for order in ([1, 2, 3], [3, 2, 1], [2], [3, 1]):
        ended = case(body.replace("ORDER", str(order)))
        assert [record.state["x"] for record in ended.result] == order


def test_3_2_old_bytes_go_aside_and_come_back(case) -> None:
    body = """
@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return [record.params.n, TEXT]

def run(param_sets, manager):
    return begin(cf.Record(manager, param_sets[0])).state["x"]
"""
    (value,) = {str(case(body.replace("TEXT", "'old'")).result)}
    (path,) = case.here.cached("*_begin_x.json")
    old = path.read_bytes()
    assert case(body.replace("TEXT", "'new'")).result == [1, "new"]
    assert old != path.read_bytes()
    assert old in [each.read_bytes() for each in (case.here.project.root / "data/superseded").iterdir()]
    ended = case(body.replace("TEXT", "'old'"))
    assert str(ended.result) == value
    assert ended.executed == {}
    assert path.read_bytes() == old


def test_3_2_folders_go_aside_and_come_back(case) -> None:
    body = """
class FolderCacher(Cacheable):
    extension = ""

    def save(self, value):
        folder = self.get_path()
        os.makedirs(folder)
        for name, text in value.items():
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)

    def load(self):
        folder = self.get_path()
        return {name: Path(folder, name).read_text() for name in sorted(os.listdir(folder))}

@cf.stage(outputs=["x"], cachers=[FolderCacher])
def begin(record):
    return VALUE

def run(param_sets, manager):
    return begin(cf.Record(manager, param_sets[0])).state["x"]
"""
    for value in ({"a": "1", "b": "2"}, {"a": "1"}, {"a": "1", "b": "2"}):
        assert case(body.replace("VALUE", repr(value))).result == value
    assert case(body.replace("VALUE", repr({"a": "1"}))).executed == {}


def test_3_3_a_shared_result_has_a_name_for_each_set_and_outlives_the_loss_of_one(case) -> None:
    body = """
@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return ["shared"]

def run(param_sets, manager):
    return [begin(cf.Record(manager, p)).state["x"] for p in param_sets]
"""
    ended = case(body)
    assert ended.executed == {"begin": 1}
    first, second = case.here.cached("*_begin_x.json")
    assert first.samefile(second)
    for lost in (first, second):
        lost.unlink()
        assert case(body).result == [["shared"], ["shared"]]


def test_3_4_the_cache_folder_has_artifacts_and_nothing_else(case) -> None:
    body = """
from curifactory.reporting import JsonReporter

@cf.stage(outputs=["x"], cachers=[JsonCacher(subdir="below")])
def begin(record):
    record.report(JsonReporter({"a": 1}))
    record.log({"loss": 0.5})
    return 1

@cf.stage(outputs=["y"], cachers=[PickleCacher])
def fail(record):
    if record.params.n == 2:
        raise ValueError("no")
    return 1

def run(param_sets, manager):
    for p in param_sets:
        fail(begin(cf.Record(manager, p)))
"""
    with pytest.raises(cf.StageError):
        case(body)
    names = {path.name.split("_", 2)[-1] for path in case.here.cached("**/*")}
    assert names == {"below", "begin_x.json", "fail_y.pkl"}
    staging = case.here.project.root / "data/staging"
    assert not staging.exists() or list(staging.iterdir()) == []


# ------------------------------------------------------------------------------------------------- 5. code fingerprints


def test_5_1_code_that_is_edited_while_it_runs_is_not_taken_for_what_ran(case) -> None:
    body = """
@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    if NOT_EDITED:
        # Somebody saves an edit while the long run is going on.
        here = Path(__file__)
        here.write_text(here.read_text().replace("return 'be" "fore'", "return 'after'"))
    return 'before'

@cf.stage(outputs=["y"], cachers=[JsonCacher])
def go_on(record):
    return 'before'

NOT_EDITED = not os.path.exists("edited")

def run(param_sets, manager):
    record = go_on(begin(cf.Record(manager, param_sets[0])))
    return record
"""
    ended = case(body)
    assert [ended.result.state[name] for name in "xy"] == ["before", "before"]
    case.here.write("edited", "")
    here = case.here
    assert "return 'after'" in (here.project.root / "experiments/case.py").read_text()
    here.project.write("experiments/case.py", (here.project.root / "experiments/case.py").read_text())
    ended = here.run()
    assert [ended.result.state[name] for name in "xy"] == ["after", "after"]


DYNAMIC = {
    "a name from the parameters": "getattr(methods, record.params.kind)(3)",
    "a module by name": "importlib.import_module('methods').plus(3)",
    "an import as a call": "__import__('methods').plus(3)",
    "an import in the function": "run_late(3)",
    "a table of functions": "methods.TABLE[record.params.kind](3)",
    "a decorated registry": "methods.REGISTRY['plus'](3)",
    "the subclasses": "[each() for each in methods.Base.__subclasses__()][0].work(3)",
    "text that is evaluated": "eval('methods.plus(3)')",
    "a method by name": "getattr(methods.Tools(), record.params.kind)(3)",
    "operator.methodcaller": "__import__('operator').methodcaller(record.params.kind, 3)(methods.Tools())",
}


@pytest.mark.parametrize("road", DYNAMIC)
def test_5_2_code_that_is_found_at_run_time_counts(case, road: str) -> None:
    methods = """
REGISTRY = {}

def register(function):
    REGISTRY[function.__name__] = function
    return function

@register
def plus(x):
    return x + ADDED

TABLE = {"plus": plus}

class Base:
    pass

class Child(Base):
    def work(self, x):
        return x + ADDED

class Tools:
    def plus(self, x):
        return x + ADDED
"""
    body = """
import importlib
import methods

def run_late(x):
    from methods import plus
    return plus(x)

@dataclass
class Params(cf.ExperimentParameters):
    kind: str = "plus"

def get_params():
    return [Params(name="only")]

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return READ

def run(param_sets, manager):
    return begin(cf.Record(manager, param_sets[0])).state["x"]
""".replace("READ", DYNAMIC[road])
    for added in (1, 2, 1):
        case.here.write("methods.py", methods.replace("ADDED", str(added)))
        assert case(body).result == 3 + added
    assert case(body).executed == {}


def test_5_3_a_memo_or_a_logger_in_a_module_does_not_make_a_stage_run(case) -> None:
    body = """
import logging
LOG = logging.getLogger("case")
LOCK = threading.Lock()
MEMO = {}

def work(x):
    with LOCK:
        LOG.debug("working")
        return MEMO.setdefault(x, x * 10)

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return work(record.params.n)

def run(param_sets, manager):
    return [begin(cf.Record(manager, p)).state["x"] for p in param_sets]
"""
    assert case(body).result == [10, 20]
    ended = case(body)
    assert ended.result == [10, 20]
    assert ended.executed == {}
    assert case(body.replace("x * 10", "x * 11")).result == [11, 22]


def test_5_3_a_memo_that_two_stages_share_is_no_change_between_call_and_execution(case) -> None:
    body = """
MEMO = {}

def work(x):
    return MEMO.setdefault(x, x * 10)

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return work(record.params.n)

@cf.stage(inputs=["x"], outputs=["y"], cachers=[JsonCacher])
def go_on(record, x):
    return work(x + 1)

def run(param_sets, manager):
    return [go_on(begin(cf.Record(manager, p))) for p in param_sets]
"""
    ended = case(body)
    assert [record.state["y"] for record in ended.result] == [110, 210]
    assert case(body).executed == {}


def test_5_3_a_global_that_is_assigned_anew_counts(case) -> None:
    body = """
FACTORS = {"n": VALUE}

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return FACTORS["n"] * record.params.n

def run(param_sets, manager):
    FACTORS["more"] = MORE
    return [begin(cf.Record(manager, p)).state["x"] for p in param_sets]
"""
    assert case(body.replace("VALUE", "2").replace("MORE", "1")).result == [2, 4]
    assert case(body.replace("VALUE", "3").replace("MORE", "1")).result == [3, 6]
    changed = body.replace('FACTORS["more"]', 'FACTORS["n"]').replace("VALUE", "2")
    for value in (5, 6, 5):
        assert case(changed.replace("MORE", str(value))).result == [value, 2 * value]


@pytest.mark.parametrize(
    ("before", "after", "executed"),
    [
        ("x: int = 1", "x: float = 1", 0),
        ("return x + 1", "return x + 1  # a comment", 0),
        ("return x + 1", "y: int = x + 1\n    return y", 1),
        ("x: int = 1", "x: int = 2", 1),
    ],
)
def test_5_4_annotations_of_a_stages_helpers_do_not_count_and_defaults_do(
    case, before: str, after: str, executed: int
) -> None:
    body = """
def work(x: int = 1):
    return x + 1

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return work()

def run(param_sets, manager):
    begin(cf.Record(manager, param_sets[0]))
"""
    case(body)
    assert case(body.replace(before, after)).executed.get("begin", 0) == executed


def test_5_4_annotations_that_run_count(case) -> None:
    body = """
@functools.singledispatch
def work(x):
    return "any"

@work.register
def _(x: TYPE):
    return "special"

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return work(record.params.n)

def run(param_sets, manager):
    return begin(cf.Record(manager, param_sets[0])).state["x"]
"""
    assert case(body.replace("TYPE", "str")).result == "any"
    assert case(body.replace("TYPE", "int")).result == "special"
    assert case(body.replace("TYPE", "str")).result == "any"


def test_5_5_what_depends_and_version_declare_counts(case) -> None:
    body = """
@cf.stage(outputs=["x"], cachers=[JsonCacher], depends=["table.txt"], version=VERSION)
def begin(record):
    return Path("table.txt").read_text()

def run(param_sets, manager):
    return begin(cf.Record(manager, param_sets[0])).state["x"]
"""
    case.here.write("table.txt", "one")
    assert case(body.replace("VERSION", "1")).result == "one"
    assert case(body.replace("VERSION", "1")).executed == {}
    case.here.write("table.txt", "two")
    assert case(body.replace("VERSION", "1")).result == "two"
    assert case(body.replace("VERSION", "2")).executed == {"begin": 1}
    case.here.write("table.txt", "one")
    assert case(body.replace("VERSION", "1")).executed == {}


def test_5_5_decorators_of_a_stages_helpers_count(case) -> None:
    body = """
def twice(function):
    @functools.wraps(function)
    def inner(*arguments):
        return FACTOR * function(*arguments)
    return inner

class Work:
    @classmethod
    def by_class(cls, x):
        return x

    @staticmethod
    @twice
    def alone(x):
        return x

@twice
def work(x):
    return x

bound = functools.partial(work, 5)

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return [work(1), Work.alone(1), bound()]

def run(param_sets, manager):
    return begin(cf.Record(manager, param_sets[0])).state["x"]
"""
    for factor in (2, 3, 2):
        assert case(body.replace("FACTOR", str(factor))).result == [factor, factor, 5 * factor]


def test_5_2_every_project_function_that_a_stage_executes_is_in_its_fingerprint(case) -> None:
    """What runs under a profile is compared with the parts that the stage's code is made of."""
    case.here.write("models.py", MODEL)
    body = (
        TRAINED.replace("{kept}", "Net(record.params.n)")
        .replace("{used}", "shift(model.predict(10))")
        .replace("def run(", "def shift(x):\n    return (lambda y: y + 1)(x)\n\ndef run(")
    )
    executed: dict[str, set[str]] = {}
    root = str(case.here.project.root)

    def profile(frame, event, _):
        if event == "call" and frame.f_code.co_filename.startswith(root):
            stage, caller = None, frame
            while caller is not None:
                if caller.f_code.co_name in {"train", "evaluate"} and caller.f_code.co_filename.startswith(
                    root
                ):
                    stage = caller.f_code.co_name
                caller = caller.f_back
            if stage is not None:
                executed.setdefault(stage, set()).add(frame.f_code.co_qualname.partition(".<locals>")[0])

    sys.setprofile(profile)
    try:
        ended = case(body)
    finally:
        sys.setprofile(None)
    assert ended.manager.counts == {CallOutcome.RAN: 4}
    engine = ended.manager.engine
    assert {"train", "Net.__init__"} <= executed["train"]
    assert {"evaluate", "shift", "Net.predict"} <= executed["evaluate"]
    for call in engine.graph.calls:
        parts = set(engine.identifier.fingerprint_of(call.spec).parts)
        manifest = json.loads(Path(engine.traces.manifest_path(engine.traces.find(call.key))).read_text())
        names = json.dumps(manifest)
        for function in executed[call.name]:
            owner = function.partition(".")[0]
            known = any(
                part.rpartition(".")[2] == owner or f".{owner}." in part or part.endswith(f".{function}")
                for part in parts
            )
            if call.name == "evaluate" and owner == "Net":
                # The class comes with the input, not with the stage's own code.
                producer = dict(call.input_slots())["model"].producer
                known = "models:Net" in producer.outputs[0].artifact.metadata["names"]
            assert known, (call.name, function, sorted(parts), names)

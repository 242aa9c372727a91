"""Cases in which earlier systems gave a wrong number without a word: results, identity and the cache.

The numbers are those of the list of known faults (W: wrong results, C: the cache).
"""

from __future__ import annotations

import json

import pytest

import curifactory as cf

HEAD = """
import functools
from dataclasses import dataclass, field
import numpy
import curifactory as cf
from curifactory.caching import JsonCacher, Lazy, PickleCacher

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1

def get_params():
    return [Params(name=f"set {n}", n=n) for n in (1, 2, 3)]

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return record.params.n

@cf.stage(inputs=["x"], outputs=["y"], cachers=[JsonCacher])
def double(record, x):
    return 2 * x

@cf.aggregate(inputs=["x"], outputs=["all"], cachers=[JsonCacher])
def gather(record, records, x):
    return list(x.values())
"""


def run_twice(here, body: str, **options):
    """Run the case, then run it again from the cache; both must give the same."""
    here.write("experiments/case.py", HEAD + body)
    first = here.run(**options)
    second = here.run()
    assert second.result == first.result
    return second


def test_w1_lazy_outputs_of_several_records_are_each_their_own(here) -> None:
    ended = run_twice(
        here,
        """
@cf.stage(outputs=[Lazy("lazy")], cachers=[PickleCacher])
def begin_lazily(record):
    return [record.params.n]

@cf.aggregate(inputs=["lazy"], outputs=["all"], cachers=[JsonCacher])
def gather_lazy(record, records, lazy):
    return list(lazy.values())

def run(param_sets, manager):
    records = [begin_lazily(cf.Record(manager, p)) for p in param_sets]
    return gather_lazy(cf.Record(manager, None)).state["all"], [r.state["lazy"] for r in records]
""",
    )
    assert ended.result == ([[1], [2], [3]], [[1], [2], [3]])


CHAIN = """
import pathlib

@cf.stage(outputs=["a"], cachers=[JsonCacher])
def first(record):
    return int(pathlib.Path("outside.txt").read_text()) * record.params.n

@cf.stage(inputs=["a"], outputs=["b"], cachers=[JsonCacher])
def second(record, a):
    return 5 * a

@cf.stage(inputs=["b"], outputs=["c"], cachers=[JsonCacher])
def third(record, b):
    return b + 1

@cf.aggregate(inputs=["c"], outputs=["sum"], cachers=[JsonCacher])
def total(record, records, c):
    return sum(c.values())

def run(param_sets, manager):
    for p in param_sets:
        third(second(first(cf.Record(manager, p))))
    total(cf.Record(manager, None))
"""


def on_disk(here, stage: str) -> list[int]:
    return sorted(json.loads(path.read_text()) for path in here.cached(f"*_{stage}_*.json"))


def test_w2_what_an_overwritten_stage_gives_anew_reaches_all_that_follow(here) -> None:
    here.write("experiments/case.py", HEAD + CHAIN)
    here.write("outside.txt", "1")
    here.run()
    here.write("outside.txt", "2")
    ended = here.run(overwrite_stages=("first",))
    # What set 1 has now, set 2 had before: what follows from it is there, and lies aside when set 2 has something else.
    assert ended.executed == {"first": 3, "second": 2, "third": 2, "total": 1}
    assert on_disk(here, "first") == [2, 4, 6]
    # Nobody has read the second value of set 1: it lies where it was, and its name has what it had.
    assert on_disk(here, "second") == [5, 20, 30]
    assert on_disk(here, "third") == [11, 21, 31]
    assert on_disk(here, "total") == [63]


def test_w3_overwriting_everything_renews_the_last_aggregate(here) -> None:
    here.write("experiments/case.py", HEAD + CHAIN)
    here.write("outside.txt", "1")
    here.run()
    here.write("outside.txt", "10")
    here.run(overwrite=True)
    assert on_disk(here, "total") == [10 * 5 * 6 + 3]
    assert here.run().executed == {}


def test_w4_aggregates_of_aggregates_without_parameters_are_told_apart(here) -> None:
    ended = run_twice(
        here,
        """
@cf.aggregate(inputs=["x"], outputs=["sum"], cachers=[JsonCacher])
def add(record, records, x):
    return sum(x.values())

@cf.aggregate(inputs=["sum"], outputs=["top"], cachers=[JsonCacher])
def add_sums(record, records, sum):
    return [*sum.values()]

def run(param_sets, manager):
    one, two, three = [begin(cf.Record(manager, p)) for p in param_sets]
    few = add(cf.Record(manager, None), [one, two])
    other = add(cf.Record(manager, None), [two, three])
    return [
        add_sums(cf.Record(manager, None), records).state["top"]
        for records in ([few], [other], [few, other], [other, few])
    ]
""",
    )
    assert ended.result == [[3], [5], [3, 5], [5, 3]]


def test_w5_copies_of_two_records_with_the_same_parameters_are_told_apart(here) -> None:
    ended = run_twice(
        here,
        """
def run(param_sets, manager):
    one, two, _ = [begin(cf.Record(manager, p)) for p in param_sets]
    shared = param_sets[2]
    return [double(record.make_copy(shared)).state["y"] for record in (one, two)]
""",
    )
    assert ended.result == [2, 4]


def test_w6_another_stage_upstream_is_noticed(here) -> None:
    body = """
@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin_otherwise(record):
    return 100 * record.params.n

def run(param_sets, manager):
    return double({stage}(cf.Record(manager, param_sets[0]))).state["y"]
"""
    assert run_twice(here, body.replace("{stage}", "begin")).result == 2
    assert run_twice(here, body.replace("{stage}", "begin_otherwise")).result == 200
    assert run_twice(here, body.replace("{stage}", "begin")).result == 2


def test_w7_keywords_of_a_call_count(here) -> None:
    ended = run_twice(
        here,
        """
@cf.stage(outputs=["z"], cachers=[JsonCacher])
def scale(record, by=1, *, shift=0):
    return by * record.params.n + shift

def run(param_sets, manager):
    record = cf.Record(manager, param_sets[1])
    return [
        scale(record.make_copy(), **keywords).state["z"]
        for keywords in ({}, {"by": 2}, {"by": 3}, {"shift": 1}, {"by": 1}, {"by": 1.5})
    ]
""",
    )
    assert ended.result == [2, 4, 6, 3, 2, 3.0]


def test_w7_keywords_that_are_equal_but_not_the_same_are_told_apart(here) -> None:
    ended = run_twice(
        here,
        """
@cf.stage(outputs=["z"], cachers=[JsonCacher])
def name_type(record, value=None):
    return type(value).__name__

def run(param_sets, manager):
    record = cf.Record(manager, param_sets[1])
    return [name_type(record.make_copy(), value=value).state["z"] for value in (1, True, 1.0, "1")]
""",
    )
    assert ended.result == ["int", "bool", "float", "str"]


def test_w8_a_stage_that_is_called_twice_gives_two_results(here) -> None:
    ended = run_twice(
        here,
        """
@cf.stage(inputs=["x"], outputs=["x"], cachers=[JsonCacher])
def add_one(record, x):
    return x + 1

def run(param_sets, manager):
    record = begin(cf.Record(manager, param_sets[0]))
    values = []
    for _ in range(3):
        values.append(add_one(record).state["x"])
    return values
""",
    )
    assert ended.result == [2, 3, 4]


def test_w8_two_functions_of_one_name_are_two_stages(here) -> None:
    for name, factor in (("one", 1), ("other", 10)):
        here.write(
            f"{name}.py",
            "import curifactory as cf\nfrom curifactory.caching import JsonCacher\n"
            f"@cf.stage(outputs=['z'], cachers=[JsonCacher])\ndef work(record):\n    return {factor} * record.params.n\n",
        )
    ended = run_twice(
        here,
        """
import one, other

def run(param_sets, manager):
    return [work(cf.Record(manager, param_sets[0])).state["z"] for work in (one.work, other.work)]
""",
    )
    assert ended.result == [1, 10]


FIELDS = """
@dataclass
class Part:
    size: int = 0

@dataclass
class Named:
    name: str = ""

class Adder:
    def __init__(self, n):
        self.n = n

    def __call__(self, x):
        return x + self.n

@dataclass
class Fields(cf.ExperimentParameters):
    a: int = 0
    a1: int = 0
    left: Part = field(default_factory=Part)
    right: Part = field(default_factory=Part)
    named: Named = field(default_factory=Named)
    value: object = None

def grid(middle):
    values = numpy.zeros((100, 100))
    values[50, 50] = middle
    return values

@cf.stage(outputs=["z"], cachers=[JsonCacher])
def count(record):
    p = record.params
    value = p.value
    if isinstance(value, numpy.ndarray):
        value = value.sum()
    elif callable(value) and not isinstance(value, type):
        value = value(5)
    return [p.a, p.a1, p.left.size, p.right.size, p.named.name, str(value)]

def run(param_sets, manager):
    return [count(cf.Record(manager, p)).state["z"] for p in param_sets]
"""

RUN_TOGETHER = {
    "names and values": ("a=12, a1=3", "a=13, a1=2"),
    "swapped parts": ("left=Part(1), right=Part(2)", "left=Part(2), right=Part(1)"),
    "a part or its field": ("left=Part(1)", "a=1"),
    "one list or two": ("value=[[1], [2]]", "value=[[1, 2]]"),
    "a separator in a text": ("value=['a, b']", "value=['a', 'b']"),
}
LONG_OR_WITHOUT_ORDER = {
    "large arrays": ("value=grid(0)", "value=grid(1)"),
    "arrays of other types": ("value=numpy.zeros(3)", "value=numpy.zeros(3, dtype=int)"),
    "sets": ("value={1, 2}", "value={1, 3}"),
    "numbers of other types": ("value=1", "value=True"),
    "not a number or nothing": ("value=float('nan')", "value=None"),
}
CALLABLE = {
    "lambdas": ("value=lambda x: x + 1", "value=lambda x: x + 2"),
    "partials": ("value=functools.partial(pow, 2)", "value=functools.partial(pow, 3)"),
    "callable instances": ("value=Adder(1)", "value=Adder(2)"),
    "classes": ("value=Part", "value=Named"),
}


def assert_told_apart(here, left: str, right: str) -> None:
    """Run with two sets that differ in these arguments, twice: each has its own result both times."""
    sets = f"\ndef get_params():\n    return [Fields(name='l', {left}), Fields(name='r', {right})]\n"
    ended = run_twice(here, FIELDS + sets)
    assert ended.result[0] != ended.result[1]
    assert ended.executed == {}
    assert len(here.cached("*_count_z*.json")) == 2


@pytest.mark.parametrize("case", RUN_TOGETHER)
def test_w9a_values_that_would_run_together_are_told_apart(here, case: str) -> None:
    assert_told_apart(here, *RUN_TOGETHER[case])


def test_w9b_a_field_of_a_part_may_be_called_as_one_of_the_framework(here) -> None:
    assert_told_apart(here, "named=Named(name='u')", "named=Named(name='v')")


@pytest.mark.parametrize("case", LONG_OR_WITHOUT_ORDER)
def test_w9c_values_whose_repr_tells_too_little_are_told_apart(here, case: str) -> None:
    assert_told_apart(here, *LONG_OR_WITHOUT_ORDER[case])


@pytest.mark.parametrize("case", CALLABLE)
def test_w9d_functions_and_classes_among_parameters_are_told_apart(here, case: str) -> None:
    assert_told_apart(here, *CALLABLE[case])


def test_w9d_what_cannot_be_identified_is_refused_by_the_name_of_its_field(here) -> None:
    sets = "\nimport threading\n\ndef get_params():\n    return [Fields(name='l', value=threading.Lock())]\n"
    here.write("experiments/case.py", HEAD + FIELDS + sets)
    with pytest.raises(cf.CurifactoryError, match="value"):
        here.run()
    assert here.cached("*") == []


def test_w9c_equal_sets_are_one_in_every_process(here) -> None:
    body = """
@dataclass
class Fields(cf.ExperimentParameters):
    words: set = field(default_factory=lambda: {"some", "words", "in", "no", "order"})
    work: object = functools.partial(pow, exp=2)

def get_params():
    return [Fields(name="only")]

@cf.stage(outputs=["z"], cachers=[JsonCacher])
def count(record):
    return len(record.params.words) + record.params.work(3)

def run(param_sets, manager):
    count(cf.Record(manager, param_sets[0]))
"""
    here.write("experiments/case.py", HEAD + body)
    for seed in ("1", "2", "3"):
        here.project.experiment("case", "--no-report", env={"PYTHONHASHSEED": seed})
    shown = json.loads(here.project.experiment("show", "-1", "--json").stdout)
    assert [call["outcome"] for call in shown["calls"]] == ["reused"]
    assert len(here.cached("*")) == 1


def test_w10_a_stage_that_no_longer_reports_shows_nothing(here) -> None:
    body = """
from curifactory.reporting import JsonReporter

@cf.stage(outputs=["z"], cachers=[JsonCacher])
def tell(record):
    record.report(JsonReporter({"a": 1}, name="told"))
    return 1

def run(param_sets, manager):
    tell(cf.Record(manager, param_sets[0]))
"""
    here.write("experiments/case.py", HEAD + body)

    def reported() -> list[str]:
        folder = here.run().manager.run_folder
        path = folder / "reportables.jsonl"
        return [json.loads(line)["name"] for line in path.read_text().splitlines()] if path.exists() else []

    assert reported() == ["told"]
    assert reported() == ["told"]
    here.edit("experiments/case.py", {'    record.report(JsonReporter({"a": 1}, name="told"))\n': ""})
    assert reported() == []
    assert reported() == []


def test_c1_edited_code_runs(here) -> None:
    body = "\ndef run(param_sets, manager):\n    return begin(cf.Record(manager, param_sets[0])).state['x']\n"
    assert run_twice(here, body).result == 1
    here.edit("experiments/case.py", {"return record.params.n": "return record.params.n + 41"})
    ended = here.run()
    assert ended.result == 42
    assert ended.reasons["begin"].startswith("code of begin changed (experiments/case.py:")


def test_c2_what_could_not_be_saved_is_no_hit(here) -> None:
    here.write(
        "experiments/case.py",
        HEAD
        + """
from curifactory.caching import Cacheable
import os

class Torn(Cacheable):
    extension = ".torn"

    def save(self, value):
        with open(self.get_path(), "w") as file:
            file.write("half of ")
            file.flush()
            if os.path.exists("broken"):
                raise OSError("the disk is gone")
            file.write("it")

    def load(self):
        with open(self.get_path()) as file:
            return file.read()

@cf.stage(outputs=["z"], cachers=[Torn])
def work(record):
    return "half of it"

def run(param_sets, manager):
    work(cf.Record(manager, param_sets[0]))
""",
    )
    here.write("broken", "")
    with pytest.raises(cf.CacheError, match=r"Torn could not save the output 'z'.*the disk is gone"):
        here.run()
    assert here.cached("*") == []
    (here.project.root / "broken").unlink()
    assert here.run().executed == {"work": 1}
    assert here.run().manager.records[0].state["z"] == "half of it"
    assert here.run().executed == {}


@pytest.mark.parametrize("value", ["(1, 2)", "{1: 2}", "numpy.int64(3)", "{'a': (1,)}", "{1, 2}"])
def test_c3_json_refuses_what_would_come_back_as_something_else(here, value: str) -> None:
    body = f"""
@cf.stage(outputs=["z"], cachers=[JsonCacher])
def work(record):
    return ({value},)

def run(param_sets, manager):
    work(cf.Record(manager, param_sets[0]))
"""
    here.write("experiments/case.py", HEAD + body)
    with pytest.raises(cf.CacheError, match=r"JsonCacher.*'z'"):
        here.run()
    assert here.cached("*") == []


@pytest.mark.parametrize("cacher", ["JsonCacher", "PickleCacher"])
def test_c4_a_stage_that_changes_its_input_gives_the_same_fresh_and_cached(here, cacher: str) -> None:
    ended = run_twice(
        here,
        """
@cf.stage(outputs=["rows"], cachers=[CACHER])
def make_rows(record):
    return [3, 1, 2]

@cf.stage(inputs=["rows"], outputs=["least"], cachers=[JsonCacher])
def take_least(record, rows):
    rows.sort()
    return rows.pop(0)

@cf.stage(inputs=["rows"], outputs=["length"], cachers=[JsonCacher])
def measure(record, rows):
    return [len(rows), rows[0]]

def run(param_sets, manager):
    record = measure(take_least(make_rows(cf.Record(manager, param_sets[0]))))
    return dict(record.state)
""".replace("CACHER", cacher),
    )
    assert ended.result == {"rows": [3, 1, 2], "least": 1, "length": [3, 3]}


def test_c5_a_stage_of_a_record_without_parameters_is_cached(here) -> None:
    body = """
@cf.stage(outputs=["z"], cachers=[JsonCacher])
def work(record):
    return 7 if record.params is None else record.params.n

def run(param_sets, manager):
    return [work(cf.Record(manager, p)).state["z"] for p in (None, param_sets[1])]
"""
    ended = run_twice(here, body)
    assert ended.result == [7, 2]
    assert ended.executed == {}


def test_c6_lazy_of_one_run_does_not_stick_to_the_decorators(here, monkeypatch: pytest.MonkeyPatch) -> None:
    here.write(
        "experiments/case.py",
        HEAD
        + "\ndef run(param_sets, manager):\n    return begin, begin(cf.Record(manager, param_sets[0]))\n",
    )
    stage, _ = here.run(lazy=True).result
    before = stage.spec
    # The same module goes on being used: nothing is imported anew.
    monkeypatch.setattr(type(here), "forget_modules", lambda _: None)
    for options in ({"lazy": True}, {"ignore_lazy": True}, {}):
        again, record = here.run(**options).result
        assert again is stage
        assert again.spec is before
        assert not again.spec.outputs[0].lazy
        assert record.state["x"] == 1


REPORTING = """
import struct, zlib
from curifactory.reporting import ImageReporter

def png(shade):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes([0, shade]))
    return bytes([137]) + b"PNG\\r\\n" + bytes([26, 10]) + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")

@cf.stage(outputs=["shade"], cachers=[JsonCacher])
def draw(record):
    with open("drawn.png", "wb") as file:
        file.write(png(record.params.n))
    record.report(ImageReporter("drawn.png", name="picture"))
    return record.params.n

def run(param_sets, manager):
    for p in param_sets:
        draw(cf.Record(manager, p))
"""


def pictures(ended) -> list[bytes]:
    rows = (ended.manager.run_folder / "reportables.jsonl").read_text().splitlines()
    fragments = [json.loads(row) for row in rows]
    folder = ended.manager.run_folder / "fragments"
    return [(folder / each["folder"] / name).read_bytes() for each in fragments for name in each["files"]]


def test_c7_reportables_of_one_name_keep_their_own_pictures(here) -> None:
    here.write("experiments/case.py", HEAD + REPORTING)
    assert len(set(pictures(here.run()))) == 3


def test_c8_pictures_of_cached_calls_are_shown_in_later_runs(here) -> None:
    here.write("experiments/case.py", HEAD + REPORTING)
    first = pictures(here.run())
    (here.project.root / "drawn.png").unlink()
    ended = here.run()
    assert ended.executed == {}
    assert pictures(ended) == first

"""The minimality table: what is executed after each kind of change, counted by stage; `docs/minimality.md` shows it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "minimality.md"

EXPERIMENT = """
from dataclasses import dataclass, field

import curifactory as cf
from curifactory.caching import JsonCacher, PickleCacher
from features import clean
from models import Line


@dataclass
class Fit:
    rate: float = 0.5
    steps: int = 3


@dataclass
class Params(cf.ExperimentParameters):
    rows: int = 8
    scale: int = 2
    fit: Fit = field(default_factory=Fit)


RATES = [step / 20 for step in range(1, 21)]


def get_params():
    return [Params(name=f"rate {rate}", fit=Fit(rate)) for rate in RATES]


@cf.stage(outputs=["table"], cachers=[JsonCacher])
def load(record):
    return list(range(record.params.rows))


@cf.stage(inputs=["table"], outputs=["prepared"], cachers=[JsonCacher])
def preprocess(record, table):
    return clean(table, record.params.scale)


@cf.stage(inputs=["prepared"], outputs=["model"], cachers=[PickleCacher])
def train(record, prepared):
    # descend
    return Line(record.params.fit.rate, record.params.fit.steps).fit(prepared)


@cf.stage(inputs=["prepared", "model"], outputs=["score"], cachers=[JsonCacher])
def evaluate(record, prepared, model):
    return sum(model.predict(value) for value in prepared)


@cf.aggregate(inputs=["score"], outputs=["best"], cachers=[JsonCacher])
def compare(record, records, score):
    return max(score.values())


def run(param_sets, manager):
    for params in param_sets:
        evaluate(train(preprocess(load(cf.Record(manager, params)))))
    compare(cf.Record(manager, None))
"""

FEATURES = '''
def clean(table, scale):
    """Scale what is not negative."""
    return [scale * value for value in table if value >= 0]
'''

MODELS = """
class Line:
    def __init__(self, rate, steps):
        self.rate = rate
        self.steps = steps
        self.slope = 0.0

    def fit(self, values):
        for _ in range(self.steps):
            for value in values:
                self.slope += self.rate * (1 - self.slope * value / 100)
        return self

    def predict(self, value):
        return self.slope * value
"""

FIRST = {"load": 1, "preprocess": 1, "train": 20, "evaluate": 20, "compare": 1}
NAMED = {
    "return max(score.values())": "return max((value, each.params.name) for each, value in score.items())[1]",
}
RENAMED = {'f"rate {rate}"': 'f"rate {rate}" if rate < 1 else "the whole way"'}
OTHER_RESULT = {"scale * value": "scale * value + 1"}
UNDONE = {"scale * value + 1": "scale * value"}


@pytest.fixture
def twenty(here):
    here.write("experiments/twenty.py", EXPERIMENT)
    here.write("features.py", FEATURES)
    here.write("models.py", MODELS)
    return here


def executed(bench) -> dict[str, int]:
    """Run the experiment, check it against two processes in an empty cache, and count what was executed.

    There every value is the same, and nothing that is shared is computed twice.
    """
    ended = bench.run("twenty")
    earlier = len(list(bench.project.root.glob("anew/*")))
    anew = bench.run("twenty", cache=bench.project.root / f"anew/{earlier}/cache", jobs=2)
    assert values_of(ended) == values_of(anew)
    assert anew.executed == FIRST
    return ended.executed


def on_the_page(row: str) -> dict[str, int]:
    """Return the figures of a row of the table in the documentation, without its zeros."""
    lines = [
        line.strip("| ").split("|")
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    ]
    heads = [head.strip(" `") for head in lines[0][1:]]
    (figures,) = [cells[1:] for cells in lines if cells[0].strip() == row]
    return {head: int(figure) for head, figure in zip(heads, figures, strict=True) if int(figure)}


def values_of(ended) -> list[dict]:
    found = []
    for record in ended.manager.records:
        values = dict(record.state)
        values |= {name: vars(value) for name, value in values.items() if name == "model"}
        found.append(values)
    return found


def nothing_twice(bench) -> None:
    """What has just been run is not run again."""
    assert bench.run("twenty").executed == {}


def test_first_run(twenty) -> None:
    assert executed(twenty) == FIRST == on_the_page("the first run")
    assert len({call["record"] for call in twenty.run("twenty").calls}) == 21


def test_nothing_changed(twenty) -> None:
    twenty.run("twenty")
    assert executed(twenty) == {} == on_the_page("nothing")


def test_the_model_parameter_of_one_set_changed(twenty) -> None:
    twenty.run("twenty")
    twenty.edit("experiments/twenty.py", {"for step in range(1, 21)]": "for step in (*range(1, 20), 30)]"})
    expected = {"train": 1, "evaluate": 1, "compare": 1}
    assert executed(twenty) == expected == on_the_page("the model parameter of one set")
    nothing_twice(twenty)


def test_a_comment_edited(twenty) -> None:
    twenty.run("twenty")
    twenty.edit("experiments/twenty.py", {"# descend": "# go down the slope\n\n"})
    twenty.edit("features.py", {"Scale what is not negative.": "Scale, and leave out what is negative."})
    assert executed(twenty) == {} == on_the_page("a comment, a docstring, the formatting")


def test_a_helper_changed_and_its_result_is_the_same(twenty) -> None:
    twenty.run("twenty")
    twenty.edit("features.py", {"scale * value": "value * scale"})
    assert (
        executed(twenty)
        == {"preprocess": 1}
        == on_the_page("a helper of `preprocess`, its result stays the same")
    )
    nothing_twice(twenty)


def test_a_helper_changed_and_its_result_differs(twenty) -> None:
    twenty.run("twenty")
    twenty.edit("features.py", {"value >= 0": "value >= 1", **OTHER_RESULT})
    expected = {"preprocess": 1, "train": 20, "evaluate": 20, "compare": 1}
    assert executed(twenty) == expected == on_the_page("a helper of `preprocess`, its result differs")
    nothing_twice(twenty)


def test_a_parameter_set_renamed(twenty) -> None:
    twenty.run("twenty")
    twenty.edit("experiments/twenty.py", RENAMED)
    assert executed(twenty) == {} == on_the_page("the name of a parameter set")


def test_a_parameter_set_renamed_and_the_aggregate_read_its_name(twenty) -> None:
    twenty.edit("experiments/twenty.py", NAMED)
    twenty.run("twenty")
    twenty.edit("experiments/twenty.py", RENAMED)
    assert (
        executed(twenty)
        == {"compare": 1}
        == on_the_page("the name of a parameter set, which `compare` reads")
    )
    nothing_twice(twenty)


@pytest.mark.parametrize("pattern", ["*_preprocess_*", "*_load_*", "*_train_*", "*_evaluate_*"])
def test_one_cached_intermediate_deleted(twenty, pattern: str) -> None:
    twenty.run("twenty")
    twenty.cached(pattern)[0].unlink()
    assert twenty.run("twenty").executed == {} == on_the_page("one cached intermediate file is deleted")


def test_the_aggregate_edited(twenty) -> None:
    twenty.run("twenty")
    twenty.edit("experiments/twenty.py", {"return max(score.values())": "return min(score.values())"})
    assert executed(twenty) == {"compare": 1} == on_the_page("the code of `compare`")
    nothing_twice(twenty)


def test_an_edit_undone_before_it_ran(twenty) -> None:
    twenty.run("twenty")
    twenty.edit("features.py", OTHER_RESULT)
    twenty.edit("features.py", UNDONE)
    assert executed(twenty) == {} == on_the_page("an edit is undone before it ran")


def test_an_edit_undone_after_it_ran(twenty) -> None:
    twenty.run("twenty")
    twenty.edit("features.py", OTHER_RESULT)
    assert executed(twenty) == {"preprocess": 1, "train": 20, "evaluate": 20, "compare": 1}
    twenty.edit("features.py", UNDONE)
    assert executed(twenty) == {} == on_the_page("an edit is undone after it ran")
    twenty.edit("features.py", OTHER_RESULT)
    assert executed(twenty) == {}


def test_a_method_of_the_models_class_edited_that_only_evaluate_calls(twenty) -> None:
    twenty.run("twenty")
    bytes_before = {path.name: path.read_bytes() for path in twenty.cached("*_train_model.pkl")}
    twenty.edit("models.py", {"return self.slope * value": "return self.slope * value + 1"})
    # A class counts whole, so `train` runs too; its pickles have the same bytes, and `evaluate` runs all the same.
    expected = {"train": 20, "evaluate": 20, "compare": 1}
    assert (
        executed(twenty)
        == expected
        == on_the_page("a method of the model's class that only `evaluate` calls")
    )
    assert {path.name: path.read_bytes() for path in twenty.cached("*_train_model.pkl")} == bytes_before
    nothing_twice(twenty)


def test_every_row_of_the_page_has_a_test() -> None:
    rows = re.findall(r"^\| (.+?) +\| +\d", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    tested = re.findall(r'on_the_page\("(.+?)"\)', Path(__file__).read_text(encoding="utf-8"))
    assert sorted(rows) == sorted(tested)

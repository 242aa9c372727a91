"""Parameter values as people read them."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from curifactory.parameters.lossless import diff_sets, dump_set, dump_value, shown_set
from curifactory.parameters.sets import ExperimentParameters, set_hash_functions
from curifactory.parameters.shown import diff_shown, shown_reads, text_of


class Color(enum.Enum):
    RED = 1


@dataclass
class Model:
    depth: int = 3
    color: Color = Color.RED


@dataclass
class Other(Model):
    pass


@dataclass
class Params(ExperimentParameters):
    n: int = 1
    model: Any = field(default_factory=Model)
    options: dict = field(default_factory=lambda: {"lr": 0.1, "eps": 1})
    token: str = "hunter2"
    thing: Any = None
    hash_representations: dict = set_hash_functions(thing=None)


@dataclass
class Others(Params):
    extra: int = 1


def diff(old, new):
    return diff_sets(*(json.loads(json.dumps(dump_set(each))) for each in (old, new)))


def test_a_set_is_shown_by_its_own_fields():
    shown = shown_set(Params(name="a", thing=(1, Path("a/b"), {2})))
    assert shown == {
        "n": 1,
        "model": {"depth": 3, "color": "Color.RED"},
        "options": {"lr": 0.1, "eps": 1},
        "token": "********",
        "thing": [1, "a/b", [2]],
    }
    assert json.loads(json.dumps(shown)) == shown


def test_what_is_long_is_cut():
    shown = shown_set(Params(thing=["x" * 1000, *range(100)]))["thing"]
    assert len(shown[0]) == 120
    assert shown[-1] == "… 71 more"
    assert len(text_of(dump_value(list(range(1000))))) <= 120


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (100, "100"),
        ("sgd", "'sgd'"),
        ((1,), "(1,)"),
        ((1, "a"), "(1, 'a')"),
        ({1}, "{1}"),
        ([1, [2]], "[1, [2]]"),
        ({"a": (1, 2)}, "{'a': (1, 2)}"),
        ({1: 2}, "{1: 2}"),
        (float("nan"), "nan"),
        (b"ab", "b'ab'"),
        (Color.RED, "Color.RED"),
        (Color, "Color"),
        (Model(), "Model(depth=3, color=Color.RED)"),
        (Path("a"), "a"),
        (object, "object"),
        ("two\nlines", "'two\\nlines'"),
        ("https://me:pw@host", "https://********@host"),
    ],
)
def test_a_value_is_one_line_as_python_would_write_it(value, text):
    assert text_of(dump_value(value)) == text


def test_an_array_is_shown_by_its_kind_and_shape():
    np = pytest.importorskip("numpy")
    assert text_of(dump_value(np.zeros((2, 3)))) == "array <f8 (2, 3)"


def test_equal_sets_do_not_differ():
    assert diff(Params(thing={"a": 1, "b": 2}), Params(thing={"b": 2, "a": 1})) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"n": 2}, [("n", "1", "2")]),
        ({"n": True}, [("n", "1", "True")]),
        ({"n": 1.0}, [("n", "1", "1.0")]),
        ({"n": "1"}, [("n", "1", "'1'")]),
        ({"model": Model(depth=4)}, [("model.depth", "3", "4")]),
        (
            {"model": Other()},
            [("model", "Model(depth=3, color=Color.RED)", "Other(depth=3, color=Color.RED)")],
        ),
        ({"model": None}, [("model", "Model(depth=3, color=Color.RED)", "None")]),
        (
            {"options": {"lr": 0.2, "new": 1}},
            [("options[lr]", "0.1", "0.2"), ("options[eps]", "1", "absent"), ("options[new]", "absent", "1")],
        ),
        ({"thing": [1]}, [("thing", "None", "[1]")]),
        ({"token": "other"}, []),
        ({"name": "b", "n": 2}, [("name", "'UNNAMED'", "'b'"), ("n", "1", "2")]),
    ],
)
def test_what_differs_is_named_by_path_with_both_texts(changes, expected):
    assert diff(Params(), Params(**changes)) == expected


def test_another_class_and_its_fields_are_named():
    assert diff(Params(), Others()) == [("class", "Params", "Others"), ("extra", "absent", "1")]
    assert diff(Others(), Params()) == [("class", "Others", "Params"), ("extra", "1", "absent")]


def test_lists_are_shown_whole():
    assert diff(Params(thing=[1, 2]), Params(thing=[1, 3])) == [("thing", "[1, 2]", "[1, 3]")]


def test_reads_are_shown_by_path_without_code_and_secrets():
    paths = [
        "n",
        "model.depth",
        "model",
        "token",
        "gone",
        "*",
        "type:model",
        "code:area",
        "fields:",
        "object:",
    ]
    assert shown_reads(Params(), paths) == {
        "gone": "absent",
        "model": "Model(depth=3, color=Color.RED)",
        "model.depth": "3",
        "n": "1",
        "token": "********",
    }


def test_of_a_long_value_the_part_that_differs_is_told() -> None:
    @dataclass
    class Params(ExperimentParameters):
        config: dict[str, Any] = field(default_factory=dict)

    def read(**changes: Any) -> dict[str, str]:
        config = {f"a_long_name_{number}": number for number in range(20)}
        return shown_reads(Params(config={**config, "net": {"drop": 0.1}, **changes}), ["config"])

    before = read()
    assert before["config"].endswith("…")
    assert list(diff_shown("config", before, read(net={"drop": 0.3}))) == [
        ("config[net][drop]", "0.1", "0.3")
    ]
    assert list(diff_shown("config", before, read(new=1))) == [("config[new]", "absent", "1")]
    assert list(diff_shown("config", read(new=1), before)) == [("config[new]", "1", "absent")]
    assert list(diff_shown("config", before, {"config": "{}"})) == [("config", before["config"], "{}")]


def test_what_cannot_be_told_apart_is_not_shown_as_the_same() -> None:
    @dataclass
    class Params(ExperimentParameters):
        values: list[int] = field(default_factory=list)
        token: str = "one"

    before, now = (
        shown_reads(Params(values=[*range(99), last], token=token), ["values", "token"])
        for last, token in ((1, "one"), (2, "two"))
    )
    (changed,) = diff_shown("values", before, now)
    assert changed == ("values", before["values"], "another value that begins alike")
    assert list(diff_shown("token", before, now)) == [("token", "********", "********")]

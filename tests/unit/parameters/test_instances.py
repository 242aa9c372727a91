"""Definitions become objects; a tree becomes its members."""

from __future__ import annotations

import collections
import copy
import datetime as dt
import functools
import math
from fractions import Fraction
from typing import Any

import pytest

from curifactory.errors import ParameterError, UnknownParameterError
from curifactory.parameters import instantiate, register_default
from curifactory.parameters.default_classes import find_default
from curifactory.parameters.imported_names import import_listener
from curifactory.parameters.trees import make_tree


class Model:
    def __init__(self, size: int = 3, *, inner: Any = None) -> None:
        self.size = size
        self.inner = inner


class Mixin:
    pass


def fail() -> None:
    raise RuntimeError("no luck")


HERE = __name__


@pytest.fixture(autouse=True)
def this_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make what stands here importable by its name, which it is not for every way to import tests."""
    import sys
    from types import ModuleType

    module = ModuleType("named_models")
    module.Model, module.Mixin, module.fail = Model, Mixin, fail  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "named_models", module)


@pytest.mark.parametrize(
    ("tree", "value"),
    [
        ({"call": "math.sqrt", "_": 16}, 4.0),
        ({"class": "datetime.date", "__": [2020, 1, 2]}, dt.date(2020, 1, 2)),
        ({"class": "datetime.date", "year": 2020, "month": 1, "day": 2}, dt.date(2020, 1, 2)),
        ({"class": "datetime.date", "_": 2020, "__": [1, 2]}, dt.date(2020, 1, 2)),
        ({"class": "datetime:date.fromordinal", "_": 5}, dt.date.fromordinal(5)),
        ({"def": "math.sqrt"}, math.sqrt),
        ({"a": 1, "b": {"c": [1, 2]}}, {"a": 1, "b": {"c": [1, 2]}}),
        ({}, {}),
    ],
)
def test_a_definition_becomes_what_it_describes(tree: Any, value: Any) -> None:
    assert instantiate(tree) == value


def test_a_definition_that_is_not_called_is_handed_out_with_its_arguments() -> None:
    made = instantiate({"def": "fractions.Fraction", "_": 1, "denominator": 4})
    assert isinstance(made, functools.partial)
    assert made() == Fraction(1, 4)


def test_members_are_built_recursively_and_refer_to_each_other() -> None:
    tree = {
        "optimizer": {"class": "named_models.Model", "size": "$.model.size", "inner": "$.model"},
        "model": {
            "class": "named_models.Model",
            "size": 7,
            "inner": {"class": "named_models.Model", "size": 9},
        },
        "deep": "$.inner.size",
        "sizes": [1, "$.model.size"],
        "pair": (1, "$.model.inner.size"),
    }
    before = copy.deepcopy(tree)
    made = instantiate(tree)
    assert list(made) == ["optimizer", "model", "deep", "sizes", "pair"]
    assert made["optimizer"].inner is made["model"]
    assert (made["optimizer"].size, made["deep"], made["sizes"], made["pair"]) == (7, 9, [1, 7], (1, 9))
    assert tree == before


def test_a_lone_mark_is_the_member_of_the_same_name() -> None:
    made = instantiate(
        {"inner": {"call": "math.sqrt", "_": 4}, "model": {"class": "named_models.Model", "inner": "$"}}
    )
    assert made["model"].inner == 2.0


def test_the_default_of_an_argument_is_its_callables_own() -> None:
    assert instantiate({"class": "named_models.Model", "size": "__default__"}).size == 3
    with pytest.raises(ParameterError, match=r"m\.depth: Model has no default for 'depth'"):
        instantiate({"m": {"class": "named_models.Model", "depth": "__default__"}})


def test_several_classes_are_taken_together() -> None:
    made = instantiate({"class": "named_models.Model, named_models.Mixin", "size": 5})
    assert isinstance(made, Model)
    assert isinstance(made, Mixin)
    assert made.size == 5


def test_parameter_trees_are_instantiated() -> None:
    tree = make_tree({"model": {"class": "named_models.Model", "size": 5}, "seed": 1}, name="x")
    made = instantiate(tree)
    assert (made["model"].size, made["seed"]) == (5, 1)
    assert instantiate(tree.model).size == 5


def test_only_what_is_asked_for_is_made() -> None:
    tree = {"bad": {"call": "named_models.fail"}, "good": {"call": "math.sqrt", "_": 4}, "other": "$.good"}
    assert instantiate(tree, ["other"]) == {"other": 2.0}
    with pytest.raises(UnknownParameterError, match=r"no member 'goood'. Did you mean 'good'\?"):
        instantiate(tree, ["goood"])


def test_sections_without_a_class_get_the_one_that_is_registered_for_their_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from curifactory.parameters import default_classes

    monkeypatch.setattr(default_classes, "_registry", {"core": {}})
    register_default("mine", "model", "named_models.Model")
    register_default("mine", "dataset", "collections.OrderedDict", form="def")
    register_default("core", "results", "collections.Counter")
    made = instantiate({"library": "mine", "model": {"size": 4}, "dataset": {"a": 1}, "results": None})
    assert made["model"].size == 4
    assert made["dataset"]() == {"a": 1}
    assert made["results"] == collections.Counter()
    assert "library" not in made
    assert find_default("mine", "results") == ("class", "collections.Counter")
    with pytest.raises(ParameterError, match=r"no library 'mone'. Did you mean 'mine'\?"):
        instantiate({"library": "mone"})
    with pytest.raises(ParameterError, match="'klass' is no form"):
        register_default("mine", "x", "a.b", form="klass")
    with pytest.raises(ParameterError, match="'Model' is no dotted name"):
        register_default("mine", "x", "Model")


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({"m": {"class": "Model"}}, "m: 'Model' has no module. Write it too"),
        ({"m": {"class": "nowhere.Model"}}, "m: There is no module 'nowhere'"),
        ({"m": {"class": "math.Sqrt"}}, "m: 'Sqrt' is not in the module 'math'"),
        ({"m": {"class": "math.pi"}}, "m: math.pi is of type float and cannot be called"),
        ({"m": {"class": 5}}, "m: class is a dotted name, and not 5"),
        ({"m": {"class": "named_models.Model", "depth": 5}}, "m: named_models.Model(…) raised TypeError"),
        ({"m": {"call": "named_models.fail"}}, "m: named_models.fail(…) raised RuntimeError: no luck"),
        ({"m": {"class": "a.B", "call": "a.b"}}, "m has class and call; a definition has one of them"),
        ({"m": {"_": 5}}, "m has arguments (_) but no class or def or call"),
        ({"m": {"class": "datetime.date", "__": 5}}, "m.__ is a list of positional arguments"),
        ({"m": {"def": "math.sqrt, math.sin"}}, "m: only classes can be taken together"),
        ({"a": {"b": "$.c"}}, "a.b refers to 'c', which is not there. There is 'a'."),
        ({"a": "$.b", "b": "$.a"}, "Definitions lead in a circle: a → b → a"),
        ({"a": {"class": "named_models.Model", "inner": "$.a"}}, "in a circle: a → a"),
        ({"m": {"call": "math.sqrt", "_": 4}, "x": "$.m.nothing"}, "x: $.m.nothing raised AttributeError"),
        ({"m": 5, "x": "$.m.__class__"}, "x: '$.m.__class__' asks for '__class__', which is not public"),
        (5, "A tree is a mapping, and this is of type int"),
    ],
)
def test_what_cannot_be_made_is_told_with_its_path(tree: Any, said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        instantiate(tree)
    assert said in str(caught.value)


def test_an_unknown_reference_is_a_key_error_and_the_cause_of_a_failure_is_kept() -> None:
    with pytest.raises(KeyError):
        instantiate({"a": "$.b"})
    with pytest.raises(ParameterError) as caught:
        instantiate({"m": {"call": "named_models.fail"}})
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_whoever_listens_is_told_what_was_imported() -> None:
    told: list[str] = []
    before = import_listener.set(told.append)
    try:
        instantiate({"m": {"class": "named_models.Model", "inner": {"def": "math:sqrt"}}})
    finally:
        import_listener.reset(before)
    assert told == ["named_models:Model", "math:sqrt"]

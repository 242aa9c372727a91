"""Parameter files in YAML: literals, places, what they extend and include, typed sets and trees."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from curifactory.errors import ConfigurationError, ParameterError
from curifactory.parameters import ExperimentParameters
from curifactory.parameters.yaml_files import load_sets, resolve_document
from curifactory.parameters.yaml_objects import as_declared
from curifactory.parameters.yaml_text import Document, read_yaml


def read(text: str) -> Any:
    return read_yaml(text, shown="params/x.yaml").value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1e2", 100.0),
        ("1E3", 1000.0),
        ("-2.5e+3", -2500.0),
        ("10", 10),
        ("0.5", 0.5),
        ("true", True),
        ("'10'", "10"),
        ("'0.5'", "0.5"),
        ("'True'", "True"),
        ("'1e-3'", "1e-3"),
        ("None", None),
        ("~", None),
        ("(1, 2)", (1, 2)),
        ("'[1, (2, 3)]'", [1, (2, 3)]),
        ("\"{'a': 1}\"", {"a": 1}),
        ("[1, 2]", [1, 2]),
        ("!!str None", "None"),
        ("!!str 1e-3", "1e-3"),
        ("&anchor !!str 10", "10"),
        ("torch.optim.Adam", "torch.optim.Adam"),
        ("(a, b)", "(a, b)"),
        ("2020-01-01", dt.date(2020, 1, 1)),
        ("a e-3", "a e-3"),
        ("|\n  (1, 2)\n", "(1, 2)\n"),
    ],
)
def test_a_literal(text: str, value: Any) -> None:
    found = read(f"x: {text}")["x"]
    assert found == value
    assert type(found) is type(value)


def test_keys_are_merged_and_anchors_followed() -> None:
    assert read("a: &a {p: 1, q: 2}\nb: {<<: *a, q: 3}\nc: {<<: [*a, {r: 5, p: 9}]}") == {
        "a": {"p": 1, "q": 2},
        "b": {"p": 1, "q": 3},
        "c": {"p": 1, "q": 2, "r": 5},
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1", "params/x.yaml:2:1: this is no YAML: did not find expected"),
        ("a: 1\n b: 2", "params/x.yaml:2:3: this is no YAML"),
        ("a:\n\tb: 2", "Lines of YAML begin with spaces, and there is a tab."),
        ("a: 1\nb: 2\na: 3", "params/x.yaml:3:1: 'a' is written twice"),
        ("a:\n  - b: 1\n    b: 2", "params/x.yaml:3:5: 'b' is written twice"),
        (
            "a: !!python/object:os.system x",
            "params/x.yaml:1:4: the tag tag:yaml.org,2002:python/object:os.system",
        ),
        ("a: !mine x", "params/x.yaml:1:4: the tag !mine stands for an object; write class:"),
        ("a: &a [*a]", "params/x.yaml:1:4: an alias leads to what it is a part of"),
        ("? [1]\n: 2", "params/x.yaml:1:3: a list or mapping cannot be a key"),
        ("a: {<<: 5}", "params/x.yaml:1:9: only mappings can be merged"),
        ("a: \x00", "params/x.yaml: this is no YAML"),
        ("a: 1\n---\nb: 2", "params/x.yaml:2:1: this is no YAML"),
    ],
)
def test_what_is_wrong_is_told_with_line_and_column(text: str, said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        read(text)
    assert said in str(caught.value)


def test_the_comment_at_the_beginning_describes_a_file() -> None:
    assert read_yaml("# Small.\nn: 1", shown="x").doc == "Small."
    assert read_yaml("n: 1\n# Small.", shown="x").doc == ""
    assert read_yaml("", shown="x").value is None


# ------------------------------------------------------------------------------------------- extends and include


def resolve(files: dict[str, str], name: str = "x") -> dict[str, Any]:
    documents = {each: read_yaml(text, shown=f"{each}.yaml") for each, text in files.items()}
    return resolve_document(documents[name], find=documents.get)


def test_a_file_overrides_what_it_extends_name_by_name_and_lists_as_a_whole() -> None:
    assert resolve(
        {
            "base": "model: {depth: 2, sizes: [1, 2]}\ndata: {n: 5}\nseed: 1",
            "x": "extends: base\nmodel: {sizes: [9]}\nextra: 7",
        }
    ) == {"model": {"depth": 2, "sizes": [9]}, "data": {"n": 5}, "seed": 1, "extra": 7}


def test_extending_goes_on_and_what_stands_before_it_keeps_its_place() -> None:
    found = resolve(
        {"a": "one: 1\ntwo: 2", "b": "extends: a\ntwo: 3", "x": "first: 0\ntwo: 4\nextends: b\nlast: 9"}
    )
    assert list(found.items()) == [("first", 0), ("two", 4), ("one", 1), ("last", 9)]


def test_sections_are_completed_from_an_included_file_and_others_are_not_pulled_in() -> None:
    assert resolve(
        {
            "other": "model: {depth: 2, size: 5}\ndata: {n: 5}\nseed: 1",
            "x": "include: other\nmodel: {size: 9}\ndata:\nown: 3",
        }
    ) == {"model": {"size": 9, "depth": 2}, "data": {"n": 5}, "own": 3}


def test_several_files_are_extended_in_their_order() -> None:
    assert resolve({"a": "n: 1\nk: 1", "b": "n: 2", "x": "extends: [a, b.yaml]"}) == {"n": 2, "k": 1}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"x": "n: 1\nextends: nothing"}, "x.yaml:2:1: there is no parameter file 'nothing' in YAML"),
        ({"x": "extends: y", "y": "extends: x"}, "files lead in a circle: x.yaml → y.yaml → x.yaml"),
        ({"x": "extends: 5"}, "x.yaml:1:1: extends is the name of a parameter file"),
        ({"x": "- 1"}, "x.yaml:1:1: a parameter file is a mapping of names to values"),
    ],
)
def test_files_that_cannot_be_put_together_are_told(files: dict[str, str], said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        resolve(files)
    assert said in str(caught.value)


# -------------------------------------------------------------------------------------------------- sets and trees


class Kind(Enum):
    ADAM = "adam"
    TWO = 2


@dataclass
class Optimizer:
    lr: float = 0.1
    kind: Kind = Kind.ADAM


@dataclass
class Params(ExperimentParameters):
    n: int = 1
    rate: float = 0.5
    sizes: tuple[int, ...] = (1,)
    where: Path = Path("here")
    limit: int | None = None
    optimizer: Optimizer = field(default_factory=Optimizer)
    by_name: dict[str, Optimizer] = field(default_factory=dict)
    made: type = dict


@pytest.fixture(autouse=True)
def module(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    made = ModuleType("named_params")
    made.Params = Params  # type: ignore[attr-defined]
    made.number = 5  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "named_params", made)


def load(text: str, **files: str) -> list[Any]:
    documents: dict[str, Document] = {
        name: read_yaml(other, shown=f"{name}.yaml") for name, other in files.items()
    }
    return load_sets(read_yaml(text, shown="params/x.yaml"), name="x", find=documents.get)


def test_sets_of_a_class_are_converted_by_what_it_declares() -> None:
    [small, large] = load(
        """
class: named_params.Params
defaults:
  rate: 1
  optimizer: {lr: 1e-3}
sets:
  - name: small
    sizes: [4, 5]
    where: some/dir
    by_name: {a: {lr: 1, kind: two}}
  - name: large
    n: 30
    limit: 7
    optimizer: {kind: TWO}
    made: collections.OrderedDict
"""
    )
    assert small == Params(
        name="small",
        rate=1.0,
        sizes=(4, 5),
        where=Path("some/dir"),
        optimizer=Optimizer(lr=0.001),
        by_name={"a": Optimizer(lr=1.0, kind=Kind.TWO)},
    )
    assert large.optimizer == Optimizer(lr=0.001, kind=Kind.TWO)
    assert (large.n, large.limit, large.made.__name__) == (30, 7, "OrderedDict")


def test_sets_may_be_a_mapping_of_their_names() -> None:
    assert [params.name for params in load("class: named_params.Params\nsets:\n  a: {n: 1}\n  b:\n")] == [
        "a",
        "b",
    ]


def test_a_class_alone_is_one_set_called_like_the_file() -> None:
    assert load("class: named_params.Params\ndefaults: {n: 4}") == [Params(name="x", n=4)]


def test_sets_without_a_class_are_trees() -> None:
    [one, two] = load(
        "defaults: {model: {depth: 2, size: 3}}\nsets: {one: {seed: 1}, two: {model: {size: 9}}}"
    )
    assert (one.name, one.seed, one.model.depth) == ("one", 1, 2)
    assert (two.model.depth, two.model.size) == (2, 9)


def test_a_file_without_sets_is_one_tree() -> None:
    [params] = load("extends: base\nseed: 7", base="seed: 1\nmodel: {class: a.B}")
    assert (params.name, params.seed, params.model["class"]) == ("x", 7, "a.B")


def test_all_faults_of_a_file_are_told_at_once_with_line_and_column() -> None:
    with pytest.raises(ParameterError) as caught:
        load(
            """class: named_params.Params
sets:
  - name: a
    n: x
    sizes: [1, b]
  - name: b
    opt: 3
    optimizer: {lr: fast, kind: adm}
    limit: 1.5
"""
        )
    assert [place for place, _ in caught.value.faults] == [
        "params/x.yaml:4:5",
        "params/x.yaml:5:16",
        "params/x.yaml:7:5",
        "params/x.yaml:8:17",
        "params/x.yaml:8:27",
        "params/x.yaml:9:5",
    ]
    assert "opt: Params has no field 'opt'" in str(caught.value)
    assert "optimizer.kind: there is no 'adm': did you mean 'adam' or 'ADAM'?" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("class: named_params.Parms\nsets: [{}]", "x.yaml:1:1: 'Parms' is not in the module 'named_params'"),
        ("class: nowhere.Params\nsets: [{}]", "x.yaml:1:1: There is no module 'nowhere'"),
        ("class: Params\nsets: [{}]", "x.yaml:1:1: class is the dotted name of a parameter class"),
        ("class: named_params.number\nsets: [{}]", "x.yaml:1:1: named_params.number is no parameter class"),
        (
            "class: named_params.Params\nset: [{}]",
            "x.yaml:2:1: 'set' has no meaning here; did you mean 'sets'?",
        ),
        ("sets: 5", "x.yaml:1:1: sets are a list of mappings"),
        ("sets: []", "x.yaml:1:1: there are no sets"),
        ("sets: [5]", "x.yaml:1:8: a set is a mapping of names to values"),
        ("defaults: 5\nsets: [{}]", "x.yaml:1:1: defaults are a mapping"),
        ("params_hash: 5", "x.yaml:1:1: 'params_hash' cannot be the name of a parameter"),
        ("n: 1\nname: 5", "x.yaml:2:1: 'name' is 5, and every set has there: str"),
        ("overwrite: maybe", "x.yaml:1:1: 'overwrite' is 'maybe', and every set has there: bool"),
        ("'a.b': 5", "x.yaml:1:1: 'a.b' cannot be the name of a parameter"),
    ],
)
def test_a_file_that_is_no_parameter_file_is_told(text: str, said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        load(text)
    assert said in str(caught.value)


def test_a_tree_can_leave_names_out_of_its_identity() -> None:
    text = "hash_representations: {verbose: ~}\nn: 1\nverbose: "
    assert load(text + "true")[0].params_hash() == load(text + "false")[0].params_hash()
    assert load("n: 1\nverbose: true")[0].params_hash() != load("n: 1\nverbose: false")[0].params_hash()


def test_two_sets_of_one_name_are_told() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load("sets:\n  - {name: a}\n  - {name: a}")
    assert "two sets named 'a', at params/x.yaml:2:5 and params/x.yaml:3:5" in str(caught.value)


def test_a_class_that_refuses_values_is_told_with_the_place() -> None:
    import sys

    @dataclass
    class Strict(ExperimentParameters):
        n: int = 1

        def __post_init__(self) -> None:
            if self.n > 5:
                raise ValueError("too many")

    sys.modules["named_params"].Strict = Strict  # type: ignore[attr-defined]
    with pytest.raises(ParameterError, match=r"x.yaml:3:5: Strict refuses the values: ValueError: too many"):
        load("class: named_params.Strict\nsets:\n  - n: 9")


@pytest.mark.parametrize(
    ("value", "declared", "expected"),
    [(5, "str", 5), ("5", "int", "5"), (True, "int", True)],
)
def test_numbers_and_texts_are_not_mixed_up(value: Any, declared: str, expected: Any) -> None:
    faults: list[Any] = []
    assert as_declared(value, {"str": str, "int": int}[declared], (), faults) == expected
    assert bool(faults) is (value is not True)

"""Typed changes: every row of the table of argument strings, and conversion by what a set declares."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from curifactory.errors import ParameterError, ParameterTypeError, UnknownParameterError
from curifactory.parameters import ExperimentParameters, Range
from curifactory.parameters.arguments import read_changes, read_ranges, read_values, split_argument


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1-2,4-5", [1, 2, 4, 5]),
        ("4,5,6", [4, 5, 6]),
        ("1-3,x", [1, 2, 3, "x"]),
        ("x-y", ["x-y"]),
        ("", [""]),
        ("True", [True]),
        ("None", [None]),
        ("-1", [-1]),
        ("torch.optim.Adam", ["torch.optim.Adam"]),
        ("0.0-1.0:3", [0.0, 0.5, 1.0]),
        # The original fails on these.
        ("1e-3", [0.001]),
        ("[1,2]", [[1, 2]]),
        ("a=b=c", ["a=b=c"]),
        ("2020-01-01", ["2020-01-01"]),
        ("[1,2],[3]", [[1, 2], [3]]),
        ("10_000", [10_000]),
        ("'1,2'", ["1,2"]),
    ],
)
def test_a_row_of_the_table(text: str, values: list[Any]) -> None:
    assert read_values(text) == values


def test_a_logarithm_is_written_with_the_name_or_with_the_range() -> None:
    assert (
        split_argument("lr.log=1e-5_1e-3:3")
        == split_argument("lr=1e-5_1e-3:3.log")
        == ("lr", "1e-5_1e-3:3.log")
    )
    assert read_values("1e-5_1e-3:3.log") == [1e-5, 1e-4, 1e-3]
    assert read_ranges("1e-5_1e-3.log") == [Range(1e-5, 1e-3, log=True)]


def test_a_logarithm_of_what_is_no_range_is_told() -> None:
    with pytest.raises(ValueError, match=r"^Invalid value for log mode: \[3\]"):
        read_values("3.log")


def test_a_file_that_ends_in_log_is_no_logarithm() -> None:
    assert read_values("train.log") == ["train.log"]


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("n=10", ("n", "10")),
        ("url=http://x?a=b", ("url", "http://x?a=b")),
        ("optimizer.lr=1", ("optimizer.lr", "1")),
        ("sizes:0=1", ("sizes:0", "1")),
        ("+n=1", ("+n", "1")),
        ("n=", ("n", "")),
    ],
)
def test_a_word_is_split_at_its_first_equals_sign(word: str, parts: tuple[str, str]) -> None:
    assert split_argument(word) == parts


@pytest.mark.parametrize("word", ["n", "=5", "+=5", ""])
def test_a_word_that_is_no_change_is_told(word: str) -> None:
    with pytest.raises(ParameterError, match="is no change of a parameter"):
        split_argument(word)


class Kind(Enum):
    ADAM = "adam"
    SGD = "sgd"


@dataclass
class Optimizer:
    lr: float = 0.001
    kind: Kind = Kind.ADAM


@dataclass
class Params(ExperimentParameters):
    n: int = 10
    seeds: int | None = None
    layers: tuple[int, ...] = (64, 64)
    rates: list[float] = field(default_factory=lambda: [0.1])
    title: str = "none"
    where: Path = Path("data")
    optimizer: Optimizer = field(default_factory=Optimizer)
    anything: Any = 0.5


@pytest.mark.parametrize(
    ("word", "values"),
    [
        ("n=10,50,100", [10, 50, 100]),
        ("n=0-4", [0, 1, 2, 3, 4]),
        ("lr=1e-3,1", [0.001, 1.0]),
        ("lr=1-3", [1.0, 2.0, 3.0]),
        ("optimizer.kind=adam,SGD", [Kind.ADAM, Kind.SGD]),
        ("seeds=none", [None]),
        ("seeds=1,none", [1, None]),
        ("layers=[64,32]", [(64, 32)]),
        ("layers=64,32", [(64, 32)]),
        ("layers=[64],[32,32]", [(64,), (32, 32)]),
        ("layers=1-3", [(1, 2, 3)]),
        ("layers.0=5,6", [5, 6]),
        ("layers:0=5", [5]),
        ("rates=0-1-0.5", [[0.0, 0.5, 1.0]]),
        ("title=1-3", ["1-3"]),
        ("title=a,b", ["a", "b"]),
        ("title='a,b'", ["a,b"]),
        ("title=", [""]),
        ("where=a-b/c", [Path("a-b/c")]),
        ("anything=1,2", [1.0, 2.0]),
        ("name=small", ["small"]),
        ("overwrite=yes", [True]),
    ],
)
def test_text_is_converted_by_the_declared_type(word: str, values: list[Any]) -> None:
    found = next(iter(read_changes(Params(), [word]).values()))
    assert found == values
    assert [type(each) for each in found] == [type(each) for each in values]


def test_without_a_declared_type_the_old_value_says_how_text_is_read() -> None:
    tree = {"lr": 0.001, "name": "x", "opt": "$.model", "none": None, "sizes": [1]}
    words = ["lr=1", "name=5", "opt=7", "none=8", "sizes=3,4", "+new=9"]
    assert read_changes(tree, words) == {
        "lr": [1.0],
        "name": ["5"],
        "opt": [7],
        "none": [8],
        "sizes": [[3, 4]],
        "+new": [9],
    }


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ParameterError) as caught:
        read_changes(Params(), ["n=x", "optimizer.kind=adm", "lrr=3", "n=1"])
    assert [path for path, _ in caught.value.faults] == ["n", "optimizer.kind", "lrr", "n"]


@pytest.mark.parametrize(
    ("word", "kind", "said"),
    [
        ("n=1.5", ParameterTypeError, "n: '1.5' is no int"),
        ("n=0-1-0.5", ParameterTypeError, "n: '0-1-0.5' is a range of floats, and an int is declared"),
        ("n=0-4-0", ParameterTypeError, "n: Invalid step."),
        ("nn=1", UnknownParameterError, "did you mean 'n'?"),
        ("optimizer.x=1", UnknownParameterError, "there is no parameter 'x' in optimizer"),
    ],
)
def test_a_fault_names_its_parameter(word: str, kind: Any, said: str) -> None:
    with pytest.raises(kind) as caught:
        read_changes(Params(), [word])
    assert said in str(caught.value)

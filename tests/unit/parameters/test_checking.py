"""Values are compared with the types that their classes declare."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypedDict

import pytest

from curifactory.errors import ParameterTypeError
from curifactory.parameters import ExperimentParameters
from curifactory.parameters.annotations import declared_types, name_type
from curifactory.parameters.checking import check_values, find_type_faults
from curifactory.parameters.fitting import fits

if TYPE_CHECKING:
    from decimal import Decimal


class Kind(Enum):
    A = 1


class Shape(NamedTuple):
    w: int
    h: int


class Named(Protocol):
    name: str


class Row(TypedDict):
    n: int


@pytest.mark.parametrize(
    ("value", "declared"),
    [
        (1, int),
        (True, int),
        (1, float),
        (1.5, float),
        (None, int | None),
        ("a", Literal["a", 1]),
        ([1, 2], list[int]),
        ((1, "a"), tuple[int, str]),
        ((), tuple[int, ...]),
        ([1], Sequence[int]),
        ({"a": 1}, Mapping[str, int]),
        (int, type),
        (bool, type[int]),
        (len, Callable[..., int]),
        (Kind.A, Kind),
        (Path("x"), Path),
        (Shape(1, 2), Shape),
        (5, Any),
        (5, object),
        (5, Named),
        ({"n": 1}, Row),
        (5, "Unknown"),
    ],
)
def test_a_value_that_fits(value: Any, declared: Any) -> None:
    assert fits(value, declared)


@pytest.mark.parametrize(
    ("value", "declared"),
    [
        (1.5, int),
        ("1", int),
        (True, float),
        (None, int),
        (1, str),
        ("x", Path),
        ("b", Literal["a", 1]),
        (True, Literal[1]),
        ([1, "a"], list[int]),
        ((1,), list[int]),
        ((1, 2, 3), tuple[int, int]),
        ({"a": "b"}, dict[str, int]),
        (int, type[str]),
        (5, type),
        (5, Callable[..., int]),
        (1, Kind),
        (1, Row),
        ("x", int | float | None),
    ],
)
def test_a_value_that_does_not_fit(value: Any, declared: Any) -> None:
    assert not fits(value, declared)


def test_numbers_of_numpy_are_numbers() -> None:
    import numpy as np

    assert fits(np.int64(5), int)
    assert fits(np.float32(5), float)
    assert fits(np.bool_(True), bool)
    assert not fits(np.float64(5), int)


@dataclass
class Inner:
    lr: float = 0.1
    later: Decimal | None = None


@dataclass
class Params(ExperimentParameters):
    n: int = 1
    sizes: list[int] = field(default_factory=list)
    inner: Inner = field(default_factory=Inner)
    implicit: int = None  # type: ignore[assignment]
    reference: float = 0.0


def test_all_faults_are_found_with_their_paths() -> None:
    params = Params(n="a", sizes=[1, "b"], inner=Inner(lr="c"))  # type: ignore[arg-type,list-item]
    assert list(find_type_faults(params)) == [
        ("n", "'a' is no int"),
        ("sizes[1]", "'b' is no int"),
        ("inner.lr", "'c' is no float"),
    ]


def test_none_is_taken_where_it_is_the_default_and_references_anywhere() -> None:
    params = Params(implicit=None, reference="$.model.lr")  # type: ignore[arg-type]
    assert list(find_type_faults(params)) == []


def test_a_type_that_cannot_be_resolved_does_not_hide_the_others() -> None:
    assert declared_types(Inner) == {"lr": float}


def test_a_class_of_a_function_is_checked_as_far_as_its_types_are_known() -> None:
    class Local:
        pass

    @dataclass
    class Made(ExperimentParameters):
        local: Local | None = None
        n: int = 1

    assert list(find_type_faults(Made(n="x"))) == [("n", "'x' is no int")]  # type: ignore[arg-type]


def test_the_error_names_file_set_and_path_of_every_fault() -> None:
    sets = [
        (Params(name="small", n="a"), "params/a.py"),  # type: ignore[arg-type]
        (Params(name="large", n="a"), "params/a.py"),  # type: ignore[arg-type]
        (Params(name="other", inner=Inner(lr="b")), "params/b.py"),  # type: ignore[arg-type]
    ]
    with pytest.raises(ParameterTypeError) as caught:
        check_values(sets)
    assert str(caught.value).splitlines() == [
        "Parameters have 2 faults:",
        "  params/a.py: small (and 1 more set).n: 'a' is no int",
        "  params/b.py: other.inner.lr: 'b' is no float",
    ]


def test_sound_sets_pass() -> None:
    check_values([(Params(), "params/a.py")])


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        (int, "int"),
        (int | None, "int | None"),
        (list[int], "list[int]"),
        (Literal["a", 2], "'a' | 2"),
        (Any, "Any"),
        (Callable[..., int], "Callable[..., int]"),
        (None, "None"),
    ],
)
def test_types_are_written_as_people_write_them(declared: Any, text: str) -> None:
    assert name_type(declared) == text

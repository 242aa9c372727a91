"""Text becomes the value that its declared type says."""

from __future__ import annotations

import collections
import datetime as dt
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, NewType, Optional, TypeVar, Union
from uuid import UUID

import pytest

from curifactory.errors import ParameterTypeError
from curifactory.parameters.text import read_literal, read_text, split_items


class Kind(Enum):
    ADAM = "adam-w"
    Sgd = 2


Size = NewType("Size", int)
Number = TypeVar("Number", bound=float)


@pytest.mark.parametrize(
    ("text", "declared", "value"),
    [
        ("5", int, 5),
        ("1e3", int, 1000),
        ("0x1f", int, 31),
        ("10_000", int, 10_000),
        ("1e-3", float, 0.001),
        ("1", float, 1.0),
        ("-inf", float, -math.inf),
        ("yes", bool, True),
        ("0", bool, False),
        ("5", str, "5"),
        ("'a,b'", str, "a,b"),
        ("", str, ""),
        ("None", Optional[int], None),  # noqa: UP045 (people write it so, too)
        ("null", int | None, None),
        ("7", int | None, 7),
        ("x", int | str, "x"),
        ("5", int | str, 5),
        ("0.5", int | float, 0.5),
        ("auto", Union[float, Literal["auto"]], "auto"),  # noqa: UP007
        ("relu", Literal["relu", "tanh"], "relu"),
        ("2", Literal[1, 2], 2),
        ("ADAM", Kind, Kind.ADAM),
        ("adam", Kind, Kind.ADAM),
        ("adam-w", Kind, Kind.ADAM),
        ("2", Kind, Kind.Sgd),
        ("Kind.Sgd", Kind, Kind.Sgd),
        ("a/b-c", Path, Path("a/b-c")),
        ("a/b", PurePosixPath, PurePosixPath("a/b")),
        ("[64, 32]", list[int], [64, 32]),
        ("64,32", list[int], [64, 32]),
        ("[]", list[int], []),
        ("(1, 2.5)", tuple[int, float], (1, 2.5)),
        ("(1,)", tuple[int, ...], (1,)),
        ("[a, b]", Sequence[str], ["a", "b"]),
        ("{1, 2}", set[int], {1, 2}),
        ("{a: 1, b: 2}", dict[str, float], {"a": 1.0, "b": 2.0}),
        ("{}", dict, {}),
        ("[[1, 2], [3]]", list[list[int]], [[1, 2], [3]]),
        ("collections.OrderedDict", type, collections.OrderedDict),
        ("collections:OrderedDict", type[dict], collections.OrderedDict),
        ("math.sqrt", Callable[[float], float], math.sqrt),
        ("len", Callable, len),
        ("2020-01-02", dt.date, dt.date(2020, 1, 2)),
        ("2020-01-02T10:00:00", dt.datetime, dt.datetime(2020, 1, 2, 10)),  # noqa: DTZ001
        ("1.50", Decimal, Decimal("1.50")),
        ("12345678-1234-5678-1234-567812345678", UUID, UUID("12345678-1234-5678-1234-567812345678")),
        ("1+2j", complex, 1 + 2j),
        ("range(1, 5)", range, range(1, 5)),
        ("5", Size, 5),
        ("5", Annotated[int, "positive"], 5),
        ("5", Number, 5.0),
        ("5", Any, 5),
        ("five", Any, "five"),
        ("[relu, tanh]", Any, ["relu", "tanh"]),
        ("true", object, True),
    ],
)
def test_a_text_is_read_as_its_type(text: str, declared: Any, value: Any) -> None:
    found = read_text(text, declared)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "declared", "said"),
    [
        ("x", int, "'x' is no int"),
        ("1.5", int, "'1.5' is no int"),
        ("", int, "'' is no int"),
        ("x", float, "'x' is no float"),
        ("maybe", bool, "'maybe' is no bool: write True or False"),
        ("x", int | None, "'x' is none of int | None"),
        ("relo", Literal["relu", "tanh"], "there is no 'relo': did you mean 'relu'?"),
        ("x", Literal["relu", "tanh"], "it is one of 'relu' or 'tanh'"),
        ("adan", Kind, "there is no 'adan': did you mean 'ADAM'"),
        ("(1, 2, 3)", tuple[int, int], "it has 3 items where 2 are declared"),
        ("[1, x]", list[int], "'x' is no int"),
        ("a: 1", dict, "write it as {name: value}"),
        ("{a}", dict, "'a' has no ':'"),
        (
            "collections.OrderedDikt",
            type,
            "'OrderedDikt' is not in the module 'collections'. Did you mean 'OrderedDict'",
        ),
        ("nowhere.Thing", type, "There is no module 'nowhere'"),
        ("Thing", type, "write its module too"),
        ("collections.OrderedDict", type[list], "is no type[list]"),
        ("math.pi", Callable, "is no Callable"),
        ("2020-13-02", dt.date, "'2020-13-02' is no date"),
        ("x", complex, "'x' is no complex"),
        ("3", range, "write it as range(0, 10)"),
        ("x", None, "'x' is no None"),
    ],
)
def test_a_text_that_is_not_of_its_type_is_told(text: str, declared: Any, said: str) -> None:
    with pytest.raises(ParameterTypeError) as caught:
        read_text(text, declared)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("1,2", ["1", "2"]),
        ("[1,2],(3,4)", ["[1,2]", "(3,4)"]),
        ("'a,b',c", ["'a,b'", "c"]),
        ("don't,b", ["don't", "b"]),
        ("", [""]),
        ("a,", ["a", ""]),
        ("{a: [1, 2]}", ["{a: [1, 2]}"]),
    ],
)
def test_commas_in_brackets_and_quotes_do_not_split(text: str, pieces: list[str]) -> None:
    assert split_items(text) == pieces


@pytest.mark.parametrize("text", ["__import__('os')", "1 + 1", "a b", "[1, 2", "...", "lambda: 0"])
def test_what_is_no_literal_stays_a_text_and_is_never_evaluated(text: str) -> None:
    assert read_literal(text) == text

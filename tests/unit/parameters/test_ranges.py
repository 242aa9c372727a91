"""Ranges: every row of their tables."""

from __future__ import annotations

import math
from typing import Any

import pytest

from curifactory.errors import ParameterTypeError
from curifactory.parameters import Range

ROWS: list[tuple[Range, list[Any]]] = [
    (Range(6), [0, 1, 2, 3, 4, 5, 6]),
    (Range(0), [0]),
    (Range(3, 6), [3, 4, 5, 6]),
    (Range(6, 3), [6, 5, 4, 3]),
    (Range(10, 1, 3), [10, 7, 4, 1]),
    (Range(3, 10, 2), [3, 5, 7, 9]),
    (Range(3, 10, num=4), [3, 5, 8, 10]),
    (Range(0, 8, num=4), [0, 3, 5, 8]),
    (Range(0, 9, num=4), [0, 3, 6, 9]),
    (Range(3, 10, num=2), [3, 10]),
    (Range(3, 10, num=1), [3, 4, 5, 6, 7, 8, 9, 10]),
    (Range(3, 10, num=0), [3, 4, 5, 6, 7, 8, 9, 10]),
    (Range(1, 5, num=10), [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]),
    (Range(0, 10, 2, num=3), [0, 4, 10]),
    (Range(-2, 2), [-2, -1, 0, 1, 2]),
    (Range(5, 5), [5]),
    (Range(0.0, 1.0, 0.25), [0.0, 0.25, 0.5, 0.75, 1.0]),
    (Range(0.0, 1.0, num=5), [0.0, 0.25, 0.5, 0.75, 1.0]),
    (Range(0, 1, 0.25), [0.0, 0.25, 0.5, 0.75, 1.0]),
    (Range(1.0, 0.0, 0.25), [1.0, 0.75, 0.5, 0.25, 0.0]),
    (Range(0, 1, 0.2), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
    (Range(0, 1, 0.3), [0.0, 1 / 3, 2 / 3, 1.0]),
    (Range(0.0, 10.0), [float(each) for each in range(11)]),
    (Range(1.0), [0.0, 1.0]),
    (Range(2.5), [0.0, 2.5 / 3, 5 / 3, 2.5]),
    (Range(0.5, 0.5), [0.5]),
    (Range(1e-3, 1e2, num=6, log=True), [0.001, 0.01, 0.1, 1.0, 10.0, 100.0]),
    (Range(1e2, 1e-3, num=6, log=True), [100.0, 10.0, 1.0, 0.1, 0.01, 0.001]),
    (Range(1.0, 1000.0, num=4, log=True), [1.0, 10.0, 100.0, 1000.0]),
    # Where the original ignores the logarithm, fails, or is empty.
    (Range(1, 1000, num=4, log=True), [1, 10, 100, 1000]),
    (Range(3, 10, -2), [3, 5, 7, 9]),
    (Range(10, 3, -2), [10, 8, 6, 4]),
    # Texts.
    (Range("3-7"), [3, 4, 5, 6, 7]),
    (Range("3_7"), [3, 4, 5, 6, 7]),
    (Range("7-3"), [7, 6, 5, 4, 3]),
    (Range("3-7-2"), [3, 5, 7]),
    (Range("3_7_2"), [3, 5, 7]),
    (Range("0-10:3"), [0, 5, 10]),
    (Range("0-1:5"), [0, 0, 0, 1, 1]),
    (Range("0.0-1.0:5"), [0.0, 0.25, 0.5, 0.75, 1.0]),
    (Range("0-0.5:5"), [0.0, 0.125, 0.25, 0.375, 0.5]),
    (Range("0-1-0.2"), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
    (Range("0.0-1.0-0.5"), [0.0, 0.5, 1.0]),
    (Range("0.0-1.0"), [0.0, 1.0]),
    (Range("1e-3_1e2:6.log"), [0.001, 0.01, 0.1, 1.0, 10.0, 100.0]),
    (Range("-3_3"), [-3, -2, -1, 0, 1, 2, 3]),
    (Range("-3-3"), [-3, -2, -1, 0, 1, 2, 3]),
    (Range("-3--1"), [-3, -2, -1]),
    (Range("1e-3-3e-3-1e-3"), [0.001, 0.002, 0.003]),
]


@pytest.mark.parametrize(("given", "expected"), ROWS, ids=[f"{row[0]!r} {at}" for at, row in enumerate(ROWS)])
def test_a_row_of_the_table(given: Range, expected: list[Any]) -> None:
    found = list(given)
    assert [type(each) for each in found] == [type(each) for each in expected]
    assert all(math.isclose(one, other, abs_tol=1e-12) for one, other in zip(found, expected, strict=True))
    assert len(given) == len(expected)
    assert list(given) == found


def test_both_ends_are_hit_exactly() -> None:
    found = list(Range(0.1, 0.7, num=7))
    assert (found[0], found[-1]) == (0.1, 0.7)


@pytest.mark.parametrize(
    "text",
    ["5", "0.5", "a-b", "2-4-2:3", "", "-", "1-", "10_000", "2020-01-01", "2020-10-11", "1-2-3-4", "1 - x"],
)
def test_a_text_that_is_no_range_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=f"^Invalid string for Range: {text}"):
        Range(text)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"start": 0, "stop": 3, "step": 0}, r"^Invalid step\."),
        ({"start": 1, "stop": 3, "step": 2, "log": True}, r"^Invalid step\."),
        ({"start": "0-3-0"}, r"^Invalid step\."),
        ({"start": 0, "stop": 3, "log": True}, "has positive ends"),
        ({"start": True}, "its stop is True"),
        ({"start": 0, "stop": float("inf")}, "its stop is inf"),
        ({"start": 0, "stop": 3, "num": -1}, "it is -1"),
        ({"start": "0-3", "stop": 3}, "takes nothing else"),
    ],
)
def test_what_is_no_range_fails_when_it_is_made(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterTypeError, match=said):
        Range(**arguments)


def test_a_logarithm_without_a_number_is_a_search_range_but_no_list() -> None:
    ranged = Range(1e-5, 1e-3, log=True)
    assert (ranged.start, ranged.stop, ranged.log) == (1e-5, 1e-3, True)
    with pytest.raises(ValueError, match=r"^num must be larger than 1, but 0 given\."):
        list(ranged)


@pytest.mark.parametrize(
    ("ranged", "text"),
    [
        (Range(3, 7), "Range(3, 7)"),
        (Range(3, 7, 2), "Range(3, 7, 2)"),
        (Range(3, 7, num=3), "Range(3, 7, n=3)"),
        (Range(0.001, 1, num=4, log=True), "Range(0.001, 1, n=4, log=True)"),
        (Range("0-10:3"), "Range(0, 10, n=3)"),
    ],
)
def test_a_range_shows_itself(ranged: Range, text: str) -> None:
    assert repr(ranged) == text


def test_ranges_compare_hash_and_contain() -> None:
    assert Range(0, 3) == Range("0-3") == Range(3)
    assert Range(0, 3) != Range(0.0, 3.0)
    assert len({Range(0, 3), Range("0-3"), Range(0, 3, num=1)}) == 1
    assert 2 in Range(0, 3)
    assert 2.5 not in Range(0, 3)
    assert "a" not in Range(0, 3)
    assert Range(3).is_integer
    assert Range(0, 1, 0.5).is_float

"""Copies that stages are given of values that no cacher keeps."""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict, defaultdict, deque

import numpy as np
import pandas as pd
import pytest

from curifactory.engine.own_copy import MOST_BYTES, own_copy


@dataclasses.dataclass
class Box:
    items: list


class Model:
    def __init__(self) -> None:
        self.weights = [1]


@pytest.mark.parametrize(
    ("value", "change"),
    [
        ([1, 2], lambda value: value.append(3)),
        ([[1], (2, [3])], lambda value: value[1][1].append(4)),
        ({"a": {"b": [1]}}, lambda value: value["a"]["b"].clear()),
        ({1, 2}, lambda value: value.add(3)),
        (bytearray(b"ab"), lambda value: value.extend(b"c")),
        (deque([1]), lambda value: value.append(2)),
        (OrderedDict(a=[1]), lambda value: value["a"].append(2)),
        (defaultdict(list, a=[1]), lambda value: value["b"].append(2)),
        (Box([1]), lambda value: value.items.append(2)),
        (({"a": Box([1])},), lambda value: value[0]["a"].items.append(2)),
    ],
)
def test_a_change_of_the_copy_is_no_change_of_the_value(value, change) -> None:
    before = repr(value)
    mine = own_copy(value)
    assert type(mine) is type(value)
    assert mine == value
    change(mine)
    assert repr(value) == before
    assert repr(mine) != before


def test_arrays_and_frames_are_copied() -> None:
    value = {"array": np.arange(3), "frame": pd.DataFrame({"a": [1]}), "series": pd.Series([1])}
    mine = own_copy(value)
    mine["array"] += 1
    mine["frame"]["b"] = 2
    mine["series"][0] = 5
    assert value["array"].tolist() == [0, 1, 2]
    assert list(value["frame"]) == ["a"]
    assert value["series"].tolist() == [1]


@pytest.mark.parametrize(
    "value", [Model(), threading.Lock(), iter([1]), 1, "text", (1, ("a",)), len, Model, None]
)
def test_what_cannot_be_changed_or_not_surely_be_copied_is_the_same_object(value) -> None:
    assert own_copy(value) is value
    assert own_copy([value])[0] is value


def test_what_is_one_object_in_the_value_is_one_in_the_copy() -> None:
    inner: list[object] = []
    inner.append(inner)
    mine = own_copy([inner, inner])
    assert mine[0] is mine[1]
    assert mine[0][0] is mine[0]
    assert mine[0] is not inner


def test_large_arrays_are_copied_only_if_that_is_asked_for() -> None:
    value = [np.zeros(MOST_BYTES // 8 + 1)]
    assert own_copy(value) is value
    mine = own_copy(value, most_bytes=None)
    assert mine[0] is not value[0]


def test_very_many_things_are_shared() -> None:
    value = [[] for _ in range(200_000)]
    assert own_copy(value, most_bytes=None) is value


def test_a_copy_that_raises_leaves_the_value_shared() -> None:
    class Stubborn(Box):
        def __copy__(self):
            raise RuntimeError("no")

    value = [Stubborn([1])]
    value[0].__class__ = dataclasses.dataclass(Stubborn)
    assert own_copy(value) is value

"""Two values are as far apart as their numbers differ, and not comparable where they differ in more."""

from __future__ import annotations

import math
import pickle
import threading
from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from curifactory.caching import Cacheable, PickleCacher
from curifactory.caching.closeness import measure_distance

NAN = float("nan")


@dataclass
class Model:
    weights: list[float]
    name: str = "a"


class Fitted:
    """As estimators are: no word on when two are equal."""

    def __init__(self, weights, **more):
        self.weights = np.array(weights)
        vars(self).update(more)


class Odd:
    def __eq__(self, other):
        raise RuntimeError("nobody knows")

    __hash__ = None


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [
        (1.0, 1.0, 0.0),
        (2.0, 1.0, 0.5),
        (100, 99, 0.01),
        (1 + 1j, 1 + 1j, 0.0),
        (NAN, NAN, 0.0),
        (NAN, 1.0, math.inf),
        (math.inf, math.inf, 0.0),
        (math.inf, -math.inf, math.inf),
        (10**400, 10**400, 0.0),
        (10**400, 10**399, math.inf),
        # Noise around zero is small beside what stands in the same list.
        ([1000.0, 1e-9], [1000.0, 2e-9], 1e-12),
        ({"a": [1.0, {"b": 4.0}]}, {"a": [1.0, {"b": 2.0}]}, 0.5),
        (Model([1.0, 2.0]), Model([1.0, 1.0]), 0.5),
        (np.array([1.0, NAN, 4.0]), np.array([1.0, NAN, 3.0]), 0.25),
        (np.array([1, 4]), np.array([1, 3]), 0.25),
        (np.float32(4), np.float32(3), 0.25),
        (np.array([2**63, 1], np.uint64), np.array([2**63, 2], np.uint64), 1 / 2**63),
        (np.zeros(0), np.zeros(0), 0.0),
        (np.array([{"a": 4.0}], object), np.array([{"a": 3.0}], object), 0.25),
        (np.array([(1, 4.0)], "i4,f8"), np.array([(1, 3.0)], "i4,f8"), 0.25),
        (np.array([1.0, NAN]), np.array([1.0, 2.0]), math.inf),
        (pd.DataFrame({"a": [1, 4], "b": ["x", "y"]}), pd.DataFrame({"a": [1, 3], "b": ["x", "y"]}), 0.25),
        (pd.Series([1.0, None]), pd.Series([1.0, None]), 0.0),
        (pd.Series([1.0, None]), pd.Series([1.0, 2.0]), math.inf),
        (pl.DataFrame({"a": [1.0, 4.0]}), pl.DataFrame({"a": [1.0, 3.0]}), 0.25),
        (pl.Series([1, None]), pl.Series([1, 2]), math.inf),
        (pa.table({"a": [1.0, 4.0]}), pa.table({"a": [1.0, 3.0]}), 0.25),
        (torch.tensor([1.0, 4.0]), torch.tensor([1.0, 3.0]), 0.25),
        ("a", "a", 0.0),
        (None, None, 0.0),
        ({1, 2}, {2, 1}, 0.0),
    ],
)
def test_numbers_decide_how_far_apart_values_are(first, second, distance):
    assert measure_distance(first, second) == pytest.approx(distance)
    assert measure_distance(second, first) == pytest.approx(distance)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (1, 1.0),
        (True, False),
        ("a", "b"),
        (b"a", b"b"),
        ([1.0], [1.0, 2.0]),
        ({"a": 1}, {"b": 1}),
        (Model([1.0]), Model([1.0], "b")),
        (np.zeros(2), np.zeros(3)),
        (np.zeros(2), np.zeros(2, np.float32)),
        (np.array(["a"]), np.array(["b"])),
        (np.array([True]), np.array([False])),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]})),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1]}, index=[7])),
        (pd.DataFrame({"a": ["x"]}), pd.DataFrame({"a": ["y"]})),
        (pl.DataFrame({"a": ["x"]}), pl.DataFrame({"a": ["y"]})),
        (pa.table({"a": [1]}), pa.table({"a": [1.0]})),
        (torch.zeros(2), torch.zeros(3)),
        (Odd(), Odd()),
        (Fitted([1.0], name="a"), Fitted([1.0], name="b")),
        (Fitted([1.0]), Fitted([1.0], more=1)),
        (threading.Lock(), threading.Lock()),
        ({1}, {2}),
    ],
)
def test_what_differs_in_more_than_numbers_has_no_distance(first, second):
    assert measure_distance(first, second) is None
    assert measure_distance([first], [second]) is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def test_of_objects_that_do_not_say_when_they_are_equal_what_a_pickle_keeps_is_compared():
    first, second = Fitted([1.0, 4.0], name="a"), Fitted([1.0, 3.0], name="a")
    assert measure_distance(first, Fitted([1.0, 4.0], name="a")) == 0.0
    assert measure_distance([first], [second]) == pytest.approx(0.25)
    # What was made of loaded data shares less of itself, so that its pickle is not the same bytes.
    names = np.array(["x"], dtype=object)
    made = Fitted([1.0], classes=names, names=np.array(["y"], dtype=object))
    of_loaded = Fitted([1.0], classes=pickle.loads(pickle.dumps(names)), names=np.array(["y"], dtype=object))
    assert pickle.dumps(made) != pickle.dumps(of_loaded)
    assert measure_distance(made, of_loaded) == 0.0


def test_objects_that_hold_themselves_are_compared_once():
    first, second, other = Fitted([1.0]), Fitted([1.0]), Fitted([2.0])
    for each in (first, second, other):
        each.parent = [each]
    assert measure_distance(first, second) == 0.0
    assert measure_distance(first, other) == pytest.approx(0.5)


@given(VALUES)
def test_nothing_is_away_from_itself(value):
    assert measure_distance(value, value) == 0.0


@given(VALUES, VALUES)
def test_the_order_does_not_matter(first, second):
    assert measure_distance(first, second) == measure_distance(second, first)


def test_a_cacher_may_have_a_tolerance_of_its_own():
    class Rough(PickleCacher):
        tolerance = 0.5

    assert Cacheable.tolerance == 1e-6
    assert Rough().compare(4.0, 3.0) < Rough.tolerance

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from curifactory.testing import are_equal


@dataclass
class Point:
    x: object


NAN = float("nan")


@pytest.mark.parametrize(
    "make",
    [
        lambda: [1, "a", None, {"b": (2.5, NAN)}],
        lambda: np.array([1.0, NAN]),
        lambda: np.array([{"a": 1}, (1,)], dtype=object),
        lambda: pd.DataFrame({"a": [1.0, NAN], "b": ["x", None]}),
        lambda: pd.Series([1, 2], name="s"),
        lambda: pl.DataFrame({"a": [1, None]}),
        lambda: pa.table({"a": [1, None]}),
        lambda: Point({"a": np.arange(2)}),
        lambda: {1, 2},
    ],
)
def test_a_value_equals_its_like(make):
    assert are_equal(make(), make())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        ([1], (1,)),
        ([1], [1, 2]),
        ({"a": 1}, {"a": 1.0}),
        ({1: "a"}, {True: "a"}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (0.0, -0.0),
        (np.arange(2), np.arange(2.0)),
        (np.arange(2), np.arange(2).reshape(1, 2)),
        (np.array([1, 2.0], dtype=object), np.array([1, 2], dtype=object)),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1.0]})),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1]}, index=["x"])),
        (pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [1]}, schema={"a": pl.Int8})),
        (pa.table({"a": [1]}), pa.table({"a": [2]})),
        (Point(1), Point(1.0)),
    ],
)
def test_values_that_differ_in_type_or_content_are_not_equal(one, other):
    assert not are_equal(one, other)

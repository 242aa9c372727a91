import numpy as np
import pandas as pd
import polars as pl
import pytest

from curifactory.errors import ReportError
from curifactory.reporting import DFReporter, TableReporter


def data_of(rows, columns=None, reporter=TableReporter):
    return (
        reporter(rows, columns).to_fragment(".", "table").data
        if columns
        else reporter(rows).to_fragment(".", "t").data
    )


@pytest.mark.parametrize(
    "rows",
    [
        [{"a": 1, "b": "x"}, {"a": 2}],
        {"a": [1, 2], "b": ["x", None]},
        {"a": np.array([1, 2]), "b": ("x", None)},
        pl.DataFrame({"a": [1, 2], "b": ["x", None]}),
    ],
)
def test_rows_of_every_kind_are_one_table(rows):
    data = data_of(rows)
    assert (data["columns"], data["rows"]) == (["a", "b"], [["1", "x"], ["2", None]])
    assert data["numeric"] == [True, False]


def test_plain_rows_have_numbered_or_given_columns():
    assert data_of([[1, 2], (3, 4)])["columns"] == ["0", "1"]
    assert data_of(np.eye(2), ["x", "y"])["rows"] == [["1.0000", "0.0000"], ["0.0000", "1.0000"]]


def test_columns_choose_and_order():
    assert data_of([{"a": 1, "b": 2, "c": 3}], ["c", "a"])["rows"] == [["3", "1"]]
    assert data_of(pd.DataFrame({"a": [1], "b": [2]}), ["b"])["columns"] == ["b"]


def test_no_rows_are_a_table_too():
    assert data_of([])["rows"] == []


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[1, 2], [3]], "Row 1 of the table has 1 values, and there are 2 columns"),
        ({"a": [1], "b": []}, "not equally long: 'a' 1, 'b' 0"),
        (5, "was given int where it needs rows"),
        (["text"], "was given str where it needs rows"),
    ],
)
def test_rows_that_do_not_fit_are_refused(rows, message):
    with pytest.raises(ReportError, match=message):
        data_of(rows)


def test_lazy_frames_of_polars_are_collected():
    assert data_of(pl.LazyFrame({"a": [1]}), reporter=DFReporter)["rows"] == [["1"]]


def test_series_of_polars_are_columns():
    assert data_of(pl.Series("a", [1.5]), reporter=DFReporter)["rows"] == [["1.5000"]]

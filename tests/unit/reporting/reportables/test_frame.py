import csv
import datetime as dt
import fractions

import numpy as np
import pandas as pd
import pytest

from curifactory.errors import ReportError
from curifactory.reporting import DFReporter
from curifactory.reporting.reportables import frame as frame_module


def show(frame, tmp_path, **kwargs):
    return DFReporter(frame, **kwargs).to_fragment(str(tmp_path), "table")


def test_floats_have_the_asked_precision_and_the_rest_is_text(tmp_path):
    frame = pd.DataFrame({"x": [0.5, 1 / 3], "n": [1, 2], "word": ["<b>", "b"]}, index=["one", "two"])
    data = show(frame, tmp_path, float_prec=2).data
    assert data["columns"] == ["x", "n", "word"]
    assert data["index"] == [["one"], ["two"]]
    assert data["rows"] == [["0.50", "1", "<b>"], ["0.33", "2", "b"]]
    assert data["numeric"] == [True, True, False]
    assert data["shape"] == [2, 3]


def test_missing_values_are_none_and_leave_a_column_of_numbers_one(tmp_path):
    frame = pd.DataFrame({"x": [1.0, None], "when": [pd.NaT, pd.Timestamp("2026-11-21")]})
    data = show(frame, tmp_path).data
    assert data["rows"] == [["1.0000", None], [None, "2026-11-21 00:00:00"]]
    assert data["numeric"] == [True, False]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0.0000"),
        (0.00001234, "1.2340e-05"),
        (-3e20, "-3.0000e+20"),
        (float("inf"), "∞"),
        (float("-inf"), "−∞"),
        (np.float32(0.25), "0.2500"),
        (fractions.Fraction(1, 4), "0.2500"),
        (np.int64(7), "7"),
        (True, "True"),
        (dt.date(2026, 11, 21), "2026-11-21"),
        ("x" * 5_000, "x" * 999 + "…"),
        (pd.NA, None),
    ],
)
def test_a_cell_reads_well(value, shown):
    assert frame_module.format_cell(value, 4) == shown


def test_levels_of_rows_and_columns_are_kept(tmp_path):
    rows = pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["letter", None])
    frame = pd.DataFrame({("score", "mean"): range(4)}, index=rows)
    data = show(frame, tmp_path).data
    assert data["columns"] == ["score / mean"]
    assert data["index_names"] == ["letter", ""]
    assert data["index"][1] == ["a", "2"]


def test_columns_of_one_name_are_all_shown(tmp_path):
    frame = pd.DataFrame([[1, 2]], columns=["x", "x"])
    assert show(frame, tmp_path).data["rows"] == [["1", "2"]]


def test_a_series_is_a_table_of_one_column(tmp_path):
    data = show(pd.Series([1.5], name="score"), tmp_path).data
    assert (data["columns"], data["rows"]) == (["score"], [["1.5000"]])


class Rows:
    """A data frame as other libraries make them: columns, and rows to go through."""

    columns = ("x", "word")

    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def head(self, count):
        return Rows(self.rows[:count])

    def iter_rows(self):
        return iter(self.rows)


def test_a_frame_of_another_library_has_no_index(tmp_path):
    data = show(Rows([(0.5, "a"), (None, "b")]), tmp_path).data
    assert data["index"] is None
    assert data["rows"] == [["0.5000", "a"], [None, "b"]]
    assert data["numeric"] == [True, False]


def test_a_long_frame_of_another_library_is_cut_too(tmp_path):
    fragment = show(Rows([(0.5, "a")] * 1_001), tmp_path)
    assert (len(fragment.data["rows"]), fragment.files) == (1_000, ("table.csv",))


def test_polars_is_such_a_library(tmp_path):
    polars = pytest.importorskip("polars")
    data = show(polars.DataFrame({"x": [0.5, None], "word": ["a", "b"]}), tmp_path).data
    assert data["rows"] == [["0.5000", "a"], [None, "b"]]


def test_a_long_frame_is_cut_and_lies_whole_beside_it(tmp_path):
    frame = pd.DataFrame({"x": range(1_500)})
    fragment = show(frame, tmp_path)
    assert len(fragment.data["rows"]) == 1_000
    assert fragment.data["shape"] == [1_500, 1]
    assert fragment.files == ("table.csv",)
    with open(tmp_path / "table.csv", newline="", encoding="utf-8") as stream:
        assert len(list(csv.reader(stream))) == 1_501


def test_a_wide_frame_is_cut_too(tmp_path):
    fragment = show(pd.DataFrame(np.zeros((1, 300))), tmp_path)
    assert (
        len(fragment.data["columns"]) == len(fragment.data["rows"][0]) == len(fragment.data["numeric"]) == 200
    )
    assert fragment.files == ("table.csv",)


def test_a_frame_without_rows_or_columns_is_shown(tmp_path):
    assert show(pd.DataFrame({"x": []}), tmp_path).data["numeric"] == [False]
    assert show(pd.DataFrame(index=["a"]), tmp_path).data["rows"] == [[]]


def test_the_frame_is_not_changed(tmp_path):
    frame = pd.DataFrame({"x": [1.23456789]})
    copy = frame.copy(deep=True)
    show(frame, tmp_path)
    pd.testing.assert_frame_equal(frame, copy)


def test_something_else_is_an_error_that_says_what_it_is(tmp_path):
    with pytest.raises(ReportError, match="DFReporter was given list, not a data frame"):
        show([1, 2], tmp_path)

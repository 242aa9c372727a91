"""``DFReporter``: a data frame as a table."""

from __future__ import annotations

import csv
import math
import numbers
import os
from collections.abc import Iterator, Sequence
from typing import Any

from curifactory.core.trace import Fragment
from curifactory.errors import ReportError
from curifactory.reporting.reportables.reportable import Reportable

SHOWN_ROWS = 1_000
SHOWN_COLUMNS = 200
SHOWN_CHARACTERS = 1_000


class DFReporter(Reportable):
    """Show a data frame of pandas or polars.

    The page shows up to 1,000 rows; a longer frame lies whole beside it as CSV.

    Parameters
    ----------
    df : pandas.DataFrame, pandas.Series, polars.DataFrame, polars.Series or polars.LazyFrame
        Any object with ``columns`` and ``iloc``, or with ``columns`` and ``iter_rows``.
    name, group : str, optional
        See :class:`~curifactory.reporting.Reportable`.
    float_prec : int
        Digits after the point; very large and very small numbers are written with an exponent.
    caption : str, optional
        A sentence below it.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"score": [0.5, 2 / 3]}, index=["lr", "rf"])
    >>> DFReporter(frame).to_fragment(folder=".", name="0").data["rows"]
    [['0.5000'], ['0.6667']]
    """

    def __init__(
        self,
        df: Any,
        name: str | None = None,
        group: str | None = None,
        float_prec: int = 4,
        *,
        caption: str | None = None,
    ) -> None:
        super().__init__(name, group, caption)
        self.df = df
        self.float_prec = float_prec

    def to_fragment(self, folder: str, name: str) -> Fragment:
        """Become rows of text.

        Raises
        ------
        ReportError
            If it is no data frame.
        """
        frame = _read_frame(self.df)
        cut = frame.length > SHOWN_ROWS or len(frame.columns) > SHOWN_COLUMNS
        rows, index, numeric = [], [], [True] * min(len(frame.columns), SHOWN_COLUMNS)
        for labels, values in frame.iter_rows(SHOWN_ROWS):
            shown = values[:SHOWN_COLUMNS]
            rows.append([format_cell(value, self.float_prec) for value in shown])
            index.append([format_cell(label, self.float_prec) or "" for label in labels])
            numeric = [
                kept and (_is_number(value) or is_missing(value))
                for kept, value in zip(numeric, shown, strict=True)
            ]
        data = {
            "columns": list(frame.columns[:SHOWN_COLUMNS]),
            "index": index if frame.index_names else None,
            "index_names": list(frame.index_names),
            "rows": rows,
            "numeric": [bool(rows) and each for each in numeric],
            "shape": [frame.length, len(frame.columns)],
        }
        files: tuple[str, ...] = ()
        if cut:
            files = (f"{name}.csv",)
            frame.write_csv(os.path.join(folder, files[0]))
        return self._fragment(name, "table", data, files)


class _Frame:
    """A data frame of any library as names and rows."""

    def __init__(self, frame: Any, columns: Sequence[Any], index_names: Sequence[Any], length: int) -> None:
        self.columns = [_label(column) for column in columns]
        self.index_names = ["" if name is None else _label(name) for name in index_names]
        self.length = length
        self._frame = frame

    def iter_rows(self, limit: int | None = None) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
        """Give the labels and the values of each row."""
        if not hasattr(self._frame, "iloc"):
            head = self._frame if limit is None else self._frame.head(limit)
            for row in head.iter_rows():
                yield (), row
            return
        head = self._frame if limit is None else self._frame.iloc[:limit]
        levels = head.index.nlevels
        columns = [head.iloc[:, position].tolist() for position in range(head.shape[1])]
        values = zip(*columns, strict=True) if columns else iter([()] * len(head))
        for labels, row in zip(head.index.tolist(), values, strict=True):
            yield (tuple(labels) if levels > 1 else (labels,)), row

    def write_csv(self, path: str) -> None:
        """Write the whole frame."""
        with open(path, "w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow([*self.index_names, *self.columns])
            writer.writerows([*labels, *row] for labels, row in self.iter_rows())


def _read_frame(value: Any) -> _Frame:
    if callable(getattr(value, "collect", None)):
        value = value.collect()
    if hasattr(value, "to_frame") and not hasattr(value, "columns"):
        value = value.to_frame()
    if hasattr(value, "columns") and hasattr(value, "iloc"):
        return _Frame(value, list(value.columns), list(value.index.names), len(value))
    if hasattr(value, "columns") and hasattr(value, "iter_rows"):
        return _Frame(value, list(value.columns), (), len(value))
    raise ReportError(
        f"DFReporter was given {type(value).__name__}, not a data frame.",
        hint="Rows of other kinds go to TableReporter, trees to JsonReporter.",
    )


def format_cell(value: Any, float_prec: int) -> str | None:
    """Write a value as people read it in a table; None for a missing one.

    Examples
    --------
    >>> format_cell(0.000012345, 4), format_cell(1234.5, 2), format_cell(float("nan"), 4)
    ('1.2345e-05', '1234.50', None)
    """
    if is_missing(value):
        return None
    if isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral):
        value = float(value)
        if math.isinf(value):
            return "∞" if value > 0 else "−∞"
        size = abs(value)
        if value and (size < 10**-float_prec or size >= 1e15):
            return f"{value:.{float_prec}e}"
        return f"{value:.{float_prec}f}"
    text = str(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def is_missing(value: Any) -> bool:
    """Say whether a cell holds nothing: None, NaN, NaT, NA."""
    if value is None or type(value).__name__ in {"NaTType", "NAType"}:
        return True
    return isinstance(value, float) and math.isnan(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _label(value: Any) -> str:
    return " / ".join(map(str, value)) if isinstance(value, tuple) else str(value)

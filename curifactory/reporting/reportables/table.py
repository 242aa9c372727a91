"""``TableReporter``: rows that are no data frame, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from curifactory.core.trace import Fragment
from curifactory.errors import ReportError
from curifactory.reporting.reportables.frame import DFReporter
from curifactory.reporting.reportables.reportable import Reportable


class TableReporter(Reportable):
    """Show rows as a table that people sort and search.

    Parameters
    ----------
    rows : sequence of mappings, sequence of sequences, or mapping of sequences
        Rows by the names of their columns, plain rows, or columns by their names. Data frames will do as well.
    columns : sequence of str, optional
        Names of the columns, or which of them are shown, in that order.
    name, group, caption : str, optional
        See :class:`~curifactory.reporting.Reportable`.
    float_prec : int
        Digits after the point.

    Examples
    --------
    >>> rows = [{"model": "lr", "accuracy": 0.94}, {"model": "rf", "accuracy": 0.97}]
    >>> TableReporter(rows).to_fragment(folder=".", name="0").data["rows"]
    [['lr', '0.9400'], ['rf', '0.9700']]
    """

    def __init__(
        self,
        rows: Any,
        columns: Sequence[Any] | None = None,
        name: str | None = None,
        group: str | None = None,
        caption: str | None = None,
        *,
        float_prec: int = 4,
    ) -> None:
        super().__init__(name, group, caption)
        self.rows = rows
        self.columns = columns
        self.float_prec = float_prec

    def to_fragment(self, folder: str, name: str) -> Fragment:
        """Become rows of text.

        Raises
        ------
        ReportError
            If they are no rows, or not as long as there are columns.
        """
        given: Any = self.rows
        if hasattr(given, "columns"):
            frame = given if self.columns is None else given[list(self.columns)]
        else:
            frame = _PlainFrame(*_read_rows(given, self.columns))
        table = DFReporter(frame, self.name, self.group, self.float_prec, caption=self.caption)
        return table.to_fragment(folder, name)


class _PlainFrame:
    """Rows with the face of a data frame."""

    def __init__(self, columns: list[Any], rows: list[tuple[Any, ...]]) -> None:
        self.columns = columns
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def head(self, limit: int) -> _PlainFrame:
        """Give the first rows."""
        return _PlainFrame(self.columns, self._rows[:limit])

    def iter_rows(self) -> Iterator[tuple[Any, ...]]:
        """Give the rows."""
        return iter(self._rows)


def _read_rows(given: Any, columns: Sequence[Any] | None) -> tuple[list[Any], list[tuple[Any, ...]]]:
    if isinstance(given, Mapping):
        names = list(given if columns is None else columns)
        values = [_as_list(given[name]) for name in names]
        if len({len(column) for column in values}) > 1:
            lengths = ", ".join(f"{name!r} {len(column)}" for name, column in zip(names, values, strict=True))
            raise ReportError(f"The columns of the table are not equally long: {lengths}.")
        return names, list(zip(*values, strict=True))
    rows = _as_list(given)
    if all(isinstance(row, Mapping) for row in rows):
        names = list(dict.fromkeys(key for row in rows for key in row)) if columns is None else list(columns)
        return names, [tuple(row.get(name) for name in names) for row in rows]
    plain = [tuple(_as_list(row)) for row in rows]
    width = max((len(row) for row in plain), default=0)
    names = list(range(width)) if columns is None else list(columns)
    for number, row in enumerate(plain):
        if len(row) != len(names):
            raise ReportError(
                f"Row {number} of the table has {len(row)} values, and there are {len(names)} columns."
            )
    return names, plain


def _as_list(values: Any) -> list[Any]:
    convert = getattr(values, "tolist", None)
    if callable(convert):
        return list(convert())
    if isinstance(values, str | bytes) or not hasattr(values, "__iter__"):
        raise ReportError(
            f"TableReporter was given {type(values).__name__} where it needs rows.",
            hint="Give a list of dictionaries, a list of lists, or a dictionary of columns.",
        )
    return list(values)

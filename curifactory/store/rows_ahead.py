"""Rows of traces that are read before anybody asks for them: who asks for one asks for those behind it next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curifactory.store import trace_rows
from curifactory.store.journal import LINES_WORTH_AN_IMPORT

if TYPE_CHECKING:
    from curifactory.store.database import Row
    from curifactory.store.index import Index

# More of them would not stay in the processor's cache until they are asked for.
_MOST_AHEAD = 128


class RowsAhead:
    """Looks rows of traces up, and with each more and more of those behind it as long as these are asked for next.

    Whether a manifest is what its row says is looked at when the row is used, so a row may wait.

    Parameters
    ----------
    index : Index
        Has the rows.

    Attributes
    ----------
    rows : dict of str to tuple
        Those that wait, by their keys; who takes one takes it out.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from curifactory.store.index import Index
    >>> with tempfile.TemporaryDirectory() as folder, Index(Path(folder, "index.db")) as index:
    ...     for number in range(3):
    ...         index.execute(trace_rows.INSERT, (b"", number, f"{number:064}", "iris.load", 0.0))
    ...     index.flush()
    ...     ahead = RowsAhead(index)
    ...     ahead.expect(3)
    ...     row = ahead.look_up(f"{0:064}")
    ...     row[:2], [row[1] for row in ahead.rows.values()]
    ((b'', 0), [1, 2])
    """

    __slots__ = ("_index", "_read", "_step", "rows")

    def __init__(self, index: Index) -> None:
        self._index = index
        self.rows: dict[str, Row] = {}
        # How many are read next, and how many were.
        self._step = 0
        self._read = 0

    def expect(self, number: int) -> None:
        """Read so many with the next that is looked up, since they are probably asked for."""
        self._step = max(self._step, min(number, _MOST_AHEAD) // 2)

    def look_up(self, key: str) -> Row | None:
        """Ask the index for the row of a key, and for those behind it."""
        step = min(2 * self._step, _MOST_AHEAD) if len(self.rows) <= self._step // 4 else 0
        found = self._index.lookup_all(trace_rows.SELECT_FROM, (key[-12:], step + 1)) if step else []
        rows: dict[str, Row] = {each[2]: each for each in found}
        row = rows.pop(key, None)
        if row is None:
            # One that has rotted among those behind it makes none of them known.
            step, rows, row = 0, {}, self._index.lookup(trace_rows.SELECT, (key,))
        if row is None:
            return None
        self.rows = rows
        self._read += len(rows)
        if self._read >= LINES_WORTH_AN_IMPORT:
            trace_rows.read_many()
        self._step = max(step, 4)
        return row

"""A sweep of a past run: what varied, and how well each set did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from curifactory.store.run import Run
from curifactory.store.sweeps import SweepRow, SweptSet

if TYPE_CHECKING:
    import pandas as pd


class PastSweep:
    """A sweep as a run has kept it; a notebook shows it as a table.

    Parameters
    ----------
    run : Run
        The run.
    row : SweepRow
        The sweep.

    Attributes
    ----------
    kind : str
        ``product``, ``chain`` or ``zip``.
    ranges : mapping of str to tuple
        What varied, with its values.
    fixed : mapping of str to Any
        What was changed for all sets.
    repeat : int
        How often all of it was done.
    count : int
        How many sets there are.
    sets : tuple of SweptSet
        Each with its ``name``, ``parameters`` (those that vary), ``repeat`` and the index of its ``record``; the first thousand.
    use_best : str or None
        By what a chain has chosen the values that it carried on.
    carried : tuple of (str, Any)
        These values.
    """

    def __init__(self, run: Run, row: SweepRow) -> None:
        self.kind: str = row.kind
        self.ranges: Mapping[str, tuple[Any, ...]] = row.ranges
        self.fixed: Mapping[str, Any] = row.fixed
        self.repeat: int = row.repeat
        self.count: int = row.count
        self.sets: tuple[SweptSet, ...] = row.sets
        self.use_best: str | None = row.use_best
        self.carried: tuple[tuple[str, Any], ...] = row.carried
        self._run = run

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each set.

        Returns
        -------
        pandas.DataFrame
            With the columns ``set`` (its name), ``record`` (index; missing if there was none), what varied, ``repeat`` if all
            was repeated, and the last value of each metric of the records.
        """
        import pandas as pd

        records = {each.record for each in self.sets if each.record is not None}
        last: dict[int, dict[str, float]] = {record: {} for record in records}
        for series in self._run.metrics:
            if series.record in last:
                last[series.record][f"{series.type} {series.name}".lstrip()] = series.last
        rows = [
            {
                "set": each.name,
                "record": each.record,
                **{name: each.parameters.get(name) for name in self.ranges},
                **({"repeat": each.repeat} if self.repeat > 1 else {}),
                **({} if each.record is None else last[each.record]),
            }
            for each in self.sets
        ]
        frame = pd.DataFrame(rows, columns=None if rows else ["set", "record", *self.ranges])
        return frame.astype({"record": "Int64"})

    def __repr__(self) -> str:
        sets = "set" if self.count == 1 else "sets"
        return f"<{self.kind} of {', '.join(self.ranges) or 'nothing'}: {self.count} {sets}>"

    def _repr_html_(self) -> str:
        html: str = self.to_frame().to_html(index=False, max_rows=50, notebook=True)
        return html

"""How long calls of a stage took, of those that are kept: what a run can be expected to take."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median
from typing import TYPE_CHECKING

from curifactory.store import trace_rows

if TYPE_CHECKING:
    from curifactory.store.index import Index

_LATEST = 5


def read_durations(index: Index, stages: Iterable[str]) -> dict[str, float]:
    """Return the median time in seconds of the latest calls of each stage; of a stage without any, nothing.

    Parameters
    ----------
    index : Index
        Has the traces.
    stages : iterable of str
        Module-qualified names.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from curifactory.store.index import Index
    >>> with tempfile.TemporaryDirectory() as folder, Index(Path(folder, "index.db")) as index:
    ...     read_durations(index, ["experiments.iris.train"])
    {}
    """
    found = {}
    for stage in stages:
        # A row that has rotted is no reason to tell nothing of the others.
        rows = index.query(trace_rows.SELECT_LATEST, (stage, _LATEST))
        results = [trace_rows.read_row(key, tuple(row)) for key, *row in rows]
        times = [result.duration_s for result in results if result is not None]
        if times:
            found[stage] = median(times)
    return found

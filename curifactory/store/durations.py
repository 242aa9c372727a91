"""How long calls of a stage took, of those that are kept: what a run can be expected to take."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from curifactory.store.index import Index

_LATEST = "SELECT manifest FROM traces WHERE stage = ? ORDER BY made_at DESC LIMIT 5"


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
        times = []
        for (manifest,) in index.query(_LATEST, (stage,)):
            # A row that has rotted is no reason to tell nothing of the others.
            with suppress(ValueError, KeyError, TypeError, IndexError):
                times.append(float(json.loads(manifest)["made"][2]))
        if times:
            found[stage] = median(times)
    return found

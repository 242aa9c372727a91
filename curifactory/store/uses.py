"""Which traces runs have used, and when: read from the run folders, which are the truth."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from curifactory.core.outcomes import CallOutcome
from curifactory.errors import StoreError
from curifactory.store.calls import CALLS_NAME
from curifactory.store.journal import read_journal
from curifactory.store.run_row import RunRow
from curifactory.store.runs import RunStore

SETTLED = frozenset({CallOutcome.RAN.value, CallOutcome.REUSED.value})


@dataclass(slots=True)
class Use:
    """How a trace was used.

    Parameters
    ----------
    run : str
        The latest run that made or reused it.
    at : datetime or None
        When that run started.
    experiments : set of str
        All experiments whose runs used it.
    names : set of (str, str)
        Path and digest of each file of its artifacts under the names that runs gave them: the first run's, and those
        of hard links.
    """

    run: str
    at: datetime | None
    experiments: set[str] = field(default_factory=set)
    names: set[tuple[str, str]] = field(default_factory=set)


def read_uses(runs: RunStore, rows: list[RunRow], *, wholly: bool = False) -> dict[str, Use]:
    """Return by key of the trace how runs have used it.

    Parameters
    ----------
    runs : RunStore
        The runs.
    rows : list of RunRow
        Those to read, newest first. One whose calls cannot be read tells nothing.
    wholly : bool
        Raise an error of such a one: what it has used is to stay.

    Raises
    ------
    StoreError
        If the calls of a run cannot be read, or are damaged, and all are wanted.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read_uses(RunStore(Path(folder)), [])
    {}
    """
    found: dict[str, Use] = {}
    for row in rows:
        for key, names in _iter_used(runs, row.reference, wholly=wholly):
            use = found.get(key)
            if use is None:
                use = found[key] = Use(row.reference, row.started_at)
            use.experiments.add(row.experiment)
            use.names.update(names)
    return found


def _iter_used(
    runs: RunStore, reference: str, *, wholly: bool
) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    try:
        calls = read_journal(runs.folder / reference / CALLS_NAME)
    except StoreError:
        if wholly:
            raise
        return
    for call in calls:
        if call.get("outcome") in SETTLED and call.get("key"):
            yield call["key"], list(_iter_names(call))


def _iter_names(call: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for output in call.get("outputs", ()):
        for file in (output.get("artifact") or {}).get("files", ()):
            yield os.path.normpath(file["path"]), file["digest"]

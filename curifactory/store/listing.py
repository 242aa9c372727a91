"""The listing of runs: drawn from the folders, remembered in the index for as long as a folder is as it was."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from curifactory.core.outcomes import RunOutcome
from curifactory.errors import StoreError
from curifactory.store.facts import FACTS_NAME
from curifactory.store.journal import encode
from curifactory.store.metric_bounds import Bound, select_within
from curifactory.store.metrics import MetricFacts
from curifactory.store.run_folders import iter_names, iter_references
from curifactory.store.run_row import RunRow, read_time
from curifactory.store.run_summary import Summary, read_summary, stamp_of

if TYPE_CHECKING:
    from curifactory.store.index import Index

_OUTCOMES: Mapping[str, RunOutcome] = {outcome.value: outcome for outcome in RunOutcome}
_INSERT = (
    "INSERT OR REPLACE INTO runs (reference, experiment, number, started_at, finished_at, outcome, live, stamp, metrics, summary) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_SELECT = "SELECT reference, experiment, number, started_at, finished_at, outcome, live, summary FROM runs"
_SELECT_ONE = f"{_SELECT} WHERE reference = ?"
# A run that was killed has logged metrics since its last word in `run.json`.
_SELECT_STAMPS = "SELECT reference, CASE outcome WHEN 'running' THEN '' ELSE stamp END FROM runs"
# As `_place` orders them: whatever the time zone was.
_SELECT_ORDER = f"{_SELECT_STAMPS} ORDER BY julianday(started_at) DESC, number DESC, reference DESC"
_SELECT_SINCE = f"{_SELECT} WHERE rowid > ? ORDER BY rowid"


class Listed(NamedTuple):
    """What a listing has found.

    Parameters
    ----------
    rows : list of RunRow
        The rows that are wanted, newest first.
    among : int
        How many runs were looked through.
    damaged : dict of str to str
        The runs among them that cannot be listed, since their ``run.json`` cannot be read, each with what is wrong.
    """

    rows: list[RunRow]
    among: int
    damaged: dict[str, str]


class RunChanges(NamedTuple):
    """What is new in a listing: the rows that changed, oldest change first, and the mark to ask from next time."""

    rows: list[RunRow]
    mark: str


class Listing:
    """Answers which runs there are and what each of them was, reading only the folders that have changed.

    Parameters
    ----------
    folder : Path
        The folder of runs.
    index : Index, optional
        Where rows outlive the process; without one every folder is read.
    """

    def __init__(self, folder: Path, index: Index | None) -> None:
        self._folder = os.fspath(folder)
        self._index = index

    def read(
        self,
        experiment: str | None = None,
        *,
        limit: int | None = None,
        bounds: Collection[Bound] = (),
    ) -> Listed:
        """Return the rows of runs; what the index has besides them is forgotten, if they are all there are.

        Parameters
        ----------
        experiment : str, optional
            Runs of this experiment only.
        limit : int, optional
            How many rows are wanted at most.
        bounds : collection of Bound
            What runs have to have to be wanted; some that have it not are returned all the same.
        """
        if limit is not None and not bounds:
            newest = self._read_newest(experiment, limit)
            if newest is not None:
                return newest
        stamps, known = self._read_known(bounds)
        references = self._list_references(experiment, stamps)
        others = self._find_changed(references, stamps)
        changed, damaged = self._read_folders(others)
        settled = set(references).difference(others)
        rows = [_make_known(row) for row in known if row[0] in settled]
        rows += [each.row for each in changed]
        rows.sort(key=_place, reverse=True)
        self._remember(changed, gone=stamps.keys() - set(references) if experiment is None else ())
        return Listed(rows if limit is None else rows[:limit], len(settled) + len(changed), damaged)

    def note(self, reference: str, metrics: Iterable[MetricFacts] | None = None) -> None:
        """Put one run into the index, as its folder now is; one that cannot be read is left out.

        Parameters
        ----------
        reference : str
            The run.
        metrics : iterable of MetricFacts, optional
            What it has logged, if that is known; otherwise it is read from its folder.
        """
        if self._index is not None:
            with suppress(StoreError):
                self._remember([read_summary(self._folder, reference, metrics)])

    def get_mark(self) -> str | None:
        """Return what tells how far the index is now, for :meth:`read_changes`; None without an index."""
        if self._index is None:
            return None
        last = self._index.query("SELECT max(rowid) FROM runs")
        try:
            # An index that was made anew counts from one again.
            return f"{os.stat(self._index.path).st_ino}:{(last[0][0] if last else None) or 0}"
        except OSError:
            return None

    def read_changes(self, mark: str) -> RunChanges | None:
        """Return the rows that were put into the index since it gave a mark; None if it cannot tell.

        Each change of a row gives it a new number, greater than all before, so nothing else has to be looked at.
        """
        now = self.get_mark()
        if now is None or self._index is None:
            return None
        (place, before), (same_place, last) = mark.split(":"), now.split(":")
        if place != same_place or not before.isdecimal() or int(before) > int(last):
            return None
        return RunChanges(list(map(_make_known, self._index.query(_SELECT_SINCE, (int(before),)))), now)

    def read_row(self, reference: str) -> RunRow | None:
        """Return the row of one run as its folder now is; None if it cannot be read."""
        try:
            return read_summary(self._folder, reference).row
        except StoreError:
            return None

    def forget(self, references: Collection[str]) -> None:
        """Forget runs whose folders are gone."""
        self._remember([], gone=references)

    def clear(self) -> None:
        """Forget all runs."""
        if self._index is not None:
            with self._index.batch():
                self._index.execute("DELETE FROM runs")

    def _read_newest(self, experiment: str | None, limit: int) -> Listed | None:
        """Return the newest rows of runs that the index knows; None if it does not know them all."""
        if self._index is None:
            return None
        stamps: dict[str, str] = dict(self._index.query(_SELECT_ORDER))
        wanted = set(self._list_references(experiment, stamps))
        if not stamps.keys() >= wanted or (experiment is None and len(stamps) > len(wanted)):
            return None
        rows: list[RunRow] = []
        changed: list[Summary] = []
        damaged: dict[str, str] = {}
        for reference in filter(wanted.__contains__, stamps):
            if len(rows) >= limit:
                break
            if not self._find_changed([reference], stamps):
                rows += map(_make_known, self._index.query(_SELECT_ONE, (reference,)))
                continue
            fresh, unread = self._read_folders([reference])
            rows += [each.row for each in fresh]
            changed += fresh
            damaged |= unread
        self._remember(changed)
        return Listed(rows, len(wanted) - len(damaged), damaged)

    def _read_known(self, bounds: Collection[Bound]) -> tuple[dict[str, str], list[tuple[Any, ...]]]:
        """Return the stamps of all runs that the index knows, and the rows of those that may be within bounds."""
        if self._index is None:
            return {}, []
        within, values = select_within(bounds)
        with self._index.reading():
            stamps: dict[str, str] = dict(self._index.query(_SELECT_STAMPS))
            return stamps, self._index.query(f"{_SELECT}{within}", tuple(values))

    def _list_references(self, experiment: str | None, known: Mapping[str, str]) -> list[str]:
        if experiment is None:
            return list(iter_names(self._folder, known))
        return [str(each) for each in iter_references(self._folder, experiment)]

    def _find_changed(self, references: Collection[str], stamps: Mapping[str, str]) -> list[str]:
        """Return the runs whose ``run.json`` is not the one that has a stamp."""
        try:
            # Named from here each takes a third less time.
            place = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return list(references)
        changed: list[str] = []
        find, stat = stamps.get, os.stat
        try:
            for reference in references:
                try:
                    if find(reference) == stamp_of(stat(f"{reference}/{FACTS_NAME}", dir_fd=place)):
                        continue
                except OSError:
                    pass
                changed.append(reference)
        finally:
            os.close(place)
        return changed

    def _read_folders(self, references: Iterable[str]) -> tuple[list[Summary], dict[str, str]]:
        """Read runs from their folders; tell of those that cannot be read what is wrong."""
        found: list[Summary] = []
        damaged: dict[str, str] = {}
        for reference in references:
            try:
                found.append(read_summary(self._folder, reference))
            except StoreError as error:
                if _holds_something(f"{self._folder}/{reference}"):
                    damaged[reference] = error.message
        return found, damaged

    def _remember(self, changed: Collection[Summary], *, gone: Collection[str] = ()) -> None:
        if self._index is None or not (changed or gone):
            return
        execute = self._index.execute
        with self._index.batch():
            for row, stamp, kept in changed:
                times = kept.get("started_at"), kept.get("finished_at")
                outcome = kept.get("outcome", RunOutcome.RUNNING.value), int(row.is_live)
                metrics = encode(kept.get("metrics") or {}).decode()
                about = row.reference, row.experiment, row.number
                execute(_INSERT, (*about, *times, *outcome, stamp, metrics, row.summary))
            for reference in gone:
                execute("DELETE FROM runs WHERE reference = ?", (reference,))


def _make_known(row: tuple[Any, ...]) -> RunRow:
    reference, experiment, number, started_at, finished_at, outcome, live, summary = row
    return RunRow(
        reference,
        experiment,
        number or 0,
        _OUTCOMES.get(outcome, RunOutcome.INTERRUPTED),
        read_time(started_at),
        read_time(finished_at),
        bool(live),
        summary,
    )


def _place(row: RunRow) -> tuple[float, int, str]:
    """Return what rows are sorted by: the moment of their start, whatever the time zone was."""
    return row.started_at.timestamp() if row.started_at else 0.0, row.number, row.reference


def _holds_something(folder: str) -> bool:
    """Say whether a folder is more than a name that was just given out: what is only begun has a dot before it."""
    try:
        return any(not name.startswith(".") for name in os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        # Nobody may look at what it holds.
        return True

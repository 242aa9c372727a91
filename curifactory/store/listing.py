"""The listing of runs: drawn from the folders, remembered in the index for as long as a folder is as it was."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from curifactory.core.outcomes import RunOutcome
from curifactory.errors import StoreError
from curifactory.store.facts import FACTS_NAME, read_facts
from curifactory.store.journal import encode, read_journal
from curifactory.store.metrics import METRICS_NAME, MetricFacts, read_metric_facts, read_series
from curifactory.store.parameter_columns import condense_parameters
from curifactory.store.rows import PARAMETERS_NAME
from curifactory.store.run_row import RunRow, make_row, pick_facts, read_time

if TYPE_CHECKING:
    from curifactory.store.index import Index

# The types of metrics from the most telling one; others stand before the last.
_TELLING = {"test": 0, "": 1, "val": 2, "train": 4}
MOST_METRICS = 50
_OUTCOMES: Mapping[str, RunOutcome] = {outcome.value: outcome for outcome in RunOutcome}
_INSERT = (
    "INSERT OR REPLACE INTO runs (reference, experiment, number, started_at, finished_at, outcome, live, summary) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_SELECT = "SELECT reference, experiment, number, started_at, finished_at, outcome, live, summary FROM runs"
_SELECT_ONE = f"{_SELECT} WHERE reference = ?"
# As `_moment` orders them: whatever the time zone was.
_SELECT_ORDER = "SELECT reference FROM runs ORDER BY julianday(started_at) DESC, number DESC, reference DESC"
_SELECT_SINCE = f"{_SELECT} WHERE rowid > ? ORDER BY rowid"
_RUNNING = RunOutcome.RUNNING.value


class Fresh(NamedTuple):
    """What a listing has just read of a run: the facts it keeps, and their text."""

    kept: dict[str, Any]
    summary: str

    @property
    def number(self) -> int:
        """Which run of the experiment it is."""
        return int(self.kept.get("number") or 0)


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
        self._folder = folder
        self._index = index

    def read(self, references: Collection[str], *, is_all: bool, limit: int | None = None) -> list[RunRow]:
        """Return the rows of runs, newest first; a folder without a readable ``run.json`` is passed over.

        Parameters
        ----------
        references : collection of str
            The runs that are wanted.
        is_all : bool
            Whether these are all there are: what the index has besides is then forgotten.
        limit : int, optional
            How many rows are wanted at most.
        """
        if limit is not None:
            newest = self._read_newest(references, limit, is_all=is_all)
            if newest is not None:
                return newest
        known = {} if self._index is None else {row[0]: row for row in self._index.query(_SELECT)}
        gone = known.keys() - set(references) if is_all else ()
        changed: dict[str, Fresh] = {}
        for reference in references:
            if reference not in known:
                fresh = self._read_folder(reference)
                if fresh is not None:
                    changed[reference] = fresh
        order = [(_moment(known[each][3]), known[each][2] or 0, each) for each in references if each in known]
        order.extend(
            (_moment(fresh.kept.get("started_at")), fresh.number, each) for each, fresh in changed.items()
        )
        order.sort(reverse=True)
        rows: list[RunRow] = []
        for _, _, reference in order:
            if limit is not None and len(rows) >= limit:
                break
            row = known.get(reference)
            if row is not None and self._holds(row):
                rows.append(_make_known(row))
                continue
            fresh = changed.get(reference) or self._read_folder(reference)
            if fresh is not None:
                changed[reference] = fresh
                rows.append(make_row(reference, fresh.kept, fresh.summary))
        self._remember(changed, gone=gone)
        return rows

    def note(self, reference: str, metrics: Iterable[MetricFacts] | None = None) -> None:
        """Put one run into the index, as its folder now is.

        Parameters
        ----------
        reference : str
            The run.
        metrics : iterable of MetricFacts, optional
            What it has logged, if that is known; otherwise it is read from its folder.
        """
        if self._index is None:
            return
        fresh = self._read_folder(reference, metrics)
        if fresh is not None:
            self._remember({reference: fresh})

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
        fresh = self._read_folder(reference)
        return None if fresh is None else make_row(reference, fresh.kept, fresh.summary)

    def forget(self, references: Collection[str]) -> None:
        """Forget runs whose folders are gone."""
        self._remember({}, gone=references)

    def clear(self) -> None:
        """Forget all runs."""
        if self._index is not None:
            with self._index.batch():
                self._index.execute("DELETE FROM runs")

    def _read_newest(self, references: Collection[str], limit: int, *, is_all: bool) -> list[RunRow] | None:
        """Return the newest rows of runs that the index knows; None if it does not know them all."""
        order = [] if self._index is None else [row[0] for row in self._index.query(_SELECT_ORDER)]
        wanted = set(references)
        if self._index is None or not wanted.issubset(order) or (is_all and len(order) > len(wanted)):
            return None
        rows: list[RunRow] = []
        changed: dict[str, Fresh] = {}
        for reference in filter(wanted.__contains__, order):
            if len(rows) >= limit:
                break
            row = self._index.lookup(_SELECT_ONE, (reference,))
            if row is not None and self._holds(row):
                rows.append(_make_known(row))
                continue
            fresh = self._read_folder(reference)
            if fresh is not None:
                changed[reference] = fresh
                rows.append(make_row(reference, fresh.kept, fresh.summary))
        self._remember(changed)
        return rows

    def _holds(self, row: tuple[Any, ...]) -> bool:
        """Say whether a run's ``run.json`` is the one that a row of the index was made from."""
        # A run that was killed has logged metrics since its last word in `run.json`.
        if row[5] == _RUNNING:
            return False
        try:
            stamp = _stamp(os.stat(f"{self._folder}/{row[0]}/{FACTS_NAME}"))
        except OSError:
            return False
        summary: str = row[7]
        return summary.startswith(f'{{"stamp":"{stamp}"')

    def _read_folder(self, reference: str, metrics: Iterable[MetricFacts] | None = None) -> Fresh | None:
        folder = self._folder / reference
        try:
            stamp = _stamp(os.stat(folder / FACTS_NAME))
            kept = {"stamp": stamp, **pick_facts(read_facts(folder))}
        except (StoreError, OSError):
            return None
        kept |= _read_parameters(folder)
        found = _read_metrics(folder) if metrics is None else list(metrics)
        if found:
            telling = pick_types(found)
            kept["metrics"] = _condense(telling)
            kept["metrics_ever"] = _condense_ever(telling, kept["metrics"])
        return Fresh(kept, encode(kept).decode())

    def _remember(self, changed: Mapping[str, Fresh], *, gone: Collection[str] = ()) -> None:
        if self._index is None or not (changed or gone):
            return
        execute = self._index.execute
        with self._index.batch():
            for reference, fresh in changed.items():
                kept = fresh.kept
                times = kept.get("started_at"), kept.get("finished_at")
                outcome = kept.get("outcome", _RUNNING), int(bool(kept.get("live")))
                execute(
                    _INSERT,
                    (reference, kept.get("experiment", ""), fresh.number, *times, *outcome, fresh.summary),
                )
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


def _moment(started_at: str | None) -> float:
    """Return what rows are sorted by: the moment of their start, whatever the time zone was."""
    try:
        return datetime.fromisoformat(started_at).timestamp() if started_at else 0.0
    except ValueError:
        return 0.0


def _read_metrics(folder: Path) -> list[MetricFacts]:
    """Return what a run has logged; nothing if that cannot be read."""
    try:
        return read_metric_facts(read_series(read_journal(folder / METRICS_NAME)))
    except (StoreError, KeyError, ValueError, TypeError):
        return []


def _read_parameters(folder: Path) -> dict[str, Any]:
    """Return number and values of a run's parameter sets; nothing if they cannot be read."""
    try:
        rows = json.loads((folder / PARAMETERS_NAME).read_bytes())
        return {"sets": len(rows), "parameters": condense_parameters(rows)} if rows else {}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def pick_types(metrics: Iterable[MetricFacts]) -> list[MetricFacts]:
    """Keep of each metric what runs are compared by: an accuracy in testing rather than the one in training.

    Examples
    --------
    >>> train, test = (MetricFacts(0, "accuracy", type, 0.9, 0.1, 0.9) for type in ("train", "test"))
    >>> pick_types([train, test]) == [test]
    True
    """
    metrics = list(metrics)
    picked: dict[str, str] = {}
    for each in metrics:
        if each.name not in picked or rank_type(each.type) < rank_type(picked[each.name]):
            picked[each.name] = each.type
    return [each for each in metrics if each.type == picked[each.name]]


def rank_type(type: str) -> int:
    """Return the place of a type of metric among those that runs are compared by, the most telling one first.

    Examples
    --------
    >>> sorted(["train", "", "other", "val", "test"], key=rank_type)
    ['test', '', 'val', 'other', 'train']
    """
    return _TELLING.get(type, _TELLING["val"] + 1)


def _condense(metrics: Iterable[MetricFacts]) -> dict[str, list[float]]:
    """Return least and greatest last value of each metric over the records; NaN counts for neither."""
    found: dict[str, list[float]] = {}
    for each in metrics:
        if each.last is None:
            continue
        if each.name not in found:
            if len(found) >= MOST_METRICS:
                continue
            found[each.name] = [each.last, each.last]
        least, greatest = found[each.name]
        found[each.name] = [min(least, each.last), max(greatest, each.last)]
    return found


def _condense_ever(metrics: Iterable[MetricFacts], last: Mapping[str, list[float]]) -> dict[str, list[float]]:
    """Return least and greatest value that each of these metrics ever had, where those were not the last ones."""
    found: dict[str, list[float]] = {name: list(ends) for name, ends in last.items()}
    for each in metrics:
        ends = found.get(each.name)
        if ends is not None and each.least is not None and each.greatest is not None:
            ends[:] = [min(ends[0], each.least), max(ends[1], each.greatest)]
    return {name: ends for name, ends in found.items() if ends != last[name]}


def _stamp(status: os.stat_result) -> str:
    # `run.json` is always replaced: another inode even where two changes fall into one tick of the clock.
    return f"{status.st_mtime_ns}-{status.st_ino}-{status.st_size}"

"""What a listing keeps of a run, read from the run's folder: facts, parameters and metrics, made short."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from stat import ST_INO, ST_SIZE
from typing import Any, NamedTuple

from curifactory.errors import StoreError
from curifactory.store.facts import FACTS_NAME, read_facts
from curifactory.store.journal import encode, read_journal
from curifactory.store.metrics import METRICS_NAME, MetricFacts, read_metric_facts, read_series
from curifactory.store.parameter_columns import condense_parameters
from curifactory.store.rows import PARAMETERS_NAME
from curifactory.store.run_row import RunRow, make_row, pick_facts

# The types of metrics from the most telling one; others stand before the last.
_TELLING = {"test": 0, "": 1, "val": 2, "train": 4}
MOST_METRICS = 50


class Summary(NamedTuple):
    """What a listing keeps of a run.

    Parameters
    ----------
    row : RunRow
        The run as listings show it; its ``summary`` is the text that the index has.
    stamp : str
        Tells the ``run.json`` that it was made from apart from others, see :func:`stamp_of`.
    kept : dict
        What that text says.
    """

    row: RunRow
    stamp: str
    kept: dict[str, Any]


def read_summary(folder: str, reference: str, metrics: Iterable[MetricFacts] | None = None) -> Summary:
    """Read a run from its folder.

    Parameters
    ----------
    folder : str
        The folder of runs.
    reference : str
        The run.
    metrics : iterable of MetricFacts, optional
        What it has logged, if that is known; otherwise it is read from its folder.

    Raises
    ------
    StoreError
        If its ``run.json`` is missing or damaged.
    """
    place = Path(folder, reference)
    try:
        stamp = stamp_of(os.stat(place / FACTS_NAME))
    except OSError:
        # Reading it says what is wrong.
        stamp = ""
    facts = read_facts(place)
    try:
        kept = {**pick_facts(facts), **_read_parameters(place)}
        found = _read_metrics(place) if metrics is None else list(metrics)
        if found:
            telling = pick_types(found)
            kept["metrics"] = _condense(telling)
            kept["metrics_ever"] = _condense_ever(telling, kept["metrics"])
        return Summary(make_row(reference, kept, encode(kept).decode()), stamp, kept)
    except (ValueError, TypeError, AttributeError) as error:
        raise StoreError(
            f"{place / FACTS_NAME} is damaged: {error}.", hint="Take the file from a copy of the run."
        ) from error


def stamp_of(status: os.stat_result) -> str:
    """Return what tells the states of a ``run.json`` apart.

    It is always replaced: it has another inode even where two changes fall into one tick of the clock.
    """
    return f"{status.st_mtime_ns}-{status[ST_INO]}-{status[ST_SIZE]}"


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

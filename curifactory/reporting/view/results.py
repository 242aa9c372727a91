"""The results of a run: the last value of each metric as a table over records, with the best ones marked."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from curifactory.reporting.view.chip import Chip, Chips
from curifactory.reporting.view.quantities import format_number

if TYPE_CHECKING:
    from curifactory.reporting.view.origins import Origin
    from curifactory.store.metrics import MetricSeries

LOWER_IS_BETTER = re.compile(
    r"loss|error|err|mae|mse|rmse|mape|rmsle|logloss|nll|perplexity|ppl|brier|deviance|regret|wer|cer|fid"
    r"|ece|divergence|distance|residual|cost|latency|time|duration|seconds|inertia"
)
HIGHER_IS_BETTER = re.compile(
    r"accuracy|acc|f1|f2|fbeta|precision|recall|sensitivity|specificity|auc|auroc|auprc|roc|ap|map|score"
    r"|r2|iou|dice|jaccard|mcc|kappa|bleu|rouge|meteor|psnr|ssim|reward|hits|mrr|ndcg|silhouette|likelihood"
    r"|throughput|coverage"
)


class Cell(NamedTuple):
    """The last value; ``exact`` is all of its digits, ``peak`` the best one on the way there, if that was another.

    ``origin`` tells in what the run that it comes from differs from this one, if it does.
    """

    text: str
    exact: str
    best: bool
    peak: str = ""
    peak_at: str = ""
    origin: str = ""


class Column(NamedTuple):
    """One metric; ``direction`` is ``higher``, ``lower`` or empty where its name does not tell."""

    type: str
    name: str
    direction: str


class ResultRow(NamedTuple):
    """The metrics of one record."""

    chip: Chip
    cells: tuple[Cell | None, ...]


class Results(NamedTuple):
    """A table of metrics over records, and how many records and metrics it leaves out."""

    columns: tuple[Column, ...]
    rows: tuple[ResultRow, ...]
    typed: bool
    rows_left_out: int = 0
    columns_left_out: int = 0

    @property
    def has_origins(self) -> bool:
        """Whether a value comes from a run whose surroundings were not those of this one."""
        return any(cell is not None and cell.origin for row in self.rows for cell in row.cells)

    def limit(self, *, rows: int, columns: int) -> Results:
        """Return the same with the first columns and rows only; of each column the first of the best rows stays, too."""
        kept = set(range(min(rows, len(self.rows))))
        for place in range(min(columns, len(self.columns))):
            kept.update(
                [at for at, row in enumerate(self.rows) if (cell := row.cells[place]) and cell.best][:1]
            )
        return Results(
            self.columns[:columns],
            tuple(self.rows[at]._replace(cells=self.rows[at].cells[:columns]) for at in sorted(kept)),
            self.typed,
            len(self.rows) - len(kept),
            max(0, len(self.columns) - columns),
        )


def gather_results(
    metrics: Iterable[MetricSeries], chips: Chips, origins: Mapping[int, Origin] | None = None
) -> Results | None:
    """Take the last value of each metric and record; None if nothing was logged.

    Parameters
    ----------
    metrics : iterable of MetricSeries
        What was logged.
    chips : Chips
        Marks of the records.
    origins : mapping of int to Origin, optional
        Calls that were made elsewhere, in other surroundings.
    """
    elsewhere: dict[tuple[int, str, str], str] = {}
    last: dict[int, dict[tuple[str, str], float]] = {}
    peaks: dict[tuple[int, str, str], tuple[str, str]] = {}
    columns: dict[tuple[str, str], None] = {}
    for series in metrics:
        key = (series.type, series.name)
        columns[key] = None
        last.setdefault(series.record, {})[key] = series.last
        origin = None if not origins or series.call is None else origins.get(series.call)
        elsewhere[series.record, *key] = "" if origin is None else origin.text
        peak = find_peak(series)
        if peak is not None and series.values[peak] != series.last:
            peaks[series.record, *key] = (format_number(series.values[peak]), describe_place(series, peak))
    if not columns:
        return None
    bests = {
        key: find_best(key[1], [values[key] for values in last.values() if key in values]) for key in columns
    }
    rows = tuple(
        ResultRow(
            chips.get(record),
            tuple(
                _make_cell(
                    values[key], bests[key], peaks.get((record, *key), ("", "")), elsewhere[record, *key]
                )
                if key in values
                else None
                for key in columns
            ),
        )
        for record, values in sorted(last.items())
    )
    shown = tuple(Column(type_name, name, find_direction(name)) for type_name, name in columns)
    return Results(shown, rows, typed=len({column.type for column in shown}) > 1)


@functools.lru_cache(maxsize=1024)
def find_direction(name: str) -> str:
    """Tell from the name of a metric whether more or less of it is better.

    Examples
    --------
    >>> [find_direction(name) for name in ("test_accuracy", "valLoss", "mean squared error", "n")]
    ['higher', 'lower', 'lower', '']
    """
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    words = [word.lower() for word in re.findall(r"[A-Za-z]+[0-9]*|[0-9]+", spaced)]
    if any(LOWER_IS_BETTER.fullmatch(word) for word in words):
        return "lower"
    return "higher" if any(HIGHER_IS_BETTER.fullmatch(word) for word in words) else ""


def find_best(name: str, values: list[float]) -> float | None:
    """Give the best of at least two different values, or None where there is none or the name does not tell."""
    direction = find_direction(name)
    finite = [value for value in values if math.isfinite(value)]
    if not direction or len(set(finite)) < 2:
        return None
    return min(finite) if direction == "lower" else max(finite)


def find_peak(series: MetricSeries) -> int | None:
    """Give the place of the best value of a series, or None where its name does not tell what is better."""
    direction = find_direction(series.name)
    places = [place for place, value in enumerate(series.values) if math.isfinite(value)]
    if not direction or len(series.values) < 2 or not places:
        return None
    choose = min if direction == "lower" else max
    return choose(places, key=series.values.__getitem__)


def describe_place(series: MetricSeries, place: int) -> str:
    """Say when a value was logged: at which step or epoch, or as which of how many."""
    for name, given in (("step", series.steps), ("epoch", series.epochs)):
        if place < len(given) and given[place] is not None:
            return f"{name} {given[place]}"
    return f"{place + 1} of {len(series.values)}"


def _make_cell(value: float, best: float | None, peak: tuple[str, str], origin: str) -> Cell:
    return Cell(format_number(value), repr(value), value == best, *peak, origin=origin)

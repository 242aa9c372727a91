"""A sweep of a run: its ranges, and its sets with what varies and how well each did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from curifactory.reporting.view.chip import Chip, Chips
from curifactory.reporting.view.coordinates import Coordinates, draw_coordinates
from curifactory.reporting.view.quantities import format_number
from curifactory.reporting.view.results import find_best, find_direction

if TYPE_CHECKING:
    from curifactory.store.metrics import MetricSeries
    from curifactory.store.sweeps import SweepRow, SweptSet

KINDS = {
    "product": "every combination",
    "chain": "one parameter after the other",
    "zip": "side by side",
}
_MOST_METRICS = 5
REPEAT = "repetition"


class SweepRowView(NamedTuple):
    """One set of the sweep: its values and metrics (None: it has none), and which of the metrics are the best."""

    chip: Chip | None
    name: str
    values: tuple[str | None, ...]
    metrics: tuple[str | None, ...]
    best: tuple[bool, ...]


class SweepView(NamedTuple):
    """What a report shows of a sweep.

    Parameters
    ----------
    kind : str
        How the values came together.
    total : int
        How many sets there are.
    facts : tuple of (str, str)
        What else is to be said: fixed values, repetitions, by what the best was chosen.
    columns : tuple of str
        The parameters that vary.
    metrics : tuple of (str, str)
        Name and direction of the metrics.
    rows : tuple of SweepRowView
        The sets in their order.
    drawing : Coordinates or None
        The sets as lines; None if there is too little to draw.
    """

    kind: str
    total: int
    facts: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    metrics: tuple[tuple[str, str], ...]
    rows: tuple[SweepRowView, ...]
    drawing: Coordinates | None


def gather_sweep(sweep: SweepRow, metrics: Iterable[MetricSeries], chips: Chips) -> SweepView | None:
    """Lay the sets of a sweep side by side; None if there are none yet, or nothing varies.

    Parameters
    ----------
    sweep : SweepRow
        The sweep.
    metrics
        Of the run.
    chips : Chips
        Marks of the records.
    """
    columns = list(sweep.ranges)
    if any(each.repeat for each in sweep.sets):
        columns.append(REPEAT)
    if not sweep.sets or not columns:
        return None
    records = [each.record for each in sweep.sets]
    last: dict[int | None, dict[str, float]] = {record: {} for record in records if record is not None}
    for series in metrics:
        if series.record in last:
            last[series.record][series.name] = series.last
    names = _choose_metrics(last.values())
    values = [_values_of(each, columns) for each in sweep.sets]
    scores = [last.get(record, {}) for record in records]
    bests = {name: find_best(name, [score[name] for score in scores if name in score]) for name in names}
    rows = tuple(
        SweepRowView(
            chip=None if each.record is None else chips.get(each.record),
            name=str(each.name or ""),
            values=tuple(None if value is None else show(value) for value in mine),
            metrics=tuple(format_number(score[name]) if name in score else None for name in names),
            best=tuple(name in score and score[name] == bests[name] for name in names),
        )
        for each, mine, score in zip(sweep.sets, values, scores, strict=True)
    )
    lines = [
        [*mine, *(score.get(name) for name in names)] for mine, score in zip(values, scores, strict=True)
    ]
    shown = tuple((name, find_direction(name)) for name in names)
    axes = [(column, "") for column in columns] + [(name, direction or "metric") for name, direction in shown]
    return SweepView(
        kind=KINDS.get(sweep.kind, sweep.kind),
        total=sweep.count,
        facts=tuple(list_facts(sweep)),
        columns=tuple(columns),
        metrics=shown,
        rows=rows,
        drawing=draw_coordinates(axes, lines, [row.name for row in rows]),
    )


def show(value: Any) -> str:
    """Return a value of the sweep as its table has it.

    Examples
    --------
    >>> show(0.1), show(1000), show("adam"), show(True)
    ('0.1', '1000', 'adam', 'True')
    """
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def list_facts(sweep: SweepRow) -> Iterator[tuple[str, str]]:
    """Yield what else is to be said of a sweep: fixed values, repetitions, by what the best was chosen."""
    for name, value in sweep.fixed.items():
        yield name, show(value)
    if sweep.repeat > 1:
        yield "repeated", f"{sweep.repeat} times"
    if sweep.use_best:
        less = "smallest" if sweep.minimize else "largest"
        yield "carried on", f"the value with the {less} {sweep.use_best}"
        yield "chosen", ", ".join(f"{name} = {show(value)}" for name, value in sweep.carried) or "nothing yet"


def _values_of(each: SweptSet, columns: Sequence[str]) -> list[Any]:
    return [each.repeat if column == REPEAT else each.parameters.get(column) for column in columns]


def _choose_metrics(scores: Iterable[Mapping[str, float]]) -> list[str]:
    """Return the metrics whose names tell what is better first, then the others."""
    names = list(dict.fromkeys(name for each in scores for name in each))
    return sorted(names, key=lambda name: not find_direction(name))[:_MOST_METRICS]

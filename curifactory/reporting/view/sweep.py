"""The sweep of a run: its ranges, and its sets with what varies and how well each did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from curifactory.reporting.view.chip import Chip, Chips
from curifactory.reporting.view.coordinates import Coordinates, draw_coordinates
from curifactory.reporting.view.quantities import format_number
from curifactory.reporting.view.results import find_best, find_direction

if TYPE_CHECKING:
    from curifactory.store.metrics import MetricSeries
    from curifactory.store.rows import RecordRow

_KINDS = {
    "product": "every combination",
    "chain": "one parameter after the other",
    "zip": "side by side",
}
_MOST_METRICS = 5
REPEAT = "repetition"


class SweepRow(NamedTuple):
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
    rows : tuple of SweepRow
        The sets in their order.
    drawing : Coordinates or None
        The sets as lines; None if there is too little to draw.
    """

    kind: str
    total: int
    facts: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    metrics: tuple[tuple[str, str], ...]
    rows: tuple[SweepRow, ...]
    drawing: Coordinates | None


def gather_sweep(
    sweep: Mapping[str, Any] | None,
    records: Iterable[RecordRow],
    metrics: Iterable[MetricSeries],
    chips: Chips,
) -> SweepView | None:
    """Lay the sets of a sweep side by side; None if the run has none, or nothing varies.

    Parameters
    ----------
    sweep : mapping, optional
        What ``run.json`` has of it.
    records, metrics
        Of the run.
    chips : Chips
        Marks of the records.
    """
    sets = list((sweep or {}).get("sets") or ())
    columns = [str(each["name"]) for each in (sweep or {}).get("ranges") or ()]
    if sweep is None or not sets:
        return None
    if any(each.get("repeat") for each in sets):
        columns.append(REPEAT)
    if not columns:
        return None
    by_name = {row.params_name: row.index for row in reversed(list(records))}
    last: dict[int, dict[str, float]] = {}
    for series in metrics:
        last.setdefault(series.record, {})[series.name] = series.last
    names = _choose_metrics(last)
    values = [_values_of(each, columns) for each in sets]
    scores = [last.get(by_name.get(each.get("name"), -1), {}) for each in sets]
    bests = {name: find_best(name, [score[name] for score in scores if name in score]) for name in names}
    rows = tuple(
        SweepRow(
            chip=chips.get(by_name[each["name"]]) if each.get("name") in by_name else None,
            name=str(each.get("name") or ""),
            values=tuple(None if value is None else show(value) for value in mine),
            metrics=tuple(format_number(score[name]) if name in score else None for name in names),
            best=tuple(name in score and score[name] == bests[name] for name in names),
        )
        for each, mine, score in zip(sets, values, scores, strict=True)
    )
    lines = [
        [*mine, *(score.get(name) for name in names)] for mine, score in zip(values, scores, strict=True)
    ]
    shown = tuple((name, find_direction(name)) for name in names)
    axes = [(column, "") for column in columns] + [(name, direction or "metric") for name, direction in shown]
    return SweepView(
        kind=_KINDS.get(str(sweep.get("kind")), str(sweep.get("kind"))),
        total=max(len(sets), int(sweep.get("count") or 0)),
        facts=_list_facts(sweep),
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


def _values_of(each: Mapping[str, Any], columns: Sequence[str]) -> list[Any]:
    values = each.get("values") or {}
    return [each.get("repeat", 0) if column == REPEAT else values.get(column) for column in columns]


def _choose_metrics(last: Mapping[int, Mapping[str, float]]) -> list[str]:
    """Return the metrics whose names tell what is better first, then the others."""
    names = list(dict.fromkeys(name for scores in last.values() for name in scores))
    return sorted(names, key=lambda name: not find_direction(name))[:_MOST_METRICS]


def _list_facts(sweep: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    facts = [(str(name), show(value)) for name, value in (sweep.get("fixed") or {}).items()]
    if sweep.get("repeat", 1) > 1:
        facts.append(("repeated", f"{sweep['repeat']} times"))
    if sweep.get("use_best"):
        less = "smallest" if sweep.get("minimize") else "largest"
        facts.append(("carried on", f"the value with the {less} {sweep['use_best']}"))
        carried = ", ".join(f"{each['name']} = {show(each['value'])}" for each in sweep.get("carried") or ())
        facts.append(("chosen", carried or "nothing yet"))
    return tuple(facts)

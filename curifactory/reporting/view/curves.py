"""What was logged as curves: one chart for each metric, a line for each record and type, thinned to what can be seen."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from curifactory.reporting.view.chip import Chip, Chips
from curifactory.reporting.view.quantities import format_number
from curifactory.reporting.view.results import describe_place, find_direction, find_peak

if TYPE_CHECKING:
    from curifactory.store.metrics import MetricSeries

MOST_LINES = 100
MOST_CHARTS = 60
POINTS_OF_LINE = 400
POINTS_OF_CHART = 20_000
POINTS_OF_PAGE = 150_000
FEWEST_POINTS = 20
POINTS_OF_SPARK = 80
SPARK_WIDTH = 120
SPARK_HEIGHT = 24


class Curve(NamedTuple):
    """One line, as words and a small picture: it stands in the page for those without a script.

    Parameters
    ----------
    chip : Chip
        The record.
    label : str
        Type, and stage where several log the same.
    count : int
        How many values were logged.
    first, last, peak : str
        Values; ``peak`` is the best one, or empty where nobody knows what is better.
    peak_at : str
        When it was logged, such as ``step 40``.
    spark : tuple of str
        Points of its small picture, one polyline for each stretch without gaps.
    """

    chip: Chip
    label: str
    count: int  # type: ignore[assignment]  # nobody looks for a value in it
    first: str
    last: str
    peak: str
    peak_at: str
    spark: tuple[str, ...]


class Chart(NamedTuple):
    """One metric: its lines, how many are left out, and the way in which it is better."""

    name: str
    direction: str
    curves: tuple[Curve, ...]
    left_out: int

    @property
    def is_labelled(self) -> bool:
        """Whether any line has a type or a stage to be told by."""
        return any(curve.label for curve in self.curves)


class Curves(NamedTuple):
    """All charts of a run; ``script`` is what a browser draws them from."""

    charts: tuple[Chart, ...]
    left_out: int
    script: str


def gather_curves(metrics: Iterable[MetricSeries], chips: Chips, stages: Mapping[int, str]) -> Curves | None:
    """Take the metrics that were logged more than once; None if there are none.

    Parameters
    ----------
    metrics : iterable of MetricSeries
        What was logged.
    chips : Chips
        The records.
    stages : mapping of int to str
        Name of the stage of each call.
    """
    named: dict[str, list[MetricSeries]] = {}
    for series in metrics:
        named.setdefault(series.name, []).append(series)
    drawn = {name: lines for name, lines in named.items() if any(len(line.values) > 1 for line in lines)}
    if not drawn:
        return None
    shown = list(drawn.items())[:MOST_CHARTS]
    lines_shown = sum(min(len(lines), MOST_LINES) for _, lines in shown)
    charts, data = [], []
    for name, lines in shown:
        ordered = sorted(lines, key=lambda line: (line.record, -1 if line.call is None else line.call))
        labels = _label_lines(ordered, stages)
        of_chart = min(POINTS_OF_CHART // min(len(lines), MOST_LINES), POINTS_OF_PAGE // lines_shown)
        most = max(FEWEST_POINTS, min(POINTS_OF_LINE, of_chart))
        pairs = list(zip(ordered, labels, strict=True))[:MOST_LINES]
        curves = tuple(_show_curve(line, label, chips) for line, label in pairs)
        charts.append(Chart(name, find_direction(name), curves, len(lines) - len(pairs)))
        # A single value among curves, such as a test's at the end, has no place on their axis; the table has it.
        drawn_lines = [_encode_line(*pair, chips, most) for pair in pairs if len(pair[0].values) > 1]
        data.append({"name": name, "lines": drawn_lines})
    # A script beside the page, since pages from disk cannot read other files; pure ASCII, and no key is a person's.
    script = f"window.curifactoryCurves = {json.dumps(data, allow_nan=False, separators=(',', ':'))};\n"
    return Curves(tuple(charts), len(drawn) - len(shown), script)


def thin(values: Sequence[float], most: int) -> list[int]:
    """Choose the places of at most so many values that show the whole: the least and the greatest of each stretch.

    Examples
    --------
    >>> thin([0, 1, 9, 1, 0, 1, -9, 1, 0, 1, 1, 1], 6)
    [0, 2, 4, 6, 7, 11]
    """
    count = len(values)
    if count <= most:
        return list(range(count))
    stretches = max(1, (most - 2) // 2)
    chosen = {0, count - 1}
    for stretch in range(stretches):
        start, end = 1 + (count - 2) * stretch // stretches, 1 + (count - 2) * (stretch + 1) // stretches
        places = [place for place in range(start, end) if math.isfinite(values[place])]
        if places:
            chosen.add(min(places, key=values.__getitem__))
            chosen.add(max(places, key=values.__getitem__))
    return sorted(chosen)


def _label_lines(lines: Sequence[MetricSeries], stages: Mapping[int, str]) -> list[str]:
    """Name each line by its type, and by its stage where a record has several of one type."""
    kinds: dict[tuple[int, str], int] = {}
    for line in lines:
        kinds[line.record, line.type] = kinds.get((line.record, line.type), 0) + 1
    labels = []
    for line in lines:
        stage = stages.get(line.call, "") if line.call is not None else ""
        parts = [line.type, stage if kinds[line.record, line.type] > 1 else ""]
        labels.append(" · ".join(part for part in parts if part))
    return labels


def _show_curve(line: MetricSeries, label: str, chips: Chips) -> Curve:
    peak = find_peak(line)
    return Curve(
        chip=chips.get(line.record),
        label=label,
        count=len(line.values),
        first=format_number(line.values[0]),
        last=format_number(line.last),
        peak="" if peak is None else format_number(line.values[peak]),
        peak_at="" if peak is None else describe_place(line, peak),
        spark=_draw_spark(line.values),
    )


def _encode_line(line: MetricSeries, label: str, chips: Chips, most: int) -> dict[str, Any]:
    chip = chips.get(line.record)
    places = thin(line.values, most)
    data: dict[str, Any] = {
        "index_of_record": chip.index,
        "record": chip.short,
        "label": label,
        "type": line.type,
        "hue": chip.hue,
        "y": [_round(line.values[place]) for place in places],
        "time": [round(line.after_s[place], 3) for place in places],
    }
    for name, given in (("step", line.steps), ("epoch", line.epochs)):
        if given and all(value is not None for value in given):
            data[name] = [given[place] for place in places]
    if "step" not in data:
        data["index"] = places
    return data


def _round(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _draw_spark(values: Sequence[float]) -> tuple[str, ...]:
    finite = [value for value in values if math.isfinite(value)]
    if len(values) < 2 or not finite:
        return ()
    low, high = min(finite), max(finite)
    lines: list[list[str]] = [[]]
    for place in thin(values, POINTS_OF_SPARK):
        value = values[place]
        if not math.isfinite(value):
            lines.append([])
            continue
        x = SPARK_WIDTH * place / (len(values) - 1)
        # Halves, since the difference of two very large numbers may be more than a number can be.
        share = (value / 2 - low / 2) / (high / 2 - low / 2) if high > low else 0.5
        lines[-1].append(f"{x:.1f},{SPARK_HEIGHT - 2 - (SPARK_HEIGHT - 4) * share:.1f}")
    return tuple(" ".join(line) for line in lines if line)

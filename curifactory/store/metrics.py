"""A run's `metrics.jsonl`: the numbers that were logged, read back as series; and the shape of its lines.

A line holds what was logged by one call for one record under one type and the same names. A single logging is written
as it was::

    {
        "record": 0,
        "call": 3,
        "type": "train",
        "step": 7,
        "epoch": null,
        "at": "2026-11-21T10:15:00.120+01:00",
        "values": {"loss": 0.5},
    }

Many of them (a training loop logs faster than five times a second) become one line of columns, a fifth as long::

    {
        "record": 0,
        "call": 3,
        "type": "train",
        "steps": [7, 8, 9],
        "epochs": null,
        "at": "2026-11-21T10:15:00.120+01:00",
        "after_ms": [0, 1, 1],
        "columns": {"loss": [0.5, 0.4, "nan"]},
    }

``steps`` and ``epochs`` are null if none was given; ``after_ms`` counts from ``at``. NaN and the infinities are the
texts ``"nan"``, ``"inf"`` and ``"-inf"``, since JSON has no words for them.

Where an execution of a call came to nothing and another one followed, ``{"call": 3, "retracted": true}`` says that what
stands above of that call does not count.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from curifactory.store.metric_lines import read_number
from curifactory.store.rows import RETRACTED

METRICS_NAME = "metrics.jsonl"

Values = tuple[float | None, float | None, float | None]


@dataclass(frozen=True, slots=True)
class MetricSeries:
    """One metric of one record, as one call logged it.

    Parameters
    ----------
    record : int
        Index of the record.
    call : int, optional
        Index of the call; None if it was logged outside of a stage.
    type : str
        Type it was logged under.
    name : str
        Name of the metric.
    started_at : datetime
        When its first value was logged.
    values : list of float, (n,)
        In the order in which they were logged.
    steps, epochs : list of int or None, (n,)
        Where it was given.
    after_s : list of float, (n,)
        Seconds since ``started_at``.
    """

    record: int
    call: int | None
    type: str
    name: str
    started_at: datetime
    values: list[float] = field(default_factory=list)
    steps: list[int | None] = field(default_factory=list)
    epochs: list[int | None] = field(default_factory=list)
    after_s: list[float] = field(default_factory=list)

    @property
    def last(self) -> float:
        """The value that was logged last."""
        return self.values[-1]


class MetricFacts(NamedTuple):
    """What a run keeps of one metric of one record: its last, least and greatest value; None for not a number."""

    record: int
    name: str
    type: str
    last: float | None
    least: float | None
    greatest: float | None


def read_metric_facts(series: Iterable[MetricSeries]) -> list[MetricFacts]:
    """Return last, least and greatest value of each metric of each record.

    Examples
    --------
    >>> at = datetime.fromisoformat("2026-11-21T10:15:00+01:00")
    >>> read_metric_facts([MetricSeries(0, 3, "train", "loss", at, [2.0, 0.5, float("nan")])])
    [MetricFacts(record=0, name='loss', type='train', last=None, least=0.5, greatest=2.0)]
    """
    found: dict[tuple[int, str, str], Values] = {}
    for each in series:
        key = (each.record, each.name, each.type)
        found[key] = extend_facts(found.get(key), each.values)
    return [MetricFacts(*key, *values) for key, values in found.items()]


def read_series(rows: Iterable[Mapping[str, Any]]) -> list[MetricSeries]:
    """Turn the lines of ``metrics.jsonl`` into series, in the order in which they began.

    Parameters
    ----------
    rows : iterable of mapping
        What :func:`curifactory.store.journal.read_journal` gave.

    Returns
    -------
    list of MetricSeries
        One for each record, call, type and name.

    Examples
    --------
    >>> row = {"record": 0, "call": 3, "type": "train", "step": 7, "epoch": None}
    >>> row |= {"at": "2026-11-21T10:15:00.120+01:00", "values": {"loss": "inf"}}
    >>> [(series.name, series.steps, series.values) for series in read_series([row])]
    [('loss', [7], [inf])]
    """
    found: dict[tuple[int, int | None, str, str], MetricSeries] = {}
    for row in rows:
        if RETRACTED in row:
            for key in [each for each in found if each[1] == row["call"]]:
                del found[key]
            continue
        columns = (
            row["columns"] if "columns" in row else {name: [value] for name, value in row["values"].items()}
        )
        at = datetime.fromisoformat(row["at"])
        after_ms: list[int] = row.get("after_ms", [0])
        count = len(after_ms)
        steps = _column(row, "step", count)
        epochs = _column(row, "epoch", count)
        for name, values in columns.items():
            key = (row["record"], row["call"], row["type"], name)
            series = found.get(key)
            if series is None:
                series = found[key] = MetricSeries(*key, started_at=at)
            offset_s = (at - series.started_at).total_seconds()
            series.values.extend([read_number(each) if isinstance(each, str) else each for each in values])
            series.steps.extend(steps)
            series.epochs.extend(epochs)
            series.after_s.extend([offset_s + each / 1000 for each in after_ms])
    return list(found.values())


def _column(row: Mapping[str, Any], name: str, count: int) -> list[int | None]:
    values = row.get(f"{name}s") if "columns" in row else [row.get(name)]
    return values if values is not None else [None] * count


def extend_facts(before: Values | None, values: Sequence[float]) -> Values:
    """Return last, least and greatest value after more have been logged; NaN is neither least nor greatest.

    Examples
    --------
    >>> extend_facts((0.5, 0.5, 2.0), [3.0, 1.0])
    (1.0, 0.5, 3.0)
    """
    finite = [value for value in map(float, values) if not math.isnan(value)]
    last = None if math.isnan(values[-1]) else float(values[-1])
    if before is not None:
        finite.extend(value for value in before[1:] if value is not None)
    return (last, min(finite), max(finite)) if finite else (last, None, None)

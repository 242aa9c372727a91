"""The lines of ``metrics.jsonl``: loggings become columns, and columns become loggings again."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, NamedTuple

from curifactory.core.events import MetricLogged
from curifactory.store.journal import encode

_MILLISECOND = timedelta(milliseconds=1)
_PLAIN = {float, int}
_SPECIAL = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}

Key = tuple[int, int | None, str, tuple[str, ...]]


class Line(NamedTuple):
    """What was logged under one record, call, type and the same names, and how it is written."""

    key: Key
    columns: dict[str, list[float]]
    loggings: int
    text: bytes


def encode_lines(batch: Iterable[MetricLogged], *, records: Mapping[int, int] | None = None) -> list[Line]:
    """Write loggings as lines, one for each record, call, type and set of names.

    Parameters
    ----------
    batch : iterable of MetricLogged
        In the order in which they were logged.
    records : mapping of int to int, optional
        What is written in place of the numbers of records.

    Examples
    --------
    >>> at = datetime.fromisoformat("2026-11-21T10:15:00+01:00")
    >>> (line,) = encode_lines(MetricLogged(0, 3, "train", {"loss": 1 / n}, n, None, at) for n in (1, 2))
    >>> line.columns
    {'loss': [1.0, 0.5]}
    """
    events = batch if isinstance(batch, list) else list(batch)
    whole = _encode_alike(events, records)
    if whole is not None:
        return [whole]
    groups: dict[Key, list[MetricLogged]] = {}
    last: tuple[Any, ...] = ()
    members: list[MetricLogged] = []
    for event in events:
        # A loop logs the same names again and again, so the next one mostly belongs to the one before.
        found = (event[0], event[1], event[2], *event[3])
        if found != last:
            last = found
            members = groups.setdefault((*event[:3], tuple(event[3])), [])
        members.append(event)
    return [_encode(key, members, records) for key, members in groups.items()]


def _encode_alike(events: list[MetricLogged], records: Mapping[int, int] | None) -> Line | None:
    """Encode a batch that is one line, as that of a training loop mostly is; None if it is several."""
    if not events:
        return None
    first, number = events[0], len(events)
    for place in range(3):
        if list(map(itemgetter(place), events)).count(first[place]) != number:
            return None
    # As many names as the first has, and all of the first's: the same names, whatever their order.
    values = list(map(itemgetter(3), events))
    names = tuple(values[0])
    if sum(map(len, values)) != number * len(names):
        return None
    try:
        columns = {name: list(map(itemgetter(name), values)) for name in names}
    except KeyError:
        return None
    return _encode((first[0], first[1], first[2], names), events, records, columns)


def _encode(
    key: Key,
    events: list[MetricLogged],
    records: Mapping[int, int] | None,
    columns: dict[str, list[float]] | None = None,
) -> Line:
    if columns is None:
        columns = {name: [event[3][name] for event in events] for name in key[3]}
    record = key[0] if records is None else records.get(key[0], key[0])
    text = encode({"record": record, **_line(key, events, columns)}, use_msgspec=len(events) > 100)
    return Line(key, columns, len(events), text)


def iter_loggings(row: Mapping[str, Any]) -> Iterator[MetricLogged]:
    """Read a line as the loggings that it was made from; times are exact to the millisecond.

    Parameters
    ----------
    row : mapping
        A line, decoded.

    Raises
    ------
    KeyError
        If the line is of another shape.

    Examples
    --------
    >>> at = datetime.fromisoformat("2026-11-21T10:15:00+01:00")
    >>> told = [MetricLogged(0, 3, "train", {"loss": 1 / n}, n, None, at) for n in (1, 2)]
    >>> import json
    >>> list(iter_loggings(json.loads(encode_lines(told)[0].text))) == told
    True
    """
    record, call, kind = row["record"], row["call"], row["type"]
    at = datetime.fromisoformat(row["at"])
    if "columns" not in row:
        values = {name: read_number(value) for name, value in row["values"].items()}
        yield MetricLogged(record, call, kind, values, row["step"], row["epoch"], at)
        return
    names = tuple(row["columns"])
    columns = [list(map(read_number, column)) for column in row["columns"].values()]
    after_ms = row["after_ms"]
    steps = row["steps"] or [None] * len(after_ms)
    epochs = row["epochs"] or [None] * len(after_ms)
    for milliseconds, step, epoch, *numbers in zip(after_ms, steps, epochs, *columns, strict=True):
        values = dict(zip(names, numbers, strict=True))
        yield MetricLogged(record, call, kind, values, step, epoch, at + milliseconds * _MILLISECOND)


def read_number(value: float | str) -> float:
    """Read a number as lines say it: NaN and the infinities are words."""
    return _SPECIAL[value] if isinstance(value, str) else value


def _line(key: Key, events: list[MetricLogged], columns: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    first = events[0]
    line: dict[str, Any] = {"call": key[1], "type": key[2]}
    at = first.at.isoformat(timespec="milliseconds")
    if len(events) == 1:
        values = {name: _number(value) for name, value in first.values.items()}
        return line | {"step": first.step, "epoch": first.epoch, "at": at, "values": values}
    steps = [event[4] for event in events]
    epochs = [event[5] for event in events]
    return line | {
        "steps": None if steps.count(None) == len(steps) else steps,
        "epochs": None if epochs.count(None) == len(epochs) else epochs,
        "at": at,
        "after_ms": _count_milliseconds(events),
        "columns": {name: _write_numbers(values) for name, values in columns.items()},
    }


def _count_milliseconds(events: Sequence[MetricLogged]) -> list[int]:
    """Count from the beginning of the first one's millisecond; most have the very time of the one before."""
    at = events[0].at
    start = at.replace(microsecond=at.microsecond // 1000 * 1000)
    after, counted = 0, []
    for event in events:
        if event[6] is not at:
            at = event[6]
            after = (at - start) // _MILLISECOND
        counted.append(after)
    return counted


def _write_numbers(values: Sequence[float]) -> list[float | str]:
    """Return numbers as JSON can say them; where all are plain and finite, which their sum tells, as they are."""
    try:
        is_plain = set(map(type, values)) <= _PLAIN and math.isfinite(sum(values))
    except OverflowError:
        is_plain = False
    return list(values) if is_plain else list(map(_number, values))


def _number(value: float) -> float | str:
    """Return a number as JSON can say it; a whole one stays whole."""
    if type(value) is not float:
        if type(value) is int:
            return value
        value = float(value)
    if value - value == 0.0:
        return value
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"

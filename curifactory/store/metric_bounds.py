"""Bounds on metrics by which the index alone tells of most runs that they are not wanted."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

# Before that, SQLite had no JSON unless it was built so.
_KNOWS_JSON = sqlite3.sqlite_version_info >= (3, 38)
# How SQLite reads a decimal number may be off in the last place; what lies so near to a bound is looked at closely.
_SLACK = 1e-9


class Bound(NamedTuple):
    """What a run has to have to be wanted: of one of its records a last value of a metric on one side of a number.

    Parameters
    ----------
    metric : str
        Its name.
    is_least : bool
        Whether the number is the least, or the greatest that the value may be; the number itself is within.
    value : float
        The number.
    """

    metric: str
    is_least: bool
    value: float


def select_within(bounds: Iterable[Bound]) -> tuple[str, list[str | float]]:
    """Return the end of a query for the runs that may be within all bounds, and the values it takes.

    A run without such a metric may be: what the name stands for in it is for others to tell.

    Examples
    --------
    >>> select_within([Bound("acc", True, 0.5)])
    (' WHERE (json_extract(metrics, ?) >= ?) IS NOT 0', ['$."acc"[1]', 0.4999999995])
    >>> select_within([])
    ('', [])
    """
    terms: list[str] = []
    values: list[str | float] = []
    for metric, is_least, value in bounds:
        # Its way of writing a name knows no escapes.
        if not _KNOWS_JSON or not metric.isprintable() or '"' in metric or "\\" in metric:
            continue
        terms.append(f"(json_extract(metrics, ?) {'>=' if is_least else '<='} ?) IS NOT 0")
        slack = abs(value) * _SLACK
        values += [f'$."{metric}"[{1 if is_least else 0}]', value - slack if is_least else value + slack]
    return f" WHERE {' AND '.join(terms)}" if terms else "", values

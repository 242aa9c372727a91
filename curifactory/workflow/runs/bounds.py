"""Bounds that a condition sets to metrics: what every run for which it holds must have."""

from __future__ import annotations

from itertools import chain

from curifactory.store.metric_bounds import Bound
from curifactory.workflow.runs.condition import ORDERS, And, Comparison, Condition, Literal, Name, Operand
from curifactory.workflow.runs.run_values import find_metric


def list_bounds(condition: Condition) -> list[Bound]:
    """List bounds within which a run must be for a condition to hold; there may be fewer than it sets.

    Examples
    --------
    >>> from curifactory.workflow.runs.condition_reader import read_condition
    >>> list_bounds(read_condition("acc > 0.9 and n == 5 and 0 < loss <= 1"))
    [Bound(metric='acc', is_least=True, value=0.9), Bound(metric='loss', is_least=True, value=0.0), \
Bound(metric='loss', is_least=False, value=1.0)]
    >>> list_bounds(read_condition("acc > 0.9 or n == 5"))
    []
    """
    if isinstance(condition, And):
        return list(chain.from_iterable(map(list_bounds, condition.terms)))
    if not isinstance(condition, Comparison):
        return []
    found: list[Bound] = []
    left = condition.first
    for sign, right in condition.rest:
        if sign in ORDERS:
            # Of a row of comparisons each has to hold.
            found += _bound(left, right, is_least=sign[0] == ">") + _bound(
                right, left, is_least=sign[0] == "<"
            )
        left = right
    return found


def _bound(name: Operand, number: Operand, *, is_least: bool) -> list[Bound]:
    metric = find_metric(name) if isinstance(name, Name) else None
    value = number.value if isinstance(number, Literal) else None
    if metric is None or isinstance(value, bool) or not isinstance(value, int | float):
        return []
    try:
        return [Bound(metric, is_least, float(value))]
    except OverflowError:
        return []

"""Whether a condition holds: yes, no, or nobody knows, as where a value is missing."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any, Protocol

from curifactory.workflow.runs.condition import (
    ORDERS,
    PRESENCES,
    And,
    Comparison,
    Condition,
    Literal,
    Name,
    Not,
    Operand,
    Or,
)
from curifactory.workflow.runs.moments import Period, read_period

_MOST_PAIRS = 100_000
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}

Truth = bool | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A value of a parameter as a listing keeps it: as text, which may stand for a number.

    Parameters
    ----------
    text : str
        What is kept.
    value : Any
        What it stands for.
    """

    text: str
    value: Any


class Values(Protocol):
    """Answers what a name stands for in one run."""

    def get(self, name: Name, *, ends: bool = False) -> Sequence[Any]:
        """Return the different values of a name, nothing where it is missing; with ``ends`` the least and greatest do."""


def holds(condition: Condition, values: Values) -> Truth:
    """Say whether a condition holds; None if that depends on something that is missing.

    Of a name with several values, such as a metric of several records, it is enough that one of them fits.

    Parameters
    ----------
    condition : Condition
        The condition.
    values : Values
        What its names stand for.

    Examples
    --------
    >>> from curifactory.workflow.runs.condition_reader import read_condition
    >>> class Known:
    ...     def get(self, name, *, ends=False):
    ...         return {"n": (50, 100), "outcome": ("failed",)}.get(name.path, ())
    >>> words = ("n > 60", "n > 60 and lr > 1", "not n > 60", "n > 100 and lr > 1", "lr is None")
    >>> [holds(read_condition(each), Known()) for each in words]
    [True, None, False, False, True]
    """
    if isinstance(condition, Comparison):
        return _compare(condition, values)
    if isinstance(condition, And):
        found: Truth = True
        for term in condition.terms:
            truth = holds(term, values)
            if truth is False:
                return False
            found = found and truth
        return found
    if isinstance(condition, Or):
        found = False
        for term in condition.terms:
            truth = holds(term, values)
            if truth:
                return True
            found = None if truth is None else found
        return found
    if isinstance(condition, Not):
        truth = holds(condition.term, values)
        return None if truth is None else not truth
    present = values.get(condition)
    return any(bool(_plain(value)) for value in present) if present else None


def _compare(comparison: Comparison, values: Values) -> Truth:
    (sign, right), *more = comparison.rest
    if more:
        return _compare_row(comparison, values)
    if sign in PRESENCES:
        return _is_present(comparison.first, values) is (sign == "is not")
    ends = sign in ORDERS
    return _any_pair(_list(comparison.first, values, ends=ends), sign, _list(right, values, ends=ends))


def _is_present(operand: Operand, values: Values) -> bool:
    return any(_plain(value) is not None for value in _list(operand, values, ends=False))


def _compare_row(comparison: Comparison, values: Values) -> Truth:
    """Compare several in a row: one choice of their values has to fit all comparisons."""
    if any(sign in PRESENCES for sign, _ in comparison.rest):
        return _compare_each(comparison, values)
    choices = [
        _list(each, values, ends=False)
        for each in (comparison.first, *(right for _, right in comparison.rest))
    ]
    if not all(choices):
        return None
    if _count(choices) > _MOST_PAIRS:
        choices = [_ends(each) for each in choices]
    found: Truth = None
    for chosen in product(*choices):
        truths = [
            _fits(left, sign, right)
            for left, (sign, _), right in zip(chosen, comparison.rest, chosen[1:], strict=False)
        ]
        if all(truths):
            return True
        if False in truths:
            found = False
    return found


def _compare_each(comparison: Comparison, values: Values) -> Truth:
    left = comparison.first
    terms: list[Condition] = []
    for sign, right in comparison.rest:
        terms.append(Comparison(left, ((sign, right),)))
        left = right
    return holds(And(tuple(terms)), values)


def _list(operand: Operand, values: Values, *, ends: bool) -> Sequence[Any]:
    if isinstance(operand, Name):
        return values.get(operand, ends=ends)
    return (operand.value,) if isinstance(operand, Literal) else (operand.values,)


def _any_pair(lefts: Sequence[Any], sign: str, rights: Sequence[Any]) -> Truth:
    if len(lefts) * len(rights) > _MOST_PAIRS:
        lefts, rights = _ends(lefts), _ends(rights)
    found: Truth = None
    for left in lefts:
        for right in rights:
            truth = _fits(left, sign, right)
            if truth:
                return True
            if truth is False:
                found = False
    return found


def _fits(left: Any, sign: str, right: Any) -> Truth:
    if sign == "in":
        return _is_in(left, right)
    if sign == "not in":
        truth = _is_in(left, right)
        return None if truth is None else not truth
    left, right = _matched(left, right)
    if isinstance(right, Period):
        return right.compare(left, sign)
    if isinstance(left, Period):
        return left.compare(right, _MIRRORED.get(sign, sign))
    if sign in _ORDERS:
        # Texts and numbers have no order between them; `nan` is neither more nor less.
        return _ORDERS[sign](left, right) if _can_order(left, right) else None
    return _is_same(left, right) is (sign == "==")


def _matched(left: Any, right: Any) -> tuple[Any, Any]:
    """Take from a kept text what the other side can be compared with; a text beside a moment is a date."""
    if isinstance(left, Shown):
        left = left.text if isinstance(right, str) else left.value
    if isinstance(right, Shown):
        right = right.text if isinstance(left, str) else right.value
    if isinstance(left, datetime) and isinstance(right, str):
        return left, read_period(right)
    if isinstance(right, datetime) and isinstance(left, str):
        return read_period(left), right
    return left, right


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Shown) else value


def _is_in(left: Any, right: Any) -> Truth:
    right = _plain(right)
    if isinstance(right, str):
        text = left.text if isinstance(left, Shown) else left
        return text in right if isinstance(text, str) else None
    if isinstance(right, tuple):
        return any(_fits(left, "==", each) for each in right)
    return None


def _is_same(left: Any, right: Any) -> bool:
    # True is no 1 here, as it is none where parameters are told apart.
    if isinstance(left, bool) is not isinstance(right, bool):
        return False
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(map(_is_same, left, right))
    return bool(left == right)


def _can_order(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return False
    return (
        (isinstance(left, int | float) and isinstance(right, int | float))
        or (isinstance(left, str) and isinstance(right, str))
        or (isinstance(left, datetime) and isinstance(right, datetime))
    )


def _count(choices: Sequence[Sequence[Any]]) -> int:
    count = 1
    for each in choices:
        count *= len(each)
    return count


def _ends(values: Sequence[Any]) -> Sequence[Any]:
    """Return least and greatest of many values, which is enough for those that have an order."""
    plain = [value for each in values if isinstance(value := _plain(each), int | float)]
    return (min(plain), max(plain)) if plain else values[:2]

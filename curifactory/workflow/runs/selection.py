"""Which runs are meant: those of an experiment for which conditions hold, in an order, so many of them."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from curifactory.core.nearest import find_nearest, suggest
from curifactory.core.outcomes import RunOutcome
from curifactory.errors import ConfigurationError, DiscoveryError
from curifactory.reporting.view.results import find_direction
from curifactory.store.run_row import RunRow
from curifactory.store.runs import RunStore
from curifactory.workflow.runs.bounds import list_bounds
from curifactory.workflow.runs.condition import (
    MEMBERSHIPS,
    Comparison,
    Condition,
    Items,
    Literal,
    Name,
    Operand,
    Scalar,
    iter_comparisons,
    iter_names,
    join,
)
from curifactory.workflow.runs.condition_reader import read_condition
from curifactory.workflow.runs.moments import read_period
from curifactory.workflow.runs.run_values import COUNTS, FACTS, METRICS, PARAMETERS, RunValues, find_fact
from curifactory.workflow.runs.truth import Shown, holds

OUTCOMES = tuple(outcome.value for outcome in RunOutcome)
# What people want to see the most of first.
_GREATEST_FIRST = frozenset({"started", "finished", "number", "duration", "calls", "warnings", "sets"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of the listing.

    Parameters
    ----------
    experiment : str, optional
        Runs of this experiment only.
    condition : Condition, optional
        What has to hold.
    tags : tuple of str
        A run has to have all of them.
    outcomes : tuple of str
        A run has to have one of them, if any are given.
    sort : Name, optional
        What to sort by; by start, newest first, if not given.
    reverse : bool
        Whether to turn the order round; runs without a value stay at the end.
    limit : int, optional
        How many at most.
    """

    experiment: str | None = None
    condition: Condition | None = None
    tags: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    sort: Name | None = None
    reverse: bool = False
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Selected:
    """The runs that were meant.

    Parameters
    ----------
    rows : list of RunRow
        In the order that was asked for, no more than were asked for.
    found : int
        How many there are without the limit.
    among : int
        How many were looked through.
    damaged : dict of str to str
        Runs that could not be looked at, since their ``run.json`` cannot be read, each with what is wrong.
    """

    rows: list[RunRow]
    found: int
    among: int
    damaged: Mapping[str, str]


def select_runs(store: RunStore, wanted: Wanted) -> Selected:
    """Find runs.

    Parameters
    ----------
    store : RunStore
        The runs.
    wanted : Wanted
        Which ones.

    Raises
    ------
    DiscoveryError
        If a name stands for nothing in any of the runs, with the nearest names.
    ConfigurationError
        If an outcome or a moment is none, with the nearest ones.
    """
    if wanted.condition is not None:
        _check_outcomes(wanted.condition)
        _check_moments(wanted.condition)
    _check_outcome_words(wanted.outcomes)
    is_plain = wanted.condition is None and wanted.sort is None and not wanted.tags and not wanted.outcomes
    if is_plain and wanted.limit is not None and not wanted.reverse:
        listed = store.list_runs(wanted.experiment, limit=wanted.limit)
        return Selected(listed.rows, listed.among, listed.among, listed.damaged)
    bounds = [] if wanted.condition is None else list_bounds(wanted.condition)
    listed = store.list_runs(wanted.experiment, bounds=bounds)
    folder = os.fspath(store.folder)
    names = [] if wanted.sort is None else [wanted.sort]
    if wanted.condition is not None:
        names = [*iter_names(wanted.condition), *names]
    unseen = [name for name in names if not _is_name(name, listed.rows, folder)]
    if unseen:
        every = store.iter_rows(wanted.experiment) if bounds else listed.rows
        check_names(unseen, every, folder)
    found = [row for row in listed.rows if _is_labelled(row, wanted)]
    if wanted.condition is not None:
        condition = wanted.condition
        found = [
            row for row in found if holds(condition, RunValues(row, f"{folder}/{row.reference}")) is True
        ]
    if wanted.sort is not None:
        found = sort_rows(found, wanted.sort, folder, reverse=wanted.reverse)
    elif wanted.reverse:
        found.reverse()
    shown = found if wanted.limit is None else found[: wanted.limit]
    return Selected(shown, len(found), listed.among, listed.damaged)


def make_condition(texts: Iterable[str], query: Mapping[str, Any]) -> Condition | None:
    """Make one condition of several texts and of values that names have to have; None of nothing.

    Parameters
    ----------
    texts : iterable of str
        Conditions.
    query : mapping of str to Any
        For each name a value that it equals, a tuple ``(low, high)`` of a range with both ends, or a list of values of
        which it is one.

    Raises
    ------
    ConfigurationError
        If something cannot be understood.

    Examples
    --------
    >>> str(make_condition(["acc > 0.9"], {"n": (50, 100), "kind": ["lr", "rf"], "seed": 0}))
    'acc > 0.9 and 50 <= n <= 100 and kind in ("lr", "rf") and seed == 0'
    """
    return join([*map(read_condition, texts), *(_query_term(name, value) for name, value in query.items())])


def read_key(text: str) -> Name:
    """Read what to sort by, or what stands in a column: a name, in which dots separate parts.

    Raises
    ------
    ConfigurationError
        If it is none.

    Examples
    --------
    >>> read_key("acc.best").parts, read_key('metrics["val/acc"]').parts, read_key("val/acc").parts
    (('acc', 'best'), ('metrics', 'val/acc'), ('val/acc',))
    """
    text = text.strip()
    if "[" in text:
        found = read_condition(text)
        if isinstance(found, Name):
            return found
    elif text and all(part for part in text.split(".")):
        return Name(tuple(text.split(".")))
    raise ConfigurationError(
        f"{text!r} names nothing to sort by or to show.",
        hint="Write a name, such as acc, params.n or started.",
    )


def check_names(names: Iterable[Name], rows: Sequence[RunRow], folder: str) -> None:
    """Refuse a name that stands for nothing in any run.

    Raises
    ------
    DiscoveryError
        With the nearest names.
    """
    for name in names:
        if rows and not _is_name(name, rows, folder):
            shown = (
                name.parts[1:] if name.parts[0] in (*METRICS, *PARAMETERS) and name.parts[1:] else name.parts
            )
            word = ".".join(shown)
            known = list(dict.fromkeys(each for row in rows for each in RunValues(row, "").list_names()))
            # What people have named comes before the facts that all runs have.
            near = known if find_nearest(word, known) else [*known, *FACTS]
            raise DiscoveryError(
                f"No run has a metric, a parameter or a fact named '{name}'.",
                hint=suggest(word, near, nothing=""),
            )


def _is_name(name: Name, rows: Iterable[RunRow], folder: str) -> bool:
    """Say whether a name stands for something in one of some runs."""
    if (len(name.parts) == 1 and find_fact(name.parts[0])) or name.parts[0] == COUNTS:
        return True
    return any(RunValues(row, f"{folder}/{row.reference}").get(name, ends=True) for row in rows)


def sort_rows(rows: Iterable[RunRow], name: Name, folder: str, *, reverse: bool = False) -> list[RunRow]:
    """Sort rows by what a name stands for; those that have no value come last.

    Metrics begin with the best, where their name tells what is better, else with the greatest; times, numbers and durations with the
    greatest; everything else with the least.

    Parameters
    ----------
    rows : iterable of RunRow
        The rows, newest first; equal ones stay in this order.
    name : Name
        What to sort by.
    folder : str
        The folder of runs.
    reverse : bool
        Whether to turn the order round.
    """
    with_values: list[tuple[tuple[int, Any], RunRow]] = []
    without: list[RunRow] = []
    is_descending = _is_descending(name)
    for row in rows:
        values = RunValues(row, f"{folder}/{row.reference}").get(name, ends=True)
        keys = [key for value in values if (key := _order_of(value)) is not None]
        if is_descending is None and values and isinstance(values[0], int | float):
            is_descending = find_direction(name.path) != "lower"
        if not keys:
            without.append(row)
            continue
        with_values.append((max(keys) if is_descending else min(keys), row))
    with_values.sort(key=lambda pair: pair[0], reverse=bool(is_descending) is not reverse)
    return [*(row for _, row in with_values), *without]


def _is_descending(name: Name) -> bool | None:
    """Say where the greatest come first; None of what is a metric or a parameter, which the values will tell."""
    fact = find_fact(name.parts[0]) if len(name.parts) == 1 else None
    if fact in _GREATEST_FIRST:
        return True
    if name.parts[0] == COUNTS:
        return True
    return find_direction(name.path) != "lower" if name.parts[0] in METRICS else None


def _order_of(value: Any) -> tuple[int, Any] | None:
    if isinstance(value, Shown):
        value = value.value
    if isinstance(value, bool | int | float):
        return None if math.isnan(value) else (0, value)
    if isinstance(value, datetime):
        return 0, value.timestamp()
    if isinstance(value, tuple):
        return (1, ", ".join(map(str, value))) if value else None
    return (1, str(value)) if value not in ("", None) else None


def _is_labelled(row: RunRow, wanted: Wanted) -> bool:
    if wanted.outcomes and row.outcome.value not in wanted.outcomes:
        return False
    return not wanted.tags or set(wanted.tags) <= set(row.tags)


def _check_outcomes(condition: Condition) -> None:
    """Refuse outcomes that no run can have: such a condition would quietly find nothing."""
    for comparison in iter_comparisons(condition):
        operands: list[Operand] = [comparison.first, *(operand for _, operand in comparison.rest)]
        if any(isinstance(each, Name) and each.parts == ("outcome",) for each in operands) and any(
            sign in ("==", "!=", "in", "not in") for sign, _ in comparison.rest
        ):
            for each in operands:
                if isinstance(each, Items):
                    _check_outcome_words(each.values)
                elif isinstance(each, Literal) and all(sign in ("==", "!=") for sign, _ in comparison.rest):
                    _check_outcome_words([each.value])


def _check_moments(condition: Condition) -> None:
    """Refuse what is compared with a moment and is none, whichever runs there are to be compared."""
    for comparison in iter_comparisons(condition):
        operands = [comparison.first, *(operand for _, operand in comparison.rest)]
        if comparison.rest[0][0] in MEMBERSHIPS and not isinstance(comparison.first, Name):
            continue
        if any(isinstance(each, Name) and _is_moment(each) for each in operands):
            for each in operands:
                for value in each.values if isinstance(each, Items) else (getattr(each, "value", None),):
                    if isinstance(value, str):
                        read_period(value)


def _is_moment(name: Name) -> bool:
    return len(name.parts) == 1 and find_fact(name.parts[0]) in ("started", "finished")


def _check_outcome_words(words: Iterable[Scalar]) -> None:
    for word in words:
        if word not in OUTCOMES:
            raise ConfigurationError(
                f"No run ends as {word!r}.", hint=suggest(str(word), OUTCOMES, nothing="")
            )


def _query_term(word: str, value: Any) -> Condition:
    name = read_key(word)
    if isinstance(value, tuple):
        if len(value) != 2:
            raise ConfigurationError(
                f"{word} is compared with a tuple of {len(value)} values.",
                hint="A tuple is a range (low, high); write a list for several values.",
            )
        low, high = map(_scalar, value)
        return Comparison(Literal(low), (("<=", name), ("<=", Literal(high))))
    if isinstance(value, list | set | frozenset | range):
        return Comparison(name, (("in", Items(tuple(map(_scalar, value)))),))
    return Comparison(name, (("==", Literal(_scalar(value))),))


def _scalar(value: Any) -> Scalar:
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return str(value)

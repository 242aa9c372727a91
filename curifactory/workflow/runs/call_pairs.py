"""Which call, record and parameter set of one run is which of another: by names, and by how many there were before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

from curifactory.store.calls import CallRow
from curifactory.store.rows import ParameterRow, RecordRow
from curifactory.store.run import Run

Key = TypeVar("Key", bound=Hashable)
Thing = TypeVar("Thing")


def find_renamed(before: Run, after: Run) -> dict[str, str]:
    """Return the name that the second run has for a parameter set of the first: of the only two without a partner."""
    then, now = ({row.name for row in run.parameters} for run in (before, after))
    only_then, only_now = then - now, now - then
    return {only_then.pop(): only_now.pop()} if len(only_then) == len(only_now) == 1 else {}


def place_calls(run: Run, renamed: Mapping[str, str]) -> dict[tuple[str, str, int], CallRow]:
    """Return a run's calls by stage, name of the record's parameter set, and how many of both came before.

    Parameters
    ----------
    run : Run
        The run.
    renamed : mapping of str to str
        Other names for parameter sets.

    Raises
    ------
    StoreError
        If a file of the run is damaged; the same holds for all that is read here.
    """
    names = {record.index: _name_of(record, renamed) for record in run.records}
    return _count((call.stage, names.get(call.record, call.record_name), call) for call in run.calls)


def place_records(run: Run, renamed: Mapping[str, str]) -> dict[tuple[str, int], RecordRow]:
    """Return a run's records by the name of their parameter set, and how many of it came before."""
    return _count_one((_name_of(record, renamed), record) for record in run.records)


def place_sets(run: Run, renamed: Mapping[str, str]) -> dict[tuple[str, int], ParameterRow]:
    """Return a run's parameter sets by name; of the same name by how many came before."""
    return _count_one((renamed.get(row.name, row.name), row) for row in run.parameters)


def pair(
    before: Mapping[Key, Thing], after: Mapping[Key, Thing]
) -> list[tuple[Key, Thing | None, Thing | None]]:
    """Return all that either has, those of the first in their order and then what only the second has.

    Examples
    --------
    >>> pair({"a": 1, "b": 2}, {"b": 3, "c": 4})
    [('a', 1, None), ('b', 2, 3), ('c', None, 4)]
    """
    found: list[tuple[Key, Thing | None, Thing | None]] = [
        (key, thing, after.get(key)) for key, thing in before.items()
    ]
    return found + [(key, None, thing) for key, thing in after.items() if key not in before]


def _name_of(record: RecordRow, renamed: Mapping[str, str]) -> str:
    name = record.params_name
    # Where one without a set stands depends on how many others there are; of such ones the first is the first.
    return "" if name is None else renamed.get(name, name)


def _count(rows: Iterable[tuple[str, str, Thing]]) -> dict[tuple[str, str, int], Thing]:
    counts: Counter[tuple[str, str]] = Counter()
    found: dict[tuple[str, str, int], Thing] = {}
    for stage, record, thing in rows:
        found[stage, record, counts[stage, record]] = thing
        counts[stage, record] += 1
    return found


def _count_one(rows: Iterable[tuple[str, Thing]]) -> dict[tuple[str, int], Thing]:
    return {
        (name, number): thing
        for (name, _, number), thing in _count((name, "", thing) for name, thing in rows).items()
    }

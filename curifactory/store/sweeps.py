"""The sweeps of a run, read from its facts: what varied, and which record each set became."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from curifactory.store.rows import RecordRow


class SweptSet(NamedTuple):
    """A parameter set of a sweep; ``record`` is the index of the record with it, None as long as there is none."""

    name: str | None
    base: str | None
    parameters: Mapping[str, Any]
    repeat: int
    record: int | None


class SweepRow(NamedTuple):
    """A sweep of a run.

    Parameters
    ----------
    kind : str
        How the values came together: ``product``, ``chain`` or ``zip``.
    fixed : mapping of str to Any
        What was changed for all sets.
    ranges : mapping of str to tuple
        What varied, with its values.
    repeat : int
        How often all of it was done.
    sets : tuple of SweptSet
        The sets in their order, as far as they are kept one by one.
    count : int
        How many there are.
    use_best : str or None
        By what a chain has chosen the values that it carried on.
    minimize : bool
        Whether less of that is better.
    carried : tuple of (str, Any)
        The values that were carried on.
    """

    kind: str
    fixed: Mapping[str, Any]
    ranges: Mapping[str, tuple[Any, ...]]
    repeat: int
    sets: tuple[SweptSet, ...]
    count: int  # type: ignore[assignment]  # nobody counts a value in it
    use_best: str | None
    minimize: bool
    carried: tuple[tuple[str, Any], ...]


def read_sweeps(facts: Mapping[str, Any], records: Iterable[RecordRow]) -> tuple[SweepRow, ...]:
    """Read the sweeps of a run, in the order in which they began.

    Parameters
    ----------
    facts : mapping
        What ``run.json`` says.
    records : iterable of RecordRow
        The records of the run; a set that does not say which is its own has the first of its name.

    Examples
    --------
    >>> kept = {
    ...     "kind": "product",
    ...     "ranges": [{"name": "n", "values": [1, 2]}],
    ...     "sets": [{"name": "n=1"}],
    ...     "count": 2,
    ... }
    >>> (sweep,) = read_sweeps({"sweeps": [kept]}, [RecordRow(0, "Record 0 (n=1)", "n=1", "9f", None)])
    >>> sweep.kind, dict(sweep.ranges), sweep.count, sweep.sets[0].record
    ('product', {'n': (1, 2)}, 2, 0)
    """
    kept = facts.get("sweeps") or ()
    if not kept:
        return ()
    by_name = {row.params_name: row.index for row in reversed(list(records))}
    return tuple(_read_sweep(each, by_name) for each in kept)


def _read_sweep(kept: Mapping[str, Any], by_name: Mapping[str | None, int]) -> SweepRow:
    sets = tuple(_read_set(each, by_name) for each in kept.get("sets") or ())
    return SweepRow(
        kind=str(kept.get("kind") or "product"),
        fixed=dict(kept.get("fixed") or {}),
        ranges={str(each["name"]): tuple(each.get("values") or ()) for each in kept.get("ranges") or ()},
        repeat=int(kept.get("repeat") or 1),
        sets=sets,
        count=max(len(sets), int(kept.get("count") or 0)),
        use_best=kept.get("use_best"),
        minimize=bool(kept.get("minimize")),
        carried=tuple((str(each["name"]), each.get("value")) for each in kept.get("carried") or ()),
    )


def _read_set(kept: Mapping[str, Any], by_name: Mapping[str | None, int]) -> SweptSet:
    name, record = kept.get("name"), kept.get("record")
    return SweptSet(
        name=name,
        base=kept.get("base"),
        parameters=kept.get("values") or {},
        repeat=int(kept.get("repeat") or 0),
        record=by_name.get(name) if record is None and name is not None else record,
    )

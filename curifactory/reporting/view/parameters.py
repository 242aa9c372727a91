"""The parameters of a run: what differs between its sets, and what is the same in all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from curifactory.store.parameter_columns import flatten

if TYPE_CHECKING:
    from curifactory.store.rows import ParameterRow


class ParameterSet(NamedTuple):
    """One set: its name, where it comes from, and its values of the columns that differ (None: it has no such field)."""

    name: str
    hash: str
    file: str
    type: str
    values: tuple[str | None, ...]


class Parameters(NamedTuple):
    """All sets of a run.

    Parameters
    ----------
    columns : tuple of str
        Paths of the fields that are not the same in all sets.
    sets : tuple of ParameterSet
        In the order of the run.
    same : tuple of (str, str)
        Path and value of the others.
    unread : frozenset of str
        Those of the paths that no stage has read.
    """

    columns: tuple[str, ...]
    sets: tuple[ParameterSet, ...]
    same: tuple[tuple[str, str], ...]
    unread: frozenset[str]


def gather_parameters(rows: Sequence[ParameterRow], unread: Iterable[str] = ()) -> Parameters | None:
    """Lay the sets side by side; None if the run has none.

    Parameters
    ----------
    rows : sequence of ParameterRow
        The sets.
    unread : iterable of str
        Paths that no stage has read; all that is below one of them is unread too.
    """
    if not rows:
        return None
    flat = [dict(flatten(row.shown)) for row in rows]
    paths = dict.fromkeys(path for fields in flat for path in fields)
    differing = tuple(path for path in paths if len({fields.get(path) for fields in flat}) > 1)
    same = tuple((path, flat[0][path]) for path in paths if path not in set(differing))
    sets = tuple(
        ParameterSet(
            name=row.name or "(no name)",
            hash=row.hash or "",
            file=row.file or "",
            type=(row.class_name or "").rpartition(":")[2].rpartition(".")[2],
            values=tuple(fields.get(path) for path in differing),
        )
        for row, fields in zip(rows, flat, strict=True)
    )
    above = tuple(unread)
    return Parameters(differing, sets, same, frozenset(path for path in paths if _is_below(path, above)))


def _is_below(path: str, others: Iterable[str]) -> bool:
    return any(path == other or path.startswith(f"{other}.") for other in others)

"""The parameters of a run: what differs between its sets, and what is the same in all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from curifactory.store.rows import ParameterRow

LONGEST_VALUE = 300


@dataclass(frozen=True, slots=True)
class ParameterSet:
    """One set: its name, where it comes from, and its values of the columns that differ (None: it has no such field)."""

    name: str
    hash: str
    file: str
    type: str
    values: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Parameters:
    """All sets of a run.

    Parameters
    ----------
    columns : tuple of str
        Paths of the fields that are not the same in all sets.
    sets : tuple of ParameterSet
        In the order of the run.
    same : tuple of (str, str)
        Path and value of the others.
    """

    columns: tuple[str, ...]
    sets: tuple[ParameterSet, ...]
    same: tuple[tuple[str, str], ...]


def gather_parameters(rows: Sequence[ParameterRow]) -> Parameters | None:
    """Lay the sets side by side; None if the run has none."""
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
    return Parameters(differing, sets, same)


def flatten(tree: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Give each leaf of a tree of dictionaries with its path; lists are leaves.

    Examples
    --------
    >>> flatten({"model": {"depth": 3, "layers": [8, 8]}, "name": "a"})
    [('model.depth', '3'), ('model.layers', '[8, 8]'), ('name', 'a')]
    """
    if isinstance(tree, Mapping) and (tree or not prefix):
        return [
            pair
            for key, value in tree.items()
            for pair in flatten(value, f"{prefix}.{key}" if prefix else str(key))
        ]
    if not prefix:
        return []
    text = tree if isinstance(tree, str) else json.dumps(tree, ensure_ascii=False, default=str)
    return [(prefix, text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…")]

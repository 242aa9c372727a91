"""What a listing shows of a run's parameter sets: for each field its value, or the different ones."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

# A listing is read as a whole, ten thousand runs of it: what a person would not read in a cell stays in the folder.
MOST_FIELDS = 30
MOST_VALUES = 6
LONGEST_VALUE = 60
MORE = "…"


def condense_parameters(rows: Iterable[Mapping[str, Any]]) -> dict[str, str | list[str]]:
    """Return of the rows of ``parameters.json`` what a table of runs can show and be filtered by.

    Parameters
    ----------
    rows : iterable of mapping
        The sets, each with its readable tree under ``shown``.

    Returns
    -------
    dict
        For each field by its path the value that all sets have, or a list of the different ones, which ends in ``…``
        if there are more. Fields that differ come first.

    Examples
    --------
    >>> condense_parameters([{"shown": {"n": 1, "lr": 0.1}}, {"shown": {"n": 2, "lr": 0.1}}])
    {'n': ['1', '2'], 'lr': '0.1'}
    """
    values: dict[str, dict[str, None]] = {}
    for row in rows:
        for path, text in flatten(row.get("shown"), longest=LONGEST_VALUE):
            found = values.get(path)
            if found is None:
                found = values[path] = {}
            if len(found) <= MOST_VALUES:
                found[text] = None
    ordered = sorted(values.items(), key=lambda pair: len(pair[1]) == 1)
    return {path: _join(found) for path, found in ordered[:MOST_FIELDS]}


def flatten(tree: Any, prefix: str = "", *, longest: int = 300) -> list[tuple[str, str]]:
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
            for pair in flatten(value, f"{prefix}.{key}" if prefix else str(key), longest=longest)
        ]
    if not prefix:
        return []
    text = tree if isinstance(tree, str) else json.dumps(tree, ensure_ascii=False, default=str)
    return [(prefix, text if len(text) <= longest else f"{text[: longest - 1]}{MORE}")]


def _join(found: Mapping[str, None]) -> str | list[str]:
    if len(found) == 1:
        return next(iter(found))
    shown = list(islice(found, MOST_VALUES))
    return [*shown, MORE] if len(found) > MOST_VALUES else shown

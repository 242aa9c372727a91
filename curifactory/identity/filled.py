"""Containers of modules as the import of all that fills them has left them, so that what is changed later is noticed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

_KINDS = (dict, list, set)

# By module and name: the container, and what was in it.
_filled: dict[tuple[str, str], tuple[Any, list[Any]]] = {}


def note_filled(module: str, name: str) -> None:
    """Note what a container holds, after code was executed that has imported its module.

    Examples
    --------
    >>> note_filled("no_such_module", "TABLE")
    """
    loaded = sys.modules.get(module)
    value = None if loaded is None else loaded.__dict__.get(name)
    if isinstance(value, _KINDS) and not _is_noted(module, name, value):
        _filled[module, name] = (value, _parts_of(value))


def was_filled(module: str, name: str, value: Any, written: Any) -> bool:
    """Whether a container holds what it held after the import: all that its text says, and what others have entered.

    Parameters
    ----------
    module, name : str
        Where the container is.
    value : Any
        The container.
    written : Any
        What its text says that it holds.

    Examples
    --------
    >>> entries = {"a": 1}
    >>> was_filled("registry", "ENTRIES", entries, {})
    True
    >>> entries["b"] = 2
    >>> was_filled("registry", "ENTRIES", entries, {})
    False
    """
    if not isinstance(value, _KINDS) or type(written) is not type(value):
        return False
    if not _is_noted(module, name, value):
        if not _has_all(value, written):
            return False
        _filled[module, name] = (value, _parts_of(value))
    before, now = _filled[module, name][1], _parts_of(value)
    return len(before) == len(now) and all(old is new for old, new in zip(before, now, strict=True))


def _is_noted(module: str, name: str, value: Any) -> bool:
    return (module, name) in _filled and _filled[module, name][0] is value


def _parts_of(value: Any) -> list[Any]:
    return [*value, *value.values()] if isinstance(value, Mapping) else list(value)


def _has_all(value: Any, written: Any) -> bool:
    if isinstance(value, dict):
        return all(key in value and value[key] == item for key, item in written.items())
    if isinstance(value, list):
        return bool(value[: len(written)] == written)
    return bool(written <= value)

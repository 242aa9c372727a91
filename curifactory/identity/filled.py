"""Containers of modules as the import of all that fills them has left them, so that what is changed later is noticed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

_KINDS = (dict, list, set)

# By module and name: the container, what was in it, and the modules that were loaded then.
_filled: dict[tuple[str, str], tuple[Any, list[Any], frozenset[str]]] = {}


def note_filled(module: str, name: str) -> None:
    """Note what a container holds, after code was executed that has imported its module.

    Examples
    --------
    >>> note_filled("no_such_module", "TABLE")
    """
    loaded = sys.modules.get(module)
    value = None if loaded is None else loaded.__dict__.get(name)
    if isinstance(value, _KINDS) and not _is_noted(module, name, value):
        _note(module, name, value)


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
        _note(module, name, value)
    _, before, loaded = _filled[module, name]
    now = _parts_of(value)
    if len(before) == len(now) and all(old is new for old, new in zip(before, now, strict=True)):
        return True
    if not _is_entered_since(value, before, loaded):
        return False
    _note(module, name, value)
    return True


def _is_noted(module: str, name: str, value: Any) -> bool:
    return (module, name) in _filled and _filled[module, name][0] is value


def _note(module: str, name: str, value: Any) -> None:
    _filled[module, name] = (value, _parts_of(value), frozenset(sys.modules))


def _is_entered_since(value: Any, before: list[Any], loaded: frozenset[str]) -> bool:
    """Whether a container has what it had, and besides only what modules define that were imported since."""
    there, old = {id(part) for part in _parts_of(value)}, {id(part) for part in before}
    entries = value.values() if isinstance(value, Mapping) else value
    added = [entry for entry in entries if id(entry) not in old]
    makers = {getattr(entry, "__module__", None) for entry in added}
    return old <= there and None not in makers and makers.isdisjoint(loaded)


def _parts_of(value: Any) -> list[Any]:
    return [*value, *value.values()] if isinstance(value, Mapping) else list(value)


def _has_all(value: Any, written: Any) -> bool:
    if isinstance(value, dict):
        return all(key in value and value[key] == item for key, item in written.items())
    if isinstance(value, list):
        return bool(value[: len(written)] == written)
    return bool(written <= value)

"""Names that people's code imports and that are not there: what may be meant instead."""

from __future__ import annotations

import importlib
import os
import re
import sys
from pathlib import Path
from types import ModuleType

from curifactory.core.nearest import find_nearest, join_names

_OURS = "curifactory"
_PUBLIC = (_OURS, *(f"{_OURS}.{room}" for room in ("caching", "parameters", "reporting", "testing")))
_ALL_PUBLIC = (
    "What it offers is imported from curifactory itself and its caching, parameters, reporting and testing."
)
_NOT_IMPORTED = re.compile(r"cannot import name '(\w+)' from '")


def find_meant_name(error: BaseException) -> str | None:
    """Return a hint for a name that a module does not have; None if nothing is like it.

    Parameters
    ----------
    error : BaseException
        What was raised.

    Examples
    --------
    >>> try:
    ...     from statistics import medium
    ... except ImportError as error:
    ...     find_meant_name(error)
    "Did you mean 'median'?"
    >>> try:
    ...     from curifactory.manager import Record
    ... except ImportError as error:
    ...     find_meant_name(error)
    'Write: from curifactory import Record'
    """
    module, name = _find_asked(error)
    if module is None or name is None:
        return None
    if module.__name__.partition(".")[0] == _OURS:
        elsewhere = _find_public(name)
        if elsewhere is not None or module.__name__ not in _PUBLIC:
            return elsewhere or _ALL_PUBLIC
    near = find_nearest(name, [each for each in dir(module) if not each.startswith("_")])
    if near:
        return f"Did you mean {join_names(near, 'or')}?"
    return _ALL_PUBLIC if module.__name__ in _PUBLIC else None


def find_meant_module(missing: str, root: Path) -> str | None:
    """Return a hint for a module that is missing in a package which is there; None if nothing is like it.

    Parameters
    ----------
    missing : str
        Its dotted name.
    root : Path
        The project.

    Examples
    --------
    >>> find_meant_module("curifactory.procedure", Path("/"))
    'Write: from curifactory import Procedure'
    """
    parent, _, own = missing.rpartition(".")
    if missing.partition(".")[0] == _OURS:
        return _find_public(own) or _ALL_PUBLIC
    folder = root.joinpath(*parent.split("."))
    there = {name.partition(".")[0] for name in os.listdir(folder)} if folder.is_dir() else set()
    near = find_nearest(own, sorted(name for name in there if name.isidentifier()))
    return f"Did you mean {join_names([f'{parent}.{name}' for name in near], 'or')}?" if near else None


def _find_asked(error: BaseException) -> tuple[ModuleType | None, str | None]:
    if isinstance(error, AttributeError):
        return (error.obj, error.name) if isinstance(error.obj, ModuleType) else (None, None)
    if isinstance(error, ImportError):
        found = _NOT_IMPORTED.match(str(error))
        return sys.modules.get(error.name or ""), found[1] if found else None
    return None, None


def _find_public(name: str) -> str | None:
    """Say where a public name of ours is imported from; letter case does not count."""
    for room in _PUBLIC:
        for public in importlib.import_module(room).__all__:
            if public.casefold() == name.casefold():
                return f"Write: from {room} import {public}"
    return None

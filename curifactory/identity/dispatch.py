"""Finds the encoder for a type: by its exact name, by the package it comes from, by its kind, or by its state."""

from __future__ import annotations

import enum
import importlib
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from curifactory.identity import atoms, callables, objects
from curifactory.identity.encoding import PLAIN, Encoder, Refusal, Walk
from curifactory.identity.fields import encode_fields, layout_of
from curifactory.identity.project_scope import Scope

_BY_NAME: dict[str, Encoder] = {**atoms.BY_NAME, **callables.BY_NAME}
# By package: the module that knows its classes, which is imported for the first of them, and the function there.
_BY_PACKAGE: dict[str, tuple[str, str]] = {
    "numpy": ("curifactory.identity.arrays", "numpy_encoder"),
    "torch": ("curifactory.identity.arrays", "torch_encoder"),
    "pandas": ("curifactory.identity.frames", "pandas_encoder"),
    "polars": ("curifactory.identity.frames", "polars_encoder"),
}
_WEAK = "it is made of weak references, and what they refer to may be gone at any time"
_LIBRARY = "it is a compiled library, known only by where it was loaded to"
_REFUSED = {
    "weakref.ReferenceType": _WEAK,
    "builtins.weakref": _WEAK,
    "builtins.weakproxy": _WEAK,
    "_weakrefset.WeakSet": _WEAK,
    "weakref.WeakKeyDictionary": _WEAK,
    "weakref.WeakValueDictionary": _WEAK,
    "weakref.WeakMethod": _WEAK,
    "ctypes.CDLL": _LIBRARY,
    "ctypes.PyDLL": _LIBRARY,
    "builtins.frame": "it is a frame of a running program",
    "builtins.traceback": "it is a traceback",
    "builtins.code": "it is bare byte code; give the function instead",
}

_resolved: WeakKeyDictionary[type, Encoder] = WeakKeyDictionary()


def new_walk(code_of: Callable[[Any], str | None], scope: Scope, *, root: str | None = None) -> Walk:
    """Return a walk that knows all types.

    Parameters
    ----------
    code_of : callable
        Says what stands for the code of a function, class or module; None where the name is enough.
    scope : Scope
        Names modules.
    root : str, optional
        A folder; strings and paths below it are encoded relative to it.
    """
    return Walk(resolve, code_of, scope.module_name, scope.contains, root=root)


def resolve(cls: type) -> Encoder:
    """Return the encoder for a type that is not a plain one."""
    try:
        return _resolved[cls]
    except KeyError:
        encoder = _find(cls)
        _resolved[cls] = encoder
        return encoder


def _find(cls: type) -> Encoder:
    if issubclass(cls, enum.Enum):
        return objects.encode_enum
    if issubclass(cls, type):
        return callables.encode_class
    by_package = _find_by_package(cls)
    if by_package is not None:
        return by_package
    base = objects.plain_base(cls)
    if layout_of(cls) is not None and base is None and not issubclass(cls, (list, dict)):
        return encode_fields
    reason = _REFUSED.get(f"{cls.__module__}.{cls.__qualname__}")
    if reason is not None:
        return _refuse(reason)
    for above in cls.__mro__:
        named = _BY_NAME.get(f"{above.__module__}.{above.__qualname__}")
        if named is not None:
            # A module may have several classes of one kind, such as the paths of both systems.
            return named if above.__module__ == cls.__module__ else objects.encode_subclass(named)
    if base is tuple and hasattr(cls, "_fields"):
        return objects.encode_named_tuple
    if base is not None and not objects.has_own_reduction(cls):
        return objects.encode_subclass(base)
    return objects.encode_state


def _find_by_package(cls: type) -> Encoder | None:
    for above in cls.__mro__:
        place = _BY_PACKAGE.get(above.__module__.partition(".")[0])
        if place is not None:
            find: Callable[[type], Encoder | None] = getattr(importlib.import_module(place[0]), place[1])
            return find(cls)
    return None


def _refuse(reason: str) -> Encoder:
    def refuse(value: Any, walk: Walk) -> bytes:
        raise Refusal(reason)

    return refuse


__all__ = ["PLAIN", "new_walk", "resolve"]

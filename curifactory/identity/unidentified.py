"""What can be said of a value that as a whole has no identity: the code in it, and those of its parts that have one."""

from __future__ import annotations

import contextvars
import functools
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from types import FunctionType, MethodType
from typing import Any

from curifactory.identity.fields import slot_names

_MOST_LOOKED_AT = 10_000


def code_inside(value: Any, label_of: Callable[[Any], str | None]) -> list[str]:
    """Return the names of the project's code in a value, such as a registry with a lock.

    Parameters
    ----------
    value : Any
        Containers, partials and references in it are looked into, and objects of the project's own classes.
    label_of : callable
        Names a function or class; None if it is not the project's.

    Examples
    --------
    >>> def work(): ...
    >>> code_inside([{"a": functools.partial(work)}], lambda thing: thing.__name__ if thing is work else None)
    ['work']
    """
    found: list[str] = []
    seen: dict[int, Any] = {}
    waiting = deque([value])
    while waiting and len(seen) < _MOST_LOOKED_AT:
        item = waiting.popleft()
        if id(item) in seen:
            continue
        seen[id(item)] = item
        if isinstance(item, (FunctionType, type)):
            label = label_of(item)
            found += [label] if label is not None else []
        else:
            waiting += (part for _, part in _parts_of(item, is_own=label_of(type(item)) is not None))
    return found


def known_parts(value: Any, digest_of: Callable[[Any], str | None], is_own: Callable[[type], bool]) -> Any:
    """Return a plain value that stands for one without identity: digests of the parts that have one, classes of the others.

    Parameters
    ----------
    value : Any
        What to look into.
    digest_of : callable
        Gives the digest of a value; None if it has none.
    is_own : callable
        Whether a class is the project's own.

    Examples
    --------
    >>> known_parts([1, object()], lambda item: str(item) if item == 1 else None, lambda cls: False)
    ['builtins:list', [('0', '1'), ('1', ['builtins:object'])]]
    """
    seen: dict[int, Any] = {}

    def told(item: Any) -> Any:
        digest = digest_of(item)
        if digest is not None:
            return digest
        cls = type(item)
        kind = f"{cls.__module__}:{cls.__qualname__}"
        if id(item) in seen or len(seen) > _MOST_LOOKED_AT:
            return [kind]
        seen[id(item)] = item
        parts = [(name, told(part)) for name, part in _parts_of(item, is_own=is_own(cls))]
        return [kind, parts] if parts else [kind]

    return told(value)


def _parts_of(value: Any, *, is_own: bool) -> list[tuple[str, Any]]:
    """Return what is in a container, a partial, a reference or, if its class is the project's own, in any object."""
    if isinstance(value, MethodType):
        return [("function", value.__func__), ("self", value.__self__)]
    if isinstance(value, functools.partial):
        return [("function", value.func), *_numbered(value.args), *value.keywords.items()]
    if isinstance(value, weakref.ref):
        return [("referent", value())]
    parts: list[tuple[str, Any]] = []
    if isinstance(value, (dict, weakref.WeakValueDictionary, weakref.WeakKeyDictionary)):
        parts += [(str(key) if isinstance(key, (str, int)) else "", item) for key, item in value.items()]
        parts += _numbered(key for key in value if callable(key))
    elif isinstance(value, (set, frozenset, weakref.WeakSet)):
        parts += _numbered(sorted((each for each in value if callable(each)), key=_place_of))
    elif isinstance(value, (list, tuple, deque)):
        parts += _numbered(value)
    elif isinstance(value, contextvars.ContextVar):
        parts += [("value", value.get(None))]
    elif isinstance(value, threading.local):
        parts += vars(value).items()
    if is_own:
        parts += getattr(value, "__dict__", {}).items()
        parts += [(name, getattr(value, name)) for name in slot_names(type(value)) if hasattr(value, name)]
    return parts


def _numbered(items: Iterable[Any]) -> list[tuple[str, Any]]:
    return [(str(number), item) for number, item in enumerate(items)]


def _place_of(thing: Any) -> tuple[str, str]:
    return str(getattr(thing, "__module__", "")), str(getattr(thing, "__qualname__", ""))

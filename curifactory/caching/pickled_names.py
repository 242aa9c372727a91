"""What a pickle speaks of: the classes and functions that it names, and what in a value cannot be pickled."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from types import FunctionType
from typing import Any, BinaryIO

_MOST_TRIES = 2000
_MOST_CONTAINERS = 20_000
_DEEPEST = 30


class NamingPickler(pickle.Pickler):
    """Pickles, and collects the name of every class and function that the pickle refers to.

    A value's behaviour lies in the code of its classes, of which the bytes say nothing but the names.

    Parameters
    ----------
    file : binary file
        Where to write.

    Examples
    --------
    >>> import io
    >>> from fractions import Fraction
    >>> pickler = NamingPickler(io.BytesIO())
    >>> pickler.dump([Fraction(1, 2)])
    >>> pickler.names()
    ('fractions:Fraction',)
    """

    def __init__(self, file: BinaryIO) -> None:
        # Protocol 5 is the newest that all supported versions of Python read.
        super().__init__(file, protocol=5)
        self._named: set[Any] = set()

    def reducer_override(self, obj: Any) -> Any:
        """Note the class of an object, or the class or function itself; pickle it as ever."""
        self._named.add(obj if isinstance(obj, (type, FunctionType)) else type(obj))
        return NotImplemented

    def names(self) -> tuple[str, ...]:
        """Return ``module:qualified.name`` of each, sorted; what belongs to Python itself is left out."""
        named = {f"{obj.__module__}:{obj.__qualname__}" for obj in self._named}
        return tuple(sorted(name for name in named if not name.startswith(("builtins:", "_"))))


def find_unpicklable(value: Any) -> tuple[str, Any]:
    """Return the path of the innermost part of a value that cannot be pickled, and that part.

    Parameters
    ----------
    value : object
        Something for which ``pickle.dumps`` raises.

    Examples
    --------
    >>> path, part = find_unpicklable({"rows": [1, lambda: 2]})
    >>> path
    "value['rows'][1]"
    """
    path, tries = "value", 0
    for _ in range(_DEEPEST):
        for step, part in _iter_parts(value):
            tries += 1
            if tries > _MOST_TRIES:
                return path, value
            if not _is_picklable(part):
                path, value = path + step, part
                break
        else:
            break
    return path, value


def has_sets(value: Any) -> bool:
    """Return whether a value contains sets, whose order in a pickle differs between processes.

    Looks into plain containers and the attributes of objects; gives up (and says no) beyond 20,000 of them.

    Examples
    --------
    >>> has_sets({"tags": [{"a", "b"}]}), has_sets([1, 2, 3])
    (True, False)
    """
    waiting, seen = [value], set()
    while waiting:
        current = waiting.pop()
        if isinstance(current, (set, frozenset)):
            return len(current) > 1
        if id(current) in seen:
            continue
        seen.add(id(current))
        if len(seen) > _MOST_CONTAINERS:
            return False
        if isinstance(current, dict):
            items: Any = (*current, *current.values())
        elif isinstance(current, (list, tuple)):
            items = current
        else:
            items = getattr(current, "__dict__", {}).values()
        kinds = set(map(type, items))
        if not kinds <= _LEAVES:
            waiting.extend(item for item in items if type(item) not in _LEAVES)
    return False


_LEAVES = frozenset({str, bytes, bytearray, int, float, complex, bool, type(None), type, FunctionType})


def _iter_parts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield f"[{key!r}]", item
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield f"[{index}]", item
    elif isinstance(value, (set, frozenset)):
        for item in value:
            yield f" item {item!r}", item
    elif not isinstance(value, (type, FunctionType)):
        for name, item in getattr(value, "__dict__", {}).items():
            yield f".{name}", item


def _is_picklable(value: Any) -> bool:
    try:
        pickle.Pickler(_Nowhere(), protocol=5).dump(value)
    except Exception:  # noqa: BLE001 - whatever a person's __reduce__ raises
        return False
    return True


class _Nowhere:
    """A file that keeps nothing."""

    def write(self, data: Any) -> int:
        return len(data)

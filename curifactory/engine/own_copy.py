"""A stage's own copy of a value that no cacher can give it anew, so that changing it in place changes nobody else's."""

from __future__ import annotations

import copy
import dataclasses
import sys
from collections import OrderedDict, defaultdict, deque
from typing import Any

from curifactory.engine.holding import is_atom

# A value that would take longer than this to go through, or more room, is shared.
_MOST_ITEMS = 100_000
MOST_BYTES = 8_000_000
_DICTS = (dict, OrderedDict, defaultdict)
_LISTS = (list, deque)


class _TooLargeError(Exception):
    """The value is to be shared."""


def own_copy(value: Any, *, most_bytes: int | None = MOST_BYTES) -> Any:
    """Copy containers, dataclasses, arrays and frames, and what is in them; anything else is shared.

    A model or an open connection may not be copied at all, or not be the same afterwards.

    Parameters
    ----------
    value : Any
        What a stage is to be given.
    most_bytes : int or None
        With more bytes of arrays and frames than this the value itself is returned; None copies them all.

    Examples
    --------
    >>> rows = [[1], {"a": {2}}]
    >>> mine = own_copy(rows)
    >>> mine == rows, mine is rows, mine[1]["a"] is rows[1]["a"]
    (True, False, False)
    """
    if is_atom(value):
        return value
    try:
        return _Copying(most_bytes).copy(value)
    except Exception:  # noqa: BLE001 - too large, too deep, or whatever a person's __copy__ raises: it is shared
        return value


class _Copying:
    """One copying: what has been copied already, and how much more may be."""

    __slots__ = ("_bytes", "_items", "_known", "_most_bytes")

    def __init__(self, most_bytes: int | None) -> None:
        self._known: dict[int, Any] = {}
        self._items = 0
        self._bytes = 0
        self._most_bytes = most_bytes

    def copy(self, value: Any) -> Any:
        kind = type(value)
        if kind in (int, str, float, bool, bytes, type(None)):
            return value
        known = self._known.get(id(value))
        if known is not None:
            return known
        if kind in _LISTS:
            self._count(len(value))
            made = self._known[id(value)] = copy.copy(value)
            for position, item in enumerate(value):
                made[position] = self.copy(item)
            return made
        if kind in _DICTS:
            self._count(len(value))
            made = self._known[id(value)] = copy.copy(value)
            for key, item in value.items():
                made[key] = self.copy(item)
            return made
        if kind is tuple:
            self._count(len(value))
            items = tuple(map(self.copy, value))
            return value if all(mine is item for mine, item in zip(items, value, strict=True)) else items
        if kind is set or kind is bytearray:
            self._count(len(value))
            return copy.copy(value)
        if dataclasses.is_dataclass(kind) and hasattr(value, "__dict__"):
            return self._copy_fields(value)
        return self._copy_data(value)

    def _copy_fields(self, value: Any) -> Any:
        self._count(len(vars(value)))
        made = self._known[id(value)] = copy.copy(value)
        for name, item in vars(value).items():
            mine = self.copy(item)
            if mine is not item:
                object.__setattr__(made, name, mine)
        return made

    def _copy_data(self, value: Any) -> Any:
        """Copy an array or a frame; whose class it is says whether its package has been imported at all."""
        package = type(value).__module__.partition(".")[0]
        module = sys.modules.get(package) if package in ("numpy", "pandas") else None
        if module is None:
            return value
        if package == "numpy" and type(value) is module.ndarray:
            self._count_bytes(value.nbytes)
            made = value.copy(order="K")
        elif package == "pandas" and isinstance(value, (module.DataFrame, module.Series)):
            usage = value.memory_usage()
            self._count_bytes(int(usage if isinstance(value, module.Series) else usage.sum()))
            made = value.copy()
        else:
            return value
        self._known[id(value)] = made
        return made

    def _count(self, items: int) -> None:
        self._items += items
        if self._items > _MOST_ITEMS:
            raise _TooLargeError

    def _count_bytes(self, size_bytes: int) -> None:
        self._bytes += size_bytes
        if self._most_bytes is not None and self._bytes > self._most_bytes:
            raise _TooLargeError

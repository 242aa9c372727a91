"""Objects as bytes on their way to another process of this run: by name where it can import them, else by value."""

from __future__ import annotations

import io
import pickle
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from types import FunctionType
from typing import Any

_MAIN = b"__main__"


def pack(value: Any) -> bytes:
    """Return an object as bytes that :func:`pickle.loads` understands in a process that has the project.

    Parameters
    ----------
    value : Any
        Functions and classes in it may be ones that no module gives under their name, such as those of a notebook.

    Raises
    ------
    Exception
        Whatever the object raises that cannot be pickled.

    Examples
    --------
    >>> pickle.loads(pack({"double": lambda n: 2 * n}))["double"](21)
    42
    """
    if not _has_modules_by_value():
        # Whatever it cannot pickle, the slower way may know more.
        with suppress(Exception):
            packed = pickle.dumps(value, protocol=5)
            # What the main program has defined is found under its name here and nowhere else.
            if _MAIN not in packed:
                return packed
    import cloudpickle

    by_value: bytes = cloudpickle.dumps(value, protocol=5)
    return by_value


def pack_for_worker(value: Any) -> bytes:
    """Return an object as :func:`pack` does; what the main program has defined of it gets its name in the process that reads it.

    Without its name it can be used there, but not saved by a cacher that names it, nor loaded from what such a one has saved.

    Parameters
    ----------
    value : Any
        As in :func:`pack`.

    Raises
    ------
    Exception
        Whatever the object raises that cannot be pickled.
    """
    packed = pack(value)
    if _MAIN not in packed:
        return packed
    named: dict[str, Any] = {}
    known = -1
    # What gets a name may bring more along.
    while known < len(named):
        known = len(named)
        file = io.BytesIO()
        pickler = _make_gathering()(file, named)
        pickler.dump(_Parcel(value, dict(named)))
        packed = file.getvalue()
    return packed


def find_named(names: Iterable[str]) -> tuple[Any, ...]:
    """Return what the main program has defined under names that a pickle speaks of.

    Parameters
    ----------
    names : iterable of str
        As ``module:qualified.name``.
    """
    defined = vars(sys.modules["__main__"])
    tops = (
        name.removeprefix("__main__:").partition(".")[0] for name in names if name.startswith("__main__:")
    )
    return tuple(defined[top] for top in tops if isinstance(defined.get(top), (type, FunctionType)))


class _Parcel:
    """A value, and what is to have a name in the main module of the process that reads it."""

    def __init__(self, value: Any, named: dict[str, Any]) -> None:
        self._content = value, named

    def __reduce__(self) -> tuple[Any, ...]:
        return _open_parcel, self._content


def _open_parcel(value: Any, named: dict[str, Any]) -> Any:
    for name, obj in named.items():
        # Of a class within another one only its own name has travelled.
        obj.__qualname__ = name
        if "." not in name:
            setattr(sys.modules["__main__"], name, obj)
    return value


@lru_cache(maxsize=1)
def _make_gathering() -> Any:
    import cloudpickle

    class Gathering(cloudpickle.Pickler):  # type: ignore[misc]  # it has no types
        """Pickles by value, and gathers the classes and functions that the main program gives under their names."""

        def __init__(self, file: io.BytesIO, named: dict[str, Any]) -> None:
            super().__init__(file, protocol=5)
            self._named = named

        def reducer_override(self, obj: Any) -> Any:
            if isinstance(obj, (type, FunctionType)) and obj.__module__ == "__main__":
                self._note(obj)
            return super().reducer_override(obj)

        def _note(self, obj: Any) -> None:
            found: Any = sys.modules["__main__"]
            way: dict[str, Any] = {}
            name = ""
            for part in obj.__qualname__.split("."):
                name = f"{name}.{part}" if name else part
                found = way[name] = getattr(found, part, None)
            if found is obj and all(isinstance(each, (type, FunctionType)) for each in way.values()):
                self._named.update(way)

    return Gathering


def _has_modules_by_value() -> bool:
    """Whether somebody has asked for modules to travel with what they define."""
    cloudpickle = sys.modules.get("cloudpickle")
    return cloudpickle is not None and bool(cloudpickle.list_registry_pickle_by_value())

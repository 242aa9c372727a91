"""Values that no cacher keeps, on their way between processes or out of memory: pickled into a folder of the run."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from curifactory.errors import CacheError

# Smaller values stay in memory: many of them take no more room than their files would take time.
WORTH_SPILLING_BYTES = 1_000_000


class Spill:
    """A folder of pickled values; it is gone with the object, or with the process.

    Parameters
    ----------
    make : callable, optional
        Makes the folder when it is first needed; a temporary one if not given.

    Examples
    --------
    >>> spill = Spill()
    >>> path = spill.put([1, 2], "3_0")
    >>> read_spilled(path)
    [1, 2]
    >>> spill.put((each for each in "abc"), "3_1") is None
    True
    """

    __slots__ = ("__weakref__", "_folder", "_make")

    def __init__(self, make: Callable[[], str] | None = None) -> None:
        self._make = make
        self._folder: str | None = None

    @property
    def folder(self) -> str:
        """The folder, made when it is first asked for."""
        if self._folder is None:
            self._folder = self._make() if self._make else tempfile.mkdtemp(prefix="curifactory-")
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder

    def put(self, value: Any, name: str) -> str | None:
        """Write a value down.

        Returns
        -------
        str or None
            The file; None if the value cannot be pickled, or the disk does not take it.
        """
        try:
            folder = self.folder
        except (CacheError, OSError):
            return None
        return write_spilled(value, os.path.join(folder, f"{name}.pkl"))


def write_spilled(value: Any, path: str) -> str | None:
    """Write a value to a file and return its path; None if the value cannot be pickled, or the disk does not take it.

    Either way nothing is left of it, and the value has to stay where it is.
    """
    import cloudpickle

    try:
        with open(path, "wb") as file:
            cloudpickle.dump(value, file, protocol=5)
    except Exception:  # noqa: BLE001 - whatever a person's __reduce__ or the disk raises, the value cannot travel
        with suppress(OSError):
            os.unlink(path)
        return None
    return path


def read_spilled(path: str) -> Any:
    """Return a value that was written down, a new object each time.

    Raises
    ------
    OSError
        If the file is gone.
    """
    import pickle

    with open(path, "rb") as file:
        return pickle.load(file)


def size_of(value: Any) -> int:
    """Return roughly how many bytes a value has, without going deep; 0 if it does not tell.

    Examples
    --------
    >>> size_of(b"abc"), size_of([b"abc", b"de"]), size_of(object())
    (3, 5, 0)
    """
    if isinstance(value, (bytes, bytearray, str)):
        return len(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return 8 * len(value) if len(value) > 1000 else sum(map(size_of, value))
    if isinstance(value, dict):
        return 8 * len(value) if len(value) > 1000 else sum(map(size_of, value.values()))
    for name in ("nbytes", "estimated_size"):
        found = getattr(value, name, None)
        with suppress(Exception):
            found = found() if callable(found) else found
            if isinstance(found, int):
                return found
    with suppress(Exception):
        # A frame tells it column by column.
        return int(value.memory_usage().sum()) if hasattr(value, "memory_usage") else 0
    return 0

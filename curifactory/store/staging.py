"""Staging folders: where files are made before they get their names."""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import threading
import time
from contextlib import suppress

from curifactory.store.faults import as_cache_errors
from curifactory.store.forks import stays_here
from curifactory.store.process import host_name, is_alive

_numbers = itertools.count(1)
_ABANDONED_S = 60
_ABANDONED_ELSEWHERE_S = 7 * 24 * 3600


class Staging:
    """Makes staging folders ``<pid>-<host>-<n>``, uses emptied ones again, and clears away those of dead processes.

    Nothing is made or removed before the first folder is asked for, so that reading changes no file.

    Parameters
    ----------
    folder : str
        Where staging folders are made; on the file system of the cache if it can be.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as root:
    ...     staging = Staging(os.path.join(root, "staging"))
    ...     path = staging.new()
    ...     staging.discard(path)
    ...     staging.new() == path
    True
    """

    __slots__ = ("__weakref__", "_began", "_folder", "_free", "_lock", "_prefix")

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._free: list[str] = []
        self._began = False
        self._lock = threading.Lock()
        self._prefix = _prefix(folder)
        stays_here(self)

    def new(self) -> str:
        """Give an empty folder that is only ours.

        Raises
        ------
        CacheError
            If none can be made: disk full, read-only, project folder moved away.
        """
        with suppress(IndexError):
            path = self._free.pop()
            if os.path.isdir(path):
                return path
        with as_cache_errors("make a staging folder"):
            if not self._began:
                self._begin()
            while True:
                path = f"{self._prefix}{next(_numbers)}"
                try:
                    os.mkdir(path)
                except FileExistsError:
                    # Left by a process that had our number.
                    continue
                except FileNotFoundError:
                    # Somebody has cleared away what looks as if it could be; in a project that is gone nothing is made.
                    with suppress(FileExistsError):
                        os.mkdir(self._folder)
                    continue
                return path

    def discard(self, path: str) -> None:
        """Take a folder back, with all that is still in it."""
        try:
            if not os.listdir(path):
                self._free.append(path)
                return
        except OSError:
            return
        shutil.rmtree(path, ignore_errors=True)

    def close(self) -> None:
        """Remove the folders that wait to be used again."""
        while self._free:
            with suppress(OSError):
                os.rmdir(self._free.pop())

    def leave_to_parent(self) -> None:
        """Make folders of its own, in a child process that was forked."""
        self._free, self._lock, self._prefix = [], threading.Lock(), _prefix(self._folder)

    def _begin(self) -> None:
        with self._lock:
            if self._began:
                return
            # Not what lies above the data folder: a project that is gone is not brought back.
            for path in (os.path.dirname(self._folder), self._folder):
                with suppress(FileExistsError):
                    os.mkdir(path)
            for path in find_abandoned(self._folder):
                shutil.rmtree(path, ignore_errors=True)
            self._began = True


def find_abandoned(folder: str) -> list[str]:
    """Return the staging folders below a folder whose processes are dead.

    Examples
    --------
    >>> find_abandoned("/nowhere/staging")
    []
    """
    found = []
    with suppress(OSError), os.scandir(folder) as listing:
        now_s = time.time()
        for entry in listing:
            with suppress(OSError):
                if _is_abandoned(entry.name, now_s - entry.stat(follow_symlinks=False).st_mtime):
                    found.append(entry.path)
    return found


def _is_abandoned(name: str, age_s: float) -> bool:
    pid, _, rest = name.partition("-")
    if not pid.isdigit():
        return False
    if not rest.startswith(_host_mark() + "-"):
        # Made on another machine or in another container, whose processes we cannot ask after.
        return age_s > _ABANDONED_ELSEWHERE_S
    return age_s > _ABANDONED_S and is_alive({"pid": int(pid), "host": host_name()}) is False


def _prefix(folder: str) -> str:
    return f"{folder}/{os.getpid()}-{_host_mark()}-"


def _host_mark() -> str:
    return hashlib.blake2b(host_name().encode(), digest_size=3).hexdigest()

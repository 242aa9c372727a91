"""Where stages write their own files in a run that must leave the cache as it is."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref


class Scratch:
    """A temporary folder that stands in for the cache folder; it is gone with the object, or with the process.

    Parameters
    ----------
    cache_folder : str
        Absolute path of the folder that it stands in for.

    Examples
    --------
    >>> scratch = Scratch("/project/data/cache")
    >>> os.path.basename(scratch.path_of("/project/data/cache/iris_9f_load_rows.txt"))
    'iris_9f_load_rows.txt'
    """

    __slots__ = ("__weakref__", "_cache_folder", "_folder")

    def __init__(self, cache_folder: str) -> None:
        self._cache_folder = cache_folder
        self._folder: str | None = None

    def path_of(self, path: str) -> str:
        """Return the path that stands in for one below the cache folder."""
        if self._folder is None:
            self._folder = tempfile.mkdtemp(prefix="curifactory-")
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return os.path.join(self._folder, os.path.relpath(path, self._cache_folder))

    def clear(self, path: str) -> None:
        """Remove what an earlier call of this run has left under a path."""
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.unlink(path)

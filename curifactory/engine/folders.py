"""Folders that executions of calls are given: for fragments, for files of their own, for checkpoints, for what a dry run writes."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

from curifactory.engine.checkpoints import Checkpoints, discard_checkpoint
from curifactory.errors import CacheError

if TYPE_CHECKING:
    from curifactory.engine.graph import Call
    from curifactory.engine.identify import Identifier
    from curifactory.store.layout import Layout


class Folders:
    """Makes folders when they are first asked for, and none in a project that is gone.

    Parameters
    ----------
    layout : Layout
        Where the store lies.
    fragments : str or None
        Folder of the run's fragments; None if nothing of the run is written.
    identifier : Identifier
        Names the folders of checkpoints.
    writes : bool
        Whether the cache may be written to. If not, a temporary folder stands in for it, which is gone with the object.
    follows : bool
        Whether another process of the same launch writes to it: checkpoints are that one's all the same.
    stand_in : str, optional
        Such a temporary folder that somebody else looks after.
    """

    __slots__ = (
        "__weakref__",
        "_cache",
        "_checkpoints",
        "_data",
        "_follows",
        "_fragments",
        "_had_data",
        "_stand_in",
        "_writes",
    )

    def __init__(
        self,
        layout: Layout,
        fragments: str | None,
        identifier: Identifier,
        *,
        writes: bool,
        follows: bool = False,
        stand_in: str | None = None,
    ) -> None:
        self._cache = str(layout.cache)
        self._data = os.path.dirname(self._cache)
        self._fragments = fragments
        self._checkpoints = Checkpoints(str(layout.checkpoints), identifier)
        self._writes = writes
        self._follows = follows
        self._stand_in = stand_in
        self._had_data = os.path.isdir(self._data)

    @property
    def stand_in(self) -> str | None:
        """The folder that stands in for the cache folder; None if the cache may be written to."""
        if self._writes:
            return None
        if self._stand_in is None:
            folder = tempfile.mkdtemp(prefix="curifactory-")
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            # What lies beside the cache folder has its place in there, too.
            self._stand_in = os.path.join(folder, "cache")
            os.mkdir(self._stand_in)
        return self._stand_in

    def fragments(self, name: str) -> str | None:
        """Return a folder below the run's fragments; None if nothing is written.

        Raises
        ------
        CacheError
            If the run's folder is gone.
        """
        if self._fragments is None:
            return None
        folder = os.path.join(self._fragments, name)
        if not os.path.isdir(folder):
            self._make(folder, below=os.path.dirname(self._fragments))
        return folder

    def checkpoint(self, call: Call) -> str:
        """Return the folder for what an interrupted execution of a call can go on from.

        Raises
        ------
        CacheError
            If the data folder is gone.
        """
        path = self._checkpoints.path_of(call)
        if not self._follows:
            path = self.place(path)
        self.make(path)
        return path

    def discard_checkpoint(self, path: str | None) -> None:
        """Remove the folder of a call that is finished, unless that is for another process to do."""
        if path is not None and not self._follows:
            discard_checkpoint(path)

    def place(self, path: str) -> str:
        """Return where a path of the cache lies in this run: there, or in the folder that stands in for it."""
        stand_in = self.stand_in
        return (
            path
            if stand_in is None
            else os.path.normpath(os.path.join(stand_in, os.path.relpath(path, self._cache)))
        )

    def clear(self, path: str, set_aside: Callable[[str], object]) -> None:
        """Move what lies under a path that a stage is about to write to out of the way.

        Parameters
        ----------
        path : str
            Where it is about to write.
        set_aside : callable
            Keeps a file of the cache under another name.
        """
        if not os.path.lexists(path):
            return
        if self._writes:
            set_aside(path)
        elif os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)

    def make(self, folder: str) -> None:
        """Make a folder of the cache, or beside it.

        Raises
        ------
        CacheError
            If the data folder is gone.
        """
        if not os.path.isdir(folder):
            self._make(folder, below=self._data if self._had_data and self._writes else None)
            self._had_data = True

    def _make(self, folder: str, *, below: str | None) -> None:
        if below is not None and not os.path.isdir(below):
            # Made again it would look like another project.
            raise CacheError(
                f"The folder '{below}' is gone: it was moved or deleted while the run went on.",
                hint="Run again where the project lies now: what has been finished is kept.",
            )
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            raise CacheError(f"The folder '{folder}' cannot be made: {error.strerror}.") from error

"""A save without the engine that is whole or not at all: temporary names beside the final ones, then renames."""

from __future__ import annotations

import itertools
import os
import shutil

_COUNTER = itertools.count()


class InlineSave:
    """The temporary files of one inline save.

    Each final path is written in a hidden folder beside it, on the same file system. :meth:`commit` renames everything
    into place; :meth:`abandon` leaves the final names as they were.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     saving = InlineSave()
    ...     final = os.path.join(folder, "model")
    ...     staged = saving.stage(final)
    ...     os.mkdir(staged)
    ...     before = os.path.exists(final)
    ...     saving.commit()
    ...     before, os.listdir(folder)
    (False, ['model'])
    """

    __slots__ = ("_folders", "staged")

    def __init__(self) -> None:
        self.staged: dict[str, str] = {}
        self._folders: dict[str, str] = {}

    def stage(self, final: str) -> str:
        """Return the temporary path to write instead of a final one."""
        parent, name = os.path.split(os.path.abspath(final))
        folder = self._folders.get(parent)
        if folder is None:
            os.makedirs(parent, exist_ok=True)
            folder = os.path.join(parent, f".{name[:80]}.{os.getpid()}-{next(_COUNTER)}.saving")
            os.mkdir(folder)
            self._folders[parent] = folder
        staged = os.path.join(folder, name)
        self.staged[staged] = final
        return staged

    def commit(self) -> None:
        """Rename everything that was written into place.

        Files that were written beside a staged one without asking for their names go along. The path that was asked for
        first comes last: its presence says that the artifact is there.
        """
        moves = []
        principal = next(iter(self.staged.values()), None)
        for parent, folder in self._folders.items():
            for name in os.listdir(folder):
                staged = os.path.join(folder, name)
                moves.append((staged, self.staged.get(staged, os.path.join(parent, name))))
        moves.sort(key=lambda move: move[1] == principal)
        for staged, final in moves:
            if os.path.isdir(final) and not os.path.islink(final):
                # A rename never replaces a folder that has files: the old one goes away with the temporary folder.
                os.rename(final, f"{staged}.before")
            os.replace(staged, final)
        self.abandon()

    def abandon(self) -> None:
        """Delete whatever has not been renamed."""
        for folder in self._folders.values():
            shutil.rmtree(folder, ignore_errors=True)
        self._folders.clear()

"""What is known of each stored path: the digest that was taken, and the stat facts under which it still holds."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from curifactory.core.trace import Stats, new_tuple
from curifactory.errors import CacheError
from curifactory.store.digests import INODE_BITS, Facts, inode_of, take_facts, take_print

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from curifactory.store.index import Index

_SELECT = "SELECT digest, size_bytes, mtime_ns, inode, print FROM files WHERE path = ?"
_INSERT = "INSERT OR REPLACE INTO files (path, digest, size_bytes, mtime_ns, inode, print) VALUES (?, ?, ?, ?, ?, ?)"
_DELETE = "DELETE FROM files WHERE path = ?"
_MOST_KEPT = 4_096
_SMALL_BYTES = 64 * 1024


class FileFacts:
    """Remembers digests of paths, in memory and in the index, and says which still hold.

    A row is a claim that stays true: *a path with this size, mtime and inode has this digest*. So it does no harm when it is
    old; it just does not fit any more.

    Parameters
    ----------
    index : Index
        Where facts outlive the process.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from curifactory.store.index import Index
    >>> with tempfile.TemporaryDirectory() as folder, Index(Path(folder, "index.db")) as index:
    ...     place = os.path.join(folder, "x")
    ...     _ = Path(place).write_text("abc")
    ...     facts = FileFacts(index).current("x", place)
    >>> facts.digest[:15], facts.size_bytes
    ('blake3:6437b3ac', 3)
    """

    __slots__ = ("_index", "_rows")

    def __init__(self, index: Index) -> None:
        self._index = index
        self._rows: dict[str, Facts] = {}

    @property
    def remembered(self) -> Mapping[str, Facts]:
        """What this process has in memory now, by path; it changes as paths are looked at."""
        return self._rows

    def current(self, path: str, place: str) -> Facts:
        """Give the facts of what lies at a place now: those remembered if they hold, else taken and remembered.

        Parameters
        ----------
        path : str
            Stored form of the path.
        place : str
            Absolute form of the path.

        Raises
        ------
        OSError
            If nothing lies there or it cannot be read.
        CacheError
            If it is neither file nor folder, or does not stop changing.
        """
        return self._current_otherwise(path, place, os.stat(place), self._rows.get(path))

    def fits(
        self, digest: str, path: str, place: str, seen: Stats | None = None, near: int | None = None
    ) -> bool:
        """Say whether what lies at a place now has a digest, as `current` would give it.

        Parameters
        ----------
        digest : str
            Of the bytes that are to lie there.
        path, place : str
            Stored and absolute form of the path.
        seen : tuple of int, optional
            Size, mtime and inode under which the file has the digest, as the index has it elsewhere. What this process knows
            itself counts more.
        near : int, optional
            Descriptor of the folder from which the stored form leads there, if that is open.

        Raises
        ------
        OSError, CacheError
            As :meth:`current`.
        """
        status = os.stat(place) if near is None else os.stat(path, dir_fd=near)
        stats = (status.st_size, status.st_mtime_ns, status.st_ino & INODE_BITS)
        facts = self._rows.get(path)
        # Each call that is reused asks this: no further function is called.
        if facts is None and seen == stats:
            if len(self._rows) >= _MOST_KEPT:
                self._make_room()
            self._rows[path] = new_tuple(Facts, (digest, *stats, "", True))
            return True
        if facts is not None and facts[1:5] == (*stats, ""):
            return facts.digest == digest
        return self._current_otherwise(path, place, status, facts).digest == digest

    def hold(self, digest: str, path: str, place: str) -> bool:
        """Say whether the bytes of a digest lie at a place; what is gone or cannot be read holds nothing."""
        try:
            return self.fits(digest, path, place)
        except (OSError, CacheError):
            return False

    def take(self, path: str, place: str) -> Facts:
        """Take the digest of what lies at a place anew, whatever the facts say, and remember it.

        Raises
        ------
        OSError
            If nothing lies there or it cannot be read.
        CacheError
            If it is neither file nor folder, or does not stop changing.
        """
        facts = take_facts(place)
        self.note(path, facts)
        return facts

    def note(self, path: str, facts: Facts, *, is_made: bool = False) -> None:
        """Remember facts of a path, unless a change could hide behind them.

        Parameters
        ----------
        path : str
            Stored form of the path.
        facts : Facts
            What was seen.
        is_made : bool
            Whether the file was made just now for a trace, whose row will hold the facts too. Then a small file gets no row
            of its own: should it be asked for without its trace, a digest costs as much.
        """
        if not facts.settled:
            return
        if len(self._rows) >= _MOST_KEPT:
            self._make_room()
        self._rows[path] = facts
        if not is_made or facts.size_bytes > _SMALL_BYTES or facts.print:
            self._index.execute(_INSERT, (path, *facts[:5]))

    def forget(self, path: str) -> None:
        """Drop what is known of a path."""
        self._rows.pop(path, None)
        self._index.execute(_DELETE, (path,))

    def doubt(self, path: str, place: str) -> None:
        """Read what lies at a place, so that no stat facts vouch for it that do not hold."""
        try:
            self.take(path, place)
        except (OSError, CacheError):
            self.forget(path)

    def known(self, paths: Iterable[str]) -> dict[str, Facts]:
        """Give the facts that this process has in memory, as values that travel to another process."""
        return {path: self._rows[path] for path in paths if path in self._rows}

    def seed(self, facts: Mapping[str, Facts]) -> None:
        """Take facts of paths that the index has elsewhere into memory; what this process knows itself is kept."""
        rows = self._rows
        if len(rows) >= _MOST_KEPT:
            self._make_room()
        for path, row in facts.items():
            rows.setdefault(path, row)

    def _make_room(self) -> None:
        # What is not in memory has to be in the index.
        self._index.flush()
        self._rows.clear()

    def _current_otherwise(self, path: str, place: str, status: os.stat_result, facts: Facts | None) -> Facts:
        seen = ""
        size_bytes, mtime_ns = status.st_size, status.st_mtime_ns
        if stat.S_ISDIR(status.st_mode):
            size_bytes, mtime_ns, seen = take_print(place)
        now = (size_bytes, mtime_ns, inode_of(status), seen)
        if facts is not None and facts[1:5] == now:
            return facts
        row = self._index.lookup(_SELECT, (path,))
        if row is not None and row[1:] == now:
            self._rows.pop(path, None)
            self.seed({path: Facts(*row)})
            return Facts(*row)
        return self.take(path, place)

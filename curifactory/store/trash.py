"""The trash: what a garbage collection or a person has taken away lies here until it is brought back or emptied."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from curifactory.errors import StoreError
from curifactory.store import moves
from curifactory.store.facts import write_document
from curifactory.store.journal import store_error
from curifactory.store.layout import Layout
from curifactory.store.run_row import read_time

LIST_NAME = "list.json"
# What was taken away together: each kind has a command of its own that brings it back.
COLLECTION = "collection"
RUNS = "runs"
_FILES = "files"
_FORMAT = 1
_TIME_FORMAT = "%Y-%m-%d-T%H%M%S"


@dataclass(frozen=True, slots=True)
class Rubbish:
    """One thing that goes into the trash.

    Parameters
    ----------
    path : str
        Absolute; a file or a whole folder below the data folder, or another one that the trash was told of.
    size_bytes : int
        How much room it takes.
    aside : str, optional
        Absolute path at which the bytes may lie as well, should the name be taken when they come back.
    """

    path: str
    size_bytes: int
    aside: str | None = None


@dataclass(frozen=True, slots=True)
class TrashFolder:
    """What was taken away together.

    Parameters
    ----------
    folder : Path
        Its folder in the trash.
    at : datetime
        When it was taken away.
    entries : tuple of Rubbish
        With the paths from which they were taken, in that order.
    kind : str
        Whether a collection of garbage has taken it, or a person has removed runs.
    """

    folder: Path
    at: datetime
    entries: tuple[Rubbish, ...]
    kind: str = COLLECTION

    @property
    def size_bytes(self) -> int:
        """How much room it takes."""
        return sum(entry.size_bytes for entry in self.entries)


class Trash:
    """Takes files away so that they can be brought back.

    Parameters
    ----------
    layout : Layout
        Where things lie; what is below the data folder can go into the trash.
    others : iterable of Path
        Folders outside of it of which the same holds, such as that of the reports.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as data:
    ...     layout = Layout(Path(data, "cache"))
    ...     layout.cache.mkdir()
    ...     _ = (layout.cache / "x.txt").write_text("abc")
    ...     trash = Trash(layout)
    ...     now = datetime.fromisoformat("2026-11-21T10:15:00+00:00")
    ...     put = trash.put([Rubbish(f"{layout.cache}/x.txt", 3)], now=now)
    ...     (layout.cache / "x.txt").exists(), trash.bring_back(put), (layout.cache / "x.txt").read_text()
    (False, 1, 'abc')
    """

    def __init__(self, layout: Layout, *, others: Iterable[Path] = ()) -> None:
        self._data = os.fspath(layout.cache.parent)
        self._folder = layout.trash
        self._others = tuple(os.path.abspath(folder) for folder in others)
        self._kept = {os.fspath(folder) for folder in (layout.cache, layout.manifests, layout.superseded)}
        self._kept |= {*self._others}

    def put(self, entries: Iterable[Rubbish], *, now: datetime, kind: str = COLLECTION) -> TrashFolder:
        """Move things into a folder of the trash; what is to be moved is written down first.

        Raises
        ------
        StoreError
            If something cannot be moved; what was moved before is listed and can be brought back.
        """
        found = tuple(entries)
        with self._turn():
            folder = self._make_folder(now)
            rows = [
                {
                    "path": self._relative(entry.path),
                    "size_bytes": entry.size_bytes,
                    "aside": None if entry.aside is None else self._relative(entry.aside),
                }
                for entry in found
            ]
            about = {"format": _FORMAT, "at": now.isoformat(), "kind": kind, "entries": rows}
            write_document(folder, LIST_NAME, about)
            for entry in found:
                self._move(entry.path, self._place_of(folder, entry))
                self._prune(os.path.dirname(entry.path))
        return TrashFolder(folder, now, found, kind)

    def list_folders(self, kind: str | None = None) -> list[TrashFolder]:
        """Return what lies in the trash, the latest first, of all kinds or one; folders without a readable list are left out."""
        found = []
        with suppress(OSError):
            for name in os.listdir(self._folder):
                folder = self._read(self._folder / name)
                if folder is not None and kind in (None, folder.kind):
                    found.append(folder)
        return sorted(found, key=lambda each: (each.at, each.folder.name), reverse=True)

    def list_old(self, *, now: datetime, days: int) -> list[TrashFolder]:
        """Return what has lain in the trash for longer than this."""
        return [each for each in self.list_folders() if now - each.at > timedelta(days=days)]

    def bring_back(self, put: TrashFolder) -> int:
        """Put everything that was taken away together where it was, and return how many things that were.

        A name that has been given to something else since stays with that; the bytes then lie aside, where their trace
        finds them.

        Raises
        ------
        StoreError
            If something cannot be moved; the rest can be brought back later.
        """
        restored = 0
        with self._turn():
            # The other way round: manifests come last, when what they speak of is there.
            for entry in reversed(put.entries):
                source = self._place_of(put.folder, entry)
                places = [place for place in (entry.path, entry.aside) if place is not None]
                free = next((place for place in places if not os.path.lexists(place)), None)
                # What was made again in the meantime is the same: its name says what it is.
                if os.path.lexists(source) and free is not None:
                    self._move(source, free)
                    restored += 1
            self._remove(put.folder)
        return restored

    def holds(self, put: TrashFolder, entry: Rubbish) -> bool:
        """Say whether a thing that was taken away lies in the trash, and was not left where it was by a kill."""
        return os.path.lexists(self._place_of(put.folder, entry))

    def empty(self, folders: Iterable[TrashFolder]) -> None:
        """Remove folders of the trash for good."""
        with self._turn():
            for each in folders:
                self._remove(each.folder)

    def _read(self, folder: Path) -> TrashFolder | None:
        try:
            data = json.loads((folder / LIST_NAME).read_bytes())
            at = read_time(data["at"])
            entries = tuple(
                Rubbish(
                    self._absolute(row["path"]),
                    row["size_bytes"],
                    None if row["aside"] is None else self._absolute(row["aside"]),
                )
                for row in data["entries"]
            )
            kind = str(data.get("kind", COLLECTION))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return None if at is None else TrashFolder(folder, at, entries, kind)

    def _make_folder(self, now: datetime) -> Path:
        name = now.astimezone().strftime(_TIME_FORMAT)
        for number in range(1, 1000):
            folder = self._folder / (name if number == 1 else f"{name}-{number}")
            try:
                folder.mkdir(parents=True)
            except FileExistsError:
                continue
            except OSError as error:
                raise store_error(error, "make the folder", folder) from error
            return folder
        raise StoreError(f"The trash {self._folder} has a thousand folders of this second.")

    def _relative(self, path: str) -> str:
        if not any(path.startswith(folder + "/") for folder in (self._data, *self._others)):
            raise StoreError(f"{path} does not lie below {self._data}, so it cannot go into the trash.")
        # A project that is moved as a whole keeps what it has in its trash.
        return os.path.relpath(path, self._data)

    def _absolute(self, path: str) -> str:
        return os.path.normpath(f"{self._data}/{path}")

    def _place_of(self, folder: Path, entry: Rubbish) -> str:
        return f"{folder}/{_FILES}/{self._relative(entry.path).replace('../', '%2E%2E/')}"

    def _move(self, source: str, target: str) -> None:
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            moves.move(source, target)
        except FileNotFoundError:
            if os.path.lexists(source):
                raise
            # Somebody else has taken it away in the meantime.
        except OSError as error:
            raise store_error(error, "move into or out of the trash", source) from error

    def _prune(self, folder: str) -> None:
        """Remove folders that have become empty, up to those that the store always has."""
        roots = tuple(f"{root}/" for root in (self._data, *self._others))
        while folder.startswith(roots) and folder not in self._kept:
            try:
                os.rmdir(folder)
            except OSError:
                return
            folder = os.path.dirname(folder)

    def _remove(self, folder: Path) -> None:
        # Without its list a folder that is half removed cannot be taken for a whole one.
        with suppress(OSError):
            os.unlink(folder / LIST_NAME)
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):
            os.rmdir(self._folder)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Let no other collection work on this store at the same time."""
        import fcntl

        try:
            descriptor = os.open(self._data, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise store_error(error, "collect garbage in", self._data) from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StoreError(
                    f"Another process collects garbage in {self._data}.", hint="Wait until it has ended."
                ) from error
            except OSError:
                # A network file system without locks: the list of each collection is still its own.
                pass
            yield
        finally:
            os.close(descriptor)

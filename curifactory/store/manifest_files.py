"""The files of manifests: where each lies, written by rename, read whole, and set aside when damaged."""

from __future__ import annotations

import itertools
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from curifactory.errors import StoreError
from curifactory.store import moves
from curifactory.store.digests import digest_bytes, inode_of, is_settled
from curifactory.store.folder_names import list_names
from curifactory.store.forks import stays_here
from curifactory.store.layout import safe_name
from curifactory.store.new_files import write_new
from curifactory.store.staging import Staging

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curifactory.store.layout import Layout
    from curifactory.store.near_folders import NearFolders

_numbers = itertools.count(1)
# A writer's clock and ours may differ by this, and fresh times are set back a little.
_MARGIN_S = 2.0
_MANIFESTS = "manifests"


class ManifestFiles:
    """Writes and reads the folder of manifests: a folder for each stage, a file for each key.

    Parameters
    ----------
    layout : Layout
        Where things lie.
    durable : bool
        Wait for the disk at each write, against power loss.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from curifactory.store.layout import Layout
    >>> with tempfile.TemporaryDirectory() as data:
    ...     files = ManifestFiles(Layout(Path(data, "cache")))
    ...     _ = files.write(files.path("iris.load", "9f"), b"{}")
    ...     files.read(files.path("iris.load", "9f"))[0]
    b'{}'
    """

    __slots__ = (
        "__weakref__", "_durable", "_folders", "_root", "_scratch", "_staging", "_superseded", "near",
    )  # fmt: skip

    def __init__(self, layout: Layout, *, durable: bool = False) -> None:
        self._root = os.fspath(layout.manifests)
        self._superseded = os.fspath(layout.superseded)
        self._durable = durable
        self._staging = Staging(os.fspath(layout.staging))
        self._scratch: str | None = None
        self._folders: dict[str, str] = {}
        #: Folders that are open while many manifests are looked at.
        self.near: NearFolders | None = None
        stays_here(self)

    def close(self) -> None:
        """Remove the empty staging folder; the object can still be used."""
        scratch, self._scratch = self._scratch, None
        if scratch is not None:
            self._staging.discard(scratch)
        self._staging.close()

    def leave_to_parent(self) -> None:
        """Make a staging folder of its own, in a child process that was forked."""
        self._scratch = None

    def path(self, stage: str, name: str, ending: str = ".json") -> str:
        """Give the absolute path of what lies beside a stage's manifests under a name."""
        folder = self._folders.get(stage) or self._find_folder(stage)
        return f"{folder}/{name}{ending}"

    def reach(self, stage: str, key: str) -> tuple[str, int | None]:
        """Give a manifest's path and the descriptor of the open folder where it begins; absolute, and None, if none is open."""
        folder = self._folders.get(stage) or self._find_folder(stage)
        near = None if self.near is None else self.near[folder]
        return (f"{folder}/{key}.json" if near is None else f"{key}.json"), near

    def _find_folder(self, stage: str) -> str:
        folder = self._folders[stage] = f"{self._root}/{safe_name(stage)}"
        return folder

    def write(self, path: str, data: bytes) -> tuple[int, int, int]:
        """Put bytes under a name, whole or not at all; give size, mtime and inode, the mtime -1 if it cannot be relied on.

        Raises
        ------
        OSError
            If it cannot be done.
        CacheError
            If no staging folder can be made.
        """
        if self._scratch is None:
            self._scratch = self._staging.new()
        number = next(_numbers)
        made = f"{self._scratch}/{number}"
        try:
            seen = write_new(made, data, durable=self._durable)
        except FileNotFoundError:
            # Somebody has removed our empty folder.
            self._scratch = self._staging.new()
            made = f"{self._scratch}/{number}"
            seen = write_new(made, data, durable=self._durable)
        self._rename(made, path)
        return seen

    def read(self, path: str) -> tuple[bytes, tuple[int, int, int]]:
        """Give all bytes of a file, with its size, mtime and inode; the mtime is -1 if it cannot be relied on.

        Raises
        ------
        OSError
            If it is not there or cannot be read.
        """
        now_ns = time.time_ns()
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            data = os.read(descriptor, status.st_size + 1)
            while more := os.read(descriptor, 1 << 20):
                data += more
        finally:
            os.close(descriptor)
        mtime_ns = status.st_mtime_ns if is_settled(status.st_mtime_ns, now_ns) else -1
        return data, (status.st_size, mtime_ns, inode_of(status))

    def put_folder(self, source: str, path: str) -> None:
        """Give a folder a second name, by links where that is possible; a folder that has it is replaced.

        Raises
        ------
        OSError
            If it cannot be done.
        CacheError
            If no staging folder can be made.
        """
        scratch = self._staging.new()
        try:
            built = f"{scratch}/built"
            os.mkdir(f"{scratch}/links")
            moves.link(source, built, scratch=f"{scratch}/links")
            if self._durable:
                moves.sync_all(built)
            with suppress(FileNotFoundError):
                os.rename(path, f"{scratch}/old")
            self._rename(built, path)
        finally:
            self._staging.discard(scratch)

    def set_aside_folder(self, path: str) -> None:
        """Move a damaged folder to the superseded ones."""
        with suppress(OSError):
            os.makedirs(self._superseded, exist_ok=True)
            os.rename(path, f"{self._superseded}/damaged-{time.time_ns():x}.report")

    def set_aside(self, path: str, data: bytes | None) -> None:
        """Move a damaged file to the superseded ones, by the digest of its bytes if it could be read."""
        name = digest_bytes(data).rpartition(":")[2] if data is not None else f"unreadable-{time.time_ns():x}"
        # The file may be gone by now, or the disk read-only: it is a miss anyway.
        with suppress(OSError):
            os.makedirs(self._superseded, exist_ok=True)
            os.rename(path, f"{self._superseded}/{name}.json")

    def iter_paths(self, since: float | None = None) -> Iterator[tuple[str, str]]:
        """List manifests as (key, path), in no order; only those written from a time on if one is given.

        Raises
        ------
        StoreError
            If a folder cannot be listed, once those of the others have been given.
        """
        fault: StoreError | None = None
        for stage in list_names(self._root, _MANIFESTS):
            folder = f"{self._root}/{stage}"
            if since is not None and not _is_younger(folder, since):
                continue
            try:
                names = list_names(folder, _MANIFESTS)
            except StoreError as error:
                fault = fault or error
                continue
            for name in names:
                if not name.endswith(".json") or name.startswith("code-"):
                    continue
                path = f"{folder}/{name}"
                if since is None or _is_younger(path, since):
                    yield name[:-5], path
        if fault is not None:
            raise fault

    def _rename(self, made: str, path: str) -> None:
        try:
            os.rename(made, path)
        except FileNotFoundError:
            # If it is there now, another process was as quick as we are, or what is to be renamed is gone.
            self._make_folder(os.path.dirname(path))
            os.rename(made, path)
        except OSError:
            moves.remove(made)
            raise
        if self._durable:
            moves.sync(os.path.dirname(path))

    def _make_folder(self, folder: str) -> None:
        """Make the folder of a stage, but nothing above the data folder: a project that is gone is not brought back."""
        with suppress(FileExistsError):
            try:
                os.mkdir(folder)
            except FileNotFoundError:
                with suppress(FileExistsError):
                    os.mkdir(self._root)
                os.mkdir(folder)


def _is_younger(path: str, since: float) -> bool:
    try:
        return os.stat(path).st_mtime >= since - _MARGIN_S
    except FileNotFoundError:
        return False
    except OSError:
        # Whoever reads it is told why that cannot be done.
        return True

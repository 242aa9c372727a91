"""The files of artifacts: committed whole, checked, set aside when their name passes on, and brought back."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING

from curifactory.core.members import with_plain_members
from curifactory.core.trace import NOTHING_SEEN, Stats, StoredFile, new_tuple
from curifactory.errors import CacheError
from curifactory.store.faults import as_cache_errors, cache_error
from curifactory.store.file_facts import FileFacts
from curifactory.store.naming import Naming, check_finals
from curifactory.store.new_files import StagedFiles
from curifactory.store.ownership import Ownership
from curifactory.store.staging import Staging
from curifactory.store.superseded import Superseded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from curifactory.store.digests import Facts
    from curifactory.store.index import Index
    from curifactory.store.layout import Layout
    from curifactory.store.near_folders import NearFolders

_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP}


@with_plain_members
class FileState(Enum):
    """How a stored file is: there as it was written, gone, changed, out of reach, or lying aside under its digest.

    Examples
    --------
    >>> FileState.ASIDE.value
    'aside'
    """

    PRESENT = "present"
    MISSING = "missing"
    MODIFIED = "modified"
    UNREADABLE = "unreadable"
    ASIDE = "aside"


class ArtifactFiles:
    """Keeps the files of artifacts: a name is a label, the digest is the truth, and nothing is overwritten in place.

    Parameters
    ----------
    layout : Layout
        Where things lie.
    index : Index
        Remembers digests with the stat facts under which they hold.
    durable : bool
        Wait for the disk at each commit, against power loss.
    trusts : bool
        Trust the store whoever made it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from curifactory.store.index import Index
    >>> from curifactory.store.layout import Layout
    >>> with tempfile.TemporaryDirectory() as data:
    ...     layout = Layout(Path(data, "cache"))
    ...     with Index(layout.index_path) as index:
    ...         files = ArtifactFiles(layout, index)
    ...         staging = files.new_staging()
    ...         _ = Path(f"{staging}/x.txt").write_text("abc")
    ...         (file,) = files.commit([(f"{staging}/x.txt", f"{data}/cache/x.txt")])
    ...         files.discard_staging(staging)
    ...         file.path, file.size_bytes, files.state(file).value
    ('x.txt', 3, 'present')
    """

    __slots__ = (
        "_cache", "_facts", "_layout", "_naming", "_staging", "_superseded", "near", "ownership", "seed", "staged",
    )  # fmt: skip

    def __init__(self, layout: Layout, index: Index, *, durable: bool = False, trusts: bool = False) -> None:
        self._layout = layout
        self._cache = f"{layout.cache}/"
        self._facts = FileFacts(index)
        #: Folders that are open while many files are looked at.
        self.near: NearFolders | None = None
        #: Takes stat facts of paths that the index holds elsewhere into memory.
        self.seed = self._facts.seed
        self._staging = Staging(os.fspath(layout.staging))
        self._superseded = Superseded(os.fspath(layout.superseded), facts=self._facts)
        self._naming = Naming(
            layout, facts=self._facts, superseded=self._superseded, staging=self._staging, durable=durable
        )
        self.staged = StagedFiles()
        self.ownership = Ownership(layout.cache, trusts=trusts)

    @property
    def layout(self) -> Layout:
        """Where things lie."""
        return self._layout

    def new_staging(self) -> str:
        """Give an empty folder of our own on the file system of the data folder.

        Raises
        ------
        CacheError
            If none can be made.
        """
        return self._staging.new()

    def discard_staging(self, path: str) -> None:
        """Take a staging folder back, with what is still in it."""
        self.staged.clear()
        self._staging.discard(path)

    def close(self) -> None:
        """Remove the empty staging folders; the object can still be used."""
        self._staging.close()

    def commit(
        self,
        staged: Sequence[tuple[str, str]],
        references: Sequence[str] = (),
        *,
        is_untouched: bool = False,
    ) -> tuple[StoredFile, ...]:
        """Give staged files and folders their final names, all of them digested before the first is moved.

        What holds such a name goes aside to ``superseded`` first. Killed in between, the new names hold unknown files, which fit
        no trace, and the old bytes are found by their digests.

        Parameters
        ----------
        staged : sequence of (str, str)
            Staged path and final path of each file or whole folder, absolute.
        references : sequence of str
            Absolute paths of files and folders of somebody else, which only count by their content.
        is_untouched : bool
            Whether nobody can have done anything to files that ``self.staged`` has written.

        Returns
        -------
        tuple of StoredFile
            The staged ones in their order, then the references.

        Raises
        ------
        CacheError
            If something is missing, cannot be read or cannot be moved: disk full, no permission, path too long, …
        """
        naming = self._naming
        ready: list[tuple[str, str, str, Facts]] = []
        try:
            for source, wanted in staged:
                final, path = naming.normalize(wanted)
                ready.append((source, final, path, self.staged.take(source, is_untouched=is_untouched)))
            if len(ready) > 1:
                check_finals([final for _, final, _, _ in ready])
            # The references before the moves: a missing one must leave everything as it was.
            counted = [self._count_reference(path) for path in references] if references else ()
            for source, final, path, facts in ready:
                naming.place(source, final, path, facts)
        except OSError as error:
            raise cache_error(error, "save the artifact") from error
        stored = [
            new_tuple(StoredFile, (path, facts.digest, facts.size_bytes, False))
            for _, _, path, facts in ready
        ]
        return (*stored, *counted)

    def state(self, file: StoredFile) -> FileState:
        """Say how a file is, by its stat facts where they hold, else by its digest.

        Never raises for a file that is gone or cannot be read. ``PRESENT`` and ``ASIDE`` mean that exactly the digested bytes lie
        there, as far as size, mtime and inode tell; `read_through` reads them all.
        """
        return self.worst([file])[0]

    def worst(
        self, files: Iterable[StoredFile], seen: Mapping[str, Stats] = NOTHING_SEEN
    ) -> tuple[FileState, StoredFile | None]:
        """Say how the worst of several files is, as `state` does, and which it is; None if all are present.

        Parameters
        ----------
        files : iterable of StoredFile
            The files.
        seen : mapping of str to (int, int, int)
            Stat facts under which they have these digests, by their paths, for what this process does not know itself.
        """
        worst, which = FileState.PRESENT, None
        cache = None if self.near is None else self.near[self._cache]
        for file in files:
            path, digest, _, referenced = file
            try:
                # A name without a folder is the usual case, and needs no further call.
                if path[0] not in "/.":
                    place, near = self._cache + path, cache
                else:
                    place, near = self._layout.absolute(path), None
                if self._facts.fits(digest, path, place, seen.get(path), near):
                    continue
                state = FileState.MODIFIED
            except OSError as error:
                state = _state_after(error)
            except CacheError:
                state = FileState.MODIFIED
            if referenced or not self._facts.hold(digest, *self._superseded.name(digest, path)):
                return state, file
            worst, which = FileState.ASIDE, file
        return worst, which

    def read_through(self, file: StoredFile) -> FileState:
        """Read all bytes now and say how they are under the file's own name: present, missing, modified or unreadable."""
        state = FileState.MODIFIED
        try:
            if self._facts.take(file.path, self.path_of(file)).digest == file.digest:
                return FileState.PRESENT
        except OSError as error:
            state = _state_after(error)
            self._facts.forget(file.path)
        except CacheError:
            self._facts.forget(file.path)
        if not file.referenced:
            # Bytes that rotted may have their second name aside: that must not be believed any longer either.
            self._facts.doubt(*self._superseded.name(file.digest, file.path))
        return state

    def path_of(self, file: StoredFile) -> str:
        """Give the absolute path of a file's own name."""
        path = file.path
        # The usual case without a call.
        return self._cache + path if path[0] not in "/." else self._layout.absolute(path)

    def find_bytes(self, file: StoredFile) -> str | None:
        """Give the absolute path where a file's bytes lie now: its own name, or the one they have aside; else None."""
        state = self.state(file)
        if state is FileState.PRESENT:
            return self.path_of(file)
        return self._superseded.name(file.digest, file.path)[1] if state is FileState.ASIDE else None

    def restore(self, file: StoredFile) -> None:
        """Bring bytes that lie aside back to their name; what holds the name goes aside.

        The bytes also stay aside, by a link, since other names may have had the same ones.

        Raises
        ------
        CacheError
            If they are neither at their name nor aside, are damaged, or cannot be linked.
        """
        state = self.state(file)
        if state is FileState.PRESENT:
            return
        if state is not FileState.ASIDE:
            raise CacheError(
                f"The bytes of '{self.path_of(file)}' are {state.value} and do not lie aside.",
                hint="Run the stage that makes it again.",
            )
        with as_cache_errors("bring back the artifact", self.path_of(file)):
            aside = self._superseded.name(file.digest, file.path)
            self._naming.give(file.digest, aside, (file.path, self.path_of(file)))

    def link(self, file: StoredFile, new_final: str) -> StoredFile:
        """Give a file or folder a second name, by hard links where that is possible.

        Parameters
        ----------
        file : StoredFile
            Present, or lying aside. One of somebody else is given back as it is.
        new_final : str
            Absolute path; other bytes of that name go aside.

        Raises
        ------
        CacheError
            If the bytes are missing or modified, or the name cannot be given.
        """
        if file.referenced:
            return file
        new_final = os.path.normpath(new_final)
        path = self._layout.relative(new_final)
        if not self._facts.hold(file.digest, path, new_final):
            state = self.state(file)
            if state is FileState.PRESENT:
                source = (file.path, self.path_of(file))
            elif state is FileState.ASIDE:
                source = self._superseded.name(file.digest, file.path)
            else:
                raise CacheError(
                    f"'{self.path_of(file)}' is {state.value}, so '{new_final}' cannot be made from it.",
                    hint="Run the stage that makes it again.",
                )
            with as_cache_errors("link the artifact", new_final):
                self._naming.give(file.digest, source, (path, new_final))
        return StoredFile(path, file.digest, file.size_bytes)

    def set_aside(self, path: str) -> str | None:
        """Move a damaged or unknown file or folder to ``superseded``, under the digest that it has now.

        Parameters
        ----------
        path : str
            Absolute, or as it is stored.

        Returns
        -------
        str or None
            Where it lies now; None if there was nothing.

        Raises
        ------
        CacheError
            If it cannot be moved.
        """
        place = self._layout.absolute(path)
        if not os.path.lexists(place):
            return None
        path = self._layout.relative(place)
        with as_cache_errors("set aside the file", place):
            # A damaged file may have the stat facts of the whole one.
            with suppress(OSError, CacheError):
                self._facts.take(path, place)
            return self._superseded.put(path, place)

    @property
    def remembered(self) -> Mapping[str, Facts]:
        """The stat facts in memory, by the paths of files as they are stored; they change as files are looked at."""
        return self._facts.remembered

    def known(self, files: Iterable[StoredFile]) -> dict[str, Facts]:
        """Give the stat facts of files as values that travel to another process; see `adopt`."""
        return self._facts.known([file.path for file in files])

    def adopt(self, facts: Mapping[str, Facts]) -> None:
        """Remember stat facts that another process on this machine took of files it committed."""
        for path, row in facts.items():
            self._facts.note(path, row)

    def _count_reference(self, place: str) -> StoredFile:
        place = os.path.normpath(place)
        path = self._layout.relative(place)
        facts = self._facts.current(path, place)
        return StoredFile(path, facts.digest, facts.size_bytes, referenced=True)


def _state_after(error: OSError) -> FileState:
    """Say how a file is that could not be looked at: gone, or there for others to read."""
    return FileState.MISSING if error.errno in _ABSENT else FileState.UNREADABLE

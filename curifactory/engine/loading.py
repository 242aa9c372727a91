"""From artifacts back to values: files are checked, brought to their names, and loaded by their cacher."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from curifactory.core.trace import Artifact, StoredFile
from curifactory.engine.graph import Call
from curifactory.engine.saving import Saver
from curifactory.errors import CacheError, say
from curifactory.store.artifacts import ArtifactFiles, FileState

# Others who take a name away from what is being loaded do so once, and rarely.
_MOST_TRIES = 10
# What lies under its own name, and is no good there.
_DAMAGED = (FileState.MODIFIED, FileState.UNREADABLE)
_TOLD = {FileState.MISSING: "is missing", FileState.UNREADABLE: "cannot be read"}


class Loader:
    """Looks after the bytes of artifacts and loads their values.

    Parameters
    ----------
    files : ArtifactFiles
        The store's files.
    saver : Saver
        Knows where artifacts lie and which names are taken in this run.
    cache_folder : str
        Absolute path.
    """

    def __init__(self, files: ArtifactFiles, saver: Saver, *, cache_folder: str) -> None:
        self._files = files
        #: How the files of an artifact stand: the worst state among them, and the file that has it.
        self.state = files.worst
        self._saver = saver
        self._cache_folder = cache_folder

    def shown_path(self, file: StoredFile) -> str:
        """Return the path of a file as people know it: relative to the cache folder, of another's to the project."""
        return self._saver.shown_path(self._files.path_of(file)) if file.referenced else file.path

    def set_aside_damaged(self, artifact: Artifact) -> None:
        """Move files that are not what was written out of the way; they are kept, not erased."""
        for file in artifact.files:
            if not file.referenced and self._files.state(file) in _DAMAGED:
                self._files.set_aside(self._files.path_of(file))

    def bring_back(self, artifact: Artifact, key: str) -> None:
        """Give files that have been set aside their names again, unless another call of this run has the name."""
        if not self._saver.labels.is_free_for(artifact.label, key):
            return
        for file in artifact.files:
            if not file.referenced and self._files.state(file) is FileState.ASIDE:
                self._files.restore(file)

    def link(self, artifact: Artifact, label: str) -> Artifact:
        """Return the artifact under a second name, by hard links to its files."""
        files = []
        for file in artifact.files:
            if file.referenced or not file.path.startswith(artifact.label):
                files.append(file)
                continue
            final = os.path.join(self._cache_folder, label + file.path[len(artifact.label) :])
            files.append(self._files.link(file, final))
        return artifact._replace(files=tuple(files), label=label)

    def cacher(self, call: Call, position: int, artifact: Artifact) -> Any:
        """Return the cacher of an artifact, placed where its files lie now."""
        self.bring_back(artifact, call.key or "")
        cacher = self._saver.placed(call, position, artifact.label)
        cacher.extra_metadata = dict(artifact.metadata)
        for file in artifact.files:
            if not file.referenced:
                path, actual = self._files.path_of(file), self._files.find_bytes(file)
                if actual is not None and actual != path:
                    cacher.placement.redirects[path] = actual
        return cacher

    def load(self, call: Call, position: int, artifact: Artifact, *, lazy: bool) -> Any:
        """Load the value of an artifact.

        Raises
        ------
        DamagedArtifactError
            If a file is not there or not what was written; the value has to be made again.
        CacheError
            If the cacher cannot read what it wrote.
        UntrustedError
            If it could run code, and the store came from elsewhere.
        """

        def place() -> Any:
            cacher = self.cacher(call, position, artifact)
            self._files.ownership.check(cacher, cacher.final_path())
            return cacher

        def explain(cacher: Any, error: BaseException) -> CacheError:
            return CacheError(
                f"{type(cacher).__name__} could not load the output '{artifact.name}' of {call.describe()} from "
                f"{cacher.final_path()}: {say(error)}",
                hint=f"Make it again with --overwrite-stage {call.name}.",
            )

        return load_whole(self._files, artifact.files, place, explain, lazy=lazy)[0]


def load_whole(
    files: ArtifactFiles,
    stored: Sequence[StoredFile],
    place: Callable[[], Any],
    explain: Callable[[Any, BaseException], CacheError],
    *,
    lazy: bool = False,
) -> tuple[Any, Any]:
    """Load a value from files that are looked at before and after, and return it with the cacher that has loaded it.

    Another process may give a name to other bytes at any moment, also between the look and the load.

    Parameters
    ----------
    files : ArtifactFiles
        The store's files.
    stored : sequence of StoredFile
        Those of the artifact.
    place : callable
        Gives the cacher, placed where the files lie now.
    explain : callable
        Makes the error of what the cacher raises.
    lazy : bool
        Whether the value may be mapped, so that not all bytes are read.

    Raises
    ------
    DamagedArtifactError
        If a file is not there or not what was written.
    CacheError
        If the cacher cannot read what it wrote.
    """

    def find() -> list[str | None]:
        return [files.find_bytes(file) for file in stored]

    fault: tuple[StoredFile, FileState] | None = None
    for _ in range(_MOST_TRIES):
        cacher = place()
        by_mapping = lazy and hasattr(cacher, "load_lazy")
        places = find()
        fault = None if None in places or by_mapping else _find_fault(files, stored, places)
        if None in places or fault is not None:
            break
        try:
            value = cacher.load_lazy() if by_mapping else cacher.load()
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            if find() == places:
                raise explain(cacher, error) from error
        else:
            if find() == places:
                return value, cacher
    state, file = files.worst(stored)
    raise DamagedArtifactError(*(fault or (stored[0] if file is None else file, state)))


def _find_fault(
    files: ArtifactFiles, stored: Sequence[StoredFile], places: Sequence[str | None]
) -> tuple[StoredFile, FileState] | None:
    """Read all bytes and return the first file whose bytes are not the digested ones, and how it is."""
    for file, place in zip(stored, places, strict=True):
        lies_aside = place is not None and place != files.path_of(file)
        state = files.read_through(
            file._replace(path=files.layout.relative(place)) if place and lies_aside else file
        )
        if state is not FileState.PRESENT:
            return file, state
    return None


class DamagedArtifactError(CacheError):
    """The files of an artifact are not what was written; ``file`` is the first of them that is not, ``state`` how it is."""

    def __init__(self, file: StoredFile, state: FileState) -> None:
        super().__init__(f"{file.path} {tell_state(state)}.")
        self.file = file
        self.state = state


def tell_state(state: FileState) -> str:
    """Say what is wrong with a file that is not there as it was written.

    Examples
    --------
    >>> tell_state(FileState.UNREADABLE), tell_state(FileState.MODIFIED)
    ('cannot be read', 'was modified since it was written')
    """
    return _TOLD.get(state, "was modified since it was written")

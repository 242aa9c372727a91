"""What a finished call read and made: traces, artifacts and fragments as frozen values.

All are tuples: each call that is reused makes some of them, and a tuple is made in a quarter of the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

# Size, mtime and inode of a file: as long as they are the same, so are its bytes. No file has an mtime of -1.
Stats = tuple[int, int, int]
# Shared by all that have none; mappings are not written to.
NO_METADATA: Mapping[str, Any] = {}
NOTHING_SEEN: Mapping[str, Stats] = {}
NEVER_SEEN: Stats = (0, -1, 0)
# Makes one of the tuples below, or of events, from all of its parts in a third of the time that a call of its class takes.
new_tuple = tuple.__new__


class StoredFile(NamedTuple):
    """One file of an artifact.

    Parameters
    ----------
    path : str
        Relative to the cache folder, with forward slashes; absolute only for a ``path_override`` elsewhere.
    digest : str
        Digest of the bytes with its algorithm, such as ``blake3:9f…``.
    size_bytes : int
        Length of the file; of all files together for a folder.
    referenced : bool
        Whether the file only counts (its content is part of the artifact's identity) but belongs to somebody else: it is
        checked, never moved and never written by the store.
    """

    path: str
    digest: str
    size_bytes: int
    referenced: bool = False


class Artifact(NamedTuple):
    """A slot that has been saved by a cacher: files and what is known of their value.

    Parameters
    ----------
    name : str
        Name of the output.
    cacher : str
        Short name of the cacher's class, such as ``PickleCacher``.
    cacher_key : str
        Identity of the cacher: its class and arguments. Another key means another format of the bytes.
    digest : str
        Identity of the content, as ``kind:hex``.
    files : tuple of StoredFile
        All files, the principal one first.
    label : str
        What the files' paths begin with: the path relative to the cache folder without suffix or extension.
    type : str
        Type of the value, such as ``pandas.DataFrame``.
    summary : str
        Shape or length of the value, such as ``(150, 5)``; may be empty.
    metadata : mapping
        What the cacher put into ``extra_metadata``; JSON values.
    """

    name: str
    cacher: str
    cacher_key: str
    digest: str
    files: tuple[StoredFile, ...]
    label: str
    type: str = ""
    summary: str = ""
    metadata: Mapping[str, Any] = NO_METADATA

    @property
    def size_bytes(self) -> int:
        """Length of all files together."""
        return sum(file.size_bytes for file in self.files)


class Output(NamedTuple):
    """One output of a finished call; ``artifact`` is None when it has no cacher."""

    name: str
    type: str = ""
    summary: str = ""
    artifact: Artifact | None = None


class Fragment(NamedTuple):
    """A reportable as it was when it was reported: data and files, nothing live.

    Parameters
    ----------
    name : str
        Name within its call, given or numbered.
    kind : str
        What draws it: ``table``, ``figure``, ``image``, ``json``, ``html``, ``latex``, ``text``, ``error``, …
    data : Any
        JSON values; their meaning is the kind's.
    files : tuple of str
        File names in the folder of the call's fragments.
    group, caption : str, optional
        Given by people.
    """

    name: str
    kind: str
    data: Any = None
    files: tuple[str, ...] = ()
    group: str | None = None
    caption: str | None = None


class Trace(NamedTuple):
    """What one finished call read and made. A manifest is a trace on disk.

    Parameters
    ----------
    key : str
        Identity of the call, 64 hex digits: stage, code, what it read, inputs, overrides, names of outputs.
    stage : str
        Module-qualified name of the stage, such as ``experiments.iris.train_model``.
    code : str
        Digest of the stage's code fingerprint.
    reads : mapping of str to str
        Path of each parameter that was read to the digest of its value.
    shown : mapping of str to str
        Path of each parameter that was read to a short text of its value, for reasons that a person reads.
    inputs : mapping of str to str
        Name of each input to its identity; ``absent`` if it was missing.
    overrides : mapping of str to str
        Name of each keyword that was given to the call to the digest of its value.
    outputs : tuple of Output
        In the order of the decorator.
    run : str
        Reference of the run that executed the call.
    made_at : str
        When it finished, ISO 8601 with offset.
    duration_s : float
        Wall time of the stage function.
    reported : bool
        Whether fragments or metrics lie beside the manifest.
    """

    key: str
    stage: str
    code: str
    reads: Mapping[str, str]
    shown: Mapping[str, str]
    inputs: Mapping[str, str]
    overrides: Mapping[str, str]
    outputs: tuple[Output, ...]
    run: str
    made_at: str
    duration_s: float
    reported: bool = False

    @property
    def name(self) -> str:
        """Name of the stage without its module."""
        return self.stage.rpartition(".")[2]


class Result(NamedTuple):
    """As much of a trace as it takes to reuse what its call made.

    Parameters
    ----------
    run : str
        Reference of the run that executed the call.
    reads : tuple of str
        Paths of what was read.
    outputs : tuple of Output
        In the order of the decorator.
    duration_s : float
        Wall time of the stage function.
    reported : bool
        Whether fragments or metrics lie beside the manifest.
    manifest : tuple of int
        Size, mtime and inode of the manifest when it said this.
    seen : mapping of str to (int, int, int)
        The same of files by their paths, when they had the digests which stand in the outputs; only of those of which that is
        known.
    """

    run: str
    reads: tuple[str, ...]
    outputs: tuple[Output, ...]
    duration_s: float
    reported: bool
    manifest: Stats = NEVER_SEEN
    seen: Mapping[str, Stats] = NOTHING_SEEN

    @classmethod
    def of(
        cls, trace: Trace, manifest: Stats = NEVER_SEEN, seen: Mapping[str, Stats] = NOTHING_SEEN
    ) -> Result:
        """Return that part of a trace."""
        _, _, _, reads, _, _, _, outputs, run, _, duration_s, reported = trace
        return new_tuple(Result, (run, tuple(reads), outputs, duration_s, reported, manifest, seen))


class Origin(NamedTuple):
    """Where the result of a reused call comes from: the run that executed it, and whether it told anything."""

    run: str
    reported: bool


@lru_cache(maxsize=1024)
def origin_of(run: str, reported: bool) -> Origin:
    """Return one object for all calls that come from the same run.

    Examples
    --------
    >>> origin_of("iris_1", False) is origin_of("iris_1", False)
    True
    """
    return Origin(run, reported)


@lru_cache(maxsize=1024)
def one_for_all(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Return one object for all traces that have read the same.

    Examples
    --------
    >>> one_for_all(tuple(["params.n"])) is one_for_all(tuple(["params.n"]))
    True
    """
    return paths

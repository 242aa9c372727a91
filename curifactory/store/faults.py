"""What an error of the operating system means for the store, as one of our errors with the path and what to do."""

from __future__ import annotations

import errno
import os

from curifactory.errors import CacheError

_CAUSES = {
    errno.ENOSPC: ("the disk is full", "Make room on that disk, then run the same command again."),
    errno.EDQUOT: ("your quota of disk space is used up", "Make room, then run the same command again."),
    errno.EFBIG: (
        "the file is larger than its file system allows",
        "Use a file system that takes larger files.",
    ),
    errno.EROFS: ("the file system is read-only", "Put the data folder where it can be written."),
    errno.EACCES: (
        "permission is denied",
        "Give yourself the right to write there, or use another cache folder.",
    ),
    errno.EPERM: (
        "permission is denied",
        "Give yourself the right to write there, or use another cache folder.",
    ),
    errno.ENAMETOOLONG: (
        "the path is too long for the file system",
        "Shorten the names of the experiment, stage and output, or use a cache folder with a shorter path.",
    ),
    errno.ENOENT: (
        "it is not there",
        "If the project folder was moved or deleted while it was in use, run the same command again from its new place.",
    ),
    errno.ENOTDIR: (
        "a file lies where a folder should be",
        "Move it out of the way, then run the same command again.",
    ),
    errno.EISDIR: (
        "a folder lies where a file should be",
        "Move it out of the way, then run the same command again.",
    ),
    errno.EEXIST: (
        "something else has that name",
        "Move it out of the way, then run the same command again.",
    ),
    errno.EXDEV: (
        "it lies on another file system",
        "Keep the folders manifests and staging of the data folder on one file system.",
    ),
    errno.EIO: ("the disk answers with an error", "Check the disk, then run the same command again."),
    errno.EMFILE: (
        "too many files are open",
        "Raise the limit with `ulimit -n`, then run the same command again.",
    ),
}

# What is raised when a file that is open already does not take any more, and so names none.
_OF_WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
# Where something is renamed, what is wrong with its new place.
_OF_TARGET = {errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EEXIST}
_DENIED = {errno.EACCES, errno.EPERM}
_READING = {"list", "read"}


def is_of_writing(error: OSError) -> bool:
    """Say whether an error tells that something could not be written for want of room, or by a fault of the disk.

    Examples
    --------
    >>> (
    ...     is_of_writing(OSError(errno.ENOSPC, "No space")),
    ...     is_of_writing(ConnectionRefusedError(errno.ECONNREFUSED, "")),
    ... )
    (True, False)
    """
    return error.errno in _OF_WRITING


def cache_error(error: OSError, doing: str, path: str | None = None) -> CacheError:
    """Say an operating system's error as a `CacheError`.

    Parameters
    ----------
    error : OSError
        What was raised.
    doing : str
        What was attempted, such as ``save the artifact``; goes on after "Could not".
    path : str, optional
        What it was about, if the error does not know.

    Returns
    -------
    CacheError
        With the path in its message and what to do as its hint.

    Examples
    --------
    >>> print(cache_error(OSError(errno.ENOSPC, "No space"), "save the artifact", "/data/x.pkl"))
    Could not save the artifact '/data/x.pkl': the disk is full. Make room on that disk, then run the same command again.
    """
    place = path if path is not None else error.filename
    if error.filename2 is not None and _is_of_target(error):
        place = error.filename2
    cause, hint = _CAUSES.get(error.errno or 0, (error.strerror or str(error) or type(error).__name__, None))
    if error.errno in _DENIED and doing.partition(" ")[0] in _READING:
        hint = "Give yourself the right to read it, then run the same command again."
    named = f" '{place}'" if place is not None else ""
    return CacheError(f"Could not {doing}{named}: {cause}.", hint=hint)


def _is_of_target(error: OSError) -> bool:
    """Say whether it is the new place that is wrong where something could not be renamed."""
    if error.errno in _DENIED:
        # Both folders are written to, and the error does not tell which may not be.
        return not os.access(os.path.dirname(os.path.abspath(error.filename2)), os.W_OK | os.X_OK)
    return error.errno in _OF_TARGET


class as_cache_errors:  # noqa: N801 - reads as the context manager that it is
    """Raise every `OSError` of the block as a `CacheError`.

    Parameters
    ----------
    doing : str
        What the block attempts; goes on after "Could not".
    path : str, optional
        What it is about; without it the path that the error names.

    Raises
    ------
    CacheError
        For an `OSError` in the block, which becomes its cause.

    Examples
    --------
    >>> with as_cache_errors("read the artifact"):
    ...     raise FileNotFoundError(errno.ENOENT, "No such file", "/data/x.pkl")
    Traceback (most recent call last):
    ...
    curifactory.errors.CacheError: Could not read the artifact '/data/x.pkl': it is not there. If the project folder ...
    """

    __slots__ = ("_doing", "_path")

    def __init__(self, doing: str, path: str | None = None) -> None:
        self._doing = doing
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise cache_error(error, self._doing, self._path) from error

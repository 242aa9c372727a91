"""An exception of a person's code as it is shown: where it came from, what it says, and what it followed from."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from pathlib import Path

from curifactory.cli.console import Console, printable
from curifactory.cli.outcome import OF_STAGE
from curifactory.cli.words import DEBUG
from curifactory.errors import CurifactoryError, DiscoveryError, StageError, say
from curifactory.project.frames import PersonFrame, find_frames
from curifactory.project.root import find_root

# Of a function that calls itself without end, so many lines from either end; of a group, so many exceptions.
_MOST_FRAMES = 12
_MOST_OF_GROUP = 10


def known_root() -> Path:
    """Return the project's folder; if the working folder is gone, a path in which nothing lies.

    Examples
    --------
    >>> known_root() == find_root()
    True
    """
    try:
        return find_root()
    except DiscoveryError:
        return Path(os.devnull)


def show_fault(error: BaseException, console: Console, root: Path | None = None) -> None:
    """Show an exception of the person's code, without this package's part in it.

    Parameters
    ----------
    error : BaseException
        What was raised: by a stage, by the rest of the person's code, or by this package where it should not.
    console : Console
        Where to write.
    root : Path, optional
        The project; found from the working folder if None.
    """
    root = root or known_root()
    cause = error.__cause__ if isinstance(error, StageError) and error.__cause__ is not None else error
    frames = find_frames(cause, root)
    if isinstance(error, StageError):
        console.print(console.style("\n".join(printable(line) for line in str(error).split("\n")), "red"))
    elif isinstance(error, OSError) and error.filename is not None and not frames:
        console.print(f"{error.strerror}: {printable(str(error.filename))}")
        return
    elif not frames:
        said = "".join(traceback.format_exception_only(error)).strip()
        console.print(
            f"{printable(said).rstrip('.')}. This is a fault of curifactory itself; {DEBUG} shows where."
        )
        return
    lines = [*_list_frames(frames)]
    # What stands above need not be said twice.
    if not (isinstance(cause, CurifactoryError) and say(cause).partition(": ")[2] in str(error)):
        lines += _describe(cause, root, is_located=isinstance(error, StageError))
    for line in lines:
        console.print(printable(line), flush=False)
    console.flush()


def show_frames(error: BaseException, console: Console, root: Path) -> None:
    """Show only where an exception came from in the person's code."""
    for line in _list_frames(find_frames(error, root)):
        console.print(printable(line), flush=False)
    console.flush()


def _list_frames(frames: list[PersonFrame]) -> Iterator[str]:
    left_out = len(frames) - 2 * _MOST_FRAMES
    for place, frame in enumerate(frames):
        if left_out > 1 and _MOST_FRAMES <= place < len(frames) - _MOST_FRAMES:
            if place == _MOST_FRAMES:
                yield f"  … {left_out} lines more …"
            continue
        yield f"  {frame.place} in {frame.function}"
        if frame.source:
            yield f"    {frame.source}"


def _describe(error: BaseException, root: Path, *, is_located: bool) -> Iterator[str]:
    """Return an exception's own lines, those of the group that it is, and what it was raised from.

    Parameters
    ----------
    error : BaseException
        The exception.
    root : Path
        The project.
    is_located : bool
        Whether the engine's note on where it was raised stands above them already.
    """
    told = traceback.TracebackException(type(error), error, None)
    notes = getattr(told, "__notes__", None) or []
    told.__notes__ = [note for note in notes if not (is_located and str(note).startswith(OF_STAGE))]
    yield from "".join(told.format_exception_only()).rstrip().split("\n")
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions[:_MOST_OF_GROUP]:
            for line in (*_list_frames(find_frames(each, root)), *_describe(each, root, is_located=True)):
                yield f"  {line}"
        if len(error.exceptions) > _MOST_OF_GROUP:
            yield f"  … {len(error.exceptions) - _MOST_OF_GROUP} more …"
    seen, cause = [error], error.__cause__
    while cause is not None and cause not in seen:
        frames = find_frames(cause, root)
        yield f"caused by {say(cause)}" + (
            f" (in {frames[-1].function} at {frames[-1].place})" if frames else ""
        )
        seen.append(cause)
        cause = cause.__cause__

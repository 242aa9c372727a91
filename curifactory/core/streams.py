"""Streams whose other end may go away while they are written to: a pipe's reader, a terminal."""

from __future__ import annotations

import errno
import os
import stat
from typing import Any, TextIO


def is_gone(stream: TextIO, error: Exception) -> bool:
    """Whether a stream takes no more because nobody reads it, or because a stage has closed it; not for want of room.

    Parameters
    ----------
    stream : file
        The stream.
    error : Exception
        What it has raised.

    Examples
    --------
    >>> import io
    >>> (
    ...     is_gone(io.StringIO(), BrokenPipeError(errno.EPIPE, "")),
    ...     is_gone(io.StringIO(), OSError(errno.ENOSPC, "")),
    ... )
    (True, False)
    """
    if isinstance(error, OSError):
        # A terminal that was closed answers as a broken disk does.
        return error.errno in (errno.EPIPE, errno.EBADF) or (error.errno == errno.EIO and _is_device(stream))
    return stream.closed


def _is_device(stream: TextIO) -> bool:
    try:
        return stat.S_ISCHR(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        return False


def close_quietly(stream: TextIO) -> None:
    """Let what is left in a stream's buffer vanish, so that Python does not complain about it at its end."""
    try:
        target = stream.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    # Where the descriptor was closed, this may be the very one.
    if nowhere != target:
        os.dup2(nowhere, target)
        os.close(nowhere)


def print_through(stream: Any, text: str) -> None:
    """Write a text and show it at once; where nobody reads it any more, it vanishes without a word.

    Parameters
    ----------
    stream : file or None
        Anything that people put in the place of standard output.
    text : str
        The text.

    Examples
    --------
    >>> import io
    >>> stream = io.StringIO()
    >>> print_through(stream, "seen"), stream.getvalue()
    (None, 'seen')
    >>> stream.close()
    >>> print_through(stream, "not seen")
    """
    if stream is None:
        return
    try:
        stream.write(text)
        stream.flush()
    except (OSError, ValueError) as error:
        if not is_gone(stream, error):
            raise
        close_quietly(stream)

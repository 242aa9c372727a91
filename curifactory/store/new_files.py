"""New files written in one go, with a modification time that can be relied on at once."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from curifactory.core.trace import new_tuple
from curifactory.store.digests import (
    INODE_BITS,
    TICK_NS,
    Facts,
    digest_bytes,
    inode_of,
    is_settled,
    take_facts,
)

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC


class StagedFiles:
    """Remembers the digests of staged files whose bytes were in memory, so that they need not be read again.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = StagedFiles()
    ...     files.write(f"{folder}/x", b"abc")
    ...     files.take(f"{folder}/x") == take_facts(f"{folder}/x")
    True
    """

    __slots__ = ("_written",)

    def __init__(self) -> None:
        self._written: dict[str, Facts] = {}

    def write(self, path: str, data: bytes) -> None:
        """Write all bytes of a file.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        size_bytes, mtime_ns, inode = write_new(path, data)
        if mtime_ns >= 0:
            self._written[path] = new_tuple(
                Facts, (digest_bytes(data), size_bytes, mtime_ns, inode, "", True)
            )

    def find(self, asked: Mapping[str, str]) -> list[tuple[str, str]]:
        """Return those of some paths, with what stands beside them, at which anything lies, whoever has written it."""
        written = self._written
        return [pair for pair in asked.items() if pair[0] in written or os.path.lexists(pair[0])]

    def take(self, path: str, *, is_untouched: bool = False) -> Facts:
        """Give the digest and the stat facts of a file or folder; `take_facts` reads what others have written.

        Parameters
        ----------
        path : str
            Absolute path.
        is_untouched : bool
            Whether nobody can have done anything to a file since it was written by `write`.

        Raises
        ------
        OSError
            If it cannot be read.
        CacheError
            If it is neither file nor folder, or does not stop changing.
        """
        facts = self._written.pop(path, None)
        if facts is not None and (is_untouched or _is_as_written(path, facts)):
            return facts
        return take_facts(path, settle=True)

    def clear(self) -> None:
        """Forget what was not taken."""
        self._written.clear()


def write_new(path: str, data: bytes, *, durable: bool = False) -> tuple[int, int, int]:
    """Write all bytes of a file that is only ours yet, and set its time back by two ticks of the clock.

    Any later change of the file gives it another time then, so that its stat facts hold from now on.

    Parameters
    ----------
    path : str
        Absolute path; its folder is there.
    data : bytes
        What the file is to hold.
    durable : bool
        Wait until the bytes are on the disk.

    Returns
    -------
    tuple of int
        Size, mtime and inode as they are from now on; the mtime is -1 if it cannot be relied on.

    Raises
    ------
    OSError
        If it cannot be written; what is there of it is removed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     size_bytes, mtime_ns, inode = write_new(f"{folder}/x", b"abc")
    >>> size_bytes, 0 < mtime_ns < time.time_ns()
    (3, True)
    """
    descriptor = os.open(path, _NEW_FILE, 0o666)
    try:
        written = os.write(descriptor, data)
        if written < len(data):
            _write_rest(descriptor, memoryview(data)[written:])
        if durable:
            os.fsync(descriptor)
        now_ns = time.time_ns()
        # Odd, as no time without a fraction of a second is: those come from clocks that count whole seconds.
        mtime_ns = (now_ns - 2 * TICK_NS) | 1
        try:
            os.utime(descriptor, ns=(mtime_ns, mtime_ns))
        except OSError:
            # Who may not set times only loses a digest at the next look.
            mtime_ns = -1
        status = os.fstat(descriptor)
    except BaseException as error:
        os.close(descriptor)
        os.unlink(path)
        if isinstance(error, OSError) and error.filename is None:
            # What was done by its descriptor has no name.
            error.filename = path
        raise
    os.close(descriptor)
    seen_ns = status.st_mtime_ns
    if seen_ns != mtime_ns and not is_settled(seen_ns, now_ns):
        seen_ns = -1
    return len(data), seen_ns, status.st_ino & INODE_BITS


def _write_rest(descriptor: int, data: memoryview) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _is_as_written(path: str, facts: Facts) -> bool:
    """Whether what a cacher has done to a file since, or put into its place, would show and does not."""
    status = os.lstat(path)
    return (status.st_size, status.st_mtime_ns, inode_of(status)) == facts[1:4]

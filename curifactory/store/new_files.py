"""New files written in one go, with a modification time that can be relied on at once."""

from __future__ import annotations

import os
import time

from curifactory.store.digests import TICK_NS, Facts, digest_bytes, inode_of, take_facts


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
        self._written: dict[str, tuple[str, int, int]] = {}

    def write(self, path: str, data: bytes) -> None:
        """Write all bytes of a file.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        mtime_ns = write_new(path, data)
        self._written[path] = (digest_bytes(data), len(data), mtime_ns)

    def is_there(self, path: str) -> bool:
        """Say whether anything lies at a path, whoever has written it."""
        return path in self._written or os.path.lexists(path)

    def take(self, path: str) -> Facts:
        """Give the digest and the stat facts of a file or folder; `take_facts` reads what others have written.

        Raises
        ------
        OSError
            If it cannot be read.
        CacheError
            If it is neither file nor folder, or does not stop changing.
        """
        digest, size_bytes, mtime_ns = self._written.pop(path, ("", -1, 0))
        if digest:
            status = os.lstat(path)
            # What a cacher has done to the file since would show.
            if status.st_size == size_bytes and status.st_mtime_ns == mtime_ns:
                return Facts(digest, size_bytes, mtime_ns, inode_of(status))
        return take_facts(path, settle=True)

    def clear(self) -> None:
        """Forget what was not taken."""
        self._written.clear()


def write_new(path: str, data: bytes, *, durable: bool = False) -> int:
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
    int
        The time that was set, in nanoseconds; -1 if none could be. File systems that count more coarsely show another one.

    Raises
    ------
    OSError
        If it cannot be written; what is there of it is removed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     mtime_ns = write_new(f"{folder}/x", b"abc")
    ...     status = os.stat(f"{folder}/x")
    >>> status.st_size, mtime_ns < time.time_ns()
    (3, True)
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    try:
        written = os.write(descriptor, data)
        if written < len(data):
            _write_rest(descriptor, memoryview(data)[written:])
        if durable:
            os.fsync(descriptor)
        # Odd, as no time without a fraction of a second is: those come from clocks that count whole seconds.
        mtime_ns = (time.time_ns() - 2 * TICK_NS) | 1
        try:
            os.utime(descriptor, ns=(mtime_ns, mtime_ns))
        except OSError:
            # Who may not set times only loses a digest at the next look.
            mtime_ns = -1
    except BaseException:
        os.close(descriptor)
        os.unlink(path)
        raise
    os.close(descriptor)
    return mtime_ns


def _write_rest(descriptor: int, data: memoryview) -> None:
    while data:
        data = data[os.write(descriptor, data) :]

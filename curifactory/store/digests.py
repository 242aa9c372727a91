"""Digests of files and folders, and the stat facts that go with them."""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from blake3 import blake3

from curifactory.errors import CacheError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SMALL_BYTES = 64 * 1024
_CHUNK_BYTES = 4 * 1024 * 1024
TICK_NS = 10_000_000
# SQLite takes numbers of 63 bits; some file systems use all 64 for their inodes.
INODE_BITS = 0x7FFF_FFFF_FFFF_FFFF
_COARSE_TICK_NS = 2_000_000_000
_TREE_CONTEXT = "curifactory 2026-01-01 digest of a folder"


class Facts(NamedTuple):
    """What was seen of a path when its digest was taken.

    ``print`` stands for the stat facts of everything in a folder and is empty for a file. ``settled`` says that any
    later change must show in the facts; a change within the same tick of the clock would not.
    """

    digest: str
    size_bytes: int
    mtime_ns: int
    inode: int
    print: str = ""
    settled: bool = True


class Entry(NamedTuple):
    """One thing in a folder: its kind (``f``, ``d``, ``l``), relative path, path and stat result."""

    kind: str
    name: str
    path: str
    status: os.stat_result


def inode_of(status: os.stat_result) -> int:
    """Give the inode as a number that SQLite takes.

    Examples
    --------
    >>> inode_of(os.stat("/")) >= 0
    True
    """
    return status.st_ino & INODE_BITS


def is_settled(mtime_ns: int, now_ns: int) -> bool:
    """Say whether a change after ``now_ns`` must give another mtime than this one.

    Clocks of file systems tick: two writes in one tick have one time. A time without a fraction comes from a file system that
    counts whole seconds.

    Examples
    --------
    >>> is_settled(1_000_000_001, 1_500_000_000), is_settled(1_000_000_001, 1_000_000_002)
    (True, False)
    >>> is_settled(1_000_000_000, 2_500_000_000)
    False
    """
    tick = _COARSE_TICK_NS if mtime_ns % 1_000_000_000 == 0 else TICK_NS
    return now_ns - mtime_ns > tick


def digest_bytes(data: bytes) -> str:
    """Take the digest of bytes, as that of a file that holds them.

    Examples
    --------
    >>> digest_bytes(b"")[:15]
    'blake3:af1349b9'
    """
    # Threads are worth their start from some megabytes on.
    hasher = blake3(data) if len(data) < _CHUNK_BYTES else blake3(data, max_threads=blake3.AUTO)
    return "blake3:" + hasher.hexdigest()


def take_facts(path: str, *, settle: bool = False) -> Facts:
    """Take the digest of a file or a whole folder, and the stat facts that hold for it.

    A folder's digest is that of its sorted entries: relative names, kinds and digests of contents. Links are followed, so that
    what they lead to counts. A file that changes while it is read is read again.

    Parameters
    ----------
    path : str
        Absolute path.
    settle : bool
        Set fresh modification times back by two ticks of the clock, so that the facts can be relied on at once. Only for files
        that nobody else writes.

    Raises
    ------
    OSError
        If it cannot be read.
    CacheError
        If it is neither file nor folder, or does not stop changing.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "x")
    ...     _ = Path(path).write_text("abc")
    ...     facts = take_facts(path)
    >>> facts.digest[:15], facts.size_bytes
    ('blake3:6437b3ac', 3)
    """
    # Without O_NONBLOCK a fifo would wait for a writer that never comes.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        for _ in range(5):
            started_ns = time.time_ns()
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                break
            digest = _digest_descriptor(descriptor, before.st_size)
            after = _settle(descriptor, before, started_ns) if settle else os.fstat(descriptor)
            if after.st_size == before.st_size and (settle or after.st_mtime_ns == before.st_mtime_ns):
                noted_ns = time.time_ns() if settle else started_ns
                settled = is_settled(after.st_mtime_ns, noted_ns)
                return Facts(digest, after.st_size, after.st_mtime_ns, inode_of(after), "", settled)
            os.lseek(descriptor, 0, os.SEEK_SET)
        else:
            raise CacheError(
                f"'{path}' does not stop changing while it is read.", hint="Is something writing to it?"
            )
    finally:
        os.close(descriptor)
    if stat.S_ISDIR(before.st_mode):
        return _take_folder_facts(path, settle=settle)
    raise CacheError(f"'{path}' is neither a file nor a folder, so it cannot be part of an artifact.")


def take_print(path: str) -> tuple[int, int, str]:
    """Take a folder's stat facts without reading a file: bytes of all files, newest mtime, and their print.

    Raises
    ------
    OSError
        If it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     size_bytes, mtime_ns, seen = take_print(folder)
    >>> size_bytes, len(seen)
    (0, 32)
    """
    hasher = blake3()
    size, newest = 0, 0
    for kind, name, _, status in iter_entries(path):
        facts = ""
        # A folder's own facts say nothing that its entries do not.
        if kind != "d":
            size += status.st_size if kind == "f" else 0
            newest = max(newest, status.st_mtime_ns)
            facts = f"{status.st_size} {status.st_mtime_ns} {status.st_ino}"
        hasher.update(kind.encode() + os.fsencode(name) + b"\0" + facts.encode() + b"\0")
    return size, newest, hasher.hexdigest()[:32]


def iter_entries(folder: str, prefix: str = "", above: tuple[tuple[int, int], ...] = ()) -> Iterator[Entry]:
    """List everything below a folder, sorted by name, folders before what is in them.

    Links are followed, except into a folder that they lie in and where nothing is there: those are of the kind ``l``.

    Raises
    ------
    OSError
        If a folder cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     os.makedirs(os.path.join(folder, "a", "b"))
    ...     [(entry.kind, entry.name) for entry in iter_entries(folder)]
    [('d', 'a'), ('d', 'a/b')]
    """
    here = os.stat(folder)
    above = (*above, (here.st_dev, here.st_ino))
    with os.scandir(folder) as listing:
        found = sorted(listing, key=lambda entry: os.fsencode(entry.name))
    for entry in found:
        name = prefix + entry.name
        try:
            status = os.stat(entry.path)
        except OSError:
            if not entry.is_symlink():
                raise
            yield Entry("l", name, entry.path, os.lstat(entry.path))
            continue
        if not stat.S_ISDIR(status.st_mode):
            yield Entry("f", name, entry.path, status)
        elif (status.st_dev, status.st_ino) in above:
            yield Entry("l", name, entry.path, os.lstat(entry.path))
        else:
            yield Entry("d", name, entry.path, status)
            yield from iter_entries(entry.path, name + "/", above)


def _take_folder_facts(path: str, *, settle: bool) -> Facts:
    started_ns = time.time_ns()
    hasher = blake3(derive_key_context=_TREE_CONTEXT)
    for kind, name, place, _ in iter_entries(path):
        if kind == "f":
            content = take_facts(place, settle=settle).digest
        else:
            content = "" if kind == "d" else os.readlink(place)
        # No name has a NUL in it, so different folders give different streams.
        hasher.update(kind.encode() + os.fsencode(name) + b"\0" + os.fsencode(content) + b"\0")
    size, newest, seen = take_print(path)
    settled = is_settled(newest, time.time_ns() if settle else started_ns)
    return Facts("blake3:" + hasher.hexdigest(), size, newest, inode_of(os.stat(path)), seen, settled)


def _digest_descriptor(descriptor: int, size_bytes: int) -> str:
    if size_bytes < _SMALL_BYTES:
        data = os.read(descriptor, _SMALL_BYTES)
        if len(data) == size_bytes:
            return "blake3:" + blake3(data).hexdigest()
        os.lseek(descriptor, 0, os.SEEK_SET)
    hasher = blake3(max_threads=blake3.AUTO)
    buffer = memoryview(bytearray(min(_CHUNK_BYTES, max(size_bytes, _SMALL_BYTES))))
    while count := os.readv(descriptor, [buffer]):
        hasher.update(buffer[:count])
    return "blake3:" + hasher.hexdigest()


def _settle(descriptor: int, status: os.stat_result, now_ns: int) -> os.stat_result:
    """Set a fresh modification time back by two ticks of the clock, and give the stat facts after that."""
    if is_settled(status.st_mtime_ns, now_ns):
        return status
    # Who may not set times only loses a digest at the next look.
    with suppress(OSError):
        # From our clock, not the file system's: two files of one tick must not get the same time.
        earlier_ns = now_ns - 2 * TICK_NS
        os.utime(descriptor, ns=(earlier_ns, earlier_ns))
    return os.fstat(descriptor)

"""How files and folders change their names: by rename, by link, across devices, and never over something else."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
from collections.abc import Callable
from contextlib import suppress

_numbers = itertools.count(1)
_CANNOT_LINK = {
    errno.EXDEV,
    errno.EPERM,
    errno.EMLINK,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.ENOSYS,
    errno.EACCES,
}


def move(source: str, target: str, *, durable: bool = False) -> bool:
    """Rename a file or folder; on another device make a hidden copy beside the target, then rename that.

    A file replaces a file of that name; a folder needs a free name.

    Parameters
    ----------
    source, target : str
        Absolute paths; the folder of the target is there.
    durable : bool
        Wait until the new name and the bytes are on the disk.

    Returns
    -------
    bool
        Whether the very files were moved; False if they were copied.

    Raises
    ------
    OSError
        If it cannot be done; the source is whole then.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(os.path.join(folder, "a")).write_text("x")
    ...     move(os.path.join(folder, "a"), os.path.join(folder, "b")), os.listdir(folder)
    (True, ['b'])
    """
    renamed = True
    try:
        os.rename(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy(source, target, durable=durable)
        remove(source)
        renamed = False
    if durable:
        sync(os.path.dirname(target))
    return renamed


def link(source: str, target: str, *, scratch: str) -> bool:
    """Give a file or folder a second name: hard links where the file system has them, else copies.

    Parameters
    ----------
    source, target : str
        Absolute paths; the target's name is free, its folder is there.
    scratch : str
        An empty folder of our own, where what cannot appear at once is put together.

    Returns
    -------
    bool
        Whether a file was linked; False if it was copied or is a folder.

    Raises
    ------
    OSError
        If it cannot be done; there is nothing at the target then.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as scratch:
    ...     a, b = os.path.join(folder, "a"), os.path.join(folder, "b")
    ...     _ = Path(a).write_text("x")
    ...     linked = link(a, b, scratch=scratch)
    ...     os.path.samefile(a, b) == linked
    True
    """
    built = f"{scratch}/{next(_numbers)}"
    if os.path.isdir(source):
        _copy_tree(source, built, _link_or_copy)
        move(built, target)
        return False
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _CANNOT_LINK:
            raise
        shutil.copyfile(source, built)
        move(built, target)
        return False
    return True


def copy(source: str, target: str, *, durable: bool = False) -> None:
    """Copy a file or folder under a hidden name beside the target, then rename it.

    Raises
    ------
    OSError
        If it cannot be done; there is nothing new at the target then.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(os.path.join(folder, "a")).write_text("x")
    ...     copy(os.path.join(folder, "a"), os.path.join(folder, "b"))
    ...     sorted(os.listdir(folder))
    ['a', 'b']
    """
    hidden = _hidden(target)
    try:
        if os.path.isdir(source):
            _copy_tree(source, hidden, shutil.copy2)
        else:
            shutil.copyfile(source, hidden)
        if durable:
            sync_all(hidden)
        os.rename(hidden, target)
    except BaseException:
        remove(hidden)
        raise


def remove(path: str) -> None:
    """Remove a file or a whole folder; what is not there or cannot be removed is left.

    Examples
    --------
    >>> remove("/nowhere/at/all")
    """
    with suppress(OSError):
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path, ignore_errors=True)
        else:
            os.unlink(path)


def sync(path: str) -> None:
    """Wait until a file, or a folder's list of names, is on the disk.

    Raises
    ------
    OSError
        If the disk cannot take it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sync(folder)
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_all(path: str) -> None:
    """Wait until a file, or a folder with everything in it, is on the disk.

    Raises
    ------
    OSError
        If the disk cannot take it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sync_all(folder)
    """
    if os.path.isdir(path):
        for folder, _, files in os.walk(path):
            for name in files:
                place = os.path.join(folder, name)
                if not os.path.islink(place):
                    sync(place)
            sync(folder)
    else:
        sync(path)


def _copy_tree(source: str, target: str, copy_file: Callable[[str, str], object]) -> None:
    """Copy a folder; of what could not be copied the first error is raised as it is, not a list of all in words."""
    failed: list[OSError] = []

    def copy_one(source: str, target: str) -> None:
        try:
            copy_file(source, target)
        except OSError as error:
            failed.append(error)
            raise

    try:
        shutil.copytree(source, target, symlinks=True, copy_function=copy_one)
    except shutil.Error as error:
        raise (failed[0] if failed else error) from None


def _link_or_copy(source: str, target: str) -> None:
    try:
        if source.endswith(".jsonl"):
            # Files of lines grow in place; a link would grow with them.
            shutil.copyfile(source, target)
        else:
            os.link(source, target)
    except OSError as error:
        if error.errno not in _CANNOT_LINK:
            raise
        shutil.copyfile(source, target)


def _hidden(target: str) -> str:
    folder, name = os.path.split(target)
    # Short, so that a target whose name just fits has a hidden neighbour that fits, too.
    return f"{folder}/.{name[:8]}-{os.getpid()}-{next(_numbers)}.part"

"""The lock on a whole store: runs hold it together, whoever takes things away from the store holds it alone."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from curifactory.store.layout import Layout

_PAUSE_S = 0.05


class _Opened(NamedTuple):
    """The lock's file as it was opened: its descriptor, the process that did it, and which file it is."""

    descriptor: int
    process: int
    device: int
    inode: int


class StoreLock:
    """A lock that dies with its process, on one file beside the cache folder.

    It keeps a collection from taking away what a run has just found. Runs never wait for each other. On a file system
    without locks everything goes on after one line: what a run misses it makes again.

    Parameters
    ----------
    layout : Layout
        Where the store lies.
    warn : callable, optional
        Takes one line of text; by default it is logged.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as data:
    ...     layout = Layout(Path(data, "cache"))
    ...     run, collection = StoreLock(layout), StoreLock(layout)
    ...     with run.shared():
    ...         first = collection.take_alone(wait_s=0)
    ...     first, collection.take_alone(wait_s=0), collection.release()
    (False, True, None)
    """

    __slots__ = ("_descriptor", "_has_told", "_holders", "_opened", "_path", "_warn")

    def __init__(self, layout: Layout, *, warn: Callable[[str], None] | None = None) -> None:
        self._path = os.fspath(layout.lock_path)
        self._warn = warn if warn is not None else logging.getLogger("curifactory").warning
        self._descriptor: int | None = None
        self._opened: _Opened | None = None
        self._holders = 0
        self._has_told = False

    def __del__(self) -> None:
        # Of a run that could not begin nobody else knows that it has the lock.
        self._let_go()

    def share(self, *, create: bool = True) -> None:
        """Hold the lock together with others, as a run does; wait for somebody who holds it alone.

        Parameters
        ----------
        create : bool
            Make the file if it is not there. A run that writes nothing does not: then nobody takes anything away.
        """
        self._holders += 1
        if self._holders > 1:
            return
        import fcntl

        descriptor = self._find_opened()
        if descriptor is None:
            descriptor = self._open(create=create)
        if descriptor is None:
            return
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                self._warn("Waiting for a collection of this store's garbage to end.")
                fcntl.flock(descriptor, fcntl.LOCK_SH)
        except OSError:
            self._opened = None
            os.close(descriptor)
            self._tell_no_locks()
        except BaseException:
            self._opened = None
            os.close(descriptor)
            self._holders -= 1
            raise
        else:
            self._descriptor = descriptor

    def take_alone(self, *, wait_s: float | None) -> bool:
        """Hold the lock alone, and say whether that was possible.

        Parameters
        ----------
        wait_s : float or None
            How long to wait for others to let go of it; None waits for ever.
        """
        if self._holders:
            self._holders += 1
            return True
        import fcntl

        descriptor = self._open(create=True)
        latest = None if wait_s is None else time.monotonic() + wait_s
        while descriptor is not None:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if latest is not None and time.monotonic() >= latest:
                    os.close(descriptor)
                    return False
                time.sleep(_PAUSE_S)
            except OSError:
                os.close(descriptor)
                self._tell_no_locks()
                descriptor = None
        self._descriptor = descriptor
        self._holders = 1
        return True

    def release(self) -> None:
        """Let go of the lock; of one that was taken several times only the last release does."""
        self._holders = max(0, self._holders - 1)
        if self._holders == 0:
            self._let_go()

    def rest(self) -> None:
        """Let go of the lock as :meth:`release` does, but keep its file open for who shares it again soon."""
        if self._holders != 1 or self._descriptor is None:
            self.release()
            return
        import fcntl

        self._holders = 0
        descriptor, self._descriptor = self._descriptor, None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            if self._opened is None:
                status = os.fstat(descriptor)
                self._opened = _Opened(descriptor, os.getpid(), status.st_dev, status.st_ino)
        except OSError:
            self._opened = None
            os.close(descriptor)

    @contextmanager
    def shared(self, *, create: bool = True) -> Iterator[None]:
        """Hold the lock together with others for as long as a block lasts."""
        self.share(create=create)
        try:
            yield
        finally:
            self.release()

    def _find_opened(self) -> int | None:
        """Return the file that was kept open, if it still is the one that others lock."""
        opened = self._opened
        if opened is None:
            return None
        # A child process that was forked meanwhile would share its parent's lock.
        if opened.process == os.getpid():
            with suppress(OSError):
                status = os.stat(self._path)
                if status.st_ino == opened.inode and status.st_dev == opened.device:
                    return opened.descriptor
        self._opened = None
        with suppress(OSError):
            os.close(opened.descriptor)
        return None

    def _let_go(self) -> None:
        opened, self._opened = self._opened, None
        descriptor, self._descriptor = self._descriptor, None
        if opened is not None and opened.descriptor != descriptor:
            with suppress(OSError):
                os.close(opened.descriptor)
        if descriptor is None:
            return
        import fcntl

        # Unlocked by name: a child process that was forked meanwhile has the descriptor too.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        with suppress(OSError):
            os.close(descriptor)

    def _open(self, *, create: bool) -> int | None:
        """Open the file; None where there is none and none may be made, so that nothing can be locked."""
        if create:
            # The usual case first: a live session opens it for each call.
            try:
                return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            except OSError:
                with suppress(OSError):
                    os.makedirs(os.path.dirname(self._path), exist_ok=True)
        for flags in (os.O_RDWR | (os.O_CREAT if create else 0), os.O_RDONLY):
            with suppress(OSError):
                return os.open(self._path, flags | os.O_CLOEXEC, 0o666)
        return None

    def _tell_no_locks(self) -> None:
        if self._has_told:
            return
        self._has_told = True
        self._warn(
            f"The file system of '{self._path}' has no locks: clear away nothing while runs go on that use it."
        )

"""The lock on a whole store: runs hold it together, whoever takes things away from the store holds it alone."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from curifactory.store.clock import Clock
from curifactory.store.forks import stays_here
from curifactory.store.layout import Layout

_PAUSE_S = 0.02
# Longer than a lock rests, and short enough that a run which begins meanwhile does not mind.
_PULSE_S = 0.5


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

    __slots__ = (
        "__weakref__",
        "_clock",
        "_descriptor",
        "_gate",
        "_has_told",
        "_holders",
        "_is_childs",
        "_is_overdue",
        "_path",
        "_resting",
        "_warn",
    )

    def __init__(self, layout: Layout, *, warn: Callable[[str], None] | None = None) -> None:
        self._path = os.fspath(layout.lock_path)
        self._gate = f"{self._path}-gate"
        self._warn = warn if warn is not None else logging.getLogger("curifactory").warning
        self._descriptor: int | None = None
        self._holders = 0
        # The descriptor while the lock rests. Only one can take it out: who goes on with the lock, or who lets it go.
        self._resting: list[int] = []
        self._is_overdue = False
        self._has_told = False
        self._is_childs = False
        self._clock: Clock | None = None
        stays_here(self)

    def __del__(self) -> None:
        # Of a run that could not begin nobody else knows that it has the lock; where Python is ending, the system takes it back.
        with suppress(ImportError):
            self._let_go()

    def share(self, *, create: bool = True) -> None:
        """Hold the lock together with others, as a run does; wait for somebody who holds it alone.

        Parameters
        ----------
        create : bool
            Make the file if it is not there. A run that writes nothing does not: then nobody takes anything away.
        """
        if self._resting:
            try:
                self._descriptor = self._resting.pop()
            except IndexError:
                # It was let go of this very moment.
                pass
            else:
                self._holders = 1
                return
        self._holders += 1
        if self._holders > 1:
            return
        import fcntl

        descriptor = self._open(self._path, create=create)
        if descriptor is None:
            return
        gate = self._open(self._gate, create=create)
        try:
            try:
                if gate is not None:
                    fcntl.flock(gate, fcntl.LOCK_SH)
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                self._warn("Waiting for a collection of this store's garbage to end.")
                fcntl.flock(descriptor, fcntl.LOCK_SH)
        except OSError:
            os.close(descriptor)
            self._tell_no_locks()
        except BaseException:
            os.close(descriptor)
            self._holders -= 1
            raise
        else:
            self._descriptor = descriptor
        finally:
            if gate is not None:
                os.close(gate)

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
        self.release()
        descriptor = self._open(self._path, create=True)
        latest = None if wait_s is None else time.monotonic() + wait_s
        if descriptor is not None:
            try:
                if not self._wait_alone(descriptor, latest):
                    os.close(descriptor)
                    return False
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
            clock, self._clock = self._clock, None
            if clock is not None:
                clock.stop()
            self._is_overdue = False
            self._let_go()

    def rest(self) -> None:
        """Let go of the lock as :meth:`release` does, but 0.2 s later, for who shares it again sooner than that.

        Whoever wants it alone gets it between two of these rests at the latest.
        """
        # In a forked child no clock strikes.
        descriptor = self._descriptor
        if self._holders != 1 or descriptor is None or self._is_childs:
            self.release()
            return
        if self._is_overdue:
            self._holders, self._is_overdue = 0, False
            self._let_go()
            return
        self._resting.append(descriptor)
        self._holders, self._descriptor = 0, None
        if self._clock is None:
            self._clock = Clock(self._end_rest)
        if not self._clock.is_set:
            self._clock.set()

    @contextmanager
    def shared(self, *, create: bool = True) -> Iterator[None]:
        """Hold the lock together with others for as long as a block lasts."""
        self.share(create=create)
        try:
            yield
        finally:
            self.release()

    def leave_to_parent(self) -> None:
        """Know nothing of the lock, in a child process that was forked: it is neither to let go of it nor to outlive it."""
        self._is_childs, self._clock = True, None
        self._holders, self._is_overdue = 0, False
        for descriptor in self._descriptors():
            with suppress(OSError):
                os.close(descriptor)

    def _end_rest(self) -> None:
        try:
            descriptor = self._resting.pop()
        except IndexError:
            self._is_overdue = self._holders > 0
        else:
            _unlock(descriptor)

    def _let_go(self) -> None:
        for descriptor in self._descriptors():
            _unlock(descriptor)

    def _descriptors(self) -> list[int]:
        """Give what is locked, held or resting, to who puts it away."""
        found = [] if self._descriptor is None else [self._descriptor]
        self._descriptor = None
        with suppress(IndexError):
            found.append(self._resting.pop())
        return found

    def _wait_alone(self, descriptor: int, latest: float | None) -> bool:
        while not _try_alone(descriptor):
            if latest is not None and time.monotonic() >= latest:
                return False
            # Who shares it again and again would leave no moment in which it is free.
            with self._others_wait():
                pulse = time.monotonic() + _PULSE_S
                while time.monotonic() < pulse:
                    if _try_alone(descriptor):
                        return True
                    time.sleep(_PAUSE_S)
            time.sleep(_PULSE_S)
        return True

    @contextmanager
    def _others_wait(self) -> Iterator[None]:
        """Let nobody begin to share the lock as long as the block lasts."""
        import fcntl

        gate = self._open(self._gate, create=True)
        try:
            if gate is not None:
                fcntl.flock(gate, fcntl.LOCK_EX)
            yield
        finally:
            if gate is not None:
                os.close(gate)

    def _open(self, path: str, *, create: bool) -> int | None:
        """Open a file; None where there is none and none may be made, so that nothing can be locked."""
        if create:
            # The usual case first.
            try:
                return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            except OSError:
                with suppress(OSError):
                    os.makedirs(os.path.dirname(path), exist_ok=True)
        for flags in (os.O_RDWR | (os.O_CREAT if create else 0), os.O_RDONLY):
            with suppress(OSError):
                return os.open(path, flags | os.O_CLOEXEC, 0o666)
        return None

    def _tell_no_locks(self) -> None:
        if self._has_told:
            return
        self._has_told = True
        self._warn(
            f"The file system of '{self._path}' has no locks: clear away nothing while runs go on that use it."
        )


def _unlock(descriptor: int) -> None:
    import fcntl

    # Unlocked by name: a child that a library forked without telling Python has the descriptor too.
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    with suppress(OSError):
        os.close(descriptor)


def _try_alone(descriptor: int) -> bool:
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

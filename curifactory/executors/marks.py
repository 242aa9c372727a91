"""How far jobs have come in processes of this machine, kept where no death of a process wipes it out."""

from __future__ import annotations

import fcntl
import os
import struct
import tempfile
import time
from contextlib import suppress
from enum import IntEnum
from typing import NamedTuple

_PREFIX = "curifactory-marks-"
_BEGUN = struct.Struct("=Bid")


class Mark(IntEnum):
    """How far a job has come."""

    WAITS = 0
    RUNS = 1
    DONE = 2
    STOPPED = 3
    RECALLED = 4


class Begun(NamedTuple):
    """How far a job has come, the process that does it, and when its time begins, by the clock of `time.monotonic`."""

    mark: Mark
    pid: int
    began_s: float


class Marks:
    """A file with a few bytes for each job, into which the process writes that does the job.

    Parameters
    ----------
    path : str, optional
        The file; a new one if it is not given.

    Examples
    --------
    >>> marks = Marks()
    >>> marks.begin(7)
    True
    >>> marks.get(7).pid == os.getpid(), marks.get(6).mark.name, marks.get(8).mark.name
    (True, 'WAITS', 'WAITS')
    >>> marks.recall(7), marks.recall(8), marks.begin(8)
    (False, True, False)
    >>> marks.remove()
    """

    __slots__ = ("path",)

    def __init__(self, path: str | None = None) -> None:
        if path is None:
            _remove_abandoned()
            handle, path = tempfile.mkstemp(prefix=f"{_PREFIX}{os.getpid()}-")
            os.close(handle)
        self.path = path

    def begin(self, number: int, *, after_s: float = 0.0) -> bool:
        """Note that this process does a job from now on; False if it was recalled.

        Parameters
        ----------
        number : int
            The job's.
        after_s : float
            How much later the job's time begins, unless it is noted once more before.
        """
        began_s = time.monotonic() + after_s
        return self._turn(number, _BEGUN.pack(Mark.RUNS, os.getpid(), began_s)) is not Mark.RECALLED

    def recall(self, number: int) -> bool:
        """Note that a job is not to be begun; False if it was, or if nobody knows."""
        return self._turn(number, _BEGUN.pack(Mark.RECALLED, 0, 0.0)) is Mark.WAITS

    def set(self, number: int, mark: Mark) -> None:
        """Note how far a job has come that has begun."""
        self._write(number, bytes([mark]))

    def get(self, number: int) -> Begun:
        """Return how far a job has come."""
        with suppress(OSError), open(self.path, "rb") as file:
            file.seek(number * _BEGUN.size)
            found = file.read(_BEGUN.size)
            if len(found) == _BEGUN.size:
                mark, pid, began_s = _BEGUN.unpack(found)
                return Begun(Mark(mark), pid, began_s)
        return Begun(Mark.WAITS, 0, 0.0)

    def _turn(self, number: int, content: bytes) -> Mark | None:
        """Write what becomes of a job that waits, and return how far it was; one that was begun before is begun again."""
        begins = content[0] == Mark.RUNS
        with suppress(OSError):
            handle = os.open(self.path, os.O_RDWR)
            try:
                # Of two that do this at once, one is the first; closing lets go of it.
                fcntl.flock(handle, fcntl.LOCK_EX)
                known = os.pread(handle, 1, number * _BEGUN.size)
                mark = Mark(known[0]) if known else Mark.WAITS
                if mark is Mark.WAITS or (begins and mark is not Mark.RECALLED):
                    os.pwrite(handle, content, number * _BEGUN.size)
                return mark
            finally:
                os.close(handle)
        return None

    def _write(self, number: int, content: bytes) -> None:
        """Write what is known of a job. Without room for it the job goes on; if it dies, nobody knows how far it was."""
        with suppress(OSError):
            handle = os.open(self.path, os.O_WRONLY)
            try:
                os.pwrite(handle, content, number * _BEGUN.size)
            finally:
                os.close(handle)

    def remove(self) -> None:
        """Remove the file."""
        with suppress(OSError):
            os.unlink(self.path)


def _remove_abandoned() -> None:
    """Remove the files of processes that were killed, and so could not do it themselves."""
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as listing:
        for entry in listing:
            number = entry.name.removeprefix(_PREFIX).partition("-")[0]
            if not (entry.name.startswith(_PREFIX) and number.isdigit()):
                continue
            try:
                os.kill(int(number), 0)
            except ProcessLookupError:
                with suppress(OSError):
                    os.unlink(entry.path)
            except (OSError, OverflowError):
                # That of somebody else.
                continue

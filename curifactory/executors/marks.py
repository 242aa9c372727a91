"""How far jobs have come in processes of this machine, kept where no death of a process wipes it out."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from enum import IntEnum


class Mark(IntEnum):
    """How far a job has come."""

    WAITS = 0
    RUNS = 1
    DONE = 2
    STOPPED = 3


class Marks:
    """A file with a byte for each job, into which the process writes that does the job.

    Parameters
    ----------
    path : str, optional
        The file; a new one if it is not given.

    Examples
    --------
    >>> marks = Marks()
    >>> marks.set(7, Mark.RUNS)
    >>> marks.get(7).name, marks.get(6).name, marks.get(8).name
    ('RUNS', 'WAITS', 'WAITS')
    >>> marks.remove()
    """

    __slots__ = ("path",)

    def __init__(self, path: str | None = None) -> None:
        if path is None:
            handle, path = tempfile.mkstemp(prefix="curifactory-marks-")
            os.close(handle)
        self.path = path

    def set(self, number: int, mark: Mark) -> None:
        """Note how far a job has come. Without room for it the job goes on; if it dies, nobody knows how far it was."""
        with suppress(OSError):
            handle = os.open(self.path, os.O_WRONLY)
            try:
                os.pwrite(handle, bytes([mark]), number)
            finally:
                os.close(handle)

    def get(self, number: int) -> Mark:
        """Return how far a job has come."""
        with suppress(OSError), open(self.path, "rb") as file:
            file.seek(number)
            return Mark(int.from_bytes(file.read(1), "big"))
        return Mark.WAITS

    def remove(self) -> None:
        """Remove the file."""
        with suppress(OSError):
            os.unlink(self.path)

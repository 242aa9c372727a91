"""Folders that are held open while very many of their files are looked at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

# To open some folders and to close them takes as long as what it spares so many looks.
_WORTH_HOLDING = 200
# A system may allow no more than 256 open files, and other things need theirs.
_MOST_OPEN = 32


class NearFolders(dict[str, int | None]):
    """Descriptors of folders by their paths, opened when they are first asked for; None for one that is not open.

    The system goes a path from the root, a step for each folder, whenever it is asked for a file; from an open folder it is one
    step, and a look takes three quarters of the time. Only for a moment: a folder that is moved away stays the one that is open.

    Examples
    --------
    >>> folders = NearFolders()
    >>> os.stat("etc", dir_fd=folders["/"]).st_ino == os.stat("/etc").st_ino
    True
    >>> folders["/no such folder"]
    >>> folders.close()
    """

    def __missing__(self, folder: str) -> int | None:
        # Whoever gets none goes by the path.
        place: int | None = None
        if len(self) < _MOST_OPEN:
            with suppress(OSError):
                place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self[folder] = place
        return place

    def close(self) -> None:
        """Let all of them go."""
        for place in self.values():
            if place is not None:
                os.close(place)
        self.clear()


class Looking(Protocol):
    """What looks at many files, from open folders while there are some."""

    near: NearFolders | None


@contextmanager
def holding_near(*looking: Looking, looks: int) -> Iterator[None]:
    """Let some look from open folders in the block, if there will be so many looks that it is worth it.

    Examples
    --------
    >>> with holding_near(looks=1_000):
    ...     pass
    """
    if looks < _WORTH_HOLDING or any(each.near is not None for each in looking):
        yield
        return
    near = NearFolders()
    try:
        for each in looking:
            each.near = near
        yield
    finally:
        for each in looking:
            each.near = None
        near.close()

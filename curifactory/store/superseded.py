"""Superseded bytes: what lies aside under its digest, once its name has passed to something else."""

from __future__ import annotations

import errno
import itertools
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from curifactory.errors import CacheError
from curifactory.store import moves

if TYPE_CHECKING:
    from curifactory.store.file_facts import FileFacts

_LONGEST_SUFFIX = 24
_IN_THE_WAY = {errno.EEXIST, errno.ENOTEMPTY}
_numbers = itertools.count(1)


class Superseded:
    """Keeps files and folders as ``<digest hex>.<ext>``, each content once.

    Parameters
    ----------
    folder : str
        Absolute path; made when something comes.
    facts : FileFacts
        Tells which bytes lie where.

    Examples
    --------
    >>> Superseded("/data/superseded", facts=None).name("blake3:9f8e", "iris_model.pkl")
    ('../superseded/9f8e.pkl', '/data/superseded/9f8e.pkl')
    """

    __slots__ = ("_facts", "_folder")

    def __init__(self, folder: str, *, facts: FileFacts) -> None:
        self._folder = folder
        self._facts = facts

    def name(self, digest: str, path: str) -> tuple[str, str]:
        """Give the stored and the absolute path under which bytes lie aside that had this path."""
        name = name_aside(digest, path)
        return f"../{os.path.basename(self._folder)}/{name}", f"{self._folder}/{name}"

    def put(self, path: str, place: str) -> str:
        """Move what lies at a place aside and give the place where it lies then.

        Raises
        ------
        OSError
            If it cannot be moved.
        """
        facts = None
        digest = f"unreadable-{time.time_ns():x}"
        with suppress(OSError, CacheError):
            facts = self._facts.current(path, place)
            digest = facts.digest
        aside, target = self.name(digest, path)
        if os.path.lexists(target):
            if self._facts.hold(digest, aside, target):
                self._drop_twin(digest, path, place)
                return target
            # Damaged: it goes under the digest that it has now.
            self._put_again(aside, target)
        try:
            self._move(place, target)
        except OSError as error:
            # Somebody else was quicker with a folder like this one.
            if error.errno not in _IN_THE_WAY or not self._facts.hold(digest, aside, target):
                raise
            self._drop_twin(digest, path, place)
        else:
            if facts is not None:
                self._facts.note(aside, facts)
                if not self._facts.hold(digest, aside, target):
                    # Another process had given the name to others since we looked.
                    self._put_again(aside, target)
        return target

    def _drop_twin(self, digest: str, path: str, place: str) -> None:
        """Take a name from bytes that lie aside already."""
        # Out of everybody's reach first: by now the name may be that of others, and a folder does not go at once.
        taken = f"{self._folder}/.{os.getpid()}-{next(_numbers)}"
        self._move(place, taken)
        # What is remembered of the path holds for what was only renamed.
        if self._facts.hold(digest, path, taken):
            moves.remove(taken)
        else:
            self.put(path, taken)

    def _put_again(self, aside: str, target: str) -> None:
        with suppress(FileNotFoundError):
            self.put(aside, target)

    def _move(self, place: str, target: str) -> None:
        try:
            moves.move(place, target)
        except FileNotFoundError:
            if os.path.isdir(self._folder):
                raise
            os.mkdir(self._folder)
            moves.move(place, target)


def name_aside(digest: str, path: str) -> str:
    """Give the name that bytes have aside which had this path.

    Examples
    --------
    >>> name_aside("blake3:9f8e", "iris_model.pkl")
    '9f8e.pkl'
    """
    suffix = os.path.splitext(path)[1]
    return digest.rpartition(":")[2] + (suffix if len(suffix) <= _LONGEST_SUFFIX else "")

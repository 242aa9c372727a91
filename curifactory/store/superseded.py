"""Superseded bytes: what lies aside under its digest, once its name has passed to something else."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from curifactory.errors import CacheError
from curifactory.store import moves

if TYPE_CHECKING:
    from curifactory.store.file_facts import FileFacts
    from curifactory.store.staging import Staging

_LONGEST_SUFFIX = 24


class Superseded:
    """Keeps files and folders as ``<digest hex>.<ext>``, each content once.

    Parameters
    ----------
    folder : str
        Absolute path; made when something comes.
    facts : FileFacts
        Tells which bytes lie where.
    staging : Staging
        Gives room for what has to go.

    Examples
    --------
    >>> Superseded("/data/superseded", facts=None, staging=None).name("blake3:9f8e", "iris_model.pkl")
    ('../superseded/9f8e.pkl', '/data/superseded/9f8e.pkl')
    """

    __slots__ = ("_facts", "_folder", "_staging")

    def __init__(self, folder: str, *, facts: FileFacts, staging: Staging) -> None:
        self._folder = folder
        self._facts = facts
        self._staging = staging

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
        try:
            facts = self._facts.current(path, place)
            digest = facts.digest
        except (OSError, CacheError):
            facts = None
            digest = f"unreadable-{time.time_ns():x}"
        aside, target = self.name(digest, path)
        if os.path.lexists(target):
            if self._facts.hold(digest, aside, target):
                self._drop_twin(place, target)
                return target
            # Damaged: it goes under the digest that it has now.
            self.put(aside, target)
        try:
            renamed = moves.move(place, target)
        except FileNotFoundError:
            if os.path.isdir(self._folder):
                raise
            os.mkdir(self._folder)
            renamed = moves.move(place, target)
        if renamed and facts is not None:
            self._facts.note(aside, facts)
        return target

    def _drop_twin(self, place: str, target: str) -> None:
        """Take a name from bytes that lie aside already."""
        if os.path.samestat(os.lstat(place), os.lstat(target)):
            # Rename does nothing between two names of one file.
            os.unlink(place)
        elif os.path.isdir(place) and not os.path.islink(place):
            scratch = self._staging.new()
            # Gone at once: a folder that is half removed would still have its name.
            moves.move(place, f"{scratch}/twin")
            self._staging.discard(scratch)
        else:
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

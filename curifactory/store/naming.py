"""The names that files have in the cache: one is given to new bytes once what had it lies aside, never written over."""

from __future__ import annotations

import errno
import itertools
import os
from typing import TYPE_CHECKING

from curifactory.errors import CacheError
from curifactory.store import moves

if TYPE_CHECKING:
    from curifactory.store.digests import Facts
    from curifactory.store.file_facts import FileFacts
    from curifactory.store.layout import Layout
    from curifactory.store.staging import Staging
    from curifactory.store.superseded import Superseded

_IN_THE_WAY = {errno.EEXIST, errno.ENOTEMPTY, errno.EISDIR, errno.ENOTDIR}
_MOST_ATTEMPTS = 4


class Naming:
    """Gives names to files and folders, by rename or by link.

    Parameters
    ----------
    layout : Layout
        Where things lie.
    facts : FileFacts
        Tells which bytes lie where, and is told.
    superseded : Superseded
        Takes what had a name.
    staging : Staging
        Gives room to put a link together.
    durable : bool
        Wait for the disk each time, against power loss.
    """

    __slots__ = ("_cache", "_durable", "_facts", "_layout", "_staging", "_superseded")

    def __init__(
        self, layout: Layout, *, facts: FileFacts, superseded: Superseded, staging: Staging, durable: bool
    ) -> None:
        self._layout = layout
        self._cache = f"{layout.cache}/"
        self._facts = facts
        self._superseded = superseded
        self._staging = staging
        self._durable = durable

    def normalize(self, final: str) -> tuple[str, str]:
        """Give the plain form of an absolute path, and the stored one."""
        path = final.removeprefix(self._cache)
        if path is not final and "/" not in path and path not in ("", ".", ".."):
            return final, path
        final = os.path.normpath(final)
        return final, self._layout.relative(final)

    def place(self, source: str, final: str, path: str, facts: Facts) -> None:
        """Give a staged file or folder its name.

        Parameters
        ----------
        source : str
            Where it lies, absolute.
        final, path : str
            The name, absolute and as it is stored.
        facts : Facts
            What was seen of it.

        Raises
        ------
        OSError
            If it cannot be moved.
        CacheError
            If somebody else takes the name again and again.
        """
        if self._durable:
            moves.sync_all(source)
        for attempt in range(_MOST_ATTEMPTS):
            # As a rule nothing is there, and then this is quicker than `lexists`, which has to catch an exception.
            if os.access(final, os.F_OK, follow_symlinks=False):
                self._make_way(path, final, facts.digest)
            try:
                renamed = moves.move(source, final, durable=self._durable)
            except FileNotFoundError:
                # The folder, not the source; it was digested just now.
                if attempt or not os.path.lexists(source):
                    raise
                self._make_parents(final)
            except OSError as error:
                # Somebody else took the name after we had looked.
                if error.errno not in _IN_THE_WAY or attempt == _MOST_ATTEMPTS - 1:
                    raise
            else:
                self._facts.note(path, facts, is_made=True) if renamed else self._facts.take(path, final)
                return
        raise CacheError(f"'{final}' is taken again and again by somebody else.")

    def give(self, digest: str, source: tuple[str, str], target: tuple[str, str]) -> None:
        """Give bytes that have a name another one, by links where that is possible.

        Parameters
        ----------
        digest : str
            Of the bytes.
        source, target : (str, str)
            Each name as it is stored, and absolute.

        Raises
        ------
        OSError
            If it cannot be linked or copied.
        CacheError
            If the bytes are damaged.
        """
        path, place = target
        linked = self._link(digest, source[1], target)
        facts = self._facts.known([source[0]]).get(source[0])
        if linked and facts is not None:
            self._facts.note(path, facts)
        elif not self._facts.hold(digest, path, place):
            self._facts.doubt(*source)
            if not self._facts.hold(digest, *source):
                raise CacheError(
                    f"The bytes at '{source[1]}' are damaged, so '{place}' cannot be made from them.",
                    hint="Run the stage that makes it again.",
                )
        if self._durable:
            moves.sync_all(place)
            moves.sync(os.path.dirname(place))

    def _link(self, digest: str, source: str, target: tuple[str, str]) -> bool:
        """Link what lies at a place under a free name, and say whether it is a file that was linked just now."""
        path, place = target
        scratch = self._staging.new()
        try:
            for attempt in itertools.count(1):
                if os.path.lexists(place):
                    if self._facts.hold(digest, path, place):
                        break
                    self._set_aside(path, place)
                self._make_parents(place)
                try:
                    return moves.link(source, place, scratch=scratch)
                except OSError as error:
                    # Somebody else took the name after we had looked.
                    if error.errno not in _IN_THE_WAY or attempt == _MOST_ATTEMPTS:
                        raise
            return False
        finally:
            self._staging.discard(scratch)

    def _make_way(self, path: str, place: str, digest: str) -> None:
        """Set aside what holds a name, unless it is a file with the very bytes that come there."""
        if os.path.isfile(place) and self._facts.hold(digest, path, place):
            # Rename replaces it by its like.
            return
        self._set_aside(path, place)

    def _set_aside(self, path: str, place: str) -> None:
        for attempt in itertools.count(1):
            try:
                self._superseded.put(path, place)
            except FileNotFoundError:
                # Somebody else may have done it, and given the name to others.
                if not os.path.lexists(place):
                    return
                if attempt == _MOST_ATTEMPTS:
                    raise
            else:
                return

    def _make_parents(self, place: str) -> None:
        folder = os.path.dirname(place)
        if place.startswith(self._cache) and not os.path.isdir(self._layout.cache.parent):
            # Made again it would look like an empty store.
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self._layout.cache.parent))
        os.makedirs(folder, exist_ok=True)


def check_finals(finals: list[str]) -> None:
    """Refuse names that would swallow each other.

    Raises
    ------
    CacheError
        If one is another, or lies below another.

    Examples
    --------
    >>> check_finals(["/cache/a", "/cache/ab"])
    """
    ordered = sorted(finals)
    for one, other in itertools.pairwise(ordered):
        if other == one or other.startswith(one + "/"):
            raise CacheError(
                f"Two files of one artifact would get the names '{one}' and '{other}'.",
                hint="Give them names that differ, and neither below the other.",
            )

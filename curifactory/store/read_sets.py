"""Which parameters the calls of a stage have read: the few sets under which its traces can be found."""

from __future__ import annotations

import json
import time
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from curifactory.store.index import Index

ReadSet = tuple[str, ...]

MOST_SETS = 16
INSERT = "INSERT OR REPLACE INTO read_sets (stage, code, reads, seen_at) VALUES (?, ?, ?, ?)"
_SELECT = "SELECT reads FROM read_sets WHERE stage = ? AND code = ? ORDER BY seen_at DESC, reads LIMIT 16"
_DELETE = "DELETE FROM read_sets WHERE stage = ? AND code = ? AND reads = ?"
_TRUSTED_S = 0.2
_MOST_KEPT = 4_096


class ReadSets:
    """Remembers the read sets of each stage and code, newest first and at most 16.

    Beyond that they are merged: the union of all takes the place of the oldest. A key made from a union is coarser, as it holds
    values that a call did not read, and so never wrong.

    Parameters
    ----------
    index : Index
        Where they are kept.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from curifactory.store.index import Index
    >>> with tempfile.TemporaryDirectory() as folder, Index(Path(folder, "index.db")) as index:
    ...     sets = ReadSets(index)
    ...     sets.add("iris.load", "c1", ["n", "seed"])
    ...     sets.get("iris.load", "c1")
    [('n', 'seed')]
    """

    __slots__ = ("_index", "_known")

    def __init__(self, index: Index) -> None:
        self._index = index
        self._known: dict[tuple[str, str], tuple[float, list[ReadSet]]] = {}

    def get(self, stage: str, code: str, *, fresh: bool = False) -> list[ReadSet]:
        """Give the read sets of a stage with this code, newest first; the names in each are sorted.

        Parameters
        ----------
        fresh : bool
            Ask the index even if it was asked in the last 0.2 s: another process may have added one.
        """
        known = self._known.get((stage, code))
        now_s = time.monotonic()
        if known is not None and not fresh and now_s - known[0] < _TRUSTED_S:
            return known[1]
        # Sets are committed as soon as they are added, so that nothing has to be before this is asked.
        rows = self._index.lookup_all(_SELECT, (stage, code))
        found = [names for row in rows if (names := _from_text(row[0])) is not None]
        if len(self._known) >= _MOST_KEPT:
            self._known.clear()
        self._known[stage, code] = (now_s, found)
        return found

    def key_reads(self, stage: str, code: str, reads: Iterable[str]) -> ReadSet:
        """Give the names whose values a call's key should hold: what it read, or a union if there are too many sets.

        Parameters
        ----------
        reads : iterable of str
            The paths of the parameters that the call read.

        Returns
        -------
        tuple of str
            Sorted; holds all of ``reads``.
        """
        own = tuple(sorted(reads))
        sets = self.get(stage, code)
        if len(sets) < MOST_SETS or own in sets:
            return own
        wanted = set(own)
        wider = [names for names in sets if wanted.issubset(names)]
        return min(wider, key=len) if wider else tuple(sorted(wanted.union(*sets)))

    def add(self, stage: str, code: str, reads: Iterable[str]) -> None:
        """Note that calls are keyed by these reads; a set that is new is seen by other processes at once."""
        known = self._known.get((stage, code))
        # Most often in their order and known.
        if known is not None and tuple(reads) in known[1]:
            return
        own = tuple(sorted(reads))
        sets = [] if known is None else known[1]
        if known is None or len(sets) >= MOST_SETS // 2:
            # Another process may have added sets: where some are dropped and merged, they must be all there are.
            sets = self.get(stage, code, fresh=True)
        if own in sets:
            return
        kept = merge([own, *sets])
        now_s = time.time()
        with self._index.batch():
            for names in sets:
                if names not in kept:
                    self._index.execute(_DELETE, (stage, code, to_text(names)))
            # Later than all others, and the union after the set itself.
            for place, names in enumerate(kept):
                if names not in sets:
                    self._index.execute(INSERT, (stage, code, to_text(names), now_s - place * 1e-6))
        known = self._known.get((stage, code))
        self._known[stage, code] = (time.monotonic() if known is None else known[0], kept)


def merge(sets: list[ReadSet]) -> list[ReadSet]:
    """Keep at most 16 read sets: beyond that the newest, then the union of all, then the next newest.

    Parameters
    ----------
    sets : list of tuple of str
        Newest first, each one once.

    Examples
    --------
    >>> merged = merge([(f"p{n:02}",) for n in range(20)])
    >>> len(merged), merged[0], len(merged[1]), merged[2]
    (16, ('p00',), 20, ('p01',))
    """
    if len(sets) <= MOST_SETS:
        return sets
    union = tuple(sorted(set().union(*sets)))
    newest, *others = sets
    return list(dict.fromkeys([newest, union, *others]))[:MOST_SETS]


# Many stages read the same, or nothing.
@lru_cache(maxsize=256)
def _from_text(text: str) -> ReadSet | None:
    """Read what `to_text` wrote; None if it has rotted: without a set there are only fewer traces to be found."""
    try:
        names = json.loads(text)
    except (ValueError, TypeError):
        return None
    return tuple(names) if isinstance(names, list) else None


def to_text(names: ReadSet) -> str:
    """Write a read set as the index keeps it.

    Examples
    --------
    >>> to_text(("model.depth", "n"))
    '["model.depth","n"]'
    """
    return json.dumps(names, separators=(",", ":"))

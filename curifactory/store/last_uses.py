"""Which trace a record of a name last had for a stage: what a call is compared with when a person asks why it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from curifactory.store.index import Index

_INSERT = (
    "INSERT INTO last_used (stage, experiment, record, key, run) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET key = excluded.key, run = excluded.run WHERE key != excluded.key"
)
_SELECT = "SELECT key FROM last_used WHERE stage = ? AND experiment = ? AND record = ?"
_SELECT_ALL = "SELECT record, key FROM last_used WHERE stage = ? AND experiment = ? LIMIT ?"
_ASKED_SINGLY = 8
_MOST_KEPT = 4_096


class LastUses:
    """Remembers the last trace of each record of an experiment, by stage.

    Whoever asks for a few of a stage is answered from the index one by one; for many, all are read at once.

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
    ...     uses = LastUses(index)
    ...     uses.remember("iris.load", "iris", "a", "9f", "iris_1")
    ...     uses.find("iris.load", "iris", "a"), uses.find("iris.load", "iris", "b")
    ('9f', None)
    """

    __slots__ = ("_asked", "_index", "_is_long", "_known", "_noted", "_own")

    def __init__(self, index: Index) -> None:
        self._index = index
        # By stage and experiment: what this process has noted, and what the index had when it was asked for all.
        self._own: dict[tuple[str, str], dict[str, str]] = {}
        self._known: dict[tuple[str, str], dict[str, str] | None] = {}
        self._asked: dict[tuple[str, str], int] = {}
        self._noted = 0
        # Of so many calls, memory of what the index says would be more than a call may keep.
        self._is_long = False

    def remember(self, stage: str, experiment: str, record: str, key: str, run: str) -> None:
        """Note the trace that a record has now; where the index has said so already nothing is written."""
        place = (stage, experiment)
        own = self._own.get(place)
        if own is None:
            own = self._own[place] = {}
        known = self._known.get(place)
        # Own takes its place: that is the text which the call has anyway.
        is_written = known is not None and record not in own and known.pop(record, None) == key
        own[record] = key
        if not is_written:
            self._index.execute(_INSERT, (stage, experiment, record, key, run))
            if len(own) == _ASKED_SINGLY and place not in self._known and not self._is_long:
                self._read_all(place)
        self._noted += 1
        if self._noted >= _MOST_KEPT:
            # What is not in memory has to be in the index, and what was read of it is out of date.
            self._index.flush()
            self._own.clear()
            self._known.clear()
            self._noted, self._is_long = 0, True

    def find(self, stage: str, experiment: str, record: str) -> str | None:
        """Return the key of the trace that a record had last, or None."""
        place = (stage, experiment)
        own = self._own.get(place)
        if own is not None and record in own:
            return own[record]
        if place not in self._known:
            asked = self._asked[place] = self._asked.get(place, 0) + 1
            if asked > _ASKED_SINGLY:
                self._read_all(place)
        known = self._known.get(place)
        if known is not None:
            return known.get(record)
        row = self._index.lookup(_SELECT, (stage, experiment, record))
        return None if row is None else str(row[0])

    def _read_all(self, place: tuple[str, str]) -> None:
        """Read what the index has of a stage, unless that is too much; what is not written yet is our own."""
        rows = self._index.lookup_all(_SELECT_ALL, (*place, _MOST_KEPT + 1))
        self._known[place] = dict(rows) if len(rows) <= _MOST_KEPT else None

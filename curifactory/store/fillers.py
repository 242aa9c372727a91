"""Fillers: what puts rows into the index from the files, when it is new or a process died before it had written them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from curifactory.errors import StoreError
from curifactory.store.database import Row, transaction
from curifactory.store.process import is_alive, process_facts

if TYPE_CHECKING:
    import sqlite3

Write = Callable[[str, Iterable[Row]], None]
Filler = Callable[[Write, float | None], int]

_ENDED_ELSEWHERE_S = 24 * 3600


class Fillers:
    """Runs each filler once for a new index, and all of them again for the time in which a dead process wrote.

    Parameters
    ----------
    warn : callable
        Takes one line of text about what could not be read; it is looked for again when the index is next opened.

    Examples
    --------
    >>> from curifactory.store.database import open_in_memory
    >>> connection, fillers = open_in_memory(), Fillers(print)
    >>> fillers.add("runs", lambda write, since: print("everything since", since) or 0)
    >>> fillers.run(connection)
    everything since None
    >>> fillers.run(connection)
    >>> connection.close()
    """

    __slots__ = ("_fillers", "_warn")

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._fillers: dict[str, Filler] = {}
        self._warn = warn

    def add(self, name: str, fill: Filler) -> None:
        """Name a filler; one of that name is replaced."""
        self._fillers[name] = fill

    def get(self, name: str) -> Callable[[sqlite3.Connection], int]:
        """Give what runs one filler over all files, in one transaction.

        Raises
        ------
        KeyError
            If there is none of that name.

        What is given raises `StoreError` if something cannot be read, and then leaves the rows as they were.
        """
        fill = self._fillers[name]

        def run(connection: sqlite3.Connection) -> int:
            with transaction(connection):
                return fill(_writer_of(connection), None)

        return run

    def run(self, connection: sqlite3.Connection) -> None:
        """Run the fillers that are needed, in one transaction.

        Raises
        ------
        sqlite3.Error
            If the file is locked, damaged or full.
        """
        filled = {row[0] for row in connection.execute("SELECT name FROM filled")}
        dead = [
            row for row in connection.execute("SELECT id, process, began_at FROM writers") if _has_ended(row)
        ]
        missing = [name for name in self._fillers if name not in filled]
        if not missing and not dead:
            return
        since = min((row[2] for row in dead), default=0.0)
        faults: list[str] = []
        with transaction(connection):
            for name, fill in self._fillers.items():
                if dead or name in missing:
                    try:
                        fill(_writer_of(connection), None if name in missing else since)
                    except StoreError as error:
                        # The others are there, and a run does not depend on it.
                        faults.append(str(error))
                        continue
                    connection.execute("INSERT OR IGNORE INTO filled VALUES (?)", (name,))
            if not faults:
                connection.executemany("DELETE FROM writers WHERE id = ?", [(row[0],) for row in dead])
        for fault in faults:
            self._warn(fault)


def add_writer(connection: sqlite3.Connection) -> int | None:
    """Note that this process writes, and give the number of the note.

    Raises
    ------
    sqlite3.Error
        If the file is locked, damaged or full.
    """
    facts = json.dumps(process_facts())
    with transaction(connection):
        added = connection.execute(
            "INSERT INTO writers (process, began_at) VALUES (?, ?)", (facts, time.time())
        )
        return added.lastrowid


def remove_writer(connection: sqlite3.Connection, number: int) -> None:
    """Take back that this process writes: all its rows are there.

    Raises
    ------
    sqlite3.Error
        If the file is locked, damaged or full.
    """
    connection.execute("DELETE FROM writers WHERE id = ?", (number,))


def _writer_of(connection: sqlite3.Connection) -> Write:
    def write(sql: str, rows: Iterable[Row]) -> None:
        connection.executemany(sql, rows)

    return write


def _has_ended(row: Row) -> bool:
    try:
        alive = is_alive(json.loads(row[1]))
    except (ValueError, TypeError, AttributeError):
        alive = False
    # Nobody can ask after a process on another machine.
    return alive is False or (alive is None and time.time() - row[2] > _ENDED_ELSEWHERE_S)

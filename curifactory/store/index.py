"""The SQLite index: quick answers about what the files say, made again from them whenever it is lost."""

from __future__ import annotations

import atexit
import logging
import os
import sqlite3
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self, TypeVar

from curifactory.errors import StoreError
from curifactory.store.database import (
    TROUBLE,
    UNFIT,
    Fault,
    Row,
    is_whole,
    open_for_reading,
    open_for_writing,
    open_in_memory,
    set_aside,
    transaction,
    write_rows,
)
from curifactory.store.fillers import Filler, Fillers, add_writer, remove_writer
from curifactory.store.flushing import FLUSH_AFTER_S, start_flushing
from curifactory.store.forks import stays_here

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")

_FLUSH_ROWS = 5_000
_MOST_PENDING = 100_000
_SHORT_TIMEOUT_MS = 1_000
_AFTER_TROUBLE_S = 5.0

_indexes: weakref.WeakSet[Index] = weakref.WeakSet()
# Connections of a parent: even to close one is not its forked child's.
_inherited: list[sqlite3.Connection] = []


class Index:
    """The one connection to ``index.db``: opened when first used, safe in threads, never the reason why a run fails.

    Writes are gathered and committed together, 200 ms after the first of them at the latest. A file that is damaged is set aside
    and made again by the *fillers*, which read the files that are the truth. Where no file can be written the index lives in
    memory. Each trouble is told once, in one line.

    Parameters
    ----------
    path : Path
        Of the SQLite file.
    read_only : bool
        Change no file: writes are dropped.
    warn : callable, optional
        Takes one line of text; by default it is logged.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder, Index(Path(folder, "index.db")) as index:
    ...     index.execute(
    ...         "INSERT INTO runs (reference, experiment, outcome) VALUES (?, ?, ?)", ("a_1", "a", "complete")
    ...     )
    ...     index.query("SELECT reference, outcome FROM runs")
    [('a_1', 'complete')]
    """

    def __init__(
        self, path: Path, *, read_only: bool = False, warn: Callable[[str], None] | None = None
    ) -> None:
        self._path = os.path.abspath(path)
        self._read_only = read_only
        self._warn = warn if warn is not None else logging.getLogger("curifactory").warning
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._mode = "read" if read_only else "write"
        self._file: tuple[int, int] | None = None
        self._was_open = False
        self._fillers = Fillers(self._warn)
        self._pending: deque[tuple[str, Row]] = deque()
        self._held = 0
        self._writer: int | None = None
        self._incomplete = False
        self._told: set[Fault] = set()
        self._wake: threading.Event | None = None
        _indexes.add(self)
        stays_here(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def read_only(self) -> bool:
        """Whether no file may be changed."""
        return self._read_only

    @property
    def path(self) -> str:
        """Absolute path of the SQLite file."""
        return self._path

    def lookup(self, sql: str, parameters: Row = ()) -> Row | None:
        """Give the first row of a query, quickly: what was written and is not flushed yet is not seen.

        Raises
        ------
        StoreError
            If the statement is wrong. Troubles of the file raise nothing; they find nothing.
        """
        connection = self._connection
        if connection is not None:
            try:
                with self._lock:
                    row: Row | None = connection.execute(sql, parameters).fetchone()
                    return row
            except (*TROUBLE, *UNFIT):
                # Looked at below, where it is tried again.
                pass
        rows: list[Row] = self._attempt(
            lambda connection: connection.execute(sql, parameters).fetchmany(1), []
        )
        return rows[0] if rows else None

    def lookup_all(self, sql: str, parameters: Row = ()) -> list[Row]:
        """Give all rows of a query as :meth:`lookup` gives the first."""
        rows: list[Row] = self._attempt(lambda connection: connection.execute(sql, parameters).fetchall(), [])
        return rows

    def query(self, sql: str, parameters: Row = ()) -> list[Row]:
        """Give all rows of a query; everything written before is seen.

        Raises
        ------
        StoreError
            If the statement is wrong. Troubles of the file raise nothing; they find nothing.
        """
        self.flush()
        return self._attempt(lambda connection: connection.execute(sql, parameters).fetchall(), [])

    def execute(self, sql: str, parameters: Row = ()) -> None:
        """Write, with others together and in their order, 200 ms from now at the latest."""
        if self._read_only:
            return
        wake = self._wake or self._begin_writing()
        # Without the lock, so that nobody waits while the rows before are committed.
        self._pending.append((sql, parameters))
        if not wake.is_set():
            wake.set()
        if len(self._pending) >= _FLUSH_ROWS and not self._held:
            self.flush()

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Commit everything that the block writes in one transaction, at its end."""
        with self._lock:
            self._held += 1
        try:
            yield
        finally:
            with self._lock:
                self._held -= 1
                if not self._held:
                    self.flush()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """See the file as it is now throughout the block, which is quicker, or until something is written."""
        with self._lock:
            self._end_reading()
            self._attempt(lambda connection: connection.execute("BEGIN"), None)
        try:
            yield
        finally:
            with self._lock:
                self._end_reading()

    def flush(self) -> None:
        """Commit what was written until now, so that other processes see it.

        Raises
        ------
        StoreError
            If a statement was wrong; the others are committed.
        """
        with self._lock:
            if not self._pending:
                return
            self._notice_replacement()
            rows = [self._pending.popleft() for _ in range(len(self._pending))]
            wrong: str | None = None
            try:
                wrong = self._attempt(lambda connection: self._write(connection, rows), None)
            finally:
                # Also when the person stops it: all of a transaction is written, or nothing.
                if wrong is None:
                    self._incomplete = True
                    if len(rows) <= _MOST_PENDING:
                        self._pending.extendleft(reversed(rows))
            if wrong:
                raise StoreError(f"The index was given a wrong statement: {wrong}")

    def add_filler(self, name: str, fill: Filler) -> None:
        """Name what puts rows in from files when the index is new, or after a process died before it had flushed.

        Parameters
        ----------
        name : str
            Of its own; one that is there is replaced.
        fill : callable
            Takes a function that writes many rows of one statement, and the time (seconds since 1970) from which files may be
            missing, or None for all; gives the number of things found, or raises `StoreError` if some cannot be read, once all
            others are written. It must not use the index otherwise.
        """
        with self._lock:
            self._fillers.add(name, fill)
            if self._connection is not None and self._takes_rows():
                self._attempt(self._fillers.run, None)

    def refill(self, name: str) -> int:
        """Run one filler over all files now and give the number of things that it found.

        Raises
        ------
        KeyError
            If there is no filler of that name.
        StoreError
            If something cannot be read; the rows are then as they were.
        """
        fill = self._fillers.get(name)
        self.flush()
        return self._attempt(lambda connection: fill(connection) if self._takes_rows() else 0, 0)

    def close(self) -> None:
        """Commit what is left and close the file; using the index again opens it again."""
        with self._lock:
            with suppress(StoreError):
                self.flush()
            connection, self._connection = self._connection, None
            if connection is not None:
                # While the row stays, the next process looks for what this one could not write.
                if self._writer is not None and not self._incomplete:
                    with suppress(sqlite3.Error):
                        remove_writer(connection, self._writer)
                connection.close()
            self._writer = None
            if self._wake is not None:
                self._wake.set()
                self._wake = None

    def leave_to_parent(self) -> None:
        """Open the file anew when it is next used, in a child process that was forked; what waits its parent writes."""
        if self._connection is not None:
            _inherited.append(self._connection)
        self._lock, self._connection, self._writer, self._wake = threading.RLock(), None, None, None
        self._pending, self._held = deque(), 0

    def _end_reading(self) -> None:
        if self._connection is not None and self._connection.in_transaction:
            with suppress(sqlite3.Error):
                self._connection.execute("COMMIT")

    def _attempt(self, action: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        with self._lock:
            for _ in range(5):
                try:
                    return action(self._connection or self._open())
                except TROUBLE as error:
                    fault = Fault.of(error)
                    if fault is Fault.WRONG:
                        if self._connection is not None and is_whole(self._connection):
                            raise StoreError(f"The index was given a wrong statement: {error}") from error
                        fault = Fault.DAMAGED
                    if not self._recover(fault, error):
                        return otherwise
                except UNFIT:
                    return otherwise
            return otherwise

    def _open(self) -> sqlite3.Connection:
        connection = None
        self._file = None
        if self._mode == "write":
            try:
                if not self._was_open:
                    # Made again after that it would bring back a project that was moved or deleted.
                    os.makedirs(os.path.dirname(self._path), exist_ok=True)
                # One long wait was enough.
                patience_s = _SHORT_TIMEOUT_MS / 1000 if Fault.BUSY in self._told else None
                connection = open_for_writing(self._path, patience_s)
                status = os.stat(self._path)
                self._file = (status.st_dev, status.st_ino)
            except OSError as error:
                self._tell(Fault.REFUSED, error)
                self._mode = "read"
        if self._mode == "read":
            connection = open_for_reading(self._path)
        if connection is None:
            connection = open_in_memory()
            self._mode = "memory"
        self._was_open = True
        self._connection = connection
        if self._takes_rows():
            self._fillers.run(connection)
        return connection

    def _recover(self, fault: Fault, error: Exception) -> bool:
        """Make the best of a trouble; say whether to try again."""
        again = fault in self._told
        self._tell(fault, error)
        if fault in (Fault.BUSY, Fault.FULL):
            if self._connection is not None:
                with suppress(sqlite3.Error):
                    self._connection.execute(f"PRAGMA busy_timeout = {_SHORT_TIMEOUT_MS}")
            return False
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        self._writer = None
        if fault is Fault.REFUSED and self._mode == "write":
            self._mode = "read"
        elif self._mode != "write" or again:
            self._mode = "memory"
        else:
            set_aside(self._path)
        return True

    def _takes_rows(self) -> bool:
        return self._mode != "read"

    def _write(self, connection: sqlite3.Connection, rows: list[tuple[str, Row]]) -> str:
        """Write rows in one transaction and give what was wrong with a statement, or nothing."""
        if not self._takes_rows():
            return ""
        with transaction(connection):
            return write_rows(connection, rows)

    def _tell(self, fault: Fault, error: Exception) -> None:
        if fault in self._told:
            return
        self._told.add(fault)
        self._warn(f"The index '{self._path}' cannot be used, {fault.value} ({error}); {fault.remedy}.")

    def _begin_writing(self) -> threading.Event:
        """Say that this process writes, and start what flushes; what follows is committed soon, but not at once."""
        with self._lock:
            if self._wake is not None:
                return self._wake
            wake = self._wake = threading.Event()
            weakref.finalize(self, wake.set)
            start_flushing(weakref.WeakMethod(self._flush_for), wake)
            add = add_writer if self._mode == "write" else lambda _: None
            self._writer = self._attempt(add, None)
            return wake

    def _flush_for(self, wake: threading.Event) -> float | None:
        """Flush for the thread with this event and give its next pause; None if it is not wanted any more."""
        with self._lock:
            if self._wake is not wake:
                return None
            if self._held:
                return FLUSH_AFTER_S
            try:
                self.flush()
            except StoreError as error:
                self._warn(str(error))
            if not self._pending:
                return FLUSH_AFTER_S
            wake.set()
            return _AFTER_TROUBLE_S

    def _notice_replacement(self) -> None:
        """Let go of a file that somebody has deleted or replaced; what is written to it nobody reads."""
        if self._connection is None or self._file is None:
            return
        with suppress(OSError):
            status = os.stat(self._path)
            if (status.st_dev, status.st_ino) == self._file:
                return
        self._connection.close()
        self._connection = self._writer = None


@atexit.register
def _close_all() -> None:
    for index in list(_indexes):
        index.close()

"""The SQLite file of the index: opened, made when it is not there, and set aside when it is damaged."""

from __future__ import annotations

import itertools
import os
import sqlite3
import time
from contextlib import contextmanager, suppress
from enum import Enum
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from curifactory.store.filesystems import is_on_network
from curifactory.store.schema import SCHEMA_VERSION, STATEMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

BUSY_TIMEOUT_S = 30.0
_CACHE_KIB = 16_384

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_REFUSED = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}
_DAMAGED = {
    sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FORMAT,
    sqlite3.SQLITE_SCHEMA, sqlite3.SQLITE_EMPTY,
}  # fmt: skip

Row = tuple[Any, ...]
# What has no row: a file name that is no text, a number of more than 63 bits.
UNFIT = (UnicodeEncodeError, OverflowError)
# A text that has rotted may be that of the error itself.
TROUBLE = (sqlite3.Error, UnicodeDecodeError)


class Fault(Enum):
    """What an error of SQLite means for the index.

    Examples
    --------
    >>> connection = open_in_memory()
    >>> try:
    ...     connection.execute("SELECT * FROM nowhere")
    ... except sqlite3.Error as error:
    ...     Fault.of(error).name
    'WRONG'
    >>> connection.close()
    """

    BUSY = "another process has kept it locked for too long"
    FULL = "the disk is full"
    REFUSED = "it cannot be written"
    DAMAGED = "it is damaged"
    WRONG = "the statement is wrong"

    @property
    def remedy(self) -> str:
        """What is done about it."""
        if self is Fault.REFUSED:
            return "it is kept in memory for this run"
        if self in (Fault.BUSY, Fault.FULL):
            return "going on without it for now"
        return "it is made again from the files"

    @classmethod
    def of(cls, error: sqlite3.Error | UnicodeDecodeError) -> Fault:
        """Tell what an error means."""
        # Without a number it is Python's: either it could not read a text that has rotted, or was given a wrong value.
        is_rot = isinstance(error, sqlite3.OperationalError | UnicodeDecodeError)
        whole = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT if is_rot else sqlite3.SQLITE_ERROR)
        code = whole & 0xFF
        if code in _BUSY:
            return cls.BUSY
        if code == sqlite3.SQLITE_FULL or whole == sqlite3.SQLITE_IOERR_SHMSIZE:
            # The latter says that there was no room for the file beside the index that its readers share.
            return cls.FULL
        if code in _REFUSED:
            return cls.REFUSED
        return cls.DAMAGED if code in _DAMAGED else cls.WRONG


def open_for_writing(path: str, patience_s: float | None = None) -> sqlite3.Connection:
    """Open the file, make it and its tables if they are not there, and set one of another version aside.

    Parameters
    ----------
    path : str
        The file.
    patience_s : float, optional
        How long to wait, now and later, for another process that has it locked; usually half a minute.

    Raises
    ------
    sqlite3.Error
        If it is damaged, locked or refused; `Fault.of` tells which.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     connection = open_for_writing(os.path.join(folder, "index.db"))
    ...     connection.execute("SELECT count(*) FROM runs").fetchone()
    ...     connection.close()
    (0,)
    """
    patience_s = BUSY_TIMEOUT_S if patience_s is None else patience_s
    deadline = time.monotonic() + patience_s
    while True:
        connection = sqlite3.connect(
            path, timeout=patience_s, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        try:
            _set_up(connection, path)
            version = _version(connection)
            if version == 0:
                version = _make_tables(connection)
        except sqlite3.Error as error:
            connection.close()
            # Two that make a new file at once may be told so without having waited.
            if Fault.of(error) is not Fault.BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
            continue
        except BaseException:
            connection.close()
            raise
        if version == SCHEMA_VERSION:
            return connection
        connection.close()
        set_aside(path)


def open_for_reading(path: str) -> sqlite3.Connection | None:
    """Open the file without changing anything, not even beside it; None if there is none that can be used.

    Examples
    --------
    >>> open_for_reading("/nowhere/index.db") is None
    True
    """
    if not os.path.exists(path):
        return None
    address = "file:" + path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    # With a log beside it a process writes, or has died; without one nobody does, and no log need be made to read.
    how = "?mode=ro" if os.path.exists(path + "-wal") else "?immutable=1"
    connection = None
    try:
        connection = sqlite3.connect(
            address + how, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        if _version(connection) == SCHEMA_VERSION:
            return connection
    except sqlite3.Error:
        pass
    if connection is not None:
        connection.close()
    return None


def open_in_memory() -> sqlite3.Connection:
    """Open an index that lasts as long as its connection.

    Examples
    --------
    >>> connection = open_in_memory()
    >>> connection.execute("SELECT count(*) FROM traces").fetchone()
    (0,)
    >>> connection.close()
    """
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    _make_tables(connection)
    return connection


def set_aside(path: str) -> None:
    """Rename the file to ``….damaged``, with its log, so that a new one can be made.

    Examples
    --------
    >>> set_aside("/nowhere/index.db")
    """
    for ending in ("-wal", "-shm", "-journal"):
        # A log that stayed would be played into the new file.
        with suppress(OSError):
            os.replace(path + ending, f"{path}.damaged{ending}")
    with suppress(OSError):
        os.replace(path, path + ".damaged")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write what the block writes in one transaction, or nothing if it raises.

    Raises
    ------
    sqlite3.Error
        If the file is locked, damaged or full.

    Examples
    --------
    >>> connection = open_in_memory()
    >>> with transaction(connection):
    ...     _ = connection.execute("INSERT INTO filled VALUES ('runs')")
    >>> connection.execute("SELECT name FROM filled").fetchall()
    [('runs',)]
    >>> connection.close()
    """
    if connection.in_transaction:
        # That of somebody who reads; nothing can be written in it once it is out of date.
        connection.execute("COMMIT")
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def write_rows(connection: sqlite3.Connection, rows: list[tuple[str, Row]]) -> str:
    """Write rows, each with its statement, in their order, and give what was wrong with a statement, or nothing.

    Raises
    ------
    sqlite3.Error
        If the file is locked, damaged or full.

    Examples
    --------
    >>> connection = open_in_memory()
    >>> write_rows(connection, [("INSERT INTO filled VALUES (?)", (name,)) for name in ("runs", "traces")])
    ''
    >>> connection.execute("SELECT name FROM filled").fetchall()
    [('runs',), ('traces',)]
    >>> connection.close()
    """
    wrong = ""
    for sql, alike in itertools.groupby(rows, key=itemgetter(0)):
        of_one = [parameters for _, parameters in alike]
        if len(of_one) > 1 and _write_together(connection, sql, of_one):
            continue
        for parameters in of_one:
            try:
                connection.execute(sql, parameters)
            except UNFIT:
                continue
            except sqlite3.Error as error:
                if Fault.of(error) is not Fault.WRONG or not is_whole(connection):
                    raise
                wrong = wrong or f"{error} in {sql}"
    return wrong


def is_whole(connection: sqlite3.Connection) -> bool:
    """Say whether all tables are there.

    Examples
    --------
    >>> connection = open_in_memory()
    >>> is_whole(connection)
    True
    >>> connection.close()
    """
    try:
        found = {row[0] for row in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}
    except TROUBLE:
        return False
    return found >= set(STATEMENTS)


def _write_together(connection: sqlite3.Connection, sql: str, rows: list[Row]) -> bool:
    """Write rows of one statement at once, or none of them if one is wrong; say which."""
    connection.execute("SAVEPOINT alike")
    is_whole_group = True
    try:
        connection.executemany(sql, rows)
    except (sqlite3.Error, *UNFIT):
        if not connection.in_transaction:
            # A full disk has ended it.
            raise
        connection.execute("ROLLBACK TO alike")
        is_whole_group = False
    connection.execute("RELEASE alike")
    return is_whole_group


def _set_up(connection: sqlite3.Connection, path: str) -> None:
    wanted = "truncate" if is_on_network(path) else "wal"
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    if mode != wanted:
        (mode,) = connection.execute(f"PRAGMA journal_mode = {wanted}").fetchone()
        if mode != wanted:
            connection.execute("PRAGMA journal_mode = truncate")
    # A kill loses nothing that was written. After a power loss the file may be damaged, and is then made again from the
    # manifests and folders, which are the truth; waiting for the disk would take longer than a small run.
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _make_tables(connection: sqlite3.Connection) -> int:
    with transaction(connection):
        version = _version(connection)
        if version == 0:
            for statement in STATEMENTS:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            version = SCHEMA_VERSION
    return version

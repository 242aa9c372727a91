"""A run's `run.json`: read, and changed by several processes without losing what another one wrote."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from curifactory.errors import StoreError
from curifactory.store.journal import encode, store_error

FACTS_NAME = "run.json"
FORMAT = 1

Change = Callable[[dict[str, Any]], Mapping[str, Any]]


def read_facts(folder: Path) -> dict[str, Any]:
    """Read what ``run.json`` says.

    Raises
    ------
    StoreError
        If it is missing, damaged, or of a newer format than this version knows.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = merge_facts(Path(folder), {"reference": "iris_1_2026-11-21-T101500"})
    ...     read_facts(Path(folder))
    {'format': 1, 'reference': 'iris_1_2026-11-21-T101500'}
    """
    path = os.path.join(folder, FACTS_NAME)
    try:
        with open(path, "rb") as file:
            facts = json.loads(file.read())
    except FileNotFoundError as error:
        raise StoreError(
            f"{folder} is not the folder of a run: it has no {FACTS_NAME}.",
            hint="See `experiment runs` for those there are.",
        ) from error
    except OSError as error:
        raise store_error(error, "read", path) from error
    except ValueError as error:
        raise StoreError(
            f"{path} is damaged: {error}.", hint="Take the file from a copy of the run."
        ) from error
    if not isinstance(facts, dict):
        raise StoreError(
            f"{path} is damaged: it holds no mapping.", hint="Take the file from a copy of the run."
        )
    known = facts.get("format", FORMAT)
    if not isinstance(known, int) or known > FORMAT:
        raise StoreError(
            f"{path} has format {known}, and this version knows formats up to {FORMAT}.",
            hint="Update curifactory.",
        )
    return facts


def merge_facts(
    folder: Path, changes: Mapping[str, Any] | Change, *, durable: bool = False
) -> dict[str, Any]:
    """Put facts into ``run.json``: whole or not at all, and in turns with other processes.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    changes : mapping or callable
        The facts to put in, or a function that is given the facts as they are and returns those to put in.
    durable : bool
        Whether to wait until the disk has it.

    Returns
    -------
    dict
        All facts, as they now are.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    with _turn(folder):
        facts = read_facts(folder) if os.path.exists(os.path.join(folder, FACTS_NAME)) else {"format": FORMAT}
        facts.update(changes(facts) if callable(changes) else changes)
        write_document(folder, FACTS_NAME, facts, durable=durable)
    return facts


def write_document(folder: Path, name: str, value: Any, *, durable: bool = False) -> None:
    """Write a JSON file of a run so that a reader sees the old one or the new one, never a part.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    if isinstance(value, list):
        # There may be thousands of entries, such as sets of parameters; each has a line.
        content = b"[\n" + b",\n".join(map(encode, value)) + b"\n]\n"
    else:
        # One pass through the compact encoder settles what JSON does not know; the second is for people to read.
        text = json.dumps(json.loads(encode(value)), ensure_ascii=False, indent=1)
        content = f"{text}\n".encode("utf-8", "backslashreplace")
    write_whole(folder, name, content, durable=durable)


def write_whole(folder: Path, name: str, content: bytes, *, durable: bool = False) -> None:
    """Write a file of a run under a temporary name and rename it.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    target = os.path.join(folder, name)
    partial = os.path.join(folder, f".{name}.{os.getpid()}")
    try:
        with open(partial, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        # Not even a power loss leaves half a file; the name alone may then still be the one of before.
        os.replace(partial, target)
    except OSError as error:
        if os.path.exists(partial):
            os.unlink(partial)
        raise store_error(error, "write", target) from error


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Wait for the turn to change ``run.json``; a note may be added while its run goes on."""
    import fcntl

    try:
        # The folder itself is locked: nothing is left behind, and the lock dies with its process.
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise store_error(error, "write into", folder) from error
    try:
        # Some network file systems have no locks: two changes in the same instant may then lose one of them.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)

"""Whose store it is: one that came from elsewhere is told from one that was made here, so that its pickles are not trusted."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blake3 import blake3

from curifactory.errors import UntrustedError
from curifactory.store.moves import sync

if TYPE_CHECKING:
    from collections.abc import Mapping

OWNER_NAME = "owner.json"
_SECRET_NAME = "secret"  # noqa: S105 - the name of a file
_SECRET_BYTES = 32
_MACHINE = ("/etc/machine-id", "/var/lib/dbus/machine-id")


class Ownership:
    """Knows whether a store was made by this person on this machine.

    When a store is begun, a mark is written into it that only a secret of the person can make; the secret lies in the
    person's own configuration and never in a project. A store that has things in it and no such mark came from elsewhere:
    what can run code when it is loaded is not loaded from it, before somebody says once that it is to be trusted.

    Parameters
    ----------
    cache : Path
        The cache folder; the mark lies beside it, with all bookkeeping.
    trusts : bool
        Whether this session trusts the store whoever made it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Ownership(Path(folder, "cache")).is_ours
    True
    """

    __slots__ = ("_cache", "_folder", "_is_ours", "_trusts")

    def __init__(self, cache: Path, *, trusts: bool = False) -> None:
        self._cache = cache
        self._folder = cache.parent
        self._trusts = trusts
        self._is_ours: bool | None = None

    @property
    def is_ours(self) -> bool:
        """Whether the store has a mark of this person, or nothing in it."""
        if self._is_ours is None:
            mark = self._read()
            if mark:
                self._is_ours = _seal(str(mark["id"])) in mark["seals"]
            else:
                self._is_ours = self._is_empty()
        return self._is_ours

    def claim(self) -> None:
        """Mark a store that has nothing in it yet as made here; any other stays as it is. Never fails."""
        if not self._read() and self._is_empty():
            self._mark({"format": 1, "id": os.urandom(16).hex(), "seals": []})

    def trust(self) -> None:
        """Mark a store as one to be trusted from now on, whoever made it. Never fails."""
        if not self.is_ours or not os.path.exists(self._folder / OWNER_NAME):
            self._mark(self._read() or {"format": 1, "id": os.urandom(16).hex(), "seals": []})
        self._trusts = True

    def check(self, cacher: Any, path: str) -> None:
        """Refuse to load what can run code from a store that came from elsewhere.

        Parameters
        ----------
        cacher : Cacheable
            What would load it.
        path : str
            Its file.

        Raises
        ------
        UntrustedError
            With the file and what to do.
        """
        if self._trusts or not getattr(cacher, "runs_code", False) or self.is_ours:
            return
        # What is damaged says nothing, and a store from elsewhere could have one like it.
        if self._read() == {}:
            why = f"{self._folder / OWNER_NAME}, which says who made the store, is damaged"
        else:
            why = f"{self._folder} came from elsewhere"
        raise UntrustedError(
            f"{path} is not loaded: {type(cacher).__name__} can run code that a file names, and {why}.",
            hint="If you trust who made it, say so once: --trust on the command line, trust=True in Python.",
        )

    def _read(self) -> dict[str, Any] | None:
        """Return the mark: None where there is none, nothing where it is damaged."""
        try:
            mark = json.loads((self._folder / OWNER_NAME).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            return {}
        sound = isinstance(mark, dict) and isinstance(mark.get("seals"), list) and "id" in mark
        return mark if sound else {}

    def _mark(self, mark: Mapping[str, Any]) -> None:
        identity = str(mark.get("id") or os.urandom(16).hex())
        seals = dict.fromkeys([*(mark.get("seals") or ()), _seal(identity)])
        text = json.dumps({"format": 1, "id": identity, "seals": list(seals)}) + "\n"
        # Without a mark nothing is wrong but that somebody has to say --trust: no reason to fail.
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            # Everybody who shares the store reads it and adds a seal; only the secret is one's own.
            _write_whole(self._folder / OWNER_NAME, text.encode(), mode=0o666)
        self._is_ours = None

    def _is_empty(self) -> bool:
        return not _has_entries(self._folder / "manifests") and not _has_entries(self._cache)


def _has_entries(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(entries)
    except OSError:
        return False


def _seal(identity: str) -> str:
    """Return what only the holder of the secret can make of a store's identity."""
    return blake3(identity.encode(), key=read_secret(os.environ)).hexdigest()


def read_secret(environment: Mapping[str, str]) -> bytes:
    """Return the person's secret, made when it is first needed.

    Where no file can be kept it is made of what the machine says of itself: the same each time, though not secret from
    others on it.

    Parameters
    ----------
    environment : mapping of str to str
        Says where the person's configuration lies.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     here = {"XDG_CONFIG_HOME": folder}
    ...     read_secret(here) == read_secret(here), len(read_secret(here))
    (True, 32)
    """
    with suppress(OSError, RuntimeError):
        home = environment.get("HOME") or str(Path.home())
        file = Path(environment.get("XDG_CONFIG_HOME") or f"{home}/.config", "curifactory", _SECRET_NAME)
        known = file.read_bytes() if file.exists() else None
        if known is not None and len(known) == _SECRET_BYTES:
            return known
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Of several processes that make one at once, the first one's counts for all; one that was cut short goes.
        _write_whole(file, os.urandom(_SECRET_BYTES), keep=known is None)
        return file.read_bytes()
    machine = b""
    for place in _MACHINE:
        with suppress(OSError):
            machine = Path(place).read_bytes()
            break
    told = f"{os.uname().nodename} {os.getuid() if hasattr(os, 'getuid') else ''}".encode()
    return blake3(machine + told).digest()


def _write_whole(file: Path, data: bytes, *, keep: bool = False, mode: int = 0o600) -> None:
    """Write a file by rename, for the person alone to read; ``keep`` lets one win that somebody else writes at once."""
    beside = file.with_name(f".{file.name}-{os.getpid()}-{os.urandom(4).hex()}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            # Written once for all time: a power loss must not leave a name with nothing behind it.
            stream.flush()
            os.fsync(stream.fileno())
        if keep:
            with suppress(FileExistsError):
                os.link(beside, file)
        else:
            os.replace(beside, file)
        with suppress(OSError):
            # The name as well: mark and secret may lie on two disks, and one is nothing without the other.
            sync(str(file.parent))
    except OSError:
        if not keep:
            raise
        # A file system without links.
        os.replace(beside, file)
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()

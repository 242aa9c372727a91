"""Reading all bytes of all artifacts, to tell what is not as it was written."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from curifactory.core.trace import StoredFile
from curifactory.store.artifacts import ArtifactFiles, FileState
from curifactory.store.inventory import Item
from curifactory.store.layout import Layout


@dataclass(frozen=True, slots=True)
class Fault:
    """A file that is not what was written, or gone, or cannot be read.

    Parameters
    ----------
    item : Item
        The artifact it belongs to.
    file : StoredFile
        What was written.
    place : str
        Where it should lie; absolute.
    """

    item: Item
    file: StoredFile
    place: str

    def to_json(self) -> dict[str, Any]:
        """Return the fault as JSON values."""
        return {
            "path": self.file.path,
            "place": self.place,
            "key": self.item.key,
            "stage": self.item.stage,
            "output": self.item.output,
            "run": self.item.run,
            "size_bytes": self.file.size_bytes,
            "referenced": self.file.referenced,
        }


@dataclass(frozen=True, slots=True)
class Verified:
    """What reading all bytes has shown.

    Parameters
    ----------
    whole : int
        How many files are what was written.
    size_bytes : int
        How many bytes these have.
    modified, missing, unreadable : tuple of Fault
        The others. A file whose name has passed to the artifact of a later call is missing and not modified.
    """

    whole: int
    size_bytes: int
    modified: tuple[Fault, ...]
    missing: tuple[Fault, ...]
    unreadable: tuple[Fault, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as JSON values; the names of keys are kept from version to version."""
        return {
            "whole": self.whole,
            "size_bytes": self.size_bytes,
            "modified": [fault.to_json() for fault in self.modified],
            "missing": [fault.to_json() for fault in self.missing],
            "unreadable": [fault.to_json() for fault in self.unreadable],
        }


def verify_inventory(items: Sequence[Item], files: ArtifactFiles, layout: Layout) -> Verified:
    """Read all bytes of all artifacts, wherever they lie.

    Parameters
    ----------
    items : sequence of Item
        From :func:`curifactory.store.inventory.read_inventory`.
    files : ArtifactFiles
        The store's files; nothing is changed.
    layout : Layout
        Where things lie.
    """
    by_path: dict[str, dict[str, tuple[Item, StoredFile]]] = defaultdict(dict)
    for item in items:
        for file in item.files:
            by_path[file.path].setdefault(file.digest, (item, file))
    whole = size_bytes = 0
    modified: list[Fault] = []
    missing: list[Fault] = []
    unreadable: list[Fault] = []
    for claims in by_path.values():
        doubtful: list[tuple[Fault, bool]] = []
        name_is_good = False
        for item, file in claims.values():
            own = files.path_of(file)
            place = files.find_bytes(file) or own
            lies_aside = place != own
            state = files.read_through(file._replace(path=layout.relative(place)))
            if state is FileState.UNREADABLE:
                unreadable.append(Fault(item, file, place))
            elif state is FileState.PRESENT:
                whole += 1
                size_bytes += file.size_bytes
                name_is_good = name_is_good or not lies_aside
            else:
                doubtful.append((Fault(item, file, place), lies_aside))
        for fault, lies_aside in doubtful:
            # A name with the whole bytes of another trace has passed on; nobody has damaged it.
            is_damaged = os.path.lexists(fault.place) and (lies_aside or not name_is_good)
            (modified if is_damaged else missing).append(fault)
    return Verified(whole, size_bytes, tuple(modified), tuple(missing), tuple(unreadable))


def set_aside_modified(faults: Sequence[Fault], files: ArtifactFiles) -> list[tuple[Fault, str]]:
    """Move modified files out of the way, so that their calls run again; they are kept under the digest that they have.

    A file of somebody else is left where it is.

    Returns
    -------
    list of (Fault, str)
        What was moved, and where it lies now.

    Raises
    ------
    CacheError
        If one cannot be moved.
    """
    moved = []
    for fault in faults:
        target = None if fault.file.referenced else files.set_aside(fault.place)
        if target is not None:
            moved.append((fault, target))
    return moved

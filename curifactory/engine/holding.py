"""Values that a person holds: whether they were changed in place since they were given out."""

from __future__ import annotations

import hashlib
import pickle
from enum import Enum
from typing import Any

from curifactory.core.state import Slot
from curifactory.errors import UnidentifiableError
from curifactory.identity.canonical import digest

_ATOMS = (int, float, complex, str, bytes, type(None), Enum, range)
UNKNOWABLE = "unknowable"


def is_atom(value: Any) -> bool:
    """Return whether a value cannot be changed in place.

    Examples
    --------
    >>> is_atom("text"), is_atom(("a", 1)), is_atom([1])
    (True, True, False)
    """
    if isinstance(value, tuple):
        return type(value) is tuple and all(map(is_atom, value))
    return isinstance(value, _ATOMS)


def hand(slot: Slot) -> Any:
    """Give a slot's value to a person and remember what it was."""
    if slot.held is None and not is_atom(slot.value):
        slot.held = _mark(slot.value)
    return slot.value


def is_unchanged(slot: Slot) -> bool:
    """Return whether a held value is still what it was when it was given out."""
    return slot.held is None or (slot.held != UNKNOWABLE and _mark(slot.value) == slot.held)


def _mark(value: Any) -> str:
    try:
        return digest(value, path="value")
    except UnidentifiableError:
        pass
    try:
        # Pickles of one object in one process differ only if the object does, or needlessly: then the reader reruns.
        return "pickle:" + hashlib.sha256(pickle.dumps(value, protocol=5)).hexdigest()
    except Exception:  # noqa: BLE001 - whatever a person's __reduce__ raises, the value cannot be compared
        return UNKNOWABLE

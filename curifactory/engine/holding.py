"""Values that a person holds: whether they were changed in place since they were given out."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from enum import Enum
from typing import Any

from curifactory.core.state import Slot
from curifactory.errors import CurifactoryError, UnidentifiableError
from curifactory.identity.canonical import digest

_ATOMS = (int, float, complex, str, bytes, type(None), Enum, range)
UNKNOWABLE = "unknowable"
AS_STORED = "as stored"


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


def hand(slot: Slot, *, is_stored: bool = False) -> Any:
    """Give a slot's value to a person and remember what it was.

    Parameters
    ----------
    slot : Slot
        Its value is there.
    is_stored : bool
        Whether the value has just been loaded, so that what it was can be looked up when somebody asks. To digest a mapped array
        would read it all.
    """
    if slot.held is None and not is_atom(slot.value):
        slot.held = AS_STORED if is_stored else _mark(slot.value)
    return slot.value


def is_unchanged(slot: Slot, load_again: Callable[[Slot], Any]) -> bool:
    """Return whether a held value is still what it was when it was given out.

    Parameters
    ----------
    slot : Slot
        May hold a value.
    load_again : callable
        Loads the value of a slot from its artifact.
    """
    if slot.held == AS_STORED:
        try:
            slot.held = _mark(load_again(slot))
        except CurifactoryError:
            # What it was cannot be told any more, and a guess could be stale.
            slot.held = UNKNOWABLE
    return slot.held is None or (slot.held != UNKNOWABLE and _mark(slot.value) == slot.held)


def _mark(value: Any) -> str:
    try:
        return digest(value, path="value", as_read=True)
    except UnidentifiableError:
        pass
    try:
        # Pickles of one object in one process differ only if the object does, or needlessly: then the reader reruns.
        return "pickle:" + hashlib.sha256(pickle.dumps(value, protocol=5)).hexdigest()
    except Exception:  # noqa: BLE001 - whatever a person's __reduce__ raises, the value cannot be compared
        return UNKNOWABLE

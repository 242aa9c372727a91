"""What belongs to a process stays with it: a child that is forked leaves locks, connections and folders to its parent."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Owner(Protocol):
    """Has something that only the process which has opened it may use or let go of."""

    def leave_to_parent(self) -> None:
        """Know nothing of it any more, in a child process that was just forked."""


def stays_here(owner: Owner) -> None:
    """Have an object leave to its process what it owns, in each child that is forked from it.

    Examples
    --------
    >>> class Door:
    ...     def leave_to_parent(self):
    ...         self.key = None
    >>> door = Door()
    >>> stays_here(door)
    """
    _owners.add(owner)


def _leave_to_parents() -> None:
    for owner in list(_owners):
        owner.leave_to_parent()


_owners: weakref.WeakSet[Owner] = weakref.WeakSet()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parents)

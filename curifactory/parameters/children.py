"""Reads in processes that a stage has forked: a child can tell its parent no more than that it has read something."""

from __future__ import annotations

import os
from typing import Any

#: Kinds of what a child has read: of parameters, or anything else that a stage is given.
PARAMETERS, ANYTHING = 0, 1


class Children:
    """Counts what children of this process have read of what stages were given here.

    Attributes
    ----------
    generation : int
        How many forks lie between the first process and this one; whoever has another one was made by a parent.
    page : bytes or memory map
        For each kind a number that is another one as soon as a child has read something.

    Examples
    --------
    >>> children = Children()
    >>> children.generation, children.count(PARAMETERS)
    (0, 0)
    """

    __slots__ = ("_above", "generation", "page")

    def __init__(self) -> None:
        self.generation = 0
        self.page: Any = bytes(2)
        self._above: tuple[Any, ...] = ()

    def count(self, kind: int) -> int:
        """Return the number of a kind."""
        return int(self.page[kind])

    def tell(self, kind: int) -> None:
        """Tell the processes above this one that something of theirs is read here."""
        for page in self._above:
            page[kind] = (page[kind] + 1) % 256

    def prepare(self) -> None:
        """Make a page of memory that a child shares with this process."""
        if isinstance(self.page, bytes):
            import mmap

            self.page = mmap.mmap(-1, 2)

    def begin(self) -> None:
        """Be a child: what was made above this process is read for others."""
        self.generation += 1
        self._above = (*self._above, self.page)
        self.page = bytes(2)


CHILDREN = Children()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=CHILDREN.prepare, after_in_child=CHILDREN.begin)

"""The state of a record: names bound to slots, each binding numbered so that a late call sees what it was made with."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, Protocol

from curifactory.core.lazy import Lazy
from curifactory.core.spec import OutputSpec
from curifactory.errors import MissingInputError

#: Gives the next number of the process-wide order of bindings and calls.
next_number: Callable[[], int] = itertools.count(1).__next__


class Producer(Protocol):
    """The call behind a slot, as the state sees it."""

    index: int

    def hand_out(self, slot: Slot) -> Any:
        """Return the slot's value to a person; executes or loads what that needs."""
        ...

    def bound_cacher(self, slot: Slot) -> Any:
        """Return the placed cacher of the slot's artifact, or None."""
        ...


class Slot:
    """One output of one call, or a value that a person put in by hand.

    Attributes
    ----------
    output : OutputSpec
        Name of the output, and whether it is lazy.
    producer : Producer or None
        The call that makes it; None for a value put in by hand.
    value : Any
        The value, if ``present``.
    present : bool
        Whether the value is in memory.
    held : str or None
        Digest of the value when a person was given it; such a value may be changed in place afterwards.
    spilled : str or None
        File with the value, if it lies neither in memory nor in the cache.
    number : int
        Moment in the process-wide order of bindings and calls from which on its name is bound to it; 0 before that.
    before : Slot or None
        What the name was bound to before.
    """

    __slots__ = (
        "before",
        "held",
        "number",
        "output",
        "position",
        "present",
        "producer",
        "spilled",
        "value",
    )

    def __init__(
        self,
        output: OutputSpec,
        producer: Producer | None = None,
        position: int = 0,
        number: int = 0,
    ) -> None:
        self.output = output
        self.producer = producer
        self.position = position
        self.value: Any = None
        self.present = False
        self.held: str | None = None
        self.spilled: str | None = None
        self.number = number
        self.before: Slot | None = None

    @classmethod
    def of_value(cls, name: str, value: Any) -> Slot:
        """Return a slot that holds a value put in by hand."""
        slot = cls(OutputSpec(name))
        slot.value = value
        slot.present = True
        return slot

    @property
    def name(self) -> str:
        """Name of the output."""
        return self.output.name

    @property
    def lazy(self) -> bool:
        """Whether it stays on disk until it is used."""
        return self.output.lazy

    @property
    def resolve(self) -> bool:
        """Whether a lazy one gives its value where it is read, not its handle."""
        return self.output.resolve

    def load(self) -> Any:
        """Return the value to a person."""
        return self.value if self.producer is None else self.producer.hand_out(self)

    def bound_cacher(self) -> Any:
        """Return the cacher of the artifact, placed where its files lie."""
        return None if self.producer is None else self.producer.bound_cacher(self)


class Deletion(Slot):
    """Stands where a name is bound to nothing any more."""

    __slots__ = ()


class State(MutableMapping[str, Any]):
    """What a record holds by name. Reads like a dictionary of values; nothing is computed until it is read.

    ``len``, ``in`` and ``keys()`` know declared names without executing anything; reading a value, printing the state or
    going through ``values()`` and ``items()`` executes or loads what that needs.

    Attributes
    ----------
    resolve : bool
        Whether reading a lazy entry gives its value (True) or its :class:`Lazy` handle.

    Examples
    --------
    >>> state = State()
    >>> state["x"] = 1
    >>> state
    {'x': 1}
    """

    __slots__ = ("_bindings", "resolve")

    def __init__(self) -> None:
        self._bindings: dict[str, Slot] = {}
        self.resolve = True

    @property
    def bindings(self) -> dict[str, Slot]:
        """What each name is bound to; a view of a state shares it."""
        return self._bindings

    def bind(self, name: str, slot: Slot | None) -> None:
        """Bind a name to a new slot from now on, or to none any more; earlier calls keep what they saw."""
        if slot is None:
            slot = Deletion(OutputSpec(name))
        slot.before = self._bindings.get(name)
        slot.number = slot.number or next_number()
        self._bindings[name] = slot

    def find_slot(self, name: str, before: int | None = None) -> Slot | None:
        """Return the slot of a name, as it is or as it was before a moment; None if there is none."""
        slot = self._bindings.get(name)
        if before is not None:
            while slot is not None and slot.number >= before:
                slot = slot.before
        return None if slot.__class__ is Deletion else slot

    def slots(self, before: int | None = None) -> dict[str, Slot]:
        """Return all bound names with their slots."""
        found = ((name, self.find_slot(name, before)) for name in self._bindings)
        return {name: slot for name, slot in found if slot is not None}

    def copy_bindings(self, other: State) -> None:
        """Bind all names of another state to the same slots; handles are shared, values are not copied."""
        self._bindings.update(other.slots())

    def read_slot(self, slot: Slot) -> Any:
        """Return what reading a slot gives here: its value or its handle."""
        if slot.lazy and not (self.resolve and slot.resolve):
            return Lazy.of(slot, slot.name, resolve=slot.resolve)
        return slot.load()

    def __getitem__(self, name: str) -> Any:
        slot = self.find_slot(name)
        if slot is None:
            raise MissingInputError(
                f"The state has no '{name}'.", hint=f"It has: {', '.join(map(repr, self)) or 'nothing yet'}."
            )
        return self.read_slot(slot)

    def __setitem__(self, name: str, value: Any) -> None:
        self.bind(name, Slot.of_value(name, value))

    def __delitem__(self, name: str) -> None:
        if self.find_slot(name) is None:
            raise MissingInputError(f"The state has no '{name}'.")
        self.bind(name, None)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.find_slot(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.slots())

    def __len__(self) -> int:
        return len(self.slots())

    def __repr__(self) -> str:
        return repr(dict(self))

"""The book of one fingerprint: the parts found so far, their names, places and digests, and what to look at again."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterable
from types import CellType, FunctionType
from typing import Any

MISSING: Any = object()
# What Python adds to classes that can be called or changes by itself; annotations are told by the text.
_UNTOLD = frozenset({"_abc_impl", "__annotate__", "__annotate_func__"})
# What holds methods and is called by nobody.
_NOT_CALLED = (classmethod, functools.cached_property, functools.singledispatchmethod, property)


class Ledger:
    """Gives each thing that is reached a name of its own and keeps what is known of it."""

    def __init__(self) -> None:
        self.parts: dict[str, str] = {}
        self.places: dict[str, str] = {}
        self.notes: dict[str, None] = {}
        self.watches: list[Callable[[], bool]] = []
        #: Each says which file was changed that code reads when it is executed, not before; None if it is as it was.
        self.read_late: list[Callable[[], str | None]] = []
        #: Each says which file was found only when code was executed, so that nobody knew what it says.
        self.found_late: list[Callable[[], str | None]] = []
        self._names: list[tuple[dict[str, Any], str, Any]] = []
        self._functions: list[tuple[FunctionType, Any, Any, Any]] = []
        self._labels: dict[Any, str] = {}
        self._kept: list[Any] = []
        self._taken: dict[str, int] = {}

    def find_label(self, thing: Any) -> str | None:
        """Return the name that a thing has been given, if any."""
        return self._labels.get(id(thing))

    def label(self, thing: Any, wanted: str) -> tuple[str, bool]:
        """Return the name of a thing and whether it is new; things of the same name are numbered in their order."""
        known = self._labels.get(id(thing))
        if known is not None:
            return known, False
        count = self._taken[wanted] = self._taken.get(wanted, 0) + 1
        label = wanted if count == 1 else f"{wanted}#{count}"
        self._labels[id(thing)] = label
        # Kept, so that no other thing gets its id.
        self._kept.append(thing)
        return label, True

    def put(self, label: str, content: Iterable[str], place: str = "") -> None:
        """Enter a part: what it consists of, and where it stands."""
        whole = hashlib.sha256()
        for item in content:
            data = item.encode("utf-8", "surrogatepass")
            whole.update(b"%d:%b" % (len(data), data))
        self.parts[label] = whole.hexdigest()
        if place:
            self.places[label] = place

    def drop(self, label: str) -> None:
        """Leave out a part that was entered."""
        self.parts.pop(label, None)
        self.places.pop(label, None)

    def note(self, text: str) -> None:
        """Enter something that people should know, once."""
        self.notes[text] = None

    def watch_name(self, namespace: dict[str, Any], name: str) -> None:
        """Look again whether a namespace still has the same object under a name."""
        self._names.append((namespace, name, namespace.get(name, MISSING)))

    def watch_function(self, function: FunctionType) -> None:
        """Look again whether a function still has its code and defaults."""
        parts = function.__code__, function.__defaults__, function.__kwdefaults__
        self._functions.append((function, *parts))

    def watch_cell(self, cell: CellType) -> None:
        """Look again whether a closure's variable still has the same object."""
        content = content_of(cell)
        self.watches.append(lambda: content_of(cell) is content)

    def watch_class(self, cls: type, names: tuple[str, ...]) -> None:
        """Look again whether a class still has the same attributes."""
        items = tuple(cls.__dict__.get(name) for name in names)

        def is_same() -> bool:
            now = cls.__dict__
            return public_names(cls) == names and all(
                now.get(name) is item for name, item in zip(names, items, strict=True)
            )

        self.watches.append(is_same)

    def surprise(self) -> str | None:
        """Say of a file that code has read when it was executed why it is not the one that counts; None if there is none."""
        for changed in self.read_late:
            path = changed()
            if path is not None:
                return f"{path} was changed while it was executed, or shortly before"
        for found in self.found_late:
            path = found()
            if path is not None:
                return f"{path} was not to be found before it was executed"
        return None

    def is_current(self) -> bool:
        """Whether everything that was looked at is still what it was."""
        for namespace, name, thing in self._names:
            if namespace.get(name, MISSING) is not thing:
                return False
        for function, code, defaults, keywords in self._functions:
            if function.__code__ is not code or function.__defaults__ is not defaults:
                return False
            if function.__kwdefaults__ is not keywords:
                return False
        for is_same in self.watches:  # noqa: SIM110 - a loop is half as long as a generator, and each call asks
            if not is_same():
                return False
        return True


def content_of(cell: CellType) -> Any:
    """Return what a closure's variable holds; ``MISSING`` if it holds nothing yet."""
    try:
        return cell.cell_contents
    except ValueError:
        return MISSING


def _is_member(item: Any) -> bool:
    # Python makes class methods of `__class_getitem__` and `__init_subclass__`, and those cannot be called by themselves.
    return callable(item) or isinstance(item, _NOT_CALLED)


def public_names(cls: type) -> tuple[str, ...]:
    """Return the names of the attributes of a class itself that people give, and of its special methods."""
    return tuple(
        name
        for name, item in cls.__dict__.items()
        if not (name.startswith("__") and name.endswith("__") and not _is_member(item))
        and name not in _UNTOLD
    )

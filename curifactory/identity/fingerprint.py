"""Fingerprints of code: one digest over a function and all of the project that it reaches, and the parts it is made of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from curifactory.identity.project_scope import Scope
from curifactory.identity.reach import Reach, stage_spec

__all__ = [
    "Fingerprint",
    "Scope",
    "Taken",
    "class_fingerprint",
    "code_digest",
    "compare",
    "does_something",
    "fingerprint",
    "hold_changed_globals",
    "take",
]

_VARIANTS = 8


class Fingerprint(NamedTuple):
    """The identity of a function's code.

    Parameters
    ----------
    digest : str
        64 hex digits over all parts.
    parts : mapping of str to str
        Digest of each function, class, constant and declared dependency by its name, such as ``helpers.clean``.
    places : mapping of str to str
        Where a part stands, such as ``features.py:14``; relative to the project's root.
    notes : tuple of str
        What people should know, such as that a whole module counts because names are looked up at run time.
    """

    digest: str
    parts: Mapping[str, str]
    places: Mapping[str, str]
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Taken:
    """A fingerprint that was taken, with what it takes to see whether it still holds.

    Parameters
    ----------
    scope, depends, version
        As in :func:`fingerprint`.
    reach : Reach
        What the code comes to.
    result : Fingerprint or None
        None of a thing that is known by its name alone, as it is not the project's code.
    """

    scope: Scope
    depends: tuple[Any, ...]
    version: Any
    reach: Reach
    result: Fingerprint | None = field(default=None)

    def is_current(self) -> bool:
        """Whether everything that the code comes to is still what it was."""
        return self.reach.ledger.is_current()

    def answers(self, scope: Scope, depends: tuple[Any, ...], version: Any) -> bool:
        """Whether this is what was asked for."""
        return (
            (self.scope is scope or self.scope == scope)
            and len(self.depends) == len(depends)
            and all(known is asked for known, asked in zip(self.depends, depends, strict=True))
            and (self.version is version or (type(self.version) is type(version) and self.version == version))
        )


_entries: WeakKeyDictionary[Any, list[Taken]] = WeakKeyDictionary()


def fingerprint(
    function: Any, *, scope: Scope, depends: Sequence[Any] = (), version: Any = None
) -> Fingerprint:
    """Take the fingerprint of a function: its own code and everything of the project that it reaches.

    It does not change with comments, docstrings, formatting or lines; it changes with every helper, class, constant,
    default and closure that the function can come to. The result is remembered; what could have changed since (names
    bound anew, code patched, constants changed in place) is looked at each time.

    Parameters
    ----------
    function : callable
        A function, a decorated stage, a partial, a method, or an instance that can be called.
    scope : Scope
        What counts as the project.
    depends : sequence, optional
        What the code does not show: paths of files or folders, names of packages or modules, or values.
    version : Any, optional
        A value that people change to say that results made before are no longer good.

    Returns
    -------
    Fingerprint
        Equal code gives an equal digest in any process.

    Raises
    ------
    DefinitionError
        If an item of `depends` is neither a path, nor a package, nor a value that can be identified.

    Examples
    --------
    >>> from pathlib import Path
    >>> def square(x):
    ...     return x * x
    >>> taken = fingerprint(square, scope=Scope(Path.cwd()))
    >>> len(taken.digest), len(taken.parts)
    (64, 1)
    """
    result = take(function, scope=scope, depends=depends, version=version).result
    if result is None:
        raise AssertionError("A fingerprint was asked for of something that is known by its name alone.")
    return result


def take(function: Any, *, scope: Scope, depends: Sequence[Any] = (), version: Any = None) -> Taken:
    """Take a fingerprint as :func:`fingerprint` does, for who asks again and again whether it still holds.

    Examples
    --------
    >>> from pathlib import Path
    >>> taken = take(take, scope=Scope(Path.cwd()))
    >>> taken.is_current(), taken.result == fingerprint(take, scope=Scope(Path.cwd()))
    (True, True)
    """
    return _entry(function, scope, tuple(depends), version)


def class_fingerprint(cls: type, *, scope: Scope) -> str | None:
    """Return the fingerprint of a class with its methods, bases and metaclass; None if it is not the project's code.

    Examples
    --------
    >>> from pathlib import Path
    >>> class_fingerprint(dict, scope=Scope(Path.cwd())) is None
    True
    """
    return code_digest(cls, scope=scope)


def code_digest(thing: Any, *, scope: Scope) -> str | None:
    """Return the digest of the code of a function, class or module; None if its qualified name says enough.

    Examples
    --------
    >>> import math
    >>> from pathlib import Path
    >>> code_digest(math.sqrt, scope=Scope(Path.cwd())) is None
    True
    """
    result = _entry(thing, scope, (), None, by_name=True).result
    return None if result is None else result.digest


def compare(old: Mapping[str, str], new: Fingerprint) -> list[tuple[str, str, str]]:
    """Name what differs between the parts of an earlier fingerprint and a new one.

    Returns
    -------
    list of tuple
        Part, what happened to it (``changed``, ``added`` or ``removed``), and its place, empty if that is not known.
        Changed parts come first: what was added or removed usually follows from them.

    Examples
    --------
    >>> new = Fingerprint("…", {"a.f": "1", "a.h": "3"}, {"a.h": "a.py:9"})
    >>> compare({"a.f": "0", "a.g": "2"}, new)
    [('a.f', 'changed', ''), ('a.h', 'added', 'a.py:9'), ('a.g', 'removed', '')]
    """
    places = new.places
    changed = [part for part in sorted(new.parts) if part in old and old[part] != new.parts[part]]
    added = [part for part in sorted(new.parts) if part not in old]
    removed = [part for part in sorted(old) if part not in new.parts]
    return [
        (part, what, places.get(part, ""))
        for what, parts in (("changed", changed), ("added", added), ("removed", removed))
        for part in parts
    ]


def does_something(scope: Scope) -> bool:
    """Whether the modules from which everything is imported count for all code: by what they do when they are imported.

    Examples
    --------
    >>> from pathlib import Path
    >>> does_something(Scope(Path.cwd()))
    False
    """
    reach = Reach(scope)
    reach.entrances.enter(scope.entrances)
    reach.run()
    return bool(reach.ledger.parts)


def hold_changed_globals(function: Any, *, scope: Scope) -> tuple[str, ...]:
    """Say that what has happened to the reached globals since the last fingerprint was done by the stages themselves.

    To be called after a stage was executed. A global that it has changed is a memo: from now on it counts in this
    process by the digest that it had before.

    Returns
    -------
    tuple of str
        The parts that have changed; empty if there are none.

    Examples
    --------
    >>> from pathlib import Path
    >>> hold_changed_globals(fingerprint, scope=Scope(Path.cwd()))
    ()
    """
    changed: list[str] = []
    for entry in _entries.get(function, ()):
        if entry.scope is scope or entry.scope == scope:
            changed += entry.reach.data.hold_changed()
    return tuple(dict.fromkeys(changed)) if changed else ()


def _entry(
    thing: Any, scope: Scope, depends: tuple[Any, ...], version: Any, *, by_name: bool = False
) -> Taken:
    remembered = isinstance(thing, (FunctionType, type, ModuleType))
    entries = _entries.get(thing, []) if remembered else []
    for entry in entries:
        if entry.answers(scope, depends, version):
            if entry.is_current():
                return entry
            entries.remove(entry)
            break
    entry = _take(thing, scope, depends, version, by_name=by_name)
    if remembered:
        _entries[thing] = [entry, *entries[: _VARIANTS - 1]]
    return entry


def _take(thing: Any, scope: Scope, depends: tuple[Any, ...], version: Any, *, by_name: bool) -> Taken:
    reach = Reach(scope)
    entry = Taken(scope, depends, version, reach)
    thing = _decorated(thing)
    label = reach.label_of(thing)
    if label is None and by_name:
        return entry
    ledger = reach.ledger
    if label is None:
        label = getattr(thing, "__qualname__", type(thing).__qualname__)
        ledger.put(label, [reach.data.value(thing)])
    reach.declared.declare(depends)
    if not by_name and scope.entrances:
        reach.later(lambda: reach.entrances.enter(scope.entrances))
    if version is not None:
        ledger.put("version", [reach.data.value(version)])
    reach.run()
    whole = hashlib.sha256(label.encode())
    for part, digest in sorted(ledger.parts.items()):
        whole.update(f"\n{part}\0{digest}".encode("utf-8", "surrogatepass"))
    entry.result = Fingerprint(
        whole.hexdigest(),
        dict(ledger.parts),
        dict(ledger.places),
        tuple(ledger.notes),
    )
    return entry


def _decorated(thing: Any) -> Any:
    """Return the stage that a bare function was decorated as, whose arguments count too."""
    if not isinstance(thing, FunctionType) or stage_spec(thing) is not None:
        return thing
    wrapper = thing.__globals__.get(thing.__name__)
    spec = stage_spec(wrapper)
    return wrapper if spec is not None and spec.function is thing else thing

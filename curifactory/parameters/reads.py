"""``ReadLog``: what one call read of a parameter set, as paths.

A path is one of

- ``n``, ``model.lr``: the value of an attribute, with all that is in it; or that there is no such attribute
- ``type:model``: which class the value is an instance of (``type:`` alone: the set itself)
- ``fields:model``: which fields it has
- ``code:model.area``: the code of a property or method
- ``members:model``: which methods and attributes its class has
- ``doc:model``: the docstring of its class
- ``derived:model``: the classes that are derived from its class
- ``class:model``: the code of its class, with all that is in it
- ``*``: the whole set
- ``object:``: the whole set with the code of its classes
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from curifactory.parameters.children import CHILDREN, PARAMETERS
from curifactory.parameters.class_questions import CLASS, DERIVED, DOC, MEMBERS, TYPE, paths_asked
from curifactory.parameters.holders import are_held
from curifactory.parameters.values import find_value, is_fixed, stored_attributes

if TYPE_CHECKING:
    from curifactory.parameters.digests import SetDigests

WHOLE = "*"
FIELDS = "fields:"
CODE = "code:"
OBJECT = "object:"
#: Beginnings of paths that lead to no value.
NO_VALUES = (CLASS, CODE, DERIVED, DOC, FIELDS, MEMBERS, OBJECT, TYPE)

#: Fields of a set that are no part of its identity, but count when they are read by name.
_BY_NAME_ONLY = frozenset({"name", "hash", "overwrite"})


class ReadLog:
    """What one call has read of one parameter set, filled by the views of :func:`curifactory.parameters.view.track`.

    Parameters
    ----------
    digests : SetDigests, optional
        What is known of the set's digests already; spares digesting big values again.

    Attributes
    ----------
    whole : bool
        Whether the set was read as a whole.
    values : dict of str to Any
        The fixed values that were read, by path; views write into it.

    Examples
    --------
    >>> log = ReadLog()
    >>> log.note("model.lr")
    >>> sorted(log.paths())
    ['model.lr']
    """

    __slots__ = (
        "_asked",
        "_asked_before",
        "_asked_inside",
        "_digests",
        "_mutable",
        "_notes",
        "_told_before",
        "_views",
        "generation",
        "values",
        "whole",
    )

    def __init__(self, digests: SetDigests | None = None) -> None:
        self.whole = False
        self.values: dict[str, Any] = {}
        self._mutable: dict[str, str | None] = {}
        self._notes: set[str] = set()
        self._digests = digests
        self._views: list[tuple[weakref.ref[Any], Any, str]] = []
        # What was asked of the types of views: of the set's own, and of those inside of it with their paths.
        self._asked: list[int] | None = None
        self._asked_before = 0
        self._asked_inside: list[tuple[list[int], int, str]] = []
        #: Of the process that it was made in; a child has another one.
        self.generation = CHILDREN.generation
        self._told_before = CHILDREN.count(PARAMETERS)

    def paths(self) -> frozenset[str]:
        """Return everything that was read; a whole read stands for all fields but the framework's own."""
        found = set(self._notes)
        if self._asked is not None and self._asked[0] != self._asked_before:
            found.update(paths_asked(self._asked[0] - self._asked_before, ""))
        for asked, before, path in self._asked_inside:
            found.update(paths_asked(asked[0] - before, path))
        if not self.whole:
            found.update(self.values, self._mutable)
            return frozenset(found)
        if OBJECT in found:
            # With the code of its class, and of those inside of it.
            found.discard(CLASS)
        else:
            found.add(WHOLE)
        found.update(path for path in self.values if path.rpartition(".")[2] in _BY_NAME_ONLY)
        return frozenset(found)

    def note(self, path: str) -> None:
        """Count a path as read."""
        self._notes.add(path)
        if self.generation != CHILDREN.generation:
            CHILDREN.tell(PARAMETERS)

    def note_whole(self) -> None:
        """Count the set as read as a whole: its values, not its name and not the code of its classes."""
        self.whole = True

    def note_value(self, path: str, value: Any) -> None:
        """Count a value as read that is handed out as it is; of one that can change its digest is remembered."""
        if self.generation != CHILDREN.generation:
            CHILDREN.tell(PARAMETERS)
        if is_fixed(value):
            self.values[path] = value
        elif path not in self._mutable:
            self._mutable[path] = self._digest_before(path, value)

    def note_object(self, plain: Any, prefix: str, *, shared: bool = False) -> None:
        """Count an object as read whole, with its class: it, or a copy, goes where reads are not seen.

        Parameters
        ----------
        plain : Any
            The parameter set, or a dataclass inside of it.
        prefix : str
            Path of the object followed by a dot; empty for the set.
        shared : bool
            Whether what was handed out shares its mutable values with the object.
        """
        if self.generation != CHILDREN.generation:
            CHILDREN.tell(PARAMETERS)
        framework: frozenset[str] = getattr(type(plain), "__framework_fields__", frozenset())
        self._notes.update(prefix + name for name in _BY_NAME_ONLY & framework)
        if prefix:
            self._notes.add(prefix[:-1])
        else:
            self.whole = True
            self._notes.add(OBJECT)
        if shared:
            for name in stored_attributes(plain):
                value = getattr(plain, name, None)
                if not is_fixed(value) and prefix + name not in self._mutable:
                    self._mutable[prefix + name] = self._digest_before(prefix + name, value)

    def note_view(self, view: Any, plain: Any, prefix: str, *, asked: list[int]) -> None:
        """Remember, weakly, a view that reports to this log; ``asked`` counts questions that its type was asked."""
        self._views.append((weakref.ref(view), plain, prefix))
        if prefix:
            self._asked_inside.append((asked, asked[0], prefix[:-1]))
        else:
            self._asked = asked
            self._asked_before = asked[0]

    def escaped(self, *, took_s: float = 0.0) -> bool:
        """Say whether a view is still held by anything, now that its call is over.

        What an escaped view shows can be read later without anybody noticing, so all of it counts as read from now on.
        The caller must have dropped its own references to the views.

        Parameters
        ----------
        took_s : float
            As of :func:`~curifactory.parameters.holders.are_held`.

        Returns
        -------
        bool
            True if a view has escaped.
        """
        if CHILDREN.count(PARAMETERS) != self._told_before:
            # What a forked process has read it could not note here.
            for _, plain, prefix in self._views:
                self.note_object(plain, prefix)
        for reference, _, _ in self._views:
            if reference() is not None:
                break
        else:
            return False
        if not are_held([reference for reference, _, _ in self._views], took_s=took_s):
            return False
        for reference, plain, prefix in self._views:
            if reference() is not None:
                self.note_object(plain, prefix)
        return True

    def changed(self, params: Any) -> list[str]:
        """Find the values that were read and are no longer what they were.

        Parameters
        ----------
        params : Any
            The parameter set itself, not a view of it.

        Returns
        -------
        list of str
            Paths, sorted. What cannot be identified cannot be compared and is left out.
        """
        found = []
        for path, value in self.values.items():
            now = find_value(params, path)
            if now is not value and (
                type(now) is not type(value) or self._digest(now) != self._digest(value)
            ):
                found.append(path)
        for path, before in self._mutable.items():
            if before is not None and self._digest(find_value(params, path)) != before:
                found.append(path)
        found.sort()
        return found

    def _digest_before(self, path: str, value: Any) -> str | None:
        return self._digest(value) if self._digests is None else self._digests.of_value(path, value)

    def _digest(self, value: Any) -> str | None:
        from curifactory.parameters.digests import digest_or_none

        return digest_or_none(value, scope=None if self._digests is None else self._digests.scope)

"""What the paths of a read log are worth for a given parameter set: one digest for each, computed once."""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Iterable, Mapping
from types import MemberDescriptorType
from typing import Any

from curifactory.errors import UnidentifiableError
from curifactory.identity.canonical import digest
from curifactory.identity.fields import layout_of
from curifactory.identity.ledger import public_names
from curifactory.identity.parameters import set_digest
from curifactory.identity.project_scope import Scope
from curifactory.parameters.class_questions import CLASS, DERIVED, DOC, MEMBERS, TYPE
from curifactory.parameters.parts import grows
from curifactory.parameters.reads import CODE, FIELDS, OBJECT, WHOLE
from curifactory.parameters.values import ABSENT, find_member, find_value, representations_of

_REPRESENTATIONS = "hash_representations"


class SetDigests:
    """The digests of what can be read of one parameter set, each computed when it is first asked for.

    Parameters
    ----------
    params : Any
        The set itself, not a view. It must not be changed as long as this is used.
    scope : Scope, optional
        What counts as the project's own code, for values that are functions, classes or objects.

    Examples
    --------
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> digests = SetDigests(ExperimentParameters(name="small"))
    >>> digests.of("name") == SetDigests(ExperimentParameters(name="large")).of("name")
    False
    >>> digests.of("momentum")
    'absent'
    """

    __slots__ = ("_of_classes", "_params", "_representations", "_values", "known", "scope")

    def __init__(self, params: Any, *, scope: Scope | None = None) -> None:
        self.scope = scope
        self._params = params
        #: What :meth:`of` has given until now, by path.
        self.known: dict[str, str | None] = {}
        # What the set itself says of its fields.
        self._representations: Mapping[str, Any] | None = None
        # Of values that lie in it; of most sets nobody asks for any.
        self._values: dict[str, str | None] | None = None
        # Paths that lead into a class, which may be changed while the set stays what it is.
        self._of_classes: list[str] = []

    def of(self, path: str) -> str | None:
        """Return the digest of what a path of a :class:`ReadLog` leads to.

        Parameters
        ----------
        path : str
            As in :mod:`curifactory.parameters.reads`.

        Returns
        -------
        str or None
            64 hexadecimal digits, or ``absent``; None if the set's ``hash_representations`` leave the field out.

        Raises
        ------
        UnidentifiableError
            If the value has no identity; the message names the path.
        """
        found = self.known.get(path)
        if found is None and path not in self.known:
            is_value = ":" not in path and path != WHOLE
            if not is_value and path != WHOLE:
                self._of_classes.append(path)
            found = self.known[path] = self._digest_value(path) if is_value else self._compute(path)
        return found

    def look_again(self) -> None:
        """Take for unknown what was read of classes: a session may have changed them, by hand or by loading a module anew."""
        for path in self._of_classes:
            self.known.pop(path, None)
        self._of_classes.clear()

    def of_all(self, paths: Iterable[str]) -> dict[str, str]:
        """Return the digests of several paths, sorted by path, without those that make no difference.

        Raises
        ------
        UnidentifiableError
            If one of the values has no identity.
        """
        found = {}
        for path in sorted(paths):
            value = self.of(path)
            if value is not None:
                found[path] = value
        return found

    def of_value(self, path: str, value: Any) -> str | None:
        """Return the digest of a value that lies at a path, whatever stands for it; None if it has no identity."""
        if self._values is None:
            self._values = {}
        if path not in self._values:
            self._values[path] = digest_or_none(value, scope=self.scope)
        return self._values[path]

    def _compute(self, path: str) -> str | None:
        if path == WHOLE:
            return set_digest(self._params, scope=self.scope)
        if path == OBJECT:
            return digest(self._params, path="params", scope=self.scope)
        kind, colon, rest = path.partition(":")
        digest_of = _KINDS.get(kind + colon)
        return self._digest_value(path) if digest_of is None else digest_of(self._params, rest, self.scope)

    def _digest_value(self, path: str) -> str | None:
        value = self._params
        representations = self._representations
        if representations is None:
            representations = self._representations = representations_of(value)
        for place, name in enumerate(path.split(".")):
            if place:
                representations = representations_of(value)
            # How fields count makes no difference beside the fields that count so.
            if name == _REPRESENTATIONS and representations:
                return None
            if name in representations:
                function = representations[name]
                if function is None:
                    return None
                return digest(_represent(value, name, function, path), path=path, scope=self.scope)
            if not _is_its_own(value, name):
                self._of_classes.append(path)
            value = getattr(value, name, ABSENT)
            if value is ABSENT:
                return "absent"
        known = None if self._values is None else self._values.get(path)
        return digest(value, path=path, scope=self.scope) if known is None else known


def _is_its_own(value: Any, name: str) -> bool:
    """Whether an object itself holds a value under a name, in its dictionary or in a slot, and not its class."""
    if name in getattr(value, "__dict__", ()):
        return True
    return isinstance(getattr(type(value), name, None), MemberDescriptorType)


def digest_or_none(value: Any, *, scope: Scope | None = None) -> str | None:
    """Return the digest of a value, None if it has no identity."""
    try:
        return digest(value, scope=scope)
    except UnidentifiableError:
        return None


def _represent(owner: Any, name: str, function: Any, path: str) -> Any:
    try:
        return function(owner, getattr(owner, name, None))
    except Exception as error:
        raise UnidentifiableError(
            f"The hash function of '{path}' raised {type(error).__name__}: {error}",
            hint="It is called with the parameter set and the value.",
        ) from error


def _digest_type(params: Any, path: str, scope: Scope | None) -> str:
    value = find_value(params, path)
    if value is ABSENT:
        return "absent"
    inside = scope or Scope.unbounded()
    # With the classes that it comes from: `isinstance` asks for any of them.
    return digest(
        [(inside.module_name(cls.__module__), cls.__qualname__) for cls in type(value).__mro__[:-1]]
    )


def _digest_class(params: Any, path: str, scope: Scope | None) -> str:
    value = find_value(params, path)
    return "absent" if value is ABSENT else digest(type(value), path=CLASS + path, scope=scope)


def _digest_members(params: Any, path: str, scope: Scope | None) -> str:
    value = find_value(params, path)
    if value is ABSENT:
        return "absent"
    # `__hash__ = None` says that there is none; of a package's classes the name says enough.
    return digest(
        [
            sorted(name for name in public_names(cls) if vars(cls)[name] is not None)
            for cls in type(value).__mro__
            if _is_own(cls, scope)
        ]
    )


def _digest_derived(params: Any, path: str, scope: Scope | None) -> str:
    value = find_value(params, path)
    if value is ABSENT:
        return "absent"
    found = [type(value)]
    for cls in found:
        found += [each for each in type.__subclasses__(cls) if each not in found and _is_own(each, scope)]
    return digest(found, path=DERIVED + path, scope=scope)


def _is_own(cls: type, scope: Scope | None) -> bool:
    module = sys.modules.get(cls.__module__)
    return scope is None or scope.contains_module(cls.__module__, {} if module is None else vars(module))


def _digest_docstring(params: Any, path: str, scope: Scope | None) -> str:
    value = find_value(params, path)
    return "absent" if value is ABSENT else digest([vars(cls).get("__doc__") for cls in type(value).__mro__])


def _digest_fields(params: Any, path: str, scope: Scope | None) -> str:
    value = find_value(params, path)
    if not dataclasses.is_dataclass(value):
        layout = layout_of(type(value))
        return "absent" if layout is None else digest(layout.names, scope=scope)
    rows = []
    for field in dataclasses.fields(value):
        # Who goes through the fields sees more of them than their names; None stands for what has no identity.
        said = (field.default, field.default_factory, dict(field.metadata), field.type)
        rows.append((field.name, [digest_or_none(each, scope=scope) for each in said]))
    if grows(value):
        # Its class does not say which names it has.
        rows += [(name, []) for name in sorted(vars(value))]
    return digest(tuple(rows), scope=scope)


def _digest_code(params: Any, path: str, scope: Scope | None) -> str:
    owner_path, _, name = path.rpartition(".")
    owner = find_value(params, owner_path)
    member = ABSENT if owner is ABSENT else find_member(type(owner), name, ABSENT)
    if member is ABSENT:
        return "absent"
    if isinstance(member, functools.cached_property):
        member = member.func
    if isinstance(member, functools.singledispatchmethod):
        # Since Python 3.13 it remembers what was asked of which class, weakly, which is no part of its code.
        member = (member.func, member.dispatcher)
    return digest(member, path=CODE + path, scope=scope)


_KINDS = {
    CLASS: _digest_class,
    CODE: _digest_code,
    DERIVED: _digest_derived,
    DOC: _digest_docstring,
    FIELDS: _digest_fields,
    MEMBERS: _digest_members,
    TYPE: _digest_type,
}

"""The identity of a parameter set at one moment, and whether the set has been changed since."""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Callable, Mapping
from enum import Enum
from types import FunctionType
from typing import Any

from curifactory.errors import DefinitionError
from curifactory.identity.fields import layout_of
from curifactory.identity.fingerprint import Scope
from curifactory.identity.parameters import set_digest
from curifactory.parameters.digests import SetDigests, digest_or_none
from curifactory.parameters.shown import shown_reads

_is_same = operator.is_
_NO_REPRESENTATIONS = "hash_representations"
# Shared by all sets of which nothing can be changed in place; mappings are not written to.
_NOTHING: Mapping[str, str | None] = {}
# Values of these types cannot be changed in place, so that the same object is the same value.
_ATOMS = (int, float, complex, str, bytes, bool, type(None), type, FunctionType, Enum)
# Most values are of one of these, which is known sooner.
_EXACT_ATOMS = frozenset((int, float, str, bool, type(None)))


class ParameterIdentity:
    """What a parameter set was at one moment; only ``look`` goes on.

    Parameters
    ----------
    params : Any
        The set itself, None for a record without one.
    name : str
        Its name, ``"None"`` without a set.
    whole : str
        Digest of the whole set, 64 hex digits.
    short : str
        The hash that stands in file names: 32 hex digits, or what the person has preset.
    reads : SetDigests
        Digest of whatever can be read of it.
    snapshot : tuple
        The values of its fields.
    read : callable or None
        What reads the values of all fields of such a set at once, if there is such a way.
    mutable : mapping of str to str or None
        Digest of each field that can be changed in place; None of one that has no identity.
    scope : Scope
        What is the project's own code.
    look : int
        When its classes were looked at last.
    """

    __slots__ = ("look", "mutable", "name", "params", "read", "reads", "scope", "short", "snapshot", "whole")

    # Each record of a run has one, and a frozen dataclass takes four times as long.
    def __init__(
        self,
        params: Any,
        name: str,
        whole: str,
        short: str,
        reads: SetDigests,
        snapshot: tuple[Any, ...],
        read: Callable[[Any], tuple[Any, ...]] | None,
        mutable: Mapping[str, str | None],
        scope: Scope,
        look: int,
    ) -> None:
        self.params = params
        self.name = name
        self.whole = whole
        self.short = short
        self.reads = reads
        self.snapshot = snapshot
        self.read = read
        self.mutable = mutable
        self.scope = scope
        self.look = look

    def is_current(self) -> bool:
        """Whether the set still has the values that it had."""
        if not self.mutable:
            before = self.snapshot
            try:
                now = self.read(self.params) if self.read is not None else _values(self.params)
            except AttributeError:
                # A field has been deleted.
                now = ()
            if len(now) == len(before) and all(map(_is_same, before, now)):
                return True
        return not self.changed_fields()

    def changed_fields(self) -> list[str]:
        """Return the fields whose values are not what they were."""
        changed = []
        for name, before, now in zip(_names(self.params), self.snapshot, _values(self.params), strict=False):
            if name in self.mutable:
                if digest_or_none(now, scope=self.scope) != self.mutable[name]:
                    changed.append(name)
            elif before is not now and digest_or_none(before) != digest_or_none(now):
                changed.append(name)
        return changed

    def shown(self, paths: Any) -> dict[str, str]:
        """Return a short text of each value that lies at a path, for reasons that people read."""
        return {} if self.params is None else shown_reads(self.params, paths)


class ParameterIdentities:
    """Remembers the identity of each parameter set of a run, so that a set is digested once.

    Parameters
    ----------
    scope : Scope
        What is the project's own code.
    """

    __slots__ = ("_known", "_scope", "look")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        #: Counts how often code of the project may have been changed.
        self.look = 0
        self._known: dict[int, ParameterIdentity] = {}

    def of(self, params: Any, whole: str | None = None) -> ParameterIdentity:
        """Return the identity of a set as it is now.

        Parameters
        ----------
        params : Any
            The set.
        whole : str, optional
            Its digest, if another process has just taken it.

        Raises
        ------
        UnidentifiableError
            If a field has no identity that another process would agree on.
        """
        known = self._known.get(id(params))
        # An object that somebody holds keeps its id, so the entry is of this very object.
        if known is not None and known.is_current():
            if known.look != self.look:
                known.look = self.look
                known.reads.look_again()
            return known
        cls: Any = type(params)
        values = _values(params)
        mutable: dict[str, str | None] = {}
        for name, value in zip(_names(params), values):  # noqa: B905 - of a set that lacks fields there may be more
            if type(value) in _EXACT_ATOMS or (name == _NO_REPRESENTATIONS and not value):
                continue
            if not isinstance(value, _ATOMS):
                mutable[name] = digest_or_none(value, scope=self._scope)
        whole = whole or set_digest(params, scope=self._scope)
        identity = ParameterIdentity(
            params,
            str(getattr(params, "name", None)),
            whole,
            _short(params, whole),
            SetDigests(params, scope=self._scope),
            values,
            _reader(cls),
            mutable or _NOTHING,
            self._scope,
            self.look,
        )
        self._known[id(params)] = identity
        return identity


def changed_parameters(call: Any, params: Any, fields: list[str], when: str) -> DefinitionError:
    """Return the error of a parameter set that was changed, which names the fields."""
    return DefinitionError(
        f"The parameter set '{getattr(params, 'name', None)}' of '{call.name}' was changed {when}: "
        f"{', '.join(fields) or 'a field'}.",
        hint="Parameters are never changed; make another set with dataclasses.replace(params, …).",
    )


def _names(params: Any) -> tuple[str, ...]:
    cls = type(params)
    if getattr(cls, "__grows__", False):
        # Of a tree what it holds are its parameters.
        return tuple(vars(params))
    if dataclasses.is_dataclass(cls):
        return _field_names(cls)
    layout = layout_of(cls)
    return () if layout is None else layout.names


@functools.lru_cache(maxsize=256)
def _field_names(cls: type[Any]) -> tuple[str, ...]:
    # `__dataclass_fields__` would have the variables of the class, too, which a set can neither hold nor change.
    return tuple(field.name for field in dataclasses.fields(cls))


def _short(params: Any, whole: str) -> str:
    if params is None:
        return "None"
    preset = getattr(params, "hash", None)
    return preset if isinstance(preset, str) and preset else whole[:32]


def _values(params: Any) -> tuple[Any, ...]:
    cls: Any = type(params)
    read = _reader(cls)
    if read is not None:
        try:
            return read(params)
        except AttributeError:
            # A field that was never set, or has been deleted.
            pass
    return tuple([getattr(params, name, None) for name in _names(params)])


@functools.lru_cache(maxsize=256)
def _reader(cls: type[Any]) -> Callable[[Any], tuple[Any, ...]] | None:
    """Return what reads all fields of a set at once, None for a class that has fewer than two or not the same for all."""
    if not dataclasses.is_dataclass(cls) or getattr(cls, "__grows__", False):
        return None
    names = _field_names(cls)
    return operator.attrgetter(*names) if len(names) > 1 else None

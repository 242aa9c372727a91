"""What kind of thing a parameter's value is: fixed, followed by path, or handed out as it is."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import sys
from collections.abc import Mapping
from enum import Enum
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType
from typing import Any
from uuid import UUID

from curifactory.identity import fields
from curifactory.identity.fields import layout_of

#: Types whose values say all there is by themselves.
ATOMS = frozenset({bool, bytes, complex, float, int, str, type(None), type(...)})

#: Stands for an attribute, class or method that is not there.
ABSENT = type("Absent", (), {"__slots__": (), "__repr__": lambda self: "absent"})()

#: What :func:`default_of` returns for a field that must be given.
NO_DEFAULT = object()

_FIXED = (
    BuiltinFunctionType,
    Enum,
    FunctionType,
    PurePath,
    UUID,
    dt.date,
    dt.time,
    dt.timedelta,
    dt.timezone,
    range,
    type,
)
# These are slow to import, and nobody has values of them who has not done so.
_FIXED_ELSEWHERE = (("decimal", "Decimal"), ("fractions", "Fraction"))
_FIELDED = ("__dataclass_fields__", "__attrs_attrs__", "__pydantic_fields__")
_PLAIN_LOOKUP: Any = object.__getattribute__
_NOT_FOLLOWED = (
    BaseException,
    Enum,
    bytes,
    complex,
    dict,
    float,
    frozenset,
    int,
    list,
    set,
    str,
    tuple,
    type,
)


def is_fixed(value: Any) -> bool:
    """Say whether a value cannot be changed in place, so that holding it is enough to compare it later.

    Examples
    --------
    >>> is_fixed(5), is_fixed((1, "a")), is_fixed([1]), is_fixed(([],))
    (True, True, False, False)
    """
    if type(value) in ATOMS or isinstance(value, _FIXED):
        return True
    if type(value) in (tuple, frozenset):
        return all(map(is_fixed, value))
    return any(
        isinstance(value, getattr(sys.modules[module], name, ()))
        for module, name in _FIXED_ELSEWHERE
        if module in sys.modules
    )


def is_followed(value: Any) -> bool:
    """Say whether reads of a value are followed by path: instances with declared fields that are nothing else besides.

    That is dataclasses, attrs classes and pydantic models. Objects of classes that answer every attribute by themselves are
    read whole.

    Examples
    --------
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> is_followed(ExperimentParameters()), is_followed({"a": 1})
    (True, False)
    """
    cls = type(value)
    return (
        any(hasattr(cls, mark) for mark in _FIELDED)
        and not isinstance(value, _NOT_FOLLOWED)
        and cls.__getattribute__ is _PLAIN_LOOKUP
    )


def representations_of(owner: Any) -> Mapping[str, Any]:
    """Return what an object's ``hash_representations`` say of its fields; empty if it has none.

    Examples
    --------
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> representations_of(ExperimentParameters(hash_representations={"verbose": None}))
    {'verbose': None}
    >>> representations_of(5)
    {}
    """
    layout = layout_of(type(owner))
    return {} if layout is None else fields.representations_of(owner, layout)


def find_value(params: Any, path: str) -> Any:
    """Return what lies at a path of attributes; :data:`ABSENT` if it leads nowhere.

    Examples
    --------
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> find_value(ExperimentParameters(name="small"), "name"), find_value(5, "real.none")
    ('small', absent)
    """
    if "." not in path:
        return getattr(params, path, ABSENT) if path else params
    value = params
    for name in path.split("."):
        value = getattr(value, name, ABSENT)
        if value is ABSENT:
            break
    return value


def find_member(cls: type, name: str, default: Any) -> Any:
    """Return what a class or its bases define under a name, without calling descriptors.

    Examples
    --------
    >>> find_member(bool, "real", None)
    <attribute 'real' of 'int' objects>
    """
    for base in cls.__mro__:
        if name in base.__dict__:
            return base.__dict__[name]
    return default


def stored_attributes(value: Any) -> dict[str, Any]:
    """Return what an instance with fields holds: its fields in order, then what else was put into it.

    Fields that were never set, and what a ``cached_property`` remembers, are left out.

    Examples
    --------
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> list(stored_attributes(ExperimentParameters()))
    ['name', 'hash', 'overwrite', 'hash_representations']
    """
    cls = type(value)
    layout = layout_of(cls)
    names = () if layout is None else layout.names
    found = {name: getattr(value, name) for name in names if hasattr(value, name)}
    for name, item in getattr(value, "__dict__", {}).items():
        if name not in found and not isinstance(find_member(cls, name, None), functools.cached_property):
            found[name] = item
    return found


def default_of(cls: type, name: str) -> Any:
    """Return the default of a field of a class, made anew if it has a factory; :data:`NO_DEFAULT` if it has none.

    Examples
    --------
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> default_of(ExperimentParameters, "name"), default_of(ExperimentParameters, "size") is NO_DEFAULT
    ('UNNAMED', True)
    """
    model = getattr(cls, "__pydantic_fields__", {}).get(name)
    if model is not None and hasattr(model, "is_required"):
        return NO_DEFAULT if model.is_required() else model.get_default(call_default_factory=True)
    for attribute in getattr(cls, "__attrs_attrs__", ()):
        if attribute.name == name:
            return _default_of_attribute(attribute)
    field = getattr(cls, "__dataclass_fields__", {}).get(name)
    if field is None:
        return NO_DEFAULT
    if field.default is not dataclasses.MISSING:
        return field.default
    return NO_DEFAULT if field.default_factory is dataclasses.MISSING else field.default_factory()


def _default_of_attribute(attribute: Any) -> Any:
    default = attribute.default
    if type(default).__name__ == "_Nothing":
        return NO_DEFAULT
    if type(default).__name__ != "Factory":
        return default
    # A factory that takes the instance has no default for a field alone.
    return NO_DEFAULT if default.takes_self else default.factory()

"""What a parameter value is made of: its named parts, and the same value made anew with other parts."""

from __future__ import annotations

import copy
import dataclasses
import sys
from collections import OrderedDict
from collections.abc import Mapping
from enum import Enum
from typing import Any

from curifactory.identity.fields import layout_of
from curifactory.parameters.values import ATOMS

#: Stands for a part that is not there.
MISSING: Any = type("Missing", (), {"__slots__": (), "__repr__": lambda self: "missing"})()

#: How fields count in the identity is said by a class; it is no parameter.
_NO_PARAMETER = "hash_representations"
_NOT_FIELDED = (BaseException, Enum, type, str, bytes, int, float, complex)


def is_fielded(value: Any) -> bool:
    """Say whether a value has declared fields: an instance of a dataclass, an attrs class or a pydantic model.

    Examples
    --------
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> is_fielded(ExperimentParameters()), is_fielded({"a": 1}), is_fielded(5)
    (True, False, False)
    """
    return (
        type(value) not in ATOMS
        and layout_of(type(value)) is not None
        and not isinstance(value, _NOT_FIELDED)
    )


def is_section(value: Any) -> bool:
    """Say whether names of parameters lie below a value: one with fields, or a dictionary.

    Examples
    --------
    >>> is_section({"a": 1}), is_section([1])
    (True, False)
    """
    return isinstance(value, dict) or is_fielded(value)


def grows(value: Any) -> bool:
    """Say whether names can be added to a value: to dictionaries and the sections of YAML trees.

    Examples
    --------
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> grows({}), grows(ExperimentParameters())
    (True, False)
    """
    return isinstance(value, dict) or bool(getattr(type(value), "__grows__", False))


def parts_of(value: Any) -> dict[str, Any]:
    """Return the named parts of a section, in order: fields and what else an instance holds, or entries by their text.

    Examples
    --------
    >>> parts_of({"a": 1, 2: "b"})
    {'a': 1, '2': 'b'}
    """
    if isinstance(value, dict):
        return {str(key): item for key, item in value.items()}
    layout = layout_of(type(value))
    if layout is None:
        return {}
    found = {
        name: getattr(value, name)
        for name in layout.names
        if hasattr(value, name) and not (name == _NO_PARAMETER and name in layout.framework)
    }
    for name, item in _extras_of(value).items():
        found.setdefault(name, item)
    return found


def part_of(value: Any, name: str) -> Any:
    """Return one part of a section, list or tuple; :data:`MISSING` if it has none of this name or position.

    Examples
    --------
    >>> part_of({"a": 1}, "a"), part_of([5, 6], "1"), part_of([5], "1")
    (1, 6, missing)
    """
    if isinstance(value, (list, tuple)):
        if name.isdecimal() and int(name) < len(value):
            return value[int(name)]
        return getattr(value, name) if name in getattr(value, "_fields", ()) else MISSING
    if isinstance(value, dict) and name in value:
        return value[name]
    layout = layout_of(type(value))
    if layout is not None and name in layout.names and name != _NO_PARAMETER:
        return getattr(value, name, MISSING) if is_fielded(value) else MISSING
    return parts_of(value).get(name, MISSING) if is_section(value) else MISSING


def with_parts(value: Any, changed: Mapping[str, Any]) -> Any:
    """Return a value made anew with some of its parts replaced or added; the value itself is not touched.

    A class runs its checks again: ``__post_init__``, the validators of attrs and pydantic.

    Parameters
    ----------
    value : Any
        A section, list or tuple.
    changed : mapping of str to Any
        New parts by name or position. What is not named is copied as :func:`own_copy` does.

    Returns
    -------
    Any
        A value of the same class.

    Examples
    --------
    >>> with_parts({"a": 1, "b": 2}, {"b": 5}), with_parts((1, 2, 3), {"0": 7})
    ({'a': 1, 'b': 5}, (7, 2, 3))
    """
    if isinstance(value, (list, tuple)):
        names = getattr(value, "_fields", ())
        items = [
            changed.get(str(at), changed.get(names[at] if names else "", MISSING)) for at in range(len(value))
        ]
        made = [own_copy(old) if new is MISSING else new for old, new in zip(value, items, strict=True)]
        return type(value)(*made) if names else type(value)(made)
    if isinstance(value, dict):
        return _dict_with(value, changed)
    if dataclasses.is_dataclass(value):
        return _dataclass_with(value, changed)
    if hasattr(type(value), "__attrs_attrs__"):
        return _attrs_with(value, changed)
    if hasattr(type(value), "__struct_fields__"):
        replaced: Any = sys.modules["msgspec"].structs.replace(value, **changed)
        return replaced
    return _model_with(value, changed)


def own_copy(value: Any) -> Any:
    """Copy what can be changed in place among the parts of a parameter: containers and instances with fields.

    Anything else (arrays, models, functions) is shared: it may be large, or not be copied at all.

    Examples
    --------
    >>> sizes = [[1], [2]]
    >>> copied = own_copy(sizes)
    >>> copied == sizes, copied[0] is sizes[0]
    (True, False)
    """
    kind = type(value)
    if kind in ATOMS:
        return value
    if kind in (list, tuple):
        return kind([own_copy(item) for item in value])
    if kind in (dict, OrderedDict):
        return kind((key, own_copy(item)) for key, item in value.items())
    if kind in (set, bytearray):
        return kind(value)
    if not is_fielded(value) or not hasattr(value, "__dict__"):
        return value
    copied = copy.copy(value)
    for name, item in vars(value).items():
        mine = own_copy(item)
        if mine is not item:
            object.__setattr__(copied, name, mine)
    return copied


def _dict_with(value: dict[Any, Any], changed: Mapping[str, Any]) -> Any:
    made = copy.copy(value)
    by_text = {str(key): key for key in value}
    for key, item in value.items():
        if str(key) not in changed:
            made[key] = own_copy(item)
    for name, item in changed.items():
        made[by_text.get(name, name)] = item
    return made


def _dataclass_with(value: Any, changed: Mapping[str, Any]) -> Any:
    fields = {field.name: field for field in dataclasses.fields(value)}
    if grows(value):
        from curifactory.parameters.trees import grow

        changed = {name: grow(item) for name, item in changed.items()}
    given = {
        name: changed[name] if name in changed else own_copy(getattr(value, name))
        for name, field in fields.items()
        if field.init and (name in changed or hasattr(value, name))
    }
    try:
        made = dataclasses.replace(value, **given)
    except (TypeError, ValueError) as error:
        # Python 3.13 has made a TypeError of it.
        if "InitVar" not in str(error):
            raise
        raise TypeError(
            f"{type(value).__name__} has an InitVar without a default and cannot be made anew from its fields"
        ) from error
    computes = hasattr(type(value), "__post_init__")
    own = {
        name: getattr(value, name)
        for name, field in fields.items()
        if not field.init and hasattr(value, name)
    }
    for name, item in {**own, **_extras_of(value), **changed}.items():
        if name in given:
            continue
        if name in changed:
            object.__setattr__(made, name, changed[name])
        # What `__post_init__` has computed from the new values stands; what was put in by hand is kept.
        elif not (computes and hasattr(made, name)):
            object.__setattr__(made, name, own_copy(item))
    return made


def _attrs_with(value: Any, changed: Mapping[str, Any]) -> Any:
    given, rest = {}, {}
    for attribute in type(value).__attrs_attrs__:
        name = attribute.name
        if name in changed or hasattr(value, name):
            item = changed[name] if name in changed else own_copy(getattr(value, name))
            if attribute.init:
                given[attribute.alias or name.lstrip("_")] = item
            elif name in changed:
                rest[name] = item
    made = type(value)(**given)
    known = {attribute.name for attribute in type(value).__attrs_attrs__}
    extras = {name: item for name, item in _extras_of(value).items() if not hasattr(made, name)}
    for name, item in {
        **extras,
        **rest,
        **{name: changed[name] for name in changed if name not in known},
    }.items():
        object.__setattr__(made, name, item)
    return made


def _model_with(value: Any, changed: Mapping[str, Any]) -> Any:
    cls = type(value)
    fields = cls.__pydantic_fields__
    by_name = cls.model_config.get("populate_by_name") or cls.model_config.get("validate_by_name")
    given = {}
    for name, field in fields.items():
        alias = None if by_name else (field.validation_alias or field.alias)
        item = changed[name] if name in changed else own_copy(getattr(value, name))
        given[alias if isinstance(alias, str) else name] = item
    made = cls.model_validate(given)
    for name, item in {**_extras_of(value), **changed}.items():
        if name not in fields:
            object.__setattr__(made, name, item)
    return made


def _extras_of(value: Any) -> dict[str, Any]:
    """Return what an instance holds besides its fields, without what a ``cached_property`` remembers."""
    layout = layout_of(type(value))
    names: set[str] = set() if layout is None else {*layout.names, *layout.derived}
    return {name: item for name, item in getattr(value, "__dict__", {}).items() if name not in names}

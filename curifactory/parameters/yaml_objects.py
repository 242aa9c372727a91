"""Values of a YAML file as what a class declares: nested classes, enums, paths, tuples; all faults at once."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Any

from curifactory.core.nearest import find_nearest, join_names
from curifactory.errors import ParameterError, ParameterTypeError
from curifactory.identity.fields import layout_of
from curifactory.parameters.annotations import declared_types, members_of, name_type
from curifactory.parameters.fitting import find_misfits, fits
from curifactory.parameters.text import read_text
from curifactory.parameters.whole_numbers import whole_of
from curifactory.parameters.yaml_text import Path

_ATOMS = (bool, int, float, complex, str, type(None))
_SEQUENCES: tuple[Any, ...] = (list, tuple, set, frozenset)


def make_object(cls: Any, values: Mapping[Any, Any], path: Path, faults: list[tuple[Path, str]]) -> Any:
    """Return an instance of a class with the values of a mapping.

    Parameters
    ----------
    cls : type
        A dataclass, attrs class or pydantic model.
    values : mapping
        Fields by name; what it does not name keeps its default.
    path : tuple
        Where the mapping stands, for the faults.
    faults : list of (tuple, str)
        Gets what is wrong, each with its path.

    Returns
    -------
    Any
        The instance; None if there are faults.

    Examples
    --------
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> make_object(ExperimentParameters, {"name": "small", "overwrite": True}, (), [])
    ExperimentParameters(name='small', hash=None, overwrite=True)
    """
    declared, known = declared_types(cls), _fields_of(cls)
    before = len(faults)
    given: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            near = find_nearest(str(name), list(known))
            told = (
                f"did you mean {join_names(near, 'or')}?"
                if near
                else f"it has {join_names(list(known), 'and')}"
            )
            faults.append(((*path, name), f"{cls.__name__} has no field '{name}'; {told}"))
            continue
        given[known[name]] = as_declared(value, declared.get(name, Any), (*path, name), faults)
    if len(faults) > before:
        return None
    try:
        return cls(**given)
    except ParameterError as error:
        faults.append((path, str(error)))
    except Exception as error:  # noqa: BLE001 (a class of a person may raise anything)
        faults.append((path, f"{cls.__name__} refuses the values: {type(error).__name__}: {error}"))
    return None


def as_declared(value: Any, annotation: Any, path: Path, faults: list[tuple[Path, str]]) -> Any:
    """Return a value of a YAML file as the declared type has it.

    Examples
    --------
    >>> faults = []
    >>> as_declared([1, 2], tuple[int, ...], (), faults), as_declared("x", int, ("n",), faults), faults
    ((1, 2), 'x', [(('n',), "'x' is no int")])
    """
    members = members_of(annotation)
    for member in members:
        if fits(value, member, exactly=True):
            return value
    here: list[tuple[Path, str]] = []
    for member in members:
        tried: list[tuple[Path, str]] = []
        found = _as_member(value, member, path, tried)
        if not tried and fits(found, member):
            return found
        here = tried or here
    if len(members) > 1 or not here:
        shown = next(find_misfits(value, annotation, ""), ("", f"{value!r} is no {name_type(annotation)}"))[1]
        here = [(path, shown)]
    faults += here
    return value


def _as_member(value: Any, member: Any, path: Path, faults: list[tuple[Path, str]]) -> Any:
    origin, arguments = typing.get_origin(member) or member, typing.get_args(member)
    if isinstance(value, dict) and isinstance(origin, type) and layout_of(origin) is not None:
        return make_object(origin, value, path, faults)
    if isinstance(value, (list, tuple)) and origin in _SEQUENCES:
        if origin is tuple and arguments and arguments[-1] is not ...:
            if len(arguments) != len(value):
                faults.append((path, f"there are {len(value)} items where {len(arguments)} are declared"))
                return value
            inner = list(arguments)
        else:
            inner = [arguments[0] if arguments else Any] * len(value)
        items = [
            as_declared(item, each, (*path, at), faults)
            for at, (item, each) in enumerate(zip(value, inner, strict=True))
        ]
        return origin(items)
    if isinstance(value, dict) and origin is dict and len(arguments) == 2:
        return {
            as_declared(key, arguments[0], (*path, key), faults): as_declared(
                item, arguments[1], (*path, key), faults
            )
            for key, item in value.items()
        }
    if member is float and type(value) is int:
        return float(value)
    if member is int and type(value) is float:
        # `1e1` and `1.0` say what is meant, whatever YAML takes them for.
        whole = whole_of(value)
        if whole is not None:
            return whole
        if value.is_integer():
            faults.append(
                (path, f"{value!r} could be several ints; write all digits of the one that is meant")
            )
    if isinstance(origin, type) and issubclass(origin, Enum) and not isinstance(value, str):
        value = str(value)
    # A text stands for what has no writing of its own in YAML, and never for a number or truth value.
    if isinstance(value, str) and not (isinstance(member, type) and member in _ATOMS):
        try:
            return read_text(value, member)
        except ParameterTypeError as error:
            faults.append((path, str(error)))
    return value


def _fields_of(cls: Any) -> dict[str, str]:
    """Return the fields that can be given to a class, each with the keyword that takes it."""
    if dataclasses.is_dataclass(cls):
        return {field.name: field.name for field in dataclasses.fields(cls) if field.init}
    attributes = getattr(cls, "__attrs_attrs__", None)
    if attributes is not None:
        return {each.name: each.alias or each.name.lstrip("_") for each in attributes if each.init}
    models = getattr(cls, "__pydantic_fields__", None)
    if isinstance(models, dict):
        return {name: field.alias or name for name, field in models.items()}
    layout = layout_of(cls)
    return {} if layout is None else {name: name for name in layout.names}

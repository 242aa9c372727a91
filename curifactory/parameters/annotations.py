"""What types a class declares for its fields, resolved where that can be done without running anything of it."""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Mapping
from dataclasses import InitVar, fields, is_dataclass
from typing import Any
from weakref import WeakKeyDictionary

from curifactory.identity.fields import layout_of

_known: WeakKeyDictionary[type, Mapping[str, Any]] = WeakKeyDictionary()
_undeclared: WeakKeyDictionary[type, tuple[tuple[str, str], ...]] = WeakKeyDictionary()
_NOTHING: Mapping[str, Any] = types.MappingProxyType({})
_WRAPPERS = (typing.ClassVar, typing.Final, typing.Required, typing.NotRequired)
#: The unions of ``typing.Union[a, b]`` and of ``a | b``.
UNIONS = (typing.Union, types.UnionType)


def declared_types(cls: type) -> Mapping[str, Any]:
    """Return the declared type of each field of a class; a field whose type cannot be resolved is absent.

    Parameters
    ----------
    cls : type
        A dataclass, attrs class or pydantic model; of others nothing is known.

    Examples
    --------
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> declared_types(ExperimentParameters)["overwrite"], declared_types(int)
    (<class 'bool'>, mappingproxy({}))
    """
    try:
        return _known[cls]
    except KeyError:
        layout = layout_of(cls)
        found = _NOTHING if layout is None else _resolve(cls, layout.names)
        _known[cls] = found
        return found


def find_undeclared(cls: type) -> tuple[tuple[str, str], ...]:
    """Return the fields of a dataclass to which a class gives a value without a type, each with that class's name.

    Python takes them for attributes of the class: every instance has the default that the field had before.

    Examples
    --------
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> class Careless(ExperimentParameters):
    ...     overwrite = True
    >>> find_undeclared(Careless)
    (('overwrite', 'Careless'),)
    """
    found = _undeclared.get(cls)
    if found is None:
        taken = [each.name for each in fields(cls) if each.init] if is_dataclass(cls) else []
        owners = ((name, _careless_owner(cls, name)) for name in taken)
        found = _undeclared[cls] = tuple((name, owner) for name, owner in owners if owner is not None)
    return found


def _careless_owner(cls: type, name: str) -> str | None:
    for base in cls.__mro__:
        if name in annotations_of(base):
            return None
        if name in base.__dict__:
            # Properties and slots stand for the field itself.
            return None if hasattr(type(base.__dict__[name]), "__get__") else base.__name__
    return None


def declared_type(owner: Any, name: str) -> Any:
    """Return the declared type of one part of a value; :data:`typing.Any` where none is declared.

    Examples
    --------
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> declared_type(ExperimentParameters(), "overwrite"), declared_type({"a": 1}, "a")
    (<class 'bool'>, typing.Any)
    """
    return declared_types(type(owner)).get(name, Any)


def plain_type(annotation: Any) -> Any:
    """Return the type that an annotation comes down to: without ``Annotated``, ``Final``, names for types and the like.

    Examples
    --------
    >>> plain_type(typing.Annotated[int, "positive"]), plain_type(typing.NewType("Size", int))
    (<class 'int'>, <class 'int'>)
    """
    while True:
        if isinstance(annotation, InitVar):
            annotation = annotation.type
        elif hasattr(annotation, "__supertype__"):
            annotation = annotation.__supertype__
        elif isinstance(annotation, typing.TypeVar):
            bound, constraints = annotation.__bound__, annotation.__constraints__
            annotation = typing.Union[constraints] if constraints else Any if bound is None else bound  # noqa: UP007
        elif typing.get_origin(annotation) is typing.Annotated or typing.get_origin(annotation) in _WRAPPERS:
            annotation = typing.get_args(annotation)[0]
        elif type(annotation).__name__ == "TypeAliasType" and hasattr(annotation, "__value__"):
            annotation = annotation.__value__
        else:
            return (
                Any
                if annotation is object or isinstance(annotation, (str, typing.ForwardRef))
                else annotation
            )


def members_of(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union, otherwise the type itself, each as :func:`plain_type` gives it.

    Examples
    --------
    >>> members_of(int | None), members_of(str)
    ((<class 'int'>, <class 'NoneType'>), (<class 'str'>,))
    """
    plain = plain_type(annotation)
    if typing.get_origin(plain) in UNIONS:
        found = [member for each in typing.get_args(plain) for member in members_of(each)]
        return tuple(dict.fromkeys(found))
    return (type(None) if plain is None else plain,)


def name_type(annotation: Any) -> str:
    """Return a type as people write it.

    Examples
    --------
    >>> name_type(int | None), name_type(list[float]), name_type(typing.Literal["a", "b"])
    ('int | None', 'list[float]', "'a' | 'b'")
    """
    members = members_of(annotation)
    if len(members) > 1:
        return " | ".join(map(name_type, members))
    member = members[0]
    if member is type(None):
        return "None"
    arguments = typing.get_args(member)
    if typing.get_origin(member) is typing.Literal:
        return " | ".join(map(repr, arguments))
    if isinstance(member, type) and not arguments:
        return member.__qualname__.rpartition("<locals>.")[2]
    return str(member).replace("typing.", "").replace("collections.abc.", "")


def _resolve(cls: type, names: tuple[str, ...]) -> Mapping[str, Any]:
    models: Any = getattr(cls, "__pydantic_fields__", None)
    if isinstance(models, dict):
        return {name: field.annotation for name, field in models.items()}
    try:
        hints = typing.get_type_hints(cls)
    except Exception:  # noqa: BLE001 (an annotation may be any expression; the others are still worth something)
        hints = {}
        for base in reversed(cls.__mro__):
            hints.update(_resolve_each(base))
    return {name: hints[name] for name in names if name in hints}


def _resolve_each(base: type) -> dict[str, Any]:
    found = {}
    for name, annotation in annotations_of(base).items():
        alone = type("Alone", (), {"__annotations__": {name: annotation}, "__module__": base.__module__})
        try:
            found.update(typing.get_type_hints(alone, localns=dict(vars(base))))
        except Exception:  # noqa: BLE001, S112
            continue
    return found


def annotations_of(base: type) -> dict[str, Any]:
    """Return what a class itself annotates, and none of its bases, without changing the class.

    Examples
    --------
    >>> class Point:
    ...     x: "int"
    >>> list(annotations_of(Point)), annotations_of(object)
    (['x'], {})
    """
    if sys.version_info >= (3, 14):
        import annotationlib

        found: dict[str, Any] = annotationlib.get_annotations(base, format=annotationlib.Format.FORWARDREF)
        return found
    return dict(vars(base).get("__annotations__", {}))

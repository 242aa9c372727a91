"""What a dataclass, attrs or pydantic instance consists of, and how such an instance is encoded field by field."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from weakref import ref

from curifactory.identity.callables import class_tag
from curifactory.identity.encoding import PLAIN, Refusal, Walk, encode, record, text

Representation = Callable[[Any, Any], Any] | None

REPRESENTATIONS = "hash_representations"
_Fields = tuple[tuple[str, bytes], ...]

_ABSENT = object()
_NOTHING: Mapping[str, Representation] = {}


class Layout(NamedTuple):
    """How instances of one class are made up; taken once a class.

    Parameters
    ----------
    names : tuple of str
        Declared fields in the order of their declaration.
    framework : frozenset of str
        Fields that belong to the framework and not to the person; left out where the instance is a parameter set.
    derived : frozenset of str
        Attributes that a ``cached_property`` fills in, and which say nothing new.
    fields : tuple
        Pairs of name and encoded name in canonical order.
    of_a_set : tuple
        The same without the framework's fields.
    class_name : bytes
        The encoded name of the class; empty where that differs from process to process.
    may_represent : bool
        Whether instances can say what stands for their fields.
    slotted : tuple of str
        Slots that are no fields.
    """

    names: tuple[str, ...]
    framework: frozenset[str]
    derived: frozenset[str]
    fields: _Fields
    of_a_set: _Fields
    class_name: bytes
    may_represent: bool
    slotted: tuple[str, ...]


# By classes that nobody is to keep for our sake; each parameter set is asked for its class several times.
_layouts: dict[ref[type], Layout | None] = {}
_UNKNOWN: Any = object()


def layout_of(cls: type) -> Layout | None:
    """Return the layout of a class with declared fields; None for any other class.

    Examples
    --------
    >>> @dataclasses.dataclass
    ... class Point:
    ...     x: int
    ...     y: int
    >>> layout_of(Point).names
    ('x', 'y')
    >>> layout_of(int) is None
    True
    """
    found: Layout | None = _layouts.get(ref(cls), _UNKNOWN)
    if found is _UNKNOWN:
        names = _field_names(cls)
        found = None if names is None else _make_layout(cls, names)
        _layouts[ref(cls, _forget_layout)] = found
    return found


def _forget_layout(gone: ref[type]) -> None:
    _layouts.pop(gone, None)


def _field_names(cls: type) -> tuple[str, ...] | None:
    if dataclasses.is_dataclass(cls):
        return tuple(field.name for field in dataclasses.fields(cls))
    attributes = getattr(cls, "__attrs_attrs__", None)
    if attributes is not None:
        return tuple(attribute.name for attribute in attributes)
    for name in ("__pydantic_fields__", "__struct_fields__", "__fields__"):
        found = getattr(cls, name, None)
        if isinstance(found, (Mapping, tuple)) and (name != "__fields__" or hasattr(cls, "__validators__")):
            return tuple(found)
    return None


def _make_layout(cls: type, names: tuple[str, ...]) -> Layout:
    framework: frozenset[str] = frozenset(getattr(cls, "__framework_fields__", ()))
    fields = tuple((name, text(name)) for name in sorted(names))
    in_main = cls.__module__ in {"__main__", "__mp_main__"}
    return Layout(
        names=names,
        framework=framework,
        derived=derived_attributes(cls),
        fields=fields,
        of_a_set=tuple(field for field in fields if field[0] not in framework),
        class_name=b"" if in_main else record(b"class", text(cls.__module__), text(cls.__qualname__), b"N"),
        may_represent=REPRESENTATIONS in names or hasattr(cls, REPRESENTATIONS),
        slotted=tuple(name for name in slot_names(cls) if name not in names),
    )


def derived_attributes(cls: type) -> frozenset[str]:
    """Return the attributes of instances that only remember what a ``cached_property`` has computed."""
    return frozenset(
        name
        for base in cls.__mro__
        for name, item in base.__dict__.items()
        if isinstance(item, functools.cached_property)
    )


def slot_names(cls: type) -> Iterator[str]:
    """Yield the names of all slots of a class and its bases, as instances know them."""
    for base in cls.__mro__:
        slots = base.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else tuple(slots):
            if name in {"__dict__", "__weakref__"}:
                continue
            mangled = name.startswith("__") and not name.endswith("__")
            yield f"_{base.__name__.lstrip('_')}{name}" if mangled else name


def representations_of(value: Any, layout: Layout) -> Mapping[str, Representation]:
    """Return what an instance says about the representation of its fields; empty if it says nothing.

    A field that is merely called ``hash_representations`` and holds something else is an ordinary field.
    """
    found = getattr(value, REPRESENTATIONS, None)
    if not isinstance(found, dict):
        return {}
    for name, representation in found.items():
        if not isinstance(name, str) or not (representation is None or callable(representation)):
            return {}
    if REPRESENTATIONS not in layout.framework and not set(found) <= set(layout.names):
        return {}
    return found


def represent(value: Any, name: str, representation: Callable[[Any, Any], Any]) -> Any:
    """Return what stands for a field.

    Raises
    ------
    Refusal
        If the person's function raises.
    """
    try:
        return representation(value, getattr(value, name, None))
    except Exception as error:
        reason = f"its function in {REPRESENTATIONS} raised {type(error).__name__}: {error}"
        raise Refusal(reason) from error


def extra_attributes(value: Any, layout: Layout) -> dict[str, Any]:
    """Return what an instance holds besides its fields, such as what ``__post_init__`` has set."""
    state = getattr(value, "__dict__", None)
    is_extended = state is not None and len(state) != len(layout.names)
    if not is_extended and not layout.slotted:
        return {}
    extras: dict[str, Any] = {}
    if state is not None and is_extended:
        fields = set(layout.names)
        extras.update(
            (name, item) for name, item in state.items() if name not in fields and name not in layout.derived
        )
    for name in layout.slotted:
        # Pydantic's list of the fields that were given explicitly makes no difference to the value.
        if name != "__pydantic_fields_set__" and hasattr(value, name):
            item = getattr(value, name)
            if item is not None or not name.startswith("__pydantic"):
                extras[name] = item
    return extras


def encode_fields(value: Any, walk: Walk, *, as_set: bool | None = None, with_code: bool = True) -> bytes:
    """Encode an instance by its class and its fields.

    Parameters
    ----------
    value : Any
        An instance of a class that has a layout.
    walk : Walk
        The encoding under way.
    as_set : bool, optional
        Whether the framework's fields are left out; by default if nothing is open above the instance and the walk does not
        say that they count.
    with_code : bool
        Whether the code of the class, and of classes of instances that are fields, counts.

    Raises
    ------
    Refusal
        If a field has no identity.
    """
    known = walk.remembered.get(id(value))
    if known is not None:
        return known[1]
    # A tracking view says by `__class__` whose fields it shows.
    cls = value.__class__
    layout = layout_of(cls)
    if layout is None:
        raise Refusal(f"{cls.__qualname__} has no fields")
    is_set = not (walk.open or walk.names_sets) if as_set is None else as_set
    fields = layout.of_a_set if is_set else layout.fields
    walk.enter(value)
    name_of_class = layout.class_name or class_name(cls, walk)
    parts = [class_tag(cls, walk) if with_code else name_of_class]
    representations = representations_of(value, layout) if layout.may_represent else _NOTHING
    if representations:
        fields = _represented(value, fields, representations, parts, walk)
    _encode_each(value, fields, parts, walk, with_code=with_code)
    extras = extra_attributes(value, layout)
    if extras:
        named = tuple((name, text(name)) for name in sorted(extras) if name not in representations)
        _encode_each(value, named, parts, walk, with_code=with_code)
    return walk.leave(value, record(b"fields", *parts))


def class_name(cls: type, walk: Walk) -> bytes:
    """Encode a class by its name alone."""
    return record(b"class", text(walk.module_name(cls.__module__)), text(cls.__qualname__), b"N")


def _represented(
    value: Any, fields: _Fields, representations: Mapping[str, Representation], parts: list[bytes], walk: Walk
) -> _Fields:
    """Encode the fields that something else stands for; return the others."""
    others = []
    for name, prefix in fields:
        if name not in representations:
            if name != REPRESENTATIONS:
                others.append((name, prefix))
            continue
        representation = representations[name]
        if representation is None:
            continue
        try:
            parts.append(prefix + encode(represent(value, name, representation), walk))
        except Refusal as refusal:
            raise refusal.at(f".{name}") from refusal.__cause__
    return tuple(others)


def _encode_each(value: Any, fields: _Fields, parts: list[bytes], walk: Walk, *, with_code: bool) -> None:
    name = ""
    append, plain = parts.append, PLAIN.get
    try:
        for name, prefix in fields:
            item = getattr(value, name, _ABSENT)
            encoder = plain(type(item))
            if encoder is not None:
                append(prefix + encoder(item, walk))
            elif item is _ABSENT:
                append(prefix + b"A")
            elif with_code or layout_of(type(item)) is None:
                append(prefix + walk.resolve(type(item))(item, walk))
            else:
                append(prefix + encode_fields(item, walk, as_set=False, with_code=False))
    except Refusal as refusal:
        raise refusal.at(f".{name}") from refusal.__cause__

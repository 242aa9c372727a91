"""What a dataclass, attrs or pydantic instance consists of, and how such an instance is encoded field by field."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from curifactory.identity.callables import class_tag
from curifactory.identity.encoding import PLAIN, Refusal, Walk, encode, record, text

Representation = Callable[[Any, Any], Any] | None

REPRESENTATIONS = "hash_representations"
_ABSENT = b"A"


@dataclasses.dataclass(frozen=True, slots=True)
class Layout:
    """How instances of one class are made up; taken once a class.

    Parameters
    ----------
    names : tuple of str
        Declared fields in the order of their declaration.
    framework : frozenset of str
        Fields that belong to the framework and not to the person; left out where the instance is a parameter set.
    derived : frozenset of str
        Attributes that a ``cached_property`` fills in, and which say nothing new.
    prefixed : tuple
        Pairs of name and encoded name in canonical order.
    slotted : tuple of str
        Slots that are no fields.
    """

    names: tuple[str, ...]
    framework: frozenset[str]
    derived: frozenset[str]
    prefixed: tuple[tuple[str, bytes], ...]
    slotted: tuple[str, ...]


_layouts: WeakKeyDictionary[type, Layout | None] = WeakKeyDictionary()


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
    try:
        return _layouts[cls]
    except KeyError:
        names = _field_names(cls)
        layout = None if names is None else _make_layout(cls, names)
        _layouts[cls] = layout
        return layout


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
    framework: frozenset[str] = getattr(cls, "__framework_fields__", frozenset())
    return Layout(
        names=names,
        framework=frozenset(framework),
        derived=derived_attributes(cls),
        prefixed=tuple((name, text(name)) for name in sorted(names)),
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
    extras: dict[str, Any] = {}
    state = getattr(value, "__dict__", None)
    if state is not None and len(state) != len(layout.names):
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
        Whether the framework's fields are left out; by default if nothing is open above the instance.
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
    left_out = layout.framework if (not walk.open if as_set is None else as_set) else frozenset()
    representations = representations_of(value, layout)
    walk.enter(value)
    parts = [class_tag(cls, walk) if with_code else class_name(cls, walk)]
    name = ""
    resolve = walk.resolve
    try:
        for name, prefix in layout.prefixed:
            if name in left_out or (name == REPRESENTATIONS and representations):
                continue
            if name in representations:
                representation = representations[name]
                if representation is not None:
                    parts.append(prefix + encode(represent(value, name, representation), walk))
                continue
            try:
                item = getattr(value, name)
            except AttributeError:
                parts.append(prefix + _ABSENT)
                continue
            if not with_code and layout_of(type(item)) is not None:
                parts.append(prefix + encode_fields(item, walk, as_set=False, with_code=False))
                continue
            kind = type(item)
            parts.append(prefix + (PLAIN.get(kind) or resolve(kind))(item, walk))
        for name, item in sorted(extra_attributes(value, layout).items()):
            if name in representations:
                continue
            parts.append(text(name) + encode(item, walk))
    except Refusal as refusal:
        raise refusal.at(f".{name}") from refusal.__cause__
    return walk.leave(value, record(b"fields", *parts))


def class_name(cls: type, walk: Walk) -> bytes:
    """Encode a class by its name alone."""
    return record(b"class", text(walk.module_name(cls.__module__)), text(cls.__qualname__), b"N")

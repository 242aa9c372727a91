"""Encoders for instances of other classes: enums, named tuples, subclasses of built-in types, objects by their state."""

from __future__ import annotations

import copyreg
import enum
from collections.abc import Iterable
from typing import Any

from curifactory.identity.callables import class_tag, home_of
from curifactory.identity.encoding import (
    PLAIN,
    Encoder,
    Refusal,
    Walk,
    encode,
    encode_items,
    encode_pairs,
    record,
    text,
)
from curifactory.identity.fields import derived_attributes, slot_names

# Lists and dictionaries are left to `encode_state`, which also sees what subclasses of them add.
_IMMUTABLE = (bool, int, float, complex, str, bytes, bytearray, tuple, frozenset, set)
_REBUILDERS = ("__reduce_ex__", "__reduce__")


def encode_enum(value: enum.Enum, walk: Walk) -> bytes:
    """Encode a member by its class, name and value."""
    member = value.value
    # A bare object() as value only tells members apart, which the name does too.
    content = b"A" if type(member) is object else encode(member, walk)
    return record(b"enum", class_tag(type(value), walk), encode(value.name, walk), content)


def encode_named_tuple(value: Any, walk: Walk) -> bytes:
    """Encode a named tuple by its class, the names of its fields and their values."""
    walk.enter(value)
    parts: list[bytes] = []
    names = type(value)._fields
    try:
        for name, item in zip(names, value, strict=True):
            parts.append(text(name) + encode(item, walk))
    except Refusal as refusal:
        raise refusal.at(f".{names[len(parts)]}") from refusal.__cause__
    return walk.leave(
        value, record(b"namedtuple", class_tag(type(value), walk), *parts, *_extras(value, walk))
    )


def encode_subclass(base: type | Encoder) -> Encoder:
    """Return the encoder for a subclass of a type that has one: class, content, and what the instance adds."""

    def encode_instance(value: Any, walk: Walk) -> bytes:
        content = PLAIN[base](base(value), walk) if isinstance(base, type) else base(value, walk)
        walk.enter(value)
        return walk.leave(
            value, record(b"subclass", class_tag(type(value), walk), content, *_extras(value, walk))
        )

    return encode_instance


def plain_base(cls: type) -> type | None:
    """Return the built-in type that a class specialises and that holds its content."""
    return next((base for base in _IMMUTABLE if issubclass(cls, base)), None)


def has_own_reduction(cls: type) -> bool:
    """Whether a class says by itself how its instances are taken apart and rebuilt."""
    for base in cls.__mro__[:-1]:
        if base in PLAIN:
            return False
        if any(name in base.__dict__ for name in (*_REBUILDERS, "__getstate__")):
            return True
    return False


def encode_state(value: Any, walk: Walk) -> bytes:
    """Encode an object by what pickling would take from it: its class and its state.

    Objects whose state lies outside of Python (files, sockets, locks, generators) refuse that, and so does this.

    Raises
    ------
    Refusal
        If the state cannot be read, or something in it has no identity.
    """
    cls = type(value)
    known = walk.remembered.get(id(value))
    if known is not None:
        return known[1]
    named = _as_named(value, walk)
    if named is not None:
        return named
    if cls is object:
        raise Refusal("a bare object() is known only by its address")
    walk.enter(value)
    reduced = _reduce(value)
    if not isinstance(reduced, str):
        return walk.leave(value, record(b"state", *_reduced_parts(value, reduced, walk)))
    home = home_of(value, reduced)
    if home is not None and not walk.is_own(home):
        return walk.leave(value, record(b"named", text(home), text(reduced), class_tag(cls, walk)))
    if hasattr(value, "__wrapped__"):
        return walk.leave(value, record(b"wrapped", class_tag(cls, walk), encode(value.__wrapped__, walk)))
    raise Refusal(f"it is {_article(cls)}, which says nothing of itself but that it is called '{reduced}'")


def _as_named(value: Any, walk: Walk) -> bytes | None:
    """Encode a function-like object of a package, such as a ufunc, by its name; None for any other object.

    Objects that the project made have names too, where they wrap a function; they are told apart by their state.
    """
    try:
        name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    except Exception:  # noqa: BLE001 - whatever a class does when it is asked, it gives no name
        return None
    if not isinstance(name, str):
        return None
    home = home_of(value, name)
    if home is None or walk.is_own(home):
        return None
    return record(b"named", text(home), text(name), class_tag(type(value), walk))


def _reduce(value: Any) -> Any:
    cls = type(value)
    reducer = copyreg.dispatch_table.get(cls)
    try:
        reduced = reducer(value) if reducer is not None else value.__reduce_ex__(4)
    except Exception as error:  # noqa: BLE001 - whatever a class raises here, it has no state to give
        raise Refusal(f"it is {_article(cls)}, and its state cannot be read ({error})") from None
    if isinstance(reduced, str) or (isinstance(reduced, tuple) and 2 <= len(reduced) <= 6):
        return reduced
    raise Refusal(f"it is {_article(cls)}, which gives no state that can be read")


def _reduced_parts(value: Any, reduced: tuple[Any, ...], walk: Walk) -> list[bytes]:
    rebuild, arguments, state, items, pairs, _ = (*reduced, None, None, None, None)[:6]
    parts = [class_tag(type(value), walk), encode(rebuild, walk)]
    # The class itself is said already, and would only be looked up once more.
    arguments = tuple(arguments)[1:] if arguments and arguments[0] is type(value) else arguments
    parts.append(record(b"arguments", *encode_items(arguments, walk)))
    parts.append(_state(value, state, walk))
    parts.append(record(b"items", *encode_items(items or (), walk)))
    parts.append(record(b"pairs", *walk.arrange(_pairs(pairs or (), walk))))
    return parts


def _pairs(pairs: Iterable[tuple[Any, Any]], walk: Walk) -> list[bytes]:
    return encode_pairs(dict(pairs), walk)


def _state(value: Any, state: Any, walk: Walk) -> bytes:
    slots = None
    if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], dict):
        state, slots = state
    if state is None and slots is None:
        return b"N"
    if not isinstance(state, (dict, type(None))):
        return record(b"own-state", encode(state, walk), encode(slots, walk))
    derived = derived_attributes(type(value))
    attributes = {
        name: item for name, item in {**(state or {}), **(slots or {})}.items() if name not in derived
    }
    return record(b"attributes", *_attributes(attributes, walk))


def _attributes(attributes: dict[Any, Any], walk: Walk) -> list[bytes]:
    parts: list[bytes] = []
    name: Any = None
    try:
        for name, item in attributes.items():
            parts.append(encode(name, walk) + encode(item, walk))
    except Refusal as refusal:
        raise refusal.at(f".{name}") from refusal.__cause__
    parts.sort()
    return parts


def _extras(value: Any, walk: Walk) -> list[bytes]:
    attributes = dict(getattr(value, "__dict__", None) or {})
    attributes.update(
        (name, getattr(value, name)) for name in slot_names(type(value)) if hasattr(value, name)
    )
    derived = derived_attributes(type(value))
    return _attributes({name: item for name, item in attributes.items() if name not in derived}, walk)


def _article(cls: type) -> str:
    name = cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"

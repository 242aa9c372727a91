"""Text to values: by the declared type where there is one, else as the literal that it looks like."""

from __future__ import annotations

import ast
import collections.abc
import typing
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path, PurePath
from types import NoneType
from typing import Any

from curifactory.core.nearest import find_nearest, join_names
from curifactory.errors import ConfigurationError, ParameterTypeError
from curifactory.identity.fields import layout_of
from curifactory.parameters.addresses import find_address
from curifactory.parameters.annotations import members_of, name_type
from curifactory.parameters.fitting import fits
from curifactory.parameters.whole_numbers import read_whole

_CLOSING = {"(": ")", "[": "]", "{": "}"}
_TRUE, _FALSE, _NONE = ("true", "yes", "on", "1"), ("false", "no", "off", "0"), ("none", "null")
_SEQUENCES: dict[Any, type] = {
    list: list,
    set: set,
    frozenset: frozenset,
    tuple: tuple,
    collections.abc.Sequence: list,
    collections.abc.MutableSequence: list,
    collections.abc.Iterable: list,
    collections.abc.Collection: list,
    collections.abc.Set: set,
    collections.abc.MutableSet: set,
}
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


def read_text(text: str, annotation: Any = Any) -> Any:
    """Return the value that a text stands for.

    Parameters
    ----------
    text : str
        As it was typed.
    annotation : Any
        The declared type. Enums are written by name or value, classes and functions by dotted name, lists as ``[a, b]``,
        dictionaries as ``{a: 1}``. Without a type it is a Python literal if it looks like one, else the text.

    Raises
    ------
    ParameterTypeError
        If the text cannot be of the type; it is a ``ValueError`` too.

    Examples
    --------
    >>> read_text("1e-3", float), read_text("none", int | None), read_text("[64, 32]", tuple[int, ...])
    (0.001, None, (64, 32))
    >>> read_text("5"), read_text("five"), read_text("five", str)
    (5, 'five', 'five')
    """
    members = members_of(annotation)
    if len(members) == 1:
        return _read_member(text, members[0])
    return _read_union(text, members, annotation)


def read_literal(text: str) -> Any:
    """Return the Python literal that a text is, or the text itself.

    Examples
    --------
    >>> read_literal("1e-3"), read_literal("[1, 'a']"), read_literal("torch.optim.Adam"), read_literal("true")
    (0.001, [1, 'a'], 'torch.optim.Adam', True)
    """
    stripped = text.strip()
    if stripped in ("true", "false"):
        return stripped == "true"
    try:
        value = ast.literal_eval(stripped) if stripped else text
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        if stripped[:1] in _CLOSING and stripped[-1:] == _CLOSING[stripped[:1]]:
            return _read_loosely(stripped)
        return text
    return text if value is ... else value


def split_items(text: str) -> list[str]:
    """Split a text at its commas, but not within brackets and quotes.

    Examples
    --------
    >>> split_items("[1,2],'a,b',c")
    ['[1,2]', "'a,b'", 'c']
    """
    return _split(text, ",")


def _read_member(text: str, member: Any) -> Any:
    origin, arguments = typing.get_origin(member) or member, typing.get_args(member)
    if member is Any:
        return read_literal(text)
    if origin is typing.Literal:
        return _choose(text, {str(each): each for each in arguments}, arguments)
    if origin in _SEQUENCES:
        return _read_sequence(text, origin, arguments)
    if origin in _MAPPINGS or typing.is_typeddict(origin):
        return _read_mapping(text, arguments)
    if origin is type or origin is collections.abc.Callable:
        return _read_address(text, member)
    if isinstance(origin, type):
        return _read_atom(text, origin)
    return read_literal(text)


def _read_atom(text: str, cls: type) -> Any:
    reader = _ATOMS.get(cls)
    if reader is not None:
        return reader(text)
    if issubclass(cls, Enum):
        return _read_enum(text, cls)
    if issubclass(cls, PurePath):
        return cls(_unquote(text))
    return _convert(text, cls)


def _read_enum(text: str, cls: type[Enum]) -> Any:
    names: dict[str, Any] = {**{str(each.value): each for each in cls}, **cls.__members__}
    bare = _unquote(text).removeprefix(f"{cls.__name__}.")
    if bare in names:
        return names[bare]
    folded = {name.casefold(): each for name, each in names.items()}
    return _choose(
        bare, {bare: folded[bare.casefold()]} if bare.casefold() in folded else names, list(cls.__members__)
    )


def _convert(text: str, cls: type) -> Any:
    """Read dates, decimals, UUIDs and whatever else msgspec knows to read from text; literals of other classes."""
    import msgspec

    layout = layout_of(cls)
    if layout is not None:
        first = next((name for name in layout.names if name not in layout.framework), "name")
        raise _misfit(
            text, cls, f"it is a section; write its values one by one, with .{first}=… behind the name"
        )
    try:
        return msgspec.convert(_unquote(text), cls, strict=False)
    except msgspec.ValidationError as error:
        raise _misfit(text, cls, str(error).removesuffix(".")) from None
    except TypeError:
        value = read_literal(text)
    if fits(value, cls):
        return value
    if isinstance(value, str) and "." in value:
        found = _read_address(text, Any)
        if fits(found, cls):
            return found
    raise _misfit(text, cls)


def _read_union(text: str, members: Sequence[Any], annotation: Any) -> Any:
    if NoneType in members and text.strip().casefold() in _NONE:
        return None
    literal = read_literal(text)
    for member in members:
        # A text fits str whatever it looks like; the others say more.
        if member is not str and member is not Any and fits(literal, member, exactly=True):
            return _read_member(text, member) if isinstance(literal, (list, tuple, dict)) else literal
    for member in sorted(members, key=lambda each: each is str or each is Any):
        if member is NoneType:
            continue
        try:
            return _read_member(text, member)
        except ParameterTypeError:
            continue
    raise _misfit(text, annotation)


def _read_sequence(text: str, origin: Any, arguments: tuple[Any, ...]) -> Any:
    inner = _inside(text)
    listed = text if inner is None else inner
    pieces = _split(listed, ",") if listed.strip() else []
    if pieces and not pieces[-1].strip():
        pieces.pop()
    types: Sequence[Any]
    if origin is tuple and arguments and arguments[-1] is not ...:
        if len(pieces) != len(arguments):
            declared = f"tuple[{', '.join(map(name_type, arguments))}]"
            told = f"it has {len(pieces)} items where {len(arguments)} are declared"
            raise ParameterTypeError(f"'{text}' is no {declared}: {told}")
        types = arguments
    else:
        types = [arguments[0] if arguments else Any] * len(pieces)
    items = [read_text(piece.strip(), each) for piece, each in zip(pieces, types, strict=True)]
    return _SEQUENCES[origin](items)


def _read_mapping(text: str, arguments: tuple[Any, ...]) -> dict[Any, Any]:
    inner = _inside(text, "{")
    if inner is None:
        raise _misfit(text, dict, "write it as {name: value}")
    key_type, value_type = arguments if len(arguments) == 2 else (Any, Any)
    found = {}
    for piece in _split(inner, ",") if inner.strip() else []:
        key, *value = _split(piece, ":", most=1)
        if not value:
            raise _misfit(text, dict, f"'{piece.strip()}' has no ':'")
        found[read_text(key.strip(), key_type)] = read_text(value[0].strip(), value_type)
    return found


def _read_address(text: str, member: Any) -> Any:
    """Import the class or function of a dotted name."""
    name = _unquote(text)
    module, colon, qualname = name.partition(":")
    if not colon:
        module, _, qualname = name.rpartition(".")
    if not module:
        import builtins

        module, qualname = "builtins", name
        if not hasattr(builtins, name):
            raise _misfit(text, member, "write its module too, as in torch.optim.Adam")
    try:
        found = find_address(f"{module}:{qualname}", lived_there=False)
    except ConfigurationError as error:
        raise _misfit(text, member, str(error).removesuffix(".")) from None
    if not fits(found, member):
        raise _misfit(text, member)
    return found


def _read_loosely(text: str) -> Any:
    """Read brackets whose items need no quotes: ``[relu, tanh]``."""
    try:
        if text[0] == "{":
            return _read_mapping(text, ())
        return _read_sequence(text, tuple if text[0] == "(" else list, ())
    except ParameterTypeError:
        return text


def _read_bool(text: str) -> bool:
    folded = text.strip().casefold()
    if folded not in _TRUE + _FALSE:
        raise _misfit(text, bool, "write True or False")
    return folded in _TRUE


def _read_int(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        pass
    whole = read_whole(text)
    if whole is not None:
        return whole
    literal = read_literal(text)  # 0x1f and the like
    if type(literal) is int:
        return literal
    raise _misfit(text, int)


def _read_float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise _misfit(text, float) from None


def _read_none(text: str) -> None:
    if text.strip().casefold() not in _NONE:
        raise _misfit(text, None)


def _read_complex(text: str) -> complex:
    try:
        return complex(text.replace(" ", ""))
    except ValueError:
        raise _misfit(text, complex) from None


def _read_range(text: str) -> range:
    literal = read_literal(f"({_inside(text.removeprefix('range')) or ''},)")
    if not text.startswith("range") or not isinstance(literal, tuple) or not 1 <= len(literal) <= 3:
        raise _misfit(text, range, "write it as range(0, 10)")
    return range(*literal)


def _choose(text: str, known: dict[str, Any], shown: Sequence[Any]) -> Any:
    bare = _unquote(text)
    if bare in known:
        return known[bare]
    near = find_nearest(bare, list(known))
    names = [str(each) for each in shown]
    told = f"did you mean {join_names(near, 'or')}?" if near else f"it is one of {join_names(names, 'or')}"
    raise ParameterTypeError(f"there is no '{bare}': {told}")


def _misfit(text: str, annotation: Any, why: str = "") -> ParameterTypeError:
    several = len(members_of(annotation)) > 1
    told = f"'{text}' is {'none of' if several else 'no'} {name_type(annotation)}"
    return ParameterTypeError(f"{told}: {why}" if why else told)


def _inside(text: str, opening: str = "([{") -> str | None:
    """Return what stands within the brackets of a text; None if it has none."""
    stripped = text.strip()
    if stripped[:1] and stripped[0] in opening and stripped[-1:] == _CLOSING[stripped[0]]:
        return stripped[1:-1]
    return None


def _split(text: str, at: str, *, most: int | None = None) -> list[str]:
    pieces: list[str] = []
    start, open_brackets, quote = 0, 0, ""
    for position, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"" and not text[start:position].strip(" \t([{,:"):
            # An apostrophe within a word is none that begins a text.
            quote = character
        elif character in _CLOSING:
            open_brackets += 1
        elif character in ")]}":
            open_brackets = max(0, open_brackets - 1)
        elif character == at and not open_brackets and (most is None or len(pieces) < most):
            pieces.append(text[start:position])
            start = position + 1
    return [*pieces, text[start:]]


def _unquote(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        value = read_literal(text)
        return value if isinstance(value, str) else text
    return text


_ATOMS: dict[type, Callable[[str], Any]] = {
    NoneType: _read_none,
    Path: lambda text: Path(_unquote(text)),
    bool: _read_bool,
    complex: _read_complex,
    float: _read_float,
    int: _read_int,
    object: read_literal,
    range: _read_range,
    str: _unquote,
}

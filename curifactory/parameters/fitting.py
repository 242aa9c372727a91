"""Whether a value fits the type that is declared for it, and if not, which part of it does not."""

from __future__ import annotations

import collections.abc
import functools
import inspect
import numbers
import typing
from collections.abc import Iterator
from typing import Any

from curifactory.parameters.annotations import members_of, name_type

#: What a faulty value is called at most.
_LONGEST = 60
_NUMBERS: dict[type, type] = {float: numbers.Real, int: numbers.Integral, complex: numbers.Complex}


def fits(value: Any, annotation: Any, *, exactly: bool = False) -> bool:
    """Say whether a value fits a declared type.

    Parameters
    ----------
    value : Any
        The value.
    annotation : Any
        The type.
    exactly : bool
        Whether numbers have to be of the very type; by default an int is a float too, as typing has it, and numbers of
        numpy are numbers.

    Examples
    --------
    >>> fits(1, float), fits(1, float, exactly=True), fits([1, "a"], list[int]), fits(None, int | None)
    (True, False, False, True)
    """
    return next(find_misfits(value, annotation, "", exactly=exactly), None) is None


def find_misfits(
    value: Any, annotation: Any, path: str, *, exactly: bool = False
) -> Iterator[tuple[str, str]]:
    """Yield the parts of a value that do not fit its declared type, each with its path and a sentence part.

    Examples
    --------
    >>> list(find_misfits([1, "a"], list[int], "sizes"))
    [('sizes[1]', "'a' is no int")]
    """
    members = members_of(annotation)
    if len(members) == 1:
        yield from _check(value, members[0], path, exactly=exactly)
    elif not any(fits(value, member, exactly=exactly) for member in members):
        yield path, _tell(value, annotation)


def _check(value: Any, member: Any, path: str, *, exactly: bool) -> Iterator[tuple[str, str]]:
    origin, arguments = typing.get_origin(member), typing.get_args(member)
    if member is Any or member is typing.Never or member is typing.NoReturn:
        return
    if origin is typing.Literal:
        if not any(type(value) is type(each) and value == each for each in arguments):
            yield path, _tell(value, member)
    elif origin is None:
        if not _is_instance(value, member, exactly=exactly):
            yield path, _tell(value, member)
    elif origin is type:
        if not isinstance(value, type) or not _is_subclass(value, arguments):
            yield (
                path,
                f"{_show(value)} is no class"
                + ("" if Any in arguments else f" of {name_type(arguments[0])}"),
            )
    elif not _is_instance(value, origin, exactly=exactly):
        yield path, _tell(value, member)
    else:
        yield from _check_items(value, origin, arguments, path, exactly=exactly)


def _check_items(
    value: Any, origin: Any, arguments: tuple[Any, ...], path: str, *, exactly: bool
) -> Iterator[tuple[str, str]]:
    if isinstance(value, tuple) and origin is tuple:
        if len(arguments) == 2 and arguments[1] is ...:
            arguments = (arguments[0],) * len(value)
        if len(arguments) != len(value):
            yield path, f"{_show(value)} has {len(value)} items where {len(arguments)} are declared"
            return
        pairs = zip(value, arguments, strict=True)
        for position, (item, inner) in enumerate(pairs):
            yield from find_misfits(item, inner, f"{path}[{position}]", exactly=exactly)
    elif isinstance(value, dict) and len(arguments) == 2:
        for key, item in value.items():
            yield from find_misfits(key, arguments[0], f"{path}[{key!r}]", exactly=exactly)
            yield from find_misfits(item, arguments[1], f"{path}[{key!r}]", exactly=exactly)
    elif isinstance(value, (list, tuple, set, frozenset)) and len(arguments) == 1:
        for position, item in enumerate(value):
            yield from find_misfits(item, arguments[0], f"{path}[{position}]", exactly=exactly)


def _is_instance(value: Any, cls: Any, *, exactly: bool) -> bool:
    if cls is Any or not isinstance(cls, type):
        return True
    if cls is collections.abc.Callable or inspect.isfunction(cls):
        return callable(value)
    if cls in _NUMBERS:
        if exactly or type(value) is bool:
            return type(value) is cls or (not exactly and cls is int)
        return isinstance(value, (cls, _NUMBERS[cls]))
    if cls is bool and type(value).__name__ in ("bool_", "bool"):
        return True
    if typing.is_typeddict(cls):
        return isinstance(value, dict)
    try:
        # Where an estimator is declared people give its class, to be called in a stage, or a partial of it.
        made = value.func if isinstance(value, functools.partial) else value
        return isinstance(value, cls) or (isinstance(made, type) and issubclass(made, cls))
    except TypeError:
        # A protocol that cannot be asked at run time.
        return True


def _is_subclass(value: type, bases: tuple[Any, ...]) -> bool:
    classes = [base for base in members_of(bases[0]) if isinstance(base, type)] if bases else []
    return not classes or any(issubclass(value, base) for base in classes)


def _tell(value: Any, annotation: Any) -> str:
    members = members_of(annotation)
    several = len(members) > 1 or typing.get_origin(members[0]) is typing.Literal
    return f"{_show(value)} is {'none of' if several else 'no'} {name_type(annotation)}"


def _show(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 (a repr of somebody else's may do anything)
        text = ""
    return text if 0 < len(text) <= _LONGEST else f"a value of type {type(value).__name__}"

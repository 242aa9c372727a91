"""The arguments that a cacher was made with, by name: what its key is drawn from."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any


def name_arguments(kind: type, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Give each constructor argument the name of its parameter.

    ``*args`` and ``**kwargs`` of a class are followed to the constructor of its base, to which they are handed on.

    Parameters
    ----------
    kind : type
        The class that was instantiated.
    args, kwargs
        What it was given.

    Returns
    -------
    dict of str to object
        Arguments that fit no parameter are named by their position, such as ``"0"``.

    Examples
    --------
    >>> class Base:
    ...     def __init__(self, path=None, name=None): ...
    >>> class Child(Base):
    ...     def __init__(self, *args, depth=1, **kwargs): ...
    >>> name_arguments(Child, ("a.json",), {"depth": 2})
    {'depth': 2, 'path': 'a.json'}
    """
    named: dict[str, Any] = {}
    rest, rest_by_name = args, dict(kwargs)
    for signature in _signatures(kind):
        if not rest and not rest_by_name:
            break
        try:
            bound = signature.bind_partial(*rest, **rest_by_name)
        except TypeError:
            break
        rest, rest_by_name = (), {}
        for name, value in bound.arguments.items():
            parameter = signature.parameters[name]
            if parameter.kind is parameter.VAR_POSITIONAL:
                rest = value
            elif parameter.kind is parameter.VAR_KEYWORD:
                rest_by_name = dict(value)
            else:
                named[name] = value
    named.update((str(position), value) for position, value in enumerate(rest))
    named.update(rest_by_name)
    return named


@lru_cache(maxsize=256)
def _signatures(kind: type) -> tuple[inspect.Signature, ...]:
    signatures = []
    for ancestor in kind.__mro__[:-1]:
        constructor = ancestor.__dict__.get("__init__")
        if constructor is None:
            continue
        signature = inspect.signature(constructor)
        signatures.append(signature.replace(parameters=tuple(signature.parameters.values())[1:]))
    return tuple(signatures)


def class_key(kind: type, arguments: Mapping[str, Any]) -> str:
    """Return 64 hex digits for a class and the arguments that count.

    Parameters
    ----------
    kind : type
        The class; its name counts, its code is looked after elsewhere.
    arguments : mapping of str to object
        Named arguments.

    Raises
    ------
    UnidentifiableError
        If an argument is a value that has no identity.

    Examples
    --------
    >>> len(class_key(int, {}))
    64
    """
    text = f"{kind.__module__}.{kind.__qualname__}"
    if arguments:
        from curifactory.identity.canonical import digest

        text += f" {digest(dict(arguments), path=kind.__qualname__)}"
    return sha256(text.encode()).hexdigest()

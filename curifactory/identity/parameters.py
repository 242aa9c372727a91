"""The identity of a parameter set, and how each of its fields comes into it."""

from __future__ import annotations

import dataclasses
from typing import Any

from curifactory.identity.canonical import digest, digest_of, too_deep, value_walk
from curifactory.identity.encoding import Refusal
from curifactory.identity.fields import (
    REPRESENTATIONS,
    Layout,
    encode_fields,
    extra_attributes,
    layout_of,
    represent,
    representations_of,
)
from curifactory.identity.project_scope import Scope

# What sets of other libraries may have as well, by the same names.
_OF_EVERY_SET = frozenset({"name", "hash", "overwrite", "hash_representations"})
_NO_SET = digest_of(b"no parameter set")


def set_digest(params: Any, *, scope: Scope | None = None) -> str:
    """Return the digest of a parameter set: its class by name, and all of its fields by value.

    What the framework adds to a set (``name``, ``hash``, ``overwrite``, ``hash_representations``) is left out of the set
    itself, but not of sets and classes inside of it. ``hash_representations`` is followed at each level. A field that is
    None counts: None is a value that a stage can read. The methods of the class do not count; use
    :func:`curifactory.identity.canonical.digest` where they should.

    Parameters
    ----------
    params : Any
        A dataclass, attrs or pydantic instance, or None for a record without parameters.
    scope : Scope, optional
        What counts as the project's own code, for values that are functions, classes or objects.

    Returns
    -------
    str
        64 hex digits.

    Raises
    ------
    UnidentifiableError
        If a field has no identity; the error names it.

    Examples
    --------
    >>> @dataclasses.dataclass
    ... class Params:
    ...     a: int = 12
    ...     a1: int = 3
    >>> set_digest(Params()) == set_digest(Params(12, 3)), set_digest(Params()) == set_digest(Params(13, 2))
    (True, False)
    """
    if params is None:
        return _NO_SET
    layout = layout_of(params.__class__)
    if layout is None:
        return digest(params, path="params", scope=scope)
    foreign = _plain_set(params, layout)
    if foreign is not None:
        return digest(foreign, path="params", scope=scope)
    try:
        return digest_of(encode_fields(params, value_walk(scope), as_set=True, with_code=False))
    except Refusal as refusal:
        raise refusal.as_error("params") from refusal.__cause__
    except RecursionError:
        raise too_deep("params") from None


def _plain_set(params: Any, layout: Layout) -> tuple[Any, ...] | None:
    """Return a set of attrs or pydantic without what is no part of its identity; None of any other."""
    cls = params.__class__
    if layout.framework or dataclasses.is_dataclass(cls):
        return None
    parts = {name: getattr(params, name) for name in layout.names if hasattr(params, name)}
    parts |= extra_attributes(params, layout)
    named = {name: value for name, value in parts.items() if name not in _OF_EVERY_SET}
    return (cls.__module__, cls.__qualname__, named)


def describe_set(params: Any) -> dict[str, tuple[str, Any]]:
    """Say of each field how it comes into the hash, and with which value.

    Returns
    -------
    dict
        Field -> (strategy, value). Skipped fields have a strategy that begins with ``SKIPPED`` and the value None; a
        dataclass has the description of its own fields as value. The values are the set's own: secrets are not masked.

    Raises
    ------
    UnidentifiableError
        If a function in ``hash_representations`` raises.

    Examples
    --------
    >>> @dataclasses.dataclass
    ... class Params:
    ...     seed: int = 7
    >>> describe_set(Params())
    {'seed': ('digest(seed)', 7)}
    """
    return _describe(params, as_set=True)


def _followed(item: Any) -> Layout | None:
    """Return the layout of a dataclass instance; None for what is digested in one piece."""
    cls: type = item.__class__
    return layout_of(cls) if dataclasses.is_dataclass(cls) else None


def _describe(value: Any, *, as_set: bool) -> dict[str, tuple[str, Any]]:
    layout = layout_of(value.__class__) if value is not None else None
    if layout is None:
        return {}
    representations = representations_of(value, layout)
    described: dict[str, tuple[str, Any]] = {}
    for name in layout.names:
        item = getattr(value, name, None)
        if (as_set and name in layout.framework) or (name == REPRESENTATIONS and representations):
            described[name] = ("SKIPPED: blacklist", None)
        elif name in representations:
            described[name] = _describe_representation(value, name, representations[name])
        elif _followed(item) is not None:
            described[name] = (f"describe_set(param_set.{name})", _describe(item, as_set=False))
        elif callable(item) and hasattr(item, "__qualname__"):
            described[name] = (f"{name}.__qualname__", item.__qualname__)
        else:
            described[name] = (f"digest({name})", item)
    return described


def _describe_representation(value: Any, name: str, representation: Any) -> tuple[str, Any]:
    if representation is None:
        return f"SKIPPED: set to None in {REPRESENTATIONS}", None
    try:
        result = represent(value, name, representation)
    except Refusal as refusal:
        raise refusal.as_error(f"params.{name}") from refusal.__cause__
    return f"param_set.{REPRESENTATIONS}['{name}'](param_set, {name})", result

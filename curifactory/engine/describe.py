"""What is said of a value in reports: its type and its shape or length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from curifactory.core.secrets import MASK, holds_secret, mask_text
from curifactory.core.spec import OutputSpec
from curifactory.core.trace import Output, new_tuple

_MOST_BITS = 2_000


def describe(name: str, value: Any) -> Output:
    """Return an output of a call that no cacher keeps: what its value is.

    Examples
    --------
    >>> describe("scores", [0.5, 1.0])
    Output(name='scores', type='list', summary='2 items', artifact=None)
    """
    return new_tuple(Output, (name, type_name(value), summary(value, name), None))


def describe_all(specs: Sequence[OutputSpec], values: Sequence[Any]) -> tuple[Output, ...]:
    """Return the outputs of a call none of which a cacher keeps.

    Examples
    --------
    >>> describe_all([OutputSpec("n")], [3])
    (Output(name='n', type='int', summary='3', artifact=None),)
    """
    found: list[Output] = []
    for spec in specs:
        found.append(describe(spec.name, values[len(found)]))
    return tuple(found)


def type_name(value: Any) -> str:
    """Return the qualified name of a value's type; builtins without their module.

    Examples
    --------
    >>> type_name([1])
    'list'
    """
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def summary(value: Any, name: str = "") -> str:
    """Return the shape or length of a value, the value itself if it is a short scalar, or nothing.

    Parameters
    ----------
    value : Any
        The value.
    name : str
        What it is called; a value that is a secret by its name is masked.

    Examples
    --------
    >>> summary([1, 2]), summary(0.5), summary(object())
    ('2 items', '0.5', '')
    """
    if value is None or isinstance(value, (bool, int, float)):
        if holds_secret(name, value):
            return MASK
        if isinstance(value, int) and value.bit_length() > _MOST_BITS:
            # Python refuses to write the digits of very long ones.
            return f"{value.bit_length()} bits"
        return repr(value)[:40]
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and all(isinstance(size, int) for size in shape):
        return " × ".join(map(str, shape)) or "scalar"
    if isinstance(value, str):
        if len(value) > 40:
            return f"{len(value)} characters"
        return MASK if holds_secret(name, value) else mask_text(repr(value))
    if isinstance(value, (list, tuple, dict, set, frozenset, bytes)):
        unit = "bytes" if isinstance(value, bytes) else "item" if len(value) == 1 else "items"
        return f"{len(value)} {unit}"
    return ""

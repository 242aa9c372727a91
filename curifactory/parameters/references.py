"""``$`` references of a tree: names, attributes, positions and calls with literals, evaluated by a short list of what is allowed."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

from curifactory.errors import ParameterError

MARK = "$"
_ROOT = "_root_"
# `$.sizes.1`: a number after a dot is a position.
_POSITION = re.compile(r"(?<=[\w\])])\.(\d+)(?=\.|\[|\(|\s*$)")
_ALLOWED = (
    "Write names, attributes, positions and calls with plain values, as in $.model.parameters() or $.sizes.0."
)


def is_reference(value: Any) -> bool:
    """Say whether a value of a tree is a reference.

    Examples
    --------
    >>> is_reference("$.model"), is_reference("$"), is_reference("5 $"), is_reference("$HOME")
    (True, True, False, False)
    """
    return isinstance(value, str) and (value == MARK or value.startswith(MARK + "."))


def read_reference(text: str) -> ast.expr:
    """Return a reference as an expression that has nothing in it but what is allowed.

    Parameters
    ----------
    text : str
        Such as ``$.model.parameters()``.

    Raises
    ------
    ParameterError
        If it is written wrongly, or asks for more than is allowed.

    Examples
    --------
    >>> type(read_reference("$.model.sizes.1")).__name__
    'Subscript'
    """
    source = _ROOT + _POSITION.sub(r"[\1]", text.strip()[1:])
    while (again := _POSITION.sub(r"[\1]", source)) != source:
        source = again
    try:
        expression = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ParameterError(f"'{text}' is no reference.", hint=_ALLOWED) from None
    _check(expression, text)
    return expression


def follow(text: str, find: Callable[[str], Any]) -> Any:
    """Return what a reference leads to.

    Parameters
    ----------
    text : str
        The reference.
    find : callable
        Returns what is called by a name; raises if there is nothing.

    Raises
    ------
    ParameterError
        If it is written wrongly.

    Examples
    --------
    >>> follow("$.words.1.upper()", {"words": ["a", "b"]}.__getitem__)
    'B'
    """
    return _evaluate(read_reference(text), find)


def _check(node: ast.expr, text: str) -> None:
    if isinstance(node, ast.Attribute):
        if node.attr.startswith("_"):
            raise ParameterError(f"'{text}' asks for '{node.attr}', which is not public.", hint=_ALLOWED)
        if not (isinstance(node.value, ast.Name) and node.value.id == _ROOT):
            _check(node.value, text)
    elif isinstance(node, ast.Subscript):
        _check(node.value, text)
        if not isinstance(_literal(node.slice, text), (int, str)):
            raise ParameterError(f"'{text}' has a position that is no number or name.", hint=_ALLOWED)
    elif isinstance(node, ast.Call) and isinstance(node.func, (ast.Attribute, ast.Subscript)):
        _check(node.func, text)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            _literal(argument, text)
        if any(keyword.arg is None for keyword in node.keywords):
            raise ParameterError(f"'{text}' has ** in a call.", hint=_ALLOWED)
    else:
        raise ParameterError(f"'{text}' has more in it than a reference may.", hint=_ALLOWED)


def _evaluate(node: ast.expr, find: Callable[[str], Any]) -> Any:
    if isinstance(node, ast.Attribute):
        if isinstance(node.value, ast.Name):
            return find(node.attr)
        return getattr(_evaluate(node.value, find), node.attr)
    if isinstance(node, ast.Subscript):
        return _evaluate(node.value, find)[ast.literal_eval(node.slice)]
    called = node if isinstance(node, ast.Call) else None
    if called is None:  # pragma: no cover (nothing else has passed the check)
        raise TypeError(type(node).__name__)
    arguments = [ast.literal_eval(argument) for argument in called.args]
    keywords = {keyword.arg or "": ast.literal_eval(keyword.value) for keyword in called.keywords}
    return _evaluate(called.func, find)(*arguments, **keywords)


def _literal(node: ast.expr, text: str) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise ParameterError(f"'{text}' has an argument that is no plain value.", hint=_ALLOWED) from None

"""The digest of a value: equal for equal values in any process and on any machine, different for different ones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from types import FunctionType
from typing import Any

from curifactory.errors import UnidentifiableError
from curifactory.identity.dispatch import new_walk
from curifactory.identity.encoding import PLAIN, Refusal, Walk, encode
from curifactory.identity.fingerprint import code_digest
from curifactory.identity.own_text import own_text
from curifactory.identity.project_scope import Scope

_FORMAT = b"curifactory value 1\n"


def digest(value: Any, *, path: str = "value", scope: Scope | None = None, as_read: bool = False) -> str:
    """Return the digest of a value.

    Types count (``1``, ``True``, ``1.0`` and ``"1"`` differ), the order of a list counts, that of a dict or set does not.
    Arrays and frames count by type, shape and content; dataclass, attrs and pydantic instances by class and fields;
    other objects by class and state; functions and classes by name, and by code if they are the project's own.

    Parameters
    ----------
    value : Any
        What is to be identified.
    path : str
        What the value is called in an error.
    scope : Scope, optional
        What counts as the project's own code; by default all code that nobody installed.
    as_read : bool
        Whether all counts that code can see which is given the value: the order of dictionaries, and the name of a
        parameter set.

    Returns
    -------
    str
        64 hex digits.

    Raises
    ------
    UnidentifiableError
        If something in the value has no identity that another process would agree on: an open file, a lock, a generator,
        a lambda without source, a value that contains itself. It names the path to it.

    Examples
    --------
    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    >>> digest({"a": 1, "b": 2}, as_read=True) == digest({"b": 2, "a": 1}, as_read=True)
    False
    >>> digest(1) == digest(True)
    False
    """
    kind = type(value)
    if kind in _ATOMS:
        return digest_of(PLAIN[kind](value, _ATOMS_WALK))
    walk = value_walk(scope)
    walk.names_sets = walk.is_ordered = as_read
    try:
        encoded = encode(value, walk)
    except Refusal as refusal:
        raise refusal.as_error(path) from refusal.__cause__
    except RecursionError:
        raise too_deep(path) from None
    return digest_of(encoded)


def digest_of(encoded: bytes) -> str:
    """Return the digest of an encoding: 64 hex digits."""
    return hashlib.sha256(_FORMAT + encoded).hexdigest()


def value_walk(scope: Scope | None = None) -> Walk:
    """Return a walk in which functions and classes of the project count by their code."""
    scope = scope if scope is not None else Scope.unbounded()
    return new_walk(_code_of(scope), scope)


def too_deep(path: str) -> UnidentifiableError:
    """Return the error for a value with more levels than can be followed."""
    return UnidentifiableError(
        f"{path} is nested too deeply to be identified.", hint="Give it in a flatter form."
    )


def _code_of(scope: Scope) -> Callable[[Any], str | None]:
    answers: dict[int, tuple[Any, str | None]] = {}

    def code_of(thing: Any) -> str | None:
        known = answers.get(id(thing))
        if known is not None:
            return known[1]
        if (
            isinstance(thing, FunctionType)
            and thing.__name__ == "<lambda>"
            and not own_text(thing).has_source
        ):
            raise Refusal("it is a lambda whose source cannot be read; write it as a function in a module")
        answer = code_digest(thing, scope=scope)
        answers[id(thing)] = (thing, answer)
        return answer

    return code_of


# The encodings of these ask a walk for nothing.
_ATOMS = frozenset((bool, complex, float, int, str, type(None)))
_ATOMS_WALK = value_walk()

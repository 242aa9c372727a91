"""Readable names of the sets of a sweep, such as ``n=50,seed=2``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

# Where an object lies, as Python writes it of one that says nothing else of itself.
_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")


class Namer:
    """Gives the sets of one sweep names that differ.

    Parameters
    ----------
    base : Any
        The set that is multiplied.
    varying : mapping of str to sequence
        The values of each parameter that varies.
    keep_name : bool
        Whether the names begin with the name of the base.

    Examples
    --------
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> base = ExperimentParameters(name="small")
    >>> Namer(base, {"lr": (0.1, 0.2)}, keep_name=True).name_of({"lr": 0.2}, 1)
    'small lr=0.2 #1'
    """

    def __init__(self, base: Any, varying: Mapping[str, Sequence[Any]], *, keep_name: bool) -> None:
        name = getattr(base, "name", None)
        self.base = name if isinstance(name, str) else ""
        self._keeps = keep_name
        self._texts = {name: _name_values(values) for name, values in varying.items()}
        self._varying = varying

    def name_of(self, values: Mapping[str, Any], repeat: int, given: Any = None) -> str | None:
        """Return the name of one set, None where it keeps its own; ``given`` is one that all sets are to have."""
        if not self.base or "name" in values or not (values or repeat):
            return None
        parts = [f"{name}={self._text(name, value)}" for name, value in values.items()]
        own = str(given or self.base) if self._keeps or not parts else ""
        return " ".join(part for part in (own, ",".join(parts), f"#{repeat}" if repeat else "") if part)

    def _text(self, name: str, value: Any) -> str:
        for each, text in zip(self._varying[name], self._texts[name], strict=True):
            if each is value or is_same(each, value):
                return text
        return show_value(value)


def _name_values(values: Sequence[Any]) -> list[str]:
    short = [show_value(value) for value in values]
    if len(set(short)) == len(short):
        return short
    longer = [repr(value) for value in values]
    if len(set(longer)) == len(longer) and not any(map(_ADDRESS.search, longer)):
        return longer
    return [f"{text}.{position}" for position, text in enumerate(short)]


def show_value(value: Any) -> str:
    """Return a value as names of sets and tables have it: short, floats with four digits.

    Examples
    --------
    >>> show_value(0.000123456), show_value([64, 32]), show_value("adam"), show_value(int)
    ('0.0001235', '[64, 32]', 'adam', 'int')
    """
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
        return str(value.__qualname__).rpartition(".")[2]
    if isinstance(value, (list, tuple)):
        inside = ", ".join(map(show_value, value))
        if isinstance(value, list):
            return f"[{inside}]"
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    text = str(value)
    if _ADDRESS.search(text):
        # It is another one in every process.
        return type(value).__qualname__.rpartition(".")[2]
    return text if len(text) <= 60 else f"{text[:59]}…"


def is_same(one: Any, other: Any) -> bool:
    """Say whether two values are equal and of one type.

    Examples
    --------
    >>> is_same(1, 1), is_same(1, True)
    (True, False)
    """
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    same = one == other
    return bool(same.all()) if hasattr(same, "all") else bool(same)

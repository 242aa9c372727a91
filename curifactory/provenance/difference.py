"""In what the surroundings of a run differ from the present ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_FACTS = ("python", "implementation", "platform", "machine")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is otherwise now.

    Parameters
    ----------
    name : str
        ``python``, ``platform``, …, or ``package NAME``.
    then, now : str or None
        What it was and is; None where it is missing.
    """

    name: str
    then: str | None
    now: str | None

    def __str__(self) -> str:
        return f"{self.name}: {self.then or 'not there'} → {self.now or 'not there'}"

    def to_json(self) -> dict[str, str | None]:
        """Return the difference as JSON values."""
        return {"name": self.name, "then": self.then, "now": self.now}


def compare_environments(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Difference]:
    """Return in what two environments differ: Python, machine, packages.

    Parameters
    ----------
    then, now : mapping
        As :func:`curifactory.provenance.environment.read_environment` gives them. What ``then`` does not tell of is not
        compared.

    Examples
    --------
    >>> then = {"python": "3.11.7", "packages": {"numpy": "2.4.5", "gone": "1"}}
    >>> now = {"python": "3.11.9", "packages": {"numpy": "2.4.6"}}
    >>> [str(each) for each in compare_environments(then, now)]
    ['python: 3.11.7 → 3.11.9', 'package gone: 1 → not there', 'package numpy: 2.4.5 → 2.4.6']
    """
    found = [
        Difference(name, _text(then[name]), _text(now.get(name)))
        for name in _FACTS
        if name in then and then[name] != now.get(name)
    ]
    packages, present = then.get("packages"), now.get("packages") or {}
    if packages is None:
        return found
    names = sorted({*packages, *present}, key=str.lower)
    return found + [
        Difference(f"package {name}", packages.get(name), present.get(name))
        for name in names
        if packages.get(name) != present.get(name)
    ]


def _text(value: Any) -> str | None:
    return None if value is None else str(value)

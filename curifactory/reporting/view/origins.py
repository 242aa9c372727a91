"""Runs that reused results come from, where their surroundings were not those of this run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

_SHORT_COMMIT = 10
_MOST_NAMED = 3
_WORDS = {"host": "machine", "python": "Python"}
_PACKAGE = "package "


class Difference(NamedTuple):
    """What was otherwise in an earlier run: ``then`` and ``now``, an empty text where there was none."""

    name: str
    then: str
    now: str

    def __str__(self) -> str:
        return f"{self.name} {self.then or 'none'} → {self.now or 'none'}"


class Origin(NamedTuple):
    """A run that results come from, and everything in which it differs from this one."""

    reference: str
    differences: tuple[Difference, ...]

    @property
    def short(self) -> str:
        """In what it differs, in a few words.

        Examples
        --------
        >>> Origin("iris_3", (Difference("commit", "a", "b"), Difference("numpy", "1.26", "2.0"))).short
        'other commit, numpy'
        """
        names = [each.name for each in self.differences]
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        return f"other {', '.join(names[:_MOST_NAMED])}{more}"

    @property
    def text(self) -> str:
        """All in which it differs, in one line."""
        return f"{self.reference}: {'; '.join(map(str, self.differences))}"


def gather_origins(facts: Mapping[str, Any]) -> dict[str, Origin]:
    """Read from the facts of a run which others its reused results come from; those that differ in nothing are left out.

    Parameters
    ----------
    facts : mapping
        What ``run.json`` holds.

    Returns
    -------
    dict of str to Origin
        By reference.

    Examples
    --------
    >>> origins = gather_origins(
    ...     {"origins": [{"reference": "iris_3", "differs": {"package numpy": ["1.26", "2.0"]}}]}
    ... )
    >>> origins["iris_3"].text
    'iris_3: numpy 1.26 → 2.0'
    """
    found = {}
    for row in facts.get("origins") or ():
        differs = row.get("differs") or {}
        differences = tuple(
            Difference(_show_name(name), _show_value(name, then), _show_value(name, now))
            for name, (then, now) in differs.items()
        )
        if differences:
            found[row["reference"]] = Origin(row["reference"], differences)
    return found


def _show_name(name: str) -> str:
    return _WORDS.get(name, name.removeprefix(_PACKAGE))


def _show_value(name: str, value: Any) -> str:
    text = "" if value is None else str(value)
    return text[:_SHORT_COMMIT] if name == "commit" else text

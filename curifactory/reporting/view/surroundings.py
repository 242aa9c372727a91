"""What was around a run: machine, packages, variables, uncommitted changes, log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

SHOWN_LINES = 2_000
SHOWN_CHARACTERS = 300_000


class Excerpt(NamedTuple):
    """Lines of a text and how many were left out; ``file`` lies whole beside the page."""

    lines: tuple[str, ...]
    left_out: int
    file: str


class Environment(NamedTuple):
    """Machine, packages and variables, each as pairs."""

    python: str
    platform: str
    packages: tuple[tuple[str, str], ...]
    variables: tuple[tuple[str, str], ...]


def gather_environment(environment: Mapping[str, Any] | None) -> Environment | None:
    """Read ``environment.json``; None if there is none."""
    if not environment:
        return None
    packages = environment.get("packages") or {}
    variables = environment.get("variables") or {}
    return Environment(
        python=str(environment.get("python") or ""),
        platform=str(environment.get("platform") or ""),
        packages=tuple(
            sorted(((str(name), str(version)) for name, version in packages.items()), key=_by_name)
        ),
        variables=tuple(sorted((str(name), str(value)) for name, value in variables.items())),
    )


def cut_text(text: str | None, file: str, *, from_end: bool) -> Excerpt | None:
    r"""Keep the last lines of a log, or the first ones of a patch; None if there is no text.

    Examples
    --------
    >>> cut_text("one\ntwo\n", "log.txt", from_end=True)
    Excerpt(lines=('one', 'two'), left_out=0, file='log.txt')
    """
    if not text or not text.strip():
        return None
    lines = text.splitlines()
    kept = lines[-SHOWN_LINES:] if from_end else lines[:SHOWN_LINES]
    room, shown = SHOWN_CHARACTERS, []
    for line in reversed(kept) if from_end else kept:
        room -= len(line) + 1
        if room < 0:
            break
        shown.append(line)
    if from_end:
        shown.reverse()
    return Excerpt(tuple(shown), len(lines) - len(shown), file)


def _by_name(pair: tuple[str, str]) -> str:
    return pair[0].lower()

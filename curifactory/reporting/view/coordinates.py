"""Parallel coordinates as a drawing that needs no script: an axis for each quantity, a line for each set."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

HEIGHT, TOP, BOTTOM, STEP, SIDE = 300, 40, 24, 150, 80
_MOST_WORDS = 24
# So many numbers have a tick each; of more the ends and the middle.
_FEW = 6
_MOST_LINES = 1000
_LONGEST_NAME = 22


class Axis(NamedTuple):
    """One axis: where it stands, what it is called, and its ticks as height and word."""

    x: int
    name: str
    arrow: str
    ticks: tuple[tuple[float, str], ...]


class Line(NamedTuple):
    """One line: its path, what it is, and how good it is, 0 to 100 (None: nobody can tell)."""

    path: str
    label: str
    share: int | None


class Coordinates(NamedTuple):
    """The drawing.

    Parameters
    ----------
    width, height, top, bottom : int
        Its size, and where axes begin and end.
    axes : tuple of Axis
        From left to right.
    lines : tuple of Line
        The best last, so that they lie above the others.
    coloured : str
        By which quantity lines are coloured; empty if by none.
    """

    width: int
    height: int
    top: int
    bottom: int
    axes: tuple[Axis, ...]
    lines: tuple[Line, ...]
    coloured: str


class _Scale(NamedTuple):
    places: dict[int, float]
    ticks: tuple[tuple[float, str], ...]


def draw_coordinates(
    axes: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]], labels: Sequence[str]
) -> Coordinates | None:
    """Draw rows of values as lines across axes; None if fewer than two axes have different values.

    Parameters
    ----------
    axes : sequence of (str, str)
        Name of each quantity, and what it is: empty for a parameter, ``higher`` or ``lower`` for a metric of which more or
        less is better, ``metric`` for any other.
    rows : sequence of sequence
        Values by axis; None where there is none.
    labels : sequence of str
        What each row is.

    Examples
    --------
    >>> drawn = draw_coordinates([("n", ""), ("loss", "lower")], [[1, 0.5], [2, 0.1]], ["a", "b"])
    >>> drawn.coloured, [(line.label, line.share) for line in drawn.lines]
    ('loss', [('a', 0), ('b', 100)])
    >>> draw_coordinates([("n", "")], [[1], [2]], ["a", "b"]) is None
    True
    """
    rows = rows[:_MOST_LINES]
    scales = [(name, kind, _scale([row[at] for row in rows])) for at, (name, kind) in enumerate(axes)]
    drawn = [(name, kind, scale) for name, kind, scale in scales if scale is not None]
    if len(drawn) < 2:
        return None
    metrics = [(name, kind, scale) for name, kind, scale in drawn if kind]
    coloured = next((each for each in metrics if each[1] != "metric"), metrics[0] if metrics else None)
    lines = []
    for at, label in enumerate(labels[: len(rows)]):
        points = [
            (SIDE + STEP * column, _height(scale.places[at]))
            for column, (_, _, scale) in enumerate(drawn)
            if at in scale.places
        ]
        path = "".join(f"{'L' if number else 'M'}{x} {y:g}" for number, (x, y) in enumerate(points))
        share = None if coloured is None else _share(coloured[2], at, coloured[1])
        lines.append(Line(path, label, share))
    lines.sort(key=lambda line: -1 if line.share is None else line.share)
    return Coordinates(
        width=2 * SIDE + STEP * (len(drawn) - 1),
        height=HEIGHT,
        top=TOP,
        bottom=HEIGHT - BOTTOM,
        axes=tuple(
            Axis(
                SIDE + STEP * column,
                name if len(name) <= _LONGEST_NAME else f"…{name[1 - _LONGEST_NAME :]}",
                {"higher": " ↑", "lower": " ↓"}.get(kind, ""),
                tuple((_height(place), word) for place, word in scale.ticks),
            )
            for column, (name, kind, scale) in enumerate(drawn)
        ),
        lines=tuple(lines),
        coloured="" if coloured is None else coloured[0],
    )


def _scale(values: Sequence[Any]) -> _Scale | None:
    """Place values between 0 at the bottom and 1: numbers by size, anything else in the order in which it comes."""
    present = {at: value for at, value in enumerate(values) if value is not None}
    if all(_is_number(value) for value in present.values()):
        found = sorted(set(present.values()))
        if len(found) < 2:
            return None
        low, high = found[0], found[-1]
        # What spans three powers of ten is read in powers of ten.
        log = low > 0 and high / low >= 1000
        left, right = (math.log(low), math.log(high)) if log else (low, high)
        places = {
            at: ((math.log(value) if log else value) - left) / (right - left) for at, value in present.items()
        }
        if len(found) <= _FEW:
            marked = {each: ((math.log(each) if log else each) - left) / (right - left) for each in found}
        else:
            marked = {low: 0.0, math.exp((left + right) / 2) if log else (low + high) / 2: 0.5, high: 1.0}
        return _Scale(places, tuple((place, _tick(value)) for value, place in marked.items()))
    words = list(dict.fromkeys(str(value) for value in present.values()))
    if not 2 <= len(words) <= _MOST_WORDS:
        return None
    step = 1 / (len(words) - 1)
    places = {at: words.index(str(value)) * step for at, value in present.items()}
    return _Scale(places, tuple((at * step, word[:18]) for at, word in enumerate(words)))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _tick(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.4g}"


def _height(place: float) -> float:
    return round(HEIGHT - BOTTOM - place * (HEIGHT - TOP - BOTTOM), 1)


def _share(scale: _Scale, at: int, kind: str) -> int | None:
    if at not in scale.places:
        return None
    place = scale.places[at]
    return round(100 * (1 - place if kind == "lower" else place))

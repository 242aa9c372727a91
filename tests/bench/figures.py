"""``Figure``: one measured row of the table, with what it is compared to, and how it is printed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

HEADINGS = ("row", "what", "floor", "ours", "ratio", "target", "")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row.

    Parameters
    ----------
    row : str
        Its name, ``group.word``.
    what : str
        What was measured.
    unit : str
        Of ``floor``, ``ours`` and ``target``.
    ours : float
        Median of our times.
    floor : float, optional
        Median of plain Python doing the same work, measured in turns with ours.
    target : float, optional
        The most that ours may be.
    target_ratio : float, optional
        The most that ours may be as a multiple of the floor.
    floor_there : float, optional
        The floor on the machine for which ``target`` was set.
    repeats : int
        How many times each was measured.
    """

    row: str
    what: str
    unit: str
    ours: float
    floor: float | None = None
    target: float | None = None
    target_ratio: float | None = None
    floor_there: float | None = None
    repeats: int = 1

    @property
    def ratio(self) -> float | None:
        """Ours as a multiple of the floor."""
        return self.ours / self.floor if self.floor else None

    @property
    def verdict(self) -> str:
        """``pass``; ``pass*`` if only because this machine's floor is slower, too; ``over``; nothing without a target."""
        if self.target_ratio is not None and self.ratio is not None:
            return "pass" if self.ratio <= self.target_ratio else "over"
        if self.target is None:
            return ""
        if self.ours <= self.target:
            return "pass"
        slower = self.floor / self.floor_there if self.floor and self.floor_there else 1.0
        return "pass*" if self.ours <= self.target * slower else "over"

    def cells(self) -> tuple[str, ...]:
        """Return what the table shows of it."""
        target = ""
        if self.target_ratio is not None:
            target = f"≤ {self.target_ratio:g} × floor"
        elif self.target is not None:
            target = f"≤ {self.target:g} {self.unit}"
        return (
            self.row,
            self.what,
            "–" if self.floor is None else _amount(self.floor, self.unit),
            _amount(self.ours, self.unit),
            "" if self.ratio is None else f"{self.ratio:.2f}",
            target,
            self.verdict,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        return {**dataclasses.asdict(self), "ratio": self.ratio, "verdict": self.verdict}


def from_json(values: dict[str, Any]) -> Figure:
    """Return the row that ``to_json`` gave."""
    names = {field.name for field in dataclasses.fields(Figure)}
    return Figure(**{name: value for name, value in values.items() if name in names})


def format_table(figures: Sequence[Figure]) -> str:
    """Return the rows as a Markdown table whose columns stand under each other in a terminal."""
    rows = [HEADINGS, *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _amount(value: float, unit: str) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}".rstrip()

"""What is too much for a page: markup that lies in scripts beside it until it is wanted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

ROWS_SCRIPT = "more.js"
DETAILS_SCRIPT = "details.js"
# How many letters of each part stand in the page itself. With a picture of the graph, that is a page of less than 150 KB.
ROOMS: Mapping[str, int] = {
    "details": 24_000,
    "calls": 20_000,
    "results": 7_000,
    "sweep": 7_000,
    "sets": 7_000,
    "values": 5_000,
    "packages": 6_000,
    "variables": 5_000,
    "patch": 8_000,
    "log": 8_000,
}


class Overflow:
    r"""Keeps the beginning of each long part in a page, and the rest of it for scripts.

    Rows are put in their place as soon as the page is read, in ``data-more="<part>"``; details when somebody opens them. What
    is kept is markup that templates wrote, so everything in it that came from people is escaped.

    Parameters
    ----------
    rooms : mapping of str to int, optional
        Letters that each part may have in the page.

    Examples
    --------
    >>> overflow = Overflow({"calls": 12})
    >>> overflow.row("calls", "<p>one</p>"), overflow.row("calls", "<p>two</p>"), overflow.count("calls")
    ('<p>one</p>', '', 1)
    >>> overflow.scripts()
    {'more.js': 'window.curifactoryMore = {"calls": "<p>two</p>"};\n'}
    """

    def __init__(self, rooms: Mapping[str, int] = ROOMS) -> None:
        self._rooms = dict(rooms)
        self._rows: dict[str, list[str]] = {}
        self._counts: dict[str, int] = {}
        self._details: dict[str, str] = {}

    def row(self, part: str, markup: str) -> str:
        """Return a row, or nothing where the page has no room for it; none comes before one that had to wait."""
        if part not in self._rows and self._take(part, len(markup)):
            return markup
        self._keep(part, markup, 1)
        return ""

    def detail(self, anchor: str, markup: str) -> str:
        """Return what stands below an anchor, or nothing where it has to wait until somebody opens it."""
        if self._take("details", len(markup)):
            return markup
        self._details[anchor] = markup
        return ""

    def lines(self, part: str, lines: Sequence[str]) -> str:
        """Return the last lines of a text as they are; those before them go, escaped, to ``data-more-before="<part>"``."""
        first = len(lines)
        while first and self._take(part, len(lines[first - 1]) + 1):
            first -= 1
        if first:
            from html import escape

            self._keep(part, escape("".join(f"{line}\n" for line in lines[:first])), first)
        return "\n".join(lines[first:])

    def count(self, part: str) -> int:
        """Say how many rows of a part, or how many details, the page itself does not have."""
        return len(self._details) if part == "details" else self._counts.get(part, 0)

    @property
    def is_empty(self) -> bool:
        """Whether the page has everything."""
        return not (self._rows or self._details)

    @property
    def has_rows(self) -> bool:
        """Whether rows wait to be put in their place as soon as the page is read."""
        return bool(self._rows)

    def scripts(self) -> dict[str, str]:
        """Return the scripts that have to lie beside the page, by name."""
        found = {}
        if self._rows:
            rows = {part: "".join(rows) for part, rows in self._rows.items()}
            found[ROWS_SCRIPT] = f"window.curifactoryMore = {json.dumps(rows)};\n"
        if self._details:
            found[DETAILS_SCRIPT] = f"window.curifactoryDetails = {json.dumps(self._details)};\n"
        return found

    def _take(self, part: str, letters: int) -> bool:
        # What a page has several of, such as ``sweep:2``, shares one room.
        kind = part.partition(":")[0]
        self._rooms[kind] -= letters
        return self._rooms[kind] >= 0

    def _keep(self, part: str, markup: str, count: int) -> None:
        self._rows.setdefault(part, []).append(markup)
        self._counts[part] = self._counts.get(part, 0) + count

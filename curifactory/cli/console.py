"""What a stream can show: colours, links, its width; and text that cannot play tricks on a terminal."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from curifactory.core.secrets import mask_text

_CODES = {"bold": 1, "red": 31, "green": 32, "yellow": 33, "cyan": 36, "bright_black": 90}
_LEAST_WIDTH = 10


class Console:
    r"""Writes lines to a stream; one whose reader has gone away is written to no more, without a word.

    Parameters
    ----------
    stream : file
        Standard output or standard error.

    Examples
    --------
    >>> import io
    >>> stream = io.StringIO()
    >>> Console(stream).print("ran", "train_model")
    >>> stream.getvalue()
    'ran train_model\n'
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.is_terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
        if os.environ.get("NO_COLOR"):
            self.has_color = False
        else:
            self.has_color = self.is_terminal or os.environ.get("FORCE_COLOR", "") not in ("", "0")
        self._is_closed = False

    @property
    def width(self) -> int:
        """Characters in a line; wide where nobody looks at it in a terminal."""
        return shutil.get_terminal_size().columns if self.is_terminal else 1_000_000

    def print(self, *words: str, flush: bool = True) -> None:
        """Write one line; secrets that it shows are masked.

        Parameters
        ----------
        *words : str
            Its parts.
        flush : bool
            Whether it has to be seen at once.
        """
        if self._is_closed:
            return
        try:
            self.stream.write(mask_text(" ".join(words)) + "\n")
            if flush:
                self.stream.flush()
        except BrokenPipeError:
            self._is_closed = True
            close_quietly(self.stream)

    def style(self, text: str, *styles: str) -> str:
        """Return a text in a colour or weight, where the stream shows such."""
        if not self.has_color or not text:
            return text
        return f"\033[{';'.join(str(_CODES[style]) for style in styles)}m{text}\033[0m"

    def link(self, path: Path) -> str:
        """Return the address of a file, to be clicked on in a terminal."""
        address = path.absolute().as_uri()
        return f"\033]8;;{address}\033\\{address}\033]8;;\033\\" if self.is_terminal else address

    def print_table(
        self, rows: Sequence[Sequence[str]], *, paint: Callable[[int, int], str | None] | None = None
    ) -> None:
        """Write a table: columns two blanks apart, the last one cut where a terminal ends.

        Parameters
        ----------
        rows : sequence of sequence of str
            Cells, the same number in each row.
        paint : callable, optional
            Given the position of a row and of a column, says in which style the cell is shown.
        """
        for place, cells in enumerate(align(rows)):
            used = sum(len(cell) + 2 for cell in cells[:-1])
            cells[-1] = cells[-1][: max(self.width - used, _LEAST_WIDTH)]
            shown = [
                self.style(cell, styled) if paint is not None and (styled := paint(place, column)) else cell
                for column, cell in enumerate(cells)
            ]
            self.print("  ".join(shown).rstrip(), flush=False)
        self.flush()

    def flush(self) -> None:
        """Show what has been written so far."""
        if not self._is_closed:
            try:
                self.stream.flush()
            except BrokenPipeError:
                self._is_closed = True
                close_quietly(self.stream)


def align(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return rows with cells as wide as their columns, the last column apart; control characters are shown as such.

    Examples
    --------
    >>> align([["a", "bbb", "c"], ["aaaa", "b", "c"]])
    [['a   ', 'bbb', 'c'], ['aaaa', 'b  ', 'c']]
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        [*(cell.ljust(width) for cell, width in zip(row[:-1], widths[:-1], strict=True)), row[-1]]
        for row in cells
    ]


def printable(text: str) -> str:
    r"""Return a text on one line without control characters, which could move the cursor or hide what follows.

    Examples
    --------
    >>> printable("two\nlines \x1b[31mred")
    'two lines \\x1b[31mred'
    """
    if text.isprintable():
        return text
    return "".join(_show_character(character) for character in text)


def _show_character(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character in "\n\t\r" else ascii(character)[1:-1]


def close_quietly(stream: TextIO) -> None:
    """Let what is left in a stream's buffer vanish, so that Python does not complain about it at its end."""
    try:
        target = stream.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, target)
    os.close(nowhere)


def open_streams() -> None:
    """Make standard output and error take any text: what their encoding lacks becomes ``?``."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")

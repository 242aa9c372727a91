"""What a stream can show: colours, links, its width; and text that cannot play tricks on a terminal."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from curifactory.core.secrets import mask_text
from curifactory.core.streams import close_quietly, is_gone

_CODES = {"bold": 1, "red": 31, "green": 32, "yellow": 33, "cyan": 36, "bright_black": 90}
_LEAST_WIDTH = 24
_GAP = 2
_INDENT = 8
_STREAMS = {"stdin": "r", "stdout": "w", "stderr": "w"}
# Wider than that is one odd cell, and no column.
WIDEST = 60


def fault_of_stream(stream: TextIO, error: Exception) -> Exception:
    """Return what to raise where a stream takes no more although somebody may read it, as a file on a full disk.

    Examples
    --------
    >>> print(fault_of_stream(sys.stdout, OSError(28, "No space left on device")))
    Could not write to standard output: the disk is full. Make room on that disk, then run the same command again.
    """
    if not isinstance(error, OSError):
        return error
    from curifactory.store.faults import cache_error

    raised = cache_error(error, f"write to standard {'error' if stream is sys.stderr else 'output'}")
    raised.__cause__ = error
    return raised


class Console:
    r"""Writes lines to a stream; one whose reader has gone away is written to no more, without a word.

    Parameters
    ----------
    stream : file
        Standard output or standard error.
    raises : bool
        Whether it is an error at once if the stream takes no more for another reason, such as a full disk; otherwise it is one
        for :meth:`check`.

    Examples
    --------
    >>> import io
    >>> stream = io.StringIO()
    >>> Console(stream).print("ran", "train_model")
    >>> stream.getvalue()
    'ran train_model\n'
    """

    def __init__(self, stream: TextIO, *, raises: bool = True) -> None:
        self.stream = stream
        self._raises = raises
        self._fault: Exception | None = None
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
        except (OSError, ValueError) as error:
            self._end(error)

    def _end(self, error: Exception) -> None:
        # What has failed once is told once.
        self._is_closed = True
        close_quietly(self.stream)
        if not is_gone(self.stream, error):
            self._fault = fault_of_stream(self.stream, error)
            if self._raises:
                self.check()

    def check(self) -> None:
        """Raise what has kept lines from being written, if anything has.

        Raises
        ------
        CacheError
            If the stream took no more.
        """
        if self._fault is not None:
            raise self._fault

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
        self,
        rows: Sequence[Sequence[str]],
        *,
        paint: Callable[[int, int], str | None] | None = None,
        spare: Sequence[int] = (),
    ) -> None:
        """Write a table: columns two blanks apart; where a terminal ends, the last one goes on below itself.

        Parameters
        ----------
        rows : sequence of sequence of str
            Cells, the same number in each row.
        paint : callable, optional
            Given the position of a row and of a column, says in which style the cell is shown.
        spare : sequence of int
            Columns that are left out in a terminal that is too narrow for all, the first of them first.
        """
        table, columns, room = self._fit(rows, spare)
        for place, cells in enumerate(table):
            *firsts, last = cells
            begun = sum(measure(cell) + _GAP for cell in firsts)
            if not last or measure(last) <= room:
                pieces = [last]
            elif room >= _LEAST_WIDTH:
                pieces = _wrap(last, room)
            else:
                # Beside the others there is no place to read it.
                pieces = ["", *_wrap(last, self.width - _INDENT)]
                begun = _INDENT
            shown = [
                self.style(cell, styled) if paint is not None and (styled := paint(place, column)) else cell
                for cell, column in zip([*firsts, pieces[0]], columns, strict=True)
            ]
            self.print((" " * _GAP).join(shown).rstrip(), flush=False)
            for piece in pieces[1:]:
                styled = paint(place, columns[-1]) if paint is not None else None
                self.print(" " * begun + (self.style(piece, styled) if styled else piece), flush=False)
        self.flush()

    def _fit(
        self, rows: Sequence[Sequence[str]], spare: Sequence[int]
    ) -> tuple[list[list[str]], list[int], int]:
        """Return a table's cells, the columns that it has, and the room for the last of them."""
        width = self.width
        columns = list(range(len(rows[0]))) if rows else []
        left = list(spare)
        while True:
            table = align([[row[column] for column in columns] for row in rows])
            used = max((sum(measure(cell) + _GAP for cell in cells[:-1]) for cells in table), default=0)
            longest = max((measure(cells[-1]) for cells in table), default=0)
            if not left or used + longest <= width:
                return table, columns, width - used
            columns.remove(left.pop(0))

    def flush(self) -> None:
        """Show what has been written so far."""
        if not self._is_closed:
            try:
                self.stream.flush()
            except (OSError, ValueError) as error:
                self._end(error)


def align(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return rows with cells as wide as their columns, the last column apart; control characters are shown as such.

    A single cell that is very wide moves what follows it in its own row, and pushes nothing aside in the others.

    Examples
    --------
    >>> align([["a", "bbb", "c"], ["aaaa", "b", "c"], ["花", "b", "c"]])
    [['a   ', 'bbb', 'c'], ['aaaa', 'b  ', 'c'], ['花  ', 'b  ', 'c']]
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [max(min(measure(cell), WIDEST) for cell in column) for column in zip(*cells, strict=True)]
    return [
        [
            *(pad(cell, width) for cell, width in zip(row[:-1], widths[:-1], strict=True)),
            row[-1],
        ]
        for row in cells
    ]


def pad(text: str, width: int) -> str:
    """Return a text with blanks behind it, so that it takes so many places.

    Examples
    --------
    >>> pad("花", 4), pad("iris", 2)
    ('花  ', 'iris')
    """
    return text + " " * (width - measure(text))


def measure(text: str) -> int:
    """Return how many places in a line of a terminal a text takes.

    Examples
    --------
    >>> measure("iris"), measure("花"), measure("e\u0301")
    (4, 2, 1)
    """
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1
        for each in text
    )


def _wrap(text: str, width: int) -> list[str]:
    """Cut a text into lines between its parts, which are words or stand two blanks apart; a longer one, anywhere."""
    gap = " " * _GAP if " " * _GAP in text else " "
    lines = [""]
    for word in text.split(gap):
        joined = f"{lines[-1]}{gap}{word}" if lines[-1] else word
        if measure(joined) <= width:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        for letter in word:
            if measure(lines[-1] + letter) > width and lines[-1]:
                lines.append("")
            lines[-1] += letter
    return lines


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


def open_streams() -> bool:
    """Make standard output and error take any text: what their encoding lacks becomes ``?``.

    Returns
    -------
    bool
        Whether there is a standard output. In the place of one that is closed nothing is kept: the next file that is
        opened, such as an artifact, would take it, and with it all that a stage's library writes there.
    """
    closed = {name: mode for name, mode in _STREAMS.items() if getattr(sys, name) is None}
    for _ in closed:
        # Each takes the lowest one that is free.
        os.open(os.devnull, os.O_RDWR)
    for name, mode in closed.items():
        setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - for as long as there is a process
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
    return "stdout" not in closed

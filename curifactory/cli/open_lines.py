"""What people's code writes to the terminal while a table is drawn there: lines that are done, and bars that go on."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable
from typing import Any, TextIO

_PART = re.compile(r"\r|\n|\x1b\[(?P<up>\d*)A|\x1b\[\d*[KJ]|[^\r\n\x1b]+|\x1b")


class OpenLines:
    r"""A few lines as a terminal would show them, of which those that nobody returns to are handed on.

    A line that begins anew with a carriage return is a bar (tqdm); it stays open until something else is written below it.
    Bars below bars are understood, too.

    Parameters
    ----------
    hand_on : callable
        Takes the text of one line that is done.

    Examples
    --------
    >>> lines = OpenLines(print)
    >>> lines.write("loading\n 10%\r 20%")
    loading
    >>> lines.shown
    [' 20%']
    """

    def __init__(self, hand_on: Callable[[str], None]) -> None:
        self._hand_on = hand_on
        self._rows = [""]
        self._bars = [False]
        self._fresh = [False]
        self._at = 0
        self._turn = threading.RLock()

    @property
    def shown(self) -> list[str]:
        """The lines that are not done."""
        # Without the lock: who draws the table holds rich's own, and a writer that has ours may wait for that one.
        return [row for row in self._rows[:] if row]

    def write(self, text: str) -> None:
        """Take a text as a terminal would."""
        with self._turn:
            for part in _PART.finditer(text):
                self._take(part[0], part["up"])

    def finish(self) -> None:
        """Hand on all that is open: what comes next has nothing to do with it."""
        with self._turn:
            if any(self._rows):
                self._done(len(self._rows))

    def _take(self, part: str, up: str | None) -> None:
        at = self._at
        if part == "\n":
            if not self._bars[at]:
                self._done(at + 1)
                return
            self._at += 1
            if self._at == len(self._rows):
                self._rows.append("")
                self._bars.append(False)
                self._fresh.append(False)
        elif part == "\r":
            self._bars[at] = self._fresh[at] = True
        elif up is not None:
            self._at = max(0, at - int(up or 1))
        elif part.startswith("\x1b[") and part[-1] in "KJ":
            self._rows[at] = ""
        else:
            if at and not self._bars[at] and not self._rows[at]:
                # Not a bar below a bar: what stands above is done.
                self._done(at)
                at = self._at
            self._rows[at] = part if self._fresh[at] else self._rows[at] + part
            self._fresh[at] = False

    def _done(self, count: int) -> None:
        rows = self._rows[:count]
        self._rows = self._rows[count:] or [""]
        self._bars = self._bars[count:] or [False]
        self._fresh = self._fresh[count:] or [False]
        self._at = max(0, self._at - count)
        # An empty line that somebody printed is a line, one that a bar has left is none.
        for row in rows if count == 1 else filter(None, rows):
            self._hand_on(row)


class LinesStream:
    """Standard output or error of a run with a table: while it is drawn, what is written goes to lines.

    Somebody may keep it for longer, such as a handler of ``logging`` that was made at import; then it is the stream itself.

    Parameters
    ----------
    stream : file
        The stream that it stands for.
    lines : OpenLines
        Where texts go while the table is drawn.
    is_drawn : callable
        Says whether it is.
    """

    def __init__(self, stream: TextIO, lines: OpenLines, is_drawn: Callable[[], bool]) -> None:
        self._stream = stream
        self._lines = lines
        self._is_drawn = is_drawn

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text."""
        if not self._is_drawn():
            return self._stream.write(text)
        self._lines.write(text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Show what was written; lines above a table are shown as they come."""
        if not self._is_drawn():
            self._stream.flush()

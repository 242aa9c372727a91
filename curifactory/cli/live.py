"""The live table of a run in a terminal: stage, record, state, time."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any, TextIO, cast

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from curifactory.cli.amounts import show_duration
from curifactory.cli.console import printable
from curifactory.cli.open_lines import LinesStream, OpenLines
from curifactory.cli.past import Past
from curifactory.cli.remaining import Remaining
from curifactory.core.events import CallEnded, CallRecalled, CallStarted, RunPlanned, Warned
from curifactory.core.outcomes import CallOutcome

_FRAMES_A_SECOND = 8
_OTHER_LINES = 10
_LEAST_ROWS = 4
_OPEN_LINES = 4
_LEAST_REASON = 12
_GAP = 2
_HEADINGS = tuple(Text(word, no_wrap=True) for word in ("stage", "record", "state", "time", "reason"))


@dataclass(slots=True)
class _Row:
    """One call as the table shows it; ``outcome`` is None while it runs."""

    name: str
    record: str
    outcome: CallOutcome | None
    began: float
    duration_s: float
    reason: str


class LiveTable:
    """A table that is drawn anew some times a second and never grows beyond the screen.

    Running and failed calls are always shown, of the others the latest. What a stage prints comes out above it.

    Parameters
    ----------
    console : rich.console.Console, optional
        Where to draw; standard output if None.
    past : Past, optional
        Knows how long calls took in earlier runs.
    """

    def __init__(self, console: Console | None = None, *, past: Past | None = None) -> None:
        # The stream itself: while the table is drawn, what stands in its place writes above the table.
        self._console = console or Console(file=sys.stdout, highlight=False)
        self._streams: tuple[Any, Any] | None = None
        self._remaining = Remaining(past or Past())
        self._lock = threading.Lock()
        self._rows: dict[int, _Row] = {}
        self._counts: Counter[CallOutcome] = Counter()
        self._planned: int | None = None
        self._lines = OpenLines(self._take_line)
        self._live = _Frames(
            get_renderable=self._draw,
            console=self._console,
            refresh_per_second=_FRAMES_A_SECOND,
            vertical_overflow="crop",
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._is_open = False
        self._take_streams()

    def __call__(self, event: Any) -> None:
        """Take one event."""
        match event:
            case CallEnded():
                with self._lock:
                    self._remaining.end(event)
                    self._end(event)
            case CallStarted():
                with self._lock:
                    row = _Row(event.name, event.record_name, None, time.monotonic(), 0.0, "")
                    self._rows.pop(event.call, None)
                    self._rows[event.call] = row
            case CallRecalled():
                with self._lock:
                    self._rows.pop(event.call, None)
            case RunPlanned():
                with self._lock:
                    self._planned = max(event.calls, self._planned or 0)
                    self._remaining.plan(event)
            case Warned():
                self._live.print_lines()
                self._console.print(Text.assemble(("warning ", "yellow"), printable(event.text)))
                return
            case _:
                return
        if type(event) is CallEnded:
            self._lines.finish()
        if not self._is_open:
            self._live.start()
            self._is_open = True

    def close(self) -> None:
        """Draw the last state and give the terminal back."""
        if self._is_open:
            self._lines.finish()
            self._is_open = False
            self._live.stop()
        self._give_streams_back()

    def _take_streams(self) -> None:
        self._streams = (sys.stdout, sys.stderr)
        # From the beginning: what is imported may keep them, as a handler of `logging` does.
        sys.stdout = cast("TextIO", LinesStream(sys.stdout, self._lines, self._is_drawn))
        sys.stderr = cast("TextIO", LinesStream(sys.stderr, self._lines, self._is_drawn))

    def _is_drawn(self) -> bool:
        return self._is_open

    def _give_streams_back(self) -> None:
        if self._streams is not None:
            sys.stdout, sys.stderr = self._streams
            self._streams = None

    def _take_line(self, line: str) -> None:
        self._live.take_line(line)

    def _end(self, event: CallEnded) -> None:
        self._counts[event.outcome] += 1
        if event.outcome in (CallOutcome.NOT_NEEDED, CallOutcome.NOT_REACHED):
            self._rows.pop(event.index, None)
            return
        reason = "" if event.reason is None else str(event.reason)
        # A call that ends goes to the end of the list, where the latest are.
        self._rows.pop(event.index, None)
        self._rows[event.index] = _Row(
            event.name, event.record_name, event.outcome, 0.0, event.duration_s, reason
        )
        if len(self._rows) > 4 * self._most_rows():
            self._drop_old()

    def _most_rows(self) -> int:
        return max(self._console.height - _OTHER_LINES, _LEAST_ROWS)

    def _drop_old(self) -> None:
        for index, row in list(self._rows.items())[: -self._most_rows()]:
            if row.outcome in (CallOutcome.RAN, CallOutcome.REUSED):
                del self._rows[index]

    def _choose(self) -> list[_Row]:
        rows, room = list(self._rows.values()), self._most_rows()
        if len(rows) <= room:
            return rows
        urgent = [row for row in rows if row.outcome is None or row.outcome is CallOutcome.FAILED][-room:]
        others = [row for row in rows if row not in urgent]
        kept = {id(row) for row in (*urgent, *others[len(others) - (room - len(urgent)) :])}
        return [row for row in rows if id(row) in kept]

    def _draw(self) -> Group:
        with self._lock:
            now = time.monotonic()
            rows = [_show_row(row, now) for row in self._choose()]
            table = _lay_out(rows, self._console.width)
            opened = [
                Text.from_ansi(line, no_wrap=True, overflow="crop")
                for line in self._lines.shown[-_OPEN_LINES:]
            ]
            return Group(*opened, table, Text(self._count(now), style="bright_black"))

    def _count(self, now: float) -> str:
        done = sum(self._counts.values())
        total = f" of {self._planned}" if self._planned and self._planned >= done else ""
        parts = [f"{done}{total} calls"]
        parts += [
            f"{self._counts[outcome]} {outcome.value}" for outcome in CallOutcome if self._counts[outcome]
        ]
        running = [(row.name, now - row.began) for row in self._rows.values() if row.outcome is None]
        left_s = self._remaining.estimate_s(running)
        if left_s is not None:
            parts.append(f"about {show_duration(left_s)} left")
        return ", ".join(parts)


class _Frames(Live):
    """Draws the table, and above it the lines that have come since it was drawn last."""

    def __init__(self, **words: Any) -> None:
        super().__init__(**words)
        self._waiting: deque[str] = deque()
        self._printed_s = 0.0

    def take_line(self, line: str) -> None:
        """Print a line; one of very many waits for the next frame, as with each print the table is drawn anew."""
        self._waiting.append(line)
        if time.monotonic() - self._printed_s > 1 / _FRAMES_A_SECOND:
            self.print_lines()

    def print_lines(self) -> None:
        """Print the lines that wait."""
        with self._lock:
            lines = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if lines:
                self.console.print(Text("\n").join(map(Text.from_ansi, lines)), soft_wrap=True)
                self._printed_s = time.monotonic()

    def refresh(self) -> None:
        """Draw a frame."""
        self.print_lines()
        super().refresh()


def _show_row(row: _Row, now: float) -> tuple[Text, ...]:
    """One row's cells; each is cut at its own column's end and never goes on in the next line."""
    state, style = ("running", "bold") if row.outcome is None else (row.outcome.value, row.outcome.style)
    return tuple(
        Text(text, style=style, no_wrap=True, overflow="ellipsis")
        for text, style in (
            (printable(row.name), ""),
            (printable(row.record), ""),
            (state, style),
            (_show_time(row, now), ""),
            (printable(row.reason), "bright_black"),
        )
    )


def _lay_out(rows: list[tuple[Text, ...]], width: int) -> Table:
    """Put rows under headings. Where it is narrow, reasons are cut first, then they go, then names are cut."""
    widths = [max([cell.cell_len, *(row[at].cell_len for row in rows)]) for at, cell in enumerate(_HEADINGS)]
    has_reasons = width - sum(widths[:-1]) - _GAP * (len(widths) - 1) >= _LEAST_REASON
    table = Table(box=None, pad_edge=False, show_header=True, header_style="bold")
    for at, heading in enumerate(_HEADINGS[: 5 if has_reasons else 4]):
        # Of a table that is too wide, the columns without `no_wrap` are made narrower.
        is_cut = at == 4 if has_reasons else at < 2
        table.add_column(heading, no_wrap=not is_cut, justify="right" if at == 3 else "left")
    for row in rows:
        table.add_row(*row[: len(table.columns)])
    return table


def _show_time(row: _Row, now: float) -> str:
    if row.outcome is None:
        return show_duration(now - row.began)
    return "" if row.outcome is CallOutcome.REUSED else show_duration(row.duration_s)

"""The progress of a run in a notebook: one output of a cell, changed in place while its stages run."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from curifactory.core.events import (
    CallEnded,
    CallRecalled,
    CallStarted,
    EventStream,
    RunFinished,
    RunPlanned,
    Warned,
)
from curifactory.core.outcomes import CallOutcome
from curifactory.reporting.pages import render_page
from curifactory.reporting.view.quantities import format_duration

MOST_ROWS = 12
MOST_WARNINGS = 5
_LEAST_PAUSE_S = 0.1
_TICK_S = 1.0
_COLOURS: Mapping[CallOutcome | None, str] = {
    None: "#8a5cc2",
    CallOutcome.RAN: "#2f8a50",
    CallOutcome.REUSED: "#3d7fc4",
    CallOutcome.FAILED: "#d1493f",
    CallOutcome.INTERRUPTED: "#b57a17",
}


@dataclass(frozen=True, slots=True)
class ProgressRow:
    """One call as it is shown."""

    name: str
    record: str
    state: str
    colour: str
    time: str
    reason: str


@dataclass(frozen=True, slots=True)
class ProgressView:
    """What has happened in a cell so far; a value that a notebook shows as HTML and a terminal as text.

    Examples
    --------
    >>> row = ProgressRow("train", "Record 0 (a)", "ran", "#2f8a50", "2.5 s", "never run")
    >>> ProgressView((row,), (), "1 call: 1 ran")
    train  Record 0 (a)  ran  2.5 s  never run
    1 call: 1 ran
    """

    rows: tuple[ProgressRow, ...]
    warnings: tuple[str, ...]
    summary: str

    def _repr_html_(self) -> str:
        return render_page(
            "progress.html", rows=self.rows, warnings=self.warnings, summary=self.summary
        ).strip()

    def __repr__(self) -> str:
        lines = [
            "  ".join(filter(None, (row.name, row.record, row.state, row.time, row.reason)))
            for row in self.rows
        ]
        lines += [f"warning {text}" for text in self.warnings]
        return "\n".join([*lines, self.summary] if self.summary else lines)


@dataclass(slots=True)
class _Known:
    name: str
    record: str
    outcome: CallOutcome | None
    began: float
    duration_s: float
    reason: str


class Progress:
    """A listener that shows the calls of a cell in one output, which it changes in place.

    Each cell in which something happens gets an output of its own. It is drawn when a call starts or ends, at most ten times
    a second, once a second while a call is executed, and once more when the cell is over.

    Parameters
    ----------
    shell : InteractiveShell
        IPython's shell of this kernel; tells of cells that are over.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._lock = threading.RLock()
        self._handle: Any = None
        self._timer: threading.Timer | None = None
        self._drawn_at = 0.0
        self._planned: int | None = None
        self._rows: dict[int, _Known] = {}
        self._counts: Counter[CallOutcome] = Counter()
        self._warnings: list[str] = []
        self._open = False

    def __call__(self, event: Any) -> None:
        """Take one event."""
        with self._lock:
            match event:
                case CallStarted():
                    self._rows.pop(event.call, None)
                    self._rows[event.call] = _Known(
                        event.name, event.record_name, None, time.monotonic(), 0.0, ""
                    )
                case CallRecalled():
                    self._rows.pop(event.call, None)
                case CallEnded():
                    if not self._end(event):
                        return
                case RunPlanned():
                    self._planned = event.calls
                    return
                case Warned():
                    self._warnings.append(event.text)
                case RunFinished():
                    self._close()
                    return
                case _:
                    return
            self._begin()
            self._draw_soon()

    def view(self) -> ProgressView:
        """Return what is to be seen now."""
        with self._lock:
            now = time.monotonic()
            return ProgressView(
                tuple(_show(row, now) for row in self._choose()),
                tuple(self._warnings[-MOST_WARNINGS:]),
                self._summary(),
            )

    def _end(self, event: CallEnded) -> bool:
        """Take the end of a call; one that nobody needed is nothing to show."""
        self._rows.pop(event.index, None)
        if event.outcome not in _COLOURS:
            return False
        self._counts[event.outcome] += 1
        reason = "" if event.reason is None else str(event.reason)
        self._rows[event.index] = _Known(
            event.name, event.record_name, event.outcome, 0.0, event.duration_s, reason
        )
        if len(self._rows) > 8 * MOST_ROWS:
            kept = {id(row) for row in self._choose()}
            self._rows = {index: row for index, row in self._rows.items() if id(row) in kept}
        return True

    def _choose(self) -> list[_Known]:
        """Take what is running or has failed, and the latest of the others."""
        rows = list(self._rows.values())
        urgent = [row for row in rows if row.outcome not in (CallOutcome.RAN, CallOutcome.REUSED)]
        urgent = urgent[-MOST_ROWS:]
        chosen = {id(row) for row in urgent}
        others = [row for row in rows if id(row) not in chosen]
        chosen |= {id(row) for row in others[max(0, len(others) - (MOST_ROWS - len(urgent))) :]}
        return [row for row in rows if id(row) in chosen]

    def _summary(self) -> str:
        if not self._rows:
            return ""
        done = sum(self._counts.values())
        total = f" of {self._planned}" if self._planned is not None and self._planned > done else ""
        told = [f"{count} {outcome.value}" for outcome, count in self._counts.items()]
        running = sum(row.outcome is None for row in self._rows.values())
        told += [f"{running} running"] if running else []
        return (
            f"{done}{total} {'call' if done == 1 and not total else 'calls'}: {', '.join(told) or 'none yet'}"
        )

    def _begin(self) -> None:
        """Make sure that the cell that is executed now will be told when it is over."""
        if not self._open:
            self._open = True
            self._shell.events.register("post_execute", self._close)

    def _draw_soon(self) -> None:
        waited_s = time.monotonic() - self._drawn_at
        if self._handle is None or waited_s >= _LEAST_PAUSE_S:
            self._draw()
        else:
            self._set_timer(_LEAST_PAUSE_S - waited_s)

    def _draw(self) -> None:
        self._drawn_at = time.monotonic()
        view = self.view()
        if self._handle is None:
            from IPython.display import display

            self._handle = display(view, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(view)
        if any(row.outcome is None for row in self._rows.values()):
            self._set_timer(_TICK_S)

    def _set_timer(self, after_s: float) -> None:
        self._stop_timer()
        self._timer = threading.Timer(after_s, self._tick)
        self._timer.daemon = True
        self._timer.start()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        with self._lock:
            # A timer that has just fired cannot be cancelled any more; the cell may be over.
            if self._open and threading.current_thread() is self._timer:
                self._draw()

    def _close(self) -> None:
        """Draw the last state of a cell, and begin anew with the next."""
        with self._lock:
            if not self._open:
                return
            self._open = False
            self._stop_timer()
            if self._rows or self._warnings:
                self._draw()
                self._stop_timer()
            self._handle, self._drawn_at, self._planned = None, 0.0, None
            self._rows.clear()
            self._counts.clear()
            self._warnings.clear()
            self._shell.events.unregister("post_execute", self._close)


def follow(events: EventStream) -> Progress | None:
    """Show the progress of a run if this process is the kernel of a notebook; elsewhere do nothing.

    Parameters
    ----------
    events : EventStream
        The run's events.

    Returns
    -------
    Progress or None
        What listens now; None where there is no notebook.

    Examples
    --------
    >>> follow(EventStream()) is None
    True
    """
    shell = find_shell()
    if shell is None:
        return None
    progress = Progress(shell)
    events.subscribe(progress)
    return progress


def find_shell() -> Any:
    """Return IPython's shell if a notebook runs in this process, else None; IPython is never imported for it."""
    get_shell = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = None if get_shell is None else get_shell()
    # A terminal's IPython cannot change what it has printed.
    return shell if getattr(shell, "kernel", None) is not None else None


def _show(row: _Known, now: float) -> ProgressRow:
    state = "running" if row.outcome is None else row.outcome.value
    took_s = now - row.began if row.outcome is None else row.duration_s
    told = "" if row.outcome is CallOutcome.REUSED else format_duration(took_s)
    return ProgressRow(row.name, row.record, state, _COLOURS.get(row.outcome, "inherit"), told, row.reason)

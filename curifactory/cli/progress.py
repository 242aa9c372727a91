"""Shows a run while it goes on: nothing, one plain line an event, or a live table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from curifactory.cli.amounts import show_duration, show_size
from curifactory.cli.console import WIDEST, Console, measure, pad, printable
from curifactory.core.events import CallEnded, CallStarted, OutputFacts, RecordAdded, RunPlanned, Warned
from curifactory.core.outcomes import CallOutcome

if TYPE_CHECKING:
    from curifactory.cli.past import Past

_HIDDEN = (CallOutcome.NOT_NEEDED, CallOutcome.NOT_REACHED)
_TIMED = (CallOutcome.RAN, CallOutcome.FAILED, CallOutcome.INTERRUPTED)


class Progress(Protocol):
    """A listener of events that may hold the terminal until it is closed."""

    def __call__(self, event: Any) -> None:
        """Take one event."""
        ...

    def close(self) -> None:
        """Give the terminal back; may be called twice."""
        ...


def open_progress(
    output: Console,
    errors: Console,
    *,
    verbose: bool,
    quiet: bool,
    table: bool = True,
    past: Past | None = None,
) -> Progress:
    """Return what shows a run: nothing if quiet, a table in a terminal, plain lines elsewhere.

    Parameters
    ----------
    output, errors : Console
        Where events and warnings go.
    verbose, quiet : bool
        What was asked for.
    table : bool
        Whether a terminal shows a table.
    past : Past, optional
        Knows how long calls took.
    """
    if quiet:
        return Silence()
    if output.is_terminal and table:
        from curifactory.cli.live import LiveTable

        return LiveTable(past=past)
    return PlainLines(output, errors, verbose=verbose)


class Silence:
    """Shows nothing."""

    def __call__(self, event: Any) -> None:
        """Let an event pass."""

    def close(self) -> None:
        """Do nothing."""


class PlainLines:
    r"""Writes one line for each call that ended, to be read in a log and found by grep.

    Parameters
    ----------
    output, errors : Console
        Where calls and warnings go.
    verbose : bool
        Show also which calls began, which nobody needed, and the inputs and files of each.

    Examples
    --------
    >>> import io
    >>> stream = io.StringIO()
    >>> PlainLines(Console(stream), Console(stream), verbose=True)(RunPlanned(calls=3, to_run=1))
    >>> stream.getvalue()
    'planned 3 calls, 1 of which may have to run\n'
    """

    def __init__(self, output: Console, errors: Console, *, verbose: bool) -> None:
        self._output = output
        self._errors = errors
        self._verbose = verbose
        # What is said of inputs that calls have made, by the index of the call.
        self._ended: dict[int, str] = {}
        self._name_width = 0
        self._record_width = 0

    def __call__(self, event: Any) -> None:
        """Take one event."""
        match event:
            case CallEnded():
                self._show_ended(event)
            case CallStarted():
                if self._verbose:
                    self._print("began", None, event.name, event.record_name, "", "")
                else:
                    # What came before must be seen while a long stage runs.
                    self._output.flush()
            case Warned():
                self._output.flush()
                self._errors.print(self._errors.style("warning", "yellow"), printable(event.text))
            case RecordAdded():
                # Most records are known before the first call ends, so their column seldom has to grow.
                self._record_width = _widen(self._record_width, event.name)
            case RunPlanned():
                self._plan(event)

    def close(self) -> None:
        """Show what has been written so far."""
        self._output.flush()

    def _plan(self, event: RunPlanned) -> None:
        for stage in event.stages:
            self._name_width = _widen(self._name_width, stage.name)
        # What was executed as it was called is through by now.
        if self._verbose and (event.to_run or not self._ended):
            self._output.print(f"planned {event.calls} calls, {event.to_run} of which may have to run")

    def _show_ended(self, event: CallEnded) -> None:
        if event.outcome in _HIDDEN and not self._verbose:
            return
        time = show_duration(event.duration_s) if event.outcome in _TIMED else ""
        reason = "" if event.reason is None else str(event.reason)
        self._print(event.outcome.value, event.outcome, event.name, event.record_name, time, reason)
        if self._verbose:
            self._ended[event.index] = f"{printable(event.name)} of {printable(event.record_name)}"
            self._show_details(event)

    def _show_details(self, event: CallEnded) -> None:
        for facts in event.inputs:
            made_by = self._ended.get(facts.call or 0, f"call {facts.call}")
            origin = "put in by hand" if facts.call is None else f"from {made_by}"
            self._output.print(f"        read  {printable(facts.name)}  {origin}", flush=False)
        for output in event.outputs:
            self._output.print(f"        made  {describe_output(output, event.name)}", flush=False)
        self._output.print(f"        called at {printable(event.line)}", flush=False)

    def _print(
        self, word: str, outcome: CallOutcome | None, name: str, record: str, time: str, reason: str
    ) -> None:
        name, record = printable(name), printable(record)
        self._name_width = _widen(self._name_width, name)
        self._record_width = _widen(self._record_width, record)
        shown = (
            word.ljust(8)
            if outcome is None
            else self._output.style(word, outcome.style) + " " * (8 - len(word))
        )
        rest = f"{pad(name, self._name_width)}  {pad(record, self._record_width)}  {time.rjust(6)}  {printable(reason)}"
        self._output.print(
            (shown if len(word) < 8 else shown + "  ") + rest.rstrip(),
            flush=outcome in (None, CallOutcome.FAILED),
        )


def _widen(width: int, text: str) -> int:
    return max(width, min(measure(printable(text)), WIDEST))


def describe_output(output: OutputFacts, stage: str = "") -> str:
    """Return name, type, size and file of one output on one line.

    Examples
    --------
    >>> describe_output(OutputFacts("score", type="dict", summary="(2,)"))
    'score  dict (2,)'
    """
    from curifactory.reporting.view.own_file import name_given

    name = name_given(output.name, output.type, stage)
    parts = [printable(name), printable(f"{output.type} {output.summary}".strip())]
    if output.artifact is not None:
        parts += [
            show_size(output.artifact.size_bytes),
            *(printable(file.path) for file in output.artifact.files),
        ]
    return "  ".join(part for part in parts if part)

"""The live table of a terminal."""

from __future__ import annotations

import io
import re
import sys
from datetime import UTC, datetime

import pytest
from rich.console import Console

from curifactory.cli.live import LiveTable, _lay_out, _Row, _show_row
from curifactory.core.events import CallEnded, CallRecalled, CallStarted, RunPlanned, RunStarted, Warned
from curifactory.core.outcomes import CallOutcome
from curifactory.core.reason import Reason, ReasonKind

NOW = datetime(2026, 11, 21, 10, 15, tzinfo=UTC)


def started(index: int, name: str = "train") -> CallStarted:
    return CallStarted(index, name, index, f"Record {index} (set)", NOW)


def ended(index: int, outcome: CallOutcome = CallOutcome.RAN, name: str = "train") -> CallEnded:
    reason = Reason(ReasonKind.NEVER_RUN)
    record = f"Record {index} (set)"
    return CallEnded(
        index, name, "iris.train", index, record, outcome, reason, None, NOW, 0.5, "", False, (), ()
    )


def draw(*events: object, height: int = 30, close: bool = True) -> tuple[str, LiveTable]:
    """Return the text of the table after some events, without what moves the cursor."""
    stream = io.StringIO()
    console = Console(
        file=stream, force_terminal=True, width=100, height=height, highlight=False, color_system=None
    )
    table = LiveTable(console)
    for event in events:
        table(event)
    drawn = console.capture()
    with drawn:
        console.print(table._draw())
    if close:
        table.close()
    return drawn.get() + re.sub(r"\x1b\[[\d;?]*[A-Za-z]|\r", "", stream.getvalue()), table


def test_each_call_is_a_row_with_its_state_and_reason() -> None:
    text, _ = draw(RunPlanned(3, 2), started(0), ended(0), started(1))
    assert re.search(r"stage +record +state +time +reason", text)
    assert re.search(r"train +Record 0 \(set\) +ran +0\.50 s +never run", text)
    assert re.search(r"train +Record 1 \(set\) +running +0\.\d\d s", text)
    assert "1 of 3 calls, 1 ran" in text


def test_a_call_that_is_recalled_has_no_row() -> None:
    text, _ = draw(RunPlanned(3, 3), started(0), started(1), CallRecalled(0))
    assert "Record 0" not in text
    assert re.search(r"train +Record 1 \(set\) +running", text)


@pytest.mark.parametrize("width", [150, 80, 60, 40])
def test_a_narrow_terminal_cuts_reasons_and_names_but_never_states_and_times(width: int) -> None:
    reason = "nothing it read has changed (from iris_1_2026-11-21-T101500)"
    names = ["load_data", "train_model"]
    rows = [
        _show_row(_Row(name, "Record 0 (simple_lr)", CallOutcome.INTERRUPTED, 0.0, 10.2, reason), 0.0)
        for name in names
    ]
    console = Console(file=io.StringIO(), width=width, color_system=None)
    with console.capture() as drawn:
        console.print(_lay_out(rows, width))
    lines = drawn.get().splitlines()
    assert len(lines) == 3
    assert all(len(line.rstrip()) <= width for line in lines)
    for name, line in zip(names, lines[1:], strict=True):
        assert line.startswith(name[:6])
        assert "interrupted  10.2 s" in line
        assert (reason in line) == (width == 150)
        assert ("nothing" in line) == (width >= 80)


def test_a_call_that_ends_leaves_no_empty_line() -> None:
    stream = io.StringIO()
    table = LiveTable(Console(file=stream, force_terminal=True, width=100, height=30, color_system=None))
    for index in range(3):
        table(started(index))
        table(ended(index))
    table.close()
    drawn = re.sub(r"\x1b\[[\d;?]*[A-Za-z]|\r", "", stream.getvalue())
    assert "" not in drawn.rstrip("\n").split("\n")


def test_a_name_with_brackets_is_text_and_no_markup() -> None:
    text, _ = draw(ended(0, name="[bold]train[/bold]"))
    assert "[bold]train[/bold]" in text


def test_the_table_never_grows_beyond_the_screen_and_keeps_what_is_urgent() -> None:
    events: list[object] = [started(0, "slow"), ended(1, CallOutcome.FAILED, "broken")]
    events += [ended(index) for index in range(2, 500)]
    table = LiveTable(Console(file=io.StringIO(), force_terminal=True, width=100, height=20))
    for event in events:
        table(event)
    names = [row.name for row in table._choose()]
    table.close()
    assert len(names) <= 20
    assert {"slow", "broken"} <= set(names)
    assert len(table._rows) < 100


def test_what_nobody_needed_is_counted_but_has_no_row() -> None:
    text, _ = draw(ended(0, CallOutcome.NOT_NEEDED))
    assert "Record 0" not in text
    assert "1 not needed" in text


def test_a_warning_comes_out_above_the_table() -> None:
    text, _ = draw(ended(0), Warned("Careful.", NOW))
    assert "warning Careful." in text


def test_very_many_lines_come_out_above_the_table_in_their_order_and_do_not_draw_it_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    table = LiveTable(Console(file=stream, force_terminal=True, width=40, height=30, color_system=None))
    table(started(0))
    for line in range(500):
        print("line", line, "" if line else "x" * 50)
    print("\nunfinished", end="")
    table(ended(0))
    table(Warned("Careful.", NOW))
    table.close()
    assert sys.stdout is stream
    text = re.sub(r"\x1b\[[\d;?]*[A-Za-z]|\r", "\n", stream.getvalue())
    printed = re.findall(r"^(?:line .*|unfinished|warning .*)$", text, re.MULTILINE)
    numbered = [f"line {line} " for line in range(1, 500)]
    assert printed == [f"line 0 {'x' * 50}", *numbered, "unfinished", "warning Careful."]
    assert text.count("stage") < 400


def test_closing_twice_or_before_anything_happened_does_nothing() -> None:
    _, table = draw(RunStarted("iris_1", NOW))
    table.close()
    table.close()

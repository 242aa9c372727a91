from datetime import datetime

import pytest

from curifactory.core.events import CallEnded, CallRecalled, CallStarted, EventStream, RunPlanned, Warned
from curifactory.core.outcomes import CallOutcome
from curifactory.core.reason import Reason, ReasonKind
from curifactory.reporting.progress import MOST_ROWS, MOST_WARNINGS, Progress, follow

AT = datetime.fromisoformat("2026-11-21T10:15:00+01:00")
ENDED = CallEnded(
    0,
    "train",
    "iris.train",
    0,
    "Record 0 (a)",
    CallOutcome.RAN,
    Reason(ReasonKind.NEVER_RUN),
    "9f",
    AT,
    2.5,
    "iris.py:7",
    False,
    (),
    (),
)


class Cells:
    """The part of IPython's shell that progress asks for: IPython's own events, without a kernel."""

    def __init__(self) -> None:
        from IPython.core.events import EventManager, available_events

        self.events = EventManager(self, available_events)

    def end(self) -> None:
        self.events.trigger("post_execute")


@pytest.fixture
def cells():
    return Cells()


@pytest.fixture
def progress(cells):
    """Give a progress whose cell is ended after the test, so that no timer outlives it."""
    progress = Progress(cells)
    yield progress
    cells.end()


def start(call: int) -> CallStarted:
    return CallStarted(call, "train", 0, "Record 0 (a)", AT)


def end(call: int, outcome: CallOutcome = CallOutcome.RAN, **changes) -> CallEnded:
    return ENDED._replace(index=call, outcome=outcome, **changes)


def test_a_call_is_shown_while_it_runs_and_when_it_has_ended(progress) -> None:
    progress(start(0))
    (row,) = progress.view().rows
    assert (row.name, row.record, row.state) == ("train", "Record 0 (a)", "running")
    assert progress.view().summary == "0 calls: 1 running"
    progress(end(0))
    assert repr(progress.view()) == "train  Record 0 (a)  ran  2.5 s  never run\n1 call: 1 ran"


def test_a_call_that_is_recalled_is_shown_no_longer(progress) -> None:
    progress(start(0))
    progress(start(1))
    progress(CallRecalled(0))
    assert progress.view().summary == "0 calls: 1 running"
    assert [row.name for row in progress.view().rows] == ["train"]


def test_a_reused_call_took_no_time(progress) -> None:
    progress(end(0, CallOutcome.REUSED, reason=None))
    assert progress.view().rows[0].time == ""


def test_the_total_is_told_where_it_is_known(progress) -> None:
    progress(RunPlanned(3, 2))
    progress(end(0))
    assert progress.view().summary == "1 of 3 calls: 1 ran"


def test_what_nobody_needed_is_not_shown(progress) -> None:
    progress(end(0, CallOutcome.NOT_NEEDED))
    progress(end(1, CallOutcome.NOT_REACHED))
    assert progress.view().rows == ()


def test_of_many_calls_the_running_the_failed_and_the_latest_are_shown(progress) -> None:
    progress(start(0))
    progress(end(1, CallOutcome.FAILED))
    for call in range(2, 500):
        progress(end(call))
    view = progress.view()
    assert len(view.rows) == MOST_ROWS
    assert [row.state for row in view.rows[:2]] == ["running", "failed"]
    assert view.summary == "499 calls: 1 failed, 498 ran, 1 running"


def test_of_many_warnings_the_latest_are_shown(progress) -> None:
    for number in range(20):
        progress(Warned(f"warning <{number}>", AT))
    view = progress.view()
    assert view.warnings[-1] == "warning <19>"
    assert len(view.warnings) == MOST_WARNINGS
    assert "warning &lt;19&gt;" in view._repr_html_()
    assert view.summary == ""


def test_names_are_escaped(progress) -> None:
    progress(end(0, name="<script>", record_name="<b>"))
    shown = progress.view()._repr_html_()
    assert "<script" not in shown
    assert "&lt;b&gt;" in shown


def test_each_cell_begins_anew(progress, cells) -> None:
    progress(end(0))
    cells.end()
    assert progress.view().rows == ()
    progress(end(1))
    assert progress.view().summary == "1 call: 1 ran"


def test_the_end_of_a_cell_is_listened_for_once_and_only_while_there_is_something(progress, cells) -> None:
    def listening() -> int:
        return len(cells.events.callbacks["post_execute"])

    assert listening() == 0
    for call in range(5):
        progress(end(call))
    assert listening() == 1
    cells.end()
    assert listening() == 0


def test_without_a_notebook_nothing_listens() -> None:
    stream = EventStream()
    assert follow(stream) is None
    stream.emit(ENDED)

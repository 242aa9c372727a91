"""A run while it goes on, in lines."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from curifactory.cli.console import Console
from curifactory.cli.progress import PlainLines, Silence, describe_output, open_progress
from curifactory.core.events import (
    CallEnded,
    CallStarted,
    InputFacts,
    OutputFacts,
    RecordAdded,
    RunPlanned,
    Warned,
)
from curifactory.core.outcomes import CallOutcome
from curifactory.core.reason import Reason, ReasonKind
from curifactory.core.trace import Artifact, StoredFile

NOW = datetime(2026, 11, 21, 10, 15, tzinfo=UTC)
ARTIFACT = Artifact(
    "model", "PickleCacher", "k", "d", (StoredFile("iris_9f_train_model.pkl", "d", 2048),), "iris_9f"
)


def ended(
    outcome: CallOutcome,
    *,
    index: int = 1,
    name: str = "train_model",
    record: str = "Record 0 (simple_lr)",
    reason: Reason | None = None,
) -> CallEnded:
    inputs = (InputFacts("data", 0, 0), InputFacts("seed", None, None))
    outputs = (OutputFacts("model", "Pipeline", "(2,)", ARTIFACT),)
    reason = reason or Reason(ReasonKind.NEVER_RUN)
    return CallEnded(
        index,
        name,
        "iris.train",
        0,
        record,
        outcome,
        reason,
        None,
        NOW,
        0.123,
        "iris.py:7",
        False,
        inputs,
        outputs,
    )


def show(*events: object, verbose: bool = False) -> tuple[list[str], str]:
    """Return the lines of output, and what stands on standard error."""
    output, errors = io.StringIO(), io.StringIO()
    progress = PlainLines(Console(output), Console(errors), verbose=verbose)
    for event in events:
        progress(event)
    progress.close()
    return output.getvalue().splitlines(), errors.getvalue()


def test_a_call_is_one_line() -> None:
    lines, _ = show(ended(CallOutcome.RAN))
    assert lines == ["ran     train_model  Record 0 (simple_lr)  0.12 s  never run"]


def test_lines_are_aligned_and_what_was_reused_has_no_time() -> None:
    unchanged = Reason(ReasonKind.UNCHANGED, {"run": "iris_3"})
    lines, _ = show(ended(CallOutcome.RAN), ended(CallOutcome.REUSED, name="load", reason=unchanged))
    assert (
        lines[1]
        == "reused  load         Record 0 (simple_lr)          nothing it read has changed (from iris_3)"
    )


def test_the_column_of_records_is_as_wide_as_the_widest_that_is_known() -> None:
    lines, _ = show(RecordAdded(1, "Record 1 (a much longer name)", "a", "9f"), ended(CallOutcome.RAN))
    assert lines == ["ran     train_model  Record 0 (simple_lr)           0.12 s  never run"]


def test_long_words_of_outcome_stay_apart() -> None:
    lines, _ = show(ended(CallOutcome.INTERRUPTED))
    assert lines[0].startswith("interrupted  train_model")


def test_what_nobody_needed_is_shown_only_on_request() -> None:
    events = [ended(CallOutcome.NOT_NEEDED), ended(CallOutcome.NOT_REACHED), RunPlanned(3, 1)]
    events.append(CallStarted(1, "train_model", 0, "Record 0 (simple_lr)", NOW))
    assert show(*events)[0] == []
    lines, _ = show(*events, verbose=True)
    assert [line.split("  ")[0] for line in lines if not line.startswith(" ")] == [
        "not needed",
        "not reached",
        "planned 3 calls, 1 of which may have to run",
        "began",
    ]


def test_a_verbose_call_tells_inputs_files_and_line() -> None:
    lines, _ = show(ended(CallOutcome.RAN), verbose=True)
    assert [line.strip() for line in lines[1:]] == [
        "read  data  from call 0",
        "read  seed  put in by hand",
        "made  model  Pipeline (2,)  2.0 KB  iris_9f_train_model.pkl",
        "called at iris.py:7",
    ]


def test_a_verbose_call_names_the_calls_that_it_reads_from() -> None:
    lines, _ = show(
        ended(CallOutcome.REUSED, index=0, name="load_data"), ended(CallOutcome.RAN), verbose=True
    )
    assert [line.strip() for line in lines if " data " in line][-1] == (
        "read  data  from load_data of Record 0 (simple_lr)"
    )


def test_a_warning_goes_to_standard_error() -> None:
    lines, errors = show(Warned("x cannot be identified.\x1b[2J", NOW))
    assert lines == []
    assert errors == "warning x cannot be identified.\\x1b[2J\n"


def test_names_of_people_stay_on_their_line() -> None:
    lines, _ = show(ended(CallOutcome.RAN, name="a\nran b", record="\x1b[31mred"))
    assert len(lines) == 1
    assert "\x1b" not in lines[0]


def test_an_output_without_artifact_has_no_file() -> None:
    assert describe_output(OutputFacts("n")) == "n"


@pytest.mark.parametrize(
    ("verbose", "quiet", "kind"),
    [(False, True, Silence), (True, False, PlainLines), (False, False, PlainLines)],
)
def test_a_pipe_gets_lines_or_nothing(verbose: bool, quiet: bool, kind: type) -> None:
    console = Console(io.StringIO())
    assert isinstance(open_progress(console, console, verbose=verbose, quiet=quiet), kind)


def test_quiet_shows_no_event() -> None:
    silence = Silence()
    silence(ended(CallOutcome.FAILED))
    silence.close()

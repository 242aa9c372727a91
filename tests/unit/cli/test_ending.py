"""The last lines of a run."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from curifactory.cli.console import Console
from curifactory.cli.ending import print_ending
from curifactory.cli.tally import Tally
from curifactory.core.events import MetricLogged, RecordAdded, RunStarted
from curifactory.core.outcomes import CallOutcome, RunOutcome
from curifactory.workflow.request import RunRequest

NOW = datetime(2026, 11, 21, 10, 15, tzinfo=UTC)


def tally_of(records: int = 0, **counts: int) -> Tally:
    tally = Tally()
    tally(RunStarted("iris_1_2026-11-21-T101500", NOW))
    for name, number in counts.items():
        tally.counts[CallOutcome[name]] = number
    for index in range(records):
        tally(RecordAdded(index, f"Record {index} (set)", "set", "9f"))
        tally(MetricLogged(index, None, "", {"accuracy": 0.96, "f1": 0.5}, None, None, NOW))
    return tally


def show(
    tally: Tally,
    outcome: RunOutcome = RunOutcome.COMPLETE,
    *,
    report: Path | None = None,
    dry: bool = False,
    **asked: Any,
) -> list[str]:
    stream = io.StringIO()
    request = RunRequest(experiment="iris", dry=dry, **asked)
    print_ending(Console(stream), tally, outcome=outcome, request=request, report=report)
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("records", [0, 1, 4, 5, 1000])
@pytest.mark.parametrize("outcome", list(RunOutcome))
def test_there_are_at_most_eight_lines(records: int, outcome: RunOutcome, tmp_path: Path) -> None:
    lines = show(tally_of(records, RAN=3, REUSED=2, FAILED=1), outcome, report=tmp_path / "index.html")
    assert len(lines) <= 8


def test_it_tells_outcome_counts_scores_report_and_what_next(tmp_path: Path) -> None:
    lines = show(tally_of(2, RAN=5, REUSED=2), report=tmp_path / "index.html")
    assert lines == [
        "iris_1_2026-11-21-T101500 complete: 5 ran, 2 reused",
        "scores  Record 0 (set)  accuracy 0.96  f1 0.5",
        "        Record 1 (set)  accuracy 0.96  f1 0.5",
        f"report  {(tmp_path / 'index.html').as_uri()}",
        "next    experiment open  (all runs side by side)",
    ]


def test_many_records_are_cut_short_and_said_so() -> None:
    lines = show(tally_of(10, RAN=10))
    assert [line.split("  ")[0].strip() for line in lines[1:5]] == ["scores", "", "", ""]
    assert lines[4].strip() == "and 7 more records; these have the best accuracy"


def scored(*values: dict[str, float]) -> Tally:
    tally = tally_of(RAN=len(values))
    for index, metrics in enumerate(values):
        tally(RecordAdded(index, f"Record {index}", None, "9f"))
        for name, value in metrics.items():
            kind, _, metric = name.rpartition(" ")
            tally(MetricLogged(index, None, kind, {metric: value}, None, None, NOW))
    return tally


def shown_records(lines: list[str]) -> list[int]:
    return [int(line.partition("Record ")[2].partition(" ")[0]) for line in lines if "Record " in line]


def test_of_many_records_the_best_ones_are_shown() -> None:
    values = (0.4, float("nan"), 0.1, 0.3, 0.2, 0.5)
    lines = show(scored(*({"rows": 9, "train loss": -value, "val loss": value} for value in values)))
    assert shown_records(lines) == [2, 4, 3]
    assert lines[4].strip() == "and 3 more records; these have the best val loss"


def test_of_many_records_the_best_ones_by_what_was_asked_for_are_shown() -> None:
    tally = scored(*({"loss": 1, "size": size} for size in (3, 1, 2, 5, 4)))
    assert shown_records(show(tally, use_best="size", minimize=True)) == [1, 2, 0]
    assert shown_records(show(tally, use_best="size")) == [3, 4, 0]


def test_where_no_name_tells_what_is_better_the_first_records_are_shown() -> None:
    lines = show(scored(*({"size": size} for size in (3, 1, 2, 5, 4))))
    assert shown_records(lines) == [0, 1, 2]
    assert lines[4].strip() == "and 2 more records"


def test_a_very_long_name_does_not_push_the_other_records_aside() -> None:
    tally = scored({"accuracy": 1.0}, {"accuracy": 0.5})
    tally(RecordAdded(0, "x" * 200, None, "9f"))
    assert len(show(tally)[2]) < 100


def test_when_everything_was_reused_it_says_so_and_from_where() -> None:
    tally = tally_of(REUSED=7, NOT_NEEDED=2)
    tally.origins["iris_3"] = 7
    lines = show(tally)
    assert lines[0].endswith("complete: nothing had to run, all 7 calls were reused (from iris_3)")
    assert lines[-1] == "next    experiment iris --map  (what would run after a change, and why)"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (
            {"parameter_files": ("wide", "deep"), "names": ("simple rf",)},
            "iris -p wide -p deep -n 'simple rf'",
        ),
        ({"changes": ("n=10,50", "sizes=[64,32]"), "sweep": "chain"}, "iris n=10,50 'sizes=[64,32]' --chain"),
        ({"indices": ("0-2",), "repeat": 3, "jobs": 4, "overwrite": True}, "iris --indices 0-2 --repeat 3"),
        ({"cache": Path("/scratch/iris"), "prefix": "p"}, "iris --prefix p --cache /scratch/iris"),
        ({"command": ("experiment", "run", "iris")}, "run iris"),
    ],
)
def test_the_next_command_asks_for_the_same_sets(asked: dict[str, Any], words: str) -> None:
    assert show(tally_of(REUSED=2), **asked)[-1].startswith(f"next    experiment {words} --map  (")
    assert show(tally_of(REUSED=2), dry=True, **asked)[-1].startswith(
        f"next    experiment {words}  (the same"
    )


def test_warnings_are_counted_also_where_everything_was_reused() -> None:
    tally = tally_of(REUSED=2)
    tally.origins["iris_3"] = 2
    tally.warnings.append("`depth` was read by no stage")
    assert show(tally)[0].endswith("all 2 calls were reused (from iris_3), 1 warning")


def test_results_of_several_runs_are_not_said_to_be_of_one() -> None:
    tally = tally_of(REUSED=1)
    tally.origins.update(["iris_2", "iris_3"])
    assert show(tally)[0].endswith("nothing had to run, the one call was reused")


@pytest.mark.parametrize("outcome", [RunOutcome.FAILED, RunOutcome.INTERRUPTED, RunOutcome.PARTLY_FAILED])
def test_a_run_that_did_not_get_through_says_how_to_go_on(outcome: RunOutcome) -> None:
    told = show(tally_of(RAN=1, FAILED=1), outcome)[-1]
    assert told == "next    experiment resume  (goes on: what is finished is reused)"


def test_a_dry_run_that_failed_leaves_nothing_to_resume() -> None:
    told = show(tally_of(RAN=1, FAILED=1), RunOutcome.FAILED, dry=True)[-1]
    assert told.startswith("next    experiment iris  (goes on")


def test_a_dry_run_says_that_nothing_was_kept() -> None:
    lines = show(tally_of(RAN=1), dry=True)
    assert lines[0].startswith("dry run complete")
    assert lines[-1].startswith("next    experiment iris  (the same, and")


def test_an_experiment_that_calls_nothing_says_so() -> None:
    assert show(tally_of())[0].endswith("complete: no stage was called")

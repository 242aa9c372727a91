"""How long a run may still take."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from curifactory.cli.past import Past
from curifactory.cli.remaining import Remaining
from curifactory.core.events import CallEnded, PlannedStage, RunPlanned
from curifactory.core.outcomes import CallOutcome

NOW = datetime(2026, 11, 21, 10, 15, tzinfo=UTC)


class Known(Past):
    """A past in which calls of `iris.train` took four seconds."""

    def durations(self, stages):
        return {stage: 4.0 for stage in stages if stage == "iris.train"}


def ended(name: str, outcome: CallOutcome = CallOutcome.RAN, duration_s: float = 2.0) -> CallEnded:
    return CallEnded(
        0, name, f"iris.{name}", 0, "Record 0", outcome, None, None, NOW, duration_s, "", False, (), ()
    )


@pytest.fixture
def remaining() -> Remaining:
    made = Remaining(Known())
    made.plan(
        RunPlanned(5, 3, (PlannedStage("iris.train", "train", 4, 3), PlannedStage("iris.load", "load", 1, 0)))
    )
    return made


def test_before_anything_ran_the_past_is_the_measure(remaining: Remaining) -> None:
    assert remaining.estimate_s([]) == 12.0


def test_what_ran_in_this_run_is_the_better_measure(remaining: Remaining) -> None:
    remaining.end(ended("train"))
    assert remaining.estimate_s([]) == 4.0


def test_what_a_call_has_taken_so_far_is_taken_off_and_never_more(remaining: Remaining) -> None:
    assert remaining.estimate_s([("train", 1.0)]) == 11.0
    assert remaining.estimate_s([("train", 100.0)]) == 8.0


def test_calls_side_by_side_share_the_time(remaining: Remaining) -> None:
    assert remaining.estimate_s([("train", 0.0), ("train", 0.0)]) == 6.0


def test_what_is_reused_counts_only_if_it_was_thought_to_run(remaining: Remaining) -> None:
    remaining.end(ended("train", CallOutcome.REUSED))
    assert remaining.estimate_s([]) == 12.0
    remaining.end(ended("train", CallOutcome.REUSED))
    assert remaining.estimate_s([]) == 8.0


def test_a_stage_of_which_nothing_is_known_gives_no_guess() -> None:
    made = Remaining(Past())
    made.plan(RunPlanned(1, 1, (PlannedStage("iris.train", "train", 1, 1),)))
    assert made.estimate_s([]) is None


def test_at_the_end_nothing_is_left(remaining: Remaining) -> None:
    for _ in range(3):
        remaining.end(ended("train"))
    assert remaining.estimate_s([]) is None

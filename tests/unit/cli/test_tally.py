"""What the end of a run is told from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from curifactory.cli.tally import Tally
from curifactory.core.events import CallEnded, MetricLogged, RecordAdded, RunFinished, RunStarted, Warned
from curifactory.core.outcomes import CallOutcome, RunOutcome
from curifactory.core.reason import Reason, ReasonKind

NOW = datetime(2026, 11, 21, 10, 15, tzinfo=UTC)


def ended(outcome: CallOutcome, reason: Reason | None = None, index: int = 0) -> CallEnded:
    return CallEnded(
        index,
        "train",
        "iris.train",
        0,
        "Record 0 (a)",
        outcome,
        reason,
        None,
        None,
        0.5,
        "iris.py:7",
        False,
        (),
        (),
    )


def metric(record: int, type: str, call: int | None = None, **values: float) -> MetricLogged:
    return MetricLogged(record, call, type, values, None, None, NOW)


def test_the_last_value_of_each_metric_is_kept_under_the_record_s_name() -> None:
    tally = Tally()
    tally(RecordAdded(0, "Record 0 (a)", "a", "9f"))
    tally(metric(0, "", accuracy=0.5, loss=2.0))
    tally(metric(0, "", accuracy=0.75))
    tally(metric(0, "val", accuracy=0.25))
    assert tally.scores == [
        ("Record 0 (a)", {("", "accuracy"): 0.75, ("", "loss"): 2.0, ("val", "accuracy"): 0.25})
    ]


def test_calls_are_counted_by_how_they_ended_and_by_the_run_they_came_from() -> None:
    tally = Tally()
    for outcome in (CallOutcome.RAN, CallOutcome.FAILED, CallOutcome.NOT_REACHED):
        tally(ended(outcome))
    tally(ended(CallOutcome.REUSED, Reason(ReasonKind.UNCHANGED, {"run": "iris_3"})))
    assert tally.executed == 2
    assert tally.counts[CallOutcome.REUSED] == 1
    assert dict(tally.origins) == {"iris_3": 1}


def test_a_run_has_a_duration_when_it_has_ended() -> None:
    tally = Tally()
    tally(RunStarted("iris_1", NOW))
    assert tally.duration_s is None
    tally(Warned("Careful.", NOW))
    tally(RunFinished(RunOutcome.COMPLETE, NOW + timedelta(seconds=3)))
    assert tally.duration_s == 3
    assert (tally.reference, tally.outcome, tally.warnings) == ("iris_1", RunOutcome.COMPLETE, ["Careful."])

"""How the difference of two runs reads."""

from __future__ import annotations

import pytest

from curifactory.core.reason import Reason, ReasonKind
from curifactory.workflow.runs.difference import (
    CallDifference,
    CodeDifference,
    EnvironmentDifference,
    MetricDifference,
    OutputDifference,
    ParameterDifference,
    RunDifference,
)
from curifactory.workflow.runs.difference_text import MOST_LINES, iter_lines

NAN = float("nan")


def test_a_parameter_that_differs_in_many_sets_is_one_line() -> None:
    sets = tuple(ParameterDifference(f"s{number}", "n", "1", "2") for number in range(6))
    difference = RunDifference(
        before="a", after="b", parameters=(*sets, ParameterDifference("t", "m", None, "3"))
    )
    assert str(difference).splitlines()[3:] == [
        "  n  1 → 2       s0, s1, s2, s3 and 2 more",
        "  m  absent → 3  t",
    ]


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        (1.0, 1.0, True),
        (1.0, 2.0, False),
        (None, 1.0, False),
        (None, None, True),
        (NAN, NAN, True),
        (NAN, 1.0, False),
    ],
)
def test_metrics_are_the_same_by_value(before: float | None, after: float | None, same: bool) -> None:
    assert MetricDifference("r", "", "acc", before, after).is_same is same


def test_numbers_that_json_has_no_word_for_are_texts() -> None:
    difference = RunDifference(
        before="a", after="b", metrics=(MetricDifference("r", "", "acc", NAN, float("inf")),)
    )
    assert difference.to_json()["metrics"][0] == {
        "record": "r", "type": "", "name": "acc", "before": "nan", "after": "inf", "same": False,
    }  # fmt: skip
    assert "nan → inf" in str(difference)


def test_what_only_one_of_the_runs_has_saved_is_told_and_a_reason_once() -> None:
    reason = Reason(ReasonKind.INPUT_CHANGED, {"name": "score"})
    call = CallDifference(
        name="compare",
        stage="m.compare",
        record="r",
        before="not reached",
        after="ran",
        is_same=False,
        reasons=(reason, reason, reason),
        outputs=(OutputDifference("x", None, "1"), OutputDifference("y", "1", None)),
    )
    assert (
        "  compare  r  input score changed  not reached → ran, x saved only after, y saved only before"
        in str(RunDifference(before="a", after="b", calls=(call,)))
    )


def test_a_stage_that_is_not_deterministic_is_told() -> None:
    call = CallDifference(
        name="f", stage="m.f", record="r", before="ran", after="ran", is_same=False,
        outputs=(OutputDifference("x", "d:1", "d:2"), OutputDifference("y", None, None)),
    )  # fmt: skip
    assert "  f  r  nothing that it read differs  x different, y not saved" in str(
        RunDifference(before="a", after="b", calls=(call,))
    )


def test_calls_that_ended_in_another_way_say_so() -> None:
    call = CallDifference(
        name="f", stage="m.f", record="r", before="ran", after="failed", is_same=False,
        reasons=(Reason(ReasonKind.INPUT_CHANGED, {"name": "x"}),),
    )  # fmt: skip
    assert "  f  r  input x changed  ran → failed" in str(RunDifference(before="a", after="b", calls=(call,)))


def test_only_where_they_ran_differs_is_the_same() -> None:
    difference = RunDifference(
        before="a", after="b", environment=(EnvironmentDifference("machine", "host", "one", "two"),)
    )
    assert difference.is_same
    assert str(difference).splitlines()[-2:] == ["environment", "  host  one → two"]
    assert str(RunDifference(before="a", after="a")) == "a → a\nNothing differs."


def test_long_code_is_cut_in_text_and_whole_in_json() -> None:
    text = "".join(f"+line {number}\n" for number in range(MOST_LINES + 5))
    difference = RunDifference(
        before="a", after="b", code=CodeDifference(before="1f", after="2e", files=("a.py",), text=text)
    )
    assert str(difference).splitlines()[-1] == "  … 5 more lines, all of them with --json"
    assert difference.to_json()["code"]["text"] == text


def test_what_people_wrote_is_text_in_a_notebook() -> None:
    parameters = (ParameterDifference("<b>", "n", "<script>alert(1)</script>", "2"),)
    html = RunDifference(before="a", after="b", parameters=parameters)._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert html.startswith("<pre")


def test_a_line_stays_a_line_whatever_is_in_it() -> None:
    parameters = (ParameterDifference("s", "n", "'a\nb'", "2"),)
    assert all(
        "\n" not in line
        for _, line in iter_lines(RunDifference(before="a", after="b", parameters=parameters))
    )

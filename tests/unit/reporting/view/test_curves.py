import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curifactory.reporting.view.chip import Chips
from curifactory.reporting.view.curves import POINTS_OF_LINE, gather_curves, thin
from curifactory.store.run import Run


@pytest.fixture
def curves_of(empty_run):
    def curves_of():
        run = Run.read(empty_run.write())
        return gather_curves(run.metrics, Chips(run.records), {call.index: call.name for call in run.calls})

    return curves_of


def log(run, record, call, values, kind="train", name="loss", **more):
    row = {"record": record, "call": call, "type": kind, "at": "2026-11-21T10:15:00+01:00"}
    count = len(values)
    columns = {"steps": list(range(count)), "epochs": None, "after_ms": [10 * n for n in range(count)]}
    run.metrics.append(row | columns | {"columns": {name: values}} | more)


def data_of(curves):
    beginning = "window.curifactoryCurves = "
    assert curves.script.startswith(beginning)
    return json.loads(curves.script.removeprefix(beginning).rstrip(";\n"))


def test_one_value_is_no_curve(empty_run, curves_of):
    log(empty_run, empty_run.add_record("a"), None, [0.5])
    assert curves_of() is None


def test_a_metric_is_one_chart_over_records_and_types(empty_run, curves_of):
    for name in ("a", "b"):
        record = empty_run.add_record(name)
        call = empty_run.add_call("train_model", record)
        log(empty_run, record, call, [3, 1, 2])
        log(empty_run, record, call, [4, 3], kind="val")
        log(empty_run, record, call, [0.5, 0.75], kind="val", name="accuracy")
    loss, accuracy = curves_of().charts
    assert [(curve.chip.short, curve.label) for curve in loss.curves] == [
        ("a", "train"),
        ("a", "val"),
        ("b", "train"),
        ("b", "val"),
    ]
    assert (loss.direction, accuracy.direction) == ("lower", "higher")
    first = loss.curves[0]
    assert (first.first, first.last, first.peak, first.peak_at, first.count) == ("3", "2", "1", "step 1", 3)
    assert data_of(curves_of())[0]["lines"][0]["step"] == [0, 1, 2]


def test_stages_tell_lines_of_one_type_apart(empty_run, curves_of):
    record = empty_run.add_record("a")
    for stage in ("warm_up", "train_model"):
        log(empty_run, record, empty_run.add_call(stage, record), [1, 2])
    assert [curve.label for curve in curves_of().charts[0].curves] == [
        "train · warm_up",
        "train · train_model",
    ]


def test_long_curves_are_thinned_and_keep_their_peaks(empty_run, curves_of):
    values = [math.sin(n / 50) for n in range(20_000)]
    values[7777] = 50.0
    log(empty_run, empty_run.add_record("a"), None, values)
    (line,) = data_of(curves_of())[0]["lines"]
    assert len(line["y"]) <= POINTS_OF_LINE
    assert (line["step"][0], line["step"][-1], max(line["y"])) == (0, 19_999, 50.0)
    assert curves_of().charts[0].curves[0].count == 20_000


def test_very_many_curves_stay_a_small_script(empty_run, curves_of):
    for number in range(130):
        log(empty_run, empty_run.add_record(f"r{number}"), None, [n / 7 for n in range(3000)])
    curves = curves_of()
    assert (len(curves.charts[0].curves), curves.charts[0].left_out) == (100, 30)
    assert len(curves.script) < 1_500_000


def test_gaps_and_infinities_are_gaps(empty_run, curves_of):
    log(empty_run, empty_run.add_record("a"), None, [1.0, "nan", 2.0, "inf", 3.0])
    curves = curves_of()
    assert data_of(curves)[0]["lines"][0]["y"] == [1.0, None, 2.0, None, 3.0]
    assert len(curves.charts[0].curves[0].spark) == 3


def test_nothing_but_gaps_has_no_picture(empty_run, curves_of):
    log(empty_run, empty_run.add_record("a"), None, ["nan", "nan"])
    curve = curves_of().charts[0].curves[0]
    assert (curve.spark, curve.peak) == ((), "")


def test_numbers_at_the_end_of_all_numbers_are_drawn(empty_run, curves_of):
    log(empty_run, empty_run.add_record("a"), None, [-1.7e308, 1.7e308])
    assert curves_of().charts[0].curves[0].spark == ("0.0,22.0 120.0,2.0",)


def test_without_steps_the_values_are_counted(empty_run, curves_of):
    log(empty_run, empty_run.add_record("a"), None, [1, 2, 0], steps=None, epochs=[0, 0, 1])
    (line,) = data_of(curves_of())[0]["lines"]
    assert "step" not in line
    assert (line["index"], line["epoch"], line["time"]) == ([0, 1, 2], [0, 0, 1], [0.0, 0.01, 0.02])


def test_names_cannot_leave_the_script(empty_run, curves_of):
    payload = "</script><script>alert(1)//\u2028"
    log(empty_run, empty_run.add_record(payload), None, [1, 2], kind=payload, name=payload)
    curves = curves_of()
    assert curves.script.isascii()
    assert data_of(curves)[0]["name"] == payload


@given(st.lists(st.floats(), min_size=1, max_size=300), st.integers(4, 40))
def test_thinning_keeps_ends_order_and_extremes(values, most):
    places = thin(values, most)
    assert places == sorted(set(places))
    assert (places[0], places[-1]) == (0, len(values) - 1)
    assert len(places) <= max(most, 4)
    finite = [value for value in values[1:-1] if math.isfinite(value)]
    if finite:
        assert min(finite) in [values[place] for place in places]
        assert max(finite) in [values[place] for place in places]


def test_a_single_value_among_curves_stands_in_the_table_only(empty_run, curves_of):
    record = empty_run.add_record("a")
    log(empty_run, record, None, [3.0, 2.0])
    log(empty_run, empty_run.add_record("b"), None, [1.5])
    curves = curves_of()
    assert [curve.chip.short for curve in curves.charts[0].curves] == ["a", "b"]
    assert [line["record"] for line in data_of(curves)[0]["lines"]] == ["a"]

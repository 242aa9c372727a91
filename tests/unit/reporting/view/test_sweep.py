"""A sweep is shown as a table of what varies with the metrics, and as lines across axes."""

from __future__ import annotations

from typing import Any

from curifactory.reporting.view.chip import Chips
from curifactory.reporting.view.coordinates import draw_coordinates
from curifactory.reporting.view.sweep import gather_sweep
from curifactory.store.run import Run


def sets_of(*values: dict[str, Any], repeat: int = 0) -> list[dict[str, Any]]:
    return [
        {"name": f"s{at}", "base": "b", "values": each, "repeat": repeat} for at, each in enumerate(values)
    ]


def sweep_of(folder: Any, **facts: Any) -> Any:
    folder.facts["sweeps"] = [{"kind": "product", "fixed": {}, "repeat": 1, **facts}]
    run = Run.read(folder.write())
    return gather_sweep(run.sweeps[0], run.metrics, Chips(run.records))


RANGES = [{"name": "n", "values": [1, 2]}, {"name": "kind", "values": ["a", "b"]}]


def test_sets_are_rows_with_what_varies_and_their_metrics(empty_run) -> None:
    for at, loss in enumerate((0.5, 0.25)):
        empty_run.add_record(f"s{at}", {"n": at})
        empty_run.metrics.append(
            {
                "record": at,
                "call": None,
                "type": "",
                "step": None,
                "epoch": None,
                "at": "2026-11-21T10:15:00+01:00",
                "values": {"loss": loss},
            }
        )
    sets = sets_of({"n": 1, "kind": "a"}, {"n": 2, "kind": "b"}, {"n": 2, "kind": "a"})
    view = sweep_of(empty_run, ranges=RANGES, sets=sets, fixed={"lr": 0.1})
    assert view.kind == "every combination"
    assert view.facts == (("lr", "0.1"),)
    assert view.columns == ("n", "kind")
    assert view.metrics == (("loss", "lower"),)
    assert [row.values for row in view.rows] == [("1", "a"), ("2", "b"), ("2", "a")]
    assert [row.best for row in view.rows] == [(False,), (True,), (False,)]
    assert [row.metrics[0] is None for row in view.rows] == [False, False, True]
    assert [row.chip is None for row in view.rows] == [False, False, True]
    assert view.drawing.coloured == "loss"


def test_a_chain_tells_by_what_it_has_chosen_and_repetitions_are_a_column(empty_run) -> None:
    sets = [*sets_of({"n": 1}), *sets_of({"n": 2}, repeat=1)]
    view = sweep_of(
        empty_run,
        kind="chain",
        ranges=RANGES[:1],
        sets=sets,
        repeat=2,
        use_best="loss",
        minimize=True,
        carried=[{"name": "n", "value": 2}],
    )
    assert view.columns == ("n", "repetition")
    assert view.facts == (
        ("repeated", "2 times"),
        ("carried on", "the value with the smallest loss"),
        ("chosen", "n = 2"),
    )


def test_without_a_sweep_or_without_anything_that_varies_there_is_nothing(empty_run) -> None:
    assert sweep_of(empty_run, ranges=[], sets=sets_of({})) is None
    assert sweep_of(empty_run, ranges=RANGES, sets=[]) is None
    empty_run.facts["sweeps"] = []
    assert Run.read(empty_run.write()).sweeps == ()


def test_the_page_has_a_sweep(empty_run, tmp_path) -> None:
    from curifactory.reporting.report import draw_report

    empty_run.add_record("s0", {"n": 1})
    empty_run.facts["sweeps"] = [
        {
            "kind": "zip",
            "ranges": RANGES,
            "sets": sets_of({"n": 1, "kind": "<b>"}, {"n": 2, "kind": "c"}),
        }
    ]
    page = draw_report(empty_run.write(), tmp_path / "reports").read_text(encoding="utf-8")
    assert 'id="sweep"' in page
    assert "side by side of n, kind" in page
    assert "&lt;b&gt;" in page
    assert "<td><b>" not in page
    assert page.count('class="cf-line"') == 2


def test_of_several_long_sweeps_the_page_has_the_first_rows_and_scripts_the_others(
    empty_run, tmp_path
) -> None:
    from curifactory.reporting.report import draw_report

    sets = sets_of(*({"n": at} for at in range(200)))
    empty_run.facts["sweeps"] = [{"kind": "product", "ranges": RANGES[:1], "sets": sets}] * 20
    page = draw_report(empty_run.write(), tmp_path / "reports")
    text = page.read_text(encoding="utf-8")
    assert text.count("<h3>Sweep ") == 12
    assert "8 more sweeps" in text
    assert 'data-more="sweep"' in text
    assert 'data-more="sweep:12"' in text
    assert '"sweep:12": "<tr>' in (page.parent / "more.js").read_text(encoding="utf-8")


def test_what_spans_powers_of_ten_is_drawn_in_powers_of_ten() -> None:
    drawn = draw_coordinates([("lr", ""), ("n", "")], [[0.001, 1], [0.1, 2], [10.0, 3]], ["a", "b", "c"])
    heights = [float(line.path.split("L")[0].split()[1]) for line in drawn.lines]
    assert heights[0] - heights[1] == heights[1] - heights[2]
    assert [word for _, word in drawn.axes[0].ticks] == ["0.001", "0.1", "10"]


def test_words_are_placed_in_their_order_and_gaps_left_out() -> None:
    drawn = draw_coordinates(
        [("kind", ""), ("n", ""), ("same", "")], [["z", 1, 5], ["a", None, 5], ["z", 9, 5]], list("abc")
    )
    assert [axis.name for axis in drawn.axes] == ["kind", "n"]
    assert [word for _, word in drawn.axes[0].ticks] == ["z", "a"]
    assert {line.label: line.path.count("L") for line in drawn.lines} == {"a": 1, "b": 0, "c": 1}
    assert drawn.coloured == ""


def test_of_many_numbers_the_ends_and_the_middle_have_ticks() -> None:
    drawn = draw_coordinates(
        [("n", ""), ("m", "metric")], [[at, at] for at in range(11)], list("abcdefghijk")
    )
    assert [word for _, word in drawn.axes[0].ticks] == ["0", "5", "10"]
    assert drawn.lines[-1].share == 100

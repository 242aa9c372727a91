import base64
import re

import pytest

from curifactory.errors import StoreError
from curifactory.reporting import HTMLReporter, JsonReporter, LinePlotReporter, Reportable
from curifactory.reporting.display import (
    MOST_METRICS,
    MOST_REPORTABLES,
    ROOM_BYTES,
    display_facts,
    display_past_record,
    display_record,
    display_reportable,
    display_row,
    display_run,
)
from curifactory.reporting.view.records import MOST_ENTRIES, MOST_RECORDS, Entry
from curifactory.store.run import Run


def test_a_run_shows_its_head_results_records_and_reportables(iris) -> None:
    shown = display_run(iris.write())
    assert repr(shown) == f"<run {iris.reference}>"
    parts = re.findall(r'<h4 class="cf-part">(\w+)</h4>', shown.html)
    assert [part for part in parts if part != "Warnings"] == ["Results", "Records", "Reportables"]
    assert "experiment iris -p iris" in shown.html
    assert "href=" not in shown.html


def test_a_run_in_which_nothing_happened_shows_its_head_alone(empty_run) -> None:
    shown = display_run(empty_run.write()).html
    assert 'class="cf-part"' not in shown
    assert "iris" in shown


def test_what_is_no_run_is_an_error(tmp_path) -> None:
    with pytest.raises(StoreError):
        display_run(tmp_path)


def test_a_run_with_very_much_shows_the_first_of_it_and_says_so(iris) -> None:
    for number in range(MOST_RECORDS + 5):
        iris.add_record(f"more {number}")
    iris.reportables += [dict(iris.reportables[0], name=f"again {n}") for n in range(MOST_REPORTABLES)]
    shown = display_run(iris.write()).html
    assert shown.count('class="cf-name"') == MOST_REPORTABLES
    assert f"And {len(iris.reportables) - MOST_REPORTABLES} more reportables" in shown
    assert (
        f"And {len(iris.records) - MOST_RECORDS} more records: <code>.records[{MOST_RECORDS}]</code>" in shown
    )


def test_a_run_of_very_many_records_is_light_and_shows_the_best_of_them(empty_run) -> None:
    for number in range(1000):
        empty_run.add_record(f"set {number:04}", {"n": number})
        empty_run.log_metrics(
            number, None, accuracy=1 - (number - 700) ** 2 / 1e6, loss=0.5 + number, n=number
        )
    empty_run.facts["warnings"] = [
        {"text": f"warning {number}", "at": "2026-11-21T10:15:00+01:00"} for number in range(100)
    ]
    shown = display_run(empty_run.write()).html
    assert len(shown) < 80_000
    results = shown[shown.index(">Results<") : shown.index(">Records<")]
    assert re.findall(r'title="Record \d+ \(set (\d+)\)"', results) == [f"{n:04}" for n in [*range(20), 700]]
    assert "979 more are in the report" in results
    assert "And 980 more records" in shown
    assert "And 90 more warnings" in shown


def test_of_very_many_metrics_the_first_are_shown(empty_run) -> None:
    empty_run.add_record("only")
    empty_run.log_metrics(0, None, **{f"metric_{number:03}": 1.0 for number in range(300)})
    shown = display_run(empty_run.write()).html
    assert re.findall(r"metric_(\d+)", shown) == [f"{number:03}" for number in range(MOST_METRICS)]
    assert f"{300 - MOST_METRICS} more metrics" in shown


@pytest.mark.parametrize("pieces", [4, 3, 1])
def test_heavy_reportables_are_not_a_part_of_everything_that_shows_the_run(empty_run, maker, pieces) -> None:
    empty_run.add_record("only")
    picture = maker.PIXEL + bytes(ROOM_BYTES // pieces)
    for number in range(9):
        empty_run.report(0, None, f"p{number}", "image", files={f"p{number}.png": picture})
    # Of what is heavier than all that there is room for, the first is shown all the same.
    shown = display_run(empty_run.write()).html
    count = max(1, pieces - 1)
    assert shown.count("<img") == count
    assert len(shown) < 40_000 + count * 1.4 * len(picture)
    assert f"And {9 - count} more reportables: display_all_reportables() shows them." in shown


def test_what_people_wrote_is_escaped(iris) -> None:
    iris.facts["notes"] = iris.experiment = "<script>alert(1)</script>"
    iris.add_record("<script>alert(2)</script>")
    assert "<script" not in display_run(iris.write()).html


def test_a_record_shows_parameters_state_results_and_what_it_reported(iris) -> None:
    run = Run.read(iris.write())
    shown = display_past_record(run, run.records[0], parameters={"model": {"depth": 3}})
    assert repr(shown) == f"<{run.records[0].name}>"
    assert re.findall(r'<h4 class="cf-part">(\w+)</h4>', shown.html) == [
        "Parameters",
        "State",
        "Results",
        "Reportables",
    ]
    assert "model.depth" in shown.html
    assert "train_model" in shown.html


def test_a_record_without_a_run_shows_its_state_alone() -> None:
    entries = [Entry("<b>", "", type="list", summary="2 items", kept="in memory")]
    shown = display_record(-1, "Record -1", entries).html
    assert "&lt;b&gt;" in shown
    assert "put in by hand" in shown
    assert re.findall(r'<h4 class="cf-part">(\w+)</h4>', shown) == ["State"]
    assert "Its state is empty." in display_record(0, "Record 0", []).html


def test_of_a_large_state_the_first_entries_are_shown() -> None:
    shown = display_record(0, "Record 0", [Entry(f"x{n}", "make") for n in range(MOST_ENTRIES + 3)]).html
    assert "And 3 more." in shown
    assert f"x{MOST_ENTRIES}" not in shown


def test_one_reportable_of_a_run_can_be_shown(iris) -> None:
    run = Run.read(iris.write())
    (row,) = [row for row in run.reportables if row.record == 1]
    shown = display_row(run, row)
    assert repr(shown) == f"<reportable {row.name}>"
    assert shown.html.count('class="cf-name"') == 1


def test_a_reportable_shows_itself_without_having_been_reported() -> None:
    shown = LinePlotReporter([1, 2, 3], name="line", caption="up")._repr_html_()
    (picture,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', shown)
    assert b"<svg" in base64.b64decode(picture)
    assert ">line</h4>" in shown
    assert ">up</figcaption>" in shown
    assert "JsonReporter" in JsonReporter({"a": 1})._repr_html_()


def test_the_files_of_markup_become_a_part_of_it() -> None:
    class Picture(Reportable):
        def render(self) -> None:
            with open(f"{self.path}/{self.qualified_name}.txt", "w") as file:
                file.write("inside")

        def html(self) -> str:
            return f'<a href="{self.path}/{self.qualified_name}.txt">file</a>'

    shown = Picture()._repr_html_()
    assert f"data:text/plain;base64,{base64.b64encode(b'inside').decode()}" in shown
    assert "@files" not in shown
    assert "<b>bold</b>" in HTMLReporter("<b>bold</b>")._repr_html_()


def test_a_reportable_that_cannot_be_drawn_says_so_in_its_place() -> None:
    class Broken(Reportable):
        def html(self) -> str:
            raise ValueError("<no> way")

    shown = display_reportable(Broken(name="map"))
    assert repr(shown) == "<reportable map>"
    assert "ValueError: &lt;no&gt; way" in shown.html


def test_facts_are_shown_as_they_are_given() -> None:
    shown = display_facts("<model>", [("size", "3 KiB")])
    assert "&lt;model&gt;" in shown.html
    assert "3 KiB" in shown.html

import base64
import re

import pytest

from curifactory.errors import StoreError
from curifactory.reporting import HTMLReporter, JsonReporter, LinePlotReporter, Reportable
from curifactory.reporting.display import (
    MOST_REPORTABLES,
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
    assert f"And {len(iris.records) - MOST_RECORDS} more records." in shown


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

import json
import os

import pytest

from curifactory.errors import ReportError
from curifactory.reporting.index import DATA, FIELDS, draw_index
from curifactory.reporting.report import draw_report
from curifactory.store.runs import RunStore


@pytest.fixture
def reports(tmp_path):
    return tmp_path / "reports"


def read_data(reports):
    text = (reports / DATA).read_text(encoding="utf-8")
    head, tail = "window.curifactoryRuns=", ";\n"
    assert text.startswith(head)
    assert text.endswith(tail)
    return json.loads(text[len(head) : -len(tail)])


def read_rows(reports):
    names = ("reference", "experiment", "number", "outcome", "report", *FIELDS)
    return [dict(zip(names, row, strict=True)) for row in read_data(reports)["rows"]]


def draw(run, reports):
    return draw_index(RunStore(run.runs).iter_rows(), reports)


def test_every_run_is_there_whether_it_has_a_report_or_not(iris, maker, reports):
    draw_report(iris.write(), reports)
    maker.RunFolder(iris.runs, "speech/asr", 1).write()
    page = draw(iris, reports).read_text(encoding="utf-8")
    assert {row["reference"]: row["report"] for row in read_rows(reports)} == {
        iris.reference: True,
        "speech/asr_1_2026-11-21-T101500": False,
    }
    assert f'href="./{iris.reference}/index.html"' in page
    assert 'href="_latest/index.html"' in page
    assert "no report" in page


def test_a_row_has_what_the_table_shows(iris, reports):
    iris.write()
    draw(iris, reports)
    row = read_rows(reports)[0]
    assert (row["experiment"], row["number"], row["outcome"]) == ("iris", 4, "complete")
    assert (row["duration_s"], row["branch"], row["dirty"], row["tags"]) == (3.4, "main", True, ["paper"])
    assert row["metrics"]["accuracy"] == [0.94, 0.9687]
    assert row["command_line"] == "experiment iris -p iris"


def test_experiments_have_the_first_line_of_their_docstring(iris, reports):
    iris.write()
    page = draw(iris, reports).read_text(encoding="utf-8")
    assert read_data(reports)["about"] == {"iris": "Which model tells the three species of iris apart best?"}
    assert "Which model tells the three species" in page


def test_the_page_itself_shows_the_newest_runs_with_their_best_scores(iris, reports):
    iris.write()
    page = draw(iris, reports).read_text(encoding="utf-8")
    assert "accuracy 0.9687" in page
    assert "loss 0.1200" in page
    assert "The forest again" in page


def test_of_many_runs_the_page_holds_two_hundred_and_the_script_all(empty_run, reports):
    for number in range(1, 251):
        empty_run.number = number
        empty_run.write()
    page = draw(empty_run, reports).read_text(encoding="utf-8")
    assert page.count('<th scope="row">') == 200
    assert len(read_rows(reports)) == 250
    assert "The latest 200 of 250" in page


def test_without_runs_the_page_says_how_to_make_one(tmp_path, reports):
    page = draw_index([], reports).read_text(encoding="utf-8")
    assert "There are no runs yet" in page
    assert read_rows(reports) == []


def test_what_people_wrote_is_text(empty_run, reports):
    empty_run.facts = {
        "experiment": "</script><script>x",
        "notes": "<img onerror=x>",
        "experiment_doc": "<b>",
    }
    empty_run.facts |= {"outcome": "failed", "error": "</td>", "tags": ["<i>"], "parameter_files": ["<u>"]}
    empty_run.write()
    page = draw(empty_run, reports).read_text(encoding="utf-8")
    for markup in ("<script>x", "<img", "<b>", "</td><", "<i>", "<u>"):
        assert markup not in page.replace("</td>\n", "")
    assert "&lt;/script&gt;&lt;script&gt;x" in page


def test_names_that_look_like_addresses_stay_below_the_reports(empty_run, reports):
    empty_run.experiment = "javascript:alert(1)"
    draw_report(empty_run.write(), reports)
    page = draw(empty_run, reports).read_text(encoding="utf-8")
    assert 'href="./javascript%3Aalert%281%29_4_2026-11-21-T101500/index.html"' in page


def test_text_that_utf8_cannot_say_does_not_cost_the_index(empty_run, reports):
    empty_run.facts["notes"] = "half a pair: \ud800"
    empty_run.write_escaped()
    page = draw(empty_run, reports).read_text(encoding="utf-8")
    assert "half a pair" in page
    assert read_rows(reports)[0]["notes"].startswith("half a pair")


def test_the_index_is_replaced_whole_and_leaves_nothing_beside_it(iris, reports):
    iris.write()
    draw(iris, reports)
    draw(iris, reports)
    assert sorted(os.listdir(reports)) == ["_assets", "index-data.js", "index.html"]
    assert sorted(os.listdir(reports / "_assets")) == ["index.css", "index.js", "theme.css"]


def test_a_folder_that_cannot_be_written_is_an_error_with_its_path(tmp_path):
    (tmp_path / "reports").write_text("a file")
    with pytest.raises(ReportError, match=rf"could not be written to {tmp_path / 'reports'}"):
        draw_index([], tmp_path / "reports")

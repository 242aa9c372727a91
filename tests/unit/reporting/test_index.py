import json
import os
import shutil

import pytest

from curifactory.errors import ReportError
from curifactory.reporting import index_data
from curifactory.reporting.index import DATA, INDEX_ASSETS, draw_index, update_index
from curifactory.reporting.report import draw_report
from curifactory.reporting.view.index import SHOWN_RUNS
from curifactory.store.index import Index
from curifactory.store.runs import RunStore


@pytest.fixture(autouse=True, params=["as few runs", "as many runs"])
def number(request, monkeypatch):
    """Draw as what there is is drawn, and as thousands of runs are, for which another encoder is quicker."""
    if request.param == "as many runs":
        monkeypatch.setattr(index_data, "ROWS_WORTH_AN_IMPORT", 0)


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
    data = read_data(reports)
    return [dict(zip(data["fields"], row, strict=True)) for row in data["rows"]]


def draw(run, reports):
    return draw_index(RunStore(run.runs).iter_rows(), reports)


def test_every_run_is_there_whether_it_has_a_report_or_not(iris, maker, reports):
    draw_report(iris.write(), reports)
    maker.RunFolder(iris.runs, "speech/asr", 1).write()
    page = draw(iris, reports).read_text(encoding="utf-8")
    assert {row["reference"]: row["has_report"] for row in read_rows(reports)} == {
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
    assert (row["sets"], row["parameters"]["n"], row["parameters"]["seed"]) == (2, ["100", "200"], "1")


def test_experiments_have_their_docstring_and_their_latest_run(iris, reports):
    iris.write()
    page = draw(iris, reports).read_text(encoding="utf-8")
    entry = read_data(reports)["experiments"]["iris"]
    assert entry["about"] == "Which model tells the three species of iris apart best?"
    assert (entry["more"], entry["runs"], entry["number"]) == ("More of it.", 1, 4)
    assert "Which model tells the three species" in page
    assert "More of it." in page


def test_the_page_itself_shows_the_newest_runs_with_their_best_scores(iris, reports):
    iris.write()
    page = draw(iris, reports).read_text(encoding="utf-8")
    assert "accuracy 0.9687" in page
    assert "loss 0.1200" in page
    assert "The forest again" in page


def test_of_many_runs_the_page_holds_the_newest_and_the_script_all(empty_run, reports):
    for number in range(1, 251):
        empty_run.number = number
        empty_run.write()
    page = draw(empty_run, reports).read_text(encoding="utf-8")
    assert page.count('<th scope="row">') == SHOWN_RUNS
    assert len(read_rows(reports)) == 250
    assert f"The latest {SHOWN_RUNS} of 250" in page


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
    assert sorted(os.listdir(reports / "_assets")) == sorted(INDEX_ASSETS)


def test_a_style_sheet_of_ones_own_comes_last_and_need_not_exist(iris, reports, tmp_path):
    iris.write()
    css = tmp_path / "style.css"
    assert "custom.css" not in draw_index([], reports, css=css).read_text(encoding="utf-8")
    css.write_text(".cf { --accent: red }", encoding="utf-8")
    page = draw_index([], reports, css=css).read_text(encoding="utf-8")
    assert page.index("_assets/index.css") < page.index("_assets/custom.css")
    assert (reports / "_assets" / "custom.css").read_text(encoding="utf-8") == css.read_text(encoding="utf-8")


@pytest.fixture
def store(tmp_path):
    with Index(tmp_path / "index.db") as index:
        yield RunStore(tmp_path / "runs", index)


def write_run(store, maker, number, **facts):
    run = maker.RunFolder(store.folder, "iris", number)
    run.started = run.started.replace(minute=number)
    run.facts = facts
    run.write()
    store.note(run.path)
    return run


def drawn_anew(store, tmp_path):
    """Give what the whole way makes of the same runs."""
    draw_index(store.iter_rows(), tmp_path / "anew")
    return read_data(tmp_path / "anew")


def check_as_drawn_anew(store, tmp_path, reports):
    updated, anew = read_data(reports), drawn_anew(store, tmp_path)
    assert (updated["rows"], updated["experiments"]) == (anew["rows"], anew["experiments"])
    assert (reports / "index.html").read_bytes() == (tmp_path / "anew" / "index.html").read_bytes()


@pytest.fixture
def no_listing(store, monkeypatch):
    """Make reading all rows an error; gives a function that says so from now on."""

    def refuse(*_args, **_options):
        raise AssertionError("all rows were read")

    return lambda: monkeypatch.setattr(store, "iter_rows", refuse)


def test_one_more_run_is_put_in_without_reading_the_others(
    store, maker, reports, tmp_path, no_listing, monkeypatch
):
    for number in (1, 2, 3):
        write_run(store, maker, number)
    update_index(store, reports)
    no_listing()
    write_run(store, maker, 4, notes="new", experiment_doc="Another docstring.")
    update_index(store, reports)
    assert [row["number"] for row in read_rows(reports)] == [4, 3, 2, 1]
    monkeypatch.undo()
    check_as_drawn_anew(store, tmp_path, reports)


def test_a_changed_run_stays_in_its_place(store, maker, reports, tmp_path, no_listing, monkeypatch):
    for number in (1, 2, 3):
        write_run(store, maker, number)
    update_index(store, reports)
    no_listing()
    store.annotate(store.get("iris_2"), notes="half a pair", add_tags=["paper"])
    update_index(store, reports)
    assert [(row["number"], row["tags"]) for row in read_rows(reports)] == [(3, []), (2, ["paper"]), (1, [])]
    monkeypatch.undo()
    check_as_drawn_anew(store, tmp_path, reports)


def test_a_run_that_was_killed_is_told_as_interrupted(store, maker, reports):
    write_run(store, maker, 1, outcome="running", host=os.uname().nodename, pid=2**22 + 1)
    draw_index([], reports)
    update_index(store, reports)
    write_run(store, maker, 2)
    update_index(store, reports)
    assert [row["outcome"] for row in read_rows(reports)] == ["complete", "interrupted"]


def test_folders_that_were_copied_here_or_deleted_are_noticed(store, maker, reports, tmp_path):
    for number in (1, 2):
        write_run(store, maker, number)
    update_index(store, reports)
    copied = maker.RunFolder(store.folder, "digits", 7)
    copied.write()
    write_run(store, maker, 3)
    update_index(store, reports)
    assert {row["experiment"] for row in read_rows(reports)} == {"iris", "digits"}
    shutil.rmtree(copied.path)
    update_index(store, reports)
    assert {row["experiment"] for row in read_rows(reports)} == {"iris"}
    check_as_drawn_anew(store, tmp_path, reports)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"format":2', '"format":1'),
        lambda text: text.replace('"mark":"', '"mark":"9'),
        lambda text: "noise",
    ],
)
def test_data_that_is_damaged_or_of_another_version_is_made_anew(store, maker, reports, tmp_path, damage):
    write_run(store, maker, 1)
    update_index(store, reports)
    text = (reports / DATA).read_text(encoding="utf-8")
    (reports / DATA).write_text(damage(text), encoding="utf-8")
    write_run(store, maker, 2)
    update_index(store, reports)
    check_as_drawn_anew(store, tmp_path, reports)


def test_without_an_index_of_runs_everything_is_read(maker, reports, tmp_path):
    store = RunStore(tmp_path / "runs")
    for number in (1, 2):
        write_run(store, maker, number)
        update_index(store, reports)
    assert [row["number"] for row in read_rows(reports)] == [2, 1]


def test_a_folder_that_cannot_be_written_is_an_error_with_its_path(tmp_path):
    (tmp_path / "reports").write_text("a file")
    with pytest.raises(ReportError, match=rf"could not be written to {tmp_path / 'reports'}"):
        draw_index([], tmp_path / "reports")

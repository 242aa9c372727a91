import json
import os
import re
import shutil
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest

from curifactory.errors import ReportError, StoreError
from curifactory.reporting import report as report_module
from curifactory.reporting.report import draw_report


class Page(HTMLParser):
    """Collects tags, addresses and text of a page, and that every tag is closed."""

    VOID = frozenset({"meta", "link", "img", "br", "input", "hr"})

    def __init__(self, path):
        super().__init__()
        self.tags, self.addresses, self.ids, self.open, self.text = [], [], [], [], ""
        self.feed(path.read_text(encoding="utf-8"))
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        given = dict(attrs)
        self.addresses += [given[name] for name in ("href", "src") if name in given]
        self.ids += [given["id"]] if "id" in given else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def reports(tmp_path):
    return tmp_path / "reports"


def test_the_report_is_a_page_whole_by_itself(iris, reports):
    path = draw_report(iris.write(), reports)
    assert path == reports / iris.reference / "index.html"
    page = Page(path)
    for address in page.addresses:
        if address.startswith("#"):
            assert address[1:] in page.ids
        elif address not in {"data:,", "../index.html"}:
            assert (path.parent / address).is_file(), address
    assert len(page.ids) == len(set(page.ids))


def test_the_sections_stand_in_their_order(iris, reports):
    text = draw_report(iris.write(), reports).read_text(encoding="utf-8")
    ids = [
        "warnings",
        "notes",
        "results",
        "reportables",
        "graph",
        "calls",
        "parameters",
        "environment",
        "patch",
        "log",
    ]
    places = [text.index(f'<section id="{name}"') for name in ids]
    assert places == sorted(places)


def test_a_run_in_which_nothing_happened_has_a_page_too(empty_run, reports):
    page = Page(draw_report(empty_run.write(), reports))
    assert "section" not in page.tags
    assert "iris" in page.text


def test_a_report_is_drawn_anew_in_place_of_the_old_one(iris, reports):
    path = draw_report(iris.write(), reports)
    (path.parent / "left-over.txt").write_text("old")
    iris.facts["notes"] = "Thought again."
    assert "Thought again." in draw_report(iris.write(), reports).read_text(encoding="utf-8")
    assert not (path.parent / "left-over.txt").exists()
    assert sorted(place.name for place in reports.iterdir()) == ["_latest", iris.reference]


def test_a_copied_run_gives_the_same_report_elsewhere(iris, reports, tmp_path):
    here = draw_report(iris.write(), reports)
    shutil.copytree(iris.path, tmp_path / "elsewhere" / "copy")
    shutil.rmtree(iris.runs)
    there = draw_report(tmp_path / "elsewhere" / "copy", tmp_path / "elsewhere" / "reports")
    assert files_of(here.parent) == files_of(there.parent)


def test_a_copied_report_shows_its_images(iris, reports, tmp_path):
    path = draw_report(iris.write(), reports)
    shutil.copytree(path.parent, tmp_path / "copy")
    shutil.rmtree(reports)
    shutil.rmtree(iris.runs)
    assert (tmp_path / "copy" / "fragments" / "2" / "confusion.png").read_bytes().startswith(b"\x89PNG")


def test_files_are_copied_where_links_cannot_be_made(iris, reports, monkeypatch):
    def refuse(*_):
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    path = draw_report(iris.write(), reports)
    assert (path.parent / "fragments" / "2" / "confusion.png").is_file()


def test_a_failed_run_shows_where_it_stopped(iris, reports):
    iris.facts |= {"outcome": "failed", "error": "ValueError: no setosa", "traceback": "Traceback: line 57"}
    iris.calls[5] |= {"outcome": "failed", "error": "Traceback: line 57 of test_model", "outputs": []}
    iris.calls[6] |= {"outcome": "not reached", "reason": None, "started_at": None, "outputs": []}
    page = Page(draw_report(iris.write(), reports))
    assert "ValueError: no setosa" in page.text
    assert "Traceback: line 57 of test_model" in page.text
    assert page.addresses.index("#call-5") < page.addresses.index("#reportable-0")
    assert "1 not reached" in page.text


def test_a_live_run_says_that_it_goes_on(iris, reports):
    iris.facts |= {"outcome": "live", "live": True, "finished_at": None, "duration_s": None}
    assert "A live session" in Page(draw_report(iris.write(), reports)).text


def test_a_run_of_a_report_is_linked_where_it_has_one(iris, maker, reports):
    earlier = maker.RunFolder(iris.runs, "iris", 3)
    run = earlier.reference
    for call in iris.calls:
        if call["outcome"] == "reused":
            call["reason"] = {
                "kind": "unchanged",
                "run": run,
                "text": f"nothing it read has changed (from {run})",
            }
    address = f"../{run}/index.html"
    assert address not in Page(draw_report(iris.write(), reports)).addresses
    draw_report(earlier.write(), reports)
    assert address in Page(draw_report(iris.write(), reports)).addresses


def test_a_run_leads_to_the_one_that_it_resumes_where_that_has_a_report(maker, tmp_path, reports):
    first = maker.RunFolder(tmp_path / "runs", number=1)
    second = maker.RunFolder(tmp_path / "runs", number=2, facts={"resumes": first.reference})
    folder = second.write()
    page = Page(draw_report(folder, reports))
    assert first.reference in page.text
    assert not [each for each in page.addresses if first.reference in each]
    draw_report(first.write(), reports)
    assert f"../{first.reference}/index.html" in Page(draw_report(folder, reports)).addresses


def test_experiments_in_folders_link_from_there(maker, tmp_path, reports):
    run = maker.RunFolder(tmp_path / "runs", "speech/asr", 1)
    path = draw_report(run.write(), reports)
    assert path == reports / run.reference / "index.html"
    assert "../../index.html" in Page(path).addresses
    assert (reports / "_latest" / "index.html").samefile(path)


def test_a_style_sheet_of_ones_own_comes_last(iris, reports, tmp_path):
    (tmp_path / "mine.css").write_text("body { color: red }")
    path = draw_report(iris.write(), reports, css=tmp_path / "mine.css")
    assert [name for name in Page(path).addresses if name.endswith(".css")][-1] == "custom.css"
    assert (path.parent / "custom.css").read_text() == "body { color: red }"


def test_a_style_sheet_that_is_missing_is_a_warning_and_no_loss(iris, reports, tmp_path):
    page = Page(draw_report(iris.write(), reports, css=tmp_path / "gone.css"))
    assert "gone.css could not be read (No such file or directory)" in page.text
    assert "custom.css" not in page.addresses


def test_latest_leads_to_the_newest_run_and_never_back(maker, tmp_path, reports):
    for number, day in ((1, 20), (2, 22), (3, 21)):
        run = maker.RunFolder(tmp_path / "runs", "iris", number)
        run.facts["reference"] = f"iris_{number}_2026-11-{day}-T101500"
        draw_report(run.write(), reports)
    assert os.readlink(reports / "_latest") == "iris_2_2026-11-22-T101500"
    shutil.rmtree(reports / "iris_2_2026-11-22-T101500")
    draw_report(run.write(), reports)
    assert os.readlink(reports / "_latest") == "iris_3_2026-11-21-T101500"


def test_where_links_cannot_be_made_latest_is_a_page_that_leads_on(iris, maker, reports, monkeypatch):
    def refuse(*_, **__):
        raise OSError("no links here")

    monkeypatch.setattr(os, "symlink", refuse)
    draw_report(iris.write(), reports)
    assert Page(reports / "_latest" / "index.html").addresses == [f"../{iris.reference}/index.html"]
    later = maker.RunFolder(iris.runs, "iris", 5)
    later.facts["reference"] = "iris_5_2026-12-01-T101500"
    draw_report(later.write(), reports)
    assert Page(reports / "_latest" / "index.html").addresses == ["../iris_5_2026-12-01-T101500/index.html"]
    monkeypatch.undo()
    draw_report(later.write(), reports)
    assert os.readlink(reports / "_latest") == "iris_5_2026-12-01-T101500"


@pytest.mark.parametrize(
    "reference", ["../outside", "/etc", "a/../../b", "_latest", ".hidden", "a\\b", "x//y"]
)
def test_a_run_cannot_call_itself_out_of_the_folder(empty_run, reports, tmp_path, reference):
    empty_run.facts["reference"] = reference
    folder = empty_run.write()
    with pytest.raises(ReportError, match="cannot be the name of a folder"):
        draw_report(folder, reports)
    assert sorted(place.name for place in tmp_path.iterdir()) == ["runs"]


def test_a_folder_that_is_no_run_is_an_error(tmp_path, reports):
    with pytest.raises(StoreError, match=r"run\.json"):
        draw_report(tmp_path, reports)


def test_reports_that_cannot_be_written_are_an_error_with_their_path(iris, tmp_path):
    (tmp_path / "reports").write_text("a file")
    with pytest.raises(ReportError, match=rf"could not be written to {tmp_path / 'reports'}"):
        draw_report(iris.write(), tmp_path / "reports")


def test_an_error_while_drawing_leaves_the_old_report(iris, reports, monkeypatch):
    path = draw_report(iris.write(), reports)
    before = files_of(path.parent)

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(report_module, "render_page", fail)
    with pytest.raises(ReportError, match="No space left on device"):
        draw_report(iris.path, reports)
    assert files_of(path.parent) == before
    assert sorted(place.name for place in reports.iterdir()) == ["_latest", iris.reference]


def test_what_killed_drawings_left_is_removed_after_a_day(iris, reports):
    for name, age_s in ((".drawing-old", 90_000), (".drawing-new", 60)):
        (reports / name).mkdir(parents=True)
        os.utime(reports / name, (time.time() - age_s,) * 2)
    draw_report(iris.write(), reports)
    assert not (reports / ".drawing-old").exists()
    assert (reports / ".drawing-new").exists()


def test_people_who_may_see_the_reports_may_see_each(iris, reports):
    reports.mkdir(mode=0o755)
    assert draw_report(iris.write(), reports).parent.stat().st_mode & 0o777 == 0o755


def test_bytes_that_are_no_text_do_not_cost_the_page(iris, reports):
    iris.facts["notes"] = "half a pair: \ud800"
    folder = iris.write_escaped()
    assert "half a pair: \\ud800" in draw_report(folder, reports).read_text(encoding="utf-8")


def test_only_pages_with_markup_of_their_own_let_scripts_of_the_page_run(iris, reports):
    policy = "Content-Security-Policy"
    assert policy in draw_report(iris.write(), reports).read_text(encoding="utf-8")
    iris.report(0, 2, "raw", "html", {"html": "<script>draw()</script>"})
    assert policy not in draw_report(iris.write(), reports).read_text(encoding="utf-8")


def test_a_report_of_many_sets_is_not_cut_short(empty_run, reports):
    for number in range(300):
        record = empty_run.add_record(f"set_{number}", {"n": number})
        load = empty_run.add_call("load", record, outputs=["data"])
        empty_run.add_call("train", record, inputs=[("data", load)], outputs=["model"])
        empty_run.log_metrics(record, None, accuracy=number / 300)
    path = draw_report(empty_run.write(), reports)
    rows = read_script(path.with_name("more.js"))
    written = path.read_text(encoding="utf-8") + rows["calls"]
    assert all(written.count(f' id="call-{number}"') == 1 for number in range(600))
    assert len(path.read_bytes()) < 150_000
    assert "★" not in Page(path).text + rows["results"]


def read_script(path: Path) -> dict[str, str]:
    """Read what a script beside a page holds: one value, and nothing that does anything."""
    beginning, _, value = path.read_text(encoding="utf-8").partition(" = ")
    assert re.fullmatch(r"window\.\w+", beginning)
    return json.loads(value.removesuffix(";\n"))


def test_drawing_needs_neither_pandas_nor_matplotlib(iris, reports):
    import subprocess
    import sys

    code = (
        "import sys; from pathlib import Path; from curifactory.reporting.report import draw_report; "
        f"draw_report(Path({str(iris.write())!r}), Path({str(reports)!r})); "
        "print({'pandas', 'matplotlib', 'numpy'} & set(sys.modules))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == "set()"


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_packaged_templates_and_assets_are_all_used():
    from curifactory.reporting.display import STYLES
    from curifactory.reporting.embedding import SCRIPT
    from curifactory.reporting.index import INDEX_ASSETS
    from curifactory.reporting.pages import ASSETS, TEMPLATES

    assert set(os.listdir(ASSETS)) == {
        *STYLES,
        SCRIPT,
        *report_module.PAGE_ASSETS,
        report_module.REPORTABLE_STYLE,
        report_module.REPORTABLE_SCRIPT,
        report_module.OVERFLOW_SCRIPT,
        *INDEX_ASSETS,
    }
    templates = {
        name: Path(TEMPLATES, name).read_text(encoding="utf-8")
        for name in os.listdir(TEMPLATES)
        if "." in name
    }
    imported = {name for name in templates if any(f'import "{name}"' in text for text in templates.values())}
    assert set(templates) - imported == {
        "page.html",
        "index.html",
        "latest.html",
        "notebook.html",
        "progress.html",
        "reportable.html",
    }

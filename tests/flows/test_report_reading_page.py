"""How people read a long report in a browser: they put figures together, pick lines, follow inputs, print."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from curifactory.reporting import MetricReporter, PlotlyReporter, TableReporter, VideoReporter
from curifactory.reporting.display import display_reportable, display_reportables
from curifactory.reporting.index import draw_index
from curifactory.reporting.report import draw_report
from curifactory.store.runs import RunStore
from tests.conftest import load_file

MAKER = load_file("unit/reporting/run_folder.py")
LONG = (
    "a very long name of a parameter set that somebody wrote on a Friday evening with great care and no hurry"
)


def tools():
    return load_file("flows/test_reportable_pages.py")


def make_run(folder):
    """Give a run of three records with the same reportables, curves, and calls that take from each other."""
    run = MAKER.RunFolder(folder / "runs", "read")
    for record, name in enumerate(("small", "large", LONG)):
        run.add_record(name, {"n": record})
        made = run.add_call("load", record, outputs=["rows"])
        run.add_call("train", record, inputs=[("rows", made)], outputs=["model"])
        for number, each in enumerate(
            (
                MetricReporter(0.9 + record / 100, name="accuracy"),
                TableReporter([{"a": record}], name="rows"),
                MetricReporter(record, name="loss", group="losses"),
            )
        ):
            tools().report(run, folder / "made" / f"{record}-{number}", each, f"{record}_{number}", record)
        run.log_metrics(record, None, accuracy=0.9, loss=0.1, recall=0.5, precision=0.5, f1=0.5, steps=3)
    tools().log_curves(run, range(3))
    return run


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("read")
    return draw_report(make_run(folder).write(), folder / "reports")


@pytest.fixture
def page(chromium, drawn):
    yield from chromium.look_at(drawn)


def shown_groups(page):
    return [text.strip() for text in page.locator("#reportables .cf-group:visible > h3").all_inner_texts()]


def test_equal_names_of_all_records_stand_together(page):
    assert shown_groups(page)[0] == "losses"
    page.get_by_label("Together by").select_option("name")
    for _ in range(2):
        assert shown_groups(page) == ["loss", "accuracy", "rows"]
        assert page.locator(".cf-group:visible").nth(1).locator(".cf-reportable").count() == 3
        page.reload()
    assert page.url.endswith("#reportables?by=name")
    page.get_by_label("Together by").select_option("")
    assert shown_groups(page)[0] == "losses"
    assert page.locator(".cf-reportable:visible").count() == 9


def test_reportables_are_filtered_by_what_they_are_and_come_from(page):
    search = page.get_by_label("Filter the reportables")
    search.fill("accuracy large")
    for _ in range(2):
        assert page.locator(".cf-reportable:visible").count() == 1
        assert page.locator('[data-tools="reportables"] output').inner_text() == "1 of 9"
        assert len(shown_groups(page)) == 1
        page.reload()


def test_a_link_to_a_reportable_that_is_filtered_out_shows_it(page, drawn):
    page.goto(f"{drawn.as_uri()}#reportable-0?show=nothing")
    page.reload()
    assert page.locator("#reportable-0").is_visible()


def test_one_line_of_many_is_picked_and_others_are_added(page):
    curve = tools().wait_for_curve(page)
    count = "document.querySelector('[data-curve]').data.length"
    assert page.evaluate(count) == 6
    curve.get_by_role("button", name="large").click()
    assert page.evaluate(count) == 2
    curve.get_by_role("button", name="val").click()
    for _ in range(2):
        assert page.evaluate(count) == 1
        assert curve.get_by_role("button", name="large").get_attribute("aria-pressed") == "true"
        assert curve.get_by_role("button", name="small").get_attribute("aria-pressed") == "false"
        page.reload()
        curve = tools().wait_for_curve(page)
    curve.get_by_role("button", name="small").click()
    assert page.evaluate(count) == 2
    curve.get_by_role("button", name=LONG[:20]).click()
    curve.get_by_role("button", name="val").click()
    assert page.evaluate(count) == 6


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_one_picks_with_is_accessible(chromium, drawn, scheme):
    chromium.page.emulate_media(color_scheme=scheme)
    chromium.page.goto(drawn.as_uri())
    tools().wait_for_curve(chromium.page).get_by_role("button", name="large").click()
    chromium.page.locator(".cf-call").nth(1).locator("summary").first.click()
    found = Axe().run(chromium.page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []


def test_dark_curves_are_printed_in_dark_ink(page):
    page.emulate_media(color_scheme="dark")
    tools().wait_for_curve(page)
    ink = "document.querySelector('[data-curve]')._fullLayout.font.color"
    light = page.evaluate(ink)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    dark = page.evaluate(ink)
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert sum(map(int, re.findall(r"\d+", light)[:3])) > 500
    assert sum(map(int, re.findall(r"\d+", dark)[:3])) < 200
    assert page.evaluate(ink) == light


@pytest.mark.parametrize("width", [1280, 500])
def test_a_long_name_covers_no_number(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    chips = page.locator("#results tbody th .cf-chip")
    for chip, cell in zip(
        chips.all(), page.locator("#results tbody tr > td:nth-child(2)").all(), strict=True
    ):
        box, next_box = chip.bounding_box(), cell.bounding_box()
        assert box["x"] + box["width"] <= next_box["x"] + 1 or box["height"] < 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_call_says_of_its_inputs_what_it_says_of_outputs(page):
    call = page.locator(".cf-call").nth(1)
    call.locator("summary").first.click()
    tables = call.locator(".cf-values")
    said, made = tables.locator("tbody").all()
    assert said.locator("th[scope=col]").all_inner_texts() == [
        "Input",
        "Type",
        "Value",
        "Size",
        "Digest",
        "File",
    ]
    assert said.locator("th[scope=row]").inner_text().split() == ["rows", "from", "load"]
    of_maker = page.locator(".cf-call").nth(0).locator(".cf-values tr").nth(1)
    cells = said.locator("td").all_text_contents()
    assert cells == of_maker.locator("td").all_text_contents()
    assert all(cells)
    assert made.locator("th[scope=row]").inner_text() == "model"
    said.get_by_role("link", name="load").click()
    assert page.locator(".cf-call").nth(0).get_attribute("open") is not None


def test_the_index_shows_last_and_best_values(chromium, tmp_path):
    run = make_run(tmp_path)
    run.metrics = []
    for loss in (0.5, 0.125, 0.25):
        run.log_metrics(0, None, "train", loss=loss / 10)
        run.log_metrics(0, None, "val", loss=loss)
    run.write()
    drawn = draw_index(RunStore(tmp_path / "runs").iter_rows(), tmp_path / "reports")
    context = chromium.page.context.browser.new_context(java_script_enabled=False)
    still = context.new_page()
    still.goto(drawn.as_uri())
    assert still.locator(".cf-score").inner_text() == "loss 0.2500 (best 0.1250)"
    context.close()
    chromium.page.goto(drawn.as_uri())
    assert chromium.page.locator(".cf-runs tbody td.n").last.inner_text().split() == [
        "0.2500",
        "best",
        "0.1250",
    ]


def test_a_figure_of_plotly_draws_itself_in_a_notebook_without_the_network(chromium, tmp_path):
    pytest.importorskip("plotly")
    text = "</script><script>window.pwned=1</script><img src=x onerror=window.pwned=1>"
    figure = {
        "data": [{"type": "bar", "x": ["a", "b"], "y": [1, 2], "name": text}],
        "layout": {"title": {"text": text}, "images": [{"source": "https://evil.example/x.png"}]},
    }
    shown = [display_reportable(PlotlyReporter(figure, name=text)).html for _ in range(2)]
    # Where a page has a loader of modules, plotly must not hand itself to that one.
    loader = "<script>window.define = () => { window.taken = 1; }; window.define.amd = {};</script>"
    (tmp_path / "notebook.html").write_text(
        f"<!doctype html><meta charset=utf-8>{loader}{''.join(shown)}", encoding="utf-8"
    )
    chromium.page.goto((tmp_path / "notebook.html").as_uri())
    chromium.page.locator(".js-plotly-plot .main-svg").nth(1).wait_for()
    assert chromium.page.locator(".js-plotly-plot").count() == 2
    assert chromium.page.evaluate("[window.pwned, window.taken]") == [None, None]
    assert (chromium.blocked, chromium.problems) == ([], [])


def test_films_are_part_of_a_notebook_unless_they_are_large(tmp_path, monkeypatch):
    from curifactory.reporting import addresses

    (tmp_path / "film.webm").write_bytes(b"\x1aE\xdf\xa3")
    run = MAKER.RunFolder(tmp_path / "runs")
    run.add_record("a")
    tools().report(run, tmp_path / "made", VideoReporter(tmp_path / "film.webm", name="film"), "film")
    folder = run.write()
    assert '<video class="cf-video" src="data:video/webm;base64,' in display_reportables(folder).html
    monkeypatch.setattr(addresses, "LARGEST_INLINE_BYTES", 3)
    shown = display_reportables(folder).html
    assert "film.webm is too large to be shown here" in shown
    assert "<video" not in shown

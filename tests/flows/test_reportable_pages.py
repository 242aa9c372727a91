"""Reportables and curves in a real browser: drawn, searched, zoomed, told to everybody, and nothing in them runs."""

from __future__ import annotations

import json
import math

import pytest
from axe_playwright_python.sync_playwright import Axe

from curifactory.reporting import (
    ConfusionMatrixReporter,
    DFReporter,
    FileReporter,
    ImageGridReporter,
    MarkdownReporter,
    MetricReporter,
    PlotlyReporter,
    TableReporter,
    TextReporter,
    VideoReporter,
)
from curifactory.reporting.report import draw_report
from tests.conftest import load_file

MAKER = load_file("unit/reporting/run_folder.py")


def payloads():
    return load_file("flows/test_report_pages.py").PAYLOADS


def report(run, folder, reportable, name, record=0):
    """Put a reportable into a run folder as a stage would have."""
    folder.mkdir(parents=True, exist_ok=True)
    fragment = reportable.to_fragment(str(folder), name)
    run.report(
        record,
        None,
        fragment.name,
        fragment.kind,
        json.loads(json.dumps(fragment.data)),
        group=fragment.group,
        caption=fragment.caption,
        files={file: (folder / file).read_bytes() for file in fragment.files},
    )


def log_curves(run, records, name="loss"):
    for record in records:
        for kind, offset in (("train", 0.0), ("val", 0.2)):
            values = [math.exp(-(record + 1) * step / 40) + offset for step in range(60)]
            row = {"record": record, "call": None, "type": kind, "at": "2026-11-21T10:15:00+01:00"}
            steps = {"steps": list(range(60)), "epochs": [step // 10 for step in range(60)]}
            run.metrics.append(
                row | steps | {"after_ms": [5 * n for n in range(60)], "columns": {name: values}}
            )


def make_run(folder):
    """Give a run with a reportable of each kind, twice, and with curves."""
    run = MAKER.RunFolder(folder / "runs", "shown")
    (folder / "film.webm").write_bytes(b"\x1aE\xdf\xa3")
    for record in range(2):
        run.add_record(("small", "large")[record])
        rows = [{"model": f"m{number}", "score": number / 7} for number in range(20)]
        figure = {
            "data": [{"type": "bar", "x": ["a", "b"], "y": [1, 2]}],
            "layout": {"title": {"text": "Bars"}},
        }
        for number, reportable in enumerate(
            (
                TableReporter(rows, name="scores"),
                MetricReporter(0.94, name="accuracy", baseline=0.9, unit="of 1"),
                ConfusionMatrixReporter([[9, 1], [2, 8]], ["cat", "dog"], name="confusion"),
                MarkdownReporter(
                    "# Title\n\n| a |\n|---|\n| 1 |\n\n`code` [link](https://example.org)", name="summary"
                ),
                TextReporter("def f(x):\n    return 1  # one\n", language="python", name="code"),
                ImageGridReporter({"dark": [[0, 9]], "light": [[200, 255]]}, name="tones"),
                PlotlyReporter(figure, name="bars"),
                FileReporter(folder / "film.webm", name="kept"),
                VideoReporter(folder / "film.webm", name="film", caption="A flight."),
            )
        ):
            report(run, folder / "made" / f"{record}-{number}", reportable, f"{record}_{number}", record)
    log_curves(run, range(2))
    return run


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shown")
    return draw_report(make_run(folder).write(), folder / "reports")


@pytest.fixture
def page(chromium, drawn):
    chromium.page.goto(drawn.as_uri())
    yield chromium.page
    assert chromium.blocked == []
    # A film of four bytes cannot be played, and says so.
    assert [problem for problem in chromium.problems if "film" not in problem] == []
    assert all(request.startswith(("file:", "data:", "blob:")) for request in chromium.requests)


def wait_for_curve(page):
    page.locator("#curve-0 .cf-chart .main-svg").first.wait_for()
    return page.locator("#curve-0")


def reportable(page, name, record="small"):
    return (
        page.locator(".cf-reportable")
        .filter(has=page.get_by_role("heading", name=name, exact=True))
        .nth(0 if record == "small" else 1)
    )


def test_curves_are_drawn_for_records_and_types(page):
    curve = wait_for_curve(page)
    lines = page.evaluate(
        "document.querySelector('[data-curve]').data.map((line) => [line.name, line.line.dash])"
    )
    assert lines == [
        ["small · train", "solid"],
        ["small · val", "dash"],
        ["large · train", "solid"],
        ["large · val", "dash"],
    ]
    assert curve.locator("details").get_attribute("open") is None


def test_the_scale_and_the_axis_are_chosen_and_survive_a_reload(page):
    curve = wait_for_curve(page)
    axis = "document.querySelector('[data-curve]')._fullLayout"
    assert page.evaluate(f"{axis}.yaxis.type") == "linear"
    curve.get_by_role("button", name="Log scale").click()
    curve.get_by_label("Over").select_option("epoch")
    for _ in range(2):
        assert page.evaluate(f"{axis}.yaxis.type") == "log"
        assert page.evaluate("document.querySelector('[data-curve]').data[0].x.at(-1)") == 5
        assert curve.get_by_role("button", name="Log scale").get_attribute("aria-pressed") == "true"
        page.reload()
        wait_for_curve(page)
    assert "curve0=log" in page.url


@pytest.mark.parametrize(("second", "axis"), [([0, 0, 1], "epoch"), (None, "index")])
def test_curves_without_steps_are_over_epochs_where_every_line_has_them(chromium, tmp_path, second, axis):
    run = MAKER.RunFolder(tmp_path / "runs", "shown")
    for record, epochs in enumerate(([0, 1, 2], second)):
        run.add_record(f"set {record}")
        row = {"record": record, "call": None, "type": "", "at": "2026-11-21T10:15:00+01:00", "steps": None}
        run.metrics.append(row | {"epochs": epochs, "after_ms": [0, 1, 2], "columns": {"loss": [3, 1, 2]}})
    chromium.page.goto(draw_report(run.write(), tmp_path / "reports").as_uri())
    assert wait_for_curve(chromium.page).get_by_label("Over").input_value() == axis


def test_names_without_a_place_to_break_at_make_no_page_wider(chromium, tmp_path):
    run = MAKER.RunFolder(tmp_path / "runs", "shown")
    record = run.add_record("rate=0.001,hidden=16")
    call = run.add_call("s" * 90, record)
    run.report(record, call, "card", "text", {"text": "short"})
    page = chromium.page
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(draw_report(run.write(), tmp_path / "reports").as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    chip = page.locator(".cf-chip").first
    assert chip.inner_text() == "rate=0.001,hidden=16"
    assert chip.locator("wbr").count() == 1


def test_a_curve_is_zoomed_and_shown_whole_again(page):
    curve = wait_for_curve(page)
    whole = curve.get_by_role("button", name="Whole range")
    assert not whole.is_visible()
    box = curve.locator(".nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    whole.wait_for()
    start, end = page.evaluate("document.querySelector('[data-curve]')._fullLayout.xaxis.range")
    assert start > 5
    assert end < 40
    whole.click()
    assert page.evaluate("document.querySelector('[data-curve]')._fullLayout.xaxis.range[0]") < 5
    assert not whole.is_visible()


def test_the_values_of_curves_are_there_without_a_script(chromium, drawn):
    context = chromium.page.context.browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(drawn.as_uri())
    text = page.locator("#curve-0").inner_text()
    assert "Values" in text
    assert "step 59" in text
    assert page.locator("#curve-0 svg.cf-spark").count() == 4
    assert not page.locator("#curve-0 [data-curve-tools]").is_visible()
    context.close()


def test_a_missing_script_costs_only_the_charts(chromium, drawn, tmp_path):
    import shutil

    shutil.copytree(drawn.parent, tmp_path / drawn.parent.name)
    chromium.page.goto((tmp_path / drawn.parent.name / "index.html").as_uri())
    bars = reportable(chromium.page, "bars")
    bars.scroll_into_view_if_needed()
    bars.get_by_text("This figure cannot be drawn here").wait_for()
    assert chromium.page.locator("#curve-0 table").is_visible()


def test_figures_of_plotly_are_drawn_when_they_come_near(page):
    bars = reportable(page, "bars")
    bars.scroll_into_view_if_needed()
    bars.locator(".main-svg").first.wait_for()
    assert bars.locator(".gtitle").text_content() == "Bars"
    assert not bars.get_by_text("drawn by a script").is_visible()


def test_a_table_is_searched_and_sorted(page):
    table = reportable(page, "scores")
    table.get_by_role("searchbox").fill("m1")
    assert table.locator("tbody tr:visible").count() == 11
    assert table.locator("output").inner_text() == "11 of 20 rows"
    table.get_by_role("button", name="score").click()
    assert table.locator("tbody tr:visible").first.inner_text().split() == ["m19", "2.7143"]
    table.get_by_role("searchbox").fill("m1 1.57")
    assert table.locator("tbody tr:visible").count() == 1
    table.get_by_role("searchbox").fill("")
    assert table.locator("tbody tr:visible").count() == 20


def test_a_short_table_has_no_search(chromium, tmp_path):
    import pandas as pd

    run = MAKER.RunFolder(tmp_path / "runs")
    run.add_record("a")
    report(run, tmp_path / "made", DFReporter(pd.DataFrame({"a": [1, 2]})), "few")
    chromium.page.goto(draw_report(run.write(), tmp_path / "reports").as_uri())
    assert chromium.page.get_by_role("searchbox").count() == 0


def test_a_metric_tells_its_verdict_to_those_who_do_not_see_colours(page):
    assert "+0.04 better" in " ".join(reportable(page, "accuracy").inner_text().split())


def test_pictures_have_words(page):
    assert page.get_by_role("img", name="dark").first.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_that_people_report_is_accessible(chromium, drawn, scheme):
    chromium.page.emulate_media(color_scheme=scheme)
    chromium.page.goto(drawn.as_uri())
    wait_for_curve(chromium.page)
    for name in ("bars", "film"):
        reportable(chromium.page, name, "large").scroll_into_view_if_needed()
    reportable(chromium.page, "bars", "large").locator(".main-svg").first.wait_for()
    chromium.page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    found = Axe().run(chromium.page).response["violations"]
    assert [(rule["id"], [node["html"][:120] for node in rule["nodes"][:3]]) for rule in found] == []


def test_charts_follow_the_scheme(page):
    wait_for_curve(page)
    colour = "document.querySelector('[data-curve]')._fullLayout.font.color"
    page.emulate_media(color_scheme="light")
    light = page.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{colour} !== {json.dumps(light)}")


def poison(folder):
    """Give a run into whose reportables and curves every payload was written."""
    run = MAKER.RunFolder(folder / "runs", "hostile")
    every = payloads()
    for number, payload in enumerate(every):
        record = run.add_record(payload)
        made = folder / "made" / str(number)
        text = {
            "type": "scatter",
            "y": [1, 2],
            "name": payload,
            "text": [payload, payload],
            "mode": "text+lines",
        }
        link = f"<a href='javascript:window.pwned=1'>{payload}</a>"
        layout = {
            "title": {"text": payload},
            "annotations": [{"text": payload, "x": 0, "y": 1}, {"text": link, "x": 1, "y": 1}],
            "images": [{"source": "http://evil.example/x.png", "x": 0, "y": 1, "sizex": 1, "sizey": 1}],
            "xaxis": {"title": {"text": payload}},
        }
        figure = {"data": [text], "layout": layout} if number % 8 == 0 else {"data": [text], "layout": {}}
        given = {"name": payload, "group": payload, "caption": payload}
        for place, each in enumerate(
            (
                TableReporter([{payload: payload}] * 8, **given),
                MetricReporter(1, unit=payload, **given),
                ConfusionMatrixReporter([[1, 2], [3, 4]], [payload, payload + " "], **given),
                MarkdownReporter(payload, **given),
                MarkdownReporter(
                    f"[{payload}]({payload}) ![{payload}]({payload})\n\n```{payload}\n{payload}\n```", **given
                ),
                TextReporter(payload, language="html", **given),
                TextReporter(payload, language=payload, **given),
                ImageGridReporter({payload: [[0, 1]]}, **given),
                PlotlyReporter(figure, alt=payload, **given),
            )
        ):
            report(run, made / str(place), each, f"x{place}", record)
            run.reportables[-1]["stage"] = payload
        run.report(
            record,
            None,
            payload,
            "metric",
            dict.fromkeys(("text", "exact", "unit", "change", "baseline", "verdict"), payload),
        )
        run.report(
            record,
            None,
            payload,
            "plotly",
            {"height": payload, "title": payload, "alt": payload},
            files={"y.json": payload.encode("utf-8", "replace")},
        )
        run.report(
            record,
            None,
            payload,
            "images",
            {"labels": [payload], "width": payload},
            files={"z.png": MAKER.PIXEL},
        )
        run.report(
            record,
            None,
            payload,
            "file",
            {"file_name": payload, "size_bytes": payload},
            files={"z.txt": b"1"},
        )
        for kind in ("audio", "video"):
            run.report(record, None, payload, kind, {}, caption=payload, files={"z.txt": b"1"})
        row = {"record": record, "call": None, "type": payload, "at": "2026-11-21T10:15:00+01:00"}
        run.metrics.append(
            row | {"steps": None, "epochs": None, "after_ms": [0, 1, 2], "columns": {payload: [3, 1, 2]}}
        )
        run.metrics.append(
            row | {"steps": None, "epochs": None, "after_ms": [0, 1, 2], "columns": {"loss": [3, 1, 2]}}
        )
    return run


def test_nothing_in_reportables_and_curves_runs_or_is_fetched(chromium, tmp_path):
    page = chromium.page
    page.goto(draw_report(poison(tmp_path).write(), tmp_path / "reports").as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    # Everything that waits until it comes near.
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    for drawn in ("[data-curve]", "[data-figure]"):
        page.locator(f"{drawn} .main-svg").nth(50).wait_for(state="attached", timeout=240_000)
    assert page.evaluate("window.pwned") is None
    found = page.evaluate(
        """() => ({
            handlers: [...document.querySelectorAll("*")].flatMap((each) =>
                [...each.attributes].map((given) => given.name).filter((name) => name.startsWith("on"))),
            links: [...document.querySelectorAll("a")].map((each) => each.href.baseVal ?? each.getAttribute("href") ?? each.getAttribute("xlink:href"))
                .filter((address) => /^\\s*(javascript|vbscript|data:text)/i.test(address || "")),
            sources: [...document.querySelectorAll("[src]")].map((each) => each.getAttribute("src")).filter((address) => /^https?:/i.test(address)),
            forms: document.querySelectorAll("iframe, object, embed, base, form:not([method=dialog]), marquee, textarea").length,
        })"""
    )
    assert found == {"handlers": [], "links": [], "sources": [], "forms": 0}
    assert chromium.blocked == []
    assert [
        request for request in chromium.requests if not request.startswith(("file:", "data:", "blob:"))
    ] == []

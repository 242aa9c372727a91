"""The pages in a real browser: nothing that people wrote runs, nothing is fetched, and everything can be used."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from curifactory.reporting.index import draw_index
from curifactory.reporting.report import draw_report
from curifactory.store.runs import RunStore
from tests.conftest import load_file

MAKER = load_file("unit/reporting/run_folder.py")

RUNS = "window.pwned=(window.pwned||0)+1"
PAYLOADS = [
    *(template.format(RUNS) for template in (
        "<script>{}</script>",
        "</script><script>{}</script>",
        "<ScRiPt>{}</sCrIpT>",
        "<img src=x onerror={}>",
        '"><img src=x onerror="{}">',
        "'><img src=x onerror='{}'>",
        "`><img src=x onerror=`{}`>",
        '" onmouseover="{}" x="',
        "' onfocus='{}' autofocus='",
        '" autofocus onfocus="{}"',
        "<svg onload={}>",
        "<svg><script>{}</script></svg>",
        "<svg><animate onbegin={} attributeName=x dur=1s>",
        "<svg/onload={}//",
        "<math><mtext><img src=x onerror={}></mtext></math>",
        "<iframe srcdoc='<script>parent.{}</script>'></iframe>",
        "<iframe src=javascript:parent.{}></iframe>",
        "<object data=javascript:{}></object>",
        "<embed src=javascript:{}>",
        "<a href=javascript:{}>link</a>",
        "javascript:{}",
        "<body onload={}>",
        "<details open ontoggle={}>",
        "<video><source onerror={}></video>",
        "<audio src=x onerror={}>",
        "<input autofocus onfocus={}>",
        "<select autofocus onfocus={}>",
        "<textarea autofocus onfocus={}>",
        "<marquee onstart={}>",
        "<style onload={}></style>",
        "<style>@import 'http://evil.example/x.css'</style>{}",
        "<link rel=stylesheet href=http://evil.example/{}>",
        "<meta http-equiv=refresh content='0;url=javascript:{}'>",
        "<base href=http://evil.example/>{}",
        "<form action=javascript:{}><button autofocus>x</button></form>",
        "<isindex action=javascript:{} type=image>",
        "</title><script>{}</script>",
        "</textarea><script>{}</script>",
        "</style><script>{}</script>",
        "</pre></code><script>{}</script>",
        "</table><script>{}</script>",
        "</summary></details><script>{}</script>",
        "--><script>{}</script>",
        "<!--<img src='--><img src=x onerror={}//'>",
        "<![CDATA[<script>{}</script>]]>",
        "]]><script>{}</script>",
        "&lt;script&gt;{}&lt;/script&gt;",
        "&#60;script&#62;{}&#60;/script&#62;",
        "\\u003cscript\\u003e{}\\u003c/script\\u003e",
        "\u2028<script>{}</script>\u2029",
        "<scr\0ipt>{}</scr\0ipt>",
        "\ufeff<script>{}</script>",
        "<script\x0c>{}</script>",
        "<img/src=x\tonerror\n=\n{}>",
        "<<script>{}//<</script>",
        "'-{}-'",
        '"-{}-"',
        '\\"-{}//',
        "</script>;{};//",
    )),
    "{{ 7 * 7 }}{% raw %}${7 * 7}",
    "${window.pwned=1}",
    "<b>bold</b><table><tr><td>",
]  # fmt: skip

ELEMENTS = {
    "html",
    "head",
    "meta",
    "title",
    "link",
    "script",
    "body",
    "a",
    "nav",
    "p",
    "ul",
    "ol",
    "li",
    "main",
    "header",
    "h1",
    "h2",
    "h3",
    "h4",
    "span",
    "div",
    "time",
    "dl",
    "dt",
    "dd",
    "details",
    "summary",
    "pre",
    "code",
    "button",
    "section",
    "table",
    "caption",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "figure",
    "figcaption",
    "img",
    "ins",
    "del",
    "i",
    "b",
    "input",
    "label",
    "select",
    "option",
    "output",
    "svg",
    "g",
    "path",
    "polygon",
    "polyline",
    "text",
    "strong",
    "dialog",
    "kbd",
    "form",
    "noscript",
    "fieldset",
    "legend",
    "colgroup",
    "rect",
    "line",
}


@pytest.fixture
def maker():
    return MAKER


@pytest.fixture
def reports(tmp_path):
    return tmp_path / "reports"


@pytest.fixture(scope="module")
def drawn_report(tmp_path_factory):
    """Draw the report of the iris run; tests only look at it."""
    folder = tmp_path_factory.mktemp("report")
    return draw_report(MAKER.make_iris(folder / "runs").write(), folder / "reports")


@pytest.fixture
def report(chromium, drawn_report):
    yield from chromium.look_at(drawn_report)


def poison(maker, runs: Path):
    """Give a run into which every payload was written at every place that people or their code can write to."""
    run = maker.RunFolder(runs, "hostile", 1)
    every = " ".join(PAYLOADS)
    run.facts = {
        "experiment": every,
        "experiment_doc": every,
        "outcome": "failed",
        "error": every,
        "traceback": every,
        "notes": every,
        "tags": PAYLOADS,
        "command_line": every,
        "host": every,
        "user": every,
        "python": every,
        "curifactory": every,
        "seed": every,
        "parameter_files": PAYLOADS,
        "started_at": "2026-11-21T10:15:00+01:00",
        "warnings": [{"text": payload, "at": "2026-11-21T10:15:00+01:00"} for payload in PAYLOADS],
        "git": {"commit": every, "branch": every, "dirty": True, "remote": every, "untracked": []},
    }
    run.environment = {
        "python": every,
        "platform": every,
        "packages": {payload: payload for payload in PAYLOADS},
        "variables": {payload: payload for payload in PAYLOADS},
    }
    run.log = "\n".join(PAYLOADS)
    run.patch = "\n".join(
        f"{mark}{payload}" for payload in PAYLOADS for mark in ("+", "-", "@@", "diff ", " ")
    )
    # Few enough calls that the picture of the graph is drawn with them too.
    for number, payload in enumerate(PAYLOADS):
        record = run.add_record(payload, {payload: payload, "n": number})
        run.records[record]["name"] = payload
        run.parameters[-1] |= {"file": payload, "class": payload, "hash": payload}
        earlier = [(payload, number - 1)] if number else [(payload, None)]
        call = run.add_call(
            "stage", record, inputs=earlier, outputs=[payload], outcome="failed", error=payload
        )
        row = run.calls[call]
        row |= {"name": payload, "stage": payload, "record_name": payload, "line": payload, "key": payload}
        row["reason"] = {"kind": payload, "text": payload}
        output = row["outputs"][0] | {"type": payload, "summary": payload, "run": payload}
        output["artifact"] = {"cacher": payload, "digest": payload, "files": [
            {"path": payload, "digest": payload, "size_bytes": 1}
        ]}  # fmt: skip
        row["outputs"] = [output]
        run.log_metrics(record, call, payload, **{payload: number})
        table = {"columns": [payload], "index": [[payload]], "index_names": [payload], "rows": [[payload]]}
        for kind, data in (
            ("table", table),
            ("json", {"text": payload}),
            ("latex", {"text": payload}),
            ("error", {"message": payload, "traceback": payload}),
            (payload, {payload: payload}),
        ):
            run.report(record, call, payload, kind, data, group=payload, caption=payload)
            run.reportables[-1]["stage"] = payload
        run.report(record, call, payload, "image", {}, caption=payload, files={"x.png": maker.PIXEL})
    return run


def poison_comparison(maker, runs, number, payloads, reports):
    """Write and report a run into all of which that runs are compared by, payloads were written."""
    run = maker.RunFolder(runs, "hostile", number)
    every = " ".join(payloads)
    run.facts["git"] = {"commit": every, "branch": every, "dirty": True, "untracked": payloads}
    run.environment = {
        "python": every,
        "platform": every,
        "packages": {each: f"{each}{number}" for each in payloads},
    }
    run.patch = "".join(f"+{payload}\n" for payload in payloads)
    for place, payload in enumerate(payloads):
        record = run.add_record(payload, {payload: f"{payload}{number}", "n": number})
        call = run.add_call("stage", record)
        run.log_metrics(record, call, payload, **{payload: number})
        run.log_metrics(record, call, "", loss=number + place)
        run.report(
            record, call, payload, "json", {"text": payload, "cut": False}, group=payload, caption=payload
        )
        table = {"columns": [payload], "index": [[payload]], "index_names": [payload], "rows": [[payload]]}
        run.report(record, call, payload, "table", {**table, "numeric": [False], "shape": [1, 1]})
    draw_report(run.write(), reports)


def provoke(page):
    """Do what a payload may wait for: open all, point at everything, and give it time."""
    page.evaluate(
        """() => {
            document.querySelectorAll("details").forEach((each) => { each.open = true; });
            for (const node of document.querySelectorAll("*"))
                for (const kind of ["mouseover", "mouseenter", "focus", "click", "toggle", "load", "error"])
                    if (kind !== "click" || !node.closest("a, button, summary, input")) node.dispatchEvent(new Event(kind));
        }"""
    )
    page.wait_for_timeout(200)


def check_unharmed(chromium, title_contains):
    page = chromium.page
    provoke(page)
    assert page.evaluate("window.pwned") is None
    assert title_contains in page.title()
    found = page.evaluate(
        """() => ({
            elements: [...new Set([...document.querySelectorAll("*")].map((each) => each.localName))],
            handlers: [...document.querySelectorAll("*")].flatMap((each) =>
                [...each.attributes].map((given) => given.name).filter((name) => name.startsWith("on"))),
            schemes: [...document.querySelectorAll("[href], [src]")].map((each) => each.getAttribute("href") || each.getAttribute("src"))
                .filter((address) => /^\\s*(javascript|vbscript|https?|data:text)/i.test(address)),
            scripts: [...document.scripts].map((each) => each.src),
        })"""
    )
    assert set(found["elements"]) <= ELEMENTS
    assert found["handlers"] == []
    assert found["schemes"] == []
    assert all(source.startswith("file:") for source in found["scripts"])
    # The page's policy would stop some of them and say so here: nothing may get even that far.
    assert chromium.problems == []
    assert chromium.blocked == []


def test_nothing_that_people_wrote_runs_in_a_report(chromium, maker, reports, tmp_path):
    assert len(PAYLOADS) >= 60
    path = draw_report(poison(maker, tmp_path / "runs").write(), reports)
    chromium.page.goto(path.as_uri())
    check_unharmed(chromium, "<script>")
    assert chromium.page.locator(".cf-graph svg .node").count() == len(PAYLOADS)
    text = chromium.page.locator("main").inner_text()
    assert all(
        " ".join(payload.replace("\0", "").split())[:12] in " ".join(text.split())
        for payload in PAYLOADS[:10]
    )


def test_nothing_that_people_wrote_runs_in_the_index(chromium, maker, reports, tmp_path):
    runs = tmp_path / "runs"
    poison(maker, runs).write()
    for number, payload in enumerate(PAYLOADS, start=2):
        run = maker.RunFolder(runs, "hostile", number)
        run.facts = {"experiment": payload, "experiment_doc": payload, "notes": payload, "tags": [payload]}
        run.facts |= {
            "error": payload,
            "command_line": payload,
            "host": payload,
            "parameter_files": [payload],
        }
        run.facts["git"] = {"commit": payload, "branch": payload, "dirty": True, "untracked": [payload]}
        run.write()
    for number in range(100, 106):
        poison_comparison(maker, runs, number, PAYLOADS[number % 100 :: 6], reports)
    path = draw_index(RunStore(runs).iter_rows(), reports)
    chromium.page.goto(path.as_uri())
    page = chromium.page
    page.locator("[data-columns] summary").click()
    for box in page.locator("[data-column-list] input").all()[6::5]:
        box.set_checked(not box.is_checked())
    check_unharmed(chromium, "Runs")
    page.locator("[data-search]").fill("number>=100")
    page.locator("[data-count]", has_text="6 of").wait_for()
    page.locator("thead input").check()
    page.locator("[data-compare]").click()
    page.locator("[data-comparison-content] section").first.wait_for()
    assert chromium.problems == []
    assert page.locator(".cf-coordinates .cf-line").count() == len(PAYLOADS)
    for text in page.locator(".cf-axis-name").all():
        text.dispatch_event("click")
    check_unharmed(chromium, "Runs")
    shown = " ".join(page.locator("[data-comparison]").inner_text().split())
    assert all(" ".join(payload.split()) in shown for payload in PAYLOADS[:5])


def test_markup_of_an_html_reporter_is_the_only_that_runs(chromium, maker, reports, tmp_path):
    run = maker.make_iris(tmp_path / "runs")
    run.report(0, 2, "raw", "html", {"html": f"<script>{RUNS}</script><em>drawn</em>"})
    chromium.page.goto(draw_report(run.write(), reports).as_uri())
    assert chromium.page.evaluate("window.pwned") == 1
    assert chromium.page.locator(".cf-raw em").inner_text() == "drawn"


def test_a_click_on_a_node_of_the_graph_opens_its_call(report):
    report.locator('.cf-graph a[*|href="#call-1"]').first.click()
    assert report.url.endswith("#call-1")
    assert report.locator("details.cf-call", has=report.locator("#call-1")).get_attribute("open") is not None


def test_calls_are_filtered_and_ordered(report):
    report.keyboard.press("/")
    report.keyboard.type("train rf")
    shown = report.locator(".cf-call:visible")
    assert shown.count() == 1
    assert "simple_rf" in shown.first.inner_text()
    assert report.locator("[data-count]").inner_text() == "1 of 7"
    report.locator("[data-filter]").fill("")
    report.locator("[data-order]").select_option("duration")
    assert report.locator(".cf-call .cf-call-name").first.text_content() == "train_model"


def test_tables_are_sorted_by_their_numbers(report):
    first = report.locator("#results tbody th").first
    assert first.inner_text() == "simple_lr"
    head = report.locator("#results th", has_text="accuracy")
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert first.inner_text() == "simple_rf"
    head.locator("button").click()
    assert (head.get_attribute("aria-sort"), first.inner_text()) == ("ascending", "simple_lr")


def test_the_command_is_copied(report):
    report.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button = report.locator(".cf-command [data-copy]")
    button.click()
    button.get_by_text("Copied").wait_for()
    assert report.evaluate("navigator.clipboard.readText()") == "experiment iris -p iris"


def test_the_best_are_told_to_those_who_cannot_see_them(report):
    assert report.locator("#results td", has_text="0.9687").text_content() == "0.9687 (best)"


def test_everything_can_be_read_without_scripts(maker, reports, tmp_path, chromium):
    path = draw_report(maker.make_iris(tmp_path / "runs").write(), reports)
    context = chromium.page.context.browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.locator("[data-copy]:visible, [data-tools]:visible").count() == 0
    page.locator(".cf-call summary").first.click()
    assert page.locator("#call-0").is_visible()
    assert page.locator("#results td", has_text="0.9687").is_visible()
    page.goto(draw_index(RunStore(tmp_path / "runs").iter_rows(), reports).as_uri())
    assert page.locator("[data-table] tbody a").first.inner_text() == "iris #4"
    context.close()


def check_accessible(page):
    """Let axe look for what keeps people out; all of it is found at once."""
    found = Axe().run(page, options={"preload": False}).response["violations"]
    assert [f"{each['id']}: {node['html']}" for each in found for node in each["nodes"]] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_a_report_is_accessible(chromium, maker, reports, tmp_path, scheme, width):
    page = chromium.page
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    run = maker.make_iris(tmp_path / "runs")
    run.facts |= {
        "outcome": "failed",
        "error": "ValueError: no",
        "traceback": "line 57",
        "unread_parameters": ["seed"],
    }
    for number, outcome in enumerate(["failed", "interrupted", "not needed", "not reached"]):
        run.calls[number] |= {"outcome": outcome, "error": "line 3" if outcome == "failed" else None}
    run.report(0, 2, "broken", "error", {"message": "no", "traceback": "line 3"})
    run.report(0, 2, "paper", "latex", {"text": "x" * 300})
    page.goto(draw_report(run.write(), reports).as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    check_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.keyboard.press("?")
    check_accessible(page)
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (max(map(int, re.findall(r"\d+", background)[:3])) < 64) == (scheme == "dark")


def test_a_report_can_be_printed(report):
    report.emulate_media(media="print", color_scheme="dark")
    assert not report.locator(".cf-toc").is_visible()
    assert not report.locator("[data-copy]").first.is_visible()
    assert report.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(29, 32, 38)"


def test_what_is_filtered_ordered_and_sorted_survives_a_reload(report):
    report.locator("[data-filter]").fill("train")
    report.locator("[data-order]").select_option("name")
    report.locator("#results th", has_text="accuracy").locator("button").click()
    assert report.evaluate("location.hash") == "#calls?filter=train&order=name&table0=-2"
    address = report.url
    report.goto("about:blank")
    report.goto(address)
    assert report.locator(".cf-call:visible").count() == 2
    assert report.locator("[data-order]").input_value() == "name"
    assert report.locator("#results tbody th").first.inner_text() == "simple_rf"
    assert report.evaluate("document.querySelector('#calls').getBoundingClientRect().top") < 300


def test_a_link_in_the_page_keeps_what_was_filtered(report):
    report.locator("[data-filter]").fill("test")
    report.locator("#reportables a", has_text="compare_models").first.click()
    assert report.evaluate("location.hash") == "#call-6?filter=test"
    report.reload()
    assert report.locator("#call-6").is_visible()


def test_a_link_to_a_call_opens_it(chromium, drawn_report):
    chromium.page.goto(f"{drawn_report.as_uri()}#call-4")
    assert chromium.page.locator("#call-4").is_visible()
    assert not chromium.page.locator("#call-3").is_visible()


@pytest.mark.parametrize(
    "fragment", ["#%E0%A4%A", "#nowhere?filter=", "#?table0=99&table1=x&order=none", "#<img src=x>"]
)
def test_an_address_that_nobody_wrote_does_no_harm(report, fragment):
    report.evaluate("(fragment) => { location.hash = fragment; location.reload(); }", fragment)
    report.locator(".cf-call").first.wait_for()
    assert report.locator(".cf-call:visible").count() == 7


def test_keys_lead_through_sections_reportables_and_calls(report):
    report.keyboard.press("j")
    assert report.evaluate("document.activeElement.textContent") == "Warnings"
    for _ in range(4):
        report.keyboard.press("j")
    assert (
        report.evaluate("document.activeElement.closest('.cf-reportable').textContent")
        .strip()
        .startswith("scores")
    )
    report.keyboard.press("k")
    assert report.evaluate("document.activeElement.textContent") == "Reportables"
    report.locator("#calls h2").evaluate("(title) => { title.tabIndex = -1; title.focus(); }")
    report.keyboard.press("j")
    report.keyboard.press("Enter")
    assert report.locator("#call-0").is_visible()
    report.keyboard.press("?")
    assert report.locator("dialog").get_by_text("copy the command").is_visible()


def test_a_key_copies_the_command(report):
    report.context.grant_permissions(["clipboard-read", "clipboard-write"])
    report.keyboard.press("c")
    report.locator(".cf-command").get_by_text("Copied").wait_for()
    assert report.evaluate("navigator.clipboard.readText()") == "experiment iris -p iris"


def test_parameters_that_no_stage_has_read_are_marked(maker, reports, tmp_path, chromium):
    run = maker.make_iris(tmp_path / "runs")
    run.facts["unread_parameters"] = ["seed", "n"]
    chromium.page.goto(draw_report(run.write(), reports).as_uri())
    assert chromium.page.locator("#parameters thead th", has_text="unread").inner_text().split() == [
        "n",
        "unread",
    ]
    assert "seed" in chromium.page.locator("#parameters .cf-pairs th", has_text="unread").inner_text()
    assert (
        "2 of these have been read by no stage: n, seed." in chromium.page.locator("#parameters").inner_text()
    )


def test_memory_is_told_of_calls_that_were_executed(maker, reports, tmp_path, chromium):
    run = maker.make_iris(tmp_path / "runs")
    for number, peak in ((1, 200), (2, 200), (4, 340)):
        run.calls[number]["peak_bytes"] = peak * 2**20
    chromium.page.goto(draw_report(run.write(), reports).as_uri())
    chromium.page.locator("[data-unfold]").click()
    shown = [chromium.page.locator(f"#call-{number}").inner_text() for number in range(7)]
    assert "200.0 MiB at most" in shown[1]
    assert "more than before" not in shown[1] + shown[2]
    assert "340.0 MiB at most, 140.0 MiB more than before" in shown[4]
    assert "Memory" not in shown[0] + shown[3]


def test_a_long_table_scrolls_in_itself_and_is_printed_whole(maker, reports, tmp_path, chromium):
    run = maker.RunFolder(tmp_path / "runs")
    for number in range(120):
        run.log_metrics(run.add_record(f"set_{number}", {"n": number}), None, accuracy=number / 120)
    page = chromium.page
    page.goto(draw_report(run.write(), reports).as_uri())
    height = "document.querySelector('#results .cf-card').clientHeight"
    assert page.evaluate(height) < 900
    page.emulate_media(media="print")
    assert page.evaluate(height) > 3000


def test_the_page_is_light_and_asks_nothing_of_the_network(chromium, drawn_report):
    chromium.page.goto(drawn_report.as_uri())
    assert chromium.blocked == []
    beside = sum(
        path.stat().st_size
        for path in drawn_report.parent.iterdir()
        if path.suffix in {".html", ".css", ".js"}
    )
    assert beside < 150_000


def test_a_copied_folder_can_be_shown_and_reported_elsewhere(chromium, maker, reports, tmp_path):
    run = maker.make_iris(tmp_path / "here" / "runs")
    run.write()
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(run.path, elsewhere / "runs" / run.reference)
    shutil.rmtree(tmp_path / "here")
    path = draw_report(elsewhere / "runs" / run.reference, elsewhere / "reports")
    shutil.copytree(path.parent, tmp_path / "mailed")
    shutil.rmtree(elsewhere)
    page = chromium.page
    page.goto((tmp_path / "mailed" / "index.html").as_uri())
    assert page.locator("h1").inner_text() == "iris #4"
    assert (
        page.locator(".cf-picture").first.evaluate("(image) => image.decode().then(() => image.naturalWidth)")
        == 1
    )
    assert chromium.problems == []
    assert chromium.blocked == []


def test_a_style_sheet_and_a_template_of_the_project_are_used(chromium, maker, reports, tmp_path):
    (reports / "templates").mkdir(parents=True)
    (reports / "style.css").write_text(".cf-title { color: rgb(1, 2, 3) }", encoding="utf-8")
    (reports / "templates" / "parameters.html").write_text(
        "{% macro parameters(view) %}<p id='mine'>{{ view.sets | length }} sets, ours</p>{% endmacro %}",
        encoding="utf-8",
    )
    path = draw_report(maker.make_iris(tmp_path / "runs").write(), reports, css=reports / "style.css")
    chromium.page.goto(path.as_uri())
    assert chromium.page.locator("#mine").inner_text() == "2 sets, ours"
    assert chromium.page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(1, 2, 3)"


def test_a_run_from_elsewhere_is_reported_by_its_path_and_listed_once_it_lies_among_the_others(
    project, maker, tmp_path
):
    folder = maker.make_iris(tmp_path / "from_ada").write()
    reports = project.root / "reports"
    project.experiment("report", str(folder))
    assert "confusion" in (reports / folder.name / "index.html").read_text(encoding="utf-8")
    assert folder.name not in (reports / "index-data.js").read_text(encoding="utf-8")
    shutil.copytree(folder, project.root / "data" / "runs" / folder.name)
    project.experiment("report", "iris/-1")
    assert folder.name in (reports / "index-data.js").read_text(encoding="utf-8")


CASE = """
import curifactory as cf
from curifactory.caching import JsonCacher


class Params(cf.ExperimentParameters):
    pass


@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return 1


def get_params():
    return [Params(name="a")]


def run(param_sets, manager):
    begin(cf.Record(manager, param_sets[0]))
"""


def test_memory_is_noted_of_what_was_executed_and_not_of_what_was_reused(project):
    project.write("experiments/case.py", CASE)
    project.experiment("case")
    project.experiment("case")
    first, second = (
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(project.root.glob("data/runs/case_*/calls.jsonl"))
    )
    assert first["peak_bytes"] > 2**20
    assert (second["outcome"], "peak_bytes" in second) == ("reused", False)

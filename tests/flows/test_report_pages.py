"""The pages in a real browser: nothing that people wrote runs, nothing is fetched, and everything can be used."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest

from curifactory.reporting.index import draw_index
from curifactory.reporting.report import draw_report
from curifactory.store.runs import RunStore

MAKER = Path(__file__).parent.parent / "unit" / "reporting" / "run_folder.py"

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
}


def load_maker():
    name = "curifactory_tests_run_folder"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, MAKER)
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture
def maker():
    return load_maker()


@pytest.fixture
def reports(tmp_path):
    return tmp_path / "reports"


@pytest.fixture(scope="module")
def drawn_report(tmp_path_factory):
    """Draw the report of the iris run; tests only look at it."""
    folder = tmp_path_factory.mktemp("report")
    return draw_report(load_maker().make_iris(folder / "runs").write(), folder / "reports")


@pytest.fixture(scope="module")
def drawn_index(tmp_path_factory):
    """Draw an index of 450 runs of two experiments, the last of which has a report."""
    folder = tmp_path_factory.mktemp("index")
    reports = folder / "reports"
    store = RunStore(folder / "runs")
    for number in range(1, 451):
        run = load_maker().RunFolder(store.folder, "iris" if number % 3 else "digits", number)
        run.facts = {
            "duration_s": number / 10,
            "command_line": f"run {number}",
            "experiment_doc": f"About {run.experiment}.",
        }
        run.started = run.started.replace(year=2000 + number % 20)
        if number == 7:
            run.facts |= {"notes": "the odd one", "outcome": "failed", "error": "ValueError: no"}
        run.log_metrics(0, None, accuracy=number / 1000, loss=1 / number)
        run.write()
    draw_report(run.path, reports)
    return draw_index(store.iter_rows(), reports)


def look_at(chromium, path):
    """Open a page, and say afterwards whether it was quiet: no errors, and nothing asked of the network."""
    chromium.page.goto(path.as_uri())
    yield chromium.page
    assert chromium.blocked == []
    assert chromium.problems == []
    assert all(request.startswith(("file:", "data:")) for request in chromium.requests)


@pytest.fixture
def report(chromium, drawn_report):
    yield from look_at(chromium, drawn_report)


@pytest.fixture
def index(chromium, drawn_index):
    yield from look_at(chromium, drawn_index)


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
            scripts: document.scripts.length,
        })"""
    )
    assert set(found["elements"]) <= ELEMENTS
    assert found["handlers"] == []
    assert found["schemes"] == []
    assert found["scripts"] <= 2
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
        run.log_metrics(0, None, **{payload: number})
        run.write()
    path = draw_index(RunStore(runs).iter_rows(), reports)
    chromium.page.goto(path.as_uri())
    boxes = chromium.page.locator("[data-table] tbody input")
    boxes.nth(0).check()
    boxes.nth(1).check()
    chromium.page.locator("[data-compare]").click()
    chromium.page.locator("[data-columns] summary").click()
    check_unharmed(chromium, "Runs")


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
    assert report.locator(".cf-call .cf-call-name").first.inner_text().endswith("train_model")


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


AUDIT = """() => {
    const problems = [];
    const visible = (node) => node.checkVisibility({ visibilityProperty: true }) && node.getClientRects().length > 0;
    const levels = [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].filter(visible).map((each) => Number(each.localName[1]));
    levels.forEach((level, index) => { if (level > (index ? levels[index - 1] : 0) + 1) problems.push(`heading ${index} jumps to ${level}`); });
    if (levels.filter((level) => level === 1).length !== 1) problems.push("not one h1");
    if (document.querySelectorAll("main").length !== 1) problems.push("not one main");
    if (!document.documentElement.lang) problems.push("no language");
    for (const image of document.images) if (!image.alt) problems.push("image without alt");
    for (const head of document.querySelectorAll("th")) if (!head.scope) problems.push(`th without scope: ${head.textContent}`);
    for (const field of document.querySelectorAll("input, select, textarea"))
        if (!field.labels.length && !field.ariaLabel) problems.push(`unlabelled ${field.outerHTML}`);
    for (const pressed of document.querySelectorAll("a[href], svg a, button"))
        if (!pressed.textContent.trim() && !pressed.ariaLabel) problems.push(`nameless ${pressed.outerHTML}`);
    for (const scrolled of document.querySelectorAll("*")) {
        const style = getComputedStyle(scrolled);
        if (["auto", "scroll"].includes(style.overflowX) && scrolled.scrollWidth > scrolled.clientWidth + 1 && scrolled.tabIndex < 0
            && !scrolled.querySelector("a, button, input")) problems.push(`cannot be scrolled by keyboard: ${scrolled.className}`);
    }
    const ids = [...document.querySelectorAll("[id]")].map((each) => each.id);
    if (new Set(ids).size !== ids.length) problems.push("an id is there twice");
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const parse = (color) => {
        canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
    };
    const over = (top, below) => top.slice(0, 3).map((part, index) => part * top[3] + below[index] * (1 - top[3]));
    const light = (rgb) => {
        const [r, g, b] = rgb.map((part) => { const c = part / 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (node) => {
        const layers = [];
        for (let each = node; each; each = each.parentElement) layers.push(parse(getComputedStyle(each).backgroundColor));
        return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const node = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || !visible(node) || node.closest("svg, script, style, .cf-unseen, :disabled, option")) continue;
        const ground = behind(node);
        const [one, two] = [light(over(parse(getComputedStyle(node).color), ground)), light(ground)].sort((a, b) => b - a);
        const contrast = (one + 0.05) / (two + 0.05);
        if (contrast < 4.5) problems.push(`contrast ${contrast.toFixed(2)}: ${walker.currentNode.data.trim().slice(0, 40)}`);
    }
    return problems;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_pages_are_accessible(chromium, maker, reports, tmp_path, scheme, width):
    page = chromium.page
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    run = maker.make_iris(tmp_path / "runs")
    run.facts |= {"outcome": "failed", "error": "ValueError: no", "traceback": "line 57"}
    for number, outcome in enumerate(["failed", "interrupted", "not needed", "not reached"]):
        run.calls[number] |= {"outcome": outcome}
    run.report(0, 2, "broken", "error", {"message": "no", "traceback": "line 3"})
    run.report(0, 2, "paper", "latex", {"text": "x" * 300})
    report, index = draw_report(run.write(), reports), draw_index(RunStore(run.runs).iter_rows(), reports)
    for path in (report, index):
        page.goto(path.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        assert page.evaluate(AUDIT) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (max(map(int, re.findall(r"\d+", background)[:3])) < 64) == (scheme == "dark")


def test_a_report_can_be_printed(report):
    report.emulate_media(media="print", color_scheme="dark")
    assert not report.locator(".cf-toc").is_visible()
    assert not report.locator("[data-copy]").first.is_visible()
    assert report.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(29, 32, 38)"


def test_the_index_shows_pages_of_all_runs(index):
    rows = index.locator("[data-table] tbody tr")
    assert rows.count() == 200
    assert "450 runs of 2 experiments" in index.locator("header").inner_text()
    index.locator("[data-later]").click()
    index.locator("[data-later]").click()
    assert rows.count() == 50
    assert index.locator("[data-page]").inner_text() == "401–450 of 450"
    assert index.locator("[data-later]").is_disabled()


def test_the_index_is_searched(index):
    index.keyboard.press("/")
    index.keyboard.type("ODD fail")
    index.locator("[data-count]", has_text="1 of 450").wait_for()
    row = index.locator("[data-table] tbody tr")
    assert row.count() == 1
    assert "the odd one" in row.inner_text()
    assert "ValueError: no" in row.inner_text()


def test_the_index_is_sorted_by_metrics_in_their_direction(index):
    first = index.locator("[data-table] tbody tr").first
    index.locator("th button", has_text="accuracy").click()
    assert "#450" in first.inner_text()
    index.locator("th button", has_text="loss").click()
    assert "#450" in first.inner_text()
    assert index.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    index.locator("th button", has_text="Took").click()
    index.locator("th button", has_text="Took").click()
    assert "#1 " in first.inner_text() + " "


def test_an_experiment_is_picked(index):
    assert "About digits." in index.locator(".cf-experiments").inner_text()
    index.locator("[data-experiment=digits]").click()
    assert index.locator("[data-count]").inner_text() == "150 of 450"
    assert all("digits" in text for text in index.locator("[data-table] tbody th").all_inner_texts())


def test_columns_are_chosen_and_remembered(index):
    index.locator("[data-columns] summary").click()
    index.locator("[data-columns] label", has_text="Command").locator("input").check()
    assert index.locator("[data-table] thead th", has_text="Command").count() == 1
    index.reload()
    assert index.locator("[data-table] thead th", has_text="Command").count() == 1


def test_runs_are_ticked_and_compared_by_keyboard(index):
    for key in "jxjxc":
        index.keyboard.press(key)
    table = index.locator("[data-comparison-table]")
    assert table.locator("thead th").count() == 3
    assert table.locator("tr.cf-differs th", has_text="Command").count() == 1
    assert re.fullmatch(r"experiment diff \S+ \S+", index.locator("[data-diff]").inner_text())


def test_enter_opens_the_report_of_the_run(index):
    index.locator("[data-search]").fill("digits_450")
    index.locator("[data-count]", has_text="1 of 450").wait_for()
    address = index.locator("[data-table] tbody a").get_attribute("href")
    index.keyboard.press("Escape")
    index.keyboard.press("j")
    index.keyboard.press("Enter")
    index.wait_for_url(f"**/{address.removeprefix('./')}")
    assert index.title() == "digits #450 · complete"


def test_the_keys_are_listed(index):
    index.keyboard.press("?")
    assert index.locator("dialog").get_by_text("compare the ticked runs").is_visible()
    index.keyboard.press("Escape")
    assert not index.locator("dialog").is_visible()


def test_the_data_of_the_index_cannot_end_its_script(maker, reports, tmp_path):
    run = maker.RunFolder(tmp_path / "runs")
    run.facts["notes"] = "\u2028</script>\\"
    run.write()
    draw_index(RunStore(run.runs).iter_rows(), reports)
    text = (reports / "index-data.js").read_text(encoding="utf-8")
    assert json.loads(text.partition("=")[2].rstrip(";\n"))["rows"][0][13] == "\u2028</script>\\"

"""A report of very many calls in a browser: a light page, and everything in it when somebody looks for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from curifactory.publishing.single_page import render_single_page
from curifactory.reporting.report import draw_report
from tests.conftest import load_file

MAKER = load_file("unit/reporting/run_folder.py")
SETS = 505
CALLS = 2 * SETS
RUNS = "window.pwned=1"
HOSTILE = [
    f"<img src=x onerror={RUNS}>",
    f"<script>{RUNS}</script>",
    f"</template><img src=x onerror={RUNS}>",
    f"<svg onload={RUNS}>",
    f"<a href=javascript:{RUNS}>x</a>",
    f'"><iframe srcdoc="<script>parent.{RUNS}</script>">',
    f"</script><script>{RUNS}</script>",
    f"\\u003cimg src=x onerror={RUNS}\\u003e",
    "&lt;b&gt;",
]


def make_long(runs: Path):
    """Give a run of a thousand calls; names, values and errors of the last sets are hostile."""
    run = MAKER.RunFolder(runs, "long")
    for number in range(SETS):
        last = number >= SETS - len(HOSTILE)
        name = HOSTILE[number - SETS] if last else f"set_{number}"
        record = run.add_record(
            name, {"n": number, "rate": number / 7, "note": name, **{f"p{at}": at for at in range(8)}}
        )
        loaded = run.add_call("load_data", record, outputs=["rows"])
        trained = run.add_call("train_model", record, inputs=[("rows", loaded)], outputs=["model"])
        run.log_metrics(record, trained, accuracy=number / SETS)
        if last:
            row = run.calls[trained]
            row |= {"outcome": "failed", "error": name, "line": name}
            row["outputs"] = [row["outputs"][0] | {"summary": name}]
    run.environment = {
        "python": "3.11",
        "packages": {f"package-{number}": "1.0" for number in range(300)} | {"hostile": HOSTILE[0]},
        "variables": {f"NAME_{number}": "x" * 30 for number in range(300)} | {"HOSTILE": HOSTILE[0]},
    }
    run.log = "\n".join([HOSTILE[0], *(f"10:15:00 INFO line {number}" for number in range(1_500))])
    run.patch = "\n".join(
        ["--- a/x.py", "+++ b/x.py", *(f"+line {number}" for number in range(900)), f"-{HOSTILE[1]}"]
    )
    return run


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("long")
    return draw_report(make_long(folder / "runs").write(), folder / "reports")


@pytest.fixture
def page(chromium, drawn):
    yield from chromium.look_at(drawn)


def test_the_page_itself_is_light(drawn):
    assert drawn.stat().st_size < 150_000


def test_everything_is_in_its_place(page):
    assert page.locator("#calls .cf-call").count() == CALLS
    assert page.locator("#results tbody tr").count() == SETS
    assert page.locator("#parameters [data-more=sets] tr").count() == SETS
    assert page.locator("#environment .cf-packages li").count() == 301
    assert page.locator("#environment [data-more=variables] tr").count() == 301
    lines = page.locator("#log code").text_content().splitlines()
    assert lines == [HOSTILE[0], *(f"10:15:00 INFO line {number}" for number in range(1_500))]
    assert page.locator("#patch ins").count() == 900
    indices = page.evaluate(
        "Array.from(document.querySelectorAll('.cf-call'), (call) => Number(call.dataset.index))"
    )
    assert indices == list(range(CALLS))


def test_details_are_fetched_when_a_call_is_opened(page, chromium):
    def fetched():
        return sum(request.endswith("details.js") for request in chromium.requests)

    failed = 2 * len(HOSTILE)
    call = page.locator(".cf-call", has=page.locator(f"#call-{CALLS - failed - 1}"))
    before = fetched()
    call.locator("summary").click()
    call.locator(".cf-values").wait_for()
    assert (before, fetched()) == (0, 1)
    assert f"#call-{CALLS - failed - 2}" in call.locator(".cf-values").inner_html()
    page.locator(".cf-call summary").nth(700).click()
    page.locator("#call-700 .cf-facts").wait_for()
    assert fetched() == 1


def test_a_link_to_a_call_far_down_leads_to_its_details(chromium, drawn):
    chromium.page.goto(f"{drawn.as_uri()}#call-900")
    chromium.page.locator("#call-900 .cf-values").wait_for()
    assert chromium.page.locator(".cf-call[open]", has=chromium.page.locator("#call-900")).count() == 1
    chromium.page.locator("#call-901").evaluate("body => { location.hash = body.id; }")
    chromium.page.locator("#call-901 a[href='#call-900']").wait_for()
    chromium.page.reload()
    chromium.page.locator("#call-901 .cf-values").wait_for()
    assert (
        abs(chromium.page.locator(".cf-call", has=chromium.page.locator("#call-901")).bounding_box()["y"])
        < 400
    )


def test_what_waits_is_filtered_and_sorted_with_the_rest(page):
    page.locator("[data-filter]").fill("set_480")
    assert page.locator(".cf-call:visible").count() == 2
    head = page.locator("#results th", has_text="accuracy")
    head.locator("button").click()
    assert page.locator("#results tbody tr").first.inner_text().startswith(HOSTILE[-1])


def test_nothing_that_people_wrote_runs_from_beside_the_page(page):
    page.locator("[data-unfold]").click()
    # Not wait_for_function: its second look is an eval, which the page's policy forbids.
    expect(page.locator(".cf-call-body:empty")).to_have_count(0, timeout=60_000)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    page.wait_for_timeout(200)
    assert page.evaluate("window.pwned") is None
    assert page.locator("main :is(img, iframe, script, template)").count() == 0
    assert page.locator("[href^='javascript:']").count() == 0
    handlers = "Array.from(document.querySelectorAll('*')).flatMap((each) => Array.from(each.attributes, (given) => given.name))"
    assert not [name for name in page.evaluate(handlers) if name.startswith("on")]
    for payload in HOSTILE:
        assert page.locator(".cf-trace", has_text=payload).count() >= 1
        assert page.locator("#parameters td").get_by_text(payload, exact=True).count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_put_in_later_is_accessible(page, scheme):
    page.emulate_media(color_scheme=scheme)
    for number in (600, CALLS - 1):
        page.evaluate("(id) => { location.hash = id; }", f"call-{number}")
        page.locator(f"#call-{number} .cf-facts").wait_for()
    # All of a thousand rows would keep axe busy for long; they are of one kind.
    page.evaluate(
        """() => {
            const spared = (each, at) => at < 12 || each.open;
            for (const rows of document.querySelectorAll("[data-more]"))
                Array.from(rows.children).filter((each, at) => !spared(each, at)).forEach((each) => each.remove());
        }"""
    )
    found = Axe().run(page, options={"preload": False}).response["violations"]
    assert [f"{each['id']}: {node['html']}" for each in found for node in each["nodes"]] == []
    assert page.locator(f"#call-{CALLS - 1} [data-copy]").first.is_visible()


def test_open_calls_are_printed_with_their_details(page, tmp_path):
    page.locator(".cf-call summary").nth(500).click()
    page.locator("#call-500 .cf-values").wait_for()
    page.emulate_media(media="print")
    assert page.locator("#call-500 .cf-values").is_visible()
    assert page.evaluate("document.querySelector('#results .cf-card').clientHeight") > 5_000


def test_without_scripts_the_page_says_how_much_lies_beside_it(chromium, drawn):
    context = chromium.page.context.browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(drawn.as_uri())
    shown = page.locator(".cf-call").count()
    assert 10 < shown < CALLS
    assert page.locator("#calls noscript p", has_text=f"{CALLS - shown} more calls").is_visible()
    assert page.locator("#results noscript p", has_text="more records").is_visible()
    page.locator(".cf-call summary").first.click()
    assert page.locator("#call-0 .cf-values").is_visible()
    assert page.locator("#log code").inner_text().endswith("line 1499")
    context.close()


def test_details_that_are_gone_are_missed_in_words(chromium, drawn, tmp_path):
    shutil.copytree(drawn.parent, tmp_path / "copy")
    (tmp_path / "copy" / "details.js").unlink()
    chromium.page.goto(f"{(tmp_path / 'copy' / 'index.html').as_uri()}#call-900")
    chromium.page.locator("#call-900", has_text="details.js, which is not beside this page").wait_for()


def test_one_file_has_all_of_it(chromium, drawn, tmp_path):
    alone = tmp_path / "alone" / "long.html"
    alone.parent.mkdir()
    alone.write_text(render_single_page(drawn, drawn.parent.parent), encoding="utf-8")
    page = chromium.page
    page.goto(f"{alone.as_uri()}#call-900")
    page.locator("#call-900 .cf-values").wait_for()
    assert page.locator(".cf-call").count() == CALLS
    assert page.evaluate("window.pwned") is None
    assert chromium.problems == []
    assert chromium.blocked == []
    assert all(request.startswith(("data:", alone.as_uri())) for request in chromium.requests)

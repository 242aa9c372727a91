"""The index of runs in a real browser, from disk: found, sorted, filtered, ticked, compared, and shared by its address."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from curifactory.reporting.index import DATA, draw_index
from curifactory.reporting.report import draw_report
from curifactory.store.runs import RunStore
from tests.conftest import load_file

MAKER = load_file("unit/reporting/run_folder.py")
PAGE = 50


@pytest.fixture
def maker():
    return MAKER


@pytest.fixture(scope="module")
def drawn_many(tmp_path_factory):
    """Draw an index of 450 runs of two experiments, the last of which has a report."""
    folder = tmp_path_factory.mktemp("many")
    reports = folder / "reports"
    store = RunStore(folder / "runs")
    for number in range(1, 451):
        run = MAKER.RunFolder(store.folder, "iris" if number % 3 else "digits", number)
        run.facts = {
            "duration_s": number / 10,
            "command_line": f"run {number}",
            "experiment_doc": f"About {run.experiment}.\n\nIn more words.",
        }
        run.started = run.started.replace(year=2000 + number % 20)
        if number == 7:
            run.facts |= {
                "notes": "the odd one",
                "outcome": "failed",
                "error": "ValueError: no",
                "tags": ["paper"],
            }
        record = run.add_record("a", {"n": number % 10, "model": {"kind": "rf" if number % 2 else "lr"}})
        run.log_metrics(record, None, accuracy=number / 1000, loss=1 / number)
        run.write()
    draw_report(run.path, reports)
    return draw_index(store.iter_rows(), reports)


@pytest.fixture(scope="module")
def drawn_few(tmp_path_factory):
    """Draw an index of five runs that can be compared, one of them without a report."""
    folder = tmp_path_factory.mktemp("few")
    runs, reports = folder / "runs", folder / "reports"
    for number in range(4, 8):
        run = MAKER.make_iris(runs, number)
        run.started = run.started.replace(minute=number)
        run.parameters[1]["shown"]["n"] = 100 * number
        run.metrics[1]["values"]["accuracy"] = 0.9 + number / 100
        run.environment["packages"] |= {"pandas": f"3.1.{number}"}
        if number == 5:
            run.facts |= {"git": {"commit": "aa" * 20, "branch": "main", "dirty": False, "untracked": []}}
            run.patch = ""
        draw_report(run.write(), reports)
    lonely = MAKER.RunFolder(runs, "digits", 1)
    lonely.write()
    return draw_index(RunStore(runs).iter_rows(), reports)


@pytest.fixture
def many(chromium, drawn_many):
    yield from chromium.look_at(drawn_many)


@pytest.fixture
def few(chromium, drawn_few):
    yield from chromium.look_at(drawn_few)


def rows_of(page):
    return page.locator("[data-table] tbody tr")


def numbers_of(page):
    return [
        int(text.split("#")[1].split()[0]) for text in page.locator("[data-table] tbody th").all_inner_texts()
    ]


def search(page, query):
    """Search, and give how many runs are found."""
    page.locator("[data-search]").fill(query)
    # Not wait_for_function: its second look is an eval, which the page's policy forbids.
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).fragment).get("q") == [query])
    said = page.locator("[data-count]").inner_text()
    return int(said.split()[0]) if said else 450


# ------------------------------------------------------------------------------------------------------ find


def test_all_runs_are_there_page_by_page(many):
    assert rows_of(many).count() == PAGE
    assert "450 runs of 2 experiments" in many.locator("header").inner_text()
    for _ in range(8):
        many.locator("[data-later]").click()
    assert rows_of(many).count() == 50
    assert many.locator("[data-page]").inner_text() == "401–450 of 450"
    assert many.locator("[data-later]").is_disabled()


def test_words_are_searched_in_names_notes_and_errors(many):
    many.keyboard.press("/")
    many.keyboard.type("ODD fail")
    many.locator("[data-count]", has_text="1 of 450").wait_for()
    assert "the odd one" in rows_of(many).inner_text()
    assert "ValueError: no" in rows_of(many).inner_text()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("accuracy>0.4", 50),
        ("accuracy>=0.4 accuracy<0.41", 10),
        ("n=3", 45),
        ("n=3.0", 45),
        ("n!=3", 405),
        ("kind:rf n=3", 45),
        ("kind=lr n=3", 0),
        ("model.kind:lr", 225),
        ("tag:paper", 1),
        ("-tag:paper", 449),
        ("outcome:failed", 1),
        ('note:"odd one"', 1),
        ("experiment=digits took<1", 3),
        ("started>2019", 22),
        ("number=7 experiment:iris", 1),
        ("nothing:like", 0),
        ('"run 45"', 2),
    ],
)
def test_conditions_are_searched(many, query, found):
    assert search(many, query) == found
    assert many.locator("[data-nothing]").is_visible() == (found == 0)


def test_a_condition_on_what_no_run_has_says_what_there_is(many):
    nothing = many.locator("[data-nothing]")
    many.get_by_label("Search the runs").fill("val_accuracy>0.9")
    nothing.get_by_text("No run has a metric or parameter “val_accuracy”.").wait_for()
    assert "There are accuracy, loss, n, " in nothing.inner_text()
    many.get_by_label("Search the runs").fill("accuracy>0.9")
    nothing.get_by_text("No run is like that.").wait_for()


def test_half_a_query_finds_something_or_nothing_but_breaks_nothing(many):
    for query in (
        "accuracy>",
        '"',
        "-",
        "n=",
        ">0.9",
        "(",
        "a:b:c",
        '-"',
        "\\",
        "constructor>1",
        "__proto__:x",
    ):
        search(many, query)
    assert search(many, "digits") == 150


def test_an_experiment_is_picked_by_its_card(many):
    assert "About digits." in many.locator(".cf-experiments").inner_text()
    many.locator(".cf-experiment", has_text="digits").locator("summary").click()
    assert many.get_by_text("In more words.").first.is_visible()
    many.locator("[data-experiment=digits]").click()
    assert many.locator("[data-count]").inner_text() == "150 of 450"
    assert all("digits" in text for text in many.locator("[data-table] tbody th").all_inner_texts())


def test_rows_are_sorted_by_metrics_in_their_direction(many):
    many.locator("th button", has_text="accuracy").click()
    assert numbers_of(many)[:3] == [450, 449, 448]
    many.locator("th button", has_text="loss").click()
    assert numbers_of(many)[:3] == [450, 449, 448]
    assert many.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    many.locator("th button", has_text="Took").click()
    many.locator("th button", has_text="Took").click()
    assert numbers_of(many)[:3] == [1, 2, 3]


def test_parameters_are_columns_that_sort_as_numbers(many):
    many.locator("[data-columns] summary").click()
    many.locator("[data-columns] label", has_text="model.kind").locator("input").check()
    many.locator("[data-columns] label").filter(has_text=re.compile(r"^\s*n$")).locator("input").check()
    many.locator("th button").filter(has_text=re.compile(r"^n$")).click()
    assert {number % 10 for number in numbers_of(many)[:45]} == {0}
    assert many.locator("thead th", has_text="model.kind").count() == 1


def test_columns_are_remembered(many, drawn_many):
    many.locator("[data-columns] summary").click()
    many.locator("[data-columns] label", has_text="Command").locator("input").check()
    many.locator("[data-columns] label", has_text="Commit").locator("input").uncheck()
    many.goto("about:blank")
    many.goto(drawn_many.as_uri())
    heads = many.locator("[data-table] thead th").all_inner_texts()
    assert "Command" in heads
    assert "Commit" not in heads


# ----------------------------------------------------------------------------------------------- keys and address


def test_keys_move_open_and_tick(many):
    many.keyboard.press("j")
    many.keyboard.press("j")
    many.keyboard.press("k")
    assert many.locator("tr[aria-current]").evaluate("(row) => row.rowIndex") == 1
    many.keyboard.press("x")
    assert many.locator("tr[aria-current] input").is_checked()
    many.locator("[data-search]").fill("digits_450")
    many.locator("[data-count]", has_text="1 of 450").wait_for()
    address = many.locator("[data-table] tbody a").get_attribute("href")
    many.keyboard.press("Escape")
    many.keyboard.press("j")
    many.keyboard.press("Enter")
    many.wait_for_url(f"**/{address.removeprefix('./')}")
    assert many.title() == "digits #450 · complete"


def test_the_keys_and_the_search_are_explained(many):
    many.keyboard.press("?")
    assert many.locator("dialog").get_by_text("compare the ticked runs").is_visible()
    assert many.locator("dialog").get_by_text("accuracy>0.9").is_visible()
    many.keyboard.press("Escape")
    assert not many.locator("dialog").is_visible()


def test_the_address_brings_back_what_was_seen(many):
    search(many, "accuracy>0.2 -tag:paper")
    many.locator('[data-pick="experiment"]').select_option("iris")
    many.locator("th button", has_text="loss").click()
    many.locator("[data-later]").click()
    many.locator("[data-columns] summary").click()
    many.locator("[data-columns] label", has_text="Host").locator("input").check()
    rows_of(many).nth(3).locator("input").check()
    before, table = many.evaluate("location.hash"), many.locator("[data-table]").inner_text()
    many.evaluate("localStorage.clear()")
    many.reload()
    assert many.locator("[data-table]").inner_text() == table
    assert many.evaluate("location.hash") == before
    assert many.locator("[data-search]").input_value() == "accuracy>0.2 -tag:paper"
    assert rows_of(many).nth(3).locator("input").is_checked()
    assert many.locator("[data-page]").inner_text().startswith("51–")


@pytest.mark.parametrize(
    "words",
    [
        "page=99",
        "page=-3",
        "page=x",
        "sort=nothing",
        "experiment=gone",
        "tick=gone&compare=all",
        "%E0%A4%A=1",
        "show=__proto__",
    ],
)
def test_an_address_that_nobody_wrote_does_no_harm(chromium, drawn_many, words):
    chromium.page.goto(f"{drawn_many.as_uri()}#{words}")
    assert rows_of(chromium.page).count() in {50, PAGE}
    assert chromium.problems == []


# ------------------------------------------------------------------------------------------------------ compare


def compare(page, *numbers):
    for number in numbers:
        page.locator("[data-table] tbody tr", has_text=f"#{number}").locator("input").check()
    page.keyboard.press("c")
    page.locator("[data-comparison-content] section").first.wait_for()


def part(page, title):
    return page.locator(".cf-part", has=page.locator(f"h3:text-is('{title}')"))


def cells(page, title, row):
    return (
        part(page, title)
        .locator("tbody tr", has=page.locator(f"th:text-is('{row}')"))
        .locator("td")
        .all_text_contents()
    )


def test_two_runs_stand_side_by_side_in_what_differs(few):
    compare(few, 5, 4)
    assert cells(few, "Parameters", "n") == ["100", "500", "100", "400"]
    assert cells(few, "Metrics", "test accuracy ↑") == ["0.9400", "0.9500 (best)", "0.9400", "0.9400"]
    assert cells(few, "Environment", "pandas") == ["3.1.5", "3.1.4"]
    assert cells(few, "Code", "Commit") == ["aaaaaaaaaa", "3f2a9c1b7d"]
    assert "-n = 100" in part(few, "Code").locator(".cf-patch").inner_text()
    assert part(few, "Environment").locator("th", has_text="numpy").count() == 0
    few.locator("[data-all]").uncheck()
    part(few, "Environment").locator("th", has_text="numpy").wait_for()
    assert cells(few, "Environment", "numpy") == ["2.4.6", "2.4.6"]
    assert part(few, "Environment").locator("tr.cf-differs").count() == 1
    assert re.fullmatch(r"experiment diff \S+ \S+", few.locator("[data-diff]").inner_text())


def test_escape_leaves_the_search_as_it_is(few):
    few.locator("[data-search]").fill("iris")
    few.keyboard.press("Escape")
    assert few.locator("[data-search]").input_value() == "iris"
    assert few.evaluate("document.activeElement === document.body")


def test_results_are_shown_beside_each_other_and_lead_to_their_place(few):
    compare(few, 5, 4)
    pictures = part(few, "Results").locator("img")
    assert pictures.count() == 4
    assert (
        pictures.first.evaluate(
            "(image) => { image.loading = 'eager'; return image.decode().then(() => image.naturalWidth); }"
        )
        == 1
    )
    # Nobody can say whether pictures differ; tables that are equal are left out until all is asked for.
    assert part(few, "Results").locator(".cf-inner").count() == 0
    assert part(few, "Results").locator(".cf-hint", has_text="the same").is_visible()
    few.locator("[data-all]").uncheck()
    part(few, "Results").locator(".cf-inner").first.wait_for()
    assert "forest" in part(few, "Results").locator(".cf-inner").first.inner_text()
    part(few, "Results").locator("a", has_text="in the report").first.click()
    few.wait_for_url("**/iris_5_*/index.html#*")
    assert few.locator(".cf-target").count() == 1


def test_a_comparison_is_an_address(few):
    compare(few, 6, 4)
    few.locator("[data-all]").uncheck()
    few.reload()
    part(few, "Parameters").wait_for()
    assert few.locator("#comparison-title").inner_text() == "Comparison of 2 runs"
    assert not few.locator("[data-all]").is_checked()
    assert not few.locator("[data-table]").is_visible()
    few.keyboard.press("Escape")
    assert few.locator("[data-table]").is_visible()
    assert few.evaluate("location.hash").count("tick=") == 2
    few.locator("[data-clear]").click()
    assert few.evaluate("location.hash") == ""


def test_a_run_without_a_report_is_compared_by_its_row(few):
    compare(few, 1, 4)
    assert cells(few, "Runs", "Notes")[0] == ""
    assert "No report of digits #1 is here" in few.locator("[data-comparison]").inner_text()
    assert few.locator("[data-comparison] code", has_text="experiment report digits_1").count() == 1


def test_all_that_is_found_is_ticked_at_once(few):
    few.locator("[data-search]").fill("experiment=iris")
    few.locator("[data-count]", has_text="4 of 5").wait_for()
    few.locator("thead input").check()
    assert few.locator("[data-compare]").inner_text() == "Compare 4"
    few.locator("[data-search]").fill("")
    few.locator("[data-table] tbody tr").nth(4).wait_for()
    assert few.locator("tbody input:checked").count() == 4


def test_many_records_are_lines_across_parameters_and_metrics(few):
    compare(few, 4, 5, 6, 7)
    picture = few.locator(".cf-coordinates")
    assert picture.locator(".cf-line").count() == 8
    names = picture.locator(".cf-axis-name").all_text_contents()
    assert names[:3] == ["balanced", "n", "model_type"]
    assert "test accuracy ↑" in names
    picture.locator(".cf-line").first.dispatch_event("pointerenter")
    assert "iris #7 simple_lr" in few.locator(".cf-many output").inner_text()
    zone = picture.locator(".cf-zone").nth(1).bounding_box()
    x = zone["x"] + zone["width"] / 2
    few.mouse.move(x, zone["y"] + 2)
    few.mouse.down()
    few.mouse.move(x, zone["y"] + zone["height"] * 0.3, steps=4)
    few.mouse.up()
    # Of n only 700 and 600 lie in the upper part of the axis.
    assert picture.locator(".cf-line:not(.cf-faded)").count() == 2
    assert "2 of 8 records" in few.locator(".cf-many output").inner_text()
    few.mouse.click(x, zone["y"] + zone["height"] * 0.6)
    assert picture.locator(".cf-faded").count() == 0


# ------------------------------------------------------------------------------------------------ for everybody


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_the_index_is_accessible(few, scheme, width):
    few.set_viewport_size({"width": width, "height": 900})
    few.emulate_media(color_scheme=scheme)

    def check():
        found = Axe().run(few, options={"preload": False}).response["violations"]
        assert [f"{each['id']}: {node['html']}" for each in found for node in each["nodes"]] == []
        assert few.evaluate("document.documentElement.scrollWidth") <= width

    few.locator("[data-table] tbody input").first.check()
    few.evaluate(
        "document.querySelectorAll('.cf-more, [data-columns]').forEach((each) => { each.open = true; })"
    )
    check()
    few.locator("h1").click()
    assert not few.locator("[data-column-list]").is_visible()
    few.keyboard.press("?")
    check()
    few.keyboard.press("Escape")
    few.locator("thead input").check()
    few.keyboard.press("c")
    few.locator("[data-comparison-content] section").first.wait_for()
    few.locator("[data-all]").uncheck()
    check()
    background = few.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (max(map(int, re.findall(r"\d+", background)[:3])) < 64) == (scheme == "dark")


def test_the_index_can_be_printed(few):
    few.emulate_media(media="print", color_scheme="dark")
    assert not few.locator("[data-search]").is_visible()
    assert few.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(29, 32, 38)"


def test_the_page_itself_is_light(drawn_many):
    assert drawn_many.stat().st_size < 100_000
    assert sum(each.stat().st_size for each in (drawn_many.parent / "_assets").iterdir()) < 150_000


def test_ten_thousand_runs_are_there_and_searched(chromium, maker, tmp_path):
    run = maker.make_iris(tmp_path / "runs")
    run.write()
    row = next(iter(RunStore(run.runs).iter_rows()))
    draw_index([row], tmp_path / "reports")
    data = tmp_path / "reports" / DATA
    head, line, end = data.read_text(encoding="utf-8").split("\n", 2)
    lines = [
        line.replace('"iris",4,', f'"iris",{number},').replace("iris_4_", f"iris_{number}_")
        for number in range(10_000)
    ]
    data.write_text("\n".join([head, ",\n".join(lines), end]), encoding="utf-8")
    page = chromium.page
    page.goto((tmp_path / "reports" / "index.html").as_uri())
    assert page.locator("[data-page]").inner_text() == "1–50 of 10,000"
    page.locator("[data-search]").fill("number>=9990 accuracy>0.9 n=200")
    page.locator("[data-count]", has_text="10 of 10,000").wait_for()
    page.locator("th button", has_text="Run").click()
    assert numbers_of(page) == list(range(9990, 10_000))


def test_the_data_of_the_index_cannot_end_its_script(maker, tmp_path):
    run = maker.RunFolder(tmp_path / "runs")
    run.facts["notes"] = "\u2028</script>\\"
    run.write()
    draw_index(RunStore(run.runs).iter_rows(), tmp_path / "reports")
    text = (tmp_path / "reports" / DATA).read_text(encoding="utf-8")
    data = json.loads(text.partition("=")[2].rstrip(";\n"))
    assert data["rows"][0][data["fields"].index("notes")] == "\u2028</script>\\"

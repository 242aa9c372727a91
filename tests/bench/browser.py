"""What it takes until a page can be used in a browser: the index of very many runs, and reports of many calls."""

from __future__ import annotations

import importlib.util
import shutil
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.benchmark import Benchmark
from tests.bench.figures import Figure
from tests.bench.reports import TWO_STAGES
from tests.bench.sessions import load_stages, session
from tests.bench.synthetic_runs import remember_runs, write_runs
from tests.bench.timing import Sizes
from tests.bench.workplace import Workplace

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
# From the first byte until the script has drawn the rows, and until they have been painted.
USABLE = """async () => {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return performance.now();
}"""
FILTERED = """async (words) => {
  const search = document.querySelector("[data-search]");
  const began = performance.now();
  search.value = words;
  search.dispatchEvent(new Event("input"));
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return performance.now() - began;
}"""


def measure_index(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure the index of ten thousand runs: until it can be used, and until it is filtered."""
    from curifactory.reporting.index import update_index
    from curifactory.store.index import Index
    from curifactory.store.layout import Layout
    from curifactory.store.runs import RunStore

    count = sizes.of(10_000, tiny=20)
    place = workplace.project()
    write_runs(place.root, count, metrics=True)
    remember_runs(place.root)
    with Index(Layout(place.root / "data" / "cache").index_path) as index:
        page = update_index(RunStore(place.root / "data" / "runs", index), place.root / "reports")
    usable, filtered = [], []
    with _browse() as browser:
        if browser is None:
            return
        for turn in range(sizes.repeats):
            tab = browser.new_page()
            tab.goto(page.as_uri())
            usable.append(tab.evaluate(USABLE))
            filtered.append(tab.evaluate(FILTERED, f"accuracy>0.{turn + 2} tiny"))
            tab.close()
    yield Figure(
        row="browser.index", what=f"index of {count:,} runs until it can be used", unit="s",
        ours=statistics.median(usable) / 1e3, target=1, repeats=sizes.repeats,
    )  # fmt: skip
    yield Figure(
        row="browser.filter", what="the same, filtered by a metric and a word", unit="ms",
        ours=statistics.median(filtered), target=100, repeats=sizes.repeats,
    )  # fmt: skip


def measure_report(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure reports: the weight of a small one, and how soon one of a thousand calls can be used."""
    from curifactory.core.record import Record
    from curifactory.reporting.report import draw_report

    place = workplace.project()
    found: dict[int, tuple[float, float, float]] = {}
    with place.entered(), _browse() as browser:
        module = load_stages(place, TWO_STAGES, "pages")
        for number in (1, sizes.of(500, tiny=3)):
            with session() as manager:
                for n in range(number):
                    module.double(module.begin(Record(manager, module.Params(name=f"s{n}", n=n))))
                folder = manager.run_folder
            page = draw_report(folder, place.root / "reports")
            times = [0.0]
            if browser is not None:
                times = []
                for _ in range(sizes.repeats):
                    tab = browser.new_page()
                    tab.goto(page.as_uri())
                    times.append(tab.evaluate(USABLE))
                    tab.close()
            weight = sum(each.stat().st_size for each in Path(page).parent.iterdir() if each.is_file())
            found[number] = weight / 1e3, statistics.median(times) / 1e3, page.stat().st_size / 1e3
    (small, *_), (large, usable, alone) = found[1], found[max(found)]
    yield Figure(
        row="browser.weight", what="report without media, with its styles and scripts", unit="KB", ours=small, target=150
    )  # fmt: skip
    yield Figure(
        row="browser.report", what=f"report of {2 * max(found):,} calls ({large:,.0f} KB) until it can be used", unit="s",
        ours=usable, target=1, repeats=sizes.repeats,
    )  # fmt: skip
    yield Figure(
        row="browser.page", what="the same, the page itself, without what lies beside it", unit="KB", ours=alone, target=150
    )  # fmt: skip


BENCHMARKS = (
    Benchmark("browser.index", measure_index),
    Benchmark("browser.report", measure_report),
)


@contextmanager
def _browse() -> Iterator[Any]:
    """Give a browser, or None where there is none."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None or importlib.util.find_spec("playwright") is None:
        yield None
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()

"""What it costs to see a run: figures, a page of many calls, and the index of very many runs."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.benchmark import Benchmark
from tests.bench.figures import Figure
from tests.bench.sessions import load_stages, session
from tests.bench.synthetic_runs import remember_runs, write_runs
from tests.bench.timing import Sizes, median_s, time_once
from tests.bench.workplace import Workplace

PLOTS = """\
from dataclasses import dataclass

import curifactory as cf
from curifactory.caching import JsonCacher
from curifactory.reporting import LinePlotReporter


@dataclass
class Params(cf.ExperimentParameters):
    plots: int = 1
    turn: int = 0


@cf.stage(outputs=["done"], cachers=[JsonCacher])
def plot(record):
    for number in range(record.params.plots):
        ys = [((step * 37 + number) % 101) / 101 for step in range(100)]
        record.report(LinePlotReporter(ys, name=f"line_{number}"))
    return record.params.turn


def get_params():
    return [Params(name="a", plots=PLOTS, turn=TURN)]


def run(param_sets, manager):
    for params in param_sets:
        plot(cf.Record(manager, params))


PLOTS = 1
TURN = 0
"""
FIGURES = """\
from dataclasses import dataclass

import curifactory as cf
from curifactory.reporting import FigureReporter


@dataclass
class Params(cf.ExperimentParameters):
    plots: int = 1


@cf.stage(outputs=["done"])
def draw(record):
    import matplotlib.pyplot as plt

    for number in range(record.params.plots):
        figure, axes = plt.subplots(figsize=(3, 2))
        axes.plot([0, number, 2])
        record.report(FigureReporter(figure, name=f"figure_{number}"))
    return True


def run(param_sets, manager):
    pass
"""
TWO_STAGES = """\
from dataclasses import dataclass

import curifactory as cf


@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1


@cf.stage(outputs=["x"])
def begin(record):
    return record.params.n


@cf.stage(inputs=["x"], outputs=["y"])
def double(record, x):
    return 2 * x


def run(param_sets, manager):
    for params in param_sets:
        double(begin(cf.Record(manager, params)))
"""


def measure_plots(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure a run that reports line plots, with its page: the first time, and reused."""
    from curifactory.workflow.experiment import run_experiment

    place = workplace.project()
    found: dict[str, list[float]] = {"floor": [], "first": [], "reused": []}
    with place.entered():
        module = load_stages(place, PLOTS, "plots")
        number = sizes.of(100, quick=20, tiny=2)
        # The first turn imports matplotlib and is not counted; the figures of all turns differ in nothing but their run.
        for turn in range(sizes.repeats + 1):
            module.PLOTS, module.TURN = number, turn
            now = {"floor": time_once(lambda: _plot_plainly(number))}
            now["first"] = time_once(lambda: run_experiment("plots", quiet=True))
            now["reused"] = time_once(lambda: run_experiment("plots", quiet=True))
            if turn:
                for name, seconds in now.items():
                    found[name].append(seconds * 1e3 / number)
        without = _without_plots(place.root, module, sizes.repeats) * 1e3 / number
    floor, first, reused = (statistics.median(found[name]) for name in ("floor", "first", "reused"))
    repeats = len(found["floor"])
    yield Figure(
        row="reports.plots_first", what=f"run and report with {number} line plots, first, for each", unit="ms",
        floor=floor, ours=first, target_ratio=1.1, repeats=repeats,
    )  # fmt: skip
    yield Figure(
        row="reports.plots_reused", what="the same, reused, less a run without plots", unit="ms", floor=floor,
        ours=max(reused - without, 0.0), target=1, repeats=repeats,
    )  # fmt: skip


def _without_plots(root: Path, module: Any, repeats: int) -> float:
    """Return what the same run costs without a plot: what is asked is what each plot adds."""
    from curifactory.workflow.experiment import run_experiment

    module.PLOTS = 0
    run_experiment("plots", quiet=True)
    return median_s(lambda: run_experiment("plots", quiet=True), repeats)


def measure_pages(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure pages without figures: of a small run, and of one with many calls."""
    from curifactory.core.record import Record
    from curifactory.reporting.graph import drawing
    from curifactory.reporting.report import draw_report

    place = workplace.project()
    with place.entered():
        module = load_stages(place, TWO_STAGES, "pages")
        for row, number, target in (
            ("reports.page", 1, 0.05),
            ("reports.page_300", sizes.of(300, tiny=3), 0.5),
        ):
            with session() as manager:
                for n in range(number):
                    module.double(module.begin(Record(manager, module.Params(name=f"s{n}", n=n))))
                folder = manager.run_folder
            reports = place.root / "reports"
            draw_report(folder, reports)
            whole = median_s(
                lambda folder=folder, reports=reports: draw_report(folder, reports), sizes.repeats
            )
            # The layout program is not ours: what is left without one is what we cost.
            programs, drawing.find_programs = drawing.find_programs, list
            try:
                ours = median_s(
                    lambda folder=folder, reports=reports: draw_report(folder, reports), sizes.repeats
                )
            finally:
                drawing.find_programs = programs
            sets = f"{number} set{'s' if number > 1 else ''} × 2 stages"
            yield Figure(
                row=row, what=f"page of {sets}, without the layout program", unit="s", ours=ours, target=target,
                repeats=sizes.repeats,
            )  # fmt: skip
            yield Figure(
                row=f"{row}_drawn",
                what=f"page of {sets}, graph drawn",
                unit="s",
                ours=whole,
                repeats=sizes.repeats,
            )


def measure_index(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure the index after one more run, where there are very many."""
    from curifactory.reporting.index import draw_index, update_index
    from curifactory.store.index import Index
    from curifactory.store.layout import Layout
    from curifactory.store.runs import RunStore

    count = sizes.of(10_000, tiny=20)
    place = workplace.project()
    write_runs(place.root, count)
    remember_runs(place.root)
    runs_folder, reports = place.root / "data" / "runs", place.root / "reports"
    repeats = 2 * sizes.repeats
    with Index(Layout(place.root / "data" / "cache").index_path) as index:
        store = RunStore(runs_folder, index)
        update_index(store, reports)

        def one_more() -> None:
            store.note(store.claim("tiny", now=datetime.now(UTC)).path)

        ours = median_s(lambda: update_index(store, reports), repeats, prepare=one_more)
        whole = median_s(lambda: draw_index(store.iter_rows(), reports), sizes.repeats)
        claim = median_s(one_more, repeats)
    yield Figure(
        row="reports.index", what=f"index after one more run, {count:,} runs there", unit="ms", ours=ours * 1e3, target=50,
        repeats=repeats,
    )  # fmt: skip
    for row, what, seconds in (
        ("reports.index_whole", "the same drawn anew from all rows, as `reindex` does", whole),
        ("reports.claim", "claiming a number and a folder among them", claim),
    ):
        yield Figure(row=row, what=what, unit="ms", ours=seconds * 1e3, repeats=repeats)


def measure_memory(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure by how much each further figure of a run raises the memory of the process: by nothing, if they are closed."""
    import resource

    from curifactory.core.record import Record

    few, many = sizes.of(50, tiny=2), sizes.of(1_000, quick=250, tiny=6)
    place = workplace.project()
    peaks: list[int] = []
    with place.entered():
        module = load_stages(place, FIGURES, "figures")
        with session() as manager:
            # The first turns import matplotlib and fill its caches.
            for number in (few, few, many):
                module.draw(Record(manager, module.Params(name=f"n{len(peaks)}", plots=number)))
                peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    yield Figure(
        row="reports.figures_memory", what=f"memory that each of {many:,} figures adds", unit="KiB",
        ours=(peaks[2] - peaks[1]) / many, target=10,
    )  # fmt: skip


BENCHMARKS = (
    Benchmark("reports.plots", measure_plots),
    Benchmark("reports.pages", measure_pages),
    Benchmark("reports.index", measure_index),
    Benchmark("reports.figures", measure_memory),
)


def _plot_plainly(number: int) -> None:
    from matplotlib.figure import Figure as Drawing

    folder = Path("plain")
    folder.mkdir(exist_ok=True)
    for plot in range(number):
        ys = [((step * 37 + plot) % 101) / 101 for step in range(100)]
        figure = Drawing(figsize=(6.4, 3.8))
        axes = figure.add_subplot()
        axes.plot(ys)
        axes.grid(visible=True)
        figure.savefig(folder / f"line_{plot}.svg")

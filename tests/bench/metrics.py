"""What it costs to log a metric, to have it on disk, and to read it back."""

from __future__ import annotations

import json
import statistics
import tracemalloc
from collections.abc import Iterator
from typing import Any

from tests.bench.benchmark import Benchmark
from tests.bench.figures import Figure
from tests.bench.sessions import load_stages, session
from tests.bench.synthetic_runs import remember_runs, write_runs
from tests.bench.timing import Sizes, calls_in, median_s, time_once
from tests.bench.workplace import Workplace

TRAINING = """\
import time
from dataclasses import dataclass

import curifactory as cf

TOLD = {}


@dataclass
class Params(cf.ExperimentParameters):
    steps: int = 1


@cf.stage(outputs=["loss"])
def train(record):
    steps = record.params.steps
    log = record.log
    loss = 1.0
    started = time.perf_counter()
    for step in range(steps):
        loss *= 0.99997
        log({"loss": loss}, step=step)
    TOLD["loop_s"] = time.perf_counter() - started
    return loss


def run(param_sets, manager):
    pass
"""


def measure_log(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure ``record.log`` in a stage: in the loop, until all is on disk, in bytes, and read back."""
    from curifactory.core.record import Record
    from curifactory.store.run import Run

    steps = sizes.of(100_000, quick=20_000, tiny=20)
    place = workplace.project()
    found: dict[str, list[float]] = {name: [] for name in ("floor", "loop", "durable", "bytes", "read")}
    with place.entered():
        module = load_stages(place, TRAINING, "training")
        for _ in range(sizes.repeats):
            found["floor"].append(time_once(lambda: _log_plainly(steps)))
            with session() as manager:
                record = Record(manager, module.Params(name="a", steps=steps))

                def run_and_finish(record: Any = record, manager: Any = manager) -> None:
                    module.train(record)
                    manager.finish()

                found["durable"].append(time_once(run_and_finish))
                found["loop"].append(module.TOLD["loop_s"])
                folder = manager.run_folder
                found["bytes"].append((folder / "metrics.jsonl").stat().st_size / steps)
            found["read"].append(time_once(lambda folder=folder: Run.read(folder).metrics))
            count = sum(len(series.values) for series in Run.read(folder).metrics)
            if count != steps:
                raise RuntimeError(f"{count} of {steps} steps were read back")
    median = {name: statistics.median(values) for name, values in found.items()}
    floor_us = calls_in(median["floor"], steps)
    yield Figure(
        row="metrics.log", what="record.log of one metric in a stage's loop", unit="µs", floor=floor_us,
        ours=calls_in(median["loop"], steps), target=2, floor_there=0.7, repeats=sizes.repeats,
    )  # fmt: skip
    yield Figure(
        row="metrics.durable", what=f"{steps:,} steps until all are on disk", unit="s", floor=median["floor"],
        ours=median["durable"], target=0.3, floor_there=0.07, repeats=sizes.repeats,
    )  # fmt: skip
    yield Figure(row="metrics.bytes", what="bytes a step", unit="bytes", ours=median["bytes"], target=45)
    yield Figure(
        row="metrics.read", what=f"{steps:,} steps read back", unit="s", ours=median["read"], target=0.2,
        repeats=sizes.repeats,
    )  # fmt: skip


def measure_memory(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure the memory that each logged step needs at most: nothing, if it is flat."""
    from curifactory.core.record import Record

    steps = sizes.of(100_000, quick=20_000, tiny=20)
    place = workplace.project()
    with place.entered():
        module = load_stages(place, TRAINING, "training")
        peaks = []
        for number in (steps // 2, steps):
            with session() as manager:
                record = Record(manager, module.Params(name="a", steps=number))
                tracemalloc.start()
                try:
                    module.train(record)
                    peaks.append(tracemalloc.get_traced_memory()[1])
                finally:
                    tracemalloc.stop()
    ours = max(peaks[1] - peaks[0], 0) / (steps - steps // 2)
    yield Figure(row="metrics.memory", what="memory for each further step", unit="bytes", ours=ours, target=8)


def measure_filter(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure the question which of a thousand runs had which accuracy."""
    from curifactory.store.index import Index
    from curifactory.store.layout import Layout
    from curifactory.store.runs import RunStore
    from curifactory.workflow.runs.selection import Wanted, make_condition, select_runs

    runs = sizes.of(1_000, tiny=5)
    place = workplace.project()
    write_runs(place.root, runs, metrics=True)
    remember_runs(place.root)
    with Index(Layout(place.root / "data" / "cache").index_path, read_only=True) as index:
        store = RunStore(place.root / "data" / "runs", index)
        if select_runs(store, Wanted(condition=make_condition(["accuracy >= 0"], {}))).found != runs:
            raise RuntimeError("a run's metric is not in the index")
        wanted = Wanted(condition=make_condition(["accuracy > 0.9"], {}))
        ours = median_s(lambda: select_runs(store, wanted), 4 * sizes.repeats)
    yield Figure(
        row="metrics.filter", what=f"filter {runs:,} runs by a metric", unit="ms", ours=ours * 1e3, target=5,
        repeats=4 * sizes.repeats,
    )  # fmt: skip


BENCHMARKS = (
    Benchmark("metrics.log", measure_log),
    Benchmark("metrics.memory", measure_memory),
    Benchmark("metrics.filter", measure_filter),
)


def _log_plainly(steps: int) -> None:
    import msgspec

    encode = msgspec.json.Encoder().encode
    loss = 1.0
    with open("plain.jsonl", "wb") as file:
        for step in range(steps):
            loss *= 0.99997
            file.write(encode({"loss": loss, "step": step}) + b"\n")
    # The floor's own file is read by nobody; it only has to be whole.
    with open("plain.jsonl", "rb") as file:
        json.loads(file.readline())

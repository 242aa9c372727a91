"""Large values: an array of 200 MB, a table of two million rows; saved by a stage and loaded again."""

from __future__ import annotations

import os
import shutil
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.bench.benchmark import Benchmark
from tests.bench.figures import Figure
from tests.bench.held import HELD
from tests.bench.sessions import load_stages, session
from tests.bench.timing import Sizes, time_once
from tests.bench.workplace import Place, Workplace

VALUES = """\
from dataclasses import dataclass

import curifactory as cf
from curifactory.caching import Lazy, NumpyCacher, ParquetCacher
from tests.bench.held import HELD

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1


@cf.stage(outputs=[Lazy("array")], cachers=[NumpyCacher])
def lazy_array(record):
    record.params.n
    return HELD["array"]


@cf.stage(outputs=["array"], cachers=[NumpyCacher])
def array(record):
    record.params.n
    return HELD["array"]


@cf.stage(outputs=["frame"], cachers=[ParquetCacher])
def frame(record):
    record.params.n
    return HELD["frame"]


def run(param_sets, manager):
    pass
"""


def measure_array(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure an array: saved against a plain write and digest of its bytes, loaded against a plain read."""
    import numpy as np

    size = sizes.of(25_000_000, quick=5_000_000, tiny=100)
    value = np.random.default_rng(0).random(size)
    name = f"{size * 8 / 1e6:,.0f} MB array"
    place = workplace.project()
    with place.entered():
        module = load_stages(place, VALUES, "large")
        HELD["array"] = value
        write, read = _plain_array(value)
        found = _measure_stage(place, module, module.array, "array", write, read, sizes.repeats)
        lazy = _measure_stage(place, module, module.lazy_array, "array", write, read, sizes.repeats)
    yield _in_milliseconds(
        "values.array_save", f"{name}, saved by a stage", found["save"], found["plain save"], 1.25
    )
    yield _in_milliseconds(
        "values.array_load", f"{name}, loaded from the cache", found["load"], found["plain load"], None
    )
    yield Figure(
        row="values.array_lazy", what=f"{name}, loaded lazily", unit="ms", floor=lazy["plain load"] * 1e3,
        ours=lazy["load"] * 1e3, target=5, repeats=sizes.repeats,
    )  # fmt: skip


def measure_frame(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure a table of ten columns against pyarrow alone."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = sizes.of(2_000_000, quick=500_000, tiny=100)
    generator = np.random.default_rng(0)
    value = pd.DataFrame({f"column_{n}": generator.random(rows) for n in range(10)})
    place = workplace.project()
    with place.entered():
        module = load_stages(place, VALUES, "large")
        HELD["frame"] = value

        def write() -> None:
            pq.write_table(pa.Table.from_pandas(value), "plain.parquet")

        def read() -> None:
            pq.read_table("plain.parquet").to_pandas()

        found = _measure_stage(place, module, module.frame, "frame", write, read, sizes.repeats)
    name = f"{rows:,} × 10 frame, Parquet"
    yield _in_milliseconds(
        "values.frame_save", f"{name}, saved by a stage", found["save"], found["plain save"], 1.1
    )
    yield _in_milliseconds(
        "values.frame_load", f"{name}, loaded from the cache", found["load"], found["plain load"], 1.1
    )


BENCHMARKS = (Benchmark("values.array", measure_array), Benchmark("values.frame", measure_frame))


def _measure_stage(
    place: Place,
    module: ModuleType,
    stage: Any,
    output: str,
    write: Callable[[], object],
    read: Callable[[], object],
    repeats: int,
) -> dict[str, float]:
    """Return the median times of a stage that saves a value and of loading it, each in turns with plain Python."""
    from curifactory.core.record import Record

    times: dict[str, list[float]] = {"save": [], "load": [], "plain save": [], "plain load": []}
    # The first turn imports, and is not counted.
    for turn in range(repeats + 1):
        params = module.Params(name="a", n=turn)
        now = {"plain save": time_once(write)}
        with session() as manager:
            record = Record(manager, params)
            now["save"] = time_once(lambda record=record: stage(record))
        now["plain load"] = time_once(read)
        with session() as manager:
            record = Record(manager, params)
            stage(record)
            now["load"] = time_once(lambda record=record: record.state[output])
        if turn:
            for name, seconds in now.items():
                times[name].append(seconds)
        shutil.rmtree(place.root / "data")
    return {name: statistics.median(found) for name, found in times.items()}


def _plain_array(value: Any) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return what writes and digests the bytes of an array, and what reads them."""
    from blake3 import blake3

    path, content = Path("plain.bin"), memoryview(value).cast("B")

    def write() -> None:
        # A new file, as each result is one: writing over the pages of an old one costs less.
        path.unlink(missing_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        blake3(content, max_threads=blake3.AUTO).hexdigest()

    def read() -> None:
        buffer = bytearray(os.path.getsize(path))
        with open(path, "rb") as file:
            file.readinto(buffer)

    return write, read


def _in_milliseconds(row: str, what: str, ours: float, floor: float, ratio: float | None) -> Figure:
    return Figure(row=row, what=what, unit="ms", floor=floor * 1e3, ours=ours * 1e3, target_ratio=ratio)

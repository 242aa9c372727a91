"""What one call costs: not cached, reused, written; and what lies on disk beside its result."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.benchmark import Benchmark
from tests.bench.figures import Figure
from tests.bench.sessions import load_stages, session
from tests.bench.timing import Sizes, calls_in, median_s, time_once
from tests.bench.workplace import Workplace


def measure_live(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure stages that are not cached, in a live session whose run is recorded and logged."""
    from curifactory.core.record import Record

    count = sizes.of(10_000, quick=3_000, tiny=9) // 3
    place = workplace.project()
    with place.entered():
        module = load_stages(place)
        params = module.Params(name="a")
        chain = (
            _decorated("a")(lambda _: 1),
            _decorated("b")(lambda s: s["a"] + 1),
            _decorated("c")(lambda s: s["b"] + 1),
        )

        def run_plain() -> None:
            for _ in range(count):
                state: dict[str, Any] = {}
                for stage in chain:
                    stage(state)

        floors, times = [], []
        for _ in range(sizes.repeats):
            floors.append(time_once(run_plain))
            with session() as manager:
                records = [Record(manager, params) for _ in range(count)]

                def run_stages(records: list[Record] = records) -> None:
                    for record in records:
                        module.plain_c(module.plain_b(module.plain_a(record)))

                times.append(time_once(run_stages))
        calls = 3 * count
        yield Figure(
            row="calls.live",
            what=f"stage call, not cached, live, chain of 3, {calls:,} calls",
            unit="µs",
            floor=calls_in(statistics.median(floors), calls),
            ours=calls_in(statistics.median(times), calls),
            target=20,
            repeats=sizes.repeats,
        )


def measure_cached(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure calls of one stage with a tiny value: written, reused, and reused with the value asked for."""
    from curifactory.core.record import Record

    count = sizes.of(2_000, quick=1_000, tiny=5)
    place = workplace.project()
    times: dict[str, list[float]] = {"write": [], "hit": [], "value": [], "plain write": [], "plain read": []}
    with place.entered():
        module = load_stages(place)
        for turn in range(sizes.repeats):
            sets = [module.Params(name=f"s{n}", n=n + turn * count) for n in range(count)]
            plain = Path(f"plain-{turn}")
            plain.mkdir()
            times["plain write"].append(time_once(functools.partial(_write_plainly, plain, sets)))
            with session() as manager:
                records = [Record(manager, each) for each in sets]
                times["write"].append(time_once(functools.partial(_call_each, module.one, records)))
            times["plain read"].append(time_once(functools.partial(_read_plainly, plain, sets)))
            with session() as manager:
                records = [Record(manager, each) for each in sets]
                times["hit"].append(time_once(functools.partial(_call_each, module.one, records)))
                times["value"].append(time_once(functools.partial(_read_each, records)))
        each_us = {name: calls_in(statistics.median(found), count) for name, found in times.items()}
        for row, what, ours, floor, target in (
            ("calls.write", f"cache write, tiny value, live, {count:,} calls", "write", "plain write", 150),
            ("calls.hit", f"cache hit, tiny value, live, {count:,} calls", "hit", "plain read", 25),
            ("calls.value", "the value of such a hit, when it is asked for", "value", "plain read", None),
        ):
            yield Figure(
                row=row, what=what, unit="µs", floor=each_us[floor], ours=each_us[ours], target=target,
                floor_there={"plain write": 75, "plain read": 7}[floor], repeats=sizes.repeats,
            )  # fmt: skip
        yield from _measure_bytes(place.root / "data", count * sizes.repeats)


def _measure_bytes(data: Path, results: int) -> Iterator[Figure]:
    found = [
        path.stat().st_size
        for path in (data / "manifests").rglob("*.json")
        if not path.name.startswith("code-")
    ]
    yield Figure(
        row="calls.bytes",
        what="manifest beside each tiny result",
        unit="bytes",
        ours=statistics.median(found),
        target=600,
    )
    index = sum(path.stat().st_size for path in data.glob("index.db*"))
    yield Figure(row="calls.bytes_index", what="index for each result", unit="bytes", ours=index / results)
    runs = sum(path.stat().st_size for path in (data / "runs").rglob("*") if path.is_file())
    yield Figure(
        row="calls.bytes_run",
        what="run folder for each call (calls, records, log)",
        unit="bytes",
        ours=runs / results / 2,
    )


def measure_known_set(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure how long a set is looked at whose digest is known already."""
    place = workplace.project()
    count = sizes.of(20_000, tiny=10)
    with place.entered():
        params = load_stages(place).Params(name="a")
        with session(dry=True) as manager:
            identify = manager.engine.identifier.parameters_of
            identify(params)

            def look() -> None:
                for _ in range(count):
                    identify(params)

            ours = calls_in(median_s(look, sizes.repeats), count)
    yield Figure(
        row="calls.known_set",
        what="a set that was digested before",
        unit="µs",
        ours=ours,
        repeats=sizes.repeats,
    )


BENCHMARKS = (
    Benchmark("calls.live", measure_live),
    Benchmark("calls.cached", measure_cached),
    Benchmark("calls.known_set", measure_known_set),
)


def _decorated(name: str) -> Any:
    def decorate(function: Any) -> Any:
        @functools.wraps(function)
        def call(state: dict[str, Any]) -> dict[str, Any]:
            state[name] = function(state)
            return state

        return call

    return decorate


def _call_each(stage: Any, records: list[Any]) -> None:
    for record in records:
        stage(record)


def _read_each(records: list[Any]) -> None:
    for record in records:
        record.state["x1"]


def _plain_path(folder: Path, params: Any) -> str:
    key = hashlib.sha256(repr((params.name, params.n, params.rate)).encode()).hexdigest()
    return f"{folder}/chain_{key[:32]}_one_x1.json"


def _write_plainly(folder: Path, sets: list[Any]) -> None:
    for params in sets:
        path = _plain_path(folder, params)
        with open(f"{path}.partial", "w", encoding="utf-8") as file:
            json.dump(params.n, file)
        os.replace(f"{path}.partial", path)


def _read_plainly(folder: Path, sets: list[Any]) -> None:
    for params in sets:
        with open(_plain_path(folder, params), encoding="utf-8") as file:
            json.load(file)

"""Whether anything grows with the number of sets: five cached stages for each of N, and an aggregate over all."""

from __future__ import annotations

import hashlib
import json
import math
import os
import sqlite3
import statistics
import tracemalloc
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from curifactory.core import garbage
from tests.bench.benchmark import Benchmark
from tests.bench.figures import Figure
from tests.bench.sessions import load_stages, session, settle
from tests.bench.timing import Sizes, calls_in, time_once
from tests.bench.workplace import Workplace, rest

_MANY = 10_000
STAGES = ("one", "two", "three", "four", "five")


def measure_scale(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure first and reused runs at growing N, and fit an exponent to each."""
    numbers = (2, 4) if sizes.tiny else (10, 100, 1_000) if sizes.quick else (10, 100, 1_000, 10_000)
    # Seconds by N, ours and the floor's.
    first: dict[int, tuple[float, float]] = {}
    reused: dict[int, tuple[float, float]] = {}
    for number in numbers:
        found = [_measure_number(workplace, number) for _ in range(sizes.repeats)]
        first_s, reused_s, floor_first_s, floor_reused_s = (
            statistics.median(times) for times in zip(*found, strict=True)
        )
        calls = 5 * number + 1
        first[number], reused[number] = (first_s, floor_first_s), (reused_s, floor_reused_s)
        for row, what, ours, floor, target, there in (
            (f"scale.first_{number}", "first run", first_s, floor_first_s, 250, 330),
            (f"scale.reused_{number}", "reused", reused_s, floor_reused_s, 40, 12),
        ):
            yield Figure(
                row=row, what=f"{number:,} sets × 5 cached stages + aggregate, {what}", unit="µs/call",
                floor=calls_in(floor, calls), ours=calls_in(ours, calls), target=target, floor_there=there,
                repeats=sizes.repeats,
            )  # fmt: skip
    for name, times in (("first", first), ("reused", reused)):
        # The fixed costs of a run hide in the smallest N what grows.
        fitted = {number: seconds for number, seconds in times.items() if number >= 100 or sizes.tiny}
        ours, floor = (
            fit_exponent({number: seconds[side] for number, seconds in fitted.items()}) for side in (0, 1)
        )
        # A folder with more files in it takes a disk longer, whoever writes them.
        yield Figure(
            row=f"scale.exponent_{name}", what=f"exponent of that in N, {name}", unit="",
            ours=ours, floor=floor, floor_there=1.0, target=1.05,
        )  # fmt: skip


def measure_memory(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure the memory that each further reused call leaves behind for as long as its run lasts."""
    # About 4,096 calls more, so that buffers that are emptied at that number are as full as before: they are no call's.
    numbers = sizes.of(1_000, tiny=3), sizes.of(1_819, tiny=6)
    place = workplace.project()
    kept = []
    with place.entered():
        module = load_stages(place)
        for number in numbers:
            sets = [module.Params(name=f"s{n}", n=n) for n in range(number)]
            with session(live=False) as manager:
                settle(module, sets, manager)
            tracemalloc.start()
            try:
                with session(live=False) as manager:
                    before, _ = tracemalloc.get_traced_memory()
                    settle(module, sets, manager)
                    # What waits for the disk does not stay.
                    manager.prepare_folder()
                    manager._parts.index.flush()
                    after, _ = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            kept.append(after - before)
    ours = (kept[1] - kept[0]) / (5 * (numbers[1] - numbers[0]))
    what = f"memory that a reused call keeps, {numbers[1]:,} sets × 5"
    yield Figure(row="scale.memory", what=what, unit="bytes", ours=ours, target=1_024)


def measure_map(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure the plan of ten thousand calls, of which none and of which all can be reused."""
    number = sizes.of(2_000, tiny=3)
    place = workplace.project()
    with place.entered():
        module = load_stages(place)
        sets = [module.Params(name=f"s{n}", n=n) for n in range(number)]
        empty = [_plan_once(module, sets) for _ in range(sizes.repeats)]
        with session(live=False) as manager:
            settle(module, sets, manager)
        full = [_plan_once(module, sets) for _ in range(sizes.repeats)]
    for row, stored, times in (
        ("scale.map", "nothing cached", empty),
        ("scale.map_reused", "all cached", full),
    ):
        what = f"map of {5 * number + 1:,} calls, {stored}"
        yield Figure(
            row=row, what=what, unit="s", ours=statistics.median(times), target=0.5, repeats=sizes.repeats
        )


BENCHMARKS = (
    Benchmark("scale.sets", measure_scale),
    Benchmark("scale.memory", measure_memory),
    Benchmark("scale.map", measure_map),
)


def fit_exponent(times: dict[int, float]) -> float:
    """Return the slope of time over number, both as logarithms, by least squares."""
    xs, ys = [math.log(number) for number in times], [math.log(seconds) for seconds in times.values()]
    return statistics.linear_regression(xs, ys).slope


def _plan_once(module: ModuleType, sets: list[Any]) -> float:
    with session(live=False, dry=True) as manager:
        manager.engine.run_code = module.run.__code__

        def plan() -> None:
            module.run(sets, manager)
            manager.plan()

        return time_once(plan)


def _measure_number(workplace: Workplace, number: int) -> tuple[float, float, float, float]:
    """Return the times of a first and a reused run, and of plain Python doing both."""
    place = workplace.project()
    with place.entered():
        module = load_stages(place)
        sets = [module.Params(name=f"s{n}", n=n) for n in range(number)]
        times = []
        for _ in range(2):
            # The process of a command is calm to its end; to go on as before takes one collection, which is none of a call's.
            _rest_before_many(number)
            with session(live=False) as manager, garbage.calm():
                # What it takes to open the store does not depend on the number.
                manager.engine.traces.read_sets("", "")
                times.append(time_once(partial(settle, module, sets, manager)))
        os.makedirs("plain/manifests")
        with sqlite3.connect("plain/index.db") as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute(
                "CREATE TABLE traces (key TEXT PRIMARY KEY, path TEXT, size INTEGER, mtime INTEGER)"
            )
            _rest_before_many(number)
            times.append(time_once(partial(_run_plainly, database, sets)))
            times.append(time_once(partial(_reuse_plainly, database, sets)))
        database.close()
    return times[0], times[1], times[2], times[3]


def _rest_before_many(number: int) -> None:
    if number >= _MANY:
        # What the turn before has left to be written is as much as this one writes, and is none of its own.
        rest()


def _keys(sets: list[Any]) -> Iterator[tuple[str, str]]:
    for params in sets:
        whole = hashlib.sha256(repr((params.name, params.n, params.rate)).encode()).hexdigest()
        for stage in STAGES:
            yield (
                hashlib.sha256(f"{whole}{stage}".encode()).hexdigest(),
                f"plain/chain_{whole[:32]}_{stage}.json",
            )


def _run_plainly(database: sqlite3.Connection, sets: list[Any]) -> None:
    """Write a result and what it was made from, each whole or not at all, and a row of an index."""
    for key, path in _keys(sets):
        _write_whole(path, json.dumps(1))
        _write_whole(
            f"plain/manifests/{key}.json", json.dumps({"key": key, "path": path, "at": "2026-11-21"})
        )
        status = os.stat(path)
        database.execute(
            "INSERT INTO traces VALUES (?, ?, ?, ?)", (key, path, status.st_size, status.st_mtime_ns)
        )
    database.commit()


def _reuse_plainly(database: sqlite3.Connection, sets: list[Any]) -> None:
    """Look each result up and see whether its file is what was written."""
    for key, _ in _keys(sets):
        path, size, mtime = database.execute(
            "SELECT path, size, mtime FROM traces WHERE key = ?", (key,)
        ).fetchone()
        status = os.stat(path)
        if (status.st_size, status.st_mtime_ns) != (size, mtime):
            raise RuntimeError(f"{path} has changed")


def _write_whole(path: str, text: str) -> None:
    partial_path = f"{Path(path).parent}/.partial"
    with open(partial_path, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(partial_path, path)

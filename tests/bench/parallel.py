"""What many hands bring and cost: efficiency on even, uneven and short calls, overhead of a call, memory of a long run."""

from __future__ import annotations

import heapq
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from tests.bench.benchmark import Benchmark
from tests.bench.figures import Figure
from tests.bench.timing import Sizes
from tests.bench.workplace import Place, Workplace, child_environment

CORES = 2
EXPERIMENT = '''\
"""Work of a given time on one core."""

import time
from dataclasses import dataclass

import curifactory as cf
from curifactory.caching import JsonCacher


@dataclass
class Params(cf.ExperimentParameters):
    n: int = 0
    cpu_s: float = 0.0


def get_params():
    return [Params(name=f"s{n}", n=n, cpu_s=cpu_s) for n, cpu_s in enumerate(%(times)r)]


@cf.stage(outputs=["x"], cachers=[JsonCacher])
def work(record):
    until = time.thread_time() + record.params.cpu_s
    while time.thread_time() < until:
        pass
    return record.params.n


def run(param_sets, manager):
    for params in param_sets:
        work(cf.Record(manager, params))
'''
# What two processes take that do nothing else: the work dealt out as they get ready for it.
POOL = """\
import multiprocessing, time

def work(cpu_s):
    until = time.thread_time() + cpu_s
    while time.thread_time() < until:
        pass

if __name__ == "__main__":
    with multiprocessing.get_context("forkserver").Pool(%(cores)d) as pool:
        pool.map(work, %(times)r, chunksize=1)
"""
# What the tools below take for a call that does nothing, in milliseconds.
FLOOR_OF_PROCESSES = """\
import multiprocessing, time

def work(n):
    return n

if __name__ == "__main__":
    with multiprocessing.get_context("forkserver").Pool(%(cores)d) as pool:
        times = []
        for _ in range(%(repeats)d + 1):
            began = time.perf_counter()
            pool.map(work, range(%(number)d), chunksize=1)
            times.append(time.perf_counter() - began)
        print(1e3 * min(times[1:]) / %(number)d)
"""
FLOOR_OF_DASK = """\
import time
import distributed

def work(n):
    return n

if __name__ == "__main__":
    with distributed.LocalCluster(n_workers=%(cores)d, threads_per_worker=1, dashboard_address=None) as cluster:
        with distributed.Client(cluster) as client:
            times = []
            for _ in range(%(repeats)d + 1):
                began = time.perf_counter()
                client.gather([client.submit(work, n, pure=False) for n in range(%(number)d)])
                times.append(time.perf_counter() - began)
            print(1e3 * min(times[1:]) / %(number)d)
"""
HEAVY = '''\
"""Ten megabytes for each of many sets."""

from dataclasses import dataclass

import curifactory as cf
from curifactory.caching import PickleCacher


@dataclass
class Params(cf.ExperimentParameters):
    n: int = 0


def get_params():
    return [Params(name=f"s{n}", n=n) for n in range(%(number)d)]


@cf.stage(outputs=["block"], cachers=[PickleCacher])
def make(record):
    return bytes([record.params.n %% 256]) * 10_000_000


@cf.stage(inputs=["block"], outputs=["size"])
def measure(record, block):
    return len(block)


def run(param_sets, manager):
    for params in param_sets:
        measure(make(cf.Record(manager, params)))
'''
PEAK = (
    "import sys; from curifactory.cli.experiment import main; from curifactory.engine.peak_memory import read_peak; "
    "sys.argv = ['experiment', *sys.argv[1:]]\n"
    "try:\n    main()\nexcept SystemExit:\n    pass\n"
    "print('PEAK', read_peak())"
)


def measure_efficiency(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure how much of two cores a run keeps busy, its start included."""
    uneven = [4.0, 1.0, 3.0, 2.0, 2.0, 1.0, 1.0, 2.0]
    for row, what, all_times, target in (
        ("even", "8 sets × 2 s of CPU", [2.0] * 8, 0.95),
        ("uneven", f"sets of {', '.join(f'{each:g}' for each in uneven)} s of CPU", uneven, 0.95),
        ("short", "200 sets × 50 ms of CPU", [0.05] * 200, 0.90),
    ):
        times = [each / 20 for each in all_times[:4]] if sizes.tiny else all_times
        place = workplace.project()
        place.write("experiments/many.py", EXPERIMENT % {"times": times})
        place.write("pool.py", POOL % {"cores": CORES, "times": times})
        command = (*_COMMAND, "many", "-j", str(CORES), "--no-report")
        found: dict[str, list[float]] = {"": [], "_pool": []}
        for _ in range(1 if sizes.quick or sizes.tiny else 3):
            found["_pool"].append(_time(place, "pool.py"))
            place.forget()
            found[""].append(_time(place, *command))
            if row == "uneven":
                found.setdefault("_again", []).append(_time(place, *command, "--overwrite"))
        for suffix, seconds in found.items():
            # Who knows how long each takes can do better than who does not.
            ideal_s = deal_out(sorted(times, reverse=True) if suffix == "_again" else times)
            told = f"{what} on {CORES} cores: time lost"
            if row == "uneven":
                told += f" of {ideal_s:g} s, the best " + ("order" if suffix == "_again" else "in this order")
            told += {"_pool": ", a bare pool", "_again": ", run again"}.get(suffix, "")
            yield Figure(
                row=f"parallel.{row}{suffix}", what=told, unit="%",
                ours=100 * (1 - ideal_s / statistics.median(seconds)),
                target=None if suffix == "_pool" else 100 * (1 - target), repeats=len(seconds),
            )  # fmt: skip


def deal_out(times: Sequence[float]) -> float:
    """Return when the last of some jobs ends if each goes in order to the core that is free first."""
    ends = [0.0] * CORES
    for each in times:
        heapq.heapreplace(ends, ends[0] + each)
    return max(ends)


def measure_overhead(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure what a call costs that does nothing, on each executor, beyond what it costs here."""
    number = sizes.of(1_000, tiny=4)
    executors = [("processes", ("-j", str(CORES)), 1.0, FLOOR_OF_PROCESSES, 0.1)]
    try:
        import distributed  # noqa: F401 - only whether it is there
    except ImportError:
        sys.stderr.write("distributed is not installed: no row parallel.dask\n")
    else:
        executors.append(("dask", ("--executor", "dask", "-j", str(CORES)), 4.0, FLOOR_OF_DASK, 1.5))
    for name, words, target, floor, floor_there in executors:
        places = {count: workplace.project() for count in (number, 2 * number)}
        for count, place in places.items():
            place.write("experiments/many.py", EXPERIMENT % {"times": [0.0] * count})
            place.write("floor.py", floor % {"cores": CORES, "number": number, "repeats": sizes.repeats})
        floor_ms = float(places[number].command("floor.py"))
        found: dict[int, list[float]] = {count: [] for count in places}
        for _ in range(sizes.repeats):
            for count, place in places.items():
                place.forget()
                found[count].append(_time(place, *_COMMAND, "many", *words, "--no-report"))
        # The difference of two sizes leaves the start of everything out.
        ms = 1e3 * (min(found[2 * number]) - min(found[number])) / number
        what = f"a call that does nothing, {name}, of {number:,} more; floor: the same without us"
        yield Figure(
            row=f"parallel.{name}", what=what, unit="ms", ours=ms, floor=floor_ms, floor_there=floor_there,
            target=target, repeats=sizes.repeats,
        )  # fmt: skip


def measure_memory(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure the most memory of a run in which every set makes 10 MB."""
    number = sizes.of(100, tiny=3) if sizes.quick or sizes.tiny else 1_000
    for words, what in (((), "here"), (("-j", str(CORES)), "with processes, in the command's own")):
        place = workplace.project()
        place.write("experiments/heavy.py", HEAVY % {"number": number})
        said = place.command("-c", PEAK, "heavy", "--no-report", *words)
        peak = int(said.rpartition("PEAK ")[2]) / 1e6
        row = "parallel.memory_here" if not words else "parallel.memory"
        yield Figure(
            row=row, what=f"memory of {number:,} sets × 10 MB, {what}", unit="MB", ours=peak, target=500
        )


BENCHMARKS = (
    Benchmark("parallel.efficiency", measure_efficiency),
    Benchmark("parallel.overhead", measure_overhead),
    Benchmark("parallel.memory", measure_memory),
)
_COMMAND = ("-m", "curifactory.cli.experiment")


def _time(place: Place, *words: Any) -> float:
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *words],
        cwd=place.root,
        env=child_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return time.perf_counter() - began

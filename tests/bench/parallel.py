"""What many hands bring and cost: efficiency on even, uneven and short calls, overhead of a call, memory of a long run."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
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
    "import resource, sys; from curifactory.cli.experiment import main; "
    "sys.argv = ['experiment', *sys.argv[1:]]\n"
    "try:\n    main()\nexcept SystemExit:\n    pass\n"
    "print('PEAK', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
)


def measure_efficiency(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure how much of two cores a run keeps busy, its start included."""
    for row, what, all_times, target in (
        ("even", "8 sets × 2 s of CPU", [2.0] * 8, 0.95),
        (
            "uneven",
            "sets of 4, 1, 3, 2, 2, 1, 1 and 2 s of CPU",
            [4.0, 1.0, 3.0, 2.0, 2.0, 1.0, 1.0, 2.0],
            0.95,
        ),
        ("short", "200 sets × 50 ms of CPU", [0.05] * 200, 0.90),
    ):
        times = [each / 20 for each in all_times[:4]] if sizes.tiny else all_times
        place = workplace.project()
        place.write("experiments/many.py", EXPERIMENT % {"times": times})
        place.write("pool.py", POOL % {"cores": CORES, "times": times})
        ours_s, floor_s = [], []
        for _ in range(1 if sizes.quick or sizes.tiny else 3):
            floor_s.append(_time(place, "pool.py"))
            place.forget()
            ours_s.append(_time(place, *_COMMAND, "many", "-j", str(CORES), "--no-report"))
        ideal_s = sum(times) / CORES
        for name, seconds in ((f"parallel.{row}", ours_s), (f"parallel.{row}_pool", floor_s)):
            told = f"{what} on {CORES} cores: time lost" + (", a bare pool" if name.endswith("pool") else "")
            yield Figure(
                row=name, what=told, unit="%", ours=100 * (1 - ideal_s / statistics.median(seconds)),
                target=None if name.endswith("pool") else 100 * (1 - target), repeats=len(seconds),
            )  # fmt: skip


def measure_overhead(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure what a call costs that does nothing, on each executor, beyond what it costs here."""
    number = sizes.of(300, tiny=4)
    executors = [("processes", ("-j", str(CORES)), 1.0)]
    try:
        import distributed  # noqa: F401 - only whether it is there
    except ImportError:
        sys.stderr.write("distributed is not installed: no row parallel.dask\n")
    else:
        executors.append(("dask", ("--executor", "dask", "-j", str(CORES)), 4.0))
    for name, words, target in executors:
        found = {}
        for count in (number, 2 * number):
            place = workplace.project()
            place.write("experiments/many.py", EXPERIMENT % {"times": [0.0] * count})
            times = []
            for _ in range(sizes.repeats):
                place.forget()
                times.append(_time(place, *_COMMAND, "many", *words, "--no-report"))
            found[count] = min(times)
        # The difference of two sizes leaves the start of everything out.
        ms = 1e3 * (found[2 * number] - found[number]) / number
        what = f"a call that does nothing, {name}, of {number:,} more"
        yield Figure(
            row=f"parallel.{name}", what=what, unit="ms", ours=ms, target=target, repeats=sizes.repeats
        )


def measure_memory(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure the most memory of a run in which every set makes 10 MB."""
    number = sizes.of(100, tiny=3) if sizes.quick or sizes.tiny else 1_000
    for words, what in (((), "here"), (("-j", str(CORES)), "with processes, in the command's own")):
        place = workplace.project()
        place.write("experiments/heavy.py", HEAVY % {"number": number})
        said = place.command("-c", PEAK, "heavy", "--no-report", *words)
        peak = int(said.rpartition("PEAK ")[2]) / 1000
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

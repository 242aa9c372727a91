"""What a person waits for before anything is computed: whole processes, from the interpreter's start to its end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

from tests.bench.benchmark import Benchmark
from tests.bench.figures import Figure
from tests.bench.smallest import EXPERIMENT
from tests.bench.synthetic_runs import remember_runs, write_runs
from tests.bench.timing import Sizes, in_turns_s
from tests.bench.workplace import Place, Workplace, child_environment

COMMAND = ("-m", "curifactory.cli.experiment")
ARGPARSE = "import argparse; p = argparse.ArgumentParser(); p.add_argument('name'); p.parse_args(['tiny'])"
MEMORY = "\nprint([line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')][0])"
PLAIN = """\
import argparse, json, os

parser = argparse.ArgumentParser()
parser.add_argument("name")
parser.parse_args()

def make(n):
    return list(range(n))

def add_up(numbers):
    return sum(numbers)

os.makedirs("plain", exist_ok=True)
numbers = make(3)
with open("plain/numbers.json", "w") as file:
    json.dump(numbers, file)
with open("plain/total.json", "w") as file:
    json.dump(add_up(numbers), file)
"""


def measure_import(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure ``import curifactory``, and what it does to a process's memory."""
    place = workplace.project()
    repeats = 3 * sizes.repeats
    names = "import curifactory; curifactory.stage, curifactory.Record, curifactory.ExperimentParameters"
    for row, what, code in (
        ("start_up.import", "import curifactory", "import curifactory"),
        ("start_up.import_names", "the same, with stage, Record, ExperimentParameters", names),
    ):
        floor, ours = in_turns_s(_process(place, "-c", "pass"), _process(place, "-c", code), repeats)
        yield _milliseconds(row, what, floor, ours, 45, floor_there=14, repeats=repeats)
    if sys.platform == "linux":
        floor, ours = (
            int(place.command("-c", code + MEMORY)) / 1024 for code in ("pass", "import curifactory")
        )
        yield Figure(
            row="start_up.import_memory",
            what="most memory of that process",
            unit="MB",
            floor=floor,
            ours=ours,
            target=25,
        )


def measure_words(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure the commands that only answer: help, version, completion."""
    place = _tiny(workplace)
    floor_work = _process(place, "-c", ARGPARSE)
    for row, what, words in (
        ("start_up.help", "experiment --help", "--help"),
        ("start_up.version", "experiment --version", "--version"),
    ):
        floor, ours = in_turns_s(floor_work, _process(place, *COMMAND, words), 2 * sizes.repeats)
        yield _milliseconds(row, what, floor, ours, 70, floor_there=18, repeats=2 * sizes.repeats)
    asked = {"_EXPERIMENT_COMPLETE": "bash_complete", "COMP_WORDS": "experiment ti", "COMP_CWORD": "1"}
    if not _answers(place, asked):
        sys.stderr.write("start_up.tab: the command does not complete words; left out\n")
        return
    floor, ours = in_turns_s(floor_work, _process(place, *COMMAND, env=asked), 2 * sizes.repeats)
    yield _milliseconds("start_up.tab", "one TAB", floor, ours, 80, floor_there=18, repeats=2 * sizes.repeats)


def measure_listing(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure the commands that list: twenty files, ten thousand runs."""
    place = _tiny(workplace)
    for number in range(20):
        place.write(f"experiments/tiny_{number}.py", EXPERIMENT)
    floor_work = _process(place, "-c", ARGPARSE)
    floor, ours = in_turns_s(floor_work, _process(place, *COMMAND, "ls"), 2 * sizes.repeats)
    yield _milliseconds(
        "start_up.ls", "experiment ls, 20 files", floor, ours, 100, floor_there=18, repeats=2 * sizes.repeats
    )
    count = sizes.of(10_000, tiny=20)
    write_runs(place.root, count)
    remember_runs(place.root)
    floor, ours = in_turns_s(floor_work, _process(place, *COMMAND, "runs"), 2 * sizes.repeats)
    what = f"experiment runs, {count:,} runs"
    yield _milliseconds("start_up.runs", what, floor, ours, 150, floor_there=18, repeats=2 * sizes.repeats)


def measure_whole(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure a whole tiny experiment as a process, with its report, in a git repository."""
    place = _tiny(workplace)
    place.keep_in_git()
    plain, run = _process(place, "plain.py", "tiny"), _process(place, *COMMAND, "tiny")
    repeats = 2 * sizes.repeats
    # The first command of all compiles the experiment's byte code and the templates of the page.
    run()
    floor, ours = in_turns_s(plain, run, repeats, prepare=place.forget)
    yield _milliseconds(
        "start_up.whole_first",
        "whole tiny experiment, first",
        floor,
        ours,
        250,
        floor_there=18,
        repeats=repeats,
    )
    floor, ours = in_turns_s(plain, run, repeats)
    yield _milliseconds(
        "start_up.whole_reused",
        "whole tiny experiment, reused",
        floor,
        ours,
        200,
        floor_there=18,
        repeats=repeats,
    )
    floor, ours = in_turns_s(plain, _process(place, *COMMAND, "tiny", "--map"), repeats)
    yield _milliseconds("start_up.map", "--map of it", floor, ours, 200, repeats=repeats)


BENCHMARKS = (
    Benchmark("start_up.import", measure_import),
    Benchmark("start_up.words", measure_words),
    Benchmark("start_up.listing", measure_listing),
    Benchmark("start_up.whole", measure_whole),
)


def _tiny(workplace: Workplace) -> Place:
    place = workplace.project()
    place.write("experiments/tiny.py", EXPERIMENT)
    place.write("plain.py", PLAIN)
    return place


def _process(place: Place, *words: str, env: dict[str, str] | None = None) -> Callable[[], object]:
    environment = {**child_environment(), **(env or {})}
    command = [sys.executable, *words]

    def work() -> None:
        # No pipes are read: a thread or a poll of this process would be measured, too.
        done = subprocess.run(
            command,
            cwd=place.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode != 0:
            # Once more, to be told why.
            place.command(*words, env=env)

    return work


def _answers(place: Place, asked: dict[str, str]) -> bool:
    try:
        return "tiny" in place.command(*COMMAND, env=asked).split("Usage")[0]
    except RuntimeError:
        return False


def _milliseconds(
    row: str,
    what: str,
    floor: float,
    ours: float,
    target: float,
    *,
    repeats: int,
    floor_there: float | None = None,
) -> Figure:
    return Figure(
        row=row,
        what=what,
        unit="ms",
        floor=floor * 1e3,
        ours=ours * 1e3,
        target=target,
        floor_there=floor_there,
        repeats=repeats,
    )

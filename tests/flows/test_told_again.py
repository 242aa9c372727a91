"""What stages report and log: kept with the trace, told again when the call is reused, and gone when it is no more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from curifactory.errors import DefinitionError

HEAD = """
from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher
from curifactory.reporting import Reportable, TextReporter, LinePlotReporter

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1

def get_params():
    return [Params(name="a", n=1), Params(name="b", n=2)]

def run(param_sets, manager):
    for params in param_sets:
        work(cf.Record(manager, params))
"""
STAGE = '\n@cf.stage(outputs=["x"], cachers=[JsonCacher])\ndef work(record):\n'


def rows(ended, name):
    path = Path(ended.manager.run_folder, name)
    return (
        [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    )


def loggings(ended):
    from curifactory.store.run import Run

    return [
        (series.record, series.type, series.name, series.values, series.steps, series.epochs)
        for series in Run.read(Path(ended.manager.run_folder)).metrics
    ]


def fragments(ended):
    return Path(ended.manager.run_folder, "fragments")


@pytest.fixture
def write(here):
    def write(body, head=HEAD):
        lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
        here.write("experiments/case.py", head + STAGE + lines)

    return write


def test_what_a_reused_call_reported_appears_again(here, write):
    write(
        "record.report(TextReporter('one', name='note', group='all', caption='A note.'))\nreturn record.params.n"
    )
    first, second = here.run(), here.run()
    assert second.executed == {}
    told = rows(second, "reportables.jsonl")
    assert told == rows(first, "reportables.jsonl")
    assert [(row["record"], row["name"], row["group"], row["caption"]) for row in told] == [
        (0, "note", "all", "A note."),
        (1, "note", "all", "A note."),
    ]


def test_files_of_a_reused_call_are_linked_and_not_drawn(here, write):
    write("record.report(LinePlotReporter([1, 2], name='plot'))\nreturn 1")
    first, second = here.run(), here.run()
    before, after = (fragments(ended) / "0" / "plot.svg" for ended in (first, second))
    assert os.stat(before).st_ino == os.stat(after).st_ino


def test_what_a_stage_no_longer_reports_does_not_appear_again(here, write):
    write(
        "record.report(TextReporter('one', name='old'))\nrecord.report(TextReporter('two', name='kept'))\nreturn 1"
    )
    here.run()
    write("record.report(TextReporter('two', name='kept'))\nreturn 1")
    changed, again = here.run(), here.run()
    assert again.executed == {}
    for ended in (changed, again):
        assert [row["name"] for row in rows(ended, "reportables.jsonl")] == ["kept", "kept"]
    write("return 1")
    here.run()
    assert rows(here.run(), "reportables.jsonl") == []


def test_going_back_brings_the_old_reportables_back(here, write):
    body = "record.report(TextReporter('one', name='old'))\nreturn 1"
    write(body)
    here.run()
    write("return 1")
    here.run()
    write(body)
    ended = here.run()
    assert ended.executed == {}
    assert [row["name"] for row in rows(ended, "reportables.jsonl")] == ["old", "old"]


def test_overwriting_replaces_what_was_reported(here, write):
    # The number of the run stands for whatever a trace cannot see.
    write("import os\nrecord.report(TextReporter(os.environ['CASE_TEXT'], name='note'))\nreturn 1")
    os.environ["CASE_TEXT"] = "one"
    try:
        here.run()
        os.environ["CASE_TEXT"] = "two"
        here.run(overwrite=True)
    finally:
        del os.environ["CASE_TEXT"]
    assert [row["data"]["text"] for row in rows(here.run(), "reportables.jsonl")] == ["two", "two"]


def test_a_reportable_that_fails_is_an_error_in_its_place_and_the_run_goes_on(here, write):
    write(
        """
class Map(Reportable):
    def to_fragment(self, folder, name):
        with open(f"{folder}/{name}.part", "w") as file:
            file.write("half")
        raise ValueError("no projection")
record.report(TextReporter("one", name="before"))
record.report(Map(name="map", group="maps", caption="Where they grow."))
record.report(TextReporter("two", name="after"))
return 1
"""
    )
    first, second = here.run(), here.run()
    assert first.executed == {"work": 1}
    assert second.executed == {}
    for ended in (first, second):
        before, broken, after = rows(ended, "reportables.jsonl")[:3]
        assert (before["name"], after["name"]) == ("before", "after")
        assert (broken["kind"], broken["name"], broken["group"], broken["caption"]) == (
            "error",
            "map",
            "maps",
            "Where they grow.",
        )
        assert broken["data"]["message"] == "ValueError: no projection"
        assert 'raise ValueError("no projection")' in broken["data"]["traceback"]
        assert not (fragments(ended) / "0" / "map.part").exists()
    assert any(
        "'map' of" in text and "could not be drawn: ValueError: no projection" in text
        for text in first.warnings
    )


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ("None", "returned NoneType, not a Fragment"),
        ("Fragment('x', 'text', {'text': object()})", "no JSON values"),
        ("Fragment('x', 'image', {}, ('../../../escaped.png',))", "does not lie in its folder"),
        ("Fragment('x', 'image', {}, ('missing.png',))", "does not lie in its folder"),
        ("Fragment(3, 'text', {'text': ''})", "whose name is 3"),
        ("Fragment('x', 'text', {'text': ''}, (), 5)", "whose group is 5"),
    ],
)
def test_a_fragment_that_is_none_costs_nothing_else(here, write, made, message):
    write(
        f"""
from curifactory.core.trace import Fragment
class Odd(Reportable):
    def to_fragment(self, folder, name):
        return {made}
record.report(Odd(name="odd"))
return 1
"""
    )
    ended = here.run()
    assert ended.executed == {"work": 1}
    row = rows(ended, "reportables.jsonl")[0]
    assert (row["kind"], row["name"]) == ("error", "odd")
    assert message in row["data"]["message"]


@pytest.mark.parametrize(
    "name",
    ["../../../escaped", "/tmp/escaped", "a\0b", "con", "x" * 400, "größe", "", ".hidden", "a/b", "..", 7],
)
def test_names_of_reportables_never_leave_their_folder(here, write, name):
    write(f"for _ in range(2):\n    record.report(LinePlotReporter([1, 2], name={name!r}))\nreturn 1")
    before = {path for path in here.project.root.parent.rglob("*") if "fragments" not in str(path)}
    ended = here.run()
    shown = rows(ended, "reportables.jsonl")
    assert [row["kind"] for row in shown] == ["figure"] * 4
    files = [file for row in shown if row["record"] == 0 for file in row["files"]]
    assert len(set(files)) == 2
    assert all((fragments(ended) / "0" / file).is_file() for file in files)
    made = set(here.project.root.parent.rglob("*.svg"))
    assert all(path.parent.name in {"0", "1"} or ".report" in str(path) for path in made - before)


def test_equal_names_in_one_call_have_files_of_their_own(here, write):
    write(
        "for n in range(4):\n    record.report(LinePlotReporter([0, n], name='Plot' if n % 2 else 'plot'))\nreturn 1"
    )
    shown = [row for row in rows(here.run(), "reportables.jsonl") if row["record"] == 0]
    files = [row["files"][0] for row in shown]
    assert len({file.lower() for file in files}) == 4
    assert [row["name"] for row in shown] == ["plot", "Plot", "plot", "Plot"]


def test_what_is_no_reportable_is_a_fault_of_the_stage(here, write):
    write("record.report(5)\nreturn 1")
    with pytest.raises(DefinitionError, match=r"record\.report got int, which is no reportable"):
        here.run()


METRICS = """
for step in range(2500):
    record.log("training", {"loss": 1 / (step + 1), "rate": 1}, step=step)
record.log("Validate", {"loss": float("nan")}, step=7, epoch=2)
record.log({"accuracy": 0.5 * record.params.n})
record.log("holdout", {"loss": float("inf")})
return record.params.n
"""


def test_what_was_logged_is_told_again_exactly(here, write):
    write(METRICS)
    first, second = here.run(), here.run()
    assert second.executed == {}
    told = loggings(first)
    assert {(kind, name) for _, kind, name, *_ in told} == {
        ("train", "loss"),
        ("train", "rate"),
        ("val", "loss"),
        ("", "accuracy"),
        ("holdout", "loss"),
    }
    assert repr(sorted(loggings(second), key=repr)) == repr(sorted(told, key=repr))
    assert told[0][3][:3] == [1.0, 0.5, 1 / 3]
    assert told[0][4] == list(range(2500))


def test_curves_of_a_reused_call_keep_the_times_of_their_steps(here, write):
    from curifactory.store.run import Run

    write(
        "import time\nfor step in range(3):\n    record.log({'loss': step}, step=step)\n    time.sleep(0.02)\nreturn 1"
    )
    first, second = (Run.read(Path(here.run().manager.run_folder)).metrics[0] for _ in range(2))
    assert second.after_s == first.after_s
    assert second.after_s[2] >= 0.03
    assert second.started_at == first.started_at


def test_an_aggregate_tells_of_each_record_as_it_then_is(here):
    here.write(
        "experiments/case.py",
        """
from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher
from curifactory.reporting import TextReporter

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1

def get_params():
    return [Params(name="a", n=1), Params(name="b", n=2)]

FIRST = False

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return record.params.n

@cf.aggregate(inputs=["x"], outputs=["y"], cachers=[JsonCacher])
def compare(record, records, x):
    for each in records:
        each.log("test", {"n": x[each]})
        each.report(TextReporter(str(x[each]), name="mine"))
    record.log({"all": len(records)})
    return sum(x.values())

def run(param_sets, manager):
    if FIRST:
        begin(cf.Record(manager, Params(name="z", n=9)))
    chosen = [begin(cf.Record(manager, params)) for params in param_sets]
    compare(cf.Record(manager, None), chosen)
""",
    )
    first = here.run()
    assert [(record, name, values) for record, _, name, values, *_ in loggings(first)] == [
        (0, "n", [1]),
        (1, "n", [2]),
        (2, "all", [2]),
    ]
    here.edit("experiments/case.py", {"FIRST = False": "FIRST = True"})
    second = here.run()
    assert second.executed == {"begin": 1}
    assert sorted((record, name, values) for record, _, name, values, *_ in loggings(second)) == [
        (1, "n", [1]),
        (2, "n", [2]),
        (3, "all", [2]),
    ]
    assert [(row["record"], row["data"]["text"]) for row in rows(second, "reportables.jsonl")] == [
        (1, "1"),
        (2, "2"),
    ]


def test_a_call_that_is_executed_after_it_was_reused_tells_nothing_twice(here):
    here.write(
        "experiments/case.py",
        """
from dataclasses import dataclass
import curifactory as cf
from curifactory.reporting import LinePlotReporter

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1

def get_params():
    return [Params(name="a")]

@cf.stage(outputs=["x"])
def work(record):
    record.report(LinePlotReporter([1, 2], name="plot"))
    record.log({"n": record.params.n}, step=1)
    return record.params.n

def run(param_sets, manager):
    (params,) = param_sets
    record = work(cf.Record(manager, params))
    return record
""",
    )
    here.run()
    ended = here.run()
    assert ended.result.state["x"] == 1
    assert [row["name"] for row in rows(ended, "reportables.jsonl")] == ["plot"]
    assert [values for _, _, _, values, *_ in loggings(ended)] == [[1]]
    assert (fragments(ended) / "0" / "plot.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("logged", "message"),
    [
        ("record.log('train', None)", "got None as metrics"),
        ("record.log({'loss': 'low'})", "'loss' is 'low', which is no number"),
        ("record.log({'loss': 1}, {'loss': 2})", "as the type of metrics"),
    ],
)
def test_what_is_no_metric_is_refused(here, write, logged, message):
    write(f"{logged}\nreturn 1")
    with pytest.raises(DefinitionError, match=message):
        here.run()


FIGURES = """
import os, sys, gc
from matplotlib import pyplot
import curifactory as cf
from curifactory.reporting import FigureReporter

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

@cf.stage(outputs=["x"])
def draw(record):
    sizes = []
    for number in range(180):
        figure, axes = pyplot.subplots(figsize=(2, 2))
        axes.plot([number, 1, 2])
        record.report(FigureReporter(figure, name=f"figure {number}"))
        if number in (59, 179):
            gc.collect()
            sizes.append(resident())
    print(len(pyplot.get_fignums()), sizes[1] - sizes[0])
    return 1

manager = cf.ArtifactManager("figures")
draw(cf.Record(manager, None))
manager.finish()
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="resident memory is read from /proc")
def test_forgotten_figures_keep_memory_flat(project):
    project.write("draw.py", FIGURES)
    done = subprocess.run(
        [sys.executable, "draw.py"],
        cwd=project.root,
        env=project.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    still_open, growth_bytes = map(int, done.stdout.split()[-2:])
    assert still_open == 0
    # A figure that pyplot keeps is a third of a megabyte and more: 120 of them would be forty.
    assert growth_bytes < 12_000_000

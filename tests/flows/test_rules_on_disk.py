"""The hard cases of need, names on disk, crashes and many processes, at the level of whole runs; named by their entries."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import curifactory as cf

CASE = """
import os, time
from dataclasses import dataclass
from pathlib import Path
import curifactory as cf
from curifactory.caching import JsonCacher, Lazy, NumpyCacher, PickleCacher
from curifactory.reporting import JsonReporter

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1

def get_params():
    return [Params(name="a", n=1), Params(name="b", n=2)]

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return [record.params.n] * 3

@cf.stage(inputs=["x"], outputs=["y"], cachers=[JsonCacher])
def go_on(record, x):
    return sum(x)

@cf.stage(inputs=["y"], outputs=["z"], cachers=[JsonCacher])
def end(record, y):
    return y + 1

def run(param_sets, manager):
    records = [end(go_on(begin(cf.Record(manager, p)))) for p in param_sets]
    return records
"""


@pytest.fixture
def chain(here):
    """Give a project with three stages one after the other, for two sets."""
    here.write("experiments/case.py", CASE)
    return here


def manifests(here, pattern: str = "*.json") -> list[Path]:
    folder = here.project.root / "data/manifests"
    return sorted(path for path in folder.rglob(pattern) if not path.name.startswith("code-"))


def rot(path: Path, old: bytes, new: bytes) -> None:
    """Change bytes of a file so that size, times and inode stay as they are."""
    status = path.stat()
    data = path.read_bytes()
    assert old in data
    with path.open("r+b") as file:
        file.write(data.replace(old, new, 1))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size


# ------------------------------------------------------------------------------------------ 0. what is needed, and checked


def test_0_2_a_leaf_without_cacher_is_reused_and_its_value_made_only_if_somebody_reads_it(here) -> None:
    here.write(
        "experiments/case.py",
        CASE.replace('outputs=["z"], cachers=[JsonCacher]', 'outputs=["z"]').replace(
            "    return y + 1",
            "    record.report(JsonReporter({'y': y}, name='told'))\n    record.log({'y': y})\n    return y + 1",
        ),
    )
    assert here.run().executed == {"begin": 2, "go_on": 2, "end": 2}
    ended = here.run()
    assert ended.executed == {}
    for name, column in (("reportables.jsonl", "name"), ("metrics.jsonl", "values")):
        rows = (ended.manager.run_folder / name).read_text().splitlines()
        assert [json.loads(row)[column] for row in rows] in (["told", "told"], [{"y": 3}, {"y": 6}])
    assert [record.state["z"] for record in ended.result] == [4, 7]
    assert {call.name for call in ended.manager.engine.graph.calls if call.made} == {"end"}


def test_0_2_what_only_a_reused_call_reads_is_not_loaded(chain) -> None:
    chain.run()
    for path in chain.cached("*_begin_x.json"):
        path.write_text("this is no JSON, and nobody looks at it")
    ended = chain.run()
    assert ended.executed == {}
    assert [record.state["z"] for record in ended.result] == [4, 7]


def test_0_3_a_call_that_must_run_only_to_learn_what_follows_does_run(chain) -> None:
    from curifactory.workflow.experiment import plan_experiment
    from curifactory.workflow.request import RunRequest

    chain.run()
    chain.edit("experiments/case.py", {"return sum(x)": "return 0 + sum(x)"})
    chain.forget_modules()
    rows = {row.name: row for row in plan_experiment(RunRequest(experiment="case")).rows}
    assert {name: row.verdict.value for name, row in rows.items()} == {
        "begin": "reuse",
        "go_on": "run",
        "end": "perhaps",
    }
    assert str(rows["end"].reason) == "depends on go_on"
    assert chain.run().executed == {"go_on": 2}


def test_0_4_a_flipped_bit_that_no_stat_tells_is_noticed_by_whoever_reads_the_bytes(chain) -> None:
    chain.run()
    for path in chain.cached("*_go_on_y.json"):
        rot(path, b"3" if path.read_bytes().strip() == b"3" else b"6", b"7")
    # Nobody needs the bytes, and a hit asks the stat facts alone.
    assert chain.run().executed == {}
    ended = chain.run(overwrite_stages=("end",))
    assert ended.executed == {"go_on": 2, "end": 2}
    assert [record.state["z"] for record in ended.result] == [4, 7]
    assert [text for text in ended.warnings if "was modified since it was written" in text]


def test_0_4_what_is_read_after_the_run_is_checked_too(chain) -> None:
    chain.run()
    for path in chain.cached("*_end_z.json"):
        rot(path, path.read_bytes().strip()[:1], b"9")
    assert [record.state["z"] for record in chain.run().result] == [4, 7]


@pytest.mark.parametrize("how", ["longer", "later", "another file"])
def test_0_4_a_hit_looks_at_size_time_and_inode(chain, how: str) -> None:
    chain.run()
    for path in chain.cached("*_end_z.json"):
        status, data = path.stat(), path.read_bytes()
        other = bytes([data[0] ^ 1]) + data[1:]
        if how == "longer":
            path.write_bytes(data + b" 1")
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        elif how == "later":
            rot(path, data, other)
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 50_000_000))
        else:
            beside = path.with_suffix(".new")
            beside.write_bytes(other)
            os.utime(beside, ns=(status.st_atime_ns, status.st_mtime_ns))
            beside.rename(path)
    ended = chain.run()
    assert ended.executed == {"end": 2}
    assert "was modified since it was written" in ended.reasons["end"]


def test_0_4_a_touched_file_with_the_same_bytes_is_still_a_hit(chain) -> None:
    chain.run()
    for path in chain.cached("*"):
        os.utime(path)
    assert chain.run().executed == {}


@pytest.mark.parametrize("damage", [b"", b"{}", b"half"])
def test_0_5_a_manifest_that_is_not_whole_is_a_miss_said_in_one_line(chain, damage: bytes) -> None:
    chain.run()
    for path in manifests(chain):
        if ".end" in str(path):
            path.write_bytes(path.read_bytes()[:-20] if damage == b"half" else damage)
    ended = chain.run()
    assert ended.executed == {"end": 2}
    assert [text for text in ended.warnings if "is damaged" in text]
    assert chain.run().executed == {}


def test_0_5_a_flipped_digit_within_a_manifest_is_a_miss(chain) -> None:
    chain.run()
    (path, *_) = [path for path in manifests(chain) if ".go_on" in str(path)]
    (chain.project.root / "data/index.db").unlink()
    data = path.read_bytes()
    digits = [place for place in range(len(data)) if data[place : place + 1].isdigit()]
    place = digits[len(digits) // 2]
    path.write_bytes(data[:place] + (b"9" if data[place : place + 1] != b"9" else b"8") + data[place + 1 :])
    ended = chain.run()
    assert ended.executed == {"go_on": 1}
    assert [record.state["z"] for record in ended.result] == [4, 7]


def test_0_6_one_manifest_a_trace_however_many_calls_use_it(here) -> None:
    here.write(
        "experiments/case.py",
        CASE.replace("[record.params.n] * 3", "[1] * 3").replace(
            '[Params(name="a", n=1), Params(name="b", n=2)]',
            "[Params(name=f'set {n}', n=n) for n in range(20)]",
        ),
    )
    ended = here.run()
    assert ended.executed == {"begin": 1, "go_on": 1, "end": 1}
    assert len(manifests(here)) == 3
    assert len(ended.calls) == 60
    before = {path: path.read_bytes() for path in manifests(here)}
    here.run()
    assert {path: path.read_bytes() for path in manifests(here)} == before


# ------------------------------------------------------------------------------------------------------- 2. the same bytes


@pytest.mark.parametrize(
    ("cacher", "value"),
    [
        ("PickleCacher", "{'some', 'words', 'in', 'no', 'order', 'at', 'all'}"),
        ("PickleCacher", "{'a': {('x', 'y'), ('u', 'v')}, 'b': frozenset('hello world')}"),
        ("NumpyCacher", "{'a': __import__('numpy').arange(4), 'b': __import__('numpy').ones((2, 2))}"),
    ],
)
def test_2_9_equal_values_stop_the_wave_in_every_process(here, cacher: str, value: str) -> None:
    if cacher == "NumpyCacher":
        # Such a file has times in it.
        value = value.replace("{'a': ", "").partition(", 'b'")[0]
    here.write(
        "experiments/case.py",
        CASE.replace('outputs=["x"], cachers=[JsonCacher]', f'outputs=["x"], cachers=[{cacher}]')
        .replace("[record.params.n] * 3", f"[record.params.n] and {value}")
        .replace("sum(x)", "len(x)"),
    )
    here.project.experiment("case", "--no-report", env={"PYTHONHASHSEED": "1"})
    for seed in ("2", "3"):
        here.project.experiment(
            "case", "--no-report", "--overwrite-stage", "begin", env={"PYTHONHASHSEED": seed}
        )
        shown = json.loads(here.project.experiment("show", "-1", "--json").stdout)
        ran = {call["name"] for call in shown["calls"] if call["outcome"] == "ran"}
        assert ran == {"begin"}


# --------------------------------------------------------------------------------------------------------- 3. names on disk


def test_3_5_another_cache_has_its_bookkeeping_beside_it_and_knows_nothing_of_ours(chain) -> None:
    chain.run()
    before = chain.project.files("data/cache")
    ended = chain.run(cache=Path("elsewhere/kept/cache"))
    assert ended.executed == {"begin": 2, "go_on": 2, "end": 2}
    assert chain.project.files("data/cache") == before
    names = {path.name for path in (chain.project.root / "elsewhere/kept").iterdir()}
    assert {"cache", "manifests", "index.db"} <= names
    assert chain.run(cache=Path("elsewhere/kept/cache")).executed == {}


def test_3_5_a_prefix_names_files_and_does_not_isolate(chain) -> None:
    chain.run()
    ended = chain.run(prefix="mine")
    assert ended.executed == {}
    assert len(chain.cached("mine_*_end_z.json")) == 2
    assert chain.run(prefix="mine", overwrite=True).executed == {"begin": 2, "go_on": 2, "end": 2}


@pytest.mark.parametrize("option", ["dry", "dry_cache"])
def test_3_5_a_run_that_leaves_the_cache_alone_writes_none_of_its_parts(chain, option: str) -> None:
    chain.run()
    chain.edit("experiments/case.py", {"y + 1": "y + 2"})
    before = {name: chain.project.files(f"data/{name}") for name in ("cache", "manifests", "superseded")}
    ended = chain.run(**{option: True})
    assert [record.state["z"] for record in ended.result] == [5, 8]
    assert {name: chain.project.files(f"data/{name}") for name in before} == before


def test_3_6_a_stage_of_a_script_is_known_by_the_file_and_not_as_main(project) -> None:
    project.write(
        "work.py",
        CASE
        + """
if __name__ == "__main__":
    manager = cf.ArtifactManager("scripted")
    records = run(get_params(), manager)
    print(sorted(call.outcome.value for call in manager.engine.graph.calls))
""",
    )
    project.run(sys.executable, "work.py")
    stages = {path.name for path in (project.root / "data/manifests").iterdir()}
    assert stages == {"work.begin", "work.go_on", "work.end"}
    project.write(
        "experiments/case.py",
        "import work\n\nget_params = work.get_params\n\ndef run(sets, manager):\n    work.run(sets, manager)\n",
    )
    project.experiment("case", "--no-report")
    shown = json.loads(project.experiment("show", "case/-1", "--json").stdout)
    assert {call["outcome"] for call in shown["calls"]} == {"reused"}


# ---------------------------------------------------------------------------------------------- 4. crashes, many processes

HELD = CASE.replace(
    "    return y + 1",
    "    if not os.path.exists('go'):\n        Path('there').touch()\n        time.sleep(60)\n    return y + 1",
)


def start(project, *arguments: str) -> subprocess.Popen[str]:
    """Start an experiment in a process of its own and come back when it has arrived where it waits."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "curifactory.cli.experiment", *arguments],
        cwd=project.root,
        env=project.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    latest = time.monotonic() + 60
    while not (project.root / "there").exists():
        assert process.poll() is None
        assert time.monotonic() < latest
        time.sleep(0.02)
    return process


@pytest.mark.parametrize("index", ["kept", "deleted", "as it was before"])
def test_4_1_what_a_killed_run_has_finished_is_found_whatever_the_index_knows(here, index: str) -> None:
    here.write("experiments/case.py", CASE)
    place = here.project.root / "data/index.db"
    here.run(names=("b",))
    before = place.read_bytes()
    here.write("experiments/case.py", HELD)
    process = start(here.project, "case", "--no-report")
    process.send_signal(signal.SIGKILL)
    process.wait()
    if index != "kept":
        for path in place.parent.glob("index.db*"):
            path.unlink()
    if index == "as it was before":
        place.write_bytes(before)
    here.write("go", "")
    ended = here.run()
    assert ended.executed == {"end": 2}
    assert [record.state["z"] for record in ended.result] == [4, 7]


def test_4_1_two_runs_at_once_see_each_others_results_before_the_index_is_written(here) -> None:
    here.write("experiments/case.py", HELD)
    process = start(here.project, "case", "--no-report", "-n", "a")
    try:
        here.write("go", "")
        ended = here.run(names=("a",))
        # The other run is executing the last call, so it is waited for.
        assert ended.executed == {}
    finally:
        process.kill()
        process.wait()


def test_4_3_numbers_of_runs_are_claims_and_outlive_the_index(chain) -> None:
    first = chain.run().manager.experiment_run_number
    for path in (chain.project.root / "data").glob("index.db*"):
        path.unlink()
    assert chain.run().manager.experiment_run_number == first + 1
    (latest,) = (chain.project.root / "data/runs").glob("case_2_*")
    for path in sorted(latest.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    latest.rmdir()
    # A number that was given once is not given again, so that a reference means one run for ever.
    assert chain.run().manager.experiment_run_number == first + 2


@pytest.mark.parametrize("damage", ["noise", "torn", "a folder"])
def test_4_4_no_fault_of_the_index_fails_a_run(chain, damage: str) -> None:
    chain.run()
    place = chain.project.root / "data/index.db"
    for path in place.parent.glob("index.db-*"):
        path.unlink()
    data = place.read_bytes()
    place.unlink()
    if damage == "noise":
        place.write_bytes(os.urandom(len(data)))
    elif damage == "torn":
        place.write_bytes(data[: len(data) // 2])
    else:
        place.mkdir()
    ended = chain.run()
    assert ended.executed == {}
    assert [record.state["z"] for record in ended.result] == [4, 7]


def test_4_5_bytes_under_a_name_without_a_manifest_are_unknown_and_set_aside(chain) -> None:
    chain.run()
    # As a run leaves it that was killed after it gave a file its name and before it wrote the manifest.
    (path, other) = chain.cached("*_end_z.json")
    new = path.with_suffix(".new")
    new.write_text("1000")
    new.rename(path)
    ended = chain.run()
    assert ended.executed == {"end": 1}
    assert [record.state["z"] for record in ended.result] == [4, 7]
    assert "1000" in [each.read_text() for each in (chain.project.root / "data/superseded").iterdir()]
    assert path.read_text() != "1000"
    assert other.exists()


def test_4_5_no_output_has_its_name_before_all_have_been_written(here) -> None:
    here.write(
        "experiments/case.py",
        CASE.replace(
            'outputs=["z"], cachers=[JsonCacher]', 'outputs=["z", "w"], cachers=[JsonCacher, JsonCacher]'
        ).replace("return y + 1", "return y + 1, (object() if os.path.exists('broken') else 1)"),
    )
    here.write("broken", "")
    with pytest.raises(cf.CacheError):
        here.run()
    assert here.cached("*_end_*") == []
    (here.project.root / "broken").unlink()
    assert here.run().executed == {"end": 2}


SWAPPED = """
from dataclasses import dataclass
import os
import subprocess
import sys
import curifactory as cf
import helpers
from curifactory.caching import JsonCacher

class Slow(JsonCacher):
    def load(self):
        command = os.environ.pop("MEANWHILE", None)
        if command is not None:
            with open("helpers.py", "w") as file:
                # Of another length: within a second Python takes a text of the same one for the same.
                file.write("VALUE = 22")
            subprocess.run([sys.executable, "-m", "curifactory.cli.experiment", *command.split()], check=True)
        return super().load()

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1

def get_params():
    return [Params(name="a")]

@cf.stage(None, ["x"], [Slow])
def load(record):
    return helpers.VALUE

@cf.stage(["x"], ["y"], [JsonCacher])
def use(record, x):
    return x + 10

def run(param_sets, manager):
    record = load(cf.Record(manager, param_sets[0]))
    if "ONLY" not in os.environ:
        use(record)
"""


def test_3_2_a_name_that_passes_on_while_its_value_is_being_loaded_is_not_taken_for_it(project: Any) -> None:
    project.write("helpers.py", "VALUE = 1")
    project.write("experiments/case.py", SWAPPED)
    project.experiment("case", "--no-report", "--quiet", env={"ONLY": "1"})
    project.experiment("case", "--no-report", "--quiet", env={"MEANWHILE": "case --no-report --quiet"})
    (made,) = (project.root / "data/cache").glob("*_y.json")
    # What was being executed has been given what it had been promised; the other run has its own, and each is found again.
    assert json.loads(made.read_text()) == 11
    for value in (22, 1):
        project.write("helpers.py", f"VALUE = {value}")
        plan = json.loads(project.experiment("case", "--map", "--json").stdout)
        assert plan["totals"]["reuse"] == 2
        project.experiment("case", "--no-report", "--quiet")
        assert json.loads(made.read_text()) == value + 10

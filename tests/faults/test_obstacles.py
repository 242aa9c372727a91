"""D4, D9, D10: no room, no permission, unsaveable values; and what only reads changes no file."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import load_file

two_stages = load_file("two_stages.py").two_stages


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a folder on a file system of eight megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode != 0:
        pytest.skip("file systems can only be mounted by root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


# From no room for the run's folder over its index, its journals and one artifact to all but its report.
ROOMS_KB = [8, 60, 300, 2_900, 6_600, 9_350]


def the_fault(output: str) -> str:
    """Return the one error of a full disk that a run ended by, as far as it has to name the path.

    Of one that a stage's own writing has raised there are several lines: whose it is, where, and what it says.
    """
    lines = output.splitlines()
    full = [line for line in lines if "No space left" in line or "disk is full" in line]
    first, *others = [line for line in full if not line.startswith("warning ")]
    if not first.startswith("Stage '"):
        assert not others, output
        return first
    assert len(others) == 1, output
    begin, end = lines.index(first), lines.index(others[0])
    assert all(line.startswith("  ") for line in lines[begin + 1 : end]), output
    # Python has no name to tell for a file that was open already.
    return lines[end + 1] if lines[end] == "OSError: [Errno 28] No space left on device" else lines[end]


@pytest.mark.parametrize("words", [(), ("-j", "2")], ids=["here", "processes"])
@pytest.mark.parametrize("room_kb", ROOMS_KB)
def test_d4_a_full_disk_is_one_clear_error_and_the_same_command_works_later(
    hurt: Any, small_disk: Path, words: tuple[str, ...], room_kb: int
) -> None:
    shutil.copytree(hurt.project.root, small_disk / "project")
    hurt.project.root = small_disk / "project"
    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
    filler = small_disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(small_disk).free - room_kb * 1024))
    done = hurt.run(*words, check=False)
    assert done.returncode == 1, done.stdout
    assert str(small_disk / "project") in the_fault(done.stdout)
    assert "Traceback" not in done.stdout
    assert "damaged" not in done.stdout
    filler.unlink()
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    hurt.check_whole(*words)


@pytest.mark.parametrize("words", [(), ("-j", "2")], ids=["here", "processes"])
def test_d4_an_artifact_that_does_not_fit_on_the_disk_goes_on_in_memory(
    project: Any, small_disk: Path, words: tuple[str, ...]
) -> None:
    project.write(
        "experiments/case.py", UNSAVEABLE % {"cacher": "PickleCacher", "value": "bytes(20_000_000)"}
    )
    shutil.copytree(project.root, small_disk / "project")
    project.root = small_disk / "project"
    done = project.experiment("case", *words, check=False)
    assert done.returncode == 1, done.output
    fault = done.stderr.splitlines()[-1]
    assert "No space left on device" in fault
    assert str(project.root / "data" / "cache" / "case_") in fault
    # What did not fit is told once, nothing of it stays on the disk, and what fits is kept.
    assert done.output.count("warning ") == 1, done.output
    assert [path.read_text() for path in (project.root / "data" / "cache").iterdir()] == ['"bytes"\n']
    assert shutil.disk_usage(small_disk).free > 2_000_000
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    assert project.experiment("case", *words, check=False).returncode == 0


FULL = """
from dataclasses import dataclass
import os

import curifactory as cf
from curifactory.caching import JsonCacher
from curifactory.core.trace import Fragment


@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1


def get_params():
    # Of a single call no other process is asked.
    return [Params(name="one", n=1), Params(name="two", n=2)]


class Filling:
    name = "told"

    def to_fragment(self, *, folder, name):
        if "FULL" in os.environ:
            # Whoever writes to it finds that the disk is full, at this very place and at no other.
            os.symlink("/dev/full", os.path.join(folder, os.environ["FULL"]))
        return Fragment(name, "text", {"text": "told"}, (), None, None)


@cf.stage(None, ["value"], [JsonCacher])
def make(record):
    record.report(Filling())
    record.log({"loss": 0.5})
    path = record.get_path("notes.txt")
    with open("/dev/full" if os.environ.get("FULL") == "notes.txt" else path, "w") as file:
        file.write("made")
    return record.params.n


def run(param_sets, manager):
    for params in param_sets:
        make(cf.Record(manager, params))
"""


@pytest.mark.parametrize("words", [(), ("-j", "2")], ids=["here", "processes"])
@pytest.mark.parametrize("full", ["fragments.json", "metrics.jsonl", "seal.json"])
def test_d4_what_a_call_has_told_that_does_not_fit_on_the_disk_is_one_error_with_its_path(
    project: Any, words: tuple[str, ...], full: str
) -> None:
    project.write("experiments/case.py", FULL)
    done = project.experiment("case", *words, check=False, env={"FULL": full})
    assert done.returncode == 1, done.output
    fault = the_fault(done.stdout + done.stderr)
    assert "Could not keep what 'make' has reported and logged in" in fault
    assert str(project.root / "data" / "runs" / "case_1_") in fault
    assert "Traceback" not in done.output
    assert project.experiment("case", *words).returncode == 0


@pytest.mark.parametrize("words", [(), ("-j", "2")], ids=["here", "processes"])
def test_d4_a_file_of_the_stage_itself_that_does_not_fit_on_the_disk_is_named(
    project: Any, words: tuple[str, ...]
) -> None:
    project.write("experiments/case.py", FULL)
    done = project.experiment("case", *words, check=False, env={"FULL": "notes.txt"})
    assert done.returncode == 1, done.output
    fault = the_fault(done.stdout + done.stderr)
    assert fault.startswith(f"The last file that it asked for is '{project.root / 'data' / 'cache'}{os.sep}")
    assert fault.endswith("_make_notes.txt'.")
    assert "Traceback" not in done.output
    assert project.experiment("case", *words).returncode == 0


SESSION = """
import os
import shutil
import sys

import curifactory as cf

manager = cf.ArtifactManager("proto", quiet=True)
record = cf.Record(manager, None)
record.log({"loss": 0.5})
with open(os.environ["FILLER"], "wb") as filler:
    filler.write(bytes(shutil.disk_usage(".").free))
"""


def test_d4_a_session_that_ends_on_a_full_disk_says_so_in_one_line(project: Any, small_disk: Path) -> None:
    project.write("session.py", SESSION)
    shutil.copytree(project.root, small_disk / "project")
    environment = {**project.environment, "FILLER": str(small_disk / "filler")}
    done = subprocess.run(
        [sys.executable, "session.py"],
        cwd=small_disk / "project",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    (fault,) = [line for line in done.stderr.splitlines() if not line.startswith("The index")]
    assert str(small_disk / "project" / "data" / "runs" / "proto_1_") in fault
    assert "the disk is full" in fault


@pytest.mark.parametrize("words", [(), ("-j", "2")], ids=["here", "processes"])
def test_d4_a_file_system_that_becomes_read_only(hurt: Any, small_disk: Path, words: tuple[str, ...]) -> None:
    shutil.copytree(hurt.project.root, small_disk / "project")
    hurt.project.root = small_disk / "project"
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    hurt.run()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    done = hurt.run("--overwrite", *words, check=False)
    assert done.returncode == 1
    assert "read-only" in done.stdout
    assert str(small_disk) in done.stdout
    assert "Traceback" not in done.stdout
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    hurt.check_whole()


@pytest.mark.parametrize("words", [(), ("-j", "2")], ids=["here", "processes"])
def test_d4_a_path_that_is_too_long(project: Any, words: tuple[str, ...]) -> None:
    long = "x" * 300
    text = UNSAVEABLE % {"cacher": f"JsonCacher('{long}.json')", "value": "1"}
    project.write("experiments/case.py", text)
    done = project.experiment("case", *words, check=False)
    assert done.returncode == 1, done.output
    said = done.stdout + done.stderr
    assert "File name too long" in said
    assert "Traceback" not in said
    project.write("experiments/case.py", text.replace(long, "short"))
    assert project.experiment("case", *words, check=False).returncode == 0


def test_d4_a_project_that_is_moved_while_it_runs_is_not_brought_back(hurt: Any, tmp_path: Path) -> None:
    process = hurt.start(WAIT_S="0.5")
    hurt.wait_for(lambda: hurt.executions()["expand0"])
    moved = tmp_path / "moved"
    os.rename(hurt.project.root, moved)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1, output
    assert "Traceback" not in output
    assert not hurt.project.root.exists()
    hurt.project.root = moved
    hurt.check_whole()


UNSAVEABLE = """
import threading
from dataclasses import dataclass

import curifactory as cf
from curifactory.caching import JsonCacher, NumpyCacher, PandasCsvCacher, PickleCacher


@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1


def get_params():
    return [Params(name="only")]


@cf.stage(None, ["value"], [%(cacher)s])
def make(record):
    return %(value)s


@cf.stage(["value"], ["kind"], [JsonCacher])
def look(record, value):
    return type(value).__name__


def run(param_sets, manager):
    for params in param_sets:
        look(make(cf.Record(manager, params)))
"""


@pytest.mark.parametrize("words", [(), ("-j", "2")], ids=["here", "processes"])
@pytest.mark.parametrize(
    ("cacher", "value", "kind"),
    [
        ("JsonCacher", "{1, 2}", "set"),
        ("JsonCacher", "{(1, 2): 3}", "dict"),
        ("PickleCacher", "threading.Lock()", "lock"),
        ("PandasCsvCacher", "'no frame'", "str"),
        ("PickleCacher", "(each for each in [1])", "generator"),
    ],
)
def test_d9_what_cannot_be_saved_goes_on_in_memory(
    project: Any, cacher: str, value: str, kind: str, words: tuple[str, ...]
) -> None:
    project.write("experiments/case.py", UNSAVEABLE % {"cacher": cacher, "value": value})
    done = project.experiment("case", *words, check=False)
    assert done.returncode == 1, done.output
    said = done.stdout + done.stderr
    assert cacher in said
    assert "'value'" in said
    assert "Traceback" not in said
    kept = [path.name for path in (project.root / "data" / "cache").iterdir()]
    assert len(kept) == 1
    assert (project.root / "data" / "cache" / kept[0]).read_text().strip() == f'"{kind}"'


READING = [
    ("case", "--map"),
    ("case", "--map", "-j", "2"),
    ("case", "--dry"),
    ("case", "--hashes"),
    ("case", "--print-params"),
    ("ls",),
    ("runs",),
    ("show", "-1"),
    ("cache", "ls"),
    ("cache", "why", "case"),
    ("cache", "verify"),
    ("cache", "gc"),
]


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_d10_what_only_reads_changes_no_file(hurt: Any, words: tuple[str, ...]) -> None:
    hurt.run()
    before = hurt.project.files()
    hurt.project.experiment(*words, check=False)
    assert hurt.project.files() == before


WITH_MANY_HANDS = [("-j", "2"), ("--executor", "dask", "-j", "2")]


@pytest.mark.parametrize("words", [(), *WITH_MANY_HANDS], ids=["here", "processes", "dask"])
def test_d10_a_dry_run_that_executes_changes_no_file(hurt: Any, words: tuple[str, ...]) -> None:
    if "dask" in words:
        pytest.importorskip("distributed", reason="distributed is not installed")
    hurt.run("--dry", *words)
    assert hurt.result() == hurt.expected
    assert not (hurt.project.root / "data").exists()
    hurt.run()
    before = hurt.project.files()
    hurt.forget_executions()
    hurt.run("--dry", "--overwrite", *words)
    assert hurt.result() == hurt.expected
    # Nothing is shared by calls that are to be executed anew.
    assert sum(hurt.executions().values()) == 10
    assert hurt.project.files() == before


@pytest.mark.parametrize("words", [(), *WITH_MANY_HANDS], ids=["here", "processes", "dask"])
def test_a_run_that_leaves_the_cache_as_it_is_does_so_whoever_executes(
    hurt: Any, words: tuple[str, ...]
) -> None:
    if "dask" in words:
        pytest.importorskip("distributed", reason="distributed is not installed")
    hurt.run()
    before = hurt.project.files("data/cache") | hurt.project.files("data/manifests")
    hurt.forget_executions()
    hurt.run("--dry-cache", "--overwrite", *words)
    assert hurt.result() == hurt.expected
    # Nothing is shared by calls that are to be executed anew.
    assert sum(hurt.executions().values()) == 10
    assert hurt.project.files("data/cache") | hurt.project.files("data/manifests") == before


@pytest.mark.parametrize("words", [("ls",), ("case",), ("case", "-j", "2"), ("runs",)], ids=" ".join)
def test_d4_a_working_folder_that_is_gone_is_told(hurt: Any, tmp_path: Path, words: tuple[str, ...]) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    command = [sys.executable, "-P", "-m", "curifactory.cli.experiment", *words]
    done = subprocess.run(
        ["sh", "-c", f'rmdir "{gone}"; exec "$@"', "sh", *command],
        cwd=gone,
        env={**hurt.project.environment, **hurt.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    (fault,) = done.stderr.splitlines()
    assert fault.startswith("The working folder is gone")


@pytest.mark.parametrize("buffered", ["", "1"], ids=["buffered", "at once"])
@pytest.mark.parametrize(
    "words",
    [("--help",), ("run", "--help"), ("--version",), ("ls",), ("case",), ("case", "-j", "2")],
    ids=" ".join,
)
def test_d4_standard_output_that_has_no_room_is_told_once(
    hurt: Any, words: tuple[str, ...], buffered: str
) -> None:
    command = [sys.executable, "-P", "-m", "curifactory.cli.experiment", *words]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command,
            cwd=hurt.project.root,
            env={**hurt.project.environment, **hurt.environment, "PYTHONUNBUFFERED": buffered},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1, done.stderr
    said = [line for line in done.stderr.splitlines() if "standard output" in line]
    assert said == [
        "Could not write to standard output: the disk is full. Make room on that disk, then run the same command again."
    ]
    assert "Traceback" not in done.stderr
    # A run goes on to its end, although nobody sees it.
    runs = hurt.project.root.glob("data/runs/*/run.json")
    assert [json.loads(path.read_bytes())["outcome"] for path in runs] == ["complete"] * ("case" in words)
    hurt.check_whole()


@pytest.mark.parametrize("words", [("--help",), ("ls",), ("case",)], ids=" ".join)
def test_a_command_without_standard_output_says_so_and_does_nothing(
    hurt: Any, words: tuple[str, ...]
) -> None:
    done = _run_closed(hurt, ">&-", *words)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("Standard output is closed")
    assert not (hurt.project.root / "data").exists()


def test_without_standard_error_a_run_goes_on_and_keeps_its_files_to_itself(hurt: Any) -> None:
    # A file that is opened where standard error was would have all that a library of a stage writes there.
    body = "__import__('os').write(2, b'noise')"
    hurt.project.write("experiments/case.py", two_stages(body))
    assert _run_closed(hurt, "<&- 2>&-", "case").returncode == 0
    found = [path.read_bytes() for path in (hurt.project.root / "data" / "cache").iterdir()]
    assert found
    assert not [each for each in found if b"noise" in each]
    hurt.project.experiment("cache", "verify")


def test_standard_error_that_has_no_room_fails_no_run(hurt: Any) -> None:
    hurt.project.write("experiments/case.py", two_stages("__import__('warnings').warn('noise')"))
    done = _run_closed(hurt, "2>/dev/full", "case")
    assert done.returncode == 0
    assert "complete after" in done.stdout


def _run_closed(hurt: Any, closed: str, *words: str) -> Any:
    command = [sys.executable, "-P", "-m", "curifactory.cli.experiment", *words]
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *command],
        cwd=hurt.project.root,
        env={**hurt.project.environment, **hurt.environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("words", [(), ("-j", "2")], ids=["here", "processes"])
def test_a_staging_folder_that_is_removed_during_a_run_is_made_anew(
    hurt: Any, words: tuple[str, ...]
) -> None:
    body = "__import__('shutil').rmtree('data/staging', ignore_errors=True) if record.params.n == 1 else None"
    hurt.project.write("experiments/case.py", two_stages(body))
    done = hurt.run()
    assert "warning" not in done.stdout
    assert len(list((hurt.project.root / "data" / "cache").iterdir())) == 8


def test_d4_a_project_that_is_deleted_before_anything_was_saved_is_not_brought_back(hurt: Any) -> None:
    hurt.project.write("experiments/case.py", two_stages("begun(record); time.sleep(0.5)"))
    process = hurt.start()
    hurt.wait_for(lambda: list(hurt.counted.glob("pid-*")))
    shutil.rmtree(hurt.project.root)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1, output
    assert str(hurt.project.root / "data") in output
    assert "Traceback" not in output
    assert not hurt.project.root.exists()

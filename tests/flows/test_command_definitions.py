"""B3: stages are checked when they are written, what they return when they return it; nothing of it is disguised."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Project

START = """from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher, PickleCacher, Lazy

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1

"""
END = """

def get_params():
    return [Params(name="only")]

def run(param_sets, manager):
    for params in param_sets:
        record = cf.Record(manager, params)
        CALLS
"""

# What is written, and what is said of it before anything has run: exit 2, no run.
WRITTEN = {
    "an input without an argument": (
        "@cf.stage(inputs=['rows'], outputs=['x'])\ndef make(record): return 1",
        ["'rows'", "make"],
    ),
    "an input twice": (
        "@cf.stage(inputs=['rows', 'rows'], outputs=['x'])\ndef make(record, rows): return 1",
        ["names the input 'rows' twice"],
    ),
    "an output twice": ("@cf.stage(outputs=['x', 'x'])\ndef make(record): return 1, 2", ["'x'", "make"]),
    "an output that is no name": ("@cf.stage(outputs=[3])\ndef make(record): return 1", ["3", "make"]),
    "too few cachers": (
        "@cf.stage(outputs=['x', 'y'], cachers=[JsonCacher])\ndef make(record): return 1, 2",
        ["make", "cacher"],
    ),
    "too many cachers": (
        "@cf.stage(outputs=['x'], cachers=[JsonCacher] * 2)\ndef make(record): return 1",
        ["make", "cacher"],
    ),
    "no cachers where there are outputs": (
        "@cf.stage(outputs=['x'], cachers=[])\ndef make(record): return 1",
        ["make"],
    ),
    "a cacher that is none": (
        "@cf.stage(outputs=['x'], cachers=[int])\ndef make(record): return 1",
        ["make", "int"],
    ),
    "no record": ("@cf.stage(outputs=['x'])\ndef make(): return 1", ["make"]),
    "an aggregate without records": (
        "@cf.aggregate(inputs=['x'], outputs=['y'])\ndef make(record, x): return 1",
        ["make", "'x'"],
    ),
    "an aggregate whose records are forgotten": (
        "@cf.aggregate(['a'], ['x'])\ndef make(record, a): return 1",
        ["aggregate 'make'", "begin with the input 'a'", "Write: def make(record, records, a)."],
    ),
    "a coroutine": ("@cf.stage(outputs=['x'])\nasync def make(record): return 1", ["make"]),
}

# What is returned or raised while it runs: exit 1, and a run that shows it.
RETURNED = {
    "nothing for an output": ("@cf.stage(outputs=['x', 'y'])\ndef make(record): pass", ["make", "NoneType"]),
    "one value for two outputs": (
        "@cf.stage(outputs=['x', 'y'])\ndef make(record): return 1",
        ["make", "int"],
    ),
    "three values for two outputs": (
        "@cf.stage(outputs=['x', 'y'])\ndef make(record): return 1, 2, 3",
        ["make", "3"],
    ),
    "an input that nobody has made": (
        "@cf.stage(inputs=['rows'], outputs=['x'])\ndef make(record, rows): return rows",
        ["make", "'rows'"],
    ),
    "a value that its cacher cannot hold": (
        "@cf.stage(outputs=['x'], cachers=[JsonCacher])\ndef make(record): return {1, 2}",
        ["JsonCacher", "'x'", "set"],
    ),
}
RAISED = [
    "KeyError('rows')",
    "ValueError('three')",
    "TypeError('make() takes 2')",
    "ImportError('no torch')",
    "OSError(28, 'full')",
    "StopIteration()",
]


def write(project: Project, text: str, calls: str = "make(record)") -> None:
    project.write("experiments/x.py", START + text + END.replace("CALLS", calls))


@pytest.mark.parametrize("case", WRITTEN)
def test_a_stage_that_is_badly_written_is_refused_before_anything_runs(project: Project, case: str) -> None:
    text, said = WRITTEN[case]
    write(project, text)
    done = project.experiment("x", check=False)
    assert (done.stdout, done.returncode) == ("", 2), done.output
    assert all(part in done.stderr for part in [*said, "experiments/x.py:"]), done.stderr
    assert "Traceback" not in done.stderr
    assert not (project.root / "data").exists()


@pytest.mark.parametrize("case", RETURNED)
def test_what_a_stage_returns_is_checked_and_named(project: Project, case: str) -> None:
    text, said = RETURNED[case]
    write(project, text)
    done = project.experiment("x", check=False)
    assert done.returncode == 1 if "nobody" not in case else done.returncode in (1, 2), done.output
    assert all(part in done.stderr for part in said), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("raised", RAISED)
def test_an_exception_of_a_stage_is_itself(project: Project, raised: str) -> None:
    """Exceptions that the engine uses, too, are not taken for its own."""
    write(project, f"@cf.stage(outputs=['x'])\ndef make(record):\n    raise {raised}")
    done = project.experiment("x", check=False)
    kind = raised.partition("(")[0]
    assert done.returncode == 1
    assert done.stderr.startswith(f"Stage 'make' of Record 0 (only) raised {kind}"), done.stderr
    assert "experiments/x.py:11 in make" in done.stderr
    assert done.stderr.splitlines()[-1].startswith(kind)


def test_lazy_without_a_cacher_is_pickled(project: Project) -> None:
    write(project, "@cf.stage(outputs=[Lazy('x')])\ndef make(record): return {1, 2}")
    assert project.experiment("x").returncode == 0
    assert [path.suffix for path in (project.root / "data/cache").iterdir()] == [".pkl"]

"""S2: names never leave their folders, whatever they are made of and whatever they name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.flows.conftest import InProcess

NAMES = {
    "up": "../up",
    "far up": "../../../../../../far",
    "absolute": "/tmp/absolute-name-of-a-test",
    "a folder": "a/b",
    "backslashes": "..\\up",
    "dots": "..",
    "one dot": ".",
    "hidden": ".hidden",
    "a null byte": "a\0b",
    "lines": "a\nb\r\nc",
    "reserved": "CON",
    "reserved signs": '<>:"|?*',
    "very long": "x" * 600,
    "very long letters of three bytes": "漢" * 300,
    "not ASCII": "größe-漢字-🌸",
    "blanks": "  two words  ",
    "a percent sign": "100%",
    "an option": "--help",
    "a terminal's escape": "\x1b[2Jred",
    "markup": "<script>alert(1)</script>",
    "right to left": "\u202eabc",
}
CASE = """from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher
from curifactory.reporting import JsonReporter

NAME = {name!r}

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1

def get_params():
    return [Params(name={set_name})]

{stage}

def run(param_sets, manager):
    for params in param_sets:
        make(cf.Record(manager, params))
"""
STAGES = {
    "set": "@cf.stage(outputs=['x'], cachers=[JsonCacher])\ndef make(record):\n    return 1",
    "output": "@cf.stage(outputs=[NAME], cachers=[JsonCacher])\ndef make(record):\n    return 1",
    "cacher": "@cf.stage(outputs=['x'], cachers=[JsonCacher(name=NAME)])\ndef make(record):\n    return 1",
    "subdir": "@cf.stage(outputs=['x'], cachers=[JsonCacher(subdir=NAME)])\ndef make(record):\n    return 1",
    "reportable": (
        "@cf.stage(outputs=['x'], cachers=[JsonCacher])\ndef make(record):\n"
        "    record.report(JsonReporter([1], name=NAME, group=NAME))\n    return 1"
    ),
    "own file": (
        "@cf.stage(outputs=['x'], cachers=[JsonCacher])\ndef make(record):\n"
        "    open(record.get_path(NAME), 'w').close()\n    return 1"
    ),
    "metric": (
        "@cf.stage(outputs=['x'], cachers=[JsonCacher])\ndef make(record):\n"
        "    record.log({NAME: 1.0})\n    return 1"
    ),
    "stage": (
        "def make_it(record):\n    return 1\n"
        "make_it.__name__ = make_it.__qualname__ = NAME\n"
        "make = cf.stage(outputs=['x'], cachers=[JsonCacher])(make_it)"
    ),
}


def all_paths(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def outside(here: InProcess) -> set[Path]:
    """List what lies beside the project."""
    root = here.project.root
    return {path for path in all_paths(root.parent) if path != root and root not in path.parents}


def is_safe(name: str) -> bool:
    return len(name.encode("utf-8", "surrogateescape")) <= 255 and "\n" not in name and "\0" not in name


@pytest.mark.parametrize("kind", STAGES)
@pytest.mark.parametrize("case", NAMES)
def test_a_name_stays_in_its_folder_or_is_refused(here: InProcess, kind: str, case: str) -> None:
    from curifactory.errors import CurifactoryError

    name = NAMES[case]
    set_name = "NAME" if kind == "set" else "'only'"
    here.write("experiments/case.py", CASE.format(name=name, set_name=set_name, stage=STAGES[kind]))
    before = outside(here)
    try:
        ended = here.run("case", report=kind in ("reportable", "set"))
    except CurifactoryError:
        pass
    else:
        assert ended.executed
        kept = {path.relative_to(here.project.root).parts[0] for path in all_paths(here.project.root)}
        assert kept <= {"pyproject.toml", "experiments", "params", "data", "reports"}
    assert outside(here) == before
    assert not Path("/tmp/absolute-name-of-a-test").exists()
    written = [*all_paths(here.project.root / "data"), *all_paths(here.project.root / "reports")]
    assert all(is_safe(path.name) for path in written)


@pytest.mark.parametrize("case", NAMES)
def test_the_name_of_an_experiment_stays_below_the_runs(here: InProcess, case: str) -> None:
    import curifactory as cf
    from curifactory.errors import CurifactoryError

    before = outside(here)
    try:
        manager: Any = cf.ArtifactManager(NAMES[case], quiet=True)
    except CurifactoryError:
        pass
    else:
        folder = manager.run_folder
        manager.finish()
        assert here.project.root / "data/runs" in folder.parents
    assert outside(here) == before


@pytest.mark.parametrize("case", NAMES)
def test_a_prefix_stays_in_the_cache(here: InProcess, case: str) -> None:
    from curifactory.errors import CurifactoryError

    here.write("experiments/case.py", CASE.format(name="x", set_name="'only'", stage=STAGES["set"]))
    before = outside(here)
    try:
        here.run("case", prefix=NAMES[case])
    except CurifactoryError:
        pass
    else:
        assert len([path for path in (here.project.root / "data/cache").rglob("*") if path.is_file()]) == 1
    assert outside(here) == before


def test_names_that_would_be_one_file_are_two(here: InProcess) -> None:
    stage = "@cf.stage(outputs=['a/b', 'a%2Fb', 'a b'], cachers=[JsonCacher] * 3)\ndef make(record):\n    return 1, 2, 3"
    here.write("experiments/case.py", CASE.format(name="x", set_name="'only'", stage=stage))
    here.run("case")
    files = [path for path in (here.project.root / "data/cache").rglob("*") if path.is_file()]
    assert sorted(path.read_text().strip() for path in files) == ["1", "2", "3"]

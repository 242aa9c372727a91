"""What is told where not a line of code has changed but what a stage says it depends on, or reads as it is imported."""

from __future__ import annotations

import json
from typing import Any

import pytest

CASE = """
import curifactory as cf
from curifactory.caching import JsonCacher

@cf.stage(None, ["x"], [JsonCacher], depends=["raw/table.csv", "raw/more/", "raw/*.txt", "toy"])
def begin(record):
    return 1

@cf.stage(None, ["y"], [JsonCacher], version=1)
def versioned(record):
    return 1

@cf.stage(None, ["z"], [JsonCacher])
def late(record):
    import lately
    return lately.LIMIT

def helper(): ...

@cf.stage(None, ["w"], [JsonCacher])
def read_text(record):
    import inspect
    return inspect.getsource(helper)

def get_params():
    return [cf.ExperimentParameters(name="a")]

def run(param_sets, manager):
    record = cf.Record(manager, param_sets[0])
    for stage in (begin, versioned, late, read_text):
        stage(record)
"""
FILE = "experiments/case.py"


@pytest.fixture
def case(here: Any) -> Any:
    here.write(FILE, CASE)
    here.write("lately.py", "import json\n\nLIMIT = json.load(open('conf/limits.json'))['n']\n")
    here.write("conf/limits.json", '{"n": 1}')
    for name in ("table.csv", "more/a.csv", "first.txt"):
        here.write(f"raw/{name}", "1")
    here.write("toy-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
    here.project.experiment("case")
    return here


def told(case: Any, *words: str) -> dict[str, str]:
    """Return the reasons of what would run, as the map tells them; why and accept have to say the same."""
    mapped = json.loads(case.project.experiment("case", "--map", "--json", *words).stdout)["calls"]
    reasons = {call["name"]: call["reason"]["text"] for call in mapped if call["verdict"] == "run"}
    why = json.loads(case.project.experiment("cache", "why", "case", "--json").stdout)["calls"]
    assert {call["name"]: call["reason"]["text"] for call in why if call["verdict"] == "run"} == reasons
    accepted = json.loads(case.project.experiment("accept", "case", "--json").stdout)["calls"]
    assert {call["name"]: call["changes"][0]["text"] for call in accepted} == reasons
    return reasons


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("raw/table.csv", "file raw/table.csv changed (named in depends)"),
        ("raw/more/a.csv", "file raw/more/ changed (named in depends)"),
        ("raw/second.txt", "file raw/*.txt changed (named in depends)"),
    ],
)
def test_a_file_that_a_stage_depends_on_is_no_code(case: Any, path: str, reason: str) -> None:
    case.write(path, "2")
    assert told(case) == {"begin": reason}
    shown = case.project.experiment("cache", "why", "case", "--stage", "begin").stdout
    declared = reason.split()[1]
    assert [line.split() for line in shown.splitlines() if line.startswith("    depends")] == [
        ["depends", declared, "changed", declared]
    ]

    case.project.experiment("case")
    differing = case.project.experiment("diff", "case_1", "case_2").stdout
    assert reason in differing
    assert "code of" not in differing


def test_a_package_that_a_stage_depends_on_is_told_with_its_versions(case: Any) -> None:
    (case.project.root / "toy-1.0.dist-info").rename(case.project.root / "toy-1.1.dist-info")
    case.write("toy-1.1.dist-info/METADATA", "Metadata-Version: 2.1\nName: toy\nVersion: 1.1\n")
    assert told(case) == {"begin": "package toy 1.0 → 1.1"}


def test_what_depends_names_anew_is_told_as_that(case: Any) -> None:
    case.edit(FILE, {'"raw/more/", ': ""})
    assert told(case)["begin"] == "code of depends changed (raw/more/ removed)"


def test_a_decorator_has_its_place(case: Any) -> None:
    case.edit(FILE, {"version=1": "version=2"})
    assert told(case)["versioned"] == "code of versioned (decorator) changed (experiments/case.py:9)"


def test_the_text_of_a_file_is_its_code(case: Any) -> None:
    case.edit(FILE, {"    return lately.LIMIT": "    # as it says\n    return lately.LIMIT"})
    assert told(case) == {"read_text": "code of experiments/case.py changed (experiments/case.py:1)"}

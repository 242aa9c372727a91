"""Results that another commit, package version or machine gave can be told apart in the report."""

from __future__ import annotations

import json
import re

import pytest

EXPERIMENT = """
from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1
    m: int = 1

def get_params():
    return [Params(name="a", n=1), Params(name="b", n=2)]

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    record.log({"size": record.params.n})
    return record.params.n

@cf.stage(["x"], ["y"], [JsonCacher])
def score(record, x):
    record.log({"accuracy": x + record.params.m})
    return x * record.params.m

def run(param_sets, manager):
    for p in param_sets:
        score(begin(cf.Record(manager, p)))
"""


@pytest.fixture
def first(project):
    """Give a project with a commit and a run."""
    project.write("experiments/case.py", EXPERIMENT)
    project.write(".gitignore", "data/\nreports/\n__pycache__/\n")
    project.git("init", "--quiet")
    project.git("add", ".")
    project.git("commit", "--quiet", "-m", "one")
    project.experiment("case")
    return project


def page_of(project) -> str:
    (folder,) = sorted((project.root / "reports").glob("case_*"))[-1:]
    return (folder / "index.html").read_text(encoding="utf-8")


def test_nothing_is_marked_where_nothing_was_otherwise(first) -> None:
    first.experiment("case")
    assert 'class="cf-origin"' not in page_of(first)
    assert "Otherwise there" not in page_of(first)


def test_another_commit_and_another_package_are_marked_and_named(first) -> None:
    before = first.git("rev-parse", "HEAD").stdout[:10]
    first.write("experiments/case.py", EXPERIMENT.replace("n=2)", "n=2, m=3)"))
    first.git("commit", "--quiet", "-a", "-m", "two")
    after = first.git("rev-parse", "HEAD").stdout[:10]
    (environment,) = (first.root / "data/runs").glob("case_1_*/environment.json")
    kept = json.loads(environment.read_text())
    now = kept["packages"]["numpy"]
    kept["packages"]["numpy"] = "1.0"
    environment.write_text(json.dumps(kept))

    first.experiment("case")

    page = page_of(first)
    # Three calls are reused, the fourth was made now.
    assert page.count("Otherwise there") == 3
    assert re.search(rf'title="case_1_\S+: commit {before} → {after}; numpy 1.0 → {now}"', page)
    assert page.count(">other commit, numpy</span>") == 3
    # Of the four metrics three come from there.
    assert page.count("made in other surroundings") == 3
    assert "° reused from a run with another commit" in page


def test_another_machine_is_marked_and_named(first) -> None:
    (file,) = (first.root / "data/runs").glob("case_1_*/run.json")
    told = json.loads(file.read_text())
    file.write_text(json.dumps({**told, "host": "elsewhere"}))

    first.experiment("case")

    page = page_of(first)
    assert re.search(rf'title="case_1_\S+: machine elsewhere → {told["host"]}"', page)
    assert page.count(">other machine</span>") == 4


def test_a_run_that_is_gone_is_no_reason_for_a_mark(first) -> None:
    import shutil

    (folder,) = (first.root / "data/runs").glob("case_1_*")
    shutil.rmtree(folder)
    first.experiment("case")
    assert 'class="cf-origin"' not in page_of(first)

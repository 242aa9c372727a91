"""A run is done again from its commit, patch and new files, and every artifact is held against the first."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

import curifactory as cf
from curifactory.errors import StoreError

EXPERIMENT = """
from dataclasses import dataclass
import numpy as np
import curifactory as cf
from curifactory.caching import JsonCacher, NumpyCacher
from helpers import scale

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 3

@cf.stage(None, ["number", "array"], [JsonCacher, NumpyCacher])
def make(record):
    return scale(record.params.n), np.arange(1, 4) / 3

@cf.aggregate(["number"], ["total"], [JsonCacher])
def add_up(record, records, number):
    return sum(number.values())

def get_params():
    return [Params(name="small"), Params(name="large", n=7)]

def run(param_sets, manager):
    for params in param_sets:
        make(cf.Record(manager, params))
    add_up(cf.Record(manager, None))
"""
HELPERS = "def scale(x):\n    return x * 2\n"
# Another value in every process, so far apart as the last number says.
NOISY = "import os\ndef scale(x):\n    return x * (1 + (os.getpid() % 1000 + 1) * {noise})\n"


@pytest.fixture
def case(project):
    """Give a project under git in which the experiment has run."""
    project.write("experiments/case.py", EXPERIMENT)
    project.write("helpers.py", HELPERS)
    project.write(".gitignore", "data/\nreports/\n__pycache__/\n")
    project.git("init", "-q")
    commit(project, "first")
    return project


def commit(project, message):
    project.git("add", "-A")
    project.git("commit", "-qm", message)


def reproduce(project, *words, check=True):
    done = project.experiment("reproduce", *words, "--json", check=check)
    return json.loads(done.stdout)


def is_tidy(project) -> bool:
    trees = project.git("worktree", "list").stdout.splitlines()
    staging = project.root / "data/staging"
    return len(trees) == 1 and not (staging.exists() and any(staging.iterdir()))


def test_a_run_is_reproduced_from_its_commit_although_the_code_has_changed_since(case):
    case.experiment("case", "--no-report")
    case.write("helpers.py", HELPERS.replace("2", "3"))
    commit(case, "other results")
    case.write("helpers.py", "raise RuntimeError('not the code of the run')\n")
    before = case.files()
    done = case.experiment("reproduce", "case/-1")
    assert "was reproduced: 5 equal" in done.stdout
    assert "make.array" in done.stdout
    assert is_tidy(case)
    after = case.files()
    assert {name: after[name] for name in before if not name.startswith("data/")} == {
        name: digest for name, digest in before.items() if not name.startswith("data/")
    }


def test_changes_and_new_files_that_no_commit_has_are_part_of_the_code(case):
    case.write("helpers.py", "from extra import factor\ndef scale(x):\n    return x * factor\n")
    case.write("extra.py", "factor = 11\n")
    case.experiment("case", "--no-report")
    (case.root / "extra.py").unlink()
    case.write("helpers.py", HELPERS)
    told = reproduce(case)
    assert told["reproduced"]
    assert told["patched"]
    assert told["counts"] == {"equal": 5, "close": 0, "different": 0, "missing": 0}
    assert is_tidy(case)


def test_the_parameters_and_options_of_the_run_are_used(case):
    case.experiment("case", "-n", "large", "--eager", "--no-report")
    told = reproduce(case)
    assert {each["record"] for each in told["artifacts"]} == {"Record 0 (large)", "Record 1"}
    assert told["reproduced"]


@pytest.mark.parametrize(
    ("noise", "words", "reproduced", "likeness"),
    [
        (1e-12, (), True, "close"),
        (1e-3, (), False, "different"),
        (1e-3, ("--tolerance", "2"), True, "close"),
        (1e-12, ("--tolerance", "0"), False, "different"),
    ],
)
def test_numbers_are_close_within_the_tolerance_that_the_cacher_or_the_person_says(
    case, noise, words, reproduced, likeness
):
    case.write("helpers.py", NOISY.format(noise=noise))
    commit(case, "noisy")
    case.experiment("case", "-n", "small", "--no-report")
    told = reproduce(case, *words, check=False)
    by_output = {each["output"]: each for each in told["artifacts"]}
    assert by_output["array"]["likeness"] == "equal"
    assert by_output["number"]["likeness"] == likeness
    assert by_output["number"]["distance"] > 0
    assert told["reproduced"] is reproduced
    assert case.experiment("reproduce", *words, check=False).returncode == (0 if reproduced else 1)


def test_the_surroundings_are_compared(case):
    case.experiment("case", "--no-report")
    (folder,) = (case.root / "data/runs").glob("case_1_*")
    environment = json.loads((folder / "environment.json").read_text())
    environment["python"] = "3.9.1"
    environment["packages"]["numpy"] = "0.1"
    environment["packages"]["gone-since"] = "7"
    (folder / "environment.json").write_text(json.dumps(environment))
    told = reproduce(case)
    then = {each["name"]: each["then"] for each in told["environment"]}
    assert then == {"python": "3.9.1", "package numpy": "0.1", "package gone-since": "7"}
    assert "package gone-since: 7 → not there" in case.experiment("reproduce").stderr


def test_the_tree_is_kept_when_asked_for(case):
    case.experiment("case", "--no-report")
    told = reproduce(case, "--keep")
    assert told["folder"].startswith(str(case.root / "data/reproduced"))
    assert os.path.isfile(f"{told['folder']}/experiments/case.py")
    assert len(case.git("worktree", "list").stdout.splitlines()) == 2
    assert reproduce(case, "--keep")["folder"] != told["folder"]


def test_a_run_that_fails_again_is_told_with_its_error(case):
    case.experiment("case", "--no-report")
    case.git("rm", "-q", "helpers.py")
    case.git("commit", "-qm", "gone")
    (folder,) = (case.root / "data/runs").glob("case_1_*")
    facts = json.loads((folder / "run.json").read_text())
    facts["git"]["commit"] = case.git("rev-parse", "HEAD").stdout.strip()
    (folder / "run.json").write_text(json.dumps(facts))
    told = reproduce(case, check=False)
    assert not told["reproduced"]
    assert "helpers" in told["error"]
    assert told["counts"]["missing"] == 5
    assert is_tidy(case)


def test_data_that_no_commit_has_is_taken_along(case):
    case.write(".gitignore", "data/\nreports/\n__pycache__/\nraw/\n")
    case.write("raw/factor.txt", "5")
    case.write("helpers.py", "def scale(x):\n    return x * int(open('raw/factor.txt').read())\n")
    commit(case, "reads a file that is ignored")
    case.experiment("case", "--no-report")
    without = reproduce(case, check=False)
    assert not without["reproduced"]
    assert "raw/factor.txt" in without["error"]
    assert reproduce(case, "--with", "raw")["reproduced"]
    assert (case.root / "raw/factor.txt").read_text() == "5"
    assert is_tidy(case)


def test_a_project_below_the_top_of_its_repository_is_reproduced(project):
    outer = project.root.parent
    project.write("experiments/case.py", EXPERIMENT)
    project.write("helpers.py", HELPERS)
    (outer / ".gitignore").write_text("data/\nreports/\n__pycache__/\n")
    project.run("git", "-c", "init.defaultBranch=main", "init", "-q", str(outer))
    commit(project, "first")
    project.experiment("case", "--no-report")
    assert reproduce(project)["reproduced"]


def test_a_script_is_reproduced(case):
    case.write(
        "script.py",
        "import curifactory as cf\nfrom experiments.case import Params, make\n"
        "manager = cf.ArtifactManager('scripted')\nmake(cf.Record(manager, Params(name='a')))\n",
    )
    commit(case, "a script")
    path = os.pathsep.join(filter(None, [str(case.root), case.environment.get("PYTHONPATH")]))
    case.run(sys.executable, "script.py", env={"PYTHONPATH": path})
    told = reproduce(case, "scripted/-1")
    assert told["counts"]["equal"] == 2
    assert told["reproduced"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"git": None}, "was in no git repository"),
        ({"git": {"commit": "1" * 40, "dirty": True, "root": "/x"}}, "changes that no commit has"),
        ({"git": {"commit": "1" * 40, "dirty": False, "root": "/x"}}, "has no commit 111111111111"),
        ({"patch": {"size_bytes": 7, "files": [], "left_out": []}}, "patch.diff is not there"),
        (
            {"patch": {"left_out": [{"path": "secret.py", "why": "a secret stands in it"}]}},
            "secret.py (a secret stands in it)",
        ),
        ({"request": {"experiment": "case", "names": ["token=********"]}}, "was given a secret"),
        ({"request": None, "command": [], "command_line": "(a notebook)"}, "(a notebook)"),
        ({"request": {"experiment": "case", "from_the_future": 1}}, "from_the_future"),
    ],
)
def test_what_was_not_recorded_is_said(case, change, words):
    case.experiment("case", "--no-report")
    (folder,) = (case.root / "data/runs").glob("case_1_*")
    facts = json.loads((folder / "run.json").read_text()) | change
    (folder / "run.json").write_text(json.dumps(facts))
    done = case.experiment("reproduce", check=False)
    assert done.returncode != 0
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2
    assert is_tidy(case)


def test_outside_of_git_the_error_says_so(project):
    project.write("experiments/case.py", EXPERIMENT)
    project.write("helpers.py", HELPERS)
    project.experiment("case", "--no-report")
    done = project.experiment("reproduce", check=False)
    assert done.returncode == 1
    assert "was in no git repository" in done.stderr


def test_an_interruption_leaves_nothing_behind(case):
    case.write(
        "helpers.py",
        "import os, time\ndef scale(x):\n    time.sleep(float(os.environ.get('SLOW', '0')))\n    return x\n",
    )
    commit(case, "slow")
    case.experiment("case", "--no-report")
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "curifactory.cli.experiment", "reproduce"],
        cwd=case.root,
        env={**case.environment, "SLOW": "60"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    # The other run has begun when its folder is there.
    for _ in range(600):
        if list((case.root / "data/staging").glob("*/code/data/runs/case_1_*/run.json")):
            break
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=60) == 130
    assert is_tidy(case)


def test_a_past_run_has_the_method(case, monkeypatch):
    case.experiment("case", "--no-report")
    monkeypatch.chdir(case.root)
    made = cf.load_run("case/-1").reproduce()
    assert made.is_reproduced
    assert repr(made).endswith("reproduced: 5 equal>")
    shutil.rmtree(case.root / ".git")
    with pytest.raises(StoreError, match="lies in no git repository"):
        cf.load_run("case/-1").reproduce()

"""A run that was interrupted, failed or partly failed is finished, and says which run it resumes."""

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
from curifactory.errors import ConfigurationError, DiscoveryError

EXPERIMENT = """
import os, time
from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 3

@cf.stage(None, ["number"], [JsonCacher])
def make(record):
    return record.params.n

@cf.stage(["number"], ["double"], [JsonCacher])
def double(record, number):
    if os.path.exists("wait"):
        open("waiting", "w").close()
        time.sleep(60)
    if number == 7 and not os.path.exists("mended"):
        raise ValueError("not yet")
    return number * 2

def get_params():
    return [Params(name="small"), Params(name="large", n=7)]

def run(param_sets, manager):
    for params in param_sets:
        double(make(cf.Record(manager, params)))
"""


@pytest.fixture
def case(project):
    project.write("experiments/case.py", EXPERIMENT)
    return project


def facts(project, pattern: str) -> dict:
    (file,) = (project.root / "data/runs").glob(f"{pattern}/run.json")
    return json.loads(file.read_text())


def test_a_failed_run_is_finished_with_what_it_was_asked_for(case):
    failed = case.experiment("case", "-n", "large", "-n", "small", "--notes", "two of them", check=False)
    assert failed.returncode == 1
    case.write("mended", "")
    done = case.experiment("resume")
    assert "failed: 3 of 4 calls were finished" in done.stderr or "failed: 2 of 4 calls" in done.stderr
    about = facts(case, "case_2_*")
    assert about["resumes"] == facts(case, "case_1_*")["reference"]
    assert about["outcome"] == "complete"
    assert about["notes"] == "two of them"
    assert about["command"] == ["experiment", "case", "-n", "large", "-n", "small"]
    assert about["counts"]["reused"] >= 2
    assert f"resumes     {about['resumes']}" in case.experiment("show").stdout
    (page,) = (case.root / "reports").glob("case_2_*/index.html")
    assert about["resumes"] in page.read_text()


def test_an_interrupted_run_is_finished(case):
    case.write("wait", "")
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "curifactory.cli.experiment", "case", "-n", "small", "--no-report"],
        cwd=case.root,
        env=case.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(600):
        if (case.root / "waiting").exists():
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    os.unlink(case.root / "wait")
    done = case.experiment("resume", "--quiet")
    assert done.stdout == ""
    assert facts(case, "case_2_*")["counts"] == {"ran": 1, "reused": 1}
    again = case.experiment("resume", check=False)
    assert again.returncode == 2
    assert "There is no run that was not finished" in again.stderr


def test_what_has_changed_since_is_told(case):
    case.experiment("case", "--no-report", check=False)
    text = EXPERIMENT.replace("return record.params.n", "return record.params.n + 0").replace("n=7", "n=9")
    case.write("experiments/case.py", text)
    done = case.experiment("resume")
    assert "changed  parameter large: changed since" in done.stderr
    assert "changed  code of make: changed since" in done.stderr
    case.write("mended", "")


def test_what_is_complete_is_refused_kindly(case):
    case.write("mended", "")
    case.experiment("case", "--no-report")
    done = case.experiment("resume", "case/-1", check=False)
    assert done.returncode == 2
    assert "is complete: there is nothing to finish" in done.stderr
    assert "`experiment case`" in done.stderr
    assert len(list((case.root / "data/runs").glob("case_*"))) == 1


def test_what_was_overwritten_is_not_made_once_more(case):
    case.write("mended", "")
    case.experiment("case", "--no-report")
    os.unlink(case.root / "mended")
    case.experiment("case", "--overwrite", "--no-report", check=False)
    case.write("mended", "")
    case.experiment("resume")
    counts = facts(case, "case_3_*")["counts"]
    assert counts["reused"] >= 2
    assert counts.get("ran", 0) <= 2


def test_the_function_has_the_same_words(case, monkeypatch):
    case.experiment("case", "--no-report", check=False)
    case.write("mended", "")
    monkeypatch.chdir(case.root)
    _, manager = cf.resume("case/-1", report=False)
    assert manager.records[1].state["double"] == 14
    assert facts(case, "case_2_*")["resumes"].startswith("case_1_")
    with pytest.raises(DiscoveryError):
        cf.resume()
    with pytest.raises(ConfigurationError, match="is complete"):
        cf.resume("case_2")
    manager = cf.ArtifactManager("live", quiet=True)
    with pytest.raises(ConfigurationError, match="notebook or script"):
        cf.resume(manager.reference)
    manager.finish()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"request": None}, "was not recorded"),
        ({"request": {"experiment": "case", "names": ["api_key=********"]}}, "was given a secret"),
    ],
)
def test_what_was_not_recorded_is_said(case, change, words):
    case.experiment("case", "--no-report", check=False)
    (file,) = (case.root / "data/runs").glob("case_1_*/run.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    shutil.rmtree(case.root / "reports", ignore_errors=True)
    done = case.experiment("resume", check=False)
    assert done.returncode == 1
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1

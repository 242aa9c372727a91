"""Stages that raise, interruptions, readers that go away: what is said, and that the next run goes on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Project

FAIL = """from dataclasses import dataclass
import time
import curifactory as cf
from curifactory.caching import JsonCacher
import features

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1

@cf.stage(inputs=None, outputs=["rows"], cachers=[JsonCacher])
def load(record):
    return [1, 2]

@cf.stage(inputs=["rows"], outputs=["mean"], cachers=[JsonCacher])
def average(record, rows):
    return features.divide(sum(rows), record.params.n)

@cf.stage(inputs=["mean"], outputs=["shown"], cachers=[JsonCacher])
def show(record, mean):
    return str(mean)

def get_params():
    return [Params(name="fine"), Params(name="zero", n=0)]

def run(param_sets, manager):
    for params in param_sets:
        record = cf.Record(manager, params)
        show(average(load(record)))
"""
FEATURES = "def divide(a, b):\n    # The next line fails for zero.\n    return a / b\n"


@pytest.fixture
def failing(project: Project) -> Project:
    project.write("experiments/failing.py", FAIL)
    project.write("features.py", FEATURES)
    return project


@pytest.mark.parametrize("words", [(), ("-j", "2")], ids=["here", "processes"])
def test_an_exception_in_a_stage_is_shown_with_stage_record_line_and_frames(
    failing: Project, words: tuple[str, ...]
) -> None:
    done = failing.experiment("failing", *words, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        (
            "Stage 'average' of Record 1 (zero) raised ZeroDivisionError: division by zero "
            "(called at experiments/failing.py:29)."
        ),
        "  experiments/failing.py:17 in average",
        "    return features.divide(sum(rows), record.params.n)",
        "  features.py:3 in divide",
        "    return a / b",
        "ZeroDivisionError: division by zero",
    ]


def test_the_end_says_that_it_failed_and_how_to_go_on(failing: Project) -> None:
    lines = failing.experiment("failing", check=False).stdout.splitlines()
    end = lines[next(place for place, line in enumerate(lines) if line.startswith("failing_1_")) :]
    assert len(end) <= 8
    assert re.match(r"failing_1_\S+ failed after \d+\.\d\d s: .*1 failed", end[0])
    assert [line for line in end if re.fullmatch(r"report  file:///\S+index.html", line)]
    assert end[-1] == "next    experiment resume  (goes on: what is finished is reused)"


def test_the_same_command_goes_on_after_the_fault_is_mended(failing: Project) -> None:
    failing.experiment("failing", check=False)
    failing.write("experiments/failing.py", FAIL.replace("n=0", "n=2"))
    done = failing.experiment("failing")
    assert re.search(r"^reused  load +Record 0 \(fine\)", done.stdout, re.MULTILINE)
    assert re.search(r"^ran     average +Record 1 \(zero\)", done.stdout, re.MULTILINE)


def test_debug_shows_the_frames_of_this_package_too(failing: Project) -> None:
    done = failing.experiment("failing", "--debug", check=False)
    assert done.returncode == 1
    assert "Traceback (most recent call last):" in done.stderr
    assert "curifactory/engine/" in done.stderr


def test_quiet_still_tells_errors(failing: Project) -> None:
    done = failing.experiment("failing", "--quiet", check=False)
    assert (done.stdout, done.returncode) == ("", 1)
    assert "ZeroDivisionError: division by zero" in done.stderr


def test_a_dry_run_that_fails_says_the_same_and_writes_nothing(failing: Project) -> None:
    before = failing.files()
    done = failing.experiment("failing", "--dry", check=False)
    assert done.returncode == 1
    assert "Stage 'average' of Record 1 (zero) raised ZeroDivisionError" in done.stderr
    assert failing.files() == before


def test_an_exception_in_run_itself_is_shown_with_its_line(failing: Project) -> None:
    failing.write("experiments/failing.py", FAIL + "    features.divide(1, 0)\n")
    done = failing.experiment("failing", "-n", "fine", check=False)
    assert done.returncode == 1
    assert "run() of 'failing' raised ZeroDivisionError: division by zero" in done.stderr
    assert "  experiments/failing.py:30 in run" in done.stderr


def test_a_failed_run_is_shown_with_its_error(failing: Project) -> None:
    failing.experiment("failing", check=False)
    out = failing.experiment("show").stdout
    assert "error\n" in out
    assert "ZeroDivisionError: division by zero" in out
    assert re.search(r"^  failed +average +Record 1 \(zero\)", out, re.MULTILINE)
    assert json.loads(failing.experiment("runs", "--json").stdout)[0]["outcome"] == "failed"


def start(project: Project, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "curifactory.cli.experiment", *words]
    return subprocess.Popen(
        command,
        cwd=project.root,
        env=project.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


REFUSED = """import curifactory as cf
from curifactory.caching import JsonCacher

def tell(record):
    {line}

@cf.stage(inputs=None, outputs=["number"], cachers=[JsonCacher])
def count(record):
    tell(record)
    return 1

def get_params():
    return [cf.ExperimentParameters(name="only")]

def run(param_sets, manager):
    for params in param_sets:
        count(cf.Record(manager, params))
"""


@pytest.mark.parametrize("words", [(), ("-j", "2")], ids=["here", "processes"])
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('record.log({"loss": "much"})', "The metric 'loss' is 'much', which is no number."),
        ('record.report("a text")', "record.report got str, which is no reportable."),
        ("record.params.overwrite = True", "A stage tried to change the parameter 'overwrite'"),
    ],
)
def test_what_is_refused_inside_a_stage_is_a_failed_run_with_the_persons_lines(
    project: Project, line: str, said: str, words: tuple[str, ...]
) -> None:
    project.write("experiments/refused.py", REFUSED.format(line=line))
    done = project.experiment("refused", *words, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(said)
    assert "in stage 'count' of Record 0 (only), called at experiments/refused.py:" in done.stderr
    assert f"  experiments/refused.py:5 in tell\n    {line}\n" in done.stderr
    assert re.search(r"^refused_1_\S+ failed after .*: 1 failed$", done.stdout, re.MULTILINE)
    assert "next    experiment resume" in done.stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("count(record, 3)", "Stage 'count' was called with 1 further positional value."),
        ("count(params)", "Stage 'count' was called with ExperimentParameters, not with a record."),
        ('count(record).state["nummer"]', "The state has no 'nummer'. It has: 'number'."),
    ],
)
def test_what_is_refused_in_run_says_in_which_line(project: Project, line: str, said: str) -> None:
    text = REFUSED.format(line="pass").replace(
        "count(cf.Record(manager, params))", f"record = cf.Record(manager, params)\n        {line}"
    )
    project.write("experiments/refused.py", text)
    for words in ((), ("--map",)):
        done = project.experiment("refused", *words, check=False)
        assert done.returncode in (1, 2)
        assert done.stderr.startswith(said)
        assert done.stderr.rstrip().endswith("(at experiments/refused.py:18)")


OWN_CACHER = """import curifactory as cf
from curifactory.caching import Cacheable

class Picky(Cacheable):
    extension = ".txt"

    def save(self, obj):
        with open(self.get_path(), "w") as file:
            file.write(obj)

    def load(self):
        with open(self.get_path()) as file:
            return file.read()

@cf.stage(outputs=["n"], cachers=[Picky])
def count(record):
    return 1

def get_params():
    return [cf.ExperimentParameters(name="only")]

def run(param_sets, manager):
    count(cf.Record(manager, param_sets[0]))
"""


def test_a_cacher_of_ones_own_that_raises_is_told_with_its_lines(project: Project) -> None:
    project.write("experiments/picky.py", OWN_CACHER)
    done = project.experiment("picky", "--no-report", check=False)
    assert done.returncode == 1
    told = done.stderr.splitlines()
    assert told[-3].startswith(
        "Picky could not save the output 'n' of count of Record 0 (only), of type int: TypeError: "
    )
    assert told[-2:] == ["  experiments/picky.py:9 in save", "    file.write(obj)"]


def test_a_run_that_has_reused_results_tells_how_it_ended(project: Project) -> None:
    project.write("experiments/refused.py", REFUSED.format(line="pass"))
    project.experiment("refused")
    project.write(
        "experiments/refused.py",
        REFUSED.format(line="pass").replace(
            "count(cf.Record(manager, params))", 'count(cf.Record(manager, params)).state["nummer"]'
        ),
    )
    done = project.experiment("refused", "--eager", check=False)
    assert done.returncode == 1
    assert "refused_2_" in done.stdout
    assert " failed after " in done.stdout


def test_ctrl_c_ends_with_130_and_keeps_what_is_finished(failing: Project) -> None:
    failing.write("features.py", "import time\ndef divide(a, b):\n    time.sleep(60)\n")
    with start(failing, "failing", "-v") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("began") and "average" in line:
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130, out + err
    assert err.splitlines() == ["Interrupted."]
    assert re.search(r"^failing_1_\S+ interrupted after", out, re.MULTILINE)
    assert "next    experiment resume  (goes on: what is finished is reused)" in out
    failing.write("features.py", FEATURES)
    failing.write("experiments/failing.py", FAIL.replace("n=0", "n=2"))
    assert re.search(r"^reused  load", failing.experiment("failing").stdout, re.MULTILINE)


def test_a_reader_who_goes_away_ends_no_run(failing: Project) -> None:
    failing.write("experiments/failing.py", FAIL.replace("n=0", "n=2"))
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "curifactory.cli.experiment", "failing"]
    done = subprocess.run(
        command,
        cwd=failing.root,
        env=failing.environment,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(failing.experiment("runs", "--json").stdout)[0]["outcome"] == "complete"

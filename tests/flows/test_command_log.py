"""What a run says where, what its log keeps, and that other libraries' logging is left alone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Project

SPEAKING = """import logging
import sys
from dataclasses import dataclass

import curifactory as cf
import library
from curifactory.caching import JsonCacher

log = logging.getLogger(__name__)


@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1


@cf.stage(outputs=["rows"], cachers=[JsonCacher])
def load(record):
    print("printed by load")
    print("on standard error", file=sys.stderr)
    log.warning("warned by the project: %s", record.params.n)
    log.info("too quiet for python")
    library.speak()
    return [1]


@cf.stage(inputs=["rows"], outputs=["mean"], cachers=[JsonCacher])
def average_the_rows(record, rows):
    return sum(rows)


def get_params():
    return [Params(name="only")]


def run(param_sets, manager):
    for params in param_sets:
        average_the_rows(load(cf.Record(manager, params)))
"""
LIBRARY = """import logging
def speak():
    logging.getLogger("library").warning("warned by a library")
"""
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d (DEBUG|INFO|WARNING|ERROR) +\S.*")


@pytest.fixture
def speaking(project: Project, tmp_path: Path) -> Project:
    project.write("experiments/speaking.py", SPEAKING)
    # As an installed package lies: outside of the project.
    (tmp_path / "installed").mkdir()
    (tmp_path / "installed/library.py").write_text(LIBRARY)
    project.environment["PYTHONPATH"] = (
        f"{project.environment.get('PYTHONPATH', '')}:{tmp_path / 'installed'}".lstrip(":")
    )
    return project


def log_of(project: Project) -> str:
    reference = json.loads(project.experiment("show", "--json").stdout)["run"]["reference"]
    return (project.root / "data/runs" / reference / "log.txt").read_text(encoding="utf-8")


def test_the_log_has_one_line_an_event_that_grep_finds(speaking: Project) -> None:
    speaking.experiment("speaking")
    lines = log_of(speaking).splitlines()
    assert all(LINE.fullmatch(line) for line in lines), lines
    told = "\n".join(lines)
    for said in (
        "run: speaking_1_",
        "record: Record 0 (only) added",
        "planned: 2 calls, 2 of them",
        "run: complete",
    ):
        assert told.count(said) >= 1
    for stage in ("load", "average_the_rows"):
        assert len([line for line in lines if f": {stage} started" in line]) == 1
        assert len([line for line in lines if f": {stage} ran after" in line]) == 1


def test_the_log_has_what_the_project_says_and_leaves_libraries_alone(speaking: Project) -> None:
    done = speaking.experiment("speaking")
    told = log_of(speaking)
    assert "WARNING  experiments.speaking: warned by the project: 1" in told
    assert "warned by a library" not in told
    # What Python shows without us is shown with us, once.
    assert done.stderr.splitlines().count("warned by a library") == 1
    assert done.stderr.splitlines().count("warned by the project: 1") == 1
    assert "too quiet" not in told + done.output


@pytest.mark.parametrize("how", ["option", "setting"])
def test_the_log_has_what_libraries_say_if_that_is_asked_for(speaking: Project, how: str) -> None:
    words, env = (["--all-loggers"], {}) if how == "option" else ([], {"CURIFACTORY_ALL_LOGGERS": "1"})
    done = speaking.experiment("speaking", *words, env=env)
    assert "WARNING  library: warned by a library" in log_of(speaking)
    assert done.stderr.splitlines().count("warned by a library") == 1


def test_a_person_s_own_set_up_of_logging_stays_as_it_is(speaking: Project) -> None:
    own = "logging.basicConfig(level=logging.INFO, format='mine %(message)s')\n"
    speaking.write("experiments/speaking.py", SPEAKING.replace("log = ", f"{own}log = "))
    done = speaking.experiment("speaking", "--log-errors")
    assert done.stderr.splitlines().count("mine too quiet for python") == 1
    assert "INFO     experiments.speaking: too quiet for python" in log_of(speaking)


def test_standard_error_comes_into_the_log_if_that_is_asked_for(speaking: Project) -> None:
    done = speaking.experiment("speaking", "--log-errors")
    assert log_of(speaking).count("INFO     curifactory.stderr: on standard error\n") == 1
    assert done.stderr.splitlines().count("on standard error") == 1
    speaking.experiment("speaking", "--overwrite")
    assert "on standard error" not in log_of(speaking)


def test_no_log_keeps_none_and_all_else_is_there(speaking: Project) -> None:
    done = speaking.experiment("speaking", "--no-log")
    assert list((speaking.root / "data").rglob("log.txt")) == []
    assert "average_the_rows" in done.stdout
    assert speaking.experiment("show").returncode == 0
    assert speaking.experiment("report").returncode == 0


def test_lines_are_aligned_from_the_first_on(speaking: Project) -> None:
    lines = [line for line in speaking.experiment("speaking").stdout.splitlines() if line.startswith("ran ")]
    assert len(lines) == 2
    assert len({line.index("Record 0") for line in lines}) == 1


def test_paths_are_those_that_the_run_makes(speaking: Project) -> None:
    before = speaking.files()
    expected = speaking.experiment("speaking", "--paths").stdout.splitlines()
    assert speaking.files() == before
    speaking.experiment("speaking", "--quiet")
    assert sorted(expected) == sorted(str(path) for path in (speaking.root / "data/cache").iterdir())
    told = json.loads(speaking.experiment("speaking", "--paths", "--json").stdout)
    assert [each["verdict"] for each in told] == ["reuse", "reuse"]
    assert [each["path"] for each in told] == expected


def test_no_color_is_an_option_of_every_verb(speaking: Project) -> None:
    colours = {"FORCE_COLOR": "1"}
    for words in (["speaking"], ["ls"], ["runs"], ["show"]):
        assert "\x1b[" not in speaking.experiment(*words, "--no-color", env=colours).stdout
    assert "\x1b[" in speaking.experiment("speaking", "--overwrite", env=colours).stdout
    assert "\x1b[" not in speaking.experiment("speaking", env={"FORCE_COLOR": "0"}).stdout


def test_a_failed_run_has_a_report_that_shows_where_it_stopped_and_the_rest_goes_on(
    speaking: Project,
) -> None:
    broken = SPEAKING.replace("return sum(rows)", "return sum(rows) / 0")
    speaking.write("experiments/speaking.py", broken)
    done = speaking.experiment("speaking", check=False)
    assert done.returncode == 1
    line = next(line for line in done.stdout.splitlines() if line.startswith("report  "))
    page = Path(line.removeprefix("report  file://")).read_text(encoding="utf-8")
    assert "ZeroDivisionError: division by zero" in page
    assert "average_the_rows" in page
    told = log_of(speaking)
    assert re.search(r"ERROR +call 1: average_the_rows failed", told)
    assert "ZeroDivisionError" in told
    speaking.write("experiments/speaking.py", SPEAKING)
    again = speaking.experiment("speaking").stdout
    assert re.search(r"^reused +load ", again, re.MULTILINE)
    assert re.search(r"^ran +average_the_rows ", again, re.MULTILINE)

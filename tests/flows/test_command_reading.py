"""Verbs that read: what they show, that their JSON keeps its shape, and that no file changes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Project

COUNT = '''"""Count things.

At length.
"""
from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1
    api_token: str = "hunter2"

@cf.stage(inputs=None, outputs=["number"], cachers=[JsonCacher])
def count(record):
    record.log({"number": record.params.n})
    return record.params.n

def get_params():
    return [Params(name="one"), Params(name="two", n=2)]

def run(
    param_sets,
    manager,
):
    for params in param_sets:
        count(cf.Record(manager, params))
'''


@pytest.fixture
def counting(project: Project) -> Project:
    project.write("experiments/counting.py", COUNT)
    project.write("experiments/vision/deep.py", "from experiments.counting import run, get_params\n")
    project.write("experiments/helpers.py", "def help(): ...\n")
    project.write("params/wide.py", '"""Many sets."""\nfrom experiments.counting import get_params\n')
    return project


def test_ls_shows_experiments_and_parameter_files(counting: Project) -> None:
    assert counting.experiment("ls").stdout == (
        "EXPERIMENTS:\n"
        "\tcounting - Count things.\n"
        "\tvision.deep\n"
        "\n"
        "PARAMS:\n"
        "\tcounting - Count things.\n"
        "\tvision.deep\n"
        "\twide - Many sets.\n"
    )


def test_ls_imports_nothing_and_shows_what_does_not_parse(counting: Project) -> None:
    counting.write("experiments/loud.py", "print('imported')\ndef run(a, b): ...\n")
    counting.write("experiments/broken.py", '"""Broken."""\ndef run(:\n')
    done = counting.experiment("ls")
    assert "imported" not in done.stdout
    assert "\tbroken [ERROR - experiments/broken.py:2: invalid syntax]\n" in done.stdout
    assert done.returncode == 0


def test_ls_as_json(counting: Project) -> None:
    data = json.loads(counting.experiment("ls", "--json").stdout)
    assert data["experiments"][0] == {
        "name": "counting",
        "doc": "Count things.",
        "file": "experiments/counting.py",
        "error": None,
    }
    assert [each["name"] for each in data["params"]] == ["counting", "vision.deep", "wide"]


def test_runs_are_listed_newest_first(counting: Project) -> None:
    assert counting.experiment("runs").stdout == "No runs yet. Make one with: experiment NAME\n"
    counting.experiment("counting", "--notes", "The first.\nMore.")
    counting.experiment("vision.deep")
    counting.experiment("counting")
    head, *lines = counting.experiment("runs").stdout.splitlines()
    assert head.split() == ["run", "outcome", "started", "time", "calls", "scores", "notes"]
    assert [re.match(r"\S+?_\d", line)[0] for line in lines] == ["counting_2", "vision.deep_1", "counting_1"]  # type: ignore[index]
    assert re.search(
        r"complete  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d  \d\.\d\d s  2 ran +number 2  The first.$", lines[-1]
    )
    assert len(counting.experiment("runs", "counting").stdout.splitlines()) == 3
    assert counting.experiment("runs", "-n", "1").stdout.splitlines()[2:] == ["2 more: experiment runs -n 0"]
    assert len(counting.experiment("runs", "-n", "0").stdout.splitlines()) == 4


def test_runs_are_listed_with_their_scores(project: Project) -> None:
    project.write(
        "experiments/training.py",
        """
from dataclasses import dataclass
import curifactory as cf

@dataclass
class Params(cf.ExperimentParameters):
    rate: float = 0.1

def get_params():
    return [Params(name="a", rate=1.0), Params(name="b", rate=2.0)]

@cf.stage(outputs=["x"])
def train(record):
    for step, loss in enumerate((3.0, 1.0, 2.0)):
        record.log("train", {"loss": loss * record.params.rate}, step=step)
    record.log({"n": 7})

def run(param_sets, manager):
    for params in param_sets:
        train(cf.Record(manager, params))
""",
    )
    project.experiment("training")
    head, line = project.experiment("runs").stdout.splitlines()
    assert head.split() == ["run", "outcome", "started", "time", "calls", "scores"]
    assert "loss 2 (best 1)  n 7" in line
    (run,) = json.loads(project.experiment("runs", "--json").stdout)
    assert run["metrics"] == {
        "loss": {"last": [2.0, 4.0], "ever": [1.0, 6.0]},
        "n": {"last": [7.0, 7.0], "ever": [7.0, 7.0]},
    }


def test_an_experiment_without_runs_says_how_to_make_one(counting: Project) -> None:
    assert (
        counting.experiment("runs", "counting").stdout == "No runs yet. Make one with: experiment counting\n"
    )


def test_runs_as_json(counting: Project) -> None:
    assert json.loads(counting.experiment("runs", "--json").stdout) == []
    counting.experiment("counting", "--notes", "Mine.")
    (run,) = json.loads(counting.experiment("runs", "--json").stdout)
    assert set(run) == {
        "reference", "experiment", "number", "outcome", "started_at", "finished_at", "duration_s", "counts", "live",
        "notes", "tags", "command_line", "error", "commit", "host", "metrics", "parameters",
    }  # fmt: skip
    assert (run["experiment"], run["number"], run["outcome"], run["notes"]) == (
        "counting",
        1,
        "complete",
        "Mine.",
    )
    assert run["counts"]["ran"] == 2


@pytest.mark.parametrize("name", [[], ["-1"], ["counting/-1"], ["counting_1"]])
def test_a_run_is_shown_by_any_of_its_names(counting: Project, name: list[str]) -> None:
    counting.experiment("counting")
    out = counting.experiment("show", *name).stdout
    assert re.match(r"counting_1_\S+ complete\n", out)
    assert "command     experiment counting\n" in out
    assert re.search(r"^  ran  count  Record 0 \(one\)  \d\.\d\d s  never run$", out, re.MULTILINE)
    assert "metrics\n  Record 0 (one)  number 1\n  Record 1 (two)  number 2\n" in out
    assert re.search(r"^  two [0-9a-f]{32} \(experiments/counting.py\): n=", out, re.MULTILINE)
    assert "hunter2" not in out


def test_a_run_as_json(counting: Project) -> None:
    counting.experiment("counting")
    data = json.loads(counting.experiment("show", "--json").stdout)
    assert set(data) == {
        "run", "folder", "report", "records", "calls", "metrics", "parameters", "reportables", "environment",
    }  # fmt: skip
    assert data["run"]["outcome"] == "complete"
    assert data["calls"][0]["reason"] == {"kind": "never_run", "text": "never run"}
    assert [(each["name"], each["last"]) for each in data["metrics"]] == [("number", 1), ("number", 2)]
    assert [each["name"] for each in data["parameters"]] == ["one", "two"]


def test_an_unknown_run_is_one_line(counting: Project) -> None:
    counting.experiment("counting")
    done = counting.experiment("show", "countin_1", check=False)
    assert (done.stdout, done.returncode) == ("", 2)
    assert done.stderr.count("\n") == 1
    assert "counting_1" in done.stderr


def test_a_report_is_drawn_again_and_opened(counting: Project) -> None:
    counting.experiment("counting", "--no-report")
    line = counting.experiment("report").stdout
    match = re.fullmatch(r"report  file://(?P<page>\S+/reports/counting_1_\S+/index.html)\n", line)
    assert match is not None
    opened = counting.root / "opened.txt"
    browser = counting.write("browser.sh", f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o755)
    counting.experiment("open", "-1", env={"BROWSER": f"{browser} %s"})
    assert opened.read_text().strip() == f"file://{match['page']}"


def test_the_index_is_built_anew(counting: Project) -> None:
    counting.experiment("counting")
    (counting.root / "data" / "index.db").unlink()
    assert counting.experiment("reindex").stdout == "2 traces and 1 run are in the index.\n"
    assert "nothing had to run" in counting.experiment("counting").stdout


def test_the_page_of_all_runs_is_drawn_anew_with_the_index(counting: Project) -> None:
    counting.experiment("counting")
    page = counting.root / "reports" / "index.html"
    page.unlink()
    counting.experiment("reindex")
    assert "counting" in page.read_text(encoding="utf-8")


def test_nothing_is_drawn_where_nothing_has_run(counting: Project) -> None:
    assert counting.experiment("reindex").stdout == "0 traces and 0 runs are in the index.\n"
    assert not (counting.root / "reports").exists()


def test_what_the_new_index_has_is_also_written_as_json(counting: Project) -> None:
    empty = json.loads(counting.experiment("reindex", "--json").stdout)
    assert (empty["page"], empty["traces"], empty["runs"]) == (None, 0, 0)
    counting.experiment("counting")
    assert json.loads(counting.experiment("reindex", "--json").stdout) == {
        "index": str(counting.root / "data" / "index.db"),
        "page": str(counting.root / "reports" / "index.html"),
        "traces": 2,
        "runs": 1,
    }


READING = [
    ["ls"],
    ["ls", "--json"],
    ["runs"],
    ["runs", "--json"],
    ["show"],
    ["show", "--json"],
    ["counting", "--map"],
    ["counting", "--map", "--json"],
    ["counting", "--hashes"],
    ["counting", "--print-params"],
    ["counting", "--dry"],
    ["counting", "--dry", "--overwrite"],
]


@pytest.mark.parametrize("state", ["fresh", "run", "edited", "without index"])
def test_reading_changes_no_file(counting: Project, state: str) -> None:
    if state != "fresh":
        counting.experiment("counting")
    if state == "edited":
        counting.write(
            "experiments/counting.py", COUNT.replace("return record.params.n", "return record.params.n + 1")
        )
    if state == "without index":
        (counting.root / "data" / "index.db").unlink()
    before = counting.files()
    for words in READING:
        done = counting.experiment(*words, check=False)
        assert counting.files() == before, done.output
        assert done.returncode == (2 if state == "fresh" and words[0] == "show" else 0), done.output


def test_help_tells_of_verbs_and_of_every_option(counting: Project) -> None:
    top = counting.experiment("--help").stdout
    for verb in ("run", "ls", "runs", "show", "report", "open", "reindex"):
        assert re.search(rf"^  {verb} +\S", top, re.MULTILINE)
    options = counting.experiment("counting", "--help").stdout
    assert options.startswith("Usage: experiment NAME [PARAMETER=VALUE]… [OPTIONS]")
    assert options == counting.experiment("run", "--help").stdout
    assert re.search(r"--eager, --no-dag +Execute each call", options)


def test_without_words_the_help_is_shown(counting: Project) -> None:
    done = counting.experiment(check=False)
    assert done.stdout == counting.experiment("--help").stdout
    assert done.returncode == 2


def test_versions_are_shown(counting: Project) -> None:
    version = counting.experiment("--version").stdout
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", version)
    assert counting.curifactory("--version").stdout == version
    assert "Usage: curifactory" in counting.curifactory().stdout


PRINTING = """
import os
import curifactory as cf
from curifactory.caching import JsonCacher

print("while it is imported")
os.system("echo by another program")
os.write(1, b"by a library")

def get_params():
    print("of parameters")
    return [cf.ExperimentParameters(name="a")]

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def make(record):
    return 1

def run(param_sets, manager):
    print("while it runs")
    for params in param_sets:
        make(cf.Record(manager, params))
"""


@pytest.mark.parametrize(
    "question",
    [
        "talks --map --json",
        "talks --hashes --json",
        "talks --paths --json",
        "talks --print-params --json",
        "cache why talks --json",
        "cache gc --json",
        "accept talks --json",
        "ls --check --json",
    ],
)
def test_answers_in_json_are_json_whatever_the_project_prints(project, question) -> None:
    project.write("experiments/talks.py", PRINTING)
    project.experiment("talks", "--no-report")
    done = project.experiment(*question.split())
    json.loads(done.stdout)
    assert "while it is imported" in done.stderr or question.startswith("ls")
    assert "by another program\nby a library" in done.stderr or question.startswith("ls")

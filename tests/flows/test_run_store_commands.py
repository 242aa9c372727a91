"""The run store for a person at a terminal: found, compared, written on, removed, and the same words in Python."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Project

EXPERIMENT = """
from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher
from helpers import scale

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1
    rate: float = 0.5

def get_params():
    return [Params(name="a", n=1), Params(name="b", n=2)]

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return [record.params.n]

@cf.stage(inputs=["x"], outputs=["y"], cachers=[JsonCacher])
def end(record, x):
    record.log("test", {"acc": 0.9 + scale(x)[0] / 1000})
    return scale(x)

def run(param_sets, manager):
    for params in param_sets:
        end(begin(cf.Record(manager, params)))
"""
HELPERS = "def scale(values):\n    return [10 * value for value in values]\n"
SESSION = """
import curifactory as cf
manager = cf.ArtifactManager("vision/iris")
cf.Record(manager, None).log({"acc": 0.5})
manager.finish()
manager.generate_report()
"""


@pytest.fixture
def two(project: Project) -> Project:
    project.write("experiments/two.py", EXPERIMENT)
    project.write("helpers.py", HELPERS)
    return project


@pytest.fixture
def twice(two: Project) -> Project:
    """Give a project with two runs that differ in a helper and in a parameter."""
    two.write(".gitignore", "data/\nreports/\n__pycache__/\n")
    two.git("init")
    two.git("add", ".")
    two.git("commit", "-m", "first")
    two.experiment("two", "--quiet")
    two.write("helpers.py", HELPERS.replace("10 *", "11 *"))
    two.write("experiments/two.py", EXPERIMENT.replace('name="b", n=2', 'name="b", n=7'))
    two.experiment("two", "--quiet", env={"OMP_NUM_THREADS": "3"})
    return two


def ask(project: Project, *words: str) -> Any:
    """Return what a verb writes as JSON."""
    return json.loads(project.experiment(*words, "--json").stdout)


def numbers(project: Project, *words: str) -> list[int]:
    return [run["number"] for run in ask(project, "runs", *words)]


def references(project: Project) -> list[str]:
    return [run["reference"] for run in ask(project, "runs")]


# -------------------------------------------------------------------------------------------------------------- runs


def test_runs_are_found_sorted_and_shown_as_asked(twice: Project) -> None:
    assert numbers(twice, "--where", "acc > 0.95") == [2]
    assert numbers(twice, "-w", "params.n >= 2", "-w", 'outcome == "complete"') == [2, 1]
    assert numbers(twice, "two", "-w", "n == 7") == [2]
    assert numbers(twice, "--sort", "acc", "--reverse") == [1, 2]
    assert numbers(twice, "--outcome", "failed", "--outcome", "interrupted") == []
    head, first, second = twice.experiment(
        "runs", "--columns", "number,acc,n,rate", "--sort", "number"
    ).stdout.splitlines()
    assert head.split() == ["run", "number", "acc", "n", "rate"]
    assert first.split()[1:] == ["2", "0.977", "1,", "7", "0.5"]
    assert second.split()[1:] == ["1", "0.92", "1,", "2", "0.5"]
    head, line = twice.experiment("runs", "-w", "n > 5").stdout.splitlines()
    assert head.split() == ["run", "outcome", "started", "time", "calls", "scores", "n"]
    assert line.endswith("acc 0.977  1, 7")


def test_runs_as_json_and_csv_have_what_was_chosen(twice: Project) -> None:
    assert ask(twice, "runs", "--columns", "number,acc,n", "-n", "1") == [
        {"number": 2, "acc": 0.977, "n": [1, 7]}
    ]
    (first, _) = ask(twice, "runs")
    assert first["parameters"] == {"n": [1, 7], "rate": 0.5}
    rows = list(csv.DictReader(io.StringIO(twice.experiment("runs", "--csv").stdout)))
    assert [row["number"] for row in rows] == ["2", "1"]
    assert rows[0]["metrics.acc"] == "0.977"
    assert rows[0]["params.n"] == "[1, 7]"
    assert twice.experiment("runs", "--csv", "--columns", "number,tags").stdout == "number,tags\n2,\n1,\n"


QUESTIONS = [
    (["-w", "acuracy > 1"], "No run has a metric, a parameter or a fact named 'acuracy'. Did you mean"),
    (
        ["-w", "acc = 1"],
        "The condition 'acc = 1' cannot be understood at character 5, '= 1': Two values are",
    ),
    (["-w", "acc > "], "The condition 'acc >' cannot be understood"),
    (["-w", "open('x')"], "a call cannot stand in a condition"),
    (["-w", "outcome == 'done'"], "No run ends as 'done'."),
    (["-w", "started > 'noon'"], "'noon' is no moment."),
    (["--sort", "los"], "No run has a metric, a parameter or a fact named 'los'."),
    (["--columns", "los"], "No run has a metric, a parameter or a fact named 'los'."),
    (["--outcome", "done"], "Invalid value for '--outcome': 'done' is not one of"),
    (["--tag", "two words"], "A tag cannot be 'two words'."),
    (["-n", "-1"], "Invalid value for '-n' / '--limit': -1 is not in the range x>=0."),
    (["--json", "--csv"], "--json and --csv contradict each other"),
    (["tow"], "No experiment named 'tow'. Did you mean 'two'?"),
    (["acc > 0.9"], "No experiment named 'acc > 0.9'. As a condition: experiment runs -w 'acc > 0.9'"),
]


def refuse(words: list[str], message: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Call the command in this process, which is quicker where there are many, and look at what it says."""
    from curifactory.cli.experiment_verbs import experiment
    from curifactory.cli.outcome import run_command

    code = run_command(experiment, words, program="experiment")
    out, err = capfd.readouterr()
    assert (out, code, err.count("\n")) == ("", 2, 1), (words, err)
    assert message in err, words


def test_a_question_that_nobody_can_answer_is_one_line(
    two: Project, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    two.experiment("two", "--quiet", "--no-report")
    monkeypatch.chdir(two.root)
    for words, message in QUESTIONS:
        refuse(["runs", *words], message, capfd)


def test_when_none_fits_it_is_said(two: Project) -> None:
    two.experiment("two", "--quiet", "--no-report")
    assert two.experiment("runs", "-w", "acc > 5").stdout == "None of 1 runs fits.\n"
    assert ask(two, "runs", "-w", "acc > 5") == []


def test_more_than_a_table_shows_is_said_and_json_has_all(two: Project) -> None:
    for _ in range(3):
        two.experiment("two", "--quiet", "--no-report")
    assert (
        two.experiment("runs", "two", "-n", "2").stdout.splitlines()[-1] == "1 more: experiment runs two -n 0"
    )
    assert two.experiment("runs", "-n", "2", "-w", "acc > 0").stdout.splitlines()[-1] == (
        "1 more: the same command with -n 0"
    )
    assert numbers(two) == [3, 2, 1]
    assert numbers(two, "-n", "1", "--reverse") == [1]


def test_the_shell_completes_runs_tags_and_keys(two: Project) -> None:
    two.experiment("two", "--quiet", "--no-report")
    two.experiment("tag", "-1", "paper")
    reference = references(two)[0]

    def complete(line: str) -> list[str]:
        asked = {"_EXPERIMENT_COMPLETE": "bash_complete", "COMP_LINE": line}
        return two.run(
            sys.executable, "-P", "-m", "curifactory.cli.experiment", env=asked
        ).stdout.splitlines()

    for verb in ("show", "diff", "diff two_1", "note", "tag", "rm", "rm two_1"):
        assert complete(f"experiment {verb} two") == [f"plain,{reference}"], verb
    assert complete("experiment runs --tag pa") == ["plain,paper"]
    assert complete("experiment tag two_1 pa") == ["plain,paper"]
    assert complete("experiment runs --sort params.") == ["plain,params.n", "plain,params.rate"]
    assert complete("experiment runs --sort ac") == ["plain,acc"]
    assert complete("experiment runs --outcome part") == ["plain,partly failed"]


# -------------------------------------------------------------------------------------------------------------- diff


def test_a_difference_tells_parameters_metrics_code_environment_and_calls(twice: Project) -> None:
    first = references(twice)[1]
    twice.git("add", ".")
    told = ask(twice, "diff", "two/-2", "two_2")
    assert (told["before"], told["same"]) == (first, False)
    assert told["parameters"] == [{"set": "b", "name": "n", "before": "2", "after": "7"}]
    assert [(each["record"], each["before"], each["after"]) for each in told["metrics"]] == [
        ("Record 0 (a)", 0.91, 0.911),
        ("Record 1 (b)", 0.92, 0.977),
    ]
    code = told["code"]
    assert code["parts"] == [{"part": "helpers.scale", "change": "changed", "place": "helpers.py:1"}]
    assert code["files"] == ["experiments/two.py", "helpers.py"]
    assert "-    return [10 * value for value in values]\n+    return [11 * value" in code["text"]
    assert code["after"] == code["before"] + "+"
    assert {"kind": "variable", "name": "OMP_NUM_THREADS", "before": None, "after": "3"} in told[
        "environment"
    ]
    calls = {(call["name"], call["record"]): call for call in told["calls"]}
    assert calls["begin", "Record 0 (a)"]["same"] is True
    assert [reason["text"] for reason in calls["begin", "Record 1 (b)"]["reasons"]] == ["parameter n: 2 → 7"]
    assert [reason["text"] for reason in calls["end", "Record 1 (b)"]["reasons"]] == [
        "code of helpers.scale changed (helpers.py:1)",
        "input x changed",
    ]
    (output,) = calls["end", "Record 0 (a)"]["outputs"]
    assert (output["name"], output["same"]) == ("y", False)


def test_a_difference_as_text(twice: Project) -> None:
    text = twice.experiment("diff", "two_1", "-1").stdout
    lines = text.splitlines()
    assert re.fullmatch(r"two_1_\S+ → two_2_\S+", lines[0])
    assert lines[2:4] == ["parameters", "  n  2 → 7  b"]
    assert "  Record 1 (b)  test acc  0.92 → 0.977  (+0.057)" in lines
    assert "  +    return [11 * value for value in values]" in lines
    assert "  begin  Record 1 (b)  parameter n: 2 → 7" in text
    assert lines[-1] == "  1 other call is the same"
    assert twice.experiment("diff", "-1", "-1").stdout.splitlines()[-3:] == [
        "",
        "calls",
        "  4 calls are the same",
    ]


def test_runs_keep_their_order_when_the_first_is_a_number(twice: Project) -> None:
    last, first = references(twice)
    assert (ask(twice, "diff", "-1", "two/-2")["before"], ask(twice, "diff", "two/-2")["before"]) == (
        last,
        first,
    )


def test_without_git_the_parts_that_changed_are_named(two: Project) -> None:
    two.experiment("two", "--quiet", "--no-report")
    two.write("helpers.py", HELPERS.replace("10 *", "11 *"))
    two.experiment("two", "--quiet", "--no-report")
    code = ask(two, "diff", "-2", "-1")["code"]
    assert code["parts"] == [{"part": "helpers.scale", "change": "changed", "place": "helpers.py:1"}]
    assert code["text"] == ""
    assert code["unknown"].endswith("ran outside of a git commit")
    assert "helpers.scale  changed  helpers.py:1" in two.experiment("diff", "-2").stdout


def test_before_the_first_commit_there_is_none_yet(two: Project) -> None:
    two.git("init")
    two.experiment("two", "--quiet")
    two.write("helpers.py", HELPERS.replace("10 *", "11 *"))
    two.git("add", ".")
    two.git("commit", "-m", "first")
    two.experiment("two", "--quiet")
    said = two.experiment("diff", "two_1", "two_2").stdout
    assert "commit none yet → " in said


def test_runs_that_were_copied_here_are_compared(twice: Project, tmp_path) -> None:
    copied = tmp_path / "from-ada"
    shutil.copytree(twice.root / "data" / "runs" / references(twice)[1], copied / references(twice)[1])
    told = ask(twice, "diff", str(copied / references(twice)[1]), "-1")
    assert told["parameters"] == [{"set": "b", "name": "n", "before": "2", "after": "7"}]
    assert told["code"]["files"] == ["experiments/two.py", "helpers.py"]
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "experiments").mkdir(parents=True)
    shutil.copytree(twice.root / "data" / "runs", elsewhere / "data" / "runs")
    there = type(twice)(elsewhere)
    there.write("pyproject.toml", "[tool.curifactory]\n")
    told = ask(there, "diff", "two_1", "two_2")
    assert told["code"]["unknown"].endswith("is not in the repository here")
    changed = [call for call in told["calls"] if not call["same"]]
    assert {call["unknown"] for call in changed} == {"what it has read is not kept"}
    assert [reason["text"] for call in changed for reason in call["reasons"]] == [
        "parameter n: 2 → 7",
        "parameter n: 2 → 7",
        "input x changed",
    ]


def test_a_set_with_another_name_is_the_same_set(two: Project) -> None:
    two.write("experiments/two.py", EXPERIMENT.replace(', Params(name="b", n=2)', ""))
    two.experiment("two", "--quiet", "--no-report")
    two.write("experiments/two.py", EXPERIMENT.replace('Params(name="a", n=1), ', ""))
    two.experiment("two", "--quiet", "--no-report")
    told = ask(two, "diff", "-2")
    assert [(each["name"], each["before"], each["after"]) for each in told["parameters"]] == [
        ("name", "'a'", "'b'"),
        ("n", "1", "2"),
    ]
    assert [(call["name"], call["before"], call["after"]) for call in told["calls"]] == [
        ("begin", "ran", "ran"),
        ("end", "ran", "ran"),
    ]


def test_calls_that_only_one_run_has_are_told(two: Project) -> None:
    two.experiment("two", "--quiet", "--no-report", "-n", "a")
    two.experiment("two", "--quiet", "--no-report")
    told = ask(two, "diff", "-2")
    assert [(call["record"], call["before"]) for call in told["calls"] if not call["same"]] == [
        ("Record 1 (b)", None),
        ("Record 1 (b)", None),
    ]
    assert [(each["set"], each["name"], each["before"]) for each in told["parameters"]] == [("b", "", None)]
    assert "set b  only after" in two.experiment("diff", "-2").stdout


# ------------------------------------------------------------------------------------------------------ note and tag


def test_an_aggregate_is_the_same_call_where_other_records_came_before_it(two: Project) -> None:
    text = EXPERIMENT.replace(
        "def run(",
        """@cf.aggregate(inputs=["y"], outputs=["sum"], cachers=[JsonCacher])
def add_up(record, records, y):
    record.log({"sum": sum(each[0] for each in y.values())})
    return len(y)

def run(""",
    )
    text += "    add_up(cf.Record(manager, None))\n"
    two.write("experiments/two.py", text)
    two.experiment("two", "--quiet")
    two.write("experiments/two.py", text.replace("n=2)]", 'n=2), Params(name="c", n=3)]'))
    two.experiment("two", "--quiet")

    told = ask(two, "diff", "two/-2", "two/-1")
    (call,) = [call for call in told["calls"] if call["name"] == "add_up"]
    assert (call["before"], call["after"]) == ("ran", "ran")
    assert [reason["text"] for reason in call["reasons"]] == ["input y changed", "input records changed"]
    assert [
        (each["name"], each["before"], each["after"]) for each in told["metrics"] if each["name"] == "sum"
    ] == [("sum", 30.0, 60.0)]
    shown = two.experiment("diff", "two/-2", "two/-1").stdout
    assert "only before" not in shown


def test_notes_and_tags_are_in_the_run_the_listing_and_the_pages(two: Project) -> None:
    two.experiment("two", "--quiet")
    reference = references(two)[0]
    page = two.root / "reports" / reference / "index.html"
    assert (
        two.experiment("note", "-1", "a <b>good</b> one").stdout
        == f"notes of {reference}: a <b>good</b> one\n"
    )
    two.experiment("note", "two_1", "and more", "--append")
    assert two.experiment("tag", "-1", "paper", "#best").stdout == f"tags of {reference}: #paper #best\n"
    (run,) = ask(two, "runs", "--tag", "paper")
    assert (run["notes"], run["tags"]) == ("a <b>good</b> one\nand more", ["paper", "best"])
    assert "and more" in page.read_text()
    assert "<b>good</b>" not in page.read_text()
    assert "and more" in (two.root / "reports" / "index-data.js").read_text()
    two.experiment("tag", "-1", "best", "--remove")
    two.experiment("note", "-1", "--clear")
    (run,) = ask(two, "runs")
    assert (run["notes"], run["tags"]) == (None, ["paper"])
    assert "and more" not in page.read_text()
    assert json.loads((two.root / "data/runs" / reference / "run.json").read_text())["tags"] == ["paper"]


def test_notes_are_written_in_an_editor(two: Project) -> None:
    two.experiment("two", "--quiet", "--no-report", "--notes", "before")
    editor = two.write("editor.sh", '#!/bin/sh\ncat "$1" > seen.txt\necho "after" > "$1"\n')
    editor.chmod(0o755)
    two.experiment("note", "-1", env={"EDITOR": str(editor), "VISUAL": None})
    assert (two.root / "seen.txt").read_text() == "before\n"
    assert ask(two, "runs")[0]["notes"] == "after"
    assert (
        two.experiment("note", "-1", env={"EDITOR": "true", "VISUAL": None}).stdout
        == "Nothing was changed.\n"
    )
    done = two.experiment("note", "-1", env={"EDITOR": "/nowhere/vi", "VISUAL": None}, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_a_secret_in_a_note_is_masked(two: Project) -> None:
    two.experiment("two", "--quiet", "--no-report")
    two.experiment("note", "-1", "with api_key='hunter2'")
    assert "hunter2" not in "".join(
        path.read_text(errors="replace") for path in (two.root / "data").rglob("*") if path.is_file()
    )


WRONG = [
    (["note", "-1", "text", "--clear"], "--clear takes the notes away"),
    (["note"], "Missing argument 'RUN'."),
    (["note", "tow_1", "x"], "No run named 'tow_1'. Did you mean 'two_1'"),
    (["tag", "-1"], "Missing argument"),
    (["tag", "-1", "a b"], "A tag cannot be 'a b'."),
    (["tag", "-1", ""], "A tag cannot be ''."),
    (["tag", "-1", "papr", "--remove"], "has no tag 'papr'. Did you mean 'paper'?"),
    (["rm"], "Missing argument"),
    (["rm", "-1", "--undo"], "--undo brings back what was removed last"),
    (["rm", "--undo"], "No removed runs lie in the trash"),
    (["rm", "two"], "'two' could be 2 runs: two_2_"),
    (["rm", "two_9"], "No run named 'two_9'."),
    (["diff"], "Missing argument 'A'. Write: experiment diff A B"),
    (["diff", "-3"], "No run named '-3'."),
]


def test_a_run_beside_itself_is_told_to_be_one_run(two: Project) -> None:
    two.experiment("two", "--quiet", "--no-report")
    done = two.experiment("diff", "-1")
    assert (
        done.stderr
        == f"Both are {references(two)[0]}; two runs are named as in: experiment diff iris/-2 iris/-1\n"
    )


def test_notes_are_not_asked_for_where_nobody_could_write_them(two: Project) -> None:
    two.experiment("two", "--quiet", "--no-report", "--notes", "before")
    done = two.experiment("note", "-1", env={"EDITOR": None, "VISUAL": None}, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Without a text an editor opens, which needs a terminal: give the text, too.\n"
    assert ask(two, "runs")[0]["notes"] == "before"


def test_wrong_words_are_one_line_and_change_nothing(
    two: Project, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        two.experiment("two", "--quiet", "--no-report")
    two.experiment("tag", "-1", "paper")
    before = two.files("data")
    monkeypatch.chdir(two.root)
    for words, message in WRONG:
        refuse(words, message, capfd)
    assert two.files("data") == before


# ---------------------------------------------------------------------------------------------------------------- rm


def test_runs_go_to_the_trash_with_their_reports_and_come_back(two: Project) -> None:
    for _ in range(3):
        two.experiment("two", "--quiet")
    third, second, first = references(two)
    before = {
        name: digest for name, digest in two.files().items() if "index" not in name and "lock" not in name
    }
    plan = two.experiment("rm", "two_1", "-1").stdout
    assert re.fullmatch(
        r"Nothing was changed\. Do it with: experiment rm two_\S+( two_\S+)* --yes", plan.splitlines()[-1]
    )
    assert "together 2 runs" in plan
    assert references(two) == [third, second, first]

    told = ask(two, "rm", "two_1", "-1", "--yes")
    assert [run["reference"] for run in told["runs"]] == [first, third]
    assert references(two) == [second]
    assert sorted(path.name for path in (two.root / "reports").glob("two_*")) == [second]
    assert os.readlink(two.root / "reports" / "_latest") == second
    assert third not in (two.root / "reports" / "index-data.js").read_text()

    done = two.experiment("rm", "--undo").stdout
    assert re.fullmatch(rf"brought back what was removed at \S+ \S+: {first}, {third}\n", done)
    assert references(two) == [third, second, first]
    assert os.readlink(two.root / "reports" / "_latest") == third
    assert third in (two.root / "reports" / "index-data.js").read_text()
    after = two.files()
    assert {name: after.get(name) for name in before} == before
    assert not (two.root / "data" / "trash").exists()


def test_a_number_is_not_given_out_again_and_what_was_made_stays(two: Project) -> None:
    two.experiment("two", "--quiet", "--no-report")
    two.experiment("rm", "-1", "--yes")
    two.experiment("two", "--quiet", "--no-report")
    assert numbers(two) == [2]
    assert ask(two, "runs")[0]["counts"] == {"reused": 4}


def test_each_undo_brings_back_its_own(two: Project) -> None:
    two.experiment("two", "--quiet", "--no-report")
    two.experiment("rm", "-1", "--yes")
    two.write(
        "experiments/two.py", EXPERIMENT.replace("return [record.params.n]", "return [record.params.n, 1]")
    )
    assert ask(two, "cache", "gc", "--keep-runs", "1", "--yes")["folder"] is not None
    assert "brought back what was removed" in two.experiment("rm", "--undo").stdout
    assert numbers(two) == [1]
    assert "brought back what was cleared away" in two.experiment("cache", "undo").stdout


def test_runs_of_an_experiment_with_a_slash_are_folders(project: Project) -> None:
    project.write("session.py", SESSION)
    project.run(sys.executable, "session.py")
    project.run(sys.executable, "session.py")
    last, first = references(project)
    assert first.startswith("vision/iris_1_")
    assert (project.root / "data" / "runs" / last / "run.json").is_file()
    assert ask(project, "show", "vision/iris/-2")["run"]["reference"] == first
    assert numbers(project, "vision/iris") == [2, 1]
    assert ask(project, "diff", "vision/iris_1", "vision/iris/-1")["after"] == last
    project.experiment("rm", "vision/iris_1", "vision/iris_2", "--yes")
    assert references(project) == []
    assert not (project.root / "data" / "runs" / "vision").exists()
    assert not (project.root / "reports" / "vision").exists()
    project.experiment("rm", "--undo")
    assert references(project) == [last, first]
    assert (project.root / "reports" / first / "index.html").is_file()


def test_a_run_that_goes_on_is_not_removed(project: Project) -> None:
    project.write(
        "session.py",
        """
import subprocess, sys
import curifactory as cf
manager = cf.ArtifactManager("proto")
cf.Record(manager, None).log({"acc": 0.5})
done = subprocess.run([sys.executable, "-P", "-m", "curifactory.cli.experiment", "rm", "-1", "--yes"], capture_output=True, text=True)
print(done.returncode, done.stderr)
""",
    )
    told = project.run(sys.executable, "session.py").stdout
    assert re.match(r"2 proto_1_\S+ goes on \(process \d+ on \S+\)\. Wait for its end, or end it\.", told), (
        told
    )
    assert numbers(project) == [1]
    project.experiment("rm", "-1", "--yes")
    assert numbers(project) == []


def test_a_run_that_is_there_again_is_not_lost_by_an_undo(two: Project, tmp_path) -> None:
    two.experiment("two", "--quiet", "--no-report")
    folder = two.root / "data" / "runs" / references(two)[0]
    shutil.copytree(folder, tmp_path / "copy")
    two.experiment("rm", "-1", "--yes")
    shutil.copytree(tmp_path / "copy", folder)
    done = two.experiment("rm", "--undo", check=False)
    assert (done.returncode, "is there again. Move it to another place first." in done.stderr) == (1, True)
    shutil.rmtree(folder)
    two.experiment("rm", "--undo")
    assert numbers(two) == [1]


def test_a_copy_elsewhere_is_not_removed(two: Project, tmp_path) -> None:
    two.experiment("two", "--quiet", "--no-report")
    copy = tmp_path / "copy" / references(two)[0]
    shutil.copytree(two.root / "data" / "runs" / references(two)[0], copy)
    done = two.experiment("rm", f"{copy}", "--yes", check=False)
    assert (done.returncode, "does not lie in" in done.stderr, copy.is_dir()) == (2, True, True)


def test_reading_verbs_change_no_file(twice: Project) -> None:
    (twice.root / "data" / "index.db").unlink()
    before = twice.files()
    for words in (
        ["runs", "-w", "acc > 0.9", "--sort", "acc"],
        ["runs", "--csv"],
        ["runs", "--columns", "acc,n"],
        ["diff", "-2", "-1"],
        ["diff", "-2", "-1", "--json"],
        ["show", "--json"],
        ["rm", "-1"],
    ):
        twice.experiment(*words)
        assert twice.files() == before, words


# ------------------------------------------------------------------------------------------------- the same in Python


def test_python_has_the_same_words(twice: Project) -> None:
    twice.write(
        "look.py",
        """
import curifactory as cf

found = cf.runs.find("acc > 0.95", experiment="two")
(run,) = found
assert type(run) is type(cf.load_run()) and run.number == 2
assert cf.runs.find(n=7).references == [run.reference] == cf.runs.find(acc=(0.95, 1.0)).references
assert cf.runs.find(n=[2, 3]).references == [cf.runs.get("two_1").reference]
assert [each.number for each in cf.runs] == [2, 1] and len(cf.runs) == 2
assert cf.runs.find(sort="acc", reverse=True, limit=1)[0].number == 1
assert list(cf.runs.find().to_frame("number,acc")["acc"]) == [0.977, 0.92]
assert "two_2" in cf.runs.find()._repr_html_() and "two_2" in repr(found)

difference = cf.runs.get("two_1").diff(run)
assert [each.name for each in difference.parameters] == ["n"]
assert [call.name for call in difference.calls if not call.is_same] == ["end", "begin", "end"]
assert "parameter n: 2 → 7" in str(difference) and "<pre" in difference._repr_html_()
assert difference.to_json()["code"]["files"] == list(difference.code.files)
assert cf.runs.get("two_1").diff("two_1").is_same

assert run.note("good").note("very", append=True).notes == "good\\nvery"
assert run.tag("paper").tags == ["paper"] and cf.runs.find(tags="paper", outcome="complete").references == [run.reference]
assert run.tag("paper", remove=True).tags == []
run.remove()
assert [each.number for each in cf.runs] == [1]
assert [each.number for each in cf.runs.undo()] == [2] and cf.runs.undo() == []
for words, error in (({"where": "acuracy > 1"}, cf.DiscoveryError), ({"where": "acc = 1"}, cf.ConfigurationError)):
    try:
        cf.runs.find(**words)
    except error:
        continue
    raise AssertionError(words)
""",
    )
    twice.run(sys.executable, "look.py")


def test_a_run_whose_facts_are_damaged_is_told_and_keeps_what_it_has(twice: Project) -> None:
    second, first = [row["reference"] for row in ask(twice, "runs")]
    damaged = twice.root / "data" / "runs" / first / "run.json"
    whole = damaged.read_bytes()
    collect = ("cache", "gc", "--keep-runs", "1", "--older-than", "0")
    waste = ask(twice, *collect)
    damaged.write_bytes(whole[:100])
    done = twice.experiment("runs")
    assert done.stderr.count("\n") == 1
    assert f"{first}/run.json is damaged" in done.stderr
    assert second in done.stdout
    assert first not in done.stdout
    assert [row["reference"] for row in ask(twice, "runs")] == [second]
    # How old it is nobody can say; so collecting what old runs alone have used takes nothing of it.
    assert (waste != ask(twice, *collect)) is True
    (twice.root / "data" / "runs" / second / "run.json").write_text("")
    done = twice.experiment("runs")
    assert done.stdout == "No run can be listed.\n"
    damaged.write_bytes(whole)
    assert [row["reference"] for row in ask(twice, "runs")] == [first]

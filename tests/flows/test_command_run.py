"""`experiment NAME`: what it runs, reuses, says and leaves behind."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Project

POWERS = '''"""Add up powers."""
from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher
from features import raise_to

@dataclass
class Params(cf.ExperimentParameters):
    power: int = 1

@cf.stage(inputs=None, outputs=["numbers"], cachers=[JsonCacher])
def make_numbers(record):
    return [1, 2, 3]

@cf.stage(inputs=["numbers"], outputs=["total"], cachers=[JsonCacher])
def add_powers(record, numbers):
    total = sum(raise_to(number, record.params.power) for number in numbers)
    record.log({"total": total})
    return total

def get_params():
    return [Params(name="plain"), Params(name="squares", power=2)]

def run(param_sets, manager):
    for params in param_sets:
        add_powers(make_numbers(cf.Record(manager, params)))
'''
FEATURES = "def raise_to(number, power):\n    return number**power\n"


@pytest.fixture
def powers(project: Project) -> Project:
    project.write("experiments/powers.py", POWERS)
    project.write("features.py", FEATURES)
    return project


def run_of(project: Project, number: int = -1) -> dict[str, Any]:
    """Return what `experiment show --json` tells of a run."""
    shown: dict[str, Any] = json.loads(project.experiment("show", str(number), "--json").stdout)
    return shown


def test_a_run_shows_each_call_and_tells_its_end(powers: Project) -> None:
    done = powers.experiment("powers")
    lines = done.stdout.splitlines()
    (add,) = (line for line in lines if "add_powers" in line and "plain" in line)
    assert re.fullmatch(r"ran     add_powers\s+Record 0 \(plain\)\s+\d+\.\d\d s  never run", add)
    end = lines[next(place for place, line in enumerate(lines) if line.startswith("powers_1_")) :]
    assert len(end) <= 8
    assert re.match(r"powers_1_\S+ complete after \d+\.\d\d s: ", end[0])
    assert end[1:3] == ["scores  Record 0 (plain)    total 6", "        Record 1 (squares)  total 14"]
    assert re.fullmatch(r"report  file:///\S+/reports/powers_1_\S+/index.html", end[3])
    assert end[4] == "next    experiment open  (all runs side by side)"
    assert done.stderr == ""


def test_the_same_command_again_reuses_everything_and_says_so(powers: Project) -> None:
    powers.experiment("powers")
    lines = powers.experiment("powers").stdout.splitlines()
    assert [line for line in lines if line.startswith("ran ")] == []
    assert re.search(
        r"nothing had to run, all \d calls were reused \(from powers_1_\S+\)$", "\n".join(lines), re.MULTILINE
    )
    # The scores are those of the run that made them.
    assert "scores  Record 0 (plain)    total 6" in lines


def test_after_an_edit_the_map_says_what_would_run_and_why(powers: Project) -> None:
    powers.experiment("powers")
    powers.write("features.py", "\n\n" + FEATURES.replace("**", "* 2 **"))
    lines = powers.experiment("powers", "--map").stdout.splitlines()
    assert len(lines) == 5
    (changed,) = (line for line in lines if "add_powers" in line and "plain" in line)
    assert re.fullmatch(
        r"add_powers    Record 0 \(plain\)    run\s+code of \S*raise_to\S* changed \(features.py:\d\)",
        changed,
    )
    assert re.search(
        r"^make_numbers  Record 0 \(plain\)    reuse\s+nothing it read has changed",
        "\n".join(lines),
        re.MULTILINE,
    )
    assert lines[-1] == "4 calls: 2 run, 2 reuse"


def test_the_map_as_json_has_every_call_with_its_reason(powers: Project) -> None:
    data = json.loads(powers.experiment("powers", "--map", "--json").stdout)
    assert (data["experiment"], data["totals"]["run"], data["totals"]["perhaps"]) == ("powers", 3, 1)
    assert data["calls"][0]["reason"]["kind"] == "never_run"
    assert set(data["calls"][0]) == {
        "index", "name", "stage", "record", "record_name", "verdict", "reason", "needed", "files",
    }  # fmt: skip


LOOKING = """
import contextlib
from pathlib import Path
import curifactory as cf
from experiments.powers import *

@cf.stage(inputs=["total"], outputs=["told"], cachers=[JsonCacher])
def tell(record, total):
    with open("executed.txt", "a") as file:
        file.write("tell ")
    return total

def run(param_sets, manager):
    for params in param_sets:
        record = add_powers(make_numbers(cf.Record(manager, params)))
        {body}
"""


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("tell(record)", ["--eager"]),
        ("try:\n            tell(record)\n        except ValueError:\n            pass", []),
        ("with contextlib.nullcontext():\n            tell(record)", []),
        ("with contextlib.nullcontext():\n            tell(record)", ["-j", "2"]),
    ],
)
def test_the_map_executes_nothing_however_calls_are_made(
    powers: Project, body: str, words: list[str]
) -> None:
    powers.write("experiments/looking.py", LOOKING.format(body=body))
    shown = powers.experiment("looking", "--map", *words)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines()[-1] == "6 calls: 5 run, 1 perhaps"
    assert powers.experiment("looking", "--paths", *words).stdout.count("_told.json") == 2
    assert not (powers.root / "executed.txt").exists()

    powers.experiment("looking", *words)
    for total in (powers.root / "data/cache").glob("*_total.json"):
        total.unlink()
    # What nobody needs is not missed, and no reader is said to have other inputs.
    assert powers.experiment("looking", "--map", *words).stdout.splitlines()[-1] == "6 calls: 6 reuse"
    assert (powers.root / "executed.txt").read_text() == "tell tell "


def test_the_map_says_how_many_calls_were_executed_as_run_reads_what_they_make(powers: Project) -> None:
    powers.write(
        "experiments/looking.py",
        LOOKING.format(body='tell(record) if record.state["total"] > 6 else None'),
    )
    shown = powers.experiment("looking", "--map")
    assert shown.stdout.splitlines()[-2:] == [
        "5 calls: 5 run",
        "run() reads values: 4 calls were executed for this map; nothing was kept.",
    ]
    assert not (powers.root / "executed.txt").exists()
    assert json.loads(powers.experiment("looking", "--map", "--json").stdout)["executed"] == 4

    powers.experiment("looking")
    assert json.loads(powers.experiment("looking", "--map", "--json").stdout)["executed"] == 0


def test_the_map_executes_in_its_block_what_run_reads_after_it(powers: Project) -> None:
    body = """with tempfile.TemporaryDirectory() as folder:
            tell(record)
            kept = Path(folder)
        record.state["told"]"""
    text = LOOKING.format(body=body).replace("import contextlib", "import os\nimport tempfile\nkept = None")
    text = text.replace('with open("executed.txt"', 'os.listdir(folder)\n    with open("executed.txt"')
    text = text.replace("    for params in param_sets:", "    global folder\n    for params in param_sets:")
    powers.write("experiments/looking.py", text)
    shown = powers.experiment("looking", "--map")
    assert (shown.returncode, shown.stdout.splitlines()[-1].partition(":")[0]) == (0, "run() reads values")
    assert powers.experiment("looking").returncode == 0


def test_it_works_in_any_folder_of_the_project(powers: Project) -> None:
    powers.environment["PWD"] = str(powers.root / "experiments")
    below = type(powers)(powers.root / "experiments", powers.environment)
    below.experiment("powers", "--cache", "here")
    assert (powers.root / "reports" / "index.html").parent.is_dir()
    assert not (powers.root / "experiments" / "data").exists()
    # What is typed is meant from where one stands.
    assert list((powers.root / "experiments" / "here").glob("powers_*_make_numbers_numbers.json"))


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ([], ["plain", "squares"]),
        (["-n", "squares"], ["squares"]),
        (["--indices", "1"], ["squares"]),
        (["--global-indices", "0-1"], ["plain"]),
        (["-p", "more", "-p", "powers", "--global-indices", "1-3"], ["fifth", "plain"]),
        (["-p", "more", "-p", "powers", "--indices", "0"], ["fourth", "plain"]),
        (["-p", "more", "-p", "more"], ["fourth", "fifth"]),
        (["-p", "deep.more"], ["sixth"]),
    ],
)
def test_parameter_sets_are_picked(powers: Project, words: list[str], names: list[str]) -> None:
    head = "from experiments.powers import Params\ndef get_params():\n    return "
    powers.write("params/more.py", head + "[Params(name='fourth', power=4), Params(name='fifth', power=5)]\n")
    powers.write("params/deep/more.py", head + "[Params(name='sixth', power=6)]\n")
    done = powers.experiment("powers", *words, "--hashes")
    assert [line.split(" ")[1] for line in done.stdout.splitlines()] == names
    assert all(re.fullmatch(r"[0-9a-f]{32}", line.split(" ")[0]) for line in done.stdout.splitlines())
    if words.count("more") == 2 and "powers" not in words:
        assert done.stderr == "Parameter file 'more' was named more than once; it counts once.\n"


def test_a_parameter_file_wins_over_the_experiment_of_its_name(powers: Project) -> None:
    text = (
        "from experiments.powers import Params\ndef get_params():\n    return [Params(name='of the file')]\n"
    )
    powers.write("params/powers.py", text)
    assert "of the file" in powers.experiment("powers", "-p", "powers", "--hashes").stdout
    assert "plain" in powers.experiment("powers", "--hashes").stdout


def test_the_parameter_file_of_the_same_name_is_taken_where_the_experiment_has_none(powers: Project) -> None:
    powers.write("experiments/other.py", "def run(param_sets, manager): ...\n")
    text = (
        "from experiments.powers import Params\ndef get_params():\n    return [Params(name='of the file')]\n"
    )
    powers.write("params/other.py", text)
    assert "of the file" in powers.experiment("other", "--hashes").stdout


def test_parameter_sets_are_printed_with_their_values(powers: Project) -> None:
    data = json.loads(powers.experiment("powers", "--print-params").stdout)
    assert [(each["name"], each["parameters"]) for each in data] == [
        ("plain", {"power": 1}),
        ("squares", {"power": 2}),
    ]
    one = json.loads(powers.experiment("powers", "--print-params", "squares", "-v").stdout)
    assert one["file"] == "experiments/powers.py"
    assert one["class"] == "experiments.powers:Params"
    assert "power" in one["strategies"]
    assert (
        json.loads(powers.experiment("powers", "--print-params", one["hash"][:8]).stdout)["name"] == "squares"
    )


def test_an_experiment_that_is_called_like_a_verb_is_run_by_run(powers: Project) -> None:
    powers.write("experiments/ls.py", POWERS)
    assert "EXPERIMENTS:" in powers.experiment("ls").stdout
    assert "ls_1_" in powers.experiment("run", "ls").stdout
    assert run_of(powers)["run"]["command_line"] == "experiment run ls"


def test_notes_are_kept_with_the_run_and_not_with_its_command(powers: Project) -> None:
    powers.experiment("powers", "--notes", "First try,\nwith care.")
    run = run_of(powers)["run"]
    assert run["notes"] == "First try,\nwith care."
    assert run["command_line"] == "experiment powers"


def test_dry_writes_nothing_and_says_so(powers: Project) -> None:
    before = powers.files()
    done = powers.experiment("powers", "--dry")
    assert powers.files() == before
    assert not list(powers.root.rglob("__pycache__"))
    assert "dry run complete" in done.stdout
    assert "scores  Record 0 (plain)    total 6" in done.stdout


def test_dry_cache_records_the_run_and_writes_no_artifact(powers: Project) -> None:
    powers.experiment("powers", "--dry-cache")
    assert run_of(powers)["run"]["outcome"] == "complete"
    assert not list((powers.root / "data").glob("cache/*"))


def test_overwriting_runs_everything_or_a_stage(powers: Project) -> None:
    powers.experiment("powers")
    outcomes = lambda: {call["name"]: call["outcome"] for call in run_of(powers)["calls"]}  # noqa: E731
    powers.experiment("powers", "--overwrite-stage", "add_powers")
    assert outcomes() == {"make_numbers": "reused", "add_powers": "ran"}
    powers.experiment("powers", "--overwrite")
    assert outcomes()["add_powers"] == "ran"
    assert "reused" not in {
        call["outcome"] for call in run_of(powers)["calls"] if call["name"] == "add_powers"
    }


def test_objects_that_raise_when_they_are_asked_are_no_stages(powers: Project) -> None:
    experiment = powers.root / "experiments" / "powers.py"
    proxy = "class Proxy:\n    def __call__(self): ...\n    def __getattr__(self, name): raise RuntimeError(name)\nproxy = Proxy()\n"
    experiment.write_text(experiment.read_text(encoding="utf-8") + proxy, encoding="utf-8")
    powers.experiment("powers", "--overwrite-stage", "add_powers")
    assert {call["name"] for call in run_of(powers)["calls"]} == {"make_numbers", "add_powers"}


def test_a_prefix_begins_the_names_of_artifacts(powers: Project) -> None:
    powers.experiment("powers", "--prefix", "mine")
    names = [path.name for path in (powers.root / "data" / "cache").iterdir()]
    assert names
    assert all(name.startswith("mine_") for name in names)


@pytest.mark.parametrize("flag", ["--eager", "--no-dag", "--lazy", "--ignore-lazy"])
def test_results_are_the_same_whichever_way_they_are_made(powers: Project, flag: str) -> None:
    assert "scores  Record 0 (plain)    total 6" in powers.experiment("powers", flag).stdout


def test_no_report_draws_none(powers: Project) -> None:
    done = powers.experiment("powers", "--no-report")
    assert "report" not in done.stdout
    assert not (powers.root / "reports").exists()
    assert "next    experiment show powers_1_" in done.stdout


def test_quiet_says_nothing(powers: Project) -> None:
    done = powers.experiment("powers", "--quiet")
    assert (done.stdout, done.stderr) == ("", "")


def test_verbose_tells_inputs_files_and_lines(powers: Project) -> None:
    out = powers.experiment("powers", "-v").stdout
    assert re.search(r"^began   add_powers +Record 0 \(plain\)$", out, re.MULTILINE)
    assert re.search(r"^ +read  numbers  from make_numbers of Record 0 \(plain\)$", out, re.MULTILINE)
    assert re.search(
        r"^ +made  total  int\S* .*powers_[0-9a-f]{32}_add_powers_total.json$", out, re.MULTILINE
    )
    assert re.search(r"^ +called at experiments/powers.py:26$", out, re.MULTILINE)


def test_colours_are_forced_or_not_there(powers: Project) -> None:
    assert "\x1b[" not in powers.experiment("powers").stdout
    assert "\x1b[36mreused\x1b[0m" in powers.experiment("powers", env={"FORCE_COLOR": "1"}).stdout
    assert "\x1b[" not in powers.experiment("powers", env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).stdout


def test_a_project_with_the_older_settings_file_runs(powers: Project) -> None:
    (powers.root / "pyproject.toml").unlink()
    (powers.root / "experiments").rename(powers.root / "trials")
    powers.write(
        "curifactory_config.json",
        json.dumps({"experiments_module_name": "trials", "cache_path": "kept/cache/"}),
    )
    powers.experiment("powers")
    assert list((powers.root / "kept" / "cache").glob("powers_*"))


def test_an_installed_package_does_not_take_the_place_of_experiments(powers: Project, tmp_path: Path) -> None:
    for package in ("experiments", "params"):
        (tmp_path / "installed" / package).mkdir(parents=True)
        (tmp_path / "installed" / package / "__init__.py").write_text("raise RuntimeError\n")
    path = f"{tmp_path / 'installed'}:{powers.environment.get('PYTHONPATH', '')}"
    assert powers.experiment("powers", env={"PYTHONPATH": path}).returncode == 0

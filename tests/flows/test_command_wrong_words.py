"""Wrong names, options, positions and settings: one line, the nearest names, exit code 2, nothing run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Project

IRIS = '''"""Sort flowers."""
from dataclasses import dataclass
import curifactory as cf

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1

@cf.stage(inputs=None, outputs=["number"])
def count(record):
    return record.params.n

def get_params():
    return [Params(name="small"), Params(name="large", n=2)]

def run(param_sets, manager):
    for params in param_sets:
        count(cf.Record(manager, params))
'''

WIDE = """
from experiments.iris import Params

def get_params():
    return [Params(name=f"wide_{n}", n=n) for n in range(5)]
"""

CASES = [
    (["irs"], "No experiment named 'irs'. Did you mean 'iris'?"),
    (["cahce", "ls"], "No experiment named 'cahce'. There is a verb 'cache'."),
    (["doctor"], "No experiment named 'doctor'. Write: curifactory doctor"),
    (["map", "iris"], "No experiment named 'map'. It is an option of a run: experiment NAME --map"),
    (["version"], "No experiment named 'version'. Write: experiment --version"),
    (["rnus"], "No experiment named 'rnus'. There is a verb 'runs'."),
    (["rusn"], "No experiment named 'rusn'. There are verbs 'run' and 'runs'."),
    (["run", "cahce"], "No experiment named 'cahce'. There are 'iris' and 'mnist'."),
    (["iris", "-p", "params/wide.py"], "No parameter file named 'params/wide.py'. Did you mean 'wide'?"),
    (["iris", "-p", "wide.yaml"], "No parameter file named 'wide.yaml'. Did you mean 'wide'?"),
    (["IRIS"], "No experiment named 'IRIS'. Did you mean 'iris'?"),
    (["iris.py"], "No experiment named 'iris.py'. Did you mean 'iris'?"),
    (["experiments/iris.py"], "No experiment named 'experiments/iris.py'. Did you mean 'iris'?"),
    (["../iris"], "No experiment named '../iris'. Did you mean 'iris'?"),
    (["iris."], "No experiment named 'iris.'. Did you mean 'iris'?"),
    (["quux"], "No experiment named 'quux'. There are 'iris' and 'mnist'."),
    (["--dry", "ls"], "No experiment named 'ls'. There are 'iris' and 'mnist'."),
    (["run", "lx"], "No experiment named 'lx'. There are 'iris' and 'mnist'."),
    (["iris", "-p", "wid"], "No parameter file named 'wid'. Did you mean 'wide'?"),
    (["iris", "-p", "wide", "-p", "quux"], "No parameter file named 'quux'. There are 'iris' and 'wide'."),
    (["iris", "-p", "../wide"], "No parameter file named '../wide'. Did you mean 'wide'?"),
    (["iris", "-n", "smal"], "No parameter set named 'smal'. Did you mean 'small'?"),
    (
        ["iris", "-n", "a", "-n", "small", "-n", "b"],
        "No parameter sets named 'a' or 'b'. There are 'small' and 'large'.",
    ),
    (["iris", "-n", ""], "No parameter set named ''. There are 'small' and 'large'."),
    (
        ["iris", "--indices", "2"],
        "--indices 2 lies outside: experiments/iris.py has 2 parameter sets. Positions go from 0 to 1.",
    ),
    (
        ["iris", "--indices", "0-3"],
        "--indices 0-3 lies outside: experiments/iris.py has 2 parameter sets. Positions go from 0 to 1.",
    ),
    (["iris", "--indices", "1-1"], "--indices 1-1 is empty: the second number is excluded. Write 1-2 or 1."),
    (
        ["iris", "--indices", "-1"],
        "--indices -1 is no position. Write one number, or two as in 2-5 (5 excluded).",
    ),
    (
        ["iris", "--indices", "one"],
        "--indices one is no position. Write one number, or two as in 2-5 (5 excluded).",
    ),
    (
        ["iris", "-p", "iris", "-p", "wide", "--global-indices", "7"],
        "--global-indices 7 lies outside: all files together has 7 parameter sets. Positions go from 0 to 6.",
    ),
    (
        ["iris", "-n", "small", "--indices", "1"],
        "No parameter set is left: none fits all that was asked for. There are 'small' and 'large'.",
    ),
    (["iris", "--print-params", "smal"], "No parameter set named 'smal'. Did you mean 'small'?"),
    (["iris", "--overwrit"], "No such option: --overwrit. Did you mean --overwrite?"),
    (["iris", "--bxkcdw", "2"], "No such option: --bxkcdw. --help lists the options."),
    (["iris", "-x"], "No such option: -x. --help lists the options."),
    (["ls", "--jsn"], "No such option: --jsn. Did you mean --json?"),
    (["iris", "-p"], "Option '-p' requires an argument."),
    (["iris", "wide"], "'wide' is no change of a parameter. Write NAME=VALUE, as in n=10 or n=10,50."),
    (["-p", "wide"], "Missing argument 'NAME'. Write: experiment run NAME [PARAMETER=VALUE]…"),
    (
        ["iris", "--lazy", "--ignore-lazy"],
        "--lazy and --ignore-lazy contradict each other: give one of them.",
    ),
    (
        ["iris", "--cache", "experiments/iris.py"],
        "Invalid value for '-c' / '--cache': Directory 'experiments/iris.py' is a file.",
    ),
    (
        ["iris", "--notes"],
        "--notes without a text opens an editor, which needs a terminal. Write --notes=TEXT.",
    ),
    (["runs", "irs"], "No experiment named 'irs'. Did you mean 'iris'?"),
    (["runs", "-n", "few"], "Invalid value for '-n' / '--limit': 'few' is not a valid integer range."),
    (
        ["iris", "--overwrite-stage", "cuont"],
        "No stage named 'cuont' is called by 'iris'. Did you mean 'count'?",
    ),
    (
        ["iris", "--timeout", "5"],
        "--timeout stops calls that have processes of their own. Add -j, as in -j 2.",
    ),
    (["iris", "-j", "0"], "'0' is no number of jobs. Write -j 4, or -j auto for all cores."),
    (
        ["iris", "--executor", "slurm"],
        "There is no executor 'slurm'. There are serial, processes, dask and dask://HOST:PORT.",
    ),
    (
        ["iris", "--plain", "--progress"],
        "--plain and --progress contradict each other: give one of them.",
    ),
    (
        ["iris", "--no-log", "--log-errors"],
        "--no-log and --log-errors contradict each other: give one of them.",
    ),
    (
        ["iris", "--no-log", "--all-loggers"],
        "--no-log and --all-loggers contradict each other: give one of them.",
    ),
    (["iris", "--paths", "--map"], "--map and --paths are different questions: ask one at a time."),
    (
        ["iris", "--json"],
        "--json goes with --map, --hashes, --paths or --print-params; a finished run is read by experiment show RUN --json.",
    ),
    (["ls", "iris"], "Got unexpected extra argument (iris)."),
    (["ls", "--chek"], "No such option: --chek. Did you mean --check?"),
    (
        ["reports", "--port", "99999"],
        "Invalid value for '--port': 99999 is not in the range 0<=x<=65535.",
    ),
    (["reports"], "There are no reports in {root}/reports. Make one with: experiment NAME"),
    (["cache", "vreify"], "experiment cache has no verb 'vreify'. Did you mean 'verify'?"),
    (["cache", "why", "irs"], "No experiment named 'irs'. Did you mean 'iris'?"),
    (["accept", "irs"], "No experiment named 'irs'. Did you mean 'iris'?"),
    (["open"], "There is no report at {root}/reports/index.html. Make one with: experiment NAME"),
]


@pytest.fixture
def flowers(project: Project) -> Project:
    project.write("experiments/iris.py", IRIS)
    project.write("experiments/mnist.py", "def run(param_sets, manager): ...\n")
    project.write("params/wide.py", WIDE)
    return project


@pytest.mark.parametrize(("words", "said"), CASES, ids=[" ".join(words) for words, _ in CASES])
def test_wrong_words_are_one_line_and_exit_2(flowers: Project, words: list[str], said: str) -> None:
    before = flowers.files()
    done = flowers.experiment(*words, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", said.format(root=flowers.root) + "\n", 2)
    assert flowers.files() == before


OTHERS = [
    (["runs", "iris"], "curifactory has no verb 'runs'. Write: experiment runs."),
    (["doctr"], "curifactory has no verb 'doctr'. Did you mean 'doctor'?"),
    (["init", "--example", "irs"], "No example named 'irs'. Did you mean 'iris'?"),
    (["init", "--exmple", "iris"], "No such option: --exmple. Did you mean --example?"),
    (
        ["completion", "tcsh"],
        "Invalid value for '[bash|zsh|fish]': 'tcsh' is not one of 'bash', 'zsh', 'fish'.",
    ),
    (["config", "--jsn"], "No such option: --jsn. Did you mean --json?"),
    (["doctor", "iris"], "Got unexpected extra argument (iris)."),
]


@pytest.mark.parametrize(("words", "said"), OTHERS, ids=[" ".join(words) for words, _ in OTHERS])
def test_wrong_words_of_the_other_program_too(flowers: Project, words: list[str], said: str) -> None:
    before = flowers.files()
    done = flowers.curifactory(*words, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", said + "\n", 2)
    assert flowers.files() == before


def test_no_run_number_is_used_up(flowers: Project) -> None:
    flowers.experiment("iris", "-n", "smal", check=False)
    assert flowers.experiment("iris").stdout.count("iris_1_") >= 1


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("cach_path = 'x'", "pyproject.toml: there is no setting 'cach_path'. Did you mean 'cache_path'?"),
        ("durable = 'yes'", "pyproject.toml: durable is 'yes', a text; it must be true or false."),
        ("durable = yes", "pyproject.toml is no valid TOML: Invalid value (at line 2, column 11)."),
    ],
)
@pytest.mark.parametrize("words", [["iris"], ["ls"], ["runs"]], ids=" ".join)
def test_a_wrong_setting_is_told_by_every_verb(
    flowers: Project, section: str, said: str, words: list[str]
) -> None:
    flowers.write("pyproject.toml", f"[tool.curifactory]\n{section}\n")
    done = flowers.experiment(*words, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", said + "\n", 2)


def test_settings_in_the_environment_are_checked_too(flowers: Project) -> None:
    done = flowers.experiment("ls", check=False, env={"CURIFACTORY_CACHE_PAHT": "x"})
    assert done.returncode == 2
    assert (
        done.stderr
        == "CURIFACTORY_CACHE_PAHT: there is no setting 'cache_paht'. Did you mean 'cache_path'?\n"
    )


def test_an_empty_project_says_that_there_is_nothing(project: Project) -> None:
    done = project.experiment("iris", check=False)
    assert (done.stderr, done.returncode) == (
        "No experiment named 'iris'. There is none in experiments/ yet. Make one with: curifactory init --example iris\n",
        2,
    )


def test_a_stage_that_only_run_makes_can_be_asked_for(project: Project) -> None:
    begin, run = IRIS.split("def run(", 1)
    made = f"{begin}def run({run}".replace("    for params", "    count = make()\n    for params")
    made = made.replace("@cf.stage", "def make():\n    @cf.stage").replace("def count(", "    def count(")
    made = made.replace("    return record.params.n", "        return record.params.n\n    return count")
    project.write("experiments/iris.py", made)
    said = project.experiment("iris", "--overwrite-stage", "count").stdout
    assert said.count("asked for (--overwrite-stage)") == 2
    assert project.experiment("iris", "--overwrite-stage", "cuont", check=False).returncode == 2
    assert "iris_2_" in project.experiment("iris").stdout

"""TAB in bash, zsh and fish: what is offered, and that nothing of people's code is imported for it."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Project

EXPERIMENT = '''"""Which flower is it?"""

raise RuntimeError("this must not be imported")

import curifactory as cf
from flowers import Params, clean


@cf.stage(outputs=["rows"])
def load_rows(record): ...


@cf.aggregate(inputs=["rows"], outputs=["table"])
def gather_rows(record, records, rows): ...


def get_params():
    return [Params(name="small", n=1), *make_more()]


def make_more():
    return [Params(name="two words"), Params(name=f"made_{1}")]


def run(param_sets, manager): ...
'''
FLOWERS = """from dataclasses import dataclass, field
import curifactory as cf

@dataclass
class Model:
    rate: float = 0.1
    depth: int = 3

@dataclass
class Base(cf.ExperimentParameters):
    seed: int = 0

@dataclass
class Params(Base):
    n: int = 1
    model: Model = field(default_factory=Model)

@cf.stage(outputs=["rows"])
def clean(record): ...
"""
REFERENCES = ["iris_2_2026-11-21-T101500", "iris_10_2026-11-22-T101500", "vision/net_1_2026-11-20-T101500"]

CASES = [
    ("experiment ir", ["iris"]),
    ("experiment run m", ["mnist"]),
    ("experiment re", ["report", "reports", "reindex"]),
    ("experiment iris --overwrite-", ["--overwrite-stage"]),
    ("experiment --all", ["--all-loggers"]),
    ("experiment iris -p ", ["iris", "wide"]),
    ("experiment iris -p wi", ["wide"]),
    ("experiment iris --params=wi", ["--params=wide"]),
    ("experiment iris -n ", ["small", "two words"]),
    ("experiment iris -p wide -n ", ["only"]),
    ("experiment iris --overwrite-stage ", ["load_rows", "gather_rows", "clean"]),
    ("experiment iris --overwrite-stage ga", ["gather_rows"]),
    ("experiment cache why ir", ["iris"]),
    ("experiment cache why iris --stage lo", ["load_rows"]),
    (
        "experiment show ",
        ["iris_10_2026-11-22-T101500", "iris_2_2026-11-21-T101500", "vision/net_1_2026-11-20-T101500"],
    ),
    ("experiment show vis", ["vision/net_1_2026-11-20-T101500"]),
    ("experiment report iris_1", ["iris_10_2026-11-22-T101500"]),
    ("experiment quux", []),
    ("experiment iris ", ["seed=", "n=", "model=", "model.rate=", "model.depth="]),
    ("experiment iris model.r", ["model.rate="]),
    ("experiment iris n=1 se", ["seed="]),
    ("experiment cache v", ["verify"]),
    ("curifactory c", ["config", "completion"]),
    ("curifactory completion z", ["zsh"]),
    ("curifactory init --ex", ["--example"]),
    ("curifactory init --example ", ["iris"]),
    ("experiment iris --executor ", ["serial", "processes", "dask"]),
    ("experiment runs --columns hos", ["host"]),
    ("experiment runs --columns number,hos", ["number,host"]),
]


@pytest.fixture
def flowers(project: Project) -> Project:
    project.write("experiments/iris.py", EXPERIMENT)
    project.write("experiments/mnist.py", "def run(param_sets, manager): ...\n")
    project.write("params/wide.py", "def get_params():\n    return [Params(name='only')]\n")
    project.write("flowers.py", FLOWERS)
    for reference in REFERENCES:
        (project.root / "data/runs" / reference).mkdir(parents=True)
    return project


def ask(project: Project, line: str, shell: str, **asked: str) -> list[str]:
    """Return the lines that a program answers a shell with."""
    program = line.split(maxsplit=1)[0]
    environment = {**project.environment, f"_{program.upper()}_COMPLETE": f"{shell}_complete", **asked}
    done = subprocess.run(
        [sys.executable, "-P", "-m", f"curifactory.cli.{program}"],
        cwd=project.root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize(("line", "expected"), CASES, ids=[line for line, _ in CASES])
def test_the_words_that_can_follow(flowers: Project, line: str, expected: list[str]) -> None:
    before = flowers.files()
    answers = ask(flowers, line, "fish", COMP_LINE=line)
    values = [answer.partition(",")[2].partition("\t")[0] for answer in answers]
    # Others may add verbs that begin alike.
    assert [value for value in values if value in expected or line != "experiment re"] == expected
    assert flowers.files() == before


def test_names_that_only_code_makes_are_those_of_the_last_run_with_the_same_file(flowers: Project) -> None:
    flowers.write(
        "params/made.py", "def get_params():\n    return [Params(name=f'n{i}') for i in range(2)]\n"
    )
    sets = [{"name": "n0", "file": "params/made.py"}, {"name": "other", "file": "params/wide.py"}]
    flowers.write("data/runs/iris_10_2026-11-22-T101500/parameters.json", json.dumps(sets))
    line = "experiment iris -p made -n "
    assert [answer.partition(",")[2] for answer in ask(flowers, line, "fish", COMP_LINE=line)] == ["n0"]


def test_fields_of_parameters_are_read_with_those_of_their_bases_and_parts(flowers: Project) -> None:
    from curifactory.project.reading import Reading

    reading = Reading(flowers.root)
    found = list(reading.find_choices(flowers.root / "experiments/iris.py"))
    assert found == ["seed", "n", "model", "model.rate", "model.depth"]


def test_the_words_of_bash_are_understood_too(flowers: Project) -> None:
    words = {"COMP_WORDS": "experiment\niris\n-p\nwi", "COMP_CWORD": "3"}
    assert ask(flowers, "experiment", "bash", **words) == ["plain,wide"]


def test_zsh_gets_kind_value_and_help(flowers: Project) -> None:
    words = {"COMP_WORDS": "experiment\nir", "COMP_CWORD": "1"}
    assert ask(flowers, "experiment", "zsh", **words) == ["plain", "iris", "Which flower is it?"]


def test_a_folder_is_left_to_the_shell(flowers: Project) -> None:
    assert ask(flowers, "experiment", "bash", COMP_LINE="experiment iris --cache da") == ["dir,da"]


def test_a_quotation_that_is_open_counts_as_closed(flowers: Project) -> None:
    assert ask(flowers, "experiment", "bash", COMP_LINE='experiment iris -n "two') == ["plain,two words"]


def test_settings_that_cannot_be_read_offer_nothing_and_say_nothing(flowers: Project) -> None:
    flowers.write("pyproject.toml", "[tool.curifactory]\ndurable = 'yes'\n")
    assert ask(flowers, "experiment", "bash", COMP_LINE="experiment iris -p w") == []


def test_a_shell_that_is_not_known_is_no_run(flowers: Project) -> None:
    done = flowers.run(
        sys.executable,
        "-P",
        "-m",
        "curifactory.cli.experiment",
        check=False,
        env={"_EXPERIMENT_COMPLETE": "tcsh_complete"},
    )
    assert (done.stdout, done.returncode) == ("", 1)


# ----------------------------------------------------------------------------------------------------- the real shells


def make_programs(project: Project, folder: Path) -> dict[str, str]:
    """Put both programs on a path, as an installation does, and return the environment of a shell that finds them."""
    folder.mkdir()
    for program in ("experiment", "curifactory"):
        script = folder / program
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m curifactory.cli.{program} "$@"\n')
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
    home = folder / "home"
    home.mkdir()
    return {
        **project.environment,
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
    }


def in_shell(project: Project, environment: dict[str, str], *command: str) -> list[str]:
    if shutil.which(command[0]) is None:
        pytest.skip(f"no {command[0]} on this machine: apt-get install {command[0]}")
    done = subprocess.run(
        command, cwd=project.root, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


BASH = r"""
complete_line() {
    COMP_LINE="$1" COMP_POINT=${#1}
    # As bash tears them: `=` is a word of its own.
    local spaced="${1//=/ = }"
    COMP_WORDS=($spaced) COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    "_${1%% *}_completion" "${1%% *}"
    printf '%s\n' "${COMPREPLY[@]}"
}
"""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("experiment ir", ["iris"]),
        ("experiment iris -p wi", ["wide"]),
        # bash replaces what stands behind the `=` only.
        ("experiment iris --params=wi", ["wide"]),
        ("experiment iris -n two", [r"two\ words"]),
        ("experiment iris --overwrite-stage ga", ["gather_rows"]),
        ("experiment iris model.r", ["model.rate="]),
        ("curifactory co", ["config", "completion"]),
    ],
)
def test_bash_completes(flowers: Project, tmp_path: Path, line: str, expected: list[str]) -> None:
    environment = make_programs(flowers, tmp_path / "bin")
    script = f'eval "$(curifactory completion bash)"\n{BASH}\ncomplete_line "{line}"'
    assert in_shell(flowers, environment, "bash", "--norc", "-c", script) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("experiment ir", ["iris\tWhich flower is it?"]),
        ("experiment iris -p wi", ["wide"]),
        ("experiment iris --params=wi", ["--params=wide"]),
        ("experiment iris --overwrite-stage ga", ["gather_rows"]),
    ],
)
def test_fish_completes(flowers: Project, tmp_path: Path, line: str, expected: list[str]) -> None:
    environment = make_programs(flowers, tmp_path / "bin")
    script = f"curifactory completion fish | source; complete -C '{line}'"
    assert in_shell(flowers, environment, "fish", "--no-config", "-c", script) == expected


ZSH = r"""
zmodload zsh/zpty
zpty -b shell zsh -f -i
say() { zpty -w shell "$1"; sleep 0.1 }
say 'PROMPT=; autoload -Uz compinit; compinit -u -D; LISTMAX=10000; stty -echo columns 200'
say 'eval "$(curifactory completion zsh)"; print REA""DY'
local line text=""
while zpty -r shell line; do [[ $line == *READY* ]] && break; done
zpty -w -n shell "$1"$'\t'
sleep 4
zpty -w -n shell $'\x01print -r -- GOT: \n'
while zpty -r -t shell line || { (( ++empty < 60 )) && sleep 0.1 }; do
    text+="$line"
    [[ $text == *GOT:*$'\n'*GOT:* || $line == GOT:* ]] && break
done
print -r -- "$text"
"""


@pytest.mark.parametrize(
    ("line", "expected"),
    [("experiment ir", "experiment iris"), ("experiment iris -p wi", "experiment iris -p wide")],
)
def test_zsh_completes(flowers: Project, tmp_path: Path, line: str, expected: str) -> None:
    environment = make_programs(flowers, tmp_path / "bin")
    said = "\n".join(in_shell(flowers, {**environment, "TERM": "dumb"}, "zsh", "-f", "-c", ZSH, "zsh", line))
    assert f"GOT: {expected}" in said


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_that_the_shell_can_read(flowers: Project, tmp_path: Path, shell: str) -> None:
    environment = make_programs(flowers, tmp_path / "bin")
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} on this machine: apt-get install {shell}")
    script = flowers.curifactory("completion", shell).stdout
    file = flowers.write(f"completion.{shell}", script)
    assert in_shell(flowers, environment, shell, "-n", str(file)) == []


@pytest.mark.parametrize(
    ("shell", "files"),
    [
        ("bash", [".bashrc", ".config/curifactory/completion.bash"]),
        ("zsh", [".config/curifactory/completion.zsh", ".zshrc"]),
        ("fish", [".config/fish/completions/curifactory.fish", ".config/fish/completions/experiment.fish"]),
    ],
)
def test_installing_twice_is_installing_once(
    flowers: Project, tmp_path: Path, shell: str, files: list[str]
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / f".{shell}rc").write_text("alias ll='ls -l'")
    where = {"HOME": str(home), "XDG_CONFIG_HOME": None, "SHELL": f"/bin/{shell}", "ZDOTDIR": None}
    words = [sys.executable, "-P", "-m", "curifactory.cli.curifactory", "completion", "--install"]
    flowers.run(*words, env=where)
    texts = {file: (home / file).read_text() for file in files}
    again = flowers.run(*words, env=where)
    assert again.stdout == "It is installed already.\n"
    assert {file: (home / file).read_text() for file in files} == texts
    if shell != "fish":
        assert texts[f".{shell}rc"].startswith("alias ll='ls -l'\n\n# curifactory")

"""The command line of a run, as real processes see it."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import curifactory
from curifactory.provenance.command import INTERACTIVE, command_line, read_arguments

SAY = "from curifactory.provenance.command import command_line; print(command_line())"


def run(*arguments, stdin="", cwd=None):
    environment = os.environ | {"PYTHONPATH": str(Path(curifactory.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment,
        check=True,
        timeout=60,
    )
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize(
    "arguments",
    [
        ["experiment", "iris", "-p", "iris"],
        ["experiment", "iris", "note=two words", "a'b", 'c"d', "$HOME", "*", "ü", ""],
    ],
)
def test_a_shell_reads_the_line_back_as_the_same_words(arguments):
    assert shlex.split(command_line(arguments)) == arguments


def test_the_folder_of_the_program_is_left_out():
    assert command_line(["/opt/venv/bin/experiment", "ls"]) == "experiment ls"


def test_a_secret_on_the_command_line_is_masked():
    assert (
        command_line(["experiment", "iris", "db_password=hunter2"])
        == "experiment iris 'db_password=********'"
    )


def test_a_script_is_named_with_its_arguments(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(SAY)
    assert run(str(script), "--n", "3") == f"python {script} --n 3"


def test_a_module_is_named_as_it_was_called(tmp_path):
    (tmp_path / "tool.py").write_text(SAY)
    assert run("-m", "tool", "x", cwd=tmp_path) == "python -m tool x"


def test_code_on_the_command_line_is_quoted():
    assert shlex.split(run("-c", SAY, "x")) == ["python", "-c", SAY, "x"]


def test_an_interactive_session_is_said_to_be_one():
    assert run("-i", "-q", stdin=f"{SAY}\n") == INTERACTIVE


def test_the_words_of_this_process_are_a_list():
    words = read_arguments()
    assert words
    assert all(isinstance(word, str) for word in words)

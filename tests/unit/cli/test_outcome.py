"""Everything that a command raises becomes a text and an exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import click
import pytest

from curifactory.cli.amounts import show_number
from curifactory.cli.outcome import run_command
from curifactory.cli.words import debug_option
from curifactory.errors import ConfigurationError, DiscoveryError, StageError, StoreError


def command_that(raises: BaseException | None = None, returns: int | None = None) -> click.Command:
    def callback() -> int | None:
        if raises is not None:
            raise raises
        return returns

    return click.Command(
        "try",
        callback=callback,
        params=[debug_option(), click.Option(["--overwrite"], is_flag=True, expose_value=False)],
    )


def run(command: click.Command, *words: str) -> int:
    return run_command(command, words, program="try")


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (3, 3)])
def test_what_a_command_returns_is_its_exit_code(returned: int | None, code: int) -> None:
    assert run(command_that(returns=returned)) == code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DiscoveryError("No experiment named 'irs'.", hint="Did you mean 'iris'?"), 2),
        (ConfigurationError("No such setting."), 2),
        (StoreError("The disk is full."), 1),
    ],
)
def test_a_person_s_fault_is_one_line_without_traceback(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command_that(error)) == code
    shown = capsys.readouterr()
    assert shown.err == f"{error}\n"
    assert shown.out == ""


def test_a_note_tells_the_place(capsys: pytest.CaptureFixture[str]) -> None:
    error = ConfigurationError("Twice the same.")
    error.add_note("at params/iris.py:7")
    run(command_that(error))
    assert capsys.readouterr().err == "Twice the same. (at params/iris.py:7)\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--overwrit"], "No such option: --overwrit. Did you mean --overwrite?\n"),
        (["--zzz"], "No such option: --zzz. --help lists the options.\n"),
        (["surplus"], "Got unexpected extra argument (surplus).\n"),
    ],
)
def test_wrong_words_are_one_line(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command_that(), *words) == 2
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interruption_is_130(error: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command_that(error)) == 130
    assert capsys.readouterr().err == "Interrupted.\n"


@pytest.mark.parametrize(("wanted", "code", "said"), [(3, 3, ""), (None, 0, ""), ("Enough.", 1, "Enough.\n")])
def test_an_exit_of_the_person_s_code_is_kept(
    wanted: object, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command_that(SystemExit(wanted))) == code
    assert capsys.readouterr().err == said


def stage_error(folder: Path) -> StageError:
    """Return what a stage in a file of the person's has raised, through a frame of an installed package."""
    package = folder / ".venv" / "lib" / "site-packages" / "fitting.py"
    package.parent.mkdir(parents=True)
    package.write_text("def fit(rows):\n    return 1 / len(rows)\n")
    (folder / "features.py").write_text("def train(rows, fit):\n    # a comment\n    return fit(rows)\n")
    spaces: dict[str, object] = {}
    for file in (package, folder / "features.py"):
        exec(compile(file.read_text(), str(file), "exec"), spaces)
    try:
        spaces["train"]([], spaces["fit"])  # type: ignore[operator]
    except ZeroDivisionError as cause:
        error = StageError("Stage 'train' of Record 0 (a) raised ZeroDivisionError (called at iris.py:7).")
        error.__cause__ = cause
        return error
    raise AssertionError


def test_a_stage_s_fault_shows_the_person_s_frames_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.curifactory]\n")
    monkeypatch.chdir(tmp_path)
    assert run(command_that(stage_error(tmp_path))) == 1
    assert capsys.readouterr().err.splitlines() == [
        "Stage 'train' of Record 0 (a) raised ZeroDivisionError (called at iris.py:7).",
        "  features.py:3 in train",
        "    return fit(rows)",
        "ZeroDivisionError: division by zero",
    ]


def test_debug_shows_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.curifactory]\n")
    monkeypatch.chdir(tmp_path)
    assert run(command_that(stage_error(tmp_path)), "--debug") == 1
    shown = capsys.readouterr().err
    assert shown.count("Traceback (most recent call last):") == 2
    assert "fitting.py" in shown
    assert "curifactory/cli/outcome.py" in shown


def test_a_fault_of_our_own_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(click.Command("try", callback=partial(show_number, "three"))) == 1
    assert capsys.readouterr().err == (
        "TypeError: must be real number, not str. This is a fault of curifactory itself; --debug shows where.\n"
    )


def test_a_file_that_cannot_be_used_is_one_line_with_its_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(click.Command("try", callback=partial(os.mkdir, tmp_path / "a" / "b"))) == 1
    assert capsys.readouterr().err == f"No such file or directory: {tmp_path / 'a' / 'b'}\n"


def test_a_reader_who_has_gone_away_is_no_error(tmp_path: Path) -> None:
    script = tmp_path / "noisy.py"
    script.write_text(
        "import sys, click\n"
        "from curifactory.cli.outcome import run_command\n"
        "@click.command()\n"
        "def noisy():\n"
        "    for number in range(100_000):\n"
        "        print(number)\n"
        "sys.exit(run_command(noisy, [], program='noisy'))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_texts_that_the_terminal_cannot_write_do_not_end_the_command(tmp_path: Path) -> None:
    script = tmp_path / "arrows.py"
    script.write_text(
        "import sys, click\n"
        "from curifactory.cli.outcome import run_command\n"
        "@click.command()\n"
        "def arrows():\n"
        "    print('parameter n: 100 → 200')\n"
        "sys.exit(run_command(arrows, [], program='arrows'))\n",
        encoding="utf-8",
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).resolve().parents[3]),
        "PYTHONIOENCODING": "ascii",
    }
    done = subprocess.run([sys.executable, script], capture_output=True, env=environment, check=False)
    assert (done.returncode, done.stdout) == (0, b"parameter n: 100 ? 200\n")

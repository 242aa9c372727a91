"""The command in a real terminal: a live table, colours, links, and an editor for notes."""

from __future__ import annotations

import errno
import json
import os
import pty
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conftest import Project

COUNT = """from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1

@cf.stage(inputs=None, outputs=["number"], cachers=[JsonCacher])
def count(record):
    print("counting [red]aloud[/red]")
    record.log({"number": record.params.n})
    return record.params.n

def get_params():
    return [Params(name="one")]

def run(param_sets, manager):
    for params in param_sets:
        count(cf.Record(manager, params))
"""


@pytest.fixture
def counting(project: Project) -> Project:
    project.write("experiments/counting.py", COUNT)
    return project


def run_in_terminal(project: Project, *words: str, env: Mapping[str, str] | None = None) -> tuple[str, int]:
    """Return everything that a terminal was sent, and the exit code."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "curifactory.cli.experiment", *words],
        cwd=project.root,
        env={**project.environment, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "30", **(env or {})},
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    sent = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError as error:
            # This is how Linux says that the other end of a terminal was closed.
            if error.errno != errno.EIO:
                raise
            break
        if not part:
            break
        sent += part
    os.close(master)
    return sent.decode(), process.wait(timeout=30)


def text_of(sent: str) -> str:
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]|\x1b\]8;[^\x1b]*\x1b\\|\r", "", sent)


def test_a_live_table_shows_the_calls_and_the_end_follows_it(counting: Project) -> None:
    sent, code = run_in_terminal(counting, "counting")
    text = text_of(sent)
    assert code == 0, text
    assert re.search(r"stage +record +state +time +reason", text)
    assert re.search(r"count +Record 0 \(one\) +ran +\d\.\d\d s +never run", text)
    assert "counting [red]aloud[/red]" in text
    assert "1 of 1 calls, 1 ran" in text
    assert text.index("1 of 1 calls") < text.rindex("complete after")


def test_the_report_is_a_link_that_can_be_clicked(counting: Project) -> None:
    sent, _ = run_in_terminal(counting, "counting")
    assert re.search(r"report  \x1b\]8;;(file:///\S+/index\.html)\x1b\\\1\x1b\]8;;\x1b\\", sent)


def test_the_cursor_is_given_back(counting: Project) -> None:
    sent, _ = run_in_terminal(counting, "counting")
    assert sent.rfind("\x1b[?25h") > sent.rfind("\x1b[?25l")


def test_no_color_has_no_colours(counting: Project) -> None:
    coloured = re.compile(r"\x1b\[[\d;]*3\dm")
    assert coloured.search(run_in_terminal(counting, "counting")[0])
    assert not coloured.search(run_in_terminal(counting, "counting", "--overwrite", env={"NO_COLOR": "1"})[0])


def test_a_terminal_that_can_do_nothing_gets_lines(counting: Project) -> None:
    sent, _ = run_in_terminal(counting, "counting", env={"TERM": "dumb"})
    assert "\x1b" not in sent
    assert re.search(r"ran     count  Record 0 \(one\)", sent)


def test_the_map_is_cut_where_the_terminal_ends(counting: Project) -> None:
    sent, _ = run_in_terminal(counting, "counting", "--map", env={"COLUMNS": "45"})
    assert all(len(line) <= 45 for line in text_of(sent).splitlines())


@pytest.mark.parametrize("words", [["counting", "--notes"], ["--notes", "counting"]], ids=" ".join)
def test_notes_that_were_left_out_are_written_in_an_editor(counting: Project, words: list[str]) -> None:
    editor = counting.write(
        "editor.py",
        "import sys\nwith open(sys.argv[1], 'a') as file:\n    file.write('From the editor.\\n# No note.\\n')\n",
    )
    _, code = run_in_terminal(counting, *words, env={"EDITOR": f"{sys.executable} {editor}"})
    assert code == 0
    assert json.loads(counting.experiment("show", "--json").stdout)["run"]["notes"] == "From the editor."


def test_nobody_writes_notes_for_an_experiment_that_is_not_there(counting: Project) -> None:
    opened = counting.root / "opened"
    sent, code = run_in_terminal(counting, "cuonting", "--notes", env={"EDITOR": f"touch {opened};"})
    assert code == 2
    assert "Did you mean 'counting'?" in sent
    assert not opened.exists()

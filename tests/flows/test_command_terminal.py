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


BARS = COUNT.replace(
    '    print("counting [red]aloud[/red]")\n',
    """    import logging, sys, time
    for done in range(4):
        sys.stderr.write(f"\\r{done} of 3 done")
        sys.stderr.flush()
        time.sleep(0.15)
    sys.stderr.write("\\n")
    logging.getLogger("mine").warning("said by a handler that was made at import")
    print("printed", end="")
""",
).replace("import curifactory as cf", "import logging\nimport curifactory as cf\nlogging.basicConfig()", 1)


def screen_of(sent: str) -> list[str]:
    """Return what stands on the screen in the end, as far as a table that is drawn anew needs it."""
    rows, row = [""], 0
    for part in re.finditer(
        r"\x1b\[(\d*)A|\x1b\[2K|\r|\n|\x1b\[[\d;?]*[A-Za-z]|\x1b\]8;[^\x1b]*\x1b\\\\|[^\r\n\x1b]+", sent
    ):
        text = part[0]
        if text == "\n":
            row += 1
            if row == len(rows):
                rows.append("")
        elif text.endswith("A") and text.startswith("\x1b["):
            row = max(0, row - int(part[1] or 1))
        elif text in ("\r", "\x1b[2K"):
            rows[row] = ""
        elif not text.startswith("\x1b"):
            rows[row] += text
    return [line.rstrip() for line in rows if line.strip()]


def test_bars_prints_and_handlers_of_people_come_out_once_above_the_table(project: Project) -> None:
    project.write("experiments/counting.py", BARS)
    sent, code = run_in_terminal(project, "counting", "--progress")
    assert code == 0, sent
    screen = screen_of(sent.replace("\r\n", "\n"))
    said = ["3 of 3 done", "WARNING:mine:said by a handler that was made at import", "printed"]
    places = [screen.index(line) for line in said]
    assert places == sorted(places)
    assert max(places) < next(place for place, line in enumerate(screen) if line.startswith("stage "))
    assert not any(line.startswith("0 of 3") for line in screen)
    assert any("0 of 3 done" in line for line in text_of(sent).splitlines())


def test_the_time_that_is_left_is_told_from_earlier_runs(project: Project) -> None:
    project.write("experiments/counting.py", BARS)
    first, _ = run_in_terminal(project, "counting")
    again, _ = run_in_terminal(project, "counting", "--overwrite")
    assert " left" not in text_of(first)
    assert re.search(r"0 of 1 calls, about 0\.\d\d s left", text_of(again))


@pytest.mark.parametrize("words", [["--plain"], ["-v"]], ids=" ".join)
def test_lines_in_place_of_the_table(counting: Project, words: list[str]) -> None:
    sent, code = run_in_terminal(counting, "counting", *words)
    assert code == 0
    assert not re.search(r"\x1b\[\d*A", sent)
    assert re.search(r"ran     count  Record 0 \(one\)", text_of(sent))


def test_quiet_is_quiet_in_a_terminal(counting: Project) -> None:
    sent, code = run_in_terminal(counting, "counting", "--quiet")
    assert (text_of(sent).split("\n"), code) == (["counting [red]aloud[/red]", ""], 0)

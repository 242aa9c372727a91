"""People's own messages come into the log, and nobody's logging changes for it."""

import logging
import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

import curifactory
from curifactory.store.clock import Clock
from curifactory.store.log import RunLog, RunLogHandler


@pytest.fixture
def clock():
    clock = Clock(lambda: None)
    yield clock
    clock.stop()


@pytest.fixture
def log(tmp_path, clock):
    log = RunLog(tmp_path / "log.txt", clock=clock)
    yield log
    log.close()


@pytest.fixture
def handler(log):
    handler = RunLogHandler(log)
    handler.attach()
    yield handler
    handler.detach()


def texts(log, tmp_path):
    log.flush()
    path = tmp_path / "log.txt"
    return [line[30:] for line in path.read_text().splitlines()] if path.exists() else []


def run(code, *arguments):
    environment = os.environ | {"PYTHONPATH": str(Path(curifactory.__file__).parents[1])}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, check=True, timeout=60
    ).stderr


def test_messages_of_any_logger_are_taken_with_their_level_and_name(handler, log, tmp_path):
    logging.getLogger("people.own").warning("%d flowers are %s", 3, "missing")
    logging.getLogger().error("root")
    assert texts(log, tmp_path) == ["WARNING  people.own: 3 flowers are missing", "ERROR    root: root"]


def test_levels_that_people_set_hold(handler, log, tmp_path):
    logger = logging.getLogger("people.levels")
    logger.info("not this")
    logger.setLevel(logging.INFO)
    logger.info("this")
    logger.setLevel(logging.NOTSET)
    assert texts(log, tmp_path) == ["INFO     people.levels: this"]


def test_an_exception_is_told_with_its_frames_indented(handler, log, tmp_path):
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError:
        logging.getLogger("people").exception("oh")
    lines = (tmp_path / "log.txt").read_text().splitlines()
    assert lines[0].endswith("ERROR    people: oh")
    assert all(line.startswith("    | ") for line in lines[1:])
    assert lines[-1] == "    | ZeroDivisionError: division by zero"


@pytest.mark.parametrize("propagate", [True, False])
def test_what_curifactory_says_is_taken_once(handler, log, tmp_path, propagate):
    ours = logging.getLogger("curifactory")
    ours.propagate = propagate
    try:
        logging.getLogger("curifactory.engine").warning("said")
    finally:
        ours.propagate = True
    assert texts(log, tmp_path) == ["WARNING  curifactory.engine: said"]


def test_a_handler_that_is_detached_takes_nothing_and_leaves_nothing(log, tmp_path):
    root = logging.getLogger()
    before = root.handlers[:], root.level, root.parent, logging.getLogger("curifactory").handlers[:]
    handler = RunLogHandler(log)
    handler.attach()
    assert (root.handlers[:], root.level) == before[:2]
    handler.detach()
    handler.detach()
    logging.getLogger("people").warning("late")
    assert (root.handlers[:], root.level, root.parent, logging.getLogger("curifactory").handlers[:]) == before
    assert texts(log, tmp_path) == []


def test_two_runs_at_once_both_hear_and_each_can_go(handler, log, clock, tmp_path):
    other = RunLog(tmp_path / "other.txt", clock=clock)
    second = RunLogHandler(other)
    second.attach()
    logging.getLogger("people").warning("both")
    second.detach()
    logging.getLogger("people").warning("one")
    other.close()
    assert texts(log, tmp_path) == ["WARNING  people: both", "WARNING  people: one"]
    assert len((tmp_path / "other.txt").read_text().splitlines()) == 1


def test_a_message_that_does_not_fit_its_arguments_stops_nothing(log, tmp_path, capsys):
    handler = RunLogHandler(log)
    handler.emit(logging.LogRecord("people", logging.WARNING, __file__, 1, "%d", ("x",), None))
    handler.emit(logging.LogRecord("people", logging.WARNING, __file__, 1, "on", (), None))
    assert texts(log, tmp_path) == ["WARNING  people: on"]
    assert "Logging error" in capsys.readouterr().err


def test_a_line_has_the_time_at_which_it_was_said(log, tmp_path):
    times = [1795252500.001 + 0.25 * number for number in range(60)]
    for at in times:
        log.add("said", at=at)
    log.add("now")
    after = datetime.now().astimezone()
    time.sleep(0.01)
    log.flush()
    stamps = [
        datetime.fromisoformat(line.split(" ")[0]) for line in (tmp_path / "log.txt").read_text().splitlines()
    ]
    assert [round(stamp.timestamp(), 3) for stamp in stamps[:-1]] == [round(at, 3) for at in times]
    assert stamps[-1] <= after


@pytest.mark.parametrize(
    "code",
    [
        "logging.getLogger('x').warning('seen'); logging.getLogger('x').info('unseen')",
        "logging.warning('seen')",
        "logging.basicConfig(level=logging.INFO); logging.getLogger('x').info('seen')",
        "logging.getLogger('x').addHandler(logging.StreamHandler()); logging.getLogger('x').warning('seen')",
        "logging.getLogger('x').propagate = False; logging.getLogger('x').warning('seen')",
        "logging.getLogger('x').addHandler(logging.NullHandler()); logging.getLogger('x').warning('silent')",
        "print(logging.getLogger('x').getEffectiveLevel(), logging.getLogger().handlers, file=sys.stderr)",
        "logging.getLogger('curifactory').warning('seen')",
        "import logging.config; h = {'h': {'class': 'logging.StreamHandler'}}; root = {'handlers': ['h'], 'level': 'DEBUG'}; logging.config.dictConfig({'version': 1, 'handlers': h, 'root': root}); logging.getLogger('x').debug('seen')",
    ],
)
def test_the_terminal_shows_the_same_as_without_us(code, tmp_path):
    attach = (
        "from pathlib import Path\nfrom curifactory.store.clock import Clock\n"
        "from curifactory.store.log import RunLog, RunLogHandler\n"
        "RunLogHandler(RunLog(Path(sys.argv[1]), clock=Clock(lambda: None))).attach()\n"
    )
    with_us = run(f"import logging, sys\n{attach}{code}", str(tmp_path / "log.txt"))
    assert with_us == run(f"import logging, sys\n{code}")


@pytest.mark.parametrize(
    ("level", "at", "shown"),
    [
        ("INFO", float("nan"), "INFO     odd"),
        ("INFO", 1e30, "INFO     odd"),
        ("INFO", "2026-11-22", "INFO     odd"),
        (None, 1.0, "None     odd"),
        (["INFO"], 1.0, "['INFO'] odd"),
        ("INFO\n1970-01-01T", 1.0, "INFO\\n1970-01-01T odd"),
    ],
)
def test_a_record_with_an_odd_time_or_level_has_its_line_and_holds_back_no_other(
    level, at, shown, handler, log, tmp_path
):
    record = logging.LogRecord("people", logging.INFO, "people.py", 1, "odd", (), None)
    record.created, record.levelname = at, level
    log.add("before")
    handler.handle(record)
    log.add("after")
    assert texts(log, tmp_path) == ["INFO     before", shown.replace("odd", "people: odd"), "INFO     after"]

"""Lines of events: at once when they come slowly, together when they come quickly, and never lost or doubled."""

from __future__ import annotations

import os
import time
from collections import deque

import pytest

from curifactory.errors import StoreError
from curifactory.store.clock import Clock
from curifactory.store.event_lines import EventLines
from curifactory.store.journal import encode_lines, read_journal


def encode_numbers(numbers, *, use_msgspec=False):
    return encode_lines([{"n": number} for number in numbers], use_msgspec=use_msgspec)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "calls.jsonl"


@pytest.fixture
def lines(path):
    def strike():
        made.flush_quietly()

    clock = Clock(strike)
    made = EventLines(path, clock=clock, encode=encode_numbers)
    yield made
    clock.stop()
    made.close()


def numbers(path):
    return [row["n"] for row in read_journal(path)]


def test_an_event_that_comes_alone_is_written_at_once(lines, path):
    for number in range(3):
        lines.add(number)
        assert numbers(path) == list(range(number + 1))
        time.sleep(0.02)


def test_events_that_come_quickly_are_written_soon_in_few_writes(lines, path, monkeypatch):
    writes = []
    write = os.write
    monkeypatch.setattr(os, "write", lambda *what: writes.append(what) or write(*what))
    for number in range(1_200):
        lines.add(number)
    deadline = time.monotonic() + 10
    while len(numbers(path)) < 1_200 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert numbers(path) == list(range(1_200))
    assert len(writes) < 600


def test_who_writes_very_many_lines_is_told_so_once(path):
    told = []
    clock = Clock(lambda: None)
    lines = EventLines(path, clock=clock, encode=encode_numbers, at_many=lambda: told.append(1))
    for number in range(400):
        lines.add(number)
    lines.flush()
    assert told == []
    for number in range(1_000):
        lines.add(number)
    lines.close()
    clock.stop()
    assert told == [1]
    assert len(numbers(path)) == 1_400


def test_lines_are_written_although_nothing_could_be_made_ready_for_very_many(path):
    def get_ready():
        raise OSError("too many open files")

    clock = Clock(lambda: None)
    lines = EventLines(path, clock=clock, encode=encode_numbers, at_many=get_ready)
    for number in range(1_400):
        lines.add(number)
    lines.close()
    clock.stop()
    assert numbers(path) == list(range(1_400))


def test_closing_writes_what_waits(lines, path):
    for number in range(5):
        lines.add(number)
    lines.close()
    assert numbers(path) == list(range(5))
    lines.add(5)
    lines.close()
    assert numbers(path) == list(range(6))


def test_a_write_that_failed_in_the_background_is_told_with_the_next_event_and_loses_nothing(lines, path):
    path.mkdir()
    with pytest.raises(StoreError, match=str(path)):
        lines.add(0)
    lines.flush_quietly()
    with pytest.raises(StoreError, match=str(path)):
        lines.add(1)
    path.rmdir()
    lines.add(2)
    lines.close()
    assert numbers(path) == [0, 1, 2]


def test_a_forked_child_writes_nothing_of_its_parent(lines, path):
    for number in range(3):
        lines.add(number)
    if (child := os.fork()) == 0:
        lines.flush()
        os._exit(0)
    os.waitpid(child, 0)
    lines.close()
    assert numbers(path) == [0, 1, 2]


def test_an_event_that_cannot_be_encoded_is_told_of_and_holds_back_no_other(lines, path):
    lines.add(0)
    for number in (1, 10**5000, 3):
        lines._waiting.append(number)
    with pytest.raises(ValueError, match="digits"):
        lines.close()
    lines.add(4)
    lines.close()
    assert numbers(path) == [0, 1, 3, 4]


def test_who_interrupts_a_flush_and_flushes_takes_no_line_away(lines, path):
    class Interrupted(deque):
        """As if a signal's handler, or the end of an object, logged something between two events."""

        left = 1

        def popleft(self):
            found = super().popleft()
            if self.left:
                self.left = 0
                lines.flush()
            return found

    lines.add(0)
    lines._waiting = Interrupted()
    for number in (1, 2, 3):
        lines._waiting.append(number)
    lines.close()
    assert sorted(numbers(path)) == [0, 1, 2, 3]

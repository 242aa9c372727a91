"""Tests of :mod:`curifactory.store.clock`."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

from curifactory.store import clock as clock_module
from curifactory.store.clock import Clock


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_module, "INTERVAL_S", 0.01)
    monkeypatch.setattr(clock_module, "_IDLE_S", 0.02)


def _threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "curifactory-clock"]


def _wait_for_end() -> None:
    for thread in _threads():
        thread.join(30)


class _Writer:
    def __init__(self) -> None:
        self.struck = threading.Semaphore(0)
        self.clock = Clock(self.strike)

    def strike(self) -> None:
        self.struck.release()


@pytest.mark.usefixtures("_impatient")
def test_a_clock_that_is_set_no_more_has_no_thread_and_keeps_nobody() -> None:
    writer = _Writer()
    writer.clock.set()
    assert writer.struck.acquire(timeout=30)
    _wait_for_end()
    assert not _threads()
    here = weakref.ref(writer)
    del writer
    gc.collect()
    assert here() is None


@pytest.mark.usefixtures("_impatient")
def test_a_clock_without_a_thread_can_be_set_again() -> None:
    writer = _Writer()
    for _ in range(3):
        writer.clock.set()
        assert writer.struck.acquire(timeout=30)
        _wait_for_end()
    writer.clock.stop()


@pytest.mark.usefixtures("_impatient")
def test_a_clock_that_is_set_at_any_moment_strikes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_module, "INTERVAL_S", 0.0)
    monkeypatch.setattr(clock_module, "_IDLE_S", 0.0001)
    writer = _Writer()
    for number in range(2_000):
        writer.clock.set()
        assert writer.struck.acquire(timeout=30), number
    writer.clock.stop()
    _wait_for_end()
    assert not _threads()


@pytest.mark.usefixtures("_impatient")
def test_a_clock_that_was_stopped_can_be_set_again() -> None:
    writer = _Writer()
    writer.clock.set()
    writer.clock.stop()
    assert not _threads()
    writer.clock.set()
    assert writer.struck.acquire(timeout=30)
    writer.clock.stop()
    assert not _threads()

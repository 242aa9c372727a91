"""Moments as people write them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from curifactory.workflow.runs.moments import read_period


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = os.environ.get("TZ")
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    read_period.cache_clear()
    yield
    if before is None:
        monkeypatch.delenv("TZ")
    else:
        monkeypatch.setenv("TZ", before)
    time.tzset()
    read_period.cache_clear()


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026", "2026-01-01T00:00:00", "2027-01-01T00:00:00"),
        ("2026-12", "2026-12-01T00:00:00", "2027-01-01T00:00:00"),
        ("2026-02", "2026-02-01T00:00:00", "2026-03-01T00:00:00"),
        ("2026-11-21", "2026-11-21T00:00:00", "2026-11-22T00:00:00"),
        ("2026-11-21T10", "2026-11-21T10:00:00", "2026-11-21T11:00:00"),
        (" 2026-11-21 10:15 ", "2026-11-21T10:15:00", "2026-11-21T10:16:00"),
        ("2026-11-21 10:15:07", "2026-11-21T10:15:07", "2026-11-21T10:15:08"),
    ],
)
def test_what_is_left_out_stands_for_all_of_it(text: str, start: str, end: str) -> None:
    period = read_period(text)
    assert (period.start.replace(tzinfo=None).isoformat(), period.end.replace(tzinfo=None).isoformat()) == (
        start,
        end,
    )


def test_a_day_is_as_long_as_the_calendar_says(berlin: None) -> None:
    period = read_period("2026-10-25")
    assert period.end - period.start == timedelta(hours=25)


def test_what_has_no_time_is_compared_with_nothing() -> None:
    assert read_period("2026").compare("2026", "==") is None

"""Durations, numbers, sizes and times as people read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from curifactory.cli.amounts import show_duration, show_moment, show_number, show_size


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0.00 s"),
        (9.994, "9.99 s"),
        (9.996, "10.0 s"),
        (59.96, "1 min 00 s"),
        (3599.9, "1 h 00 min"),
        (90_000, "25 h 00 min"),
    ],
)
def test_a_duration_never_shows_sixty_of_anything(seconds: float, shown: str) -> None:
    assert show_duration(seconds) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(-0.5, "-0.5"), (100.0, "100"), (2.0**60, "1.153e+18"), (float("inf"), "inf"), (1 / 3, "0.3333")],
)
def test_a_number_shows_what_counts(value: float, shown: str) -> None:
    assert show_number(value) == shown


def test_a_size_stays_in_the_largest_unit_there_is() -> None:
    assert show_size(3 * 1024**5) == "3072.0 TB"


def test_a_moment_is_shown_in_local_time_and_other_texts_as_they_are() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", show_moment(datetime(2026, 11, 21, tzinfo=UTC)))
    assert show_moment(datetime(2026, 11, 21, tzinfo=UTC)) == show_moment("2026-11-21T00:00:00+00:00")
    assert show_moment("yesterday") == "yesterday"

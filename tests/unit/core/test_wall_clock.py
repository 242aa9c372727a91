"""The time of events: aware of the zone that holds here, also after it has changed."""

from __future__ import annotations

import os
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curifactory.core import wall_clock


@pytest.fixture
def zone(monkeypatch):
    """Set the zone of the process, and set it back."""
    before = os.environ.get("TZ")

    def set_zone(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield set_zone
    if before is None:
        monkeypatch.delenv("TZ", raising=False)
    else:
        monkeypatch.setenv("TZ", before)
    time.tzset()
    monkeypatch.setattr(wall_clock, "_quarter", -1.0)


moments = st.one_of(
    st.datetimes(timezones=st.none() | st.timezones(), allow_imaginary=False),
    # Most of a run lie in one second.
    st.datetimes(
        datetime.fromisoformat("2026-03-29T01:59:59"),
        datetime.fromisoformat("2026-03-29T02:00:01"),
        timezones=st.timezones(),
    ),
    st.builds(
        lambda microsecond, fold: datetime(
            2026, 10, 25, 2, 30, 0, microsecond, tzinfo=ZoneInfo("Europe/Berlin"), fold=fold
        ),
        st.integers(0, 999_999),
        st.integers(0, 1),
    ),
)


@settings(deadline=None)
@given(several=st.lists(moments, min_size=1, max_size=6))
def test_moments_are_written_as_isoformat_writes_them_whatever_was_written_before(several):
    for at in several:
        for timespec in ("microseconds", "milliseconds"):
            assert wall_clock.to_text(at, timespec=timespec) == at.isoformat(timespec=timespec)


def test_now_lies_between_two_looks_at_the_clock():
    earlier = datetime.now().astimezone()
    found = wall_clock.now()
    assert earlier <= found <= datetime.now().astimezone()
    assert found.utcoffset() == earlier.utcoffset()


def test_the_zone_is_asked_for_again_in_each_quarter_of_an_hour(zone, monkeypatch):
    quarter_s = 1_800_000_000.0
    monkeypatch.setattr(time, "time", lambda: quarter_s)
    zone("CET-1")
    assert wall_clock.now().utcoffset() == timedelta(hours=1)
    zone("CEST-2")
    monkeypatch.setattr(time, "time", lambda: quarter_s + 899)
    assert wall_clock.now().utcoffset() == timedelta(hours=1)
    monkeypatch.setattr(time, "time", lambda: quarter_s + 900)
    assert wall_clock.now().utcoffset() == timedelta(hours=2)
    assert wall_clock.now().timestamp() == quarter_s + 900

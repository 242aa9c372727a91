"""Moments as people write them: a year, a month, a day, a minute stand for all of the time in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from curifactory.errors import ConfigurationError

_MOMENT = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)(?:[T ](?P<hour>\d\d)(?::(?P<minute>\d\d)"
    r"(?::(?P<second>\d\d))?)?)?)?)?"
)
_PARTS = ("year", "month", "day", "hour", "minute", "second")
_STEPS = {"hour": timedelta(hours=1), "minute": timedelta(minutes=1)}


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time that was written as one moment.

    Parameters
    ----------
    start, end : datetime
        With time zone; the end is not a part of it.
    """

    start: datetime
    end: datetime

    def compare(self, moment: object, sign: str) -> bool | None:
        """Say whether ``moment <sign> period`` holds: ``>`` after its start, ``<=`` before its end, ``==`` within."""
        if not isinstance(moment, datetime):
            return None
        if sign == "<":
            return moment < self.start
        if sign == "<=":
            return moment < self.end
        if sign == ">":
            # As in the index of reports: since November, and not since its end.
            return moment > self.start
        if sign == ">=":
            return moment >= self.start
        return (self.start <= moment < self.end) is (sign == "==")


@lru_cache(maxsize=64)
def read_period(text: str) -> Period:
    """Read a moment in local time; what is left out stands for all there is of it.

    Parameters
    ----------
    text : str
        Such as ``2026``, ``2026-11``, ``2026-11-21``, ``2026-11-21 10:15`` or a whole ISO time with its zone.

    Raises
    ------
    ConfigurationError
        If it is none of these.

    Examples
    --------
    >>> period = read_period("2026-11")
    >>> period.start.month, period.end.month, period.start.tzinfo is not None
    (11, 12, True)
    """
    try:
        match = _MOMENT.fullmatch(text.strip())
        if match is None:
            start = datetime.fromisoformat(text.strip()).astimezone()
            return Period(start, start + timedelta(microseconds=1))
        given = {name: int(match[name]) for name in _PARTS if match[name] is not None}
        start = _local(given["year"], given.get("month", 1), given.get("day", 1), *_clock(given))
        last = list(given)[-1]
        if last == "year":
            end = _local(start.year + 1, 1, 1)
        elif last == "month":
            end = _local(start.year + start.month // 12, start.month % 12 + 1, 1)
        elif last == "day":
            # By the calendar: a day may have an hour more or less.
            after = date(start.year, start.month, start.day) + timedelta(days=1)
            end = _local(after.year, after.month, after.day)
        else:
            end = start + _STEPS.get(last, timedelta(seconds=1))
        return Period(start, end)
    except (ValueError, OverflowError) as error:
        raise ConfigurationError(
            f"{text!r} is no moment.",
            hint="Write a day as '2026-11-21', a month as '2026-11', a time as '2026-11-21 10:15'.",
        ) from error


def _local(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    """Return a moment of the local clock with its zone."""
    return datetime(year, month, day, hour, minute, second).astimezone()


def _clock(given: dict[str, int]) -> tuple[int, int, int]:
    return given.get("hour", 0), given.get("minute", 0), given.get("second", 0)

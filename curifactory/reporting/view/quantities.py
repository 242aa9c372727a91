"""How durations, sizes, times and numbers read on a page."""

from __future__ import annotations

import math
from datetime import datetime

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def format_duration(seconds: float | None) -> str:
    """Write a duration with two or three digits that matter.

    Examples
    --------
    >>> [format_duration(value) for value in (None, 0.00042, 0.0131, 2.5, 75, 8000, 200_000)]
    ['', '0.4 ms', '13 ms', '2.5 s', '1 min 15 s', '2 h 13 min', '2 d 7 h']
    """
    if seconds is None or not math.isfinite(seconds):
        return ""
    if seconds < 0.0095:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for unit, name, lower, lower_name in (
        (86_400, "d", 3_600, "h"),
        (3_600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= unit:
            rest = whole % unit // lower
            return f"{whole // unit} {name} {rest} {lower_name}" if rest else f"{whole // unit} {name}"
    return f"{whole} s"


def format_size(size_bytes: float | None) -> str:
    """Write a size in binary units.

    Examples
    --------
    >>> [format_size(value) for value in (None, 0, 999, 1536, 3_500_000)]
    ['', '0 B', '999 B', '1.5 KiB', '3.3 MiB']
    """
    if size_bytes is None:
        return ""
    value = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def format_time(moment: datetime | str | None) -> str:
    """Write a time as it was on the clock of the machine where it was taken.

    Examples
    --------
    >>> format_time("2026-11-21T10:15:00.250+01:00")
    '21 Nov 2026, 10:15:00'
    >>> format_time("yesterday")
    'yesterday'
    """
    if not isinstance(moment, datetime):
        try:
            moment = datetime.fromisoformat(moment or "")
        except ValueError:
            return str(moment or "")
    # Not strftime("%b"), which speaks the language of the machine that draws.
    month = MONTHS[moment.month - 1]
    return f"{moment.day} {month} {moment.year}, {moment:%H:%M:%S}"


def format_number(value: float) -> str:
    """Write a number with about five digits that matter.

    Examples
    --------
    >>> [format_number(value) for value in (1.0, 0.94117647, 12345.678, 1.5e-7, 42, float("nan"))]
    ['1.0000', '0.9412', '12345.7', '1.500e-07', '42', 'nan']
    """
    if isinstance(value, int) or not math.isfinite(value):
        return str(value)
    size = abs(value)
    if value and (size < 5e-4 or size >= 1e7):
        return f"{value:.3e}"
    return f"{value:.4f}" if size < 1_000 else f"{value:.1f}"


def shorten_digest(digest: str | None) -> str:
    """Cut a digest to what people compare, without its algorithm.

    Examples
    --------
    >>> shorten_digest("blake3:0123456789abcdef0123456789abcdef")
    '0123456789ab'
    """
    return (digest or "").rpartition(":")[2][:12]

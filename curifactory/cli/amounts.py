"""How durations, numbers, sizes and times are written for people."""

from __future__ import annotations

import math
from datetime import datetime


def show_duration(seconds: float) -> str:
    """Write a duration with the digits that matter.

    Examples
    --------
    >>> [show_duration(seconds) for seconds in (0.004, 0.1234, 12.34, 125, 3725)]
    ['0.00 s', '0.12 s', '12.3 s', '2 min 05 s', '1 h 02 min']
    """
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def show_number(value: float) -> str:
    """Write a number of a metric: four digits that count, whole numbers whole.

    Examples
    --------
    >>> [show_number(value) for value in (0.96, 0.123456, 3.0, 1234567.0, 1e-7, float("nan"))]
    ['0.96', '0.1235', '3', '1234567', '1e-07', 'nan']
    """
    if math.isfinite(value) and value == int(value) and abs(value) < 1e12:
        return str(int(value))
    return f"{value:.4g}"


def show_size(size_bytes: int) -> str:
    """Write a size in bytes.

    Examples
    --------
    >>> [show_size(size) for size in (12, 2048, 5_000_000)]
    ['12 B', '2.0 KB', '4.8 MB']
    """
    size, units = float(size_bytes), ["B", "KB", "MB", "GB", "TB"]
    while size >= 1024 and len(units) > 1:
        size /= 1024
        units.pop(0)
    return f"{size_bytes} B" if units[0] == "B" else f"{size:.1f} {units[0]}"


def show_moment(moment: str | datetime | None) -> str:
    """Write a moment in local time, to the second; an ISO text that cannot be read is left as it is.

    Examples
    --------
    >>> show_moment(None)
    ''
    """
    if moment is None:
        return ""
    try:
        known = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    except ValueError:
        return str(moment)
    return known.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def count(number: int, noun: str) -> str:
    """Write a number of things.

    Examples
    --------
    >>> count(1, "call"), count(3, "call")
    ('1 call', '3 calls')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"

"""The most memory that this process has had, of itself and not of the process that has started it."""

from __future__ import annotations

import os
import re
import sys
from functools import cache
from time import monotonic

try:
    from resource import RUSAGE_SELF, getrusage
except ImportError:  # pragma: no cover - a system that does not count
    getrusage = None  # type: ignore[assignment]

# macOS counts in bytes, others in kibibytes.
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024
_TRUSTED_S = 0.01
_asked_s = float("-inf")
_peak_bytes: int | None = None


def read_peak() -> int | None:
    """Return the most memory in bytes that this process has had until now, None where the system does not tell.

    It was so at most 10 ms ago: the system adds up all threads for it, which takes longer than many a call.
    """
    global _asked_s, _peak_bytes  # noqa: PLW0603 (there is one process to ask about)
    if monotonic() - _asked_s > _TRUSTED_S:
        _peak_bytes = _ask_peak()
        _asked_s = monotonic()
    return _peak_bytes


def _ask_peak() -> int | None:
    if getrusage is None:
        return None
    told = getrusage(RUSAGE_SELF).ru_maxrss * _PEAK_UNIT
    if told > _first_peak():
        return told
    return _read_status() or told


@cache
def _first_peak() -> int:
    """Return what was told when it was asked for the first time, if that was not of this process.

    Linux lets the count begin with what the process had that has started this one; of its memory that is told apart, more slowly.
    """
    own = _read_status()
    told: int = getrusage(RUSAGE_SELF).ru_maxrss * _PEAK_UNIT
    return 0 if own is None or told <= own else told


def _read_status() -> int | None:
    try:
        descriptor = os.open("/proc/self/status", os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, AttributeError):
        return None
    try:
        status = os.read(descriptor, 65536)
    finally:
        os.close(descriptor)
    found = re.search(rb"^VmHWM:\s*(\d+) kB", status, re.MULTILINE)
    return None if found is None else int(found[1]) * 1024

"""Which process writes a run, whether it is still there, and what that means for how the run stands."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from curifactory.core.outcomes import RunOutcome

# A process that has ended but that its parent has not asked after still has its number.
_GONE = "gone"


def process_facts() -> dict[str, Any]:
    """Return what identifies this process, for ``run.json``.

    Returns
    -------
    dict
        ``host``, ``pid`` and ``process``, the latter a text that no later process with the same number has; None where
        the system does not tell.

    Examples
    --------
    >>> is_alive(process_facts())
    True
    """
    return {"host": host_name(), "pid": os.getpid(), "process": _birth(os.getpid())}


def is_alive(facts: Mapping[str, Any]) -> bool | None:
    """Say whether the process of some facts is still there; None if it ran on another machine, or is not named.

    Examples
    --------
    >>> is_alive({**process_facts(), "host": "elsewhere"}) is None
    True
    """
    pid = facts.get("pid")
    if not isinstance(pid, int) or pid <= 0 or facts.get("host") != host_name():
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return isinstance(pid, int) and pid < 2**31
    born, now = facts.get("process"), _birth(pid)
    # A number is given again, at the latest after a restart of the machine.
    return now != _GONE and (born is None or born == now)


def outcome_of(facts: Mapping[str, Any]) -> RunOutcome:
    """Return how a run stands by its facts; one that says that it runs while its process is gone was interrupted.

    Examples
    --------
    >>> outcome_of({"outcome": "failed"}).value
    'failed'
    """
    try:
        outcome = RunOutcome(facts.get("outcome", RunOutcome.RUNNING.value))
    except ValueError:
        outcome = RunOutcome.INTERRUPTED
    if outcome is RunOutcome.RUNNING and is_alive(facts) is False:
        return RunOutcome.INTERRUPTED
    return outcome


@cache
def host_name() -> str:
    """Return the name of this machine.

    Examples
    --------
    >>> host_name() == os.uname().nodename
    True
    """
    return os.uname().nodename


def _birth(pid: int) -> str | None:
    """Return which start of the machine and which tick since then a process dates from, where there is a ``/proc``."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name in brackets may hold anything; what follows is fixed: state is field 3, start time field 22.
            fields = file.read().rpartition(b")")[2].decode().split()
        if fields[0] in {"Z", "X"}:
            return _GONE
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return f"{file.read(8)}-{fields[19]}"
    except (OSError, IndexError):
        return None

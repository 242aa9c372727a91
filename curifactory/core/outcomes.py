"""How calls and runs can end, and what a plan can say of a call, with the symbol and style of each."""

from __future__ import annotations

from enum import Enum
from typing import Self

from curifactory.core.members import with_plain_members


@with_plain_members
class CallOutcome(Enum):
    """What happened to one call of a run.

    Examples
    --------
    >>> CallOutcome.REUSED.value, CallOutcome.REUSED.symbol
    ('reused', '=')
    """

    RAN = "ran", "+", "green"
    REUSED = "reused", "=", "cyan"
    FAILED = "failed", "x", "red"
    INTERRUPTED = "interrupted", "!", "yellow"
    NOT_NEEDED = "not needed", "-", "bright_black"
    NOT_REACHED = "not reached", ".", "bright_black"

    symbol: str
    style: str

    # A member is itself alone; that of `Enum` hashes its name, in Python, each time that a call is counted.
    __hash__ = object.__hash__

    def __new__(cls, value: str, symbol: str, style: str) -> Self:
        """Make a member whose value is its word alone."""
        member = object.__new__(cls)
        member._value_ = value
        member.symbol = symbol
        member.style = style
        return member


@with_plain_members
class RunOutcome(Enum):
    """How a run stands.

    ``LIVE`` is a session of a notebook, REPL or script, which has no end of its own.

    Examples
    --------
    >>> RunOutcome("failed").is_final
    True
    """

    RUNNING = "running"
    LIVE = "live"
    COMPLETE = "complete"
    PARTLY_FAILED = "partly failed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def is_final(self) -> bool:
        """Whether nothing more can happen to the run."""
        return self not in (RunOutcome.RUNNING, RunOutcome.LIVE)


@with_plain_members
class Verdict(Enum):
    """What the plan says of a call before anything is executed.

    Examples
    --------
    >>> Verdict.PERHAPS.value
    'perhaps'
    """

    RUN = "run"
    REUSE = "reuse"
    PERHAPS = "perhaps"

"""Calls that were sent away and have not come back."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from curifactory.core.events import CallRecalled, CallRetracted, MetricLogged, Reported
from curifactory.core.streams import print_through
from curifactory.engine.adoption import adopt_failure
from curifactory.engine.graph import Call

if TYPE_CHECKING:
    from curifactory.core.record import Record
    from curifactory.engine.engine import Engine
    from curifactory.engine.identify import Identified


@dataclass(slots=True)
class Sent:
    """A call that is executed elsewhere, or is about to be.

    Parameters
    ----------
    call : Call
        Which one.
    records : list of Record
        What was sent with it.
    foreseen : Identified or None
        What it probably is.
    locked : tuple of str
        The keys that are locked for it.
    started : datetime
        When it was sent.
    has_told : bool
        Whether it has logged or reported anything.
    """

    call: Call
    records: list[Record]
    foreseen: Identified | None
    locked: tuple[str, ...]
    started: datetime
    has_told: bool = False


class Underway(dict[int, Sent]):
    """The calls of a run that were sent away, by their index.

    Each holds its locks until it is removed with :meth:`let_go`: who holds locks must not wait for one.

    Parameters
    ----------
    engine : Engine
        Whose calls they are.
    """

    __slots__ = ("_engine",)

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine

    def let_go(self, sent: Sent) -> None:
        """Note that a call has come back, and let go of its locks."""
        del self[sent.call.index]
        self._engine.call_locks.release(*sent.locked)

    def hear(self, sent: Sent, message: bytes) -> None:
        """Pass on what a call tells on its way: what it prints, and what it logs and reports."""
        kind, *content = pickle.loads(message)
        if kind == "said":
            print_through(sys.stderr if content[0] == "stderr" else sys.stdout, content[1])
            return
        for event in content[0]:
            sent.has_told |= isinstance(event, (MetricLogged, Reported))
            self._engine.events.emit(event)

    def retract(self, call: Call) -> None:
        """Take back what a call has told that is going to be executed once more."""
        sent = self.get(call.index)
        if sent is not None and sent.has_told:
            self._engine.events.emit(CallRetracted(call.index))

    def forget(self, indices: Iterable[int]) -> None:
        """Let calls be as they were before they were sent, since they have not begun."""
        for index in indices:
            self.let_go(self[index])
            self._engine.events.emit(CallRecalled(index))

    def interrupt(self) -> None:
        """Tell of all that they were stopped."""
        for sent in list(self.values()):
            adopt_failure(self._engine, sent.call, KeyboardInterrupt("stopped"), sent.started, "")
            self.let_go(sent)

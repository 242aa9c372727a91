"""How long values, and what is known of them, stay in memory: until their last reader has had them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from curifactory.core.outcomes import Verdict
from curifactory.core.state import Slot
from curifactory.engine.graph import Call
from curifactory.engine.plan import has_to_run
from curifactory.engine.spill import WORTH_SPILLING_BYTES, size_of

if TYPE_CHECKING:
    from curifactory.engine.engine import Engine


class Keeping:
    """Lets go of values that no call of a plan is going to read any more, and of what is known of them.

    What lies in the cache is dropped and loaded again if somebody asks late. What no cacher keeps is written into the run's
    spill if it is big and somebody may ask late, so that this does not execute anything twice, and dropped if nobody can.
    What is small, or a person holds, stays.

    Parameters
    ----------
    engine : Engine
        Whose values they are.
    calls : sequence of Call
        What is about to be settled, decided already.
    """

    __slots__ = ("_engine", "_may_read", "_readers", "_reading")

    def __init__(self, engine: Engine, calls: Sequence[Call]) -> None:
        self._engine = engine
        # Calls that are going to read, how many of them read a slot, and how many may find it by themselves.
        self._reading: set[int] = set()
        self._readers: Counter[int] = Counter()
        self._may_read: Counter[int] = Counter()
        for call in calls:
            if call.outcome is None and (call.verdict is not Verdict.REUSE or has_to_run(call)):
                self._reading.add(call.index)
                for slot in call.read_slots():
                    if slot is not None:
                        self._readers[id(slot)] += 1
                if not engine.keep_values:
                    self._may_read.update(map(id, _found_by(call)))

    def find_unread(self, call: Call) -> tuple[int, ...]:
        """Return the positions of those outputs of a call that is about to run of which nobody can ask for the value."""
        if self._engine.keep_values or call.index not in self._reading:
            return ()
        readers, may_read = self._readers, self._may_read
        return tuple(
            slot.position
            for slot in call.slots
            if readers.get(id(slot), 0) <= 0 and may_read.get(id(slot), 0) <= 0
        )

    def call_is_over(self, call: Call) -> None:
        """Let go of what this call was the last to read, and of what it made for nobody."""
        # Who is executed once more is so for somebody that was not foreseen.
        is_foreseen = call.index in self._reading
        if is_foreseen:
            self._reading.remove(call.index)
            readers = self._readers
            for slot in call.read_slots():
                if slot is None:
                    continue
                awaited = readers[id(slot)] = readers.get(id(slot), 0) - 1
                if awaited <= 0:
                    self._let_go(slot)
                    if isinstance(slot.producer, Call):
                        self._let_outputs_go(slot.producer)
            if not self._engine.keep_values:
                self._let_found_go(call)
        if call.made:
            for slot in call.slots:
                if not self._is_awaited(slot):
                    self._let_go(slot, may_drop=is_foreseen)
        elif self._readers:
            self._let_outputs_go(call)
        else:
            call.let_outputs_go()

    def _let_found_go(self, call: Call) -> None:
        for slot in _found_by(call):
            self._may_read[id(slot)] -= 1
            if not self._is_awaited(slot):
                self._let_go(slot)

    def _is_awaited(self, slot: Slot) -> bool:
        return self._readers.get(id(slot), 0) > 0

    def _let_outputs_go(self, call: Call) -> None:
        if call.made:
            return
        if not any(map(self._is_awaited, call.slots)):
            call.let_outputs_go()

    def _let_go(self, slot: Slot, *, may_drop: bool = True) -> None:
        producer = slot.producer
        is_kept = slot.present or slot.spilled is not None
        if not is_kept or slot.held is not None or not isinstance(producer, Call):
            return
        if slot.position < len(producer.outputs) and producer.outputs[slot.position].artifact is not None:
            slot.present, slot.value = False, None
        elif may_drop and not self._engine.keep_values and self._may_read[id(slot)] <= 0:
            _drop(slot)
        elif slot.present and size_of(slot.value) >= WORTH_SPILLING_BYTES:
            if slot.spilled is None:
                slot.spilled = self._engine.spill.put(slot.value, f"{producer.index}_{slot.position}")
            if slot.spilled is not None:
                slot.present, slot.value = False, None


def _found_by(call: Call) -> list[Slot]:
    """Return what a call may find by itself, beside what it declares."""
    found = list(call.scheduled) if call.stage.may_read_state else []
    scheduled = sum(isinstance(slot.producer, Call) for slot in call.scheduled)
    for producer in call.producers[scheduled:]:
        # An earlier execution has read it.
        found += producer.slots
    return found


def _drop(slot: Slot) -> None:
    if slot.present and size_of(slot.value) >= WORTH_SPILLING_BYTES:
        slot.present, slot.value = False, None
    if slot.spilled is not None:
        with suppress(OSError):
            if os.path.getsize(slot.spilled) >= WORTH_SPILLING_BYTES:
                os.unlink(slot.spilled)
                slot.spilled = None

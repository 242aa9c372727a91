"""How long values, and what is known of them, stay in memory: until their last reader has had them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
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
    spill if it is big, so that a late question does not execute anything twice; what is small, or a person holds, stays.

    Parameters
    ----------
    engine : Engine
        Whose values they are.
    calls : sequence of Call
        What is about to be settled, decided already.
    """

    __slots__ = ("_engine", "_readers")

    def __init__(self, engine: Engine, calls: Sequence[Call]) -> None:
        self._engine = engine
        self._readers: Counter[int] = Counter()
        for call in calls:
            if call.outcome is None and (call.verdict is not Verdict.REUSE or has_to_run(call)):
                for _, slot in call.input_slots():
                    self._readers[id(slot)] += 1

    def call_is_over(self, call: Call) -> None:
        """Let go of what this call was the last to read, and of what it made for nobody."""
        if call.made:
            for _, slot in call.input_slots():
                self._readers[id(slot)] -= 1
                if not self._is_awaited(slot):
                    self._let_go(slot)
                    if isinstance(slot.producer, Call):
                        self._let_outputs_go(slot.producer)
            for slot in call.slots:
                if not self._is_awaited(slot):
                    self._let_go(slot)
        else:
            self._let_outputs_go(call)

    def _is_awaited(self, slot: Slot) -> bool:
        return self._readers.get(id(slot), 0) > 0

    def _let_outputs_go(self, call: Call) -> None:
        if not self._readers or not any(map(self._is_awaited, call.slots)):
            call.let_outputs_go()

    def _let_go(self, slot: Slot) -> None:
        producer = slot.producer
        if not slot.present or slot.held is not None or not isinstance(producer, Call):
            return
        is_saved = (
            slot.position < len(producer.outputs) and producer.outputs[slot.position].artifact is not None
        )
        if not is_saved:
            if size_of(slot.value) < WORTH_SPILLING_BYTES:
                return
            slot.spilled = self._engine.spill.put(slot.value, f"{producer.index}_{slot.position}")
            if slot.spilled is None:
                return
        slot.present, slot.value = False, None

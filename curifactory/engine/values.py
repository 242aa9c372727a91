"""Values of slots: handed to people, given to stages, loaded anew or made again when they are not in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from curifactory.core.lazy import Lazy
from curifactory.core.state import Slot
from curifactory.core.trace import Artifact
from curifactory.engine.graph import Call, Want
from curifactory.engine.holding import hand, is_atom
from curifactory.engine.loading import DamagedArtifactError
from curifactory.engine.own_copy import own_copy
from curifactory.engine.spill import read_spilled

if TYPE_CHECKING:
    from curifactory.engine.engine import Engine

_LARGE_BYTES = 1_000_000


class Values:
    """Gets the value of a slot for whoever wants it, and settles the call behind it if that is needed."""

    __slots__ = ("_engine",)

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def is_there(self, slot: Slot) -> bool:
        """Whether a slot's value is in memory or can be loaded."""
        if slot.present or slot.spilled is not None or not isinstance(slot.producer, Call):
            return True
        artifact = _artifact_of(slot.producer, slot)
        return artifact is not None and (slot.producer.made or slot.producer.absent is None)

    def hand_out(self, call: Call, slot: Slot) -> Any:
        """Return a slot's value to a person, who may keep and change it."""
        is_stored = False
        if not slot.present:
            slot.value = self._obtain(call, slot)
            is_stored = not slot.present and slot.spilled is None and self._is_large(call, slot)
            slot.present = True
        return hand(slot, is_stored=is_stored)

    def load_again(self, slot: Slot) -> Any:
        """Return another copy of a value that was loaded before.

        Raises
        ------
        CurifactoryError
            If it cannot be loaded any more.
        """
        call = slot.producer
        assert isinstance(call, Call)  # noqa: S101 - only calls have artifacts
        artifact = call.outputs[slot.position].artifact
        assert artifact is not None  # noqa: S101 - it was loaded from there
        return self._engine.loader.load(call, slot.position, artifact, lazy=slot.lazy)

    def for_input(self, slot: Slot, reader: Call) -> Any:
        """Return what a stage is given for an input: the value, or the handle of a ``Lazy(resolve=False)``."""
        output = slot.output
        if output.lazy and not output.resolve:
            return Lazy.of(slot, output.name, resolve=False)
        return self.for_stage(slot, reader)

    def for_stage(self, slot: Slot, reader: Call) -> Any:
        """Return a slot's value to a stage: loaded anew for each reader if it came from the cache."""
        producer = slot.producer
        if not isinstance(producer, Call):
            return own_copy(slot.value, most_bytes=None)
        if slot.held is not None:
            # Asking for its identity turns a value that was changed by hand into one put in by hand.
            self._engine.identifier.slot_identity(slot)
            if slot.producer is None:
                self._engine.warn(
                    f"'{slot.name}' was changed after {producer.describe()} made it; {reader.describe()} takes it so."
                )
                return own_copy(slot.value, most_bytes=None)
            return self._copy_of_held(producer, slot)
        value = slot.value if slot.present else self._obtain(producer, slot)
        if is_atom(value):
            # Whoever has it cannot change it.
            return value
        if _artifact_of(producer, slot) is None:
            # What was spilled is another object each time it is read.
            return self._own(slot, value, reader) if slot.present else value
        if slot.present:
            slot.present, slot.value = False, None
        return value

    def bound_cacher(self, call: Call, slot: Slot) -> Any:
        """Return the cacher of a slot's artifact, placed where its files lie."""
        if not call.settled:
            self._engine.ensure([call], Want.FILES)
        artifact = call.outputs[slot.position].artifact
        return None if artifact is None else self._engine.loader.cacher(call, slot.position, artifact)

    def _copy_of_held(self, call: Call, slot: Slot) -> Any:
        """Return what a stage gets of a value that a person holds: loaded anew, so that it cannot change theirs."""
        artifact = _artifact_of(call, slot)
        if artifact is None or is_atom(slot.value):
            return own_copy(slot.value, most_bytes=None)
        try:
            return self._engine.loader.load(call, slot.position, artifact, lazy=slot.lazy)
        except DamagedArtifactError:
            # It has not been changed, and to execute the call once more would make another of it.
            return own_copy(slot.value, most_bytes=None)

    def _own(self, slot: Slot, value: Any, reader: Call) -> Any:
        """Return what a stage gets of a value that no cacher keeps: a copy, so that it cannot change what others get.

        What is large is given as it is if nobody else reads it, and nobody can ask for it late.
        """
        mine = own_copy(value)
        if mine is value and (self._engine.keep_values or self._is_read_later(slot, reader)):
            return own_copy(value, most_bytes=None)
        return mine

    def _is_read_later(self, slot: Slot, reader: Call) -> bool:
        calls = self._engine.graph.calls[reader.index + 1 :]
        return any(call.outcome is None and any(each is slot for each in call.scheduled) for call in calls)

    def _is_large(self, call: Call, slot: Slot) -> bool:
        artifact = _artifact_of(call, slot)
        return artifact is not None and artifact.size_bytes > _LARGE_BYTES

    def _obtain(self, call: Call, slot: Slot) -> Any:
        """Return a value that is not in memory: spilled, from its artifact, or by executing the call."""
        if slot.spilled is None and not call.settled:
            self._engine.ensure([call], Want.VALUE)
        if not self.is_there(slot):
            self._engine.make(call)
        if slot.present:
            return slot.value
        if slot.spilled is not None:
            try:
                return read_spilled(slot.spilled)
            except FileNotFoundError:
                # Its last reader in the plan has had it while this one was on its way.
                slot.spilled = None
                self._engine.make(call)
                return self._obtain(call, slot)
        artifact = call.outputs[slot.position].artifact
        assert artifact is not None  # noqa: S101 - it is there, and nowhere else
        try:
            return self._engine.loader.load(call, slot.position, artifact, lazy=slot.lazy)
        except DamagedArtifactError as error:
            self._engine.warn(f"{error.message.removesuffix('.')}; {call.describe()} is made again.")
            self._engine.loader.set_aside_damaged(artifact)
            self._engine.make(call)
            if slot.present:
                return slot.value
            remade = call.outputs[slot.position].artifact
            assert remade is not None  # noqa: S101 - it has just been saved
            return self._engine.loader.load(call, slot.position, remade, lazy=slot.lazy)


def _artifact_of(call: Call, slot: Slot) -> Artifact | None:
    """Return what an output was saved as, None if no cacher keeps it."""
    outputs = call.outputs
    return outputs[slot.position].artifact if slot.position < len(outputs) else None

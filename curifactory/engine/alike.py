"""Calls of a plan that may be the same as an earlier one: they are reused if they read what is foreseen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from curifactory.core.outcomes import Verdict
from curifactory.core.reason import OF_COMPARISON
from curifactory.engine.graph import Call
from curifactory.engine.identify import Identifier, NotYetKnownError
from curifactory.engine.prediction import guess_reads
from curifactory.errors import UnidentifiableError
from curifactory.parameters.sets import REPEAT

if TYPE_CHECKING:
    from curifactory.core.state import Slot
    from curifactory.engine.decide import Decider

_Likeness = tuple[object, ...]


def find_alike(calls: Sequence[Call], decider: Decider, identifier: Identifier) -> dict[int, Call]:
    """Return, by the index of each decided call that may be the same as an earlier one of the plan, the first of these.

    They have the same code and the same inputs, and the same values of what the newest execution of the code has read, or of what
    the code speaks of if it was never executed. Only a plan tells of it; a run looks whether it is so.

    Parameters
    ----------
    calls : sequence of Call
        All calls, in call order, decided and marked.
    decider : Decider
        Knows what earlier executions have read.
    identifier : Identifier
        Knows what values are.
    """
    first: dict[_Likeness, Call] = {}
    alike: dict[int, Call] = {}
    for call in calls:
        if call.outcome is not None or call.verdict is not Verdict.RUN or not call.want:
            continue
        # What has to run for any other reason runs in any case.
        if call.reason is None or call.reason.kind not in OF_COMPARISON or not call.stage.leaves_trace:
            continue
        try:
            likeness = _likeness_of(call, alike, decider, identifier)
        except (UnidentifiableError, NotYetKnownError):
            continue
        earlier = first.setdefault(likeness, call)
        if earlier is not call:
            alike[call.index] = earlier
    return alike


def _likeness_of(call: Call, alike: dict[int, Call], decider: Decider, identifier: Identifier) -> _Likeness:
    def tell(slot: Slot | None) -> object:
        if slot is None:
            return None
        producer = slot.producer
        if not isinstance(producer, Call) or producer.verdict is Verdict.REUSE or producer.settled:
            return identifier.slot_identity(slot)
        return alike.get(producer.index, producer).index, slot.position

    known = decider.known_read_sets(call)
    reads = identifier.read_values(
        call, known[0] if known else guess_reads(call.stage.spec, call.record.params)
    )
    positions = {id(record): position for position, record in enumerate(call.records or ())}
    of_records = [
        (name, *((positions.get(id(record)), tell(slot)) for record, slot in pairs))
        for name, pairs in sorted(call.record_inputs.items())
    ]
    return (
        call.stage.stage_id,
        identifier.code_of(call),
        call.stage.output_parts,
        tuple(sorted(reads.items())),
        tuple((name, tell(slot)) for name, slot in zip(call.input_names, call.inputs, strict=True)),
        tuple(of_records),
        len(call.records or ()),
        tuple(sorted(identifier.override_identities(call).items())),
        getattr(call.record.params, REPEAT, 0),
    )

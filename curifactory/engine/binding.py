"""What a call binds when it is made: the slots of its inputs, and the records of an aggregate."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from curifactory.core.record import Record
from curifactory.engine.graph import Call
from curifactory.errors import InputSignatureError, MissingInputError


def bind_stage(call: Call) -> None:
    """Bind the inputs of a stage to the slots that its record has now.

    Raises
    ------
    MissingInputError
        If an input is neither in the state nor given by keyword, and missing inputs are not suppressed.
    """
    spec, record = call.stage.spec, call.record
    names = spec.inputs
    if call.overrides:
        names = tuple([name for name in names if name not in call.overrides])
    inputs = []
    find_slot = record.state.find_slot
    for name in names:
        slot = find_slot(name)
        if slot is None and not spec.suppress_missing_inputs:
            raise MissingInputError(
                f"Stage '{spec.name}' needs the input '{name}', which no earlier stage of {record.get_reference_name()} "
                f"has made (called at {call.engine.place(call.line)}).",
                hint=f"The state has: {', '.join(record.state) or 'nothing yet'}.",
            )
        inputs.append(slot)
    call.input_names, call.inputs = names, tuple(inputs)


def bind_aggregate(call: Call, *, warn: Callable[[str], None]) -> None:
    """Bind an aggregate to its records as they are now; None is all others of the manager.

    Raises
    ------
    InputSignatureError
        If an input is overridden by something that is no dictionary from record to value.
    """
    spec, record = call.spec, call.record
    if call.records is None:
        call.records = tuple(other for other in record.manager.records if other is not record)
    record.input_records = list(call.records)
    record.is_aggregate = True
    call.record_inputs = record_inputs = {}
    for name in spec.inputs:
        if name in call.overrides:
            value = call.overrides[name]
            if not isinstance(value, Mapping) or not all(isinstance(key, Record) for key in value):
                raise InputSignatureError(
                    f"Aggregate '{spec.name}' was called with {name}={type(value).__name__}.",
                    hint="An input of an aggregate is a dictionary from record to value.",
                )
            continue
        pairs = [(other, other.state.find_slot(name)) for other in call.records]
        record_inputs[name] = [(other, slot) for other, slot in pairs if slot is not None]
        # Its own record is among those of the manager, which people give by habit; nobody expects its inputs there.
        lacking = [other for other, slot in pairs if slot is None and other is not record]
        if lacking:
            names = ", ".join(other.get_reference_name() for other in lacking[:3])
            more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
            warn(
                f"Aggregate '{spec.name}': {names}{more} {'has' if len(lacking) == 1 else 'have'} no '{name}'."
            )

"""What a call binds when it is made: slots, records, cachers; and whether its code may read more than it declares."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import CodeType
from typing import Any

from curifactory.core.record import Record
from curifactory.core.spec import OutputSpec, StageSpec
from curifactory.engine.graph import Call
from curifactory.engine.options import EngineOptions
from curifactory.errors import InputSignatureError, MissingInputError

_STATE_WORDS = frozenset({"state", "output"})


def bind_stage(call: Call) -> None:
    """Bind the inputs of a stage to the slots that its record has now.

    Raises
    ------
    MissingInputError
        If an input is neither in the state nor given by keyword, and missing inputs are not suppressed.
    """
    spec, record = call.spec, call.record
    if not spec.inputs:
        return
    call.inputs = inputs = {}
    for name in spec.inputs:
        if name in call.overrides:
            continue
        slot = record.state.find_slot(name)
        if slot is None and not spec.suppress_missing_inputs:
            raise MissingInputError(
                f"Stage '{spec.name}' needs the input '{name}', which no earlier stage of {record.get_reference_name()} "
                f"has made (called at {call.engine.place(call.line)}).",
                hint=f"The state has: {', '.join(record.state) or 'nothing yet'}.",
            )
        inputs[name] = slot


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
        lacking = [other for other, slot in pairs if slot is None]
        if lacking:
            names = ", ".join(other.get_reference_name() for other in lacking[:3])
            more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
            warn(
                f"Aggregate '{spec.name}': {names}{more} {'has' if len(lacking) == 1 else 'have'} no '{name}'."
            )


def effective_outputs(spec: StageSpec, options: EngineOptions) -> tuple[tuple[OutputSpec, Any], ...]:
    """Return each output with its cacher (None: not cached), as this run treats it; the spec stays as it is."""
    from curifactory.caching.pickle_cacher import PickleCacher

    cachers = spec.cachers or (None,) * len(spec.outputs)
    pairs = []
    for output, cacher in zip(spec.outputs, cachers, strict=True):
        lazy = (output.lazy or options.lazy) and not options.ignore_lazy
        # A value can be dropped only if it can be loaded again, so a lazy output is pickled if nothing else is said.
        wanted = PickleCacher if cacher is None and (lazy or output.lazy) else cacher
        pairs.append(
            (OutputSpec(output.name, lazy=lazy, resolve=output.resolve or options.ignore_lazy), wanted)
        )
    return tuple(pairs)


def mentions_state(spec: StageSpec) -> bool:
    """Return whether a stage may read entries that it does not declare, as far as its own code shows."""
    if spec.aggregate and not spec.inputs:
        return True
    code = getattr(inspect.unwrap(spec.function), "__code__", None)
    return code is None or _names_state(code)


def _names_state(code: CodeType) -> bool:
    if not _STATE_WORDS.isdisjoint(code.co_names):
        return True
    return any(isinstance(constant, CodeType) and _names_state(constant) for constant in code.co_consts)

"""What is told of a call when it is over: the event that becomes a line of the run's calls."""

from __future__ import annotations

from datetime import datetime

from curifactory.core.events import CallEnded, InputFacts, OutputFacts
from curifactory.core.outcomes import CallOutcome
from curifactory.core.trace import new_tuple
from curifactory.engine.graph import Call
from curifactory.engine.peak_memory import read_peak


def call_ended(
    call: Call,
    record_name: str | None = None,
    started_at: datetime | None = None,
    duration_s: float = 0.0,
    *,
    fragments: int = 0,
    error: str | None = None,
    peak_bytes: int | None = None,
) -> CallEnded:
    """Return the event of a call that has its outcome.

    Parameters
    ----------
    call : Call
        The call.
    record_name : str, optional
        What its record is called, if somebody knows it already.
    started_at : datetime, optional
        When its function was entered, if it was.
    duration_s : float
        Wall time of the function; of a reused call, that of the run which executed it.
    fragments : int
        How many reportables it has.
    error : str, optional
        Traceback of a failed call, or what went wrong while saving.
    peak_bytes : int, optional
        The most memory of the process that executed it; of this one if it is not given.
    """
    record, stage = call.record, call.stage
    # Of a call that was not executed the memory of this process says nothing.
    peak_bytes = peak_bytes or (None if started_at is None else read_peak())
    parts = (
        call.index,
        stage.name,
        stage.stage_id,
        record.index,
        record_name or record.get_reference_name(),
        call.outcome or CallOutcome.NOT_REACHED,
        call.reason,
        call.key,
        started_at,
        duration_s,
        call.engine.places[call.line],
        stage.is_aggregate,
        _inputs(call) if call.input_names or call.record_inputs else (),
        _outputs(call),
        fragments,
        error,
        peak_bytes,
    )
    return new_tuple(CallEnded, parts)


def _inputs(call: Call) -> tuple[InputFacts, ...]:
    found = []
    # No call has inputs of both sorts.
    for name, slot in call.input_slots() if call.record_inputs else zip(call.input_names, call.inputs):  # noqa: B905
        if slot is None:
            continue
        producer = slot.producer
        if isinstance(producer, Call):
            found.append(new_tuple(InputFacts, (name, producer.index, producer.record.index)))
        else:
            found.append(InputFacts(name, None, None))
    return tuple(found)


def _outputs(call: Call) -> tuple[OutputFacts, ...]:
    outputs, lazy_outputs = call.kept_outputs, call.stage.lazy_outputs
    if outputs is None:
        outputs = call.outputs
    if not outputs:
        return tuple([OutputFacts(spec.name, lazy=spec.lazy) for spec, _ in call.stage.outputs])
    origin = call.origin
    made_in = origin.run if origin is not None and call.outcome is CallOutcome.REUSED else None
    if len(outputs) > len(lazy_outputs):
        # Files that the stage wrote by itself come after what it returned.
        lazy_outputs += (False,) * (len(outputs) - len(lazy_outputs))
    found: list[OutputFacts] = []
    for output in outputs:
        found.append(new_tuple(OutputFacts, (*output, made_in, lazy_outputs[len(found)])))
    return tuple(found)

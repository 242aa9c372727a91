"""What is told of a call when it is over: the event that becomes a line of the run's calls."""

from __future__ import annotations

import sys
from datetime import datetime

from curifactory.core.events import CallEnded, InputFacts, OutputFacts
from curifactory.core.outcomes import CallOutcome
from curifactory.core.state import Producer
from curifactory.engine.graph import Call

try:
    from resource import RUSAGE_SELF, getrusage
except ImportError:  # pragma: no cover - a system that does not count
    getrusage = None  # type: ignore[assignment]

# macOS counts in bytes, others in kibibytes.
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024


def call_ended(
    call: Call,
    *,
    started_at: datetime | None = None,
    duration_s: float = 0.0,
    fragments: int = 0,
    error: str | None = None,
    peak_bytes: int | None = None,
) -> CallEnded:
    """Return the event of a call that has its outcome.

    Parameters
    ----------
    call : Call
        The call.
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
    return CallEnded(
        index=call.index,
        name=call.name,
        stage=call.stage_id,
        record=call.record.index,
        record_name=call.record.get_reference_name(),
        outcome=call.outcome or CallOutcome.NOT_REACHED,
        reason=call.reason,
        key=call.key,
        started_at=started_at,
        duration_s=duration_s,
        line=call.engine.place(call.line),
        aggregate=call.spec.aggregate,
        inputs=_inputs(call),
        outputs=_outputs(call),
        fragments=fragments,
        error=error,
        # Half a microsecond. Of a call that was not executed the memory of this process says nothing.
        peak_bytes=peak_bytes or (None if started_at is None else read_peak()),
    )


def read_peak() -> int | None:
    """Return the most memory in bytes that this process has had until now, None where the system does not tell."""
    return None if getrusage is None else getrusage(RUSAGE_SELF).ru_maxrss * _PEAK_UNIT


def _inputs(call: Call) -> tuple[InputFacts, ...]:
    if not call.inputs and not call.record_inputs:
        return ()
    return tuple([_input(name, slot.producer) for name, slot in call.input_slots()])


def _input(name: str, producer: Producer | None) -> InputFacts:
    if isinstance(producer, Call):
        return InputFacts(name, producer.index, producer.record.index)
    return InputFacts(name, None, None)


def _outputs(call: Call) -> tuple[OutputFacts, ...]:
    made_in = call.trace.run if call.trace is not None and call.outcome is CallOutcome.REUSED else None
    if not call.outputs:
        return tuple([OutputFacts(spec.name, lazy=spec.lazy) for spec, _ in call.output_specs])
    specs = call.output_specs
    return tuple(
        [
            # Files that the stage wrote by itself come after what it returned.
            OutputFacts(*output, made_in, position < len(specs) and specs[position][0].lazy)
            for position, output in enumerate(call.outputs)
        ]
    )

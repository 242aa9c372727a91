"""What came of a call in another process becomes a part of the run: key, trace, slots, events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from curifactory.core.outcomes import CallOutcome
from curifactory.core.record import Record
from curifactory.core.state import Slot
from curifactory.engine.committing import commit_trace, identify
from curifactory.engine.facts import call_ended
from curifactory.engine.graph import Call
from curifactory.engine.running import note_failure, outcome_by
from curifactory.engine.shipping import Performed
from curifactory.errors import CacheError, StageError, say
from curifactory.executors.executor import Ended, Ending

if TYPE_CHECKING:
    from curifactory.engine.engine import Engine
    from curifactory.engine.identify import Identified
    from curifactory.engine.keeping import Keeping


def adopt(
    engine: Engine,
    call: Call,
    done: Performed,
    records: Sequence[Record],
    foreseen: Identified | None,
    keeping: Keeping,
) -> Exception | None:
    """Settle a call that was executed in another process.

    Parameters
    ----------
    engine : Engine
        Whose call it is.
    call : Call
        As it was sent.
    done : Performed
        What came of it; its files are in place.
    records : sequence of Record
        The records that were sent with it, in their order.
    foreseen : Identified or None
        What it was taken for when it was sent.
    keeping : Keeping
        Knows who is going to ask for its values.

    Returns
    -------
    Exception or None
        Why its trace cannot be written, in which case it has failed.
    """
    call.made = True
    call.observed = done.reads
    call.key = None
    call.outputs = done.outputs
    engine.adopt_facts(done.facts)
    if call.stage.is_saved:
        try:
            _commit(engine, call, done, foreseen)
        except BaseException as error:
            adopt_failure(engine, call, error, done.started, "")
            if not isinstance(error, Exception):
                raise
            return error
    if done.fault is None:
        engine.folders.discard_checkpoint(done.checkpoint)
    else:
        engine.save_failed(CacheError(done.fault))
    _take_values(call, done)
    _check_travelled(engine, call, keeping)
    call.outcome = CallOutcome.RAN
    engine.events.emit(
        call_ended(
            call,
            started_at=done.started,
            duration_s=done.duration_s,
            fragments=done.fragments,
            error=done.fault,
            peak_bytes=done.peak_bytes,
        )
    )
    return None


def _commit(engine: Engine, call: Call, done: Performed, foreseen: Identified | None) -> None:
    what = identify(engine, call, done.not_reusable, foreseen)
    call.key = engine.identifier.momentary_key(call) if what is None else what.key
    for label in call.labels.values():
        engine.labels.pass_on(label, call.key)
    if done.fault is None and what is not None:
        commit_trace(engine, call, done.report_folder, what, done.started, done.duration_s)


def adopt_failure(
    engine: Engine,
    call: Call,
    error: BaseException,
    started: datetime,
    frames: str,
) -> None:
    """Settle a call that has failed in another process, or with it.

    Parameters
    ----------
    engine, call
        The call and its engine.
    error : exception
        What ended it.
    started : datetime
        When it began.
    frames : str
        The person's frames, as the other process saw them; empty if it could not tell.
    """
    call.outcome = outcome_by(error)
    if frames:
        error.__dict__["person_frames"] = frames
    note_failure(engine, call, error)
    duration_s = (datetime.now().astimezone() - started).total_seconds()
    engine.events.emit(
        call_ended(
            call,
            started_at=started,
            duration_s=duration_s,
            error=frames or say(error),
        )
    )


def error_of(call: Call, ended: Ended) -> StageError:
    """Return what is told of a call whose job has ended without a result."""
    where = f"Stage '{call.name}' of {call.record.get_reference_name()}"
    if ended.ending is Ending.TIMED_OUT:
        return StageError(
            f"{where} has failed: {ended.detail}.",
            hint="Give it more time with @stage(timeout_s=…) or --timeout.",
        )
    if ended.ending is Ending.DIED:
        return StageError(
            f"The process that executed {where[0].lower()}{where[1:]} died: {ended.detail}.",
            hint="What is finished is kept: the same command goes on from there.",
        )
    return StageError(f"{where} could not be executed in another process: {ended.detail}")


def _take_values(call: Call, done: Performed) -> None:
    """Note where the values of a call lie, and bind what its stage has put into states by itself."""
    for slot in call.slots:
        slot.held, slot.present, slot.value = None, False, None
        slot.spilled = done.spilled[slot.position] if slot.position < len(done.spilled) else None
    for position, name, value in done.bound:
        given = (call.record, *(call.records or ()))
        given[position].state.bind(name, Slot.of_value(name, value))


def _check_travelled(engine: Engine, call: Call, keeping: Keeping) -> None:
    """Execute the stage here from now on if values of it could not come back that somebody is going to ask for."""
    lost = [
        slot.position
        for slot, output in zip(call.slots, call.outputs, strict=False)
        if slot.spilled is None and output.artifact is None
    ]
    if lost and not set(lost) <= set(keeping.find_unread(call)):
        engine.stays_here.add(id(call.spec))

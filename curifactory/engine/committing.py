"""What a finished call has made becomes artifacts, and what it was and has read becomes its trace."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from curifactory.core.trace import Trace, new_tuple
from curifactory.core.wall_clock import to_text
from curifactory.engine.activity import Activity
from curifactory.engine.describe import describe_all
from curifactory.engine.graph import Call
from curifactory.engine.identify import Identified
from curifactory.errors import CacheError, UnidentifiableError

if TYPE_CHECKING:
    from curifactory.engine.engine import Engine


def keep_outputs(
    engine: Engine, call: Call, activity: Activity, values: Sequence[Any], *, key: str
) -> tuple[Sequence[bool], str | None]:
    """Save the outputs that have a cacher.

    Parameters
    ----------
    engine, call, activity
        What was executed.
    values : sequence
        One for each output.
    key : str
        Identity of the call, for names that another call holds.

    Returns
    -------
    lossless : sequence of bool
        For each output, whether loading it will give an equal value.
    fault : str or None
        What went wrong with a cacher, if anything did; the values go on in memory.
    """
    try:
        outputs, lossless = engine.saver.save(call, values, key)
    except CacheError as error:
        engine.save_failed(error)
        call.outputs = describe_all(call.stage.bare_outputs, values)
        return [True] * len(values), str(error)
    call.outputs = (*outputs, *engine.saver.own_files(activity.files)) if activity.files else outputs
    # A view of parameters comes back from the cache as the plain set; so everybody gets that.
    return [False] * len(values) if activity.escaped else lossless, None


def identify(
    engine: Engine, call: Call, not_reusable: str | None, foreseen: Identified | None = None
) -> Identified | None:
    """Return what a call was that has been executed.

    Parameters
    ----------
    engine, call
        The call, with the paths that it has read.
    not_reusable : str or None
        Why no later call may have its key, if none may.
    foreseen : Identified, optional
        What it was taken for before it was executed.

    Returns
    -------
    Identified or None
        None if it has no identity that a later call may have; what it made is saved all the same.
    """
    if not_reusable is not None:
        return None
    identifier = engine.identifier
    try:
        read_set = engine.traces.key_reads(call.stage.stage_id, identifier.code_of(call), call.observed)
        if foreseen is None or not _is_of_parameters(read_set) or tuple(foreseen.reads) != read_set:
            return identifier.identify(call, read_set)
        inputs = identifier.input_identities(call)
        overrides = identifier.override_identities(call) if call.overrides else {}
        if (inputs, overrides) != foreseen[2:]:
            return identifier.identify(call, read_set)
    except UnidentifiableError as error:
        engine.warn(f"{call.describe()} cannot be reused: {error}")
        return None
    # Parameters cannot have changed, and so there is no need to digest it all once more.
    return foreseen


def commit_trace(
    engine: Engine,
    call: Call,
    report_folder: str | None,
    what: Identified,
    started: datetime,
    duration_s: float,
) -> None:
    """Write the trace of a call: this is what makes it one that can be reused."""
    own = [path[7:] for path in what.reads if path.startswith("params.")] if what.reads else ()
    stage = call.stage
    fingerprint = engine.identifier.last_fingerprint_of(stage.spec)
    trace = new_tuple(
        Trace,
        (
            what.key,
            stage.stage_id,
            engine.identifier.code_of(call),
            what.reads,
            call.parameters.shown(own) if own and call.parameters is not None else {},
            what.inputs,
            what.overrides,
            call.outputs,
            engine.options.run,
            to_text(started, timespec="milliseconds"),
            # As its manifest keeps it, so that the index has the same.
            round(duration_s, 6),
            report_folder is not None,
        ),
    )
    engine.traces.commit(
        trace, parts=fingerprint.parts, places=fingerprint.places, report_folder=report_folder
    )
    engine.decider.forget(call)
    if fingerprint.notes:
        engine.tell_notes(fingerprint.notes)


def _is_of_parameters(read_set: Sequence[str]) -> bool:
    for path in read_set:  # noqa: SIM110 - a loop is half as long as a generator, and each call asks
        if not path.startswith("params."):
            return False
    return True

"""One call from its start to its end: its function is executed, and what it is made with must not have changed."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from curifactory.caching.file_reference import FileReferenceCacher
from curifactory.caching.path_ref import PathRef
from curifactory.core.events import CallStarted
from curifactory.core.outcomes import CallOutcome
from curifactory.core.state import Slot
from curifactory.core.trace import new_tuple
from curifactory.core.wall_clock import now
from curifactory.core.working_folder import working_folder
from curifactory.engine.activity import Activity
from curifactory.engine.committing import commit_trace, identify, keep_outputs
from curifactory.engine.describe import describe_all
from curifactory.engine.execute import execute, person_frames
from curifactory.engine.facts import call_ended
from curifactory.engine.graph import Call
from curifactory.engine.identify import Identified
from curifactory.engine.parameters import changed_parameters
from curifactory.engine.reusing import name_inputs
from curifactory.engine.seeding import SEED, set_seeds
from curifactory.errors import StageError, say

if TYPE_CHECKING:
    from curifactory.engine.engine import Engine

_MOST_LOOKED_AT = 10_000


def run_call(engine: Engine, call: Call, foreseen: Identified | None = None) -> None:
    """Execute a call, save what it made, and settle it.

    Parameters
    ----------
    engine, call
        The call; all that it needs is settled.
    foreseen : Identified, optional
        What it probably is, if somebody has found that out just now.

    Raises
    ------
    DefinitionError
        If the stage changed its parameters, or something it depends on was changed since the call was made.
    CacheError, StoreError
        If what it has reported, or its trace, cannot be written; it has failed then, too.
    Exception
        Whatever the stage function raises.
    """
    started = now()
    record, emit = call.record, engine.events.emit
    record_name = record.get_reference_name()
    emit(new_tuple(CallStarted, (call.index, call.stage.name, record.index, record_name, started)))
    try:
        before = check_unchanged(engine, call)
        if call.inputs or call.record_inputs:
            name_inputs(engine, call)
        values: tuple[Any, ...] = ()
        tries, duration_s = 0, 0.0
        while True:
            activity = Activity(engine, call)
            try:
                values, duration_s = perform(engine, call, activity)
                break
            except Exception as error:
                tries += 1
                if not _may_try_again(engine, activity, error, tries):
                    raise
        call.made = True
        if before:
            _note_changes(engine, call, before, activity)
        lossless, fault = _commit(engine, call, activity, values, duration_s, started, foreseen)
    except BaseException as error:
        fail_call(engine, call, error, started)
        raise
    call.outcome = CallOutcome.RAN
    _fill_slots(call, values, lossless)
    if fault is None and activity.checkpoint is not None:
        engine.folders.discard_checkpoint(activity.checkpoint)
    fragments = 0 if activity.told is None else activity.told.fragments
    emit(call_ended(call, record_name, started, duration_s, fragments=fragments, error=fault))


def _may_try_again(engine: Engine, activity: Activity, error: Exception, number: int) -> bool:
    """Whether a call that has failed so many times is executed once more; then it is told so, and what it told taken back."""
    call = activity.call
    allowed = max(call.spec.needs.retries, engine.options.retries)
    if number > allowed:
        return False
    engine.warn(tell_retry(call, error, number, allowed))
    if activity.told is not None:
        activity.told.retract()
    return True


def tell_retry(call: Call, error: BaseException, number: int, allowed: int) -> str:
    """Return one line about a call that is tried again."""
    said = say(error).partition("\n")[0]
    return f"{call.describe()} failed ({said}); tried again ({number} of {allowed})."


def perform(engine: Engine, call: Call, activity: Activity) -> tuple[tuple[Any, ...], float]:
    """Execute the function of a call where it was made, and look at what that has changed.

    Returns
    -------
    values : tuple
        One value for each output.
    duration_s : float
        Wall time of the function.

    Raises
    ------
    DefinitionError
        If the stage changed its parameters.
    Exception
        Whatever the stage function raises.
    """
    seed = None if engine.options.seed is None else engine.seed_of(call)
    if seed is not None:
        activity.note(SEED)
        set_seeds(seed)
    engine.executing.append(call)
    process = os.getpid()
    try:
        values, duration_s = execute(activity) if call.cwd is None else _execute_in(call.cwd, activity)
    except OSError as error:
        activity.note_place(error)
        raise
    finally:
        if os.getpid() != process:
            end_copy(sys.exception())
        engine.executing.pop()
    activity.end(duration_s)
    if "files" in activity.reads and _tells_a_place(call, values):
        # Elsewhere the same text would be a lie.
        activity.note("manager.cache_path")
    _check_parameters(call, "while it was executed")
    surprise = engine.identifier.look_after(call.stage.spec)
    if surprise is not None:
        activity.cannot_be_reused(surprise)
    return values, duration_s


def _commit(
    engine: Engine,
    call: Call,
    activity: Activity,
    values: Sequence[Any],
    duration_s: float,
    started: datetime,
    foreseen: Identified | None,
) -> tuple[Sequence[bool], str | None]:
    """Save the outputs and write the trace.

    Returns
    -------
    lossless : sequence of bool
        For each output, whether loading it will give an equal value.
    fault : str or None
        What went wrong with a cacher, if anything did; the values go on in memory.
    """
    call.observed = tuple(activity.reads)
    call.key = None
    if not call.stage.is_saved:
        call.kept_outputs = describe_all(call.stage.bare_outputs, values)
        return [True] * len(values), None
    what = identify(engine, call, activity.not_reusable, foreseen)
    call.key = engine.identifier.momentary_key(call) if what is None else what.key
    lossless, fault = keep_outputs(engine, call, activity, values, key=call.key)
    if what is not None and fault is None:
        report = None if activity.told is None else activity.told.write()
        commit_trace(engine, call, report, what, started, duration_s)
    return lossless, fault


def _fill_slots(call: Call, values: Sequence[Any], lossless: Sequence[bool]) -> None:
    outputs = call.outputs
    for slot in call.slots:
        position = slot.position
        # A cacher that is not lossless gives back another value: everybody gets that one, now as in later runs.
        is_kept = outputs[position].artifact is None or (lossless[position] and not slot.output.lazy)
        slot.held, slot.present, slot.value = None, is_kept, values[position] if is_kept else None


def fail_call(engine: Engine, call: Call, error: BaseException, started: datetime) -> None:
    """Settle a call that has raised."""
    call.outcome = outcome_by(error)
    note_failure(engine, call, error)
    duration_s = (now() - started).total_seconds()
    engine.events.emit(call_ended(call, None, started, duration_s, error=person_frames(error)))


def outcome_by(error: BaseException) -> CallOutcome:
    """Return how a call has ended that was ended by an exception."""
    is_interruption = isinstance(error, (KeyboardInterrupt, SystemExit))
    return CallOutcome.INTERRUPTED if is_interruption else CallOutcome.FAILED


def note_failure(engine: Engine, call: Call, error: BaseException) -> None:
    """Note on an exception which call it ended, and on the engine that it did."""
    where = (
        f"in stage '{call.name}' of {call.record.get_reference_name()}, called at {engine.place(call.line)}"
    )
    if where not in getattr(error, "__notes__", ()):
        error.add_note(where)
    if engine.failed is None or engine.failed[1] is not error:
        engine.failed = (call, error)


def check_unchanged(engine: Engine, call: Call) -> Mapping[str | Slot, str]:
    """Refuse to execute a deferred call if what it was made with has been changed since.

    Returns
    -------
    mapping
        What its keywords, and the values in a person's hands, are now.
    """
    # One that did not wait is what it was a moment ago, when it was made.
    if call.call_identities is not None or call.outcome is not None:
        _check_parameters(call, "after the call was made")
    if call.call_identities is None:
        return engine.call_identities(call)
    _check_code(engine, call)
    return check_values(engine, call)


def check_values(engine: Engine, call: Call) -> Mapping[str | Slot, str]:
    """Refuse to settle a deferred call if a value that it takes was changed in place since the call was made.

    Returns
    -------
    mapping
        As of :func:`check_unchanged`; empty for a call that is no deferred one.

    Raises
    ------
    StageError
        That names the value.
    """
    before = call.call_identities
    if before is None:
        return {}
    identities = engine.call_identities(call)
    for taken, current in identities.items():
        # Of a value that nobody held then, it is enough that it still is what its producer made.
        is_made = isinstance(taken, Slot) and taken.producer is not None
        known = before.get(taken) or (current if is_made else None)
        if known != current:
            raise StageError(
                f"'{taken.name if isinstance(taken, Slot) else taken}' was changed between the call of '{call.name}' at "
                f"{engine.place(call.line)} and its execution.",
                hint="Run with --eager, or change a copy.",
            )
    return identities


def end_copy(error: BaseException | None) -> NoReturn:
    """End a process that a stage has forked and that has come back from it: its parent goes on with the run, once.

    Parameters
    ----------
    error : BaseException or None
        What it has come back with.
    """
    code = 0
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    elif error is not None:
        code = 1
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(person_frames(error))
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


def _tells_a_place(call: Call, values: Sequence[Any]) -> bool:
    """Whether a value that is saved as it is holds a path of the cache folder; cachers of files keep paths relative."""
    folder = f"{call.record.manager.cache_path}{os.sep}"
    waiting = [
        value
        for (_, template), value in zip(call.output_specs, values, strict=False)
        if template is not None and not _keeps_references(template)
    ]
    for looked_at, value in enumerate(waiting):
        if isinstance(value, (str, os.PathLike)):
            if os.fspath(value).startswith(folder):
                return True
        elif isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, (list, tuple, set, frozenset)):
            waiting += value
        if looked_at >= _MOST_LOOKED_AT:
            break
    return False


def _keeps_references(template: Any) -> bool:
    kind = template if isinstance(template, type) else type(template)
    return issubclass(kind, (FileReferenceCacher, PathRef))


def _note_changes(engine: Engine, call: Call, before: Mapping[Any, str], activity: Activity) -> None:
    """Keep no trace of a call that has changed a keyword or a value that was put in by hand: it is not what it was."""
    for taken, identity in engine.call_identities(call).items():
        if taken in before and before[taken] != identity:
            name = taken.name if isinstance(taken, Slot) else taken
            activity.cannot_be_reused(f"it changes '{name}' in place")


def _check_code(engine: Engine, call: Call) -> None:
    now = engine.identifier.fingerprint_of(call.spec)
    if now.digest == call.code:
        return
    raise StageError(
        f"Something that '{call.name}' reaches was changed between its call at {engine.place(call.line)} and its "
        "execution: a global that run() or another module has set.",
        hint="Run with --eager, or pass the value as a parameter or an input.",
    )


def _check_parameters(call: Call, when: str) -> None:
    identity = call.parameters
    if identity is not None and identity.params is not None and not identity.is_current():
        raise changed_parameters(call, identity.params, identity.changed_fields(), when)


def _execute_in(folder: str, activity: Activity) -> tuple[tuple[Any, ...], float]:
    """Execute a call in the working folder of the moment in which it was made."""
    before = working_folder()
    if before == folder:
        return execute(activity)
    os.chdir(folder)
    try:
        return execute(activity)
    finally:
        # A stage before this one may have removed what it had made its working folder.
        if before is not None:
            with suppress(FileNotFoundError):
                os.chdir(before)

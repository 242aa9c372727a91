"""One call from execution to commit: its function is executed, its outputs saved, its trace written."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from curifactory.caching.file_reference import FileReferenceCacher
from curifactory.caching.path_ref import PathRef
from curifactory.core.events import CallStarted
from curifactory.core.outcomes import CallOutcome
from curifactory.core.state import Slot
from curifactory.core.trace import Output, Trace
from curifactory.engine.activity import Activity
from curifactory.engine.checkpoints import discard_checkpoint
from curifactory.engine.describe import summary, type_name
from curifactory.engine.execute import execute, person_frames
from curifactory.engine.facts import call_ended
from curifactory.engine.graph import Call
from curifactory.engine.parameters import changed_parameters
from curifactory.engine.seeding import SEED, set_seeds
from curifactory.errors import CacheError, StageError, UnidentifiableError

if TYPE_CHECKING:
    from curifactory.engine.engine import Engine

_MOST_LOOKED_AT = 10_000


def run_call(engine: Engine, call: Call) -> None:
    """Execute a call, save what it made, and settle it.

    Raises
    ------
    DefinitionError
        If the stage changed its parameters, or something it depends on was changed since the call was made.
    Exception
        Whatever the stage function raises.
    """
    started = datetime.now().astimezone()
    engine.events.emit(
        CallStarted(call.index, call.name, call.record.index, call.record.get_reference_name(), started)
    )
    try:
        check_unchanged(engine, call)
        before = engine.call_identities(call)
        activity, values, duration_s = _try(engine, call)
    except BaseException as error:
        fail_call(engine, call, error, started)
        raise
    call.made = True
    _note_changes(engine, call, before, activity)
    lossless, fault = _commit(engine, call, activity, values, duration_s, started)
    call.outcome = CallOutcome.RAN
    _fill_slots(call, values, lossless)
    if fault is None:
        discard_checkpoint(activity.checkpoint)
    engine.events.emit(
        call_ended(
            call, started_at=started, duration_s=duration_s, fragments=activity.telling.fragments, error=fault
        )
    )


def _try(engine: Engine, call: Call) -> tuple[Activity, tuple[Any, ...], float]:
    """Execute a call, and again after it has failed as often as it may."""
    allowed = max(call.spec.needs.retries, engine.options.retries)
    for number in range(1, allowed + 1):
        try:
            activity = Activity(engine, call)
            return (activity, *perform(engine, call, activity))
        except Exception as error:  # noqa: BLE001 - whatever a stage raises
            engine.warn(tell_retry(call, error, number, allowed))
    activity = Activity(engine, call)
    return (activity, *perform(engine, call, activity))


def tell_retry(call: Call, error: BaseException, number: int, allowed: int) -> str:
    """Return one line about a call that is tried again."""
    said = str(error).partition("\n")[0]
    return f"{call.describe()} failed ({type(error).__name__}: {said}); tried again ({number} of {allowed})."


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
    seed = engine.seed_of(call)
    if seed is not None:
        activity.note(SEED)
        set_seeds(seed)
    engine.executing.append(call)
    try:
        with _folder_of(call):
            values, duration_s = execute(activity)
    finally:
        engine.executing.pop()
    activity.end()
    if "files" in activity.reads and _tells_a_place(call, values):
        # Elsewhere the same text would be a lie.
        activity.note("manager.cache_path")
    _check_parameters(call, "while it was executed")
    engine.identifier.look_again()
    engine.identifier.hold_changed_globals(call.spec)
    return values, duration_s


def _commit(
    engine: Engine,
    call: Call,
    activity: Activity,
    values: Sequence[Any],
    duration_s: float,
    started: datetime,
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
    if not engine.options.writes or not engine.wants_trace(call):
        return keep_outputs(engine, call, activity, values, key=None)
    what = identify(engine, call, activity.not_reusable)
    call.key = what.key
    lossless, fault = keep_outputs(engine, call, activity, values, key=what.key)
    if what.is_reusable and fault is None:
        commit_trace(engine, call, activity.telling.write(), what, started, duration_s)
    return lossless, fault


def keep_outputs(
    engine: Engine, call: Call, activity: Activity, values: Sequence[Any], *, key: str | None
) -> tuple[Sequence[bool], str | None]:
    """Save the outputs that have a cacher.

    Parameters
    ----------
    engine, call, activity
        What was executed.
    values : sequence
        One for each output.
    key : str or None
        Identity of the call, for names that another call holds; None if nothing is saved.

    Returns
    -------
    lossless : sequence of bool
        For each output, whether loading it will give an equal value.
    fault : str or None
        What went wrong with a cacher, if anything did; the values go on in memory.
    """
    call.outputs = tuple(
        Output(spec.name, type_name(value), summary(value, spec.name))
        for (spec, _), value in zip(call.output_specs, values, strict=True)
    )
    fault = None
    if key is not None:
        try:
            saved = engine.saver.save(call, values, key)
        except CacheError as error:
            engine.save_failed(error)
            fault = str(error)
        else:
            call.outputs = (
                *(each.output for each in saved),
                *engine.saver.own_files(activity.files),
            )
            # A view of parameters comes back from the cache as the plain set; so everybody gets that.
            return [each.lossless and not activity.escaped for each in saved], None
    return [True] * len(values), fault


class Identified(NamedTuple):
    """What a call was, now that it is known what it has read."""

    key: str
    reads: dict[str, str]
    inputs: dict[str, str]
    overrides: dict[str, str]
    is_reusable: bool


def identify(engine: Engine, call: Call, not_reusable: str | None) -> Identified:
    """Return the key of a call that has been executed, with the values of all that it has read.

    Parameters
    ----------
    engine, call
        The call, with the paths that it has read.
    not_reusable : str or None
        Why no later call may have this key, if none may.
    """
    identifier = engine.identifier
    try:
        read_set = engine.traces.key_reads(call.stage_id, identifier.code_of(call), call.observed)
        reads = identifier.read_values(call, read_set)
        inputs = identifier.input_identities(call)
        overrides = identifier.override_identities(call)
    except UnidentifiableError as error:
        engine.warn(f"{call.describe()} cannot be reused: {error}")
    else:
        if not_reusable is None:
            return Identified(
                identifier.key_of(call, reads, inputs, overrides), reads, inputs, overrides, True
            )
    # What it made is saved all the same, under a key that no later call will have.
    return Identified(identifier.momentary_key(call), {}, {}, {}, False)


def commit_trace(
    engine: Engine,
    call: Call,
    report_folder: str | None,
    what: Identified,
    started: datetime,
    duration_s: float,
) -> None:
    """Write the trace of a call: this is what makes it one that can be reused."""
    own = [path.removeprefix("params.") for path in what.reads if path.startswith("params.")]
    fingerprint = engine.identifier.fingerprint_of(call.spec)
    call.trace = Trace(
        key=what.key,
        stage=call.stage_id,
        code=engine.identifier.code_of(call),
        reads=what.reads,
        shown=call.parameters.shown(own) if call.parameters is not None else {},
        inputs=what.inputs,
        overrides=what.overrides,
        outputs=call.outputs,
        run=engine.options.run,
        made_at=started.isoformat(timespec="milliseconds"),
        duration_s=round(duration_s, 6),
        reported=report_folder is not None,
    )
    engine.traces.commit(
        call.trace, parts=fingerprint.parts, places=fingerprint.places, report_folder=report_folder
    )
    engine.remember_use(call)
    engine.decider.forget(call)
    engine.tell_notes(fingerprint.notes)


def _fill_slots(call: Call, values: Sequence[Any], lossless: Sequence[bool]) -> None:
    for slot, output, value, is_lossless in zip(call.slots, call.outputs, values, lossless, strict=False):
        slot.held = None
        slot.present = False
        slot.value = None
        saved = output.artifact is not None
        # A cacher that is not lossless gives back another value: everybody gets that one, now as in later runs.
        if not saved or (not slot.lazy and is_lossless):
            slot.value = value
            slot.present = True


def fail_call(engine: Engine, call: Call, error: BaseException, started: datetime) -> None:
    """Settle a call that has raised."""
    interrupted = isinstance(error, (KeyboardInterrupt, SystemExit))
    call.outcome = CallOutcome.INTERRUPTED if interrupted else CallOutcome.FAILED
    note_failure(engine, call, error)
    duration_s = (datetime.now().astimezone() - started).total_seconds()
    engine.events.emit(
        call_ended(call, started_at=started, duration_s=duration_s, error=person_frames(error))
    )


def note_failure(engine: Engine, call: Call, error: BaseException) -> None:
    """Note on an exception which call it ended, and on the engine that it did."""
    where = (
        f"in stage '{call.name}' of {call.record.get_reference_name()}, called at {engine.place(call.line)}"
    )
    if where not in getattr(error, "__notes__", ()):
        error.add_note(where)
    if engine.failed is None or engine.failed[1] is not error:
        engine.failed = (call, error)


def check_unchanged(engine: Engine, call: Call) -> None:
    """Refuse to execute a deferred call if what it was made with has been changed since."""
    _check_parameters(call, "after the call was made")
    if call.call_identities is not None:
        _check_code(engine, call)
        check_values(engine, call)


def check_values(engine: Engine, call: Call) -> None:
    """Refuse to settle a deferred call if a value that it takes was changed in place since the call was made.

    Raises
    ------
    StageError
        That names the value.
    """
    before = call.call_identities
    if before is None:
        return
    for taken, now in engine.call_identities(call).items():
        # Of a value that nobody held then, it is enough that it still is what its producer made.
        known = before.get(taken) or (now if isinstance(taken, Slot) and taken.producer is not None else None)
        if known != now:
            raise StageError(
                f"'{taken.name if isinstance(taken, Slot) else taken}' was changed between the call of '{call.name}' at "
                f"{engine.place(call.line)} and its execution.",
                hint="Run with --eager, or change a copy.",
            )


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
    for taken, now in engine.call_identities(call).items() if before else ():
        if taken in before and before[taken] != now:
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


class _folder_of:  # noqa: N801 - reads as the context manager that it is
    """The working folder of the moment in which a call was made."""

    __slots__ = ("_before", "_wanted")

    def __init__(self, call: Call) -> None:
        self._wanted = call.cwd
        self._before: str | None = None

    def __enter__(self) -> None:
        if self._wanted is not None:
            self._before = os.getcwd()
            if self._before != self._wanted:
                os.chdir(self._wanted)

    def __exit__(self, *exception: object) -> None:
        if self._before is not None and self._before != self._wanted:
            os.chdir(self._before)

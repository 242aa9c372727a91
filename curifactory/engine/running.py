"""One call from execution to commit: its function is executed, its outputs saved, its trace written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from curifactory.core.events import CallStarted
from curifactory.core.outcomes import CallOutcome
from curifactory.core.state import Slot
from curifactory.core.trace import Output, Trace
from curifactory.engine.activity import Activity
from curifactory.engine.describe import summary, type_name
from curifactory.engine.execute import execute, person_frames
from curifactory.engine.facts import call_ended
from curifactory.engine.graph import Call
from curifactory.engine.parameters import changed_parameters
from curifactory.errors import CacheError, StageError, UnidentifiableError

if TYPE_CHECKING:
    from curifactory.engine.engine import Engine


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
    activity = Activity(engine, call)
    engine.events.emit(
        CallStarted(call.index, call.name, call.record.index, call.record.get_reference_name(), started)
    )
    try:
        _check_unchanged(engine, call)
        engine.executing.append(call)
        try:
            with _folder_of(call):
                values, duration_s = execute(activity)
        finally:
            engine.executing.pop()
        activity.end()
        _check_parameters(call, "while it was executed")
    except BaseException as error:
        _fail(engine, call, error, started)
        raise
    call.made = True
    engine.identifier.look_again()
    engine.identifier.hold_changed_globals(call.spec)
    lossless, fault = _commit(engine, call, activity, values, duration_s, started)
    call.outcome = CallOutcome.RAN
    _fill_slots(call, values, lossless)
    engine.events.emit(
        call_ended(
            call, started_at=started, duration_s=duration_s, fragments=activity.telling.fragments, error=fault
        )
    )


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
    call.outputs = tuple(
        Output(spec.name, type_name(value), summary(value, spec.name))
        for (spec, _), value in zip(call.output_specs, values, strict=True)
    )
    lossless: Sequence[bool] = [True] * len(values)
    if not engine.options.writes or not engine.wants_trace(call):
        return lossless, None
    what = _identify(engine, call, activity)
    call.key = what.key
    try:
        saved = engine.saver.save(call, values, what.key)
        call.outputs = (*(each.output for each in saved), *engine.saver.own_files(activity.files))
        # A view of parameters comes back from the cache as the plain set; so everybody gets that.
        lossless = [each.lossless and not activity.escaped for each in saved]
    except CacheError as error:
        engine.save_failed(error)
        return lossless, str(error)
    if what.is_reusable:
        _write_trace(engine, call, activity, what, started, duration_s)
    return lossless, None


class _Identified(NamedTuple):
    """What a call was, now that it is known what it has read."""

    key: str
    reads: dict[str, str]
    inputs: dict[str, str]
    overrides: dict[str, str]
    is_reusable: bool


def _identify(engine: Engine, call: Call, activity: Activity) -> _Identified:
    identifier = engine.identifier
    try:
        read_set = engine.traces.key_reads(call.stage_id, identifier.code_of(call), activity.reads)
        reads = identifier.read_values(call, read_set)
        inputs = identifier.input_identities(call)
        overrides = identifier.override_identities(call)
    except UnidentifiableError as error:
        engine.warn(f"{call.describe()} cannot be reused: {error}")
    else:
        if activity.not_reusable is None:
            return _Identified(
                identifier.key_of(call, reads, inputs, overrides), reads, inputs, overrides, True
            )
    # What it made is saved all the same, under a key that no later call will have.
    return _Identified(identifier.momentary_key(call), {}, {}, {}, False)


def _write_trace(
    engine: Engine, call: Call, activity: Activity, what: _Identified, started: datetime, duration_s: float
) -> None:
    report_folder = activity.telling.write()
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


def _fail(engine: Engine, call: Call, error: BaseException, started: datetime) -> None:
    interrupted = isinstance(error, (KeyboardInterrupt, SystemExit))
    call.outcome = CallOutcome.INTERRUPTED if interrupted else CallOutcome.FAILED
    where = (
        f"in stage '{call.name}' of {call.record.get_reference_name()}, called at {engine.place(call.line)}"
    )
    if where not in getattr(error, "__notes__", ()):
        error.add_note(where)
    if engine.failed is None or engine.failed[1] is not error:
        engine.failed = (call, error)
    duration_s = (datetime.now().astimezone() - started).total_seconds()
    engine.events.emit(
        call_ended(call, started_at=started, duration_s=duration_s, error=person_frames(error))
    )


def _check_unchanged(engine: Engine, call: Call) -> None:
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

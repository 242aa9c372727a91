"""The only caller of people's stage functions: gather, call, check what came back."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

from curifactory.core.record import Record
from curifactory.core.spec import StageSpec
from curifactory.engine.activity import Activity
from curifactory.engine.own_copy import own_copy
from curifactory.errors import CurifactoryError, InputSignatureError, MissingInputError, OutputSignatureError
from curifactory.parameters.imported_names import import_listener

PACKAGE_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def execute(activity: Activity) -> tuple[tuple[Any, ...], float]:
    """Execute the stage function of a call.

    Parameters
    ----------
    activity : Activity
        Where everything that the stage does is noted.

    Returns
    -------
    values : tuple
        One value for each output.
    duration_s : float
        Wall time of the function.

    Raises
    ------
    OutputSignatureError
        If the number of values is not that of the outputs.
    Exception
        Whatever the stage function raises, unchanged.
    """
    call = activity.call
    spec = call.stage.spec
    arguments = gather(activity)
    view = activity.view_of(call.record)
    views = [activity.view_of(record) for record in call.records or ()] if spec.aggregate else None
    listener_before = import_listener.set(activity.note_import)
    started = time.perf_counter()
    try:
        values = call_function(spec, view, views, arguments)
    finally:
        import_listener.reset(listener_before)
    return values, time.perf_counter() - started


def gather(activity: Activity) -> dict[str, Any]:
    """Return the keywords of a call's function: inputs by name, overrides on top.

    This is the one place where stages and aggregates differ: a stage's input is a value, an aggregate's is a dictionary
    from record to value.
    """
    call, for_input = activity.call, activity.engine.values.for_input
    is_aggregate = call.stage.is_aggregate
    arguments: dict[str, Any] = {}
    if is_aggregate:
        for name, pairs in call.record_inputs.items():
            arguments[name] = {activity.view_of(record): for_input(slot, call) for record, slot in pairs}
    else:
        for name, input_slot in zip(call.input_names, call.inputs):  # noqa: B905 - asked to look it takes twice as long
            if input_slot is not None:
                arguments[name] = for_input(input_slot, call)
    for name, value in call.overrides.items() if call.overrides else ():
        # A stage that changes a keyword's value changes neither the caller's nor what the call is known by.
        mine = own_copy(value, most_bytes=None)
        arguments[name] = _with_views(activity, mine) if is_aggregate else mine
    return arguments


def gather_nested(
    activity: Activity, spec: StageSpec, record: Record, records: Sequence[Record] | None
) -> dict[str, Any]:
    """Return the inputs of a stage that is called inside another one, from the state as it is now.

    Raises
    ------
    MissingInputError
        If an input is not there.
    """
    view = activity.view_of(getattr(record, "_record", record))
    if spec.aggregate:
        views = [
            activity.view_of(getattr(each, "_record", each)) for each in (records or record.manager.records)
        ]
        return {
            name: {each: each.state[name] for each in views if name in each.state} for name in spec.inputs
        }
    found = {}
    for name in spec.inputs:
        if name in view.state:
            found[name] = view.state[name]
        elif not spec.suppress_missing_inputs:
            raise MissingInputError(
                f"Stage '{spec.name}' (inside '{activity.call.name}') needs the input '{name}'."
            )
    return found


def call_function(
    spec: StageSpec, record: Record, records: Sequence[Record] | None, arguments: Mapping[str, Any]
) -> tuple[Any, ...]:
    """Call a stage function and return one value for each output.

    Raises
    ------
    OutputSignatureError
        If the number of values is not that of the outputs.
    """
    returned = (
        spec.function(record, list(records or ()), **arguments)
        if spec.aggregate
        else spec.function(record, **arguments)
    )
    wanted = len(spec.outputs)
    if wanted == 1 and not isinstance(returned, tuple):
        return (returned,)
    if wanted == 0:
        return ()
    if isinstance(returned, tuple) and len(returned) == wanted:
        return returned
    names = ", ".join(output.name for output in spec.outputs)
    kind = f"a tuple of {len(returned)}" if isinstance(returned, tuple) else f"one {type(returned).__name__}"
    hint = f"Return {wanted} values as a tuple."
    if wanted == 1:
        hint = "To return a tuple as the one output, wrap it: return (value,)."
    raise OutputSignatureError(
        f"Stage '{spec.name}' ({spec.place}) has {wanted} output{'s' * (wanted > 1)} ({names}) and returned {kind}.",
        hint=hint,
    )


def check_overrides(spec: StageSpec, overrides: Mapping[str, Any], where: str) -> None:
    """Check the keywords of a call against the function's arguments.

    Raises
    ------
    InputSignatureError
        If one of them is no argument of the function.
    """
    if spec.takes_any_keyword:
        return
    for name in overrides:
        if name not in spec.keywords:
            raise InputSignatureError(
                f"Stage '{spec.name}' was called with {name}=… {where}, but has no such argument.",
                hint=f"It has: {', '.join(sorted(spec.keywords)) or 'none'}.",
            )


def person_frames(error: BaseException) -> str:
    """Return the traceback of an exception without the frames of this package."""
    summary = traceback.TracebackException.from_exception(error)
    seen: set[int] = set()
    pending: list[traceback.TracebackException] = [summary]
    while pending:
        current = pending.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        kept = [
            frame for frame in current.stack if not os.path.abspath(frame.filename).startswith(PACKAGE_FOLDER)
        ]
        current.stack = traceback.StackSummary.from_list(kept)
        pending.extend(each for each in (current.__cause__, current.__context__) if each is not None)
    return "".join(summary.format())


def shorten_traceback(error: BaseException) -> None:
    """Take what lies between a person's call of a stage and the stage itself out of a traceback that begins here.

    A fault of this package itself keeps all of its frames; an error that it raises on purpose says by itself what it is about.

    Parameters
    ----------
    error : BaseException
        Was caught by the caller, whose frame stays.
    """
    caught = step = error.__traceback__
    while step is not None and step.tb_frame.f_code is not call_function.__code__:
        step = step.tb_next
    if caught is not None and (step is not None or isinstance(error, CurifactoryError)):
        caught.tb_next = None if step is None else step.tb_next


def _with_views(activity: Activity, value: Any) -> Any:
    if isinstance(value, Mapping) and any(isinstance(key, Record) for key in value):
        return {
            activity.view_of(key) if isinstance(key, Record) else key: item for key, item in value.items()
        }
    return value

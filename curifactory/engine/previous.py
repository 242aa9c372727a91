"""What a call is compared with when it has to be explained: the trace that its record last had, else the newest of the stage."""

from __future__ import annotations

from typing import NamedTuple

from curifactory.core.trace import Trace
from curifactory.engine.graph import Call


class Previous(NamedTuple):
    """A trace that a call is compared with.

    Parameters
    ----------
    trace : Trace
        What was read and made.
    is_own : bool
        Whether a record of the call's name had it. If not, it is another record's, of which nothing can have changed:
        it only has other values.
    """

    trace: Trace
    is_own: bool


def find_previous(call: Call) -> Previous | None:
    """Return the trace that a call is compared with, None if its stage has none.

    It is the last one that a record of that name had in this session or an earlier run, else the newest of the stage.

    Parameters
    ----------
    call : Call
        The call.
    """
    engine, stage_id, name = call.engine, call.stage.stage_id, call.set_name
    # A command has decided its calls before it settles them.
    if engine.options.live and call.stage.leaves_trace:
        key = engine.graph.last_key(call, name)
        trace = None if key is None else engine.traces.find(key, stage=stage_id)
        if trace is not None:
            return Previous(trace, is_own=True)
    own = engine.traces.find_first(stage_id, engine.last_uses.iter_keys(stage_id, name))
    if own is not None:
        return Previous(own, is_own=True)
    newest = engine.traces.newest(stage_id)
    return None if newest is None else Previous(newest, is_own=False)

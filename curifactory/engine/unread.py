"""Parameters that no stage has read, which people may have meant to matter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from curifactory.core.outcomes import CallOutcome
from curifactory.engine.graph import Call
from curifactory.identity.fields import layout_of
from curifactory.parameters.parts import grows, is_fielded
from curifactory.parameters.reads import NO_VALUES, OBJECT, WHOLE

_RECORDS = "records."
_PARAMETERS = "params."


def find_unread_parameters(calls: Iterable[Call]) -> tuple[str, ...] | None:
    """Return the parameters that no call of a run has read: names of fields, with a path in nested sets.

    A reused call has read what its trace says. A parameter that is read by any stage, of any parameter set, is read.

    Parameters
    ----------
    calls : iterable of Call
        All calls of the run.

    Returns
    -------
    tuple of str or None
        In the order of the fields; None if there are no calls, or one of them neither ran nor was reused, so that
        nobody knows what it reads.
    """
    sets: dict[int, Any] = {}
    read: set[str] = set()
    for call in calls:
        if call.outcome not in (CallOutcome.RAN, CallOutcome.REUSED):
            return None
        for record in (call.record, *(call.records or ())):
            if is_fielded(record.params):
                sets[id(record.params)] = record.params
        read.update(
            name for path in call.observed if (name := path.removeprefix(_RECORDS)).startswith(_PARAMETERS)
        )
    if not sets:
        return None
    names = {path.removeprefix(_PARAMETERS) for path in read}
    if not names.isdisjoint((WHOLE, OBJECT)):
        return ()
    values = {name for name in names if not name.startswith(NO_VALUES)}
    found = dict.fromkeys(path for params in sets.values() for path in _iter_unread(params, "", values))
    return tuple(found)


def tell_unread(names: Iterable[str]) -> str:
    """Return one line about parameters that no stage has read.

    Examples
    --------
    >>> tell_unread(["n"])
    '`n` was read by no stage'
    >>> tell_unread(["n", "model.lr", "seed"])
    '`n`, `model.lr` and `seed` were read by no stage'
    """
    quoted = [f"`{name}`" for name in names]
    if len(quoted) == 1:
        return f"{quoted[0]} was read by no stage"
    return f"{', '.join(quoted[:-1])} and {quoted[-1]} were read by no stage"


def _iter_unread(params: Any, prefix: str, read: set[str]) -> Iterator[str]:
    framework: frozenset[str] = getattr(type(params), "__framework_fields__", frozenset())
    layout = layout_of(type(params))
    # A tree holds its parameters, other classes declare them.
    declared = list(vars(params)) if grows(params) or layout is None else layout.names
    for own in declared:
        path = prefix + own
        if own in framework or path in read:
            continue
        inner = getattr(params, own, None)
        if any(name.startswith(f"{path}.") for name in read) and is_fielded(inner):
            yield from _iter_unread(inner, f"{path}.", read)
        else:
            yield path

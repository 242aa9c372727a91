"""What a call is going to read, guessed before it has run: it orders the work, and decides nothing."""

from __future__ import annotations

import dataclasses
import dis
import inspect
from functools import lru_cache
from types import CodeType
from typing import Any

from curifactory.core.spec import StageSpec
from curifactory.engine.graph import Call
from curifactory.engine.identify import Identifier, NotYetKnownError
from curifactory.errors import UnidentifiableError

WHOLE = "params.*"


def predict_key(call: Call, read_sets: list[tuple[str, ...]], identifier: Identifier) -> str | None:
    """Return the key that a call probably has: calls that share it had better run one after the other.

    Parameters
    ----------
    call : Call
        With all its inputs known.
    read_sets : list of tuple of str
        What earlier executions of this code have read, newest first.
    identifier : Identifier
        Gives the values of what is read.

    Returns
    -------
    str or None
        None if nothing can be said.
    """
    paths = read_sets[0] if read_sets else guess_reads(call.spec, call.record.params)
    try:
        return identifier.key(call, paths)
    except (UnidentifiableError, NotYetKnownError):
        return None


def guess_reads(spec: StageSpec, params: Any) -> tuple[str, ...]:
    """Return the read paths that the code of a stage speaks of: fields by name, or the whole set if it is handed on.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> def train(record, data):
    ...     return record.params.n * 2
    >>> @dataclasses.dataclass
    ... class Params:
    ...     n: int = 1
    ...     m: int = 2
    >>> guess_reads(SimpleNamespace(function=train), Params())
    ('params.n',)
    """
    if not dataclasses.is_dataclass(params):
        return (WHOLE,)
    code = getattr(inspect.unwrap(spec.function), "__code__", None)
    named = None if code is None else fields_named(code)
    if named is None:
        return (WHOLE,)
    fields = {field.name for field in dataclasses.fields(params)}
    return tuple(sorted(f"params.{name}" for name in named & fields))


@lru_cache(maxsize=1024)
def fields_named(code: CodeType) -> frozenset[str] | None:
    """Return the names that follow ``.params`` in code; None if ``params`` is used in any other way."""
    found: set[str] = set()
    before = ""
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("CACHE", "EXTENDED_ARG", "NOP"):
            continue
        loads = instruction.opname in ("LOAD_ATTR", "LOAD_METHOD")
        name = str(instruction.argval) if loads else ""
        if before == "params":
            if not loads:
                return None
            found.add(name)
        before = name
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            inner = fields_named(constant)
            if inner is None:
                return None
            found |= inner
    return frozenset(found)

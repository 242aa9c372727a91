"""What a call is going to read, guessed before it has run: it orders the work, and decides nothing."""

from __future__ import annotations

import dataclasses
import dis
from functools import lru_cache
from types import CodeType
from typing import Any

from curifactory.core.spec import StageSpec, code_of

WHOLE = "params.*"


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
    code = code_of(spec.function)
    cls: Any = type(params)
    return (WHOLE,) if code is None else _guess(code, cls)


@lru_cache(maxsize=1024)
def _guess(code: CodeType, cls: type) -> tuple[str, ...]:
    named = fields_named(code) if dataclasses.is_dataclass(cls) else None
    if named is None:
        return (WHOLE,)
    if not named:
        return ()
    fields = {field.name for field in dataclasses.fields(cls)}
    return tuple(sorted(f"params.{name}" for name in named & fields))


@lru_cache(maxsize=1024)
def fields_named(code: CodeType) -> frozenset[str] | None:
    """Return the names that follow ``.params`` in code; None if ``params`` is used in any other way."""
    found: set[str] = set()
    before = ""
    for instruction in dis.get_instructions(code) if "params" in code.co_names else ():
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

"""Byte code as the few kinds of instructions that say which names are used, and with what."""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator
from types import CodeType
from typing import Any, Literal, NamedTuple

Kind = Literal[
    "attribute",
    "call",
    "constant",
    "free",
    "from",
    "global",
    "import",
    "local",
    "store",
    "super",
    "two locals",
    "store and local",
    "two stores",
    "other",
]
Instruction = tuple[Kind, Any]

_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR", "DELETE_ATTR"), "attribute"),
    **dict.fromkeys(("LOAD_CONST", "LOAD_SMALL_INT", "RETURN_CONST"), "constant"),
    **dict.fromkeys(("LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF"), "free"),
    **dict.fromkeys(("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"), "global"),
    **dict.fromkeys(("STORE_FAST", "STORE_DEREF", "STORE_NAME", "STORE_GLOBAL"), "store"),
    "IMPORT_FROM": "from",
    "IMPORT_NAME": "import",
    "LOAD_SUPER_ATTR": "super",
    "STORE_FAST_LOAD_FAST": "store and local",
    "STORE_FAST_STORE_FAST": "two stores",
}
# They say nothing, also not that what came before is over.
_PASSED_OVER = frozenset(
    {
        "CACHE",
        "COPY_FREE_VARS",
        "EXTENDED_ARG",
        "KW_NAMES",
        "NOP",
        "NOT_TAKEN",
        "PRECALL",
        "PUSH_NULL",
        "RESUME",
    }
)
_MOVES = frozenset({"SWAP", "POP_TOP"})


class _Operation(NamedTuple):
    """What is to be known of an operation to read its argument: its kind, what the argument counts, and its bits for something else."""

    kind: Kind
    counts: Literal["names", "locals", "pairs", "constants", "arguments", "nothing"]
    flags: int = 0
    name: str | None = None


def _operation(number: int, name: str) -> _Operation | None:
    if name in _PASSED_OVER:
        return None
    if name.startswith("LOAD_FAST"):
        two = name.count("LOAD_FAST") == 2
        return _Operation("two locals", "pairs") if two else _Operation("local", "locals")
    if name.startswith("CALL"):
        return _Operation("call", "arguments")
    kind = _KINDS.get(name, "other")
    if kind == "other":
        return _Operation(kind, "nothing", name=None if name in _MOVES else name)
    if kind == "constant":
        return _Operation(kind, "constants")
    if kind in ("store and local", "two stores"):
        return _Operation(kind, "pairs")
    if number not in dis.hasname:
        return _Operation(kind, "locals")
    return _Operation(kind, "names", _FLAGS.get(name, 0))


_FLAGS = {"LOAD_GLOBAL": 1}
if sys.version_info >= (3, 12):
    _FLAGS |= {"LOAD_ATTR": 1, "LOAD_SUPER_ATTR": 2}
_operations = tuple(_operation(number, name) for number, name in enumerate(dis.opname))


def read_instructions(code: CodeType) -> Iterator[Instruction]:
    """Go through the instructions of a code object, each with its name, value or number of arguments.

    Of one of another kind the operation's name is given, or nothing if it only moves what others have loaded.

    Examples
    --------
    >>> def area(r):
    ...     return pi * r
    >>> for kind, value in read_instructions(area.__code__):
    ...     print(kind, value)
    global pi
    local r
    other BINARY_OP
    other RETURN_VALUE
    """
    # What an argument means changes from version to version; of an unknown one the standard library is asked, which is slower.
    return _read_quickly(code) if sys.version_info < (3, 14) else read_slowly(code)


def read_slowly(code: CodeType) -> Iterator[Instruction]:
    """Do what `read_instructions` does, on any version of Python."""
    for instruction in dis.get_instructions(code):
        operation = _operations[dis.opmap[instruction.opname]]
        if operation is None:
            continue
        kind, counts, _, name = operation
        if counts == "nothing":
            yield kind, name
        else:
            yield kind, instruction.arg if counts == "arguments" else instruction.argval


def _read_quickly(code: CodeType) -> Iterator[Instruction]:
    names, constants = code.co_names, code.co_consts
    local = code._varname_from_oparg  # type: ignore[attr-defined]  # noqa: SLF001 - what dis calls
    parts = iter(code.co_code)
    longer = 0
    for number, part in zip(parts, parts, strict=True):
        operation = _operations[number]
        if operation is None:
            longer = (longer | part) << 8 if number == dis.EXTENDED_ARG else 0
            continue
        argument = longer | part
        longer = 0
        kind, counts, flags, name = operation
        if counts == "names":
            yield kind, names[argument >> flags]
        elif counts == "locals":
            yield kind, local(argument)
        elif counts == "constants":
            yield kind, constants[argument]
        elif counts == "nothing":
            yield kind, name
        elif counts == "arguments":
            yield kind, argument
        else:
            yield kind, (local(argument >> 4), local(argument & 15))

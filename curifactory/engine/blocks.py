"""Whether a stage was called inside a ``try`` or ``with`` block, read from the calling frames' exception tables."""

from __future__ import annotations

import dis
from types import CodeType
from typing import Any

_MOST_KNOWN = 4096
# By id, as the hash of a code object is made from all of it each time; an object that is held keeps its id.
_known: dict[int, tuple[CodeType, tuple[tuple[int, int], ...]]] = {}


def is_covered(code: CodeType, offset: int) -> bool:
    """Return whether a place in a frame's code stands inside a block that handles exceptions.

    A call that waits until ``run()`` has returned would leave such a block: its exceptions would fly past the
    ``except``, its context would be off, its temporary folder gone.

    Parameters
    ----------
    code : code
        Of a frame between the call of a stage and ``run()``, or of that itself.
    offset : int
        Where the frame is in it.
    """
    known = _known.get(id(code))
    if known is None:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        known = _known[id(code)] = (code, _block_ranges(code))
    for start, end in known[1]:  # noqa: SIM110 - a loop is half as long as a generator, and each call asks
        if start <= offset < end:
            return True
    return False


def _block_ranges(code: CodeType) -> tuple[tuple[int, int], ...]:
    """Return the ranges of byte code that a person's handler covers.

    Entries that the compiler adds on its own are left out: a generator's conversion of ``StopIteration``, the clean-up
    of ``except`` bodies (marked by their ``lasti`` flag together with a handler that only re-raises), and the restoring
    of a comprehension's variables.
    """
    table = getattr(code, "co_exceptiontable", b"")
    if not table:
        return ()
    instructions = {instruction.offset: instruction for instruction in dis.get_instructions(code)}
    ordered = sorted(instructions)
    ranges = []
    for entry in dis._parse_exception_table(code):  # type: ignore[attr-defined]  # noqa: SLF001 - the only reader there is
        if _is_persons_handler(instructions, ordered, entry):
            ranges.append((entry.start, entry.end))
    return tuple(ranges)


def _is_persons_handler(instructions: dict[int, Any], ordered: list[int], entry: Any) -> bool:
    handler = instructions.get(entry.target)
    if handler is None:
        return True
    following = [instructions[offset] for offset in ordered if offset >= entry.target][:3]
    names = [instruction.opname for instruction in following]
    if names and names[0] == "CALL_INTRINSIC_1" and "STOPITERATION" in str(following[0].argrepr):
        return False
    # PUSH_EXC_INFO begins every handler that a person wrote; comprehensions restore variables by SWAP and STORE_FAST.
    return "PUSH_EXC_INFO" in names[:1] or "WITH_EXCEPT_START" in names

"""What is asked of the class of a parameter set: which it is, what it has, what its docstring says, what is derived, or all."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache
from itertools import islice
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import dis

TYPE = "type:"
MEMBERS = "members:"
DOC = "doc:"
DERIVED = "derived:"
CLASS = "class:"

#: Questions are counted in one number, which is read once a call: each kind at a place of its own.
ITS_NAME, ITS_MEMBERS, ITS_DOC, ITS_DERIVED, ITS_CODE = (1 << 64 * place for place in range(5))
_PLACES = ((MEMBERS, ITS_MEMBERS), (DOC, ITS_DOC), (DERIVED, ITS_DERIVED), (CLASS, ITS_CODE))
#: Attributes of a class that tell no more than which it is.
OF_ITS_NAME = frozenset({"__module__", "__name__", "__qualname__"})

#: Attributes by which packages too write down what the docstring of a class says.
OF_ITS_DOC = frozenset({"__doc__", "model_json_schema", "schema_json"})
OF_ITS_DERIVED = "__subclasses__"

_OWN = "curifactory."
# These ask for the class of an instance only to find it among classes, of which some take those that have certain methods.
_ASK_FOR_ITS_MEMBERS = frozenset({"_py_abc", "abc", "functools", "typing"})
_HOOKS_THAT_ASK_FOR_MEMBERS = frozenset({"abc", "collections.abc", "contextlib", "os", "typing"})
_SUBCLASS_HOOK = "__subclasshook__"
_SAY_NOTHING = frozenset({"CACHE", "COPY_FREE_VARS", "EXTENDED_ARG", "NOP", "NOT_TAKEN", "PUSH_NULL"})
_LOADS_OF_ATTRIBUTES = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
_LOADS_OF_ONE = frozenset(
    {"LOAD_CONST", "LOAD_DEREF", "LOAD_FAST", "LOAD_FAST_BORROW", "LOAD_GLOBAL", "LOAD_NAME"}
)
_ASKING = frozenset({"isinstance", "super"})
# Code that names these may get hold of the class by a name that it has from elsewhere.
_ASKING_FOR_ANYTHING = frozenset({"__class__", "__getattribute__", "attrgetter", "getattr"})


def paths_asked(count: int, path: str) -> Iterator[str]:
    """Go through the read paths that a number of questions stands for.

    Parameters
    ----------
    count : int
        The sum of the questions.
    path : str
        Of the object whose class was asked; empty for the set itself.

    Examples
    --------
    >>> list(paths_asked(2 * ITS_NAME + ITS_CODE, "model"))
    ['type:model', 'class:model']
    """
    if not count:
        return
    yield TYPE + path
    if count < ITS_MEMBERS:
        return
    for kind, place in _PLACES:
        if count // place % ITS_MEMBERS:
            yield kind + path


def question_of(frame: FrameType) -> int:
    """Say what code that is just asking an instance for its class wants of it.

    ``isinstance`` asks for the same attribute as code does that goes on to construct or read the class; they are told from
    one another by the instruction that is being executed. What cannot be told wants all.

    Parameters
    ----------
    frame : FrameType
        Of who is asking.
    """
    module = frame.f_globals.get("__name__", "")
    if is_own(frame):
        return ITS_NAME
    if module in _ASK_FOR_ITS_MEMBERS:
        return ITS_CODE if _has_own_hook(frame.f_locals.get("cls")) else ITS_MEMBERS
    return _question_at(frame.f_code, frame.f_lasti)


def is_own(frame: FrameType) -> bool:
    """Say whether a frame is one of this package, which notes by itself what it asks for."""
    return str(frame.f_globals.get("__name__", "")).startswith(_OWN)


@lru_cache(maxsize=256)
def _question_at(code: CodeType, place: int) -> int:
    # Most stages never ask, and it takes its time to be imported.
    import dis

    following = (
        each
        for each in dis.get_instructions(code)
        if each.offset >= place and each.opname not in _SAY_NOTHING
    )
    asking, *then = islice(following, 4)
    if asking.opname in _LOADS_OF_ATTRIBUTES and asking.argval == "__class__":
        if then and then[0].opname in _LOADS_OF_ATTRIBUTES and then[0].argval in OF_ITS_NAME:
            return ITS_NAME
        if _is_compared(then):
            return ITS_NAME
    elif _asks_only_for_its_name(asking.opname, code):
        return ITS_NAME
    return ITS_CODE | _asked_besides(code.co_names)


def _asked_besides(names: Collection[str]) -> int:
    """Say what code with these names asks of a class besides its code."""
    docstring = 0 if OF_ITS_DOC.isdisjoint(names) else ITS_DOC
    return docstring | (ITS_DERIVED if OF_ITS_DERIVED in names else 0)


def _has_own_hook(cls: Any) -> bool:
    """Say whether a class that something is compared with decides by code of people's own, which may look at anything."""
    for base in getattr(cls, "__mro__", ()):
        hook = vars(base).get(_SUBCLASS_HOOK)
        if hook is not None:
            return base is not object and hook.__module__ not in _HOOKS_THAT_ASK_FOR_MEMBERS
    return False


def _asks_only_for_its_name(operation: str, code: CodeType) -> bool:
    if operation == "MATCH_CLASS" or operation.startswith("LOAD_SUPER"):
        return True
    calls = operation.startswith("CALL") or operation == "PRECALL"
    names = {*code.co_names, *(each for each in code.co_consts if isinstance(each, str))}
    return calls and not _ASKING.isdisjoint(code.co_names) and _ASKING_FOR_ANYTHING.isdisjoint(names)


def _is_compared(then: list[dis.Instruction]) -> bool:
    """Say whether a class that has just been loaded is compared: at once, or with one thing that is loaded after it."""
    names = [each.opname for each in then]
    if names and names[0] in _LOADS_OF_ONE:
        del names[0]
        if names and names[0] in _LOADS_OF_ATTRIBUTES:
            del names[0]
    return bool(names) and names[0] in ("COMPARE_OP", "IS_OP")

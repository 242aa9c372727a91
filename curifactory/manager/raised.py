"""An exception on its way from a worker: it arrives with the lines that raised it, which a pickle does not keep."""

from __future__ import annotations

import ast
import pickle
from collections.abc import Collection, Sequence
from itertools import islice
from types import FrameType, TracebackType
from typing import Any, NamedTuple

from curifactory.engine.travel import pack
from curifactory.errors import say


class Place(NamedTuple):
    """Where one function of a traceback was: first and last line and column are those of the expression."""

    file: str
    function: str
    line: int
    end_line: int
    column: int
    end_column: int


class Raised:
    """Stands for an exception in what is packed; it is the exception itself again where that is unpacked.

    Parameters
    ----------
    error : BaseException
        What was raised. In place of one that cannot be made again comes one that is called the same, says the same, and is
        caught as the nearest of Python's own kinds that it was.

    Examples
    --------
    >>> try:
    ...     raise ValueError("no")
    ... except ValueError as error:
    ...     arrived = pickle.loads(pack(Raised(error)))
    >>> arrived, list_places(arrived.__traceback__)[-1].function
    (ValueError('no'), '<module>')
    """

    def __init__(self, error: BaseException, *, above: Collection[BaseException] = ()) -> None:
        seen = (*above, error)
        self._places = list_places(error.__traceback__)
        self._chain = tuple(
            None if each is None or each in seen else Raised(each, above=seen)
            for each in (error.__cause__, error.__context__)
        )
        self._is_without_context = error.__suppress_context__
        # What it says itself: libraries have exceptions pickled their own way, with all that they followed from.
        self._made_of: Any
        try:
            self._made_of = error.__reduce_ex__(4)
            _rebuild(pickle.loads(pack(self._made_of)))
        except Exception:  # noqa: BLE001 - people's exceptions may take what they like
            self._made_of = _stand_in, _describe(error)

    def __reduce__(self) -> tuple[Any, ...]:
        return make_again, (self._made_of, self._places, *self._chain, self._is_without_context)


def make_again(
    made_of: Any,
    places: Sequence[Place],
    cause: BaseException | None,
    context: BaseException | None,
    is_without_context: bool,
) -> BaseException:
    """Return an exception with its traceback and with those that it followed from."""
    error = _rebuild(made_of)
    trace = None
    for place in reversed(places):
        frame, instruction = _make_frame(place)
        trace = TracebackType(trace, frame, instruction, place.line)
    error.__cause__, error.__context__ = cause, context
    error.__suppress_context__ = is_without_context
    return error.with_traceback(trace)


def _rebuild(made_of: Any) -> BaseException:
    make, arguments, *rest = made_of
    state, *others = rest or (None,)
    if any(each is not None for each in others):
        raise TypeError("an exception that holds items like a list or a dictionary")
    error: BaseException = make(*arguments)
    if state is not None:
        error.__setstate__(state)
    return error


def _describe(error: BaseException) -> tuple[str, str, type[BaseException], str, tuple[str, ...]]:
    """Return what a stand-in for an exception is made of."""
    kind = type(error)
    own = next(
        each for each in kind.__mro__ if issubclass(each, BaseException) and each.__module__ == "builtins"
    )
    if issubclass(own, BaseExceptionGroup):
        # Without its exceptions it is none.
        own = Exception if isinstance(error, Exception) else BaseException
    text = say(error)[len(kind.__name__) :].removeprefix(": ")
    return kind.__module__, kind.__qualname__, own, text, tuple(map(str, getattr(error, "__notes__", ())))


def _stand_in(
    module: str, qualname: str, own: type[BaseException], text: str, notes: Sequence[str]
) -> BaseException:
    members = {
        "__module__": module,
        "__qualname__": qualname,
        "__init__": lambda self, *_: None,
        "__str__": lambda self: text,
        "__reduce__": lambda self: (_stand_in, (module, qualname, own, text, notes)),
    }
    error: BaseException = type(qualname.rpartition(".")[2], (own,), members)(text)
    for note in notes:
        error.add_note(note)
    return error


def list_places(trace: TracebackType | None) -> list[Place]:
    """Return the places of a traceback, the outermost first."""
    places = []
    while trace is not None:
        code = trace.tb_frame.f_code
        line, end_line, column, end_column = next(
            islice(code.co_positions(), trace.tb_lasti // 2, None), (None, None, None, None)
        )
        if line is None or end_line is None or column is None or end_column is None:
            line = end_line = trace.tb_lineno
            column = end_column = -1
        places.append(Place(code.co_filename, code.co_name, line, end_line, column, end_column))
        trace = trace.tb_next
    return places


def _make_frame(place: Place) -> tuple[FrameType, int]:
    """Return a frame that has stopped at a place, and at which instruction; only code that raises there has one."""
    tree = ast.parse("raise Exception")
    for node in ast.walk(tree):
        if isinstance(node, (ast.stmt, ast.expr)):
            node.lineno, node.end_lineno = max(place.line, 1), max(place.end_line, 1)
            node.col_offset, node.end_col_offset = place.column, place.end_column
    code = compile(tree, place.file, "exec").replace(co_name=place.function)
    try:
        exec(code, {})  # noqa: S102 - it is the line above
    except Exception as error:  # noqa: BLE001 - what it is for
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code is code:
                return trace.tb_frame, trace.tb_lasti
            trace = trace.tb_next
    raise AssertionError("a line that raises has not raised")

"""Where in the person's code a stage was called, and whether the call may wait there."""

from __future__ import annotations

import functools
import sys
from types import CodeType, FrameType

from curifactory.engine.blocks import is_covered
from curifactory.engine.execute import PACKAGE_FOLDER

# Those of the decorated function, the session and the engine stand between a person's line and this module. To ask for a
# frame makes an object of it, which takes longer than all else here.
_OWN_FRAMES = 4
_MOST_KNOWN = 4096
_UNKNOWN = ("<unknown>", 0)
# By the code's id, the place in it and the id of the code of `run()`; a code object that is held keeps its id.
_known: dict[tuple[int, int, int], tuple[CodeType, CodeType | None, tuple[tuple[str, int], bool]]] = {}


def place_of_call(run_code: CodeType | None) -> tuple[tuple[str, int], bool]:
    """Return file and line of the call, and whether it may wait until ``run()`` has returned.

    Parameters
    ----------
    run_code : code or None
        The code of ``run()``; None in a live context, where nothing waits. Under it the line is that of ``run()``, however
        deep in other functions the stage is called.
    """
    try:
        frame = sys._getframe(_OWN_FRAMES)  # noqa: SLF001 - inspect.currentframe() is slower
    except ValueError:
        # The interpreter itself has called the stage: at its exit, or as all that a thread does.
        return _UNKNOWN, run_code is not None
    known = _known.get((id(frame.f_code), frame.f_lasti, id(run_code)))
    return _find_place(frame, run_code) if known is None else known[2]


def _find_place(begin: FrameType, run_code: CodeType | None) -> tuple[tuple[str, int], bool]:
    frame: FrameType | None = begin
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE_FOLDER):
        frame = frame.f_back
    if frame is None:
        return _UNKNOWN, run_code is not None
    if run_code is None or frame.f_code is run_code:
        code, offset = frame.f_code, frame.f_lasti
        place = (
            _line(code.co_filename, frame.f_lineno),
            run_code is not None and not is_covered(code, offset),
        )
        if frame is begin:
            # A loop is at the same few places again and again, and to count lines takes longer than to remember them.
            if len(_known) >= _MOST_KNOWN:
                _known.clear()
            _known[id(code), offset, id(run_code)] = code, run_code, place
        return place
    shown, waits = frame, True
    while frame is not None:
        code = frame.f_code
        waits = waits and not is_covered(code, frame.f_lasti)
        if code is run_code:
            shown = frame
            break
        frame = frame.f_back
    return _line(shown.f_code.co_filename, shown.f_lineno), waits


@functools.lru_cache(maxsize=1024)
def _line(file: str, number: int) -> tuple[str, int]:
    """Return one object for all calls of a line."""
    return (file, number)


class Places(dict[tuple[str, int], str]):
    """File and line as people read it, relative to the project, of each line that is asked for.

    Parameters
    ----------
    root : str
        What a path of the project begins with.

    Examples
    --------
    >>> Places("/lab/")["/lab/experiments/iris.py", 7]
    'experiments/iris.py:7'
    """

    def __init__(self, root: str) -> None:
        super().__init__()
        self._root = root

    def __missing__(self, line: tuple[str, int]) -> str:
        told = self[line] = describe_place(line, self._root)
        return told


def describe_place(line: tuple[str, int], root: str) -> str:
    """Say where a line is as people know it: by its cell in a notebook, else by its file.

    Parameters
    ----------
    line : tuple of str and int
        File and number of the line.
    root : str
        What a path of the project begins with.

    Examples
    --------
    >>> describe_place(("/lab/experiments/iris.py", 7), "/lab/")
    'experiments/iris.py:7'
    """
    file, number = line
    cell = _find_cell(file)
    return f"{file.removeprefix(root)}:{number}" if cell is None else f"{cell}:{number}"


def _find_cell(file: str) -> str | None:
    """Name the cell whose code has a file name that only its kernel knows; IPython is never imported for it."""
    get_shell = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = None if get_shell is None else get_shell()
    if shell is None:
        return None
    found = shell.compile.format_code_name(file)
    return None if found is None else f"{found[0].lower()} {found[1]}"

"""Where in the person's code a stage was called, and whether the call may wait there."""

from __future__ import annotations

import functools
import sys
from types import CodeType, FrameType

from curifactory.engine.blocks import inside_block
from curifactory.engine.execute import is_package_frame

# Those of the decorated function, the session and the engine stand between a person's line and this module. To ask for a
# frame makes an object of it, which takes longer than all else here.
_OWN_FRAMES = 4


def place_of_call(run_code: CodeType | None) -> tuple[tuple[str, int], bool]:
    """Return file and line of the call, and whether it may wait until ``run()`` has returned.

    Parameters
    ----------
    run_code : code or None
        The code of ``run()``; None in a live context, where nothing waits. Under it the line is that of ``run()``, however
        deep in other functions the stage is called.
    """
    try:
        frame = _nearest_person_frame(sys._getframe(_OWN_FRAMES))  # noqa: SLF001 - inspect.currentframe() is slower
    except ValueError:
        # The interpreter itself has called the stage: at its exit, or as all that a thread does.
        frame = None
    if frame is None:
        return ("<unknown>", 0), run_code is not None
    if run_code is None:
        return _line(frame.f_code.co_filename, frame.f_lineno), False
    of_run: FrameType | None = frame
    while of_run is not None and of_run.f_code is not run_code:
        of_run = of_run.f_back
    shown = of_run or frame
    return _line(shown.f_code.co_filename, shown.f_lineno), not inside_block(frame, run_code)


@functools.lru_cache(maxsize=1024)
def _line(file: str, number: int) -> tuple[str, int]:
    """Return one object for all calls of a line."""
    return (file, number)


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


def _nearest_person_frame(frame: FrameType | None) -> FrameType | None:
    while frame is not None and is_package_frame(frame.f_code.co_filename):
        frame = frame.f_back
    return frame

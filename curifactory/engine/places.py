"""Where in the person's code a stage was called, and whether the call may wait there."""

from __future__ import annotations

import sys
from types import CodeType, FrameType

from curifactory.engine.blocks import inside_block
from curifactory.engine.execute import is_package_frame


def place_of_call(run_code: CodeType | None) -> tuple[tuple[str, int], bool]:
    """Return file and line of the call, and whether it may wait until ``run()`` has returned.

    Parameters
    ----------
    run_code : code or None
        The code of ``run()``; None in a live context, where nothing waits. Under it the line is that of ``run()``, however
        deep in other functions the stage is called.
    """
    frame = _nearest_person_frame()
    if frame is None:
        return ("<unknown>", 0), run_code is not None
    if run_code is None:
        return (frame.f_code.co_filename, frame.f_lineno), False
    of_run: FrameType | None = frame
    while of_run is not None and of_run.f_code is not run_code:
        of_run = of_run.f_back
    shown = of_run or frame
    return (shown.f_code.co_filename, shown.f_lineno), not inside_block(frame, run_code)


def _nearest_person_frame() -> FrameType | None:
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - inspect.currentframe() is the same, and slower
    while frame is not None and is_package_frame(frame.f_code.co_filename):
        frame = frame.f_back
    return frame

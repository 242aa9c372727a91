"""The lines of a traceback that are the person's own."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

_PACKAGE = str(Path(__file__).resolve().parents[1]) + os.sep
_ELSEWHERE = ("site-packages", "dist-packages", "__pycache__")


class PersonFrame(NamedTuple):
    """One line of a traceback.

    Parameters
    ----------
    file : str
        Path as messages show it: relative to the project where it lies in it.
    line : int
        Number of the line.
    function : str
        Name of the function, ``<module>`` at the top of a file.
    source : str
        The line itself; may be empty.
    """

    file: str
    line: int
    function: str
    source: str

    @property
    def place(self) -> str:
        """The file and the line, as editors take them."""
        return f"{self.file}:{self.line}"


def find_frames(error: BaseException, root: Path) -> list[PersonFrame]:
    """Return the frames of an exception that lie in the project, the outermost first.

    Where none lies in the project (its code is installed, or a notebook's), all that are neither this package's, nor of
    the standard library, nor of an installed package.

    Parameters
    ----------
    error : BaseException
        What was raised.
    root : Path
        The project.

    Examples
    --------
    >>> find_frames(ValueError("never raised"), Path("/"))
    []
    """
    frames = list(_iter_frames(error.__traceback__))
    below = str(root) + os.sep
    own = [each for each in frames if each[0].startswith(below) and not _is_installed(each[0][len(below) :])]
    if not own:
        library = os.path.dirname(os.__file__) + os.sep
        own = [
            each
            for each in frames
            if not each[0].startswith((library, "<frozen")) and not _is_installed(each[0])
        ]
    return [_show(*each, root=root) for each in own]


def _iter_frames(trace: TracebackType | None) -> list[tuple[str, int, str]]:
    frames = []
    while trace is not None:
        code = trace.tb_frame.f_code
        if not code.co_filename.startswith(_PACKAGE):
            frames.append((code.co_filename, trace.tb_lineno, code.co_name))
        trace = trace.tb_next
    return frames


def _is_installed(path: str) -> bool:
    """Say whether a path leads through a folder of installed packages, such as that of a virtual environment."""
    return any(part in _ELSEWHERE for part in path.split(os.sep))


def _show(file: str, line: int, function: str, *, root: Path) -> PersonFrame:
    import linecache

    below = str(root) + os.sep
    shown = file[len(below) :].replace(os.sep, "/") if file.startswith(below) else file
    return PersonFrame(shown, line, function, linecache.getline(file, line).strip())

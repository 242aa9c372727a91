"""Standard error that comes into the log of a run, too."""

from __future__ import annotations

import logging
import sys
import threading
from typing import Any, Self, TextIO, cast

from curifactory.manager.hearing import ERRORS


class LoggedErrors:
    r"""Standard error while it also goes into the log; everything else of it stays what it is.

    Of a bar that is drawn over itself (tqdm), the log gets the last state of each line.

    Parameters
    ----------
    stream : file
        Standard error itself.

    Examples
    --------
    >>> import io
    >>> stream = io.StringIO()
    >>> LoggedErrors(stream).write(" 10%\r 20%\r100%\n")
    15
    >>> stream.getvalue()
    ' 10%\r 20%\r100%\n'
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._logger = logging.getLogger(ERRORS)
        self._logger.setLevel(logging.INFO)
        self._begun = ""
        self._turn = threading.RLock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text, and its whole lines into the log."""
        written = self._stream.write(text)
        with self._turn:
            *lines, self._begun = (self._begun + text).split("\n")
            for line in lines:
                self._log(line)
        return written

    def writelines(self, lines: Any) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __enter__(self) -> Self:
        # It is one by its attributes.
        sys.stderr = cast("TextIO", self)
        return self

    def __exit__(self, *_: object) -> None:
        if sys.stderr is self:
            sys.stderr = self._stream
        with self._turn:
            self._log(self._begun)
            self._begun = ""

    def _log(self, line: str) -> None:
        shown = line.rstrip("\r").rpartition("\r")[2]
        if shown.strip():
            self._logger.info("%s", shown)

"""What of all that is said through ``logging`` while a run goes on comes into its log."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from curifactory.store.log import RunLog, RunLogHandler

OURS = "curifactory"
# What is written to standard error may be said under this name; it must not come back to standard error by a handler.
ERRORS = "curifactory.stderr"
_ELSEWHERE = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


class Hearing:
    """Brings messages into the log of a run: those of the project's code, and others if that is asked for.

    Nobody's levels, handlers or formats change: what a person's own set-up of ``logging`` drops is dropped.

    Parameters
    ----------
    log : RunLog
        Where messages go.
    root : Path
        The project; messages of files below it are its own.
    everybody : bool
        Whether those of other libraries come in, too.
    """

    def __init__(self, log: RunLog, root: Path, *, everybody: bool) -> None:
        self._root = str(root) + os.sep
        self._handler: RunLogHandler | None = RunLogHandler(log, takes=None if everybody else self._is_own)
        self._handler.attach()
        logging.getLogger(ERRORS).propagate = False
        logging.getLogger(ERRORS).addHandler(self._handler)

    def close(self) -> None:
        """Stop listening; may be called twice."""
        if self._handler is not None:
            logging.getLogger(ERRORS).removeHandler(self._handler)
            self._handler.detach()
            self._handler = None

    def _is_own(self, record: logging.LogRecord) -> bool:
        if record.name == OURS or record.name.startswith(f"{OURS}."):
            return True
        path = record.pathname
        # What a notebook says comes from a file that is none, such as `<ipython-input-1>` or one in a temporary folder.
        if record.name == "__main__":
            return True
        return path.startswith(self._root) and not any(part in path for part in _ELSEWHERE)

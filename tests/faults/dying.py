"""A run in which the n-th operation that changes a file kills the process, or fails.

``python dying.py kill|fail N WORDS…`` is ``experiment WORDS…``. It ends with 77 when there was no n-th operation.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import sys
from typing import Any

from curifactory.cli.experiment import main

_WRITING = set("wax+")
_NAMES = (
    "rename",
    "replace",
    "link",
    "symlink",
    "unlink",
    "remove",
    "mkdir",
    "rmdir",
    "makedirs",
    "truncate",
)


class Counted:
    """Counts operations that change files."""

    def __init__(self, manner: str, moment: int) -> None:
        self.manner = manner
        self.left = moment
        self.is_over = False

    def count(self, what: str) -> None:
        """Count one, and do what is to be done at the moment."""
        self.left -= 1
        if self.left == 0:
            self.is_over = True
            if self.manner == "kill":
                os.kill(os.getpid(), 9)
            raise OSError(errno.EIO, os.strerror(errno.EIO), what)

    def wrap(self, module: Any, name: str) -> None:
        """Count the calls of a function."""
        function = getattr(module, name)

        def counted(*arguments: Any, **options: Any) -> Any:
            self.count(f"{name} {arguments[:1]}")
            return function(*arguments, **options)

        setattr(module, name, counted)

    def wrap_open(self) -> None:
        """Count files that are opened for writing, and each write to them is left to the system."""
        plain_open, low_open = builtins.open, os.open

        def counted_open(file: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
            if _WRITING & set(mode) and not isinstance(file, int) and os.fspath(file) != os.devnull:
                self.count(f"open {file}")
            return plain_open(file, mode, *arguments, **options)

        def counted_low_open(path: Any, flags: int, *arguments: Any, **options: Any) -> Any:
            if flags & (os.O_WRONLY | os.O_RDWR):
                self.count(f"open {path}")
            return low_open(path, flags, *arguments, **options)

        builtins.open = io.open = counted_open  # type: ignore[assignment]
        os.open = counted_low_open


def run() -> None:
    """Be the program."""
    counted = Counted(sys.argv[1], int(sys.argv[2]))
    sys.argv = ["experiment", *sys.argv[3:]]
    for name in _NAMES:
        counted.wrap(os, name)
    counted.wrap_open()
    code = 0
    try:
        main()
    except SystemExit as error:
        code = int(error.code or 0)
    sys.stdout.flush()
    os._exit(code if counted.is_over else 77)


if __name__ == "__main__":
    run()

"""Imports every experiment and parameter file in a child process, and tells everything that is wrong with them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curifactory.errors import CurifactoryError
from curifactory.parameters.checking import check_values
from curifactory.project.listing import Listed, show_path
from curifactory.project.project import Project

EXPERIMENT = "experiment"
PARAMS = "parameter file"
_PLACE = re.compile(r"(?P<file>[^\s():]+\.\w+):(?P<line>\d+)(?::(?P<column>\d+))?")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one file.

    Parameters
    ----------
    kind : str
        ``experiment`` or ``parameter file``.
    name : str
        Its dotted name.
    file : str
        Where to look, relative to the project: the file itself or one that it imports.
    line, column : int or None
        Where in that file, as far as it is known.
    error : str
        What is wrong, in one or more lines.
    """

    kind: str
    name: str
    file: str
    line: int | None
    column: int | None
    error: str

    @property
    def place(self) -> str:
        """Where to look, as editors take it: ``features.py:14``."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)

    def to_json(self) -> dict[str, Any]:
        """Return the fault as JSON values."""
        return {
            "kind": self.kind,
            "name": self.name,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "error": self.error,
        }


def check_project(project: Project) -> list[Fault]:
    """Import all experiments and parameter files, in a process of its own, and return everything that is wrong.

    What they print goes to standard error. A file whose import ends the process is a fault, too, and the others are
    imported all the same.

    Parameters
    ----------
    project : Project
        The project.
    """
    pending = [(EXPERIMENT, each) for each in project.list_experiments()]
    pending += [(PARAMS, each) for each in project.list_parameter_files()]
    faults: list[Fault] = []
    broken: set[Path] = set()
    while pending:
        told, code = _ask_child(project, [(kind, each.name) for kind, each in pending])
        for (kind, listed), error in zip(pending, told, strict=False):
            # One that cannot be imported as an experiment gives no sets either, and says why once.
            if error is not None and listed.file not in broken:
                broken.add(listed.file)
                faults.append(_make_fault(kind, listed, error, project.root))
        pending = pending[len(told) :]
        if pending:
            kind, listed = pending.pop(0)
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            broken.add(listed.file)
            faults.append(_make_fault(kind, listed, f"Importing it ended the process ({how}).", project.root))
    return faults


def _ask_child(project: Project, files: list[tuple[str, str]]) -> tuple[list[str | None], int]:
    """Return what is wrong with each file, as far as the child came, and its exit code."""
    done = subprocess.run(
        [sys.executable, "-B", "-m", __name__, str(project.root), json.dumps(files)],
        cwd=project.root,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
    )
    return [json.loads(line) for line in done.stdout.splitlines()], done.returncode


def _make_fault(kind: str, listed: Listed, error: str, root: Path) -> Fault:
    # The innermost place of the project stands last in a message, such as `(features.py:14)`.
    places = [match for match in _PLACE.finditer(error) if (root / match["file"]).is_file()]
    file, line, column = places[-1].groups() if places else (show_path(listed.file, root), None, None)
    return Fault(
        kind=kind,
        name=listed.name,
        file=file,
        line=None if line is None else int(line),
        column=None if column is None else int(column),
        error=_leave_out(error, file, line, root),
    )


def _leave_out(error: str, file: str, line: str | None, root: Path) -> str:
    """Return a message without the place that is told beside it."""
    file = re.escape(file)
    place = file if line is None else rf"{file}:{line}"
    error = re.sub(rf" \((?:at )?(?:{re.escape(str(root))}/)?{place}\)", "", error)
    return re.sub(rf"(^|: )(?:{place}(?::\d+)?|{file}): ", r"\1", error)


def _check_here(root: Path, files: list[tuple[str, str]]) -> Iterator[str | None]:
    project = Project.find(root)
    for kind, name in files:
        try:
            if kind == EXPERIMENT:
                project.load_experiment(name)
            else:
                check_values((params, "") for params in project.load_sets(name))
        except CurifactoryError as error:
            notes = "".join(f" ({note})" for note in getattr(error, "__notes__", []))
            yield f"{error}{notes}"
        else:
            yield None


def main() -> None:
    """Check files in this process; what is wrong with each is a line of JSON on standard output."""
    # What people print while they are imported must not stand between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for error in _check_here(Path(sys.argv[1]), json.loads(sys.argv[2])):
        answers.write(f"{json.dumps(error)}\n")
        answers.flush()


if __name__ == "__main__":
    main()

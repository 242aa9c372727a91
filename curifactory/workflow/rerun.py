"""Runs a request that was written down, in a process of its own: what a reproduction starts in its work tree."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from curifactory.core.events import CallEnded
from curifactory.errors import CurifactoryError
from curifactory.project.project import Project
from curifactory.project.sources import read_settings
from curifactory.workflow.experiment import run_experiment
from curifactory.workflow.request import RunRequest


def main(place: str) -> int:
    """Run what a file asks for, in the project that it names; write beside it which modules came from elsewhere.

    Parameters
    ----------
    place : str
        A JSON file with ``request``, ``root`` (the project) and ``original`` (the work tree that nothing may come from).

    Returns
    -------
    int
        0 if the run is complete, else 1.
    """
    wanted = json.loads(Path(place).read_text(encoding="utf-8"))
    root = Path(wanted["root"])
    # Not found by its marks: a tree whose settings no commit has must not be taken for the project around it.
    loaded = read_settings(root)
    project = Project(root, loaded.settings, loaded.sources)
    code = 0
    try:
        run_experiment(
            RunRequest.from_json(wanted["request"]),
            project=project,
            listeners=(_tell,),
            keep_values=False,
            report=False,
        )
    except CurifactoryError as error:
        sys.stderr.write(f"{error}\n")
        code = 1
    strays = find_strays(root, Path(wanted["original"]))
    Path(f"{place}.strays").write_text(json.dumps(strays), encoding="utf-8")
    return code


def find_strays(root: Path, original: Path) -> list[str]:
    """Return the files of loaded modules that lie in the original work tree and not in the project that is run.

    Parameters
    ----------
    root : Path
        The project.
    original : Path
        The work tree whose code must not be used.

    Examples
    --------
    >>> find_strays(Path("/project"), Path("/nowhere"))
    []
    """
    package = __name__.partition(".")[0]
    found = set()
    for name, module in list(sys.modules.items()):
        place = getattr(module, "__dict__", {}).get("__file__")
        if not isinstance(place, str) or name.partition(".")[0] == package or name == "__main__":
            continue
        path = Path(place)
        installed = "site-packages" in path.parts or path.is_relative_to(sys.prefix)
        if path.is_relative_to(original) and not path.is_relative_to(root) and not installed:
            found.add(path.relative_to(original).as_posix())
    return sorted(found)


def _tell(event: Any) -> None:
    if isinstance(event, CallEnded):
        sys.stdout.write(f"{event.outcome.value:<9}  {event.name}  {event.record_name}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

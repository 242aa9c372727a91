"""What is written down about a run when it starts: where, when, by which words, code, packages and parameters."""

from __future__ import annotations

import getpass
import os
import platform
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

from curifactory.core.outcomes import RunOutcome
from curifactory.core.secrets import mask_arguments
from curifactory.identity.parameters import set_digest
from curifactory.parameters.lossless import dump_set, shown_set
from curifactory.project.project import Project
from curifactory.provenance.command import command_line, read_arguments
from curifactory.provenance.environment import python_version
from curifactory.provenance.git import GitState, reading_git_state
from curifactory.version import __version__

RUN_FORMAT = 1


def describe_run(
    *,
    experiment: str,
    reference: str,
    number: int,
    outcome: RunOutcome,
    started_at: datetime,
    command: Sequence[str] | None,
    notes: str | None,
    git: GitState | None,
) -> dict[str, Any]:
    """Return the facts that a run's ``run.json`` begins with.

    Parameters
    ----------
    experiment, reference, number, outcome, started_at
        What the run is.
    command : sequence of str or None
        The words that started it; those of the process if None.
    notes : str or None
        The person's.
    git : GitState or None
        State of the repository.
    """
    words = mask_arguments(list(command) if command else read_arguments())
    return {
        "format": RUN_FORMAT,
        "reference": reference,
        "experiment": experiment,
        "number": number,
        "outcome": outcome.value,
        "live": outcome is RunOutcome.LIVE,
        "started_at": started_at.isoformat(timespec="milliseconds"),
        "finished_at": None,
        "command": words,
        "command_line": command_line(words or None),
        "host": platform.node(),
        "user": _user(),
        "pid": os.getpid(),
        "python": python_version(),
        "curifactory": __version__,
        "notes": notes,
        "tags": [],
        "git": None if git is None else git.to_json(),
        "error": None,
        "traceback": None,
    }


def reading_git(project: Project) -> AbstractContextManager[Callable[[], GitState | None]]:
    """Have the state of the project's repository read meanwhile, without what runs write themselves."""
    return reading_git_state(project.root, exclude=result_folders(project))


def result_folders(project: Project) -> list[Path]:
    """Return the folders that runs write to, whose files make no work tree dirty."""
    return [project.data_folder, project.cache_folder, project.runs_folder, project.reports_folder]


def describe_sets(sets: Iterable[tuple[Any, str | None]]) -> list[dict[str, Any]]:
    """Return parameter sets as they are kept with a run: rebuildable and readable.

    Parameters
    ----------
    sets : iterable of (params, str or None)
        Each set with the file it came from.
    """
    return [_describe_set(params, file) for params, file in sets]


def _describe_set(params: Any, file: str | None) -> dict[str, Any]:
    kind = type(params)
    return {
        "name": str(getattr(params, "name", None)),
        "hash": getattr(params, "hash", None) or set_digest(params)[:32],
        "file": file,
        "class": f"{kind.__module__}:{kind.__qualname__}",
        "value": dump_set(params),
        "shown": shown_set(params),
    }


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        # A container may run under a number that nobody has given a name.
        return None

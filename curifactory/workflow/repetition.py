"""Repeating a run: a process in a folder with the run's code, in surroundings as near to those of the run as can be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from curifactory.core.secrets import MASK
from curifactory.errors import StoreError
from curifactory.provenance.environment import restore_variables
from curifactory.store.run import Run
from curifactory.store.runs import RunStore
from curifactory.workflow.request import RunRequest

_FOLDERS = {
    "CURIFACTORY_MANAGER_CACHE_PATH": "data",
    "CURIFACTORY_CACHE_PATH": "data/cache",
    "CURIFACTORY_RUNS_PATH": "data/runs",
    "CURIFACTORY_REPORTS_PATH": "reports",
    "CURIFACTORY_NOTEBOOKS_PATH": "notebooks",
    "CURIFACTORY_LOGS_PATH": "logs",
}
_LINES_OF_AN_ERROR = 5


@dataclass(frozen=True, slots=True)
class Task:
    """How a run is done again.

    Parameters
    ----------
    request : RunRequest or None
        What was asked of ``run_experiment``.
    script : tuple of str
        The words after ``python`` of a run that a script made; empty if there is a request.
    experiment : str
        Name of the experiment.
    """

    request: RunRequest | None
    script: tuple[str, ...]
    experiment: str


def read_task(run: Run) -> Task:
    """Return how a run can be done again, by what is written down of it.

    Raises
    ------
    StoreError
        If there is nothing that would do it again: it was made by hand in a notebook or an interactive session, or
        with a secret.
    """
    asked = run.facts.get("request")
    if asked is not None:
        if MASK in json.dumps(asked):
            raise StoreError(
                f"{run.reference} was given a secret, which is not recorded, so it cannot be done again.",
                hint="Give secrets by environment variables that the code reads.",
            )
        return Task(RunRequest.from_json(asked), (), run.experiment)
    words = [str(word) for word in run.facts.get("command") or ()]
    if words[:1] == ["python"] and len(words) > 1 and words[1] != "-c" and MASK not in words:
        return Task(None, tuple(words[1:]), run.experiment)
    made = str(run.facts.get("command_line") or "(nobody knows how)")
    raise StoreError(
        f"What made {run.reference} is not recorded: {made}. Only runs of experiments and of scripts can be done again.",
        hint="Execute its notebook again; what is finished is reused.",
    )


@dataclass(frozen=True, slots=True)
class Repeated:
    """What came of doing a run again.

    Parameters
    ----------
    run : Run or None
        The new run; None if it could not even begin.
    error : str
        Its last words on standard error, if it failed.
    strays : tuple of str
        Modules that came from the present work tree and not from the code of the run.
    """

    run: Run | None
    error: str
    strays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Places:
    """Where a run is done again.

    Parameters
    ----------
    root : Path
        The project in the folder with the code of the run.
    tree : Path
        Top of the work tree that this project lies in; what is noted of the process lies beside it.
    original : Path
        The work tree that people work in, of which nothing may be used.
    then : str
        Top of the work tree that the run was made in.
    """

    root: Path
    tree: Path
    original: Path
    then: str


def repeat(
    task: Task, places: Places, variables: Mapping[str, str] | None, *, output: IO[str] | None = None
) -> Repeated:
    """Do a run again in a folder with its code, with a cache and runs of its own.

    Parameters
    ----------
    task : Task
        What to do.
    places : Places
        Where.
    variables : mapping or None
        The environment variables that the run has kept, None if it has kept none.
    output : file, optional
        Takes a line for each call that has ended.

    Returns
    -------
    Repeated
        The run that was made.
    """
    order = places.tree.parent / "repeat.json"
    command = [sys.executable, *_write_order(task, order, places)]
    environment = _make_environment(variables, _iter_module_path(places, variables))
    said = places.tree.parent / "repeat.err"
    with said.open("w+", encoding="utf-8", errors="replace") as errors:
        code = _wait_for(command, places.root, environment, errors, output)
        errors.seek(0)
        lines = [line.rstrip() for line in errors if line.strip()]
    strays = Path(f"{order}.strays")
    return Repeated(
        _find_run(places.root, task.experiment),
        "\n".join(lines[-_LINES_OF_AN_ERROR:]) if code else "",
        tuple(json.loads(strays.read_text(encoding="utf-8"))) if strays.exists() else (),
    )


def _wait_for(
    command: list[str], folder: Path, environment: dict[str, str], errors: IO[str], output: IO[str] | None
) -> int:
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    try:
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        with process.stdout as lines:
            for line in lines:
                if output is not None:
                    output.write(line)
                    output.flush()
        return process.wait()
    except BaseException:
        # Ctrl-C reached the process too; it writes down how far it came.
        _end(process)
        raise


def _write_order(task: Task, order: Path, places: Places) -> list[str]:
    if task.request is None:
        # A script finds the modules beside it, as it did.
        return list(task.script)
    request = replace(
        task.request, cache=None, store_full=False, dry_cache=False, overwrite=False, overwrite_stages=()
    )
    wanted = {"request": request.to_json(), "root": str(places.root), "original": str(places.original)}
    order.write_text(json.dumps(wanted), encoding="utf-8")
    return ["-P", "-m", "curifactory.workflow.rerun", str(order)]


def _make_environment(variables: Mapping[str, str] | None, module_path: Iterable[str]) -> dict[str, str]:
    environment = dict(os.environ) if variables is None else restore_variables(os.environ, variables)
    environment.update(_FOLDERS)
    environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(module_path))
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    return environment


def _iter_module_path(places: Places, variables: Mapping[str, str] | None) -> Iterator[str]:
    """Give the folders that modules come from: those of the work tree, here or then, become those of the other one."""
    tree, original, then = places.tree, places.original, places.then
    home = Path(__file__).resolve().parents[2]
    for entry in filter(None, (variables or {}).get("PYTHONPATH", "").split(os.pathsep)):
        path = Path(os.path.normpath(entry))
        if then and path.is_relative_to(then) and (tree / path.relative_to(then)).is_dir():
            yield str(tree / path.relative_to(then))
    for entry in map(os.path.abspath, filter(None, sys.path)):
        path = Path(entry)
        inside = path.is_relative_to(original) and path != home
        if inside and "site-packages" not in path.parts and not path.is_relative_to(sys.prefix):
            there = tree / path.relative_to(original)
            if there.is_dir():
                yield str(there)
    if (tree / "src").is_dir():
        yield str(tree / "src")
    for entry in filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)):
        path = Path(os.path.abspath(entry))
        if not path.is_relative_to(original) or path == home:
            yield entry
    if "site-packages" not in home.parts:
        yield str(home)


def _find_run(root: Path, experiment: str) -> Run | None:
    runs = RunStore(root / "data" / "runs")
    return runs.find("-1", experiment=experiment)


def _end(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def link_along(paths: Sequence[Path], *, original: Path, tree: Path) -> None:
    """Put links to files and folders of the present work tree where the code of a run looks for them.

    Parameters
    ----------
    paths : sequence of Path
        Absolute paths.
    original, tree : Path
        Tops of the two work trees.

    Raises
    ------
    StoreError
        If a path is not there, or not in the work tree.
    """
    for path in paths:
        if not path.exists() or not path.is_relative_to(original):
            where = "does not exist" if not path.exists() else f"is not in {original}"
            raise StoreError(f"{path} cannot be taken along: it {where}.")
        there = tree / path.relative_to(original)
        there.parent.mkdir(parents=True, exist_ok=True)
        if there.is_dir() and not there.is_symlink():
            import shutil

            shutil.rmtree(there)
        else:
            there.unlink(missing_ok=True)
        there.symlink_to(path)

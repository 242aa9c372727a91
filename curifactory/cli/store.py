"""The store of runs as reading verbs open it: no file is changed."""

from __future__ import annotations

from curifactory.errors import DiscoveryError
from curifactory.project.nearest import suggest
from curifactory.project.project import Project
from curifactory.store.index import Index
from curifactory.store.layout import Layout
from curifactory.store.runs import RunStore


def open_runs(project: Project) -> RunStore:
    """Open the runs of a project for reading."""
    index = Index(Layout(project.cache_folder).index_path, read_only=True)
    return RunStore(project.runs_folder, index)


def check_experiment(name: str, project: Project, with_runs: list[str]) -> None:
    """Refuse the name of an experiment that neither has runs nor exists.

    Parameters
    ----------
    name : str
        What was written.
    project : Project
        Knows the experiments.
    with_runs : list of str
        Experiments that have runs; they may have been deleted, or live in a notebook.

    Raises
    ------
    DiscoveryError
        With the nearest names.
    """
    known = list(dict.fromkeys([*with_runs, *(listed.name for listed in project.list_experiments())]))
    if name not in known:
        raise DiscoveryError(
            f"No experiment named '{name}'.", hint=suggest(name, known, nothing="There is none yet.")
        )

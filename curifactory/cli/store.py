"""The store as verbs open it: no file is changed unless that is what the verb is for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from curifactory.core.nearest import suggest
from curifactory.errors import DiscoveryError
from curifactory.project.project import Project
from curifactory.store.index import Index
from curifactory.store.layout import Layout
from curifactory.store.runs import RunStore

if TYPE_CHECKING:
    from curifactory.store.artifacts import ArtifactFiles
    from curifactory.store.traces import TraceStore


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


class Cache(NamedTuple):
    """Everything that is asked about artifacts.

    Parameters
    ----------
    layout : Layout
        Where things lie.
    files : ArtifactFiles
        The files of artifacts.
    traces : TraceStore
        The traces.
    runs : RunStore
        The runs.
    index : Index
        What is quickly known of them all.
    """

    layout: Layout
    files: ArtifactFiles
    traces: TraceStore
    runs: RunStore
    index: Index  # type: ignore[assignment]  # nobody looks for a value in it


@contextmanager
def open_cache(project: Project, *, writes: bool = False) -> Iterator[Cache]:
    """Open the store of a project, for reading unless something is to be changed."""
    from curifactory.store.artifacts import ArtifactFiles
    from curifactory.store.traces import TraceStore

    layout = Layout(project.cache_folder)
    with Index(layout.index_path, read_only=not writes) as index:
        files = ArtifactFiles(layout, index)
        traces = TraceStore(layout, index, files=files)
        yield Cache(layout, files, traces, RunStore(project.runs_folder, index), index)
        traces.close()
        files.close()

"""Opening what a run works with: project, store, run folder, events, engine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from curifactory.core.events import EventStream, Warned
from curifactory.engine.engine import Engine, Surroundings
from curifactory.engine.options import EngineOptions
from curifactory.identity.fingerprint import Scope
from curifactory.project.project import Project
from curifactory.store.artifacts import ArtifactFiles
from curifactory.store.index import Index
from curifactory.store.layout import Layout
from curifactory.store.recorder import Recorder
from curifactory.store.reference import Reference
from curifactory.store.runs import RunFolder, RunStore
from curifactory.store.traces import TraceStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How a manager is to be put together.

    Parameters
    ----------
    experiment : str
        Name of the experiment.
    live : bool
        Whether this is a notebook, REPL or script, where calls are executed as they are made.
    writes_runs : bool
        Whether the run is recorded.
    writes_cache : bool
        Whether artifacts and traces are saved.
    options : mapping of str to Any
        Further fields of :class:`EngineOptions`.
    """

    experiment: str
    live: bool
    writes_runs: bool
    writes_cache: bool
    options: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a run works with."""

    project: Project
    layout: Layout
    files: ArtifactFiles
    traces: TraceStore
    index: Index
    runs: RunStore
    run: RunFolder | None
    reference: str
    number: int
    events: EventStream
    recorder: Recorder | None
    engine: Engine

    def close(self) -> None:
        """Write what is waiting and let go of the store; a later read opens it again."""
        self.traces.close()
        self.files.close()
        self.index.close()


def assemble(project: Project, wishes: Wishes, listeners: Sequence[Any] = ()) -> Parts:
    """Open the store, claim a run and build the engine.

    Raises
    ------
    StoreError
        If a run folder cannot be made.
    """
    layout = Layout(project.cache_folder)
    reads_only = not (wishes.writes_runs or wishes.writes_cache)
    events = EventStream()

    def warn(text: str) -> None:
        events.emit(Warned(text, datetime.now().astimezone()))

    index = Index(layout.index_path, read_only=reads_only, warn=warn)
    runs = RunStore(project.runs_folder, index)
    now = datetime.now().astimezone()
    run = runs.claim(wishes.experiment, now=now) if wishes.writes_runs else None
    reference = run.reference if run is not None else str(Reference.make(wishes.experiment, 0, now))
    recorder = None
    if run is not None:
        recorder = Recorder(run.path, index=index)
        events.subscribe(recorder)
    for listener in listeners:
        events.subscribe(listener)
    durable = project.settings.durable
    options = EngineOptions(
        experiment=wishes.experiment,
        run=reference,
        live=wishes.live,
        writes=wishes.writes_cache,
        **wishes.options,
    )
    files = ArtifactFiles(layout, index, durable=durable)
    traces = TraceStore(layout, index, durable=durable, files=files, warn=warn)
    surroundings = Surroundings(
        layout=layout,
        files=files,
        traces=traces,
        events=events,
        scope=Scope(project.root, tuple(project.settings.fingerprint)),
        root=project.root,
        fragments=None if run is None else run.path / "fragments",
    )
    return Parts(
        project=project,
        layout=layout,
        files=files,
        traces=traces,
        index=index,
        runs=runs,
        run=run,
        reference=reference,
        number=0 if run is None else run.number,
        events=events,
        recorder=recorder,
        engine=Engine(options, surroundings),
    )


def with_folders(project: Project, **folders: str | os.PathLike[str] | None) -> Project:
    """Return a project some of whose folders lie elsewhere for this session."""
    given: dict[str, Any] = {
        name: Path(os.path.abspath(folder)) for name, folder in folders.items() if folder is not None
    }
    return replace(project, settings=replace(project.settings, **given)) if given else project

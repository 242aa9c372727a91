"""Opening what a run works with: project, store, run folder, events, engine."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from curifactory.core.events import EventStream, Warned
from curifactory.core.working_folder import working_folder
from curifactory.engine.engine import Engine
from curifactory.engine.hands import Hands
from curifactory.engine.options import EngineOptions
from curifactory.engine.surroundings import Surroundings
from curifactory.manager.hearing import Hearing
from curifactory.project.project import Project
from curifactory.store.artifacts import ArtifactFiles
from curifactory.store.full_store import cache_folder_of
from curifactory.store.index import Index
from curifactory.store.last_uses import LastUses
from curifactory.store.layout import Layout
from curifactory.store.recorder import Recorder
from curifactory.store.reference import Reference
from curifactory.store.runs import RunFolder, RunStore
from curifactory.store.store_lock import StoreLock
from curifactory.store.traces import TraceStore

if TYPE_CHECKING:
    from curifactory.executors.executor import Setup


class Wishes(NamedTuple):
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
    log : bool
        Whether the run has a log.
    all_loggers : bool, optional
        Whether its log has what other libraries say, too; as the setting says if None.
    trust : bool
        Whether what can run code is loaded although the store came from elsewhere; it then counts as one's own.
    store_full : bool
        Whether the files of every call are wanted, for a full store of the run.
    follows : bool
        Whether it is another process of the same launch that keeps the run.
    """

    experiment: str
    live: bool
    writes_runs: bool
    writes_cache: bool
    options: dict[str, Any]
    log: bool = True
    all_loggers: bool | None = None
    trust: bool = False
    store_full: bool = False
    follows: bool = False


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
    lock: StoreLock
    hearing: Hearing | None = None

    def close(self) -> None:
        """Write what is waiting and let go of the store; a later read opens it again."""
        if self.hearing is not None:
            self.hearing.close()
        self.traces.close()
        self.files.close()
        self.index.close()
        self.lock.release()


def assemble(project: Project, wishes: Wishes, listeners: Sequence[Any] = ()) -> Parts:
    """Open the store, claim a run and build the engine.

    Raises
    ------
    StoreError
        If a run folder cannot be made.
    """
    if wishes.trust:
        # So that workers of the run know it, too.
        project = replace(project, settings=replace(project.settings, trust=True))
    layout = Layout(project.cache_folder)
    reads_only = not (wishes.writes_runs or wishes.writes_cache)
    events = EventStream()

    def warn(text: str) -> None:
        events.emit(Warned(text, datetime.now().astimezone()))

    lock = StoreLock(layout, warn=warn)
    if not wishes.live:
        # A session may stay open for days: it holds the lock for as long as each of its calls takes.
        lock.share(create=wishes.writes_cache)
    index = Index(layout.index_path, read_only=reads_only, warn=warn)
    runs = RunStore(project.runs_folder, index)
    run, reference = _claim(runs, wishes)
    recorder = None if run is None else Recorder(run.path, index=index, log=wishes.log)
    hearing = None if recorder is None else _listen(recorder, project, wishes)
    for listener in (recorder, *listeners) if recorder is not None else listeners:
        events.subscribe(listener)
    files = _open_files(layout, index, project, wishes)
    traces = TraceStore(layout, index, durable=project.settings.durable, files=files, warn=warn)
    surroundings = Surroundings(
        layout=layout,
        files=files,
        traces=traces,
        last_uses=LastUses(runs.folder, wishes.experiment, run=reference),
        events=events,
        scope=project.scope_of(wishes.experiment),
        root=project.root,
        fragments=None if run is None else run.path / "fragments",
        hands=Hands(lambda: _setup_of(parts)),
    )
    parts = Parts(
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
        engine=Engine(_options_of(wishes, project, reference), surroundings),
        lock=lock,
        hearing=hearing,
    )
    return parts


def _claim(runs: RunStore, wishes: Wishes) -> tuple[RunFolder | None, str]:
    """Return the folder of a new run and its reference; no folder of a run that is not recorded."""
    now = datetime.now().astimezone()
    if not wishes.writes_runs:
        return None, str(Reference.make(wishes.experiment, 0, now))
    run = runs.claim(wishes.experiment, now=now)
    return run, run.reference


def _options_of(wishes: Wishes, project: Project, reference: str) -> EngineOptions:
    return EngineOptions(
        experiment=wishes.experiment,
        run=reference,
        live=wishes.live,
        writes=wishes.writes_cache,
        follows=wishes.follows,
        keep_all=wishes.store_full,
        seed=project.settings.seed,
        **wishes.options,
    )


def _listen(recorder: Recorder, project: Project, wishes: Wishes) -> Hearing | None:
    if not wishes.log:
        return None
    everybody = project.settings.all_loggers if wishes.all_loggers is None else wishes.all_loggers
    return Hearing(recorder.log, project.root, everybody=everybody)


def _open_files(layout: Layout, index: Index, project: Project, wishes: Wishes) -> ArtifactFiles:
    settings = project.settings
    files = ArtifactFiles(layout, index, durable=settings.durable, trusts=settings.trust)
    if wishes.writes_cache:
        files.ownership.claim()
        if wishes.trust:
            files.ownership.trust()
    return files


def _setup_of(parts: Parts) -> Setup:
    """Return what the workers of a run need."""
    from curifactory.engine.travel import pack
    from curifactory.executors.executor import Setup
    from curifactory.manager.worker import BEGIN, RunFacts

    engine, settings = parts.engine, parts.project.settings
    facts = RunFacts(
        project=parts.project,
        experiment="" if engine.options.live else engine.options.experiment,
        options=engine.options,
        fragments=None if parts.run is None else str(parts.run.path / "fragments"),
        stand_in=engine.folders.stand_in,
        spill=engine.spill.folder,
        session={
            "cache_path": str(settings.cache_path),
            "experiment_name": engine.options.experiment,
            "experiment_run_number": parts.number,
            "notes": None,
            "prefix": engine.options.prefix,
            "reference": parts.reference,
            "reports_path": str(settings.reports_path),
            "run_folder": None if parts.run is None else parts.run.path,
            "runs_path": str(settings.runs_path),
        },
    )
    return Setup(
        begin=BEGIN,
        initial=pack(facts),
        path=tuple(sys.path),
        folder=working_folder() or str(parts.project.root),
        threads=1,
    )


def with_folders(project: Project, **folders: str | os.PathLike[str] | None) -> Project:
    """Return a project some of whose folders lie elsewhere for this session; what lies in one of them goes with it."""
    given: dict[str, Any] = {
        name: Path(os.path.abspath(folder)) for name, folder in folders.items() if folder is not None
    }
    if "manager_cache_path" in given:
        given.setdefault("cache_path", given["manager_cache_path"] / "cache")
        given.setdefault("runs_path", given["manager_cache_path"] / "runs")
    if "cache_path" in given:
        given["cache_path"] = cache_folder_of(given["cache_path"])
    return replace(project, settings=replace(project.settings, **given)) if given else project

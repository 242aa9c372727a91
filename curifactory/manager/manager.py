"""``ArtifactManager``: one session of work on an experiment, which is one run."""

from __future__ import annotations

import atexit
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curifactory.core.events import CallEnded, MetricLogged, RecordAdded, Reported, RunFinished, RunStarted
from curifactory.core.outcomes import CallOutcome, RunOutcome
from curifactory.core.record import Record
from curifactory.core.spec import StageSpec
from curifactory.engine.execute import person_frames
from curifactory.engine.numbers import as_numbers
from curifactory.engine.rendering import render
from curifactory.errors import DefinitionError
from curifactory.manager.account import Account
from curifactory.manager.assembly import Wishes, assemble, with_folders
from curifactory.manager.description import describe_sets
from curifactory.manager.showing import Showing
from curifactory.project.project import Project

if TYPE_CHECKING:
    from curifactory.engine.plan import Plan


class ArtifactManager(Showing):
    """A session: it has records, a run folder, an event stream and the engine that settles calls.

    In a notebook, REPL or script one makes it oneself; the ``experiment`` command makes it for ``run()``.

    Parameters
    ----------
    experiment_name : str, optional
        Name of the experiment; begins the names of runs and files.
    dry : bool
        Write nothing at all.
    dry_cache : bool
        Read the cache, write nothing into it.
    prefix : str, optional
        Begins file names in place of the experiment's name.
    lazy, ignore_lazy : bool
        Treat every output as ``Lazy``, or none.
    notes : str, optional
        Kept with the run.
    live : bool
        Whether this is a session of a notebook, REPL or script, where calls are executed as they are made.
    eager : bool
        Whether calls are executed as they are made under a command, too.
    command : sequence of str, optional
        The words that started the run; those of the process if not given.
    project : Project, optional
        The project; found from the working folder if not given.
    listeners : sequence of callable
        Take every event from the first on.
    quiet : bool
        Show no progress in a notebook.
    cache_path, runs_path, reports_path, manager_cache_path, report_css_path : path, optional
        Folders in place of the project's.

    Raises
    ------
    ConfigurationError
        If the project's settings cannot be read.
    StoreError
        If no run folder can be made.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     manager = ArtifactManager("proto", dry=True, cache_path=f"{folder}/cache")
    ...     manager.experiment_name, manager.records
    ('proto', [])
    """

    def __init__(
        self,
        experiment_name: str | None = None,
        *,
        dry: bool = False,
        dry_cache: bool = False,
        prefix: str | None = None,
        lazy: bool = False,
        ignore_lazy: bool = False,
        notes: str | None = None,
        live: bool = True,
        eager: bool = False,
        command: Sequence[str] | None = None,
        project: Project | None = None,
        listeners: Sequence[Callable[[Any], None]] = (),
        quiet: bool = False,
        cache_path: str | os.PathLike[str] | None = None,
        runs_path: str | os.PathLike[str] | None = None,
        reports_path: str | os.PathLike[str] | None = None,
        manager_cache_path: str | os.PathLike[str] | None = None,
        report_css_path: str | os.PathLike[str] | None = None,
    ) -> None:
        self.experiment_name = experiment_name or "unnamed"
        self.project = with_folders(
            project or Project.find(),
            cache_path=cache_path or (manager_cache_path and Path(manager_cache_path) / "cache"),
            runs_path=runs_path or (manager_cache_path and Path(manager_cache_path) / "runs"),
            manager_cache_path=manager_cache_path,
            reports_path=reports_path,
            report_css_path=report_css_path,
        )
        self.dry = dry
        self.dry_cache = dry_cache
        self.prefix = prefix
        self.notes = notes
        self.live = live
        self.records: list[Record] = []
        self.outcome = RunOutcome.LIVE if live else RunOutcome.RUNNING
        self.report_path: Path | None = None
        self.last_metrics: dict[int, dict[str, float]] = {}
        self._ended: dict[int, CallOutcome] = {}
        self._reused_from: set[str] = set()
        self._hidden_records: list[Record] = []
        self._reported_outside = 0
        self._closed = False
        self._parts = assemble(
            self.project,
            Wishes(
                experiment=self.experiment_name,
                live=live,
                writes_runs=not dry,
                writes_cache=not (dry or dry_cache),
                options={"prefix": prefix, "lazy": lazy, "ignore_lazy": ignore_lazy, "eager": eager},
            ),
            [self._take, *listeners],
        )
        self._account = Account(self._parts)
        if not quiet:
            self.show_progress()
        self._begin(command)

    # ------------------------------------------------------------------------------------------------------ what it is

    @property
    def reference(self) -> str:
        """Name of the run, such as ``iris_4_2026-11-21-T101500``."""
        return self._parts.reference

    @property
    def experiment_run_number(self) -> int:
        """Number of the run among those of the experiment; 0 of a dry run."""
        return self._parts.number

    @property
    def events(self) -> Any:
        """The stream of the run's events."""
        return self._parts.events

    @property
    def engine(self) -> Any:
        """The engine that settles the run's calls."""
        return self._parts.engine

    @property
    def cache_path(self) -> str:
        """Folder of artifacts."""
        return str(self.project.cache_folder)

    @property
    def runs_path(self) -> str:
        """Folder of runs."""
        return str(self.project.runs_folder)

    @property
    def reports_path(self) -> str:
        """Folder of reports."""
        return str(self.project.reports_folder)

    @property
    def counts(self) -> dict[CallOutcome, int]:
        """How many calls have ended in which way."""
        return dict(Counter(self._ended.values()))

    @property
    def overwrite(self) -> bool:
        """Whether every call is executed, whatever could be reused. May be set in a live session."""
        return bool(self._parts.engine.options.overwrite)

    @overwrite.setter
    def overwrite(self, value: bool) -> None:
        self._parts.engine.set_options(replace(self._parts.engine.options, overwrite=bool(value)))

    @property
    def overwrite_stages(self) -> list[str]:
        """Names of stages that are executed, whatever could be reused. May be set in a live session."""
        return sorted(self._parts.engine.options.overwrite_stages)

    @overwrite_stages.setter
    def overwrite_stages(self, names: Sequence[str]) -> None:
        self._parts.engine.set_options(replace(self._parts.engine.options, overwrite_stages=frozenset(names)))

    def get_reference_name(self) -> str:
        """Return the name of the run."""
        return self.reference

    def get_artifact_path(
        self,
        obj_name: str,
        record: Record,
        subdir: str | None = None,
        prefix: str | None = None,
        stage_name: str | None = None,
    ) -> str:
        """Return the path in the cache for a file of a record.

        Parameters
        ----------
        obj_name : str
            Name of the file with its extension.
        record : Record
            Whose file it is.
        subdir, prefix, stage_name : str, optional
            As in :meth:`Record.get_path`.
        """
        return self.path_of(record, obj_name, subdir=subdir, prefix=prefix, stage_name=stage_name)

    # --------------------------------------------------------------------------------------- what records ask of it

    def add_record(self, record: Record, *, copied_from: Record | None) -> int:
        """Take a record into the run and return its index among all records, hidden ones after the others."""
        if record.hidden:
            self._hidden_records.append(record)
            return -len(self._hidden_records)
        index = len(self.records)
        self.records.append(record)
        record.index = index
        identity = self._parts.engine.identifier.parameters_of(record.params)
        params_name = None if record.params is None else identity.name
        copied = None if copied_from is None else copied_from.index
        self.events.emit(RecordAdded(index, record.get_reference_name(), params_name, identity.short, copied))
        return index

    def call_stage(
        self, spec: StageSpec, record: Record, records: Sequence[Record] | None, overrides: Mapping[str, Any]
    ) -> None:
        """Apply a stage to a record; called by the decorated function.

        Raises
        ------
        DefinitionError
            If the run is over, or a stage uses a record that it was not given.
        """
        if self._closed and not self.live:
            raise DefinitionError(
                f"The run {self.reference} is over; '{spec.name}' cannot be called any more."
            )
        if self._parts.engine.executing:
            raise DefinitionError(
                f"Stage '{self._parts.engine.executing[-1].name}' calls '{spec.name}' on a record that it was not given.",
                hint="Inside a stage, call others with the record of its first argument.",
            )
        self._parts.engine.add_call(spec, record, records, overrides)

    def hash_of(self, record: Record) -> str:
        """Return the hash that names a record's files."""
        return self._parts.engine.hash_of(record)

    def path_of(
        self,
        record: Record,
        name: str,
        *,
        subdir: str | None = None,
        prefix: str | None = None,
        stage_name: str | None = None,
        track: bool = True,
        folder: bool = False,
    ) -> str:
        """Return a path in the cache for a file that is written outside of a stage."""
        stage = stage_name or (record.stages[-1] if record.stages else "")
        path: str = self._parts.engine.labels.own_path(
            name, params_hash=record.get_hash(), stage=stage, prefix=prefix, subdir=subdir
        )
        os.makedirs(path if folder else os.path.dirname(path), exist_ok=True)
        return path

    def report(self, record: Record, reportable: Any) -> None:
        """Take a reportable that was reported outside of a stage."""
        place = f"record-{record.index}"
        folder = self._parts.engine.fragments_folder(place)
        if folder is None:
            return
        stage = record.stages[-1] if record.stages else None
        number = self._reported_outside
        self._reported_outside += 1
        given = getattr(reportable, "name", None)
        fragment = render(reportable, folder, f"{given}_{number}" if given else f"{stage or 'run'}_{number}")
        if given:
            fragment = replace(fragment, name=given)
        self.events.emit(Reported(record.index, None, stage, place, fragment))

    def log_metrics(
        self, record: Record, type: str, values: Mapping[str, Any], *, step: int | None, epoch: int | None
    ) -> None:
        """Take metrics that were logged outside of a stage."""
        now = datetime.now().astimezone()
        self.events.emit(MetricLogged(record.index, None, type, as_numbers(values), step, epoch, now))

    # ------------------------------------------------------------------------------------------------ planning, running

    def plan(self) -> Plan:
        """Return what is to happen to the calls made so far; nothing is executed."""
        return self._parts.engine.plan()

    def keep_sets(self, sets: Sequence[tuple[Any, str | None]]) -> None:
        """Keep the parameter sets of the run, each with its file, so that they can be read and rebuilt later."""
        if self._parts.recorder is not None:
            self._parts.recorder.write_document("parameters.json", describe_sets(sets))

    def keep_facts(self, **facts: Any) -> None:
        """Keep facts of the run in its ``run.json``."""
        self._account.keep(**facts)

    def finish(self, error: BaseException | None = None) -> None:
        """End the run: tell what became of every call, and of the run itself.

        Parameters
        ----------
        error : exception, optional
            What ended it before its time.
        """
        if self._closed:
            return
        self._closed = True
        self._parts.engine.close(reached_end=error is None)
        self._account.end(
            reused_from=self._reused_from - {self.reference}, unread=self._parts.engine.unread_parameters
        )
        self.keep_live_sets()
        self.outcome = _outcome_of(error, live=self.live)
        text = None if error is None else f"{type(error).__name__}: {error}"
        frames = None if error is None else person_frames(error)
        self.events.emit(RunFinished(self.outcome, datetime.now().astimezone(), text, frames))
        if self._parts.recorder is not None:
            self._parts.recorder.close()
        self._parts.close()
        atexit.unregister(self.finish)

    def keep_live_sets(self) -> None:
        """Keep the parameter sets of a live session, which are known only from its records."""
        if self.live:
            sets = {id(record.params): record.params for record in self.records if record.params is not None}
            self.keep_sets([(params, None) for params in sets.values()])

    def __repr__(self) -> str:
        return f"<ArtifactManager {self.reference}: {len(self.records)} records, {self.outcome.value}>"

    def _begin(self, command: Sequence[str] | None) -> None:
        """Write down what the run is, and take care that it is closed."""
        now = datetime.now().astimezone()
        self._account.begin(
            experiment=self.experiment_name,
            outcome=self.outcome,
            now=now,
            command=command,
            notes=self.notes,
        )
        self.events.emit(RunStarted(self.reference, now))
        atexit.register(self.finish)

    def _take(self, event: Any) -> None:
        """Keep in mind what the end of the run is told with."""
        kind = type(event)
        if kind is MetricLogged:
            last = self.last_metrics.get(event.record)
            if last is None:
                last = self.last_metrics[event.record] = {}
            last.update(event.values)
        elif kind is CallEnded:
            self._ended[event.index] = event.outcome
            self._reused_from.update(output.run for output in event.outputs if output.run)


def _outcome_of(error: BaseException | None, *, live: bool) -> RunOutcome:
    if error is None:
        return RunOutcome.LIVE if live else RunOutcome.COMPLETE
    interrupted = isinstance(error, (KeyboardInterrupt, SystemExit))
    return RunOutcome.INTERRUPTED if interrupted else RunOutcome.FAILED

"""``ArtifactManager``: one session of work on an experiment, which is one run."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from curifactory.core.events import RunFinished, RunStarted
from curifactory.core.last_metrics import LastMetrics
from curifactory.core.outcomes import CallOutcome, RunOutcome
from curifactory.core.record import Record
from curifactory.errors import CurifactoryError
from curifactory.manager.account import Account, check_full_store, find_end_of_script, outcome_of, tell_end
from curifactory.manager.assembly import Wishes, assemble, with_folders
from curifactory.manager.description import describe_sets
from curifactory.manager.ends import Ends
from curifactory.manager.record_session import RecordSession
from curifactory.manager.showing import Showing
from curifactory.project.project import Project
from curifactory.provenance.ranks import is_follower
from curifactory.store.forks import stays_here

if TYPE_CHECKING:
    from curifactory.engine.plan import Plan
    from curifactory.executors.executor import Executor


class ArtifactManager(Showing, RecordSession):
    """A session: it has records, a run folder, an event stream and the engine that settles calls.

    In a notebook, REPL or script one makes it oneself; the ``experiment`` command makes it for ``run()``. A ``with`` block finishes
    it at its end.

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
    store_full : bool
        Keep everything that the run stands on in its folder, which can then be the cache of other runs.
    notes : str, optional
        Kept with the run.
    live : bool
        Whether this is a session of a notebook, REPL or script, where calls are executed as they are made.
    eager : bool
        Whether calls are executed as they are made under a command, too.
    trust : bool
        Whether pickles are loaded although the data folder came from elsewhere; it then counts as one's own.
    log : bool
        Whether the run has a log.
    all_loggers : bool, optional
        Whether its log has what other libraries say, too; as the setting says if None.
    command : sequence of str, optional
        The words that started the run; those of the process if not given.
    project : Project, optional
        The project; found from the working folder if not given.
    listeners : sequence of callable
        Take every event from the first on.
    quiet : bool
        Show no progress in a notebook, and no warnings in a script.
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

    report_path: Path | None = None

    def __init__(
        self,
        experiment_name: str | None = None,
        *,
        dry: bool = False,
        dry_cache: bool = False,
        prefix: str | None = None,
        lazy: bool = False,
        ignore_lazy: bool = False,
        store_full: bool = False,
        notes: str | None = None,
        live: bool = True,
        eager: bool = False,
        trust: bool = False,
        log: bool = True,
        all_loggers: bool | None = None,
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
        super().__init__()
        self.experiment_name = experiment_name or "unnamed"
        self.project = with_folders(
            project or Project.find(),
            manager_cache_path=manager_cache_path,
            cache_path=cache_path,
            runs_path=runs_path,
            reports_path=reports_path,
            report_css_path=report_css_path,
        )
        self.dry = dry or is_follower()
        self.dry_cache, self.live, self.prefix, self.notes = dry_cache, live, prefix, notes
        self.store_full = check_full_store(store_full, dry=dry, dry_cache=dry_cache)
        self.outcome = RunOutcome.LIVE if live else RunOutcome.RUNNING
        self._ends = Ends()
        self._parts = assemble(
            self.project,
            Wishes(
                experiment=self.experiment_name,
                live=live,
                writes_runs=not self.dry,
                writes_cache=not (self.dry or dry_cache),
                trust=trust,
                log=log,
                all_loggers=all_loggers,
                store_full=store_full,
                options={"prefix": prefix, "lazy": lazy, "ignore_lazy": ignore_lazy, "eager": eager},
                follows=is_follower() and not (dry or dry_cache),
            ),
            [self._ends, *listeners],
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
    def last_metrics(self) -> LastMetrics:
        """The last value of each metric of each record."""
        return self._ends.last_metrics

    @property
    def counts(self) -> dict[CallOutcome, int]:
        """How many calls have ended in which way."""
        return self._ends.counts()

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

    def work_with(
        self,
        executor: Executor | None,
        *,
        keep_going: bool = False,
        retries: int = 0,
        timeout_s: float | None = None,
    ) -> None:
        """Let an executor execute the calls of the run, and say what is done about those that fail.

        Parameters
        ----------
        executor : Executor or None
            None executes them here, in call order.
        keep_going : bool
            Go on after a call has failed, with all that does not need it.
        retries : int
            How often a call is tried again at least.
        timeout_s : float, optional
            After which an execution is stopped, unless its stage says otherwise. Only an executor that works in other
            processes can do that.
        """
        engine = self._parts.engine
        engine.hands.executor = executor
        engine.set_options(
            replace(engine.options, keep_going=keep_going, retries=retries, timeout_s=timeout_s)
        )

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
        obj_name, record, subdir, prefix, stage_name
            As in :meth:`Record.get_path` of the record.
        """
        return self.path_of(record, obj_name, subdir=subdir, prefix=prefix, stage_name=stage_name)

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

    def keep_sweep(self, facts: Mapping[str, Any], place: int | None = None) -> int:
        """Keep a sweep of the run, or at its place more of one that is kept already; return its place among them."""
        return self._account.keep_sweep(facts, place)

    def finish(self, error: BaseException | None = None) -> None:
        """End the run: tell what became of every call, and of the run itself.

        Parameters
        ----------
        error : exception, optional
            What ended it before its time.

        Raises
        ------
        CacheError
            If the full store that was asked for could not be written; the run is recorded all the same.
        StoreError
            If the run's folder cannot be written.
        """
        if self._closed or self._is_childs:
            return
        self._closed = True
        atexit.unregister(self._finish_at_exit)
        fault = None
        with ExitStack() as closing:
            # Where the disk takes no more everything is closed all the same, and nobody told of it twice.
            closing.callback(self._parts.close)
            if self._parts.recorder is not None:
                closing.callback(self._parts.recorder.close)
            self._parts.engine.close(reached_end=error is None)
            self._account.end(
                reused_from=self._ends.reused_from - {self.reference},
                unread=self._parts.engine.unread_parameters,
            )
            fault = self._account.keep_full_store() if self.store_full else None
            self.keep_live_sets()
            self.outcome = outcome_of(error, live=self.live)
            self.events.emit(RunFinished(self.outcome, datetime.now().astimezone(), *tell_end(error)))
        if fault is not None and error is None:
            raise fault

    def keep_live_sets(self) -> None:
        """Keep the parameter sets of a live session, which are known only from its records."""
        if self.live:
            sets = {id(record.params): record.params for record in self.records if record.params is not None}
            self.keep_sets([(params, None) for params in sets.values()])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.finish(error)

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
        atexit.register(self._finish_at_exit)
        stays_here(self)

    def leave_to_parent(self) -> None:
        """Leave the end of the session, in a child process that was forked, to the process that has begun it."""
        self._is_childs = True
        atexit.unregister(self._finish_at_exit)

    def _finish_at_exit(self) -> None:
        """End a session that nobody has ended; Python is on its way out, and there is nobody left to catch an error."""
        try:
            self.finish(find_end_of_script())
        except CurifactoryError as error:
            sys.stderr.write(f"{error}\n")

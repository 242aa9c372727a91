"""Past runs as values: ``load_run`` finds one, and what it gives has records, artifacts, metrics and parameters."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curifactory.core.outcomes import CallOutcome, RunOutcome
from curifactory.manager.showing import write_waiting
from curifactory.project.project import Project
from curifactory.store.calls import CallRow
from curifactory.store.full_store import cache_folder_of, find_artifacts
from curifactory.store.index import Index
from curifactory.store.layout import Layout
from curifactory.store.run import Run
from curifactory.store.runs import RunStore
from curifactory.workflow.past_artifact import PastStore
from curifactory.workflow.past_record import PastParameters, PastRecord, PastReportable
from curifactory.workflow.publication import Publication
from curifactory.workflow.runs.upkeep import Upkeep

if TYPE_CHECKING:
    import pandas as pd

    from curifactory.reporting.display import Display
    from curifactory.workflow.past_sweep import PastSweep


def load_run(
    query: str | os.PathLike[str] = "-1",
    *,
    project: Project | None = None,
    cache: str | os.PathLike[str] | None = None,
) -> PastRun:
    """Load a past run, to go on with what it has made or to look at it.

    Parameters
    ----------
    query : str or path
        A reference, its unique beginning, ``iris/-1`` (the latest run of iris), ``-1`` (the latest of all), or the path
        of a run's folder, wherever it lies.
    project : Project, optional
        The project; found from the working folder, or from a folder that was given, if not given.
    cache : path, optional
        Where the run's artifacts lie, if neither beside its folder nor in the project's cache.

    Returns
    -------
    PastRun
        Its parts are read when they are asked for, artifacts only by ``load()``.

    Raises
    ------
    DiscoveryError
        If there is no such run, with the nearest names, or the words could mean several.
    StoreError
        If the run cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from curifactory import ArtifactManager, Record
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     manager = ArtifactManager("proto", manager_cache_path=folder)
    ...     record = Record(manager, None)
    ...     manager.finish()
    ...     load_run(manager.run_folder).records
    [<Record 0: no artifacts>]
    """
    found = project or Project.find()
    if isinstance(query, os.PathLike):
        run = Run.read(Path(os.path.abspath(query)))
    else:
        index = Index(Layout(found.cache_folder).index_path, read_only=True)
        run = RunStore(found.runs_folder, index).get(query)
    if project is None and not run.folder.is_relative_to(found.runs_folder):
        # A run of another project, such as a copy of this one: its values are of that one's classes.
        its_own = Project.find(run.folder)
        found = its_own if run.folder.is_relative_to(its_own.runs_folder) else found
    # A notebook may load the run that it is.
    write_waiting(run.folder)
    folder = Path(os.path.abspath(cache)) if cache is not None else _find_cache(run, found)
    return PastRun(run, found, folder)


class PastRun(Publication, Upkeep):
    """A run as its folder tells of it.

    Parameters
    ----------
    run : Run
        What is read from the folder.
    project : Project
        Whose stages and classes its values are of.
    cache : Path
        Where its artifacts lie.
    """

    def __init__(self, run: Run, project: Project, cache: Path) -> None:
        self._run = run
        self._project = project
        self._cache = cache

    # ------------------------------------------------------------------------------------------------------ what it is

    @property
    def reference(self) -> str:
        """Its name, such as ``iris_4_2026-11-21-T101500``."""
        return self._run.reference

    @property
    def experiment(self) -> str:
        """Name of its experiment."""
        return self._run.experiment

    @property
    def number(self) -> int:
        """Its number among the runs of the experiment."""
        return self._run.number

    @property
    def outcome(self) -> RunOutcome:
        """How it ended."""
        return self._run.outcome

    @property
    def started_at(self) -> datetime | None:
        """When it started, with time zone."""
        return self._run.started_at

    @property
    def finished_at(self) -> datetime | None:
        """When it ended, with time zone; None if nobody has written that down."""
        return self._run.finished_at

    @property
    def duration_s(self) -> float | None:
        """How long it took."""
        return self._run.duration_s

    @property
    def notes(self) -> str | None:
        """What people have written on it."""
        return self._run.facts.get("notes")

    @property
    def tags(self) -> list[str]:
        """Its tags."""
        return list(self._run.facts.get("tags") or ())

    @property
    def facts(self) -> Mapping[str, Any]:
        """Everything that its ``run.json`` says: commit, command, machine, versions."""
        return self._run.facts

    @property
    def environment(self) -> Mapping[str, Any]:
        """Python, packages and variables."""
        return self._run.environment

    @property
    def folder(self) -> Path:
        """Its folder."""
        return self._run.folder

    # ------------------------------------------------------------------------------------------------- what it has made

    @cached_property
    def records(self) -> list[PastRecord]:
        """Its records, in their order.

        Raises
        ------
        StoreError
            If a file of the run is damaged; the same holds for all that is read here.
        """
        return [PastRecord(self._run, row, self._store, self.parameters) for row in self._run.records]

    @cached_property
    def parameters(self) -> PastParameters:
        """Its parameter sets by name; each is built again when it is asked for."""
        return PastParameters(self._run.parameters, self._project)

    @property
    def sweeps(self) -> list[PastSweep]:
        """Its sweeps, in the order in which they began."""
        if not self._run.sweeps:
            return []
        from curifactory.workflow.past_sweep import PastSweep

        return [PastSweep(self._run, row) for row in self._run.sweeps]

    @property
    def metrics(self) -> pd.DataFrame:
        """Everything that was logged, a row for each value.

        Returns
        -------
        pandas.DataFrame
            With the columns ``record`` (index), ``params`` (name of the set), ``call``, ``stage``, ``type``, ``name``,
            ``step``, ``epoch``, ``at``, ``value``.
        """
        import pandas as pd

        names = {row.index: row.params_name for row in self._run.records}
        stages = {call.index: call.name for call in self._run.calls}
        columns: dict[str, list[Any]] = {name: [] for name in _METRIC_COLUMNS}
        for series in self._run.metrics:
            count = len(series.values)
            same = (
                series.record,
                names.get(series.record),
                series.call,
                None if series.call is None else stages.get(series.call),
                series.type,
                series.name,
            )
            for name, value in zip(_METRIC_COLUMNS, same, strict=False):
                columns[name] += [value] * count
            columns["step"] += series.steps
            columns["epoch"] += series.epochs
            columns["at"] += [series.started_at + timedelta(seconds=after_s) for after_s in series.after_s]
            columns["value"].extend(series.values)
        frame = pd.DataFrame(columns)
        return frame.astype(dict.fromkeys(("call", "step", "epoch"), "Int64") | {"value": "float64"})

    @property
    def reportables(self) -> list[PastReportable]:
        """What was reported."""
        return [PastReportable(self._run, row) for row in self._run.reportables]

    @property
    def calls(self) -> list[CallRow]:
        """Its calls: stage, outcome, reason, inputs and outputs of each."""
        return list(self._run.calls)

    @property
    def counts(self) -> Mapping[CallOutcome, int]:
        """How many calls ended in which way."""
        return self._run.counts

    @property
    def warnings(self) -> list[str]:
        """What it had to say."""
        return [warning.text for warning in self._run.warnings]

    def log_text(self) -> str:
        """Return its log."""
        return self._run.log_text()

    # ------------------------------------------------------------------------------------------------------ what it shows

    def display_info(self) -> Display:
        """Show what it is."""
        from curifactory.reporting.display import display_info

        return display_info(self.folder)

    def display_all_reportables(self) -> Display:
        """Show everything that was reported."""
        return self._display_reportables()

    def display_record_reportables(self, record: PastRecord | int) -> Display:
        """Show what was reported for a record."""
        return self._display_reportables(record=record if isinstance(record, int) else record.index)

    def display_group_reportables(self, group_name: str) -> Display:
        """Show what was reported in a group."""
        return self._display_reportables(group=group_name)

    def display_stage_reportables(self, stage_name: str) -> Display:
        """Show what was reported by a stage."""
        return self._display_reportables(stage=stage_name)

    def display_stage_graph(self) -> Display:
        """Show the graph of records and calls."""
        from curifactory.reporting.display import display_stage_graph

        return display_stage_graph(self.folder)

    def _display_reportables(self, **which: Any) -> Display:
        from curifactory.reporting.display import display_reportables

        return display_reportables(self.folder, **which)

    @cached_property
    def _store(self) -> PastStore:
        return PastStore.open(self._project, self._cache, self._run.facts)

    def __repr__(self) -> str:
        count = len(self._run.records)
        return (
            f"<run {self.reference}: {count} {'record' if count == 1 else 'records'}, {self.outcome.value}>"
        )

    def _repr_html_(self) -> str:
        from curifactory.reporting.display import display_run

        return display_run(self.folder).html


_METRIC_COLUMNS = ("record", "params", "call", "stage", "type", "name", "step", "epoch", "at", "value")


def _find_cache(run: Run, project: Project) -> Path:
    """Return the cache folder of a run: its full store, the one it was given, the project's, or one copied along."""
    full = find_artifacts(run.folder)
    if full is not None:
        return full
    given = (run.facts.get("request") or {}).get("cache")
    if given is not None and Path(given).is_dir():
        return cache_folder_of(Path(given))
    if run.folder.is_relative_to(project.runs_folder):
        return project.cache_folder
    # `/` in an experiment's name makes folders.
    above = run.folder.parents
    runs_folder = above[min(run.reference.count("/"), len(above) - 1)]
    beside = runs_folder.parent / "cache"
    return beside if beside.is_dir() else project.cache_folder

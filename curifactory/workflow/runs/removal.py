"""Removes runs with their reports into the trash, and brings them back."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from curifactory.errors import ConfigurationError, StoreError
from curifactory.project.project import Project
from curifactory.store.collection import goes_on
from curifactory.store.index import Index
from curifactory.store.layout import Layout
from curifactory.store.run import Run
from curifactory.store.runs import RunStore
from curifactory.store.trash import RUNS, Rubbish, Trash, TrashFolder


@dataclass(frozen=True, slots=True)
class Removable:
    """A run that is to be removed.

    Parameters
    ----------
    reference : str
        The run.
    rubbish : tuple of Rubbish
        Its folder and, if it has one, its report.
    """

    reference: str
    rubbish: tuple[Rubbish, ...]

    @property
    def size_bytes(self) -> int:
        """How much room they take."""
        return sum(each.size_bytes for each in self.rubbish)

    @property
    def has_report(self) -> bool:
        """Whether a report goes with it."""
        return len(self.rubbish) > 1

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "reference": self.reference,
            "paths": [each.path for each in self.rubbish],
            "size_bytes": self.size_bytes,
        }


def plan_removal(project: Project, runs: Iterable[Run]) -> list[Removable]:
    """Return what would be moved to the trash with some runs; nothing is changed.

    Parameters
    ----------
    project : Project
        The project.
    runs : iterable of Run
        The runs; one that is named twice counts once.

    Raises
    ------
    ConfigurationError
        If a run goes on, or does not lie in the project's folder of runs.
    """
    store = RunStore(project.runs_folder)
    now = datetime.now().astimezone()
    planned: dict[str, Removable] = {}
    for run in runs:
        folder = Path(os.path.abspath(run.folder))
        if not folder.is_relative_to(store.folder):
            raise ConfigurationError(
                f"{folder} does not lie in {store.folder}.",
                hint="Delete the copy of a run as any other folder.",
            )
        reference = folder.relative_to(store.folder).as_posix()
        row = store.read_row(reference)
        if row is not None and goes_on(row, now):
            raise ConfigurationError(
                f"{reference} goes on (process {row.facts.get('pid')} on {row.facts.get('host')}).",
                hint="Wait for its end, or end it.",
            )
        report = project.reports_folder / reference
        places = [folder, *([report] if report.is_dir() else [])]
        planned[reference] = Removable(
            reference, tuple(Rubbish(os.path.abspath(place), _size(place)) for place in places)
        )
    return list(planned.values())


def remove_runs(project: Project, planned: Sequence[Removable]) -> TrashFolder:
    """Move runs and their reports to the trash; the index and its page follow.

    Raises
    ------
    StoreError
        If something cannot be moved; what was moved before can be brought back.
    ReportError
        If the index page cannot be written.
    """
    rubbish = [each for run in planned for each in run.rubbish]
    with Index(Layout(project.cache_folder).index_path) as index:
        store = RunStore(project.runs_folder, index)
        try:
            return _trash(project).put(rubbish, now=datetime.now().astimezone(), kind=RUNS)
        finally:
            store.forget([run.reference for run in planned if not (store.folder / run.reference).exists()])
            _draw_index(project, store)


def undo_removal(project: Project) -> tuple[TrashFolder, list[str]] | None:
    """Bring the runs back that were removed last; return them with what was taken away, None if there are none.

    Raises
    ------
    StoreError
        If a folder of that name is there again, or something cannot be moved; the rest can be brought back later.
    ReportError
        If the index page cannot be written.
    """
    trash = _trash(project)
    last = next(iter(trash.list_folders(RUNS)), None)
    if last is None:
        return None
    with Index(Layout(project.cache_folder).index_path) as index:
        store = RunStore(project.runs_folder, index)
        runs = [entry for entry in last.entries if Path(entry.path).is_relative_to(store.folder)]
        for entry in runs:
            if os.path.lexists(entry.path) and trash.holds(last, entry):
                raise StoreError(f"{entry.path} is there again.", hint="Move it to another place first.")
        trash.bring_back(last)
        folders = [Path(entry.path) for entry in runs]
        for folder in folders:
            store.note(folder)
        references = [folder.relative_to(store.folder).as_posix() for folder in folders]
        _draw_index(project, store, back=references)
    return last, references


def _trash(project: Project) -> Trash:
    return Trash(Layout(project.cache_folder), others=(project.runs_folder, project.reports_folder))


def _draw_index(project: Project, store: RunStore, *, back: Sequence[str] = ()) -> None:
    """Draw the index page, and let ``_latest`` lead to the newest report that there now is."""
    from curifactory.reporting.index import Reports, update_index
    from curifactory.reporting.latest import find_latest, forget_latest, point_latest

    reports = os.fspath(project.reports_folder)
    if not os.path.isfile(os.path.join(reports, "index.html")):
        return
    has = Reports(reports).has
    candidates = [reference for reference in back if has(reference)]
    if find_latest(reports) is None:
        candidates = [row.reference for row in store.iter_rows() if has(row.reference)][:1]
    with suppress(OSError):
        for reference in candidates:
            point_latest(reports, reference)
        if not candidates and find_latest(reports) is None:
            forget_latest(reports)
    update_index(store, project.reports_folder, css=project.report_css)


def _size(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size
    return total

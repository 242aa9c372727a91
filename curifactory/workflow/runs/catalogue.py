"""``cf.runs``: finds past runs, as the ``experiment`` command does, and gives each as a value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from curifactory.project.project import Project
from curifactory.store.index import Index
from curifactory.store.layout import Layout
from curifactory.store.run_row import RunRow
from curifactory.store.runs import RunStore
from curifactory.workflow.past_run import PastRun, load_run
from curifactory.workflow.runs.run_table import default_columns, list_cells, name_columns
from curifactory.workflow.runs.selection import Wanted, make_condition, read_key, select_runs

if TYPE_CHECKING:
    import pandas as pd


class Runs:
    """The runs of a project, newest first.

    Parameters
    ----------
    project : Project, optional
        The project; found from the working folder each time if not given.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     len(Runs(Project.find(Path(folder))))
    0
    """

    def __init__(self, project: Project | None = None) -> None:
        self._project = project

    def find(
        self,
        where: str | Iterable[str] = (),
        *,
        experiment: str | None = None,
        tags: str | Iterable[str] = (),
        outcome: str | Iterable[str] = (),
        sort: str | None = None,
        reverse: bool = False,
        limit: int | None = None,
        **query: Any,
    ) -> FoundRuns:
        """Find runs, as ``experiment runs`` does with options of the same names.

        Parameters
        ----------
        where : str or iterable of str
            Conditions that have to hold, such as ``acc > 0.9`` or ``params.n >= 50 and "paper" in tags``.
        experiment : str, optional
            Runs of this experiment only.
        tags : str or iterable of str
            A run has to have all of them.
        outcome : str or iterable of str
            A run has to have one of them.
        sort : str, optional
            What to sort by: a metric begins with the best, times with the newest; the newest come first if not given.
        reverse : bool
            Turn the order round.
        limit : int, optional
            How many to return at most.
        **query
            For each metric, parameter or fact the value that it equals, a tuple ``(low, high)`` for a range with both
            ends, or a list of values of which it is one. A run without it does not fit.

        Returns
        -------
        FoundRuns
            A sequence of :class:`curifactory.workflow.past_run.PastRun`; each is read when it is asked for.

        Raises
        ------
        ConfigurationError
            If a condition cannot be understood, with its place.
        DiscoveryError
            If a name stands for nothing in any run, with the nearest names.
        """
        project = self._project or Project.find()
        texts = [where] if isinstance(where, str) else list(where)
        wanted = Wanted(
            experiment=experiment,
            condition=make_condition([text for text in texts if text.strip()], query),
            tags=(tags,) if isinstance(tags, str) else tuple(tags),
            outcomes=(outcome,) if isinstance(outcome, str) else tuple(outcome),
            sort=None if sort is None else read_key(sort),
            reverse=reverse,
            limit=limit,
        )
        with _index(project) as index:
            return FoundRuns(select_runs(RunStore(project.runs_folder, index), wanted).rows, project)

    def get(self, reference: str = "-1") -> PastRun:
        """Return one run.

        Parameters
        ----------
        reference : str
            A reference, its unique beginning, ``iris_4``, ``iris/-1`` (the latest of iris) or ``-1`` (the latest of all).

        Raises
        ------
        DiscoveryError
            If there is no such run, with the nearest names, or the words could mean several.
        StoreError
            If the run cannot be read.
        """
        return load_run(reference, project=self._project)

    def undo(self) -> list[PastRun]:
        """Bring the runs back that were removed last, as ``experiment rm --undo`` does; nothing is no error.

        Raises
        ------
        StoreError
            If something cannot be moved.
        """
        from curifactory.workflow.runs.removal import undo_removal

        project = self._project or Project.find()
        done = undo_removal(project)
        return [] if done is None else [load_run(reference, project=project) for reference in done[1]]

    def __iter__(self) -> Iterator[PastRun]:
        return iter(self.find())

    def __len__(self) -> int:
        project = self._project or Project.find()
        return RunStore(project.runs_folder).count_folders()

    def __repr__(self) -> str:
        project = self._project or Project.find()
        return f"<runs in {project.runs_folder}: {len(self)}>"


class FoundRuns(Sequence[PastRun]):
    """Runs that were found; reads as a table, and each is read from its folder when it is asked for.

    Parameters
    ----------
    rows : list of RunRow
        Their rows in the listing.
    project : Project
        The project.
    """

    def __init__(self, rows: list[RunRow], project: Project) -> None:
        self._rows = rows
        self._project = project

    @property
    def references(self) -> list[str]:
        """The names of the runs."""
        return [row.reference for row in self._rows]

    @overload
    def __getitem__(self, index: int) -> PastRun: ...

    @overload
    def __getitem__(self, index: slice) -> FoundRuns: ...

    def __getitem__(self, index: int | slice) -> PastRun | FoundRuns:
        if isinstance(index, slice):
            return FoundRuns(self._rows[index], self._project)
        return load_run(self._project.runs_folder / self._rows[index].reference, project=self._project)

    def __len__(self) -> int:
        return len(self._rows)

    def to_frame(self, columns: str | Iterable[str] = ()) -> pd.DataFrame:
        """Return a table with a row for each run.

        Parameters
        ----------
        columns : str or iterable of str
            Names as in conditions, such as ``reference``, ``acc`` or ``params.n``; facts, metrics and parameters if not
            given. Where a run has several values they are a list.

        Raises
        ------
        DiscoveryError
            If a name stands for nothing in any of the runs.
        """
        import pandas as pd

        folder = str(self._project.runs_folder)
        names = name_columns(columns, self._rows, folder) or default_columns(self._rows)
        cells = list_cells(self._rows, names, folder)
        return pd.DataFrame(cells, columns=[title for title, _ in names])

    def __repr__(self) -> str:
        if not self._rows:
            return "<no runs>"
        shown = "\n".join(f"{row.reference}  {row.outcome.value}" for row in self._rows[:20])
        return shown if len(self._rows) <= 20 else f"{shown}\n… and {len(self._rows) - 20} more"

    def _repr_html_(self) -> str:
        html: str = self.to_frame().to_html(index=False, max_rows=50, notebook=True)
        return html


runs = Runs()


def _index(project: Project) -> Index:
    return Index(Layout(project.cache_folder).index_path, read_only=True)

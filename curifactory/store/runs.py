"""The store of runs: gives out numbers and folders, and finds runs again by what people call them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from curifactory.core.outcomes import RunOutcome
from curifactory.core.secrets import mask_text
from curifactory.errors import DiscoveryError, StoreError
from curifactory.store.facts import FACTS_NAME, FORMAT, merge_facts
from curifactory.store.journal import store_error
from curifactory.store.layout import safe_name
from curifactory.store.listing import Listed, Listing, RunChanges
from curifactory.store.metric_bounds import Bound
from curifactory.store.process import process_facts
from curifactory.store.reference import Reference, safe_experiment
from curifactory.store.run import Run
from curifactory.store.run_folders import iter_names, iter_numbers, iter_references
from curifactory.store.run_names import iter_meant, start_of, suggest
from curifactory.store.run_row import RunRow

if TYPE_CHECKING:
    from curifactory.store.index import Index

NUMBERS_NAME = ".numbers"
_FROM_THE_END = re.compile(r"(?s:(?P<experiment>.+)/)?-(?P<back>[1-9]\d*)")
_LISTED = 10


class RunFolder(NamedTuple):
    """A run's number, and the folder that was made for it."""

    reference: str
    experiment: str
    number: int
    path: Path


class RunStore:
    """All runs of a project, each in a folder of its own.

    Folders and claimed numbers are the truth; the index only makes listing quick and may be missing.

    Parameters
    ----------
    runs_folder : Path
        Where the folders lie; made when the first run is claimed.
    index : Index, optional
        Remembers rows of runs.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = RunStore(Path(folder), None)
    ...     claimed = store.claim("iris", now=datetime.fromisoformat("2026-11-21T10:15:00+00:00"))
    ...     claimed.number, store.get("iris/-1").outcome.value
    (1, 'running')
    """

    def __init__(self, runs_folder: Path, index: Index | None = None) -> None:
        self.folder = Path(os.path.abspath(runs_folder))
        self._listing = Listing(self.folder, index)

    def claim(self, experiment: str, *, now: datetime) -> RunFolder:
        """Give out the experiment's next number and make the run's folder, which says that the run goes on.

        Numbers have no gaps, and no two processes get the same one: a number belongs to whoever made its file.

        Parameters
        ----------
        experiment : str
            Name of the experiment; ``/`` in it makes folders.
        now : datetime
            When the run starts, with time zone.

        Raises
        ------
        ConfigurationError
            If the experiment cannot be named so.
        StoreError
            If the folder cannot be made.
        """
        safe_experiment(experiment)
        claims = self.folder / NUMBERS_NAME / safe_name(experiment)
        try:
            claims.mkdir(parents=True, exist_ok=True)
            number = self._highest_number(experiment, claims)
            while True:
                number += 1
                claim = os.path.join(claims, str(number))
                with suppress(FileExistsError):
                    os.close(os.open(claim, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o666))
                    break
        except OSError as error:
            raise store_error(error, "claim a number for the run in", claims) from error
        reference = Reference.make(experiment, number, now)
        folder = self.folder / str(reference)
        try:
            folder.mkdir(parents=True)
            facts = {
                "format": FORMAT,
                "reference": str(reference),
                "experiment": experiment,
                "number": number,
            }
            facts |= {"outcome": RunOutcome.RUNNING.value, "started_at": now.isoformat(), **process_facts()}
            merge_facts(folder, facts)
        except (OSError, StoreError) as error:
            with suppress(OSError):
                folder.rmdir()
                os.unlink(claim)
            raise (
                error if isinstance(error, StoreError) else store_error(error, "make the folder", folder)
            ) from error
        return RunFolder(str(reference), experiment, number, folder)

    def get(self, query: str, *, experiment: str | None = None) -> Run:
        """Return the one run that is meant.

        Parameters
        ----------
        query : str
            A reference; the unique beginning of one; ``iris_4`` or, with ``experiment``, ``4``; ``iris/-1`` for the
            latest run of iris, ``-2`` for the last but one of all; or the path of a run's folder, wherever it lies.
        experiment : str, optional
            Look among the runs of this experiment only.

        Raises
        ------
        DiscoveryError
            If there is no such run (with the nearest names), or the words could mean several.
        StoreError
            If the run cannot be read.
        """
        run = self.find(query, experiment=experiment)
        if run is not None:
            return run
        among = "" if experiment is None else f" of {experiment!r}"
        there = self._list_references(experiment)
        meant = next(filter(None, iter_meant(query, there, experiment)), []) if query else []
        if len(meant) == 1:
            # What it is called has lost what makes it a run, and that is told.
            return Run.read(self.folder / str(meant[0]))
        references = list(filter(self._is_run, there))
        if not references:
            raise DiscoveryError(f"No run{among} named {query!r}: there are no runs{among} in {self.folder}.")
        raise DiscoveryError(f"No run{among} named {query!r}.", hint=suggest(query, references))

    def find(self, query: str, *, experiment: str | None = None) -> Run | None:
        """Return the run that is meant as :meth:`get` does, None if there is none.

        Raises
        ------
        DiscoveryError
            If the words could mean several runs.
        StoreError
            If the run cannot be read.
        """
        folder = self._find_folder(query, experiment)
        return None if folder is None else Run.read(folder)

    def iter_rows(self, experiment: str | None = None, *, limit: int | None = None) -> list[RunRow]:
        """Return a row for each run as :meth:`list_runs` does, without those whose ``run.json`` is damaged."""
        return self.list_runs(experiment, limit=limit).rows

    def list_runs(
        self,
        experiment: str | None = None,
        *,
        limit: int | None = None,
        bounds: Collection[Bound] = (),
    ) -> Listed:
        """List runs, newest first; the index is mended where it has fallen behind the folders.

        Parameters
        ----------
        experiment : str, optional
            Runs of this experiment only.
        limit : int, optional
            How many rows are wanted at most.
        bounds : collection of Bound
            What runs have to have to be wanted; some that have it not are returned all the same.
        """
        return self._listing.read(experiment, limit=limit, bounds=bounds)

    def count_folders(self, experiment: str | None = None) -> int:
        """Return how many folders of runs there are, of all or of one experiment, by their names alone."""
        if experiment is not None:
            return sum(1 for _ in iter_numbers(self.folder, experiment))
        return sum(1 for _ in iter_names(self.folder))

    def get_mark(self) -> str | None:
        """Return what tells how far the index is, for :meth:`read_changes`; None without an index."""
        return self._listing.get_mark()

    def read_changes(self, mark: str) -> RunChanges | None:
        """Return the rows of runs that have changed since a mark was given, None if nobody can tell.

        This is as quick as there are few changes, however many runs there are. Folders that people copied or deleted are
        not seen; :meth:`iter_rows` sees them.
        """
        return self._listing.read_changes(mark)

    def read_row(self, reference: str) -> RunRow | None:
        """Return the row of one run as its folder now is, None if there is no such run."""
        return self._listing.read_row(reference)

    def note(self, folder: Path) -> None:
        """Put a run into the index, as its folder now is; a folder from elsewhere is none of ours.

        Parameters
        ----------
        folder : Path
            The run's folder.
        """
        if folder.is_relative_to(self.folder):
            self._listing.note(folder.relative_to(self.folder).as_posix())

    def forget(self, references: Collection[str]) -> None:
        """Take runs out of the index whose folders are gone."""
        self._listing.forget(references)

    def annotate(
        self,
        run: Run,
        *,
        notes: str | Callable[[str], str] | None = None,
        add_tags: Sequence[str] = (),
        remove_tags: Sequence[str] = (),
    ) -> Run:
        """Change what people have written on a run, also while it goes on; return the run as it then is.

        Parameters
        ----------
        run : Run
            The run.
        notes : str or callable, optional
            What its notes are to be, or a function that is given those it has; secrets in them are masked.
        add_tags, remove_tags : sequence of str
            Tags that it is to have, and not to have.

        Raises
        ------
        StoreError
            If ``run.json`` cannot be written.
        """

        def change(facts: dict[str, Any]) -> Mapping[str, Any]:
            tags = [
                tag
                for tag in dict.fromkeys([*(facts.get("tags") or ()), *add_tags])
                if tag not in remove_tags
            ]
            if notes is None:
                return {"tags": tags}
            written = notes(facts.get("notes") or "") if callable(notes) else notes
            return {"tags": tags, "notes": mask_text(written) or None}

        merge_facts(run.folder, change)
        self.note(run.folder)
        return Run.read(run.folder)

    def rebuild(self) -> int:
        """Forget what the index knows of runs, read all folders again, and return how many runs there are."""
        self._listing.clear()
        return len(self.iter_rows())

    def _find_folder(self, query: str, experiment: str | None) -> Path | None:
        if not query:
            return None
        back = _FROM_THE_END.fullmatch(query)
        if back is not None and (experiment is None or back["experiment"] is None):
            return self._find_from_the_end(int(back["back"]), experiment or back["experiment"])
        references = self._list_references(experiment)
        meant = (list(filter(self._is_run, each)) for each in iter_meant(query, references, experiment))
        found = next(filter(None, meant), [])
        if len(found) > 1:
            candidates = [str(each) for each in sorted(found, key=start_of, reverse=True)]
            more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
            raise DiscoveryError(
                f"{query!r} could be {len(found)} runs: {', '.join(candidates[:_LISTED])}{more}.",
                hint=f"Write more of the name{_say_latest(found)}.",
            )
        if found:
            return self.folder / str(found[0])
        return Path(query) if os.sep in query and os.path.isfile(os.path.join(query, FACTS_NAME)) else None

    def _find_from_the_end(self, back: int, experiment: str | None) -> Path | None:
        if experiment is None:
            rows = self.iter_rows(limit=back)
            return self.folder / rows[back - 1].reference if back <= len(rows) else None
        references = sorted(
            iter_references(self.folder, experiment), key=lambda each: each.number, reverse=True
        )
        kept = list(islice(filter(self._is_run, references), back - 1, back))
        return self.folder / str(kept[0]) if kept else None

    def _list_references(self, experiment: str | None) -> list[Reference]:
        if experiment is not None:
            return list(iter_references(self.folder, experiment))
        return [
            reference for reference in map(Reference.parse, iter_names(self.folder)) if reference is not None
        ]

    def _highest_number(self, experiment: str, claims: Path) -> int:
        """Return the highest number that was ever given out: runs may be copied in, and may have been deleted."""
        claimed = map(int, filter(str.isdecimal, os.listdir(claims)))
        return max(chain((0,), claimed, iter_numbers(self.folder, experiment)))

    def _is_run(self, reference: Reference) -> bool:
        return os.path.isfile(f"{self.folder}/{reference}/{FACTS_NAME}")


def _say_latest(found: Sequence[Reference]) -> str:
    experiments = {each.experiment for each in found}
    return f", or {experiments.pop()}/-1 for the latest" if len(experiments) == 1 else ""

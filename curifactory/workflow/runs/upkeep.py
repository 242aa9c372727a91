"""What is done with a past run afterwards: compared with another, written on, removed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self

from curifactory.project.project import Project
from curifactory.store.run import Run

if TYPE_CHECKING:
    from curifactory.workflow.runs.difference import RunDifference


class Upkeep:
    """The part of a past run that compares it and changes what people have written on it.

    Attributes
    ----------
    _run : Run
        What is read from its folder.
    _project : Project
        The project.
    _cache : Path
        Where its artifacts lie.
    """

    _run: Run
    _project: Project
    _cache: Path

    def diff(self, other: Upkeep | str) -> RunDifference:
        """Say how another run differs from this one.

        Parameters
        ----------
        other : PastRun or str
            The later run; as a text, what :func:`load_run` takes.

        Returns
        -------
        RunDifference
            With ``parameters``, ``metrics``, ``code``, ``environment`` and ``calls``.

        Raises
        ------
        DiscoveryError
            If there is no such run.
        StoreError
            If a file of a run is damaged.
        """
        from curifactory.workflow.past_run import load_run
        from curifactory.workflow.runs.comparison import compare_runs

        after = load_run(other, project=self._project) if isinstance(other, str) else other
        run, cache = after._run, after._cache  # noqa: SLF001 (another one of the same class)
        return compare_runs(self._run, run, caches=(self._cache, cache), root=self._project.root)

    def note(self, text: str, *, append: bool = False) -> Self:
        """Write notes on the run, in place of those it has or after them; an empty text takes them away.

        Raises
        ------
        StoreError
            If ``run.json`` cannot be written.
        """
        from curifactory.workflow.runs.annotation import annotate_run, join_notes

        notes = (lambda before: join_notes(before, text)) if append else text
        self._run = annotate_run(self._project, self._run, notes=notes)
        return self

    def tag(self, *tags: str, remove: bool = False) -> Self:
        """Give the run tags, or take them away.

        Raises
        ------
        ConfigurationError
            If a tag is not one word.
        StoreError
            If ``run.json`` cannot be written.
        """
        from curifactory.workflow.runs.annotation import annotate_run

        added, removed = ((), tags) if remove else (tags, ())
        self._run = annotate_run(self._project, self._run, add_tags=added, remove_tags=removed)
        return self

    def remove(self) -> None:
        """Move the run and its report to the trash; ``cf.runs.undo()`` brings it back.

        Raises
        ------
        ConfigurationError
            If the run goes on, or does not lie in the project's folder of runs.
        StoreError
            If it cannot be moved.
        """
        from curifactory.workflow.runs.removal import plan_removal, remove_runs

        remove_runs(self._project, plan_removal(self._project, [self._run]))

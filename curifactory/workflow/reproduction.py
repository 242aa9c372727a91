"""Reproducing a run: its code from its commit, its surroundings compared, its artifacts made again and held against the first."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from curifactory.errors import StoreError
from curifactory.project.project import Project
from curifactory.provenance.difference import Difference, compare_environments
from curifactory.provenance.environment import read_environment
from curifactory.provenance.git import find_root
from curifactory.provenance.worktree import CodeOfRun, check_out, read_code, remove_trees
from curifactory.store.layout import Layout
from curifactory.store.run import Run
from curifactory.store.staging import Staging
from curifactory.workflow.artifact_comparison import ComparedArtifact, Likeness, Side, compare_artifacts
from curifactory.workflow.past_artifact import PastStore
from curifactory.workflow.repetition import Places, Repeated, link_along, read_task, repeat

KEPT_NAME = "reproduced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What is known before a run is done again.

    Parameters
    ----------
    reference : str
        The run.
    commit : str or None
        Its commit; None if it was made before the first one.
    is_patched : bool
        Whether it had changes or new files besides.
    differences : tuple of Difference
        In what the present surroundings differ from its own.
    not_kept : tuple of str
        Files that were neither in the commit nor kept, which the code may need or not.
    """

    reference: str
    commit: str | None
    is_patched: bool
    differences: tuple[Difference, ...]
    not_kept: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """What came of reproducing a run.

    Parameters
    ----------
    beginning : Beginning
        What was known before.
    outcome, outcome_then : str or None
        How the run has ended, now and then; now None if it could not begin.
    artifacts : tuple of ComparedArtifact
        Each artifact of the run beside the one that was made again.
    error : str
        What went wrong, if something did.
    strays : tuple of str
        Files of modules that came from the present work tree, not from the code of the run.
    folder : Path or None
        The folder with the code and its results, if it was kept.
    """

    beginning: Beginning
    outcome: str | None
    outcome_then: str
    artifacts: tuple[ComparedArtifact, ...]
    error: str
    strays: tuple[str, ...]
    folder: Path | None

    @property
    def is_reproduced(self) -> bool:
        """Whether the run has ended as then, with every artifact equal or close."""
        same_end = self.outcome == self.outcome_then or (self.outcome == "complete" and not self.error)
        return same_end and all(each.likeness.is_reproduced for each in self.artifacts)

    def count(self, likeness: Likeness) -> int:
        """Return how many artifacts stand so to the first."""
        return Counter(each.likeness for each in self.artifacts)[likeness]

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON values; the names of keys are kept from version to version."""
        start = self.beginning
        return {
            "run": start.reference,
            "reproduced": self.is_reproduced,
            "commit": start.commit,
            "patched": start.is_patched,
            "environment": [each.to_json() for each in start.differences],
            "not_kept": list(start.not_kept),
            "outcome": self.outcome,
            "outcome_then": self.outcome_then,
            "counts": {each.value: self.count(each) for each in Likeness},
            "artifacts": [each.to_json() for each in self.artifacts],
            "error": self.error or None,
            "strays": list(self.strays),
            "folder": None if self.folder is None else str(self.folder),
        }

    def __repr__(self) -> str:
        counts = ", ".join(f"{self.count(each)} {each.value}" for each in Likeness if self.count(each))
        said = "reproduced" if self.is_reproduced else "not reproduced"
        return f"<{self.beginning.reference} {said}: {counts or 'no artifacts'}>"


def reproduce_run(
    run: Run,
    project: Project,
    cache: Path,
    *,
    keep: bool = False,
    tolerance: float | None = None,
    along: Sequence[str | os.PathLike[str]] = (),
    output: IO[str] | None = None,
    begin: Callable[[Beginning], None] | None = None,
) -> Reproduction:
    """Do a run again from its commit, with a cache of its own, and compare what it makes with what it made.

    Parameters
    ----------
    run : Run
        The run.
    project : Project
        Whose repository has the commit.
    cache : Path
        Where the run's artifacts lie.
    keep, tolerance, along, output, begin
        As for :meth:`curifactory.workflow.publication.Publication.reproduce`.

    Returns
    -------
    Reproduction
        What came of it.

    Raises
    ------
    StoreError
        If the run was not recorded so that it could be done again; the message says what is missing.
    """
    original = find_root(project.root) or project.root
    paths = [Path(os.path.abspath(project.root / path)) for path in along]
    task = read_task(run)
    code = read_code(run.folder, run.facts, along=[os.path.relpath(path, original) for path in paths])
    beginning = _describe_beginning(run, code)
    if begin is not None:
        begin(beginning)
    with _tree(project, code, run.reference, keep=keep) as tree:
        link_along(paths, original=original, tree=tree)
        root = tree / project.root.relative_to(original)
        if not root.is_dir():
            raise StoreError(f"The commit of {run.reference} has no folder {root.relative_to(tree)}.")
        places = Places(root, tree, original, code.root)
        repeated = repeat(task, places, run.environment.get("variables"), output=output)
        artifacts = _compare(run, repeated, project, cache, root, tolerance)
    return Reproduction(
        beginning=beginning,
        outcome=None if repeated.run is None else repeated.run.outcome.value,
        outcome_then=run.outcome.value,
        artifacts=tuple(artifacts),
        error=_error_of(repeated),
        strays=repeated.strays,
        folder=tree if keep else None,
    )


def _describe_beginning(run: Run, code: CodeOfRun) -> Beginning:
    return Beginning(
        reference=run.reference,
        commit=code.commit,
        is_patched=code.patch is not None or code.untracked is not None,
        differences=tuple(compare_environments(run.environment, read_environment())),
        not_kept=code.not_kept,
    )


def _compare(
    run: Run, repeated: Repeated, project: Project, cache: Path, root: Path, tolerance: float | None
) -> list[ComparedArtifact]:
    then = Side(run, PastStore.open(project, cache, run.facts))
    if repeated.run is None:
        # Every artifact is missing then; a run without calls says so.
        return compare_artifacts(then, Side(Run(root, {}), then.store), tolerance=tolerance)
    store = PastStore.open(project, root / "data" / "cache", repeated.run.facts)
    return compare_artifacts(then, Side(repeated.run, store), tolerance=tolerance)


@contextmanager
def _tree(project: Project, code: CodeOfRun, reference: str, *, keep: bool) -> Iterator[Path]:
    """Give a folder with the code of a run, and clear it away afterwards unless it is to be kept."""
    staging = Staging(str(Layout(project.cache_folder).staging))
    holder = _new_folder(project.data_folder / KEPT_NAME / reference) if keep else Path(staging.new())
    tree = holder / "code"
    trees = []
    try:
        trees = check_out(project.root, code, tree)
        yield tree
    finally:
        if not keep:
            remove_trees(trees)
            shutil.rmtree(holder, ignore_errors=True)
            staging.close()


def _new_folder(wanted: Path) -> Path:
    folder, number = wanted, 1
    while folder.exists():
        number += 1
        folder = wanted.with_name(f"{wanted.name}-{number}")
    folder.mkdir(parents=True)
    return folder


def _error_of(repeated: Repeated) -> str:
    if repeated.run is not None and repeated.run.facts.get("error"):
        return str(repeated.run.facts["error"])
    return repeated.error

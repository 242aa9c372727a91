"""The parts that publications of a run are made of: its folder with all artifacts, its code, its report."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from curifactory.errors import StoreError
from curifactory.project.project import Project
from curifactory.provenance.worktree import check_out, read_code, remove_trees
from curifactory.reporting.index import draw_index
from curifactory.reporting.latest import forget_latest
from curifactory.reporting.report import draw_report
from curifactory.store.artifacts import ArtifactFiles
from curifactory.store.facts import FACTS_NAME
from curifactory.store.full_store import FullStore, write_full_store
from curifactory.store.index import Index
from curifactory.store.layout import Layout
from curifactory.store.ownership import OWNER_NAME
from curifactory.store.run import Run
from curifactory.store.runs import RunStore
from curifactory.store.staging import Staging
from curifactory.store.traces import TraceStore

# What is of use only where the run was made.
_OF_THE_PLACE = ("index.db", "index.db-wal", "index.db-shm", "staging", "locks", "store.lock", OWNER_NAME)


@dataclass(frozen=True, slots=True)
class Published:
    """A run that something is made of.

    Parameters
    ----------
    run : Run
        The run.
    project : Project
        Its project.
    cache : Path
        Where its artifacts lie.
    """

    run: Run
    project: Project
    cache: Path

    @contextmanager
    def workplace(self) -> Iterator[Path]:
        """Give an empty folder that is gone afterwards, on the file system of the data folder so that files can be linked."""
        staging = Staging(str(Layout(self.project.cache_folder).staging))
        folder = Path(staging.new())
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            staging.close()

    def copy_run(self, folder: Path) -> FullStore:
        """Write the run's folder with a full store in it.

        Parameters
        ----------
        folder : Path
            The folder of the copy; made here. Where it will be used, it lies in ``data/runs`` of a project.
        """
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(self.run.folder, folder, copy_function=link_or_copy, ignore=_leave_place)
        layout = Layout(self.cache)
        index = Index(layout.index_path, read_only=True)
        files = ArtifactFiles(layout, index)
        try:
            store = write_full_store(
                self.run,
                folder,
                files=files,
                traces=TraceStore(layout, index, files=files),
                root=self.project.root,
                # From `artifacts` over the run, `runs` and `data`; a `/` in the experiment's name makes folders.
                root_from_cache="/".join([".."] * (4 + self.run.reference.count("/"))),
            )
        finally:
            index.close()
        # Whoever gets it has to say that it is to be trusted.
        (folder / OWNER_NAME).unlink(missing_ok=True)
        return store

    def copy_code(self, folder: Path) -> bool:
        """Write the code of the run into a folder, without anything of git.

        Returns
        -------
        bool
            Whether it is the code as the run had it. Where that was not recorded, the experiment and its parameter
            files are copied as they are now.

        Raises
        ------
        StoreError
            If not even these are there.
        """
        try:
            code = read_code(self.run.folder, self.run.facts)
            with self.workplace() as workplace:
                trees = check_out(self.project.root, code, workplace / "code")
                try:
                    shutil.copytree(
                        workplace / "code", folder, symlinks=True, ignore=shutil.ignore_patterns(".git")
                    )
                finally:
                    remove_trees(trees)
        except StoreError:
            self._copy_present(folder)
            return False
        return True

    def draw_report(self, folder: Path) -> Path:
        """Draw the run's report, and an index with it alone, into a folder of reports; return the report's page."""
        css = self.project.report_css
        page = draw_report(self.run.folder, folder, css=css)
        # Which report is the latest is of use among many only, and a link is no file that opens anywhere.
        forget_latest(os.fspath(folder))
        rows = [RunStore(_runs_folder(self.run), None).read_row(self.run.reference)]
        draw_index([row for row in rows if row is not None], folder, css=css)
        return page

    def _copy_present(self, folder: Path) -> None:
        names = [self.run.facts.get("experiment_file"), *(self.run.facts.get("parameter_files") or ())]
        copied = 0
        for name in filter(None, names):
            path = self.project.root / name
            if path.is_file() and path.is_relative_to(self.project.root):
                target = folder / path.relative_to(self.project.root)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
                copied += 1
        if not copied:
            raise StoreError(
                f"There is no code of {self.run.reference}: it was not recorded, and its files are not there any more.",
                hint="Put the project under git; runs made from then on keep their code.",
            )


def link_or_copy(source: str, target: str) -> None:
    """Give a file a second name, or copy it; files of lines, which grow in place, are always copied."""
    if not source.endswith((".jsonl", ".txt", "run.json")):
        try:
            os.link(source, target)
        except OSError:
            pass
        else:
            return
    shutil.copyfile(source, target)


def _runs_folder(run: Run) -> Path:
    return run.folder.parents[run.reference.count("/")]


def _leave_place(folder: str, names: list[str]) -> set[str]:
    # Only beside the artifacts: what lies among them may be called anything.
    return {name for name in names if name in _OF_THE_PLACE} if FACTS_NAME in names else set()

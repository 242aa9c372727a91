"""The index of all runs: one page that a browser reads from disk, with its rows in a script beside it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from curifactory.errors import ReportError
from curifactory.reporting.index_data import IndexData
from curifactory.reporting.latest import LATEST, find_latest
from curifactory.reporting.pages import ASSETS, CUSTOM_CSS, TEMPLATES_NAME, render_page
from curifactory.reporting.view.index import SHOWN_RUNS, gather_index

if TYPE_CHECKING:
    from curifactory.store.run_row import RunRow
    from curifactory.store.runs import RunStore

INDEX_ASSETS = ("theme.css", "index.css", "marks.js", "index.js", "comparison.js", "coordinates.js")
SHARED = "_assets"
DATA = "index-data.js"
LONGEST_WAIT_S = 5.0


def draw_index(
    rows: Iterable[RunRow], reports_folder: Path, *, mark: str | None = None, css: Path | None = None
) -> Path:
    """Draw ``index.html`` with all runs, whether they have a report or not.

    The first rows stand in the page itself; a script shows all of them, searched, sorted, filtered and compared.

    Parameters
    ----------
    rows : iterable of RunRow
        The runs, newest first, as ``RunStore.iter_rows`` gives them.
    reports_folder : Path
        Where the reports lie; is made if it is missing.
    mark : str, optional
        What ``RunStore.get_mark`` said before the rows were read, for :func:`update_index` to go on from.
    css : Path, optional
        A style sheet of one's own, which comes after ours and therefore wins; it need not exist.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    ReportError
        If it cannot be written.
    """
    with _told_as_report_error(reports_folder):
        data = IndexData.draw(list(rows), Reports(os.fspath(reports_folder)).has, mark=mark)
        return _write_index(data, reports_folder, css)


def update_index(runs: RunStore, reports_folder: Path, *, css: Path | None = None) -> Path:
    """Bring ``index.html`` up to date with what has changed, which takes no longer where there are many runs.

    Only rows that have changed are written anew. Where that is not enough, because folders of runs were copied here or
    deleted, or the index was made anew, it is drawn from all runs.

    Parameters
    ----------
    runs : RunStore
        The runs.
    reports_folder, css
        As for :func:`draw_index`.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    ReportError
        If it cannot be written.
    """
    with _told_as_report_error(reports_folder), _one_at_a_time(reports_folder):
        data = _read_current(runs, reports_folder)
        if data is None:
            mark = runs.get_mark()
            data = IndexData.draw(runs.iter_rows(), Reports(os.fspath(reports_folder)).has, mark=mark)
        return _write_index(data, reports_folder, css)


class Reports:
    """Which runs have a report. Folders are renamed into place whole, so that their names are enough."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._names: dict[str, frozenset[str]] = {}

    def has(self, reference: str) -> bool:
        """Say whether a run has one."""
        above, _, name = reference.rpartition("/")
        names = self._names.get(above)
        if names is None:
            try:
                names = frozenset(os.listdir(os.path.join(self._folder, above)))
            except OSError:
                names = frozenset()
            self._names[above] = names
        return name in names


def address_report(reference: str) -> str:
    """Give the address of a run's report from the index; the dot keeps a colon in it from being a scheme.

    Examples
    --------
    >>> address_report("vision/iris_4")
    './vision/iris_4/index.html'
    """
    return f"./{quote(reference)}/index.html"


def _read_current(runs: RunStore, reports_folder: Path) -> IndexData | None:
    """Read the rows that were written last and put in what has changed since; None if that is not enough."""
    try:
        data = IndexData.read((reports_folder / DATA).read_bytes())
    except FileNotFoundError:
        return None
    changes = None if data is None or data.mark is None else runs.read_changes(data.mark)
    if data is None or changes is None:
        return None
    changed: dict[str, RunRow | None] = dict.fromkeys(data.find_unsettled())
    changed |= {row.reference: row for row in changes.rows}
    for reference, row in sorted(changed.items(), key=lambda pair: _moment(pair[1])):
        # What is said of a run that goes on is true only as long as its process is there.
        current = runs.read_row(reference) if row is None or not row.outcome.is_final else row
        has_report = os.path.isdir(reports_folder / reference)
        if current is None or not data.take(current, has_report=has_report):
            return None
    data.mark = changes.mark
    return data if len(data.lines) == runs.count_folders() else None


def _moment(row: RunRow | None) -> float:
    return row.started_at.timestamp() if row is not None and row.started_at is not None else 0.0


def _write_index(data: IndexData, reports_folder: Path, css: Path | None) -> Path:
    assets = reports_folder / SHARED
    assets.mkdir(parents=True, exist_ok=True)
    for name in INDEX_ASSETS:
        _copy_changed(os.path.join(ASSETS, name), os.path.join(assets, name))
    has_css = css is not None and os.path.isfile(css)
    if css is not None and has_css:
        _copy_changed(os.fspath(css), os.path.join(assets, CUSTOM_CSS))
    _replace(reports_folder / DATA, data.to_bytes())
    view = gather_index(
        data, address_report, has_latest=find_latest(os.fspath(reports_folder)) is not None, shown=SHOWN_RUNS
    )
    page = render_page(
        "index.html",
        templates=reports_folder / TEMPLATES_NAME,
        view=view,
        latest=LATEST,
        scripts=[name for name in INDEX_ASSETS if name.endswith(".js")],
        css=CUSTOM_CSS if has_css else None,
    )
    _replace(reports_folder / "index.html", page.encode("utf-8", "backslashreplace"))
    return reports_folder / "index.html"


@contextlib.contextmanager
def _one_at_a_time(reports_folder: Path) -> Iterator[None]:
    """Let runs that end at the same moment write one after the other, so that none takes out what another put in."""
    from filelock import FileLock, Timeout

    reports_folder.mkdir(parents=True, exist_ok=True)
    lock: Any = FileLock(os.fspath(reports_folder / f".{DATA}.lock"))
    try:
        lock.acquire(timeout=LONGEST_WAIT_S)
    except (Timeout, OSError, NotImplementedError):
        # A file system without locks, or somebody who stands still: a row may then wait for the next run.
        lock = None
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


@contextlib.contextmanager
def _told_as_report_error(reports_folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ReportError(
            f"The index of reports could not be written to {error.filename2 or error.filename or reports_folder}: "
            f"{error.strerror or error}.",
            hint="The runs themselves are kept; `experiment report` draws the index again.",
        ) from error


def _copy_changed(source: str, target: str) -> None:
    with open(source, "rb") as stream:
        content = stream.read()
    try:
        with open(target, "rb") as stream:
            if stream.read() == content:
                return
    except FileNotFoundError:
        pass
    _replace(Path(target), content)


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that a browser sees the old one or the new one, never a part."""
    partial = f"{path}.{os.getpid()}"
    try:
        with open(partial, "wb") as stream:
            stream.write(content)
        os.replace(partial, path)
    except OSError:
        if os.path.exists(partial):
            os.unlink(partial)
        raise

"""The report of a run: gathered from its folder, rendered, written whole."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from curifactory.errors import ReportError
from curifactory.reporting.addresses import PageAddresses, join_fragment
from curifactory.reporting.comparison import COMPARISON, encode_comparison
from curifactory.reporting.graph.view import GraphView
from curifactory.reporting.latest import point_latest
from curifactory.reporting.overflow import Overflow
from curifactory.reporting.pages import ASSETS, CUSTOM_CSS, TEMPLATES_NAME, render_page
from curifactory.reporting.view.chip import Chips
from curifactory.reporting.view.report import ReportView, gather_report

if TYPE_CHECKING:
    from curifactory.store.run import Run

PAGE_ASSETS = ("theme.css", "page.css", "page.js")
REPORTABLE_STYLE = "reportables.css"
REPORTABLE_SCRIPT = "reportables.js"
OVERFLOW_SCRIPT = "overflow.js"
WORKPLACE = ".drawing-"
FORGOTTEN_AFTER_S = 86_400


def draw_report(run_folder: Path, reports_folder: Path, *, css: Path | None = None) -> Path:
    """Draw the report of a run from its folder alone.

    Parameters
    ----------
    run_folder : Path
        Folder of the run, here or copied from elsewhere; finished, failed or still going on.
    reports_folder : Path
        Where the reports of all runs lie; is made if it is missing.
    css : Path, optional
        A style sheet of one's own, which comes after ours and therefore wins.

    Returns
    -------
    Path
        ``<reports folder>/<reference>/index.html``. The folder is whole by itself; an earlier report of the run is
        replaced at once, and ``_latest`` leads to it unless a later run has a report.

    Raises
    ------
    StoreError
        If the folder is not that of a run.
    ReportError
        If the report cannot be written.
    """
    from curifactory.store.run import Run

    run = Run.read(run_folder)
    reference = run.reference
    _check_reference(reference)
    target = reports_folder / reference
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _forget_workplaces(reports_folder)
        workplace = tempfile.mkdtemp(prefix=WORKPLACE, dir=reports_folder)
    except OSError as error:
        raise _write_error(error, reports_folder) from error
    try:
        _fill(workplace, run, reports_folder, reference, css)
        # mkdtemp makes folders for one person only; a report is for all who may see its neighbours.
        os.chmod(workplace, os.stat(target.parent).st_mode & 0o777)
        _put_in_place(workplace, target)
        point_latest(os.fspath(reports_folder), reference)
    except OSError as error:
        raise _write_error(error, target) from error
    finally:
        shutil.rmtree(workplace, ignore_errors=True)
    return target / "index.html"


def _fill(workplace: str, run: Run, reports_folder: Path, reference: str, css: Path | None) -> None:
    # Drawn in the background, while everything above its place in the page is made.
    drawn = GraphView(run.calls, Chips(run.records), linked=True)
    addresses = PageAddresses(os.fspath(run.fragments_folder), os.fspath(reports_folder), reference)
    view = gather_report(run, addresses)
    problem = _take_css(css, workplace)
    if problem is not None:
        view = view.with_warning(problem)
    for (folder, file), address in addresses.scripts.items():
        _write_figure(
            workplace, join_fragment(os.fspath(run.fragments_folder), folder, file), folder, file, address
        )
    if view.curves is not None:
        _write(workplace, "curves.js", view.curves.script)
    for folder, file in addresses.used:
        _link(
            join_fragment(os.fspath(run.fragments_folder), folder, file),
            join_fragment(workplace, "fragments", folder),
            file,
        )
    if view.log is not None:
        _write(workplace, "log.txt", run.log_text())
    if view.patch is not None:
        _write(workplace, "patch.diff", run.patch_text())
    for name in list_assets(view):
        shutil.copyfile(os.path.join(ASSETS, name), os.path.join(workplace, name))
    with open(os.path.join(workplace, COMPARISON), "wb") as stream:
        stream.write(encode_comparison(run, view))
    overflow = Overflow()
    page = render_page(
        "page.html",
        templates=reports_folder / TEMPLATES_NAME,
        view=view,
        plotly=_share_plotly(os.fspath(reports_folder)) if view.has_charts else None,
        drawn=drawn,
        overflow=overflow,
        sections=list_sections(view, drawn),
        up="../" * (reference.count("/") + 1),
        has_css=css is not None and problem is None,
    )
    _write(workplace, "index.html", page)
    for name, text in overflow.scripts().items():
        _write(workplace, name, text)
    if not overflow.is_empty:
        shutil.copyfile(os.path.join(ASSETS, OVERFLOW_SCRIPT), os.path.join(workplace, OVERFLOW_SCRIPT))


def _share_plotly(reports_folder: str) -> str | None:
    from curifactory.reporting.shared_scripts import share_plotly

    return share_plotly(reports_folder)


def list_assets(view: ReportView) -> list[str]:
    """List the style sheets and scripts of the package that the page needs beside it, however long it is."""
    names = [*PAGE_ASSETS]
    if view.groups or view.curves:
        names.append(REPORTABLE_STYLE)
    if view.is_lively:
        names.append(REPORTABLE_SCRIPT)
    return names


def list_sections(view: ReportView, drawn: GraphView) -> list[tuple[str, str, int]]:
    """List the sections that the page has, each with its anchor, its name, and how much is in it."""
    reportables = sum(len(group.reportables) for group in view.groups)
    swept = sum(len(sweep.rows) for sweep in view.sweeps)
    calls = view.header.calls
    found: list[tuple[str, str, int, object]] = [
        ("warnings", "Warnings", len(view.warnings), view.warnings),
        ("notes", "Notes", 0, view.notes),
        ("results", "Results", 0, view.results),
        ("sweep", "Sweeps" if len(view.sweeps) > 1 else "Sweep", swept, view.sweeps),
        ("reportables", "Reportables", reportables, view.groups),
        ("graph", "Graph", 0, drawn.boxes),
        ("calls", "Calls", calls, view.calls.shown),
        ("parameters", "Parameters", 0, view.parameters),
        ("environment", "Environment", 0, view.environment),
        ("patch", "Uncommitted changes", 0, view.patch),
        ("log", "Log", 0, view.log),
    ]
    return [(anchor, name, count) for anchor, name, count, content in found if content]


def _check_reference(reference: str) -> None:
    """Refuse names that would lead out of the reports' folder; a copied run may say anything."""
    parts = reference.split("/")
    if any(not part or part.startswith((".", "_latest")) or "\\" in part or "\0" in part for part in parts):
        raise ReportError(
            f"The run calls itself {reference!r}, which cannot be the name of a folder.",
            hint="Mend 'reference' in its run.json.",
        )


def _take_css(css: Path | None, workplace: str) -> str | None:
    if css is None:
        return None
    try:
        shutil.copyfile(css, os.path.join(workplace, CUSTOM_CSS))
    except OSError as error:
        return f"The style sheet {css} could not be read ({error.strerror}); the page has only its own."
    return None


def _link(source: str, folder: str, file: str) -> None:
    """Give a file of the run a second name, or copy it where file systems cannot."""
    os.makedirs(folder, exist_ok=True)
    target = os.path.join(folder, file)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _write_figure(workplace: str, source: str, folder: str, file: str, address: str) -> None:
    """Write what a file says as a script, since a page from disk cannot read anything else; as text, it does nothing."""
    with open(source, encoding="utf-8", errors="replace") as stream:
        text = stream.read()
    place = join_fragment(workplace, "fragments", folder)
    os.makedirs(place, exist_ok=True)
    _write(
        place,
        f"{file}.js",
        f"(window.curifactoryFigures ??= {{}})[{json.dumps(address)}] = {json.dumps(text)};\n",
    )


def _write(folder: str, name: str, text: str | None) -> None:
    # Half a surrogate pair, from a path that is no UTF-8, must not cost the whole page.
    with open(os.path.join(folder, name), "wb") as stream:
        stream.write((text or "").encode("utf-8", "backslashreplace"))


def _put_in_place(workplace: str, target: Path) -> None:
    aside = f"{workplace}-old"
    with contextlib.suppress(FileNotFoundError):
        os.rename(target, aside)
    try:
        os.rename(workplace, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _forget_workplaces(reports_folder: Path) -> None:
    """Remove what drawings that were killed have left."""
    for place in reports_folder.glob(f"{WORKPLACE}*"):
        with contextlib.suppress(OSError):
            if time.time() - place.stat().st_mtime > FORGOTTEN_AFTER_S:
                shutil.rmtree(place, ignore_errors=True)


def _write_error(error: OSError, place: Path) -> ReportError:
    # Of a copy the first name is what was read.
    return ReportError(
        f"The report could not be written to {error.filename2 or error.filename or place}: {error.strerror or error}.",
        hint="The run itself is kept; `experiment report` draws it again.",
    )

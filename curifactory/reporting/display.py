"""Parts of a run's report for a notebook: objects that show themselves, whole, without any file beside them."""

from __future__ import annotations

from pathlib import Path

from curifactory.reporting.addresses import InlineAddresses
from curifactory.reporting.graph.view import GraphWork
from curifactory.reporting.pages import read_asset, render_page
from curifactory.reporting.view.chip import Chips
from curifactory.reporting.view.header import gather_header
from curifactory.reporting.view.reportables import gather_reportables, group_reportables
from curifactory.store.run import Run


class Display:
    """Something that a notebook shows as HTML and a terminal as a line of text.

    Parameters
    ----------
    html : str
        The HTML, style included.
    text : str
        What it is, in words.

    Examples
    --------
    >>> Display("<b>4</b>", "the number 4")
    <the number 4>
    """

    __slots__ = ("_text", "html")

    def __init__(self, html: str, text: str) -> None:
        self.html = html
        self._text = text

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"<{self._text}>"


def display_info(folder: Path) -> Display:
    """Show what a run is: experiment, number, outcome, when, commit, command.

    Parameters
    ----------
    folder : Path
        Folder of the run.

    Returns
    -------
    Display
        The head of its report.

    Raises
    ------
    StoreError
        If it is not the folder of a run.
    """
    run = Run.read(folder)
    return _show(f"run {run.reference}", part="info", head=gather_header(run))


def display_reportables(
    folder: Path, *, record: int | None = None, group: str | None = None, stage: str | None = None
) -> Display:
    """Show what was reported, all of it or some.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    record : int, optional
        Only of the record with this number.
    group : str, optional
        Only of this group.
    stage : str, optional
        Only by the stage of this name.

    Returns
    -------
    Display
        Figures and images are part of it; nothing has to be served.

    Raises
    ------
    StoreError
        If it is not the folder of a run.
    """
    run = Run.read(folder)
    rows = [
        row
        for row in run.reportables
        if (record is None or row.record == record)
        and (group is None or row.fragment.group == group)
        and (stage is None or row.stage == stage)
    ]
    addresses = InlineAddresses(str(run.fragments_folder))
    shown = gather_reportables(rows, run.calls, Chips(run.records), addresses)
    whose = [
        f"{name} {value}"
        for name, value in (("record", record), ("group", group), ("stage", stage))
        if value is not None
    ]
    nothing = f"Nothing was reported{' in ' + ' and '.join(whose) if whose else ' yet'}."
    return _show(
        f"{len(shown)} reportables of {run.reference}",
        part="reportables",
        groups=group_reportables(shown),
        nothing=nothing,
    )


def display_stage_graph(folder: Path) -> Display:
    """Show records and calls as a graph.

    Parameters
    ----------
    folder : Path
        Folder of the run.

    Returns
    -------
    Display
        The picture, and the text that stands for it where nothing can draw one.

    Raises
    ------
    StoreError
        If it is not the folder of a run.
    """
    run = Run.read(folder)
    drawn = GraphWork(run.calls, Chips(run.records), linked=False).finish()
    return _show(f"graph of {run.reference}", part="graph", drawn=drawn)


def _show(text: str, **values: object) -> Display:
    return Display(render_page("notebook.html", style=read_asset("theme.css"), **values), text)

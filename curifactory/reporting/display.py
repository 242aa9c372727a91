"""Parts of a run's report for a notebook: objects that show themselves, whole, without any file beside them."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curifactory.reporting.addresses import InlineAddresses, join_fragment
from curifactory.reporting.embedding import embed_script
from curifactory.reporting.graph.view import GraphView
from curifactory.reporting.pages import read_asset, render_page
from curifactory.reporting.view.chip import Chip, Chips, choose_hue
from curifactory.reporting.view.header import gather_header
from curifactory.reporting.view.records import Entry, gather_records, limit_entries, show_output
from curifactory.reporting.view.reportables import Group, gather_reportables, group_reportables
from curifactory.reporting.view.results import gather_results
from curifactory.store.parameter_columns import flatten
from curifactory.store.rows import ReportableRow
from curifactory.store.run import Run

if TYPE_CHECKING:
    from curifactory.store.rows import RecordRow

# Every figure becomes a part of the notebook's file; what is asked for by name is shown whole.
MOST_REPORTABLES = 24
# What shows a whole run stands in a notebook wherever somebody wrote its name, and again each time that the cell is run.
MOST_ROWS = 20
MOST_METRICS = 12
ROOM_BYTES = 150_000
STYLES = ("theme.css", "reportables.css", "notebook.css")


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
    groups = _groups(run, rows)
    whose = [
        f"{name} {value}"
        for name, value in (("record", record), ("group", group), ("stage", stage))
        if value is not None
    ]
    count = len(rows)
    nothing = f"Nothing was reported{' in ' + ' and '.join(whose) if whose else ' yet'}."
    return _show(
        f"{count} {'reportable' if count == 1 else 'reportables'} of {run.reference}",
        part="reportables",
        groups=groups,
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
    drawn = GraphView(run.calls, Chips(run.records), linked=False)
    return _show(f"graph of {run.reference}", part="graph", drawn=drawn)


def display_run(folder: Path) -> Display:
    """Show a run as a whole: what it is, its results, its records, and the first of what was reported.

    Parameters
    ----------
    folder : Path
        Folder of the run.

    Returns
    -------
    Display
        A short report.

    Raises
    ------
    StoreError
        If it is not the folder of a run.
    """
    run = Run.read(folder)
    chips = Chips(run.records)
    results = gather_results(run.metrics, chips)
    first = _take_light(run)
    return _show(
        f"run {run.reference}",
        part="run",
        head=gather_header(run),
        warnings=[warning.text for warning in run.warnings],
        table=None if results is None else results.limit(rows=MOST_ROWS, columns=MOST_METRICS),
        view=gather_records(run.records, run.calls, chips),
        groups=_groups(run, first),
        left_out=len(run.reportables) - len(first),
    )


def _take_light(run: Run) -> Sequence[ReportableRow]:
    """Return the first reportables that together are light enough to be a part of everything that shows the run."""
    room = ROOM_BYTES
    for count, row in enumerate(run.reportables[:MOST_REPORTABLES]):
        room -= len(json.dumps(row.fragment.data, default=str))
        for file in row.fragment.files:
            with suppress(OSError):
                room -= os.path.getsize(join_fragment(str(run.fragments_folder), row.folder, file))
        if room < 0 and count:
            return run.reportables[:count]
    return run.reportables[:MOST_REPORTABLES]


def display_record(
    index: int, name: str, entries: Iterable[Entry], *, parameters: Any = None, run: Run | None = None
) -> Display:
    """Show a record: its parameters, its state, what it logged and reported.

    Parameters
    ----------
    index : int
        Number of the record, which gives its colour.
    name : str
        Its reference name.
    entries : iterable of Entry
        What is in its state.
    parameters : Any
        Readable tree of its parameters; None if it has none.
    run : Run, optional
        Where its metrics and reportables are.

    Returns
    -------
    Display
        The record.
    """
    chip = Chip(index, name, name, choose_hue(index))
    rows = [] if run is None else [row for row in run.reportables if row.record == index]
    metrics = [] if run is None else [series for series in run.metrics if series.record == index]
    return _show(
        name,
        part="record",
        view=limit_entries(chip, entries),
        values=flatten(parameters),
        table=None if run is None else gather_results(metrics, Chips(run.records)),
        groups=() if run is None else _groups(run, rows[:MOST_REPORTABLES]),
        left_out=max(0, len(rows) - MOST_REPORTABLES),
    )


def display_past_record(run: Run, row: RecordRow, *, parameters: Any = None) -> Display:
    """Show a record of a run that is read from its folder.

    Parameters
    ----------
    run : Run
        The run.
    row : RecordRow
        The record.
    parameters : Any
        Readable tree of its parameters.
    """
    entries = {
        output.name: show_output(call, output)
        for call in run.calls
        if call.record == row.index
        for output in call.outputs
    }
    return display_record(row.index, row.name, entries.values(), parameters=parameters, run=run)


def display_row(run: Run, row: ReportableRow) -> Display:
    """Show one thing that a run has reported.

    Parameters
    ----------
    run : Run
        The run.
    row : ReportableRow
        The reportable.
    """
    addresses = InlineAddresses(str(run.fragments_folder))
    (shown,) = gather_reportables([row], run.calls, Chips(run.records), addresses)
    return _show(f"reportable {row.name}", part="reportable", shown=shown)


def display_reportable(reportable: Any) -> Display:
    """Show a reportable that need not have been reported.

    Parameters
    ----------
    reportable : Reportable
        The reportable.

    Returns
    -------
    Display
        What a report would show; an error in its place if it cannot be drawn.
    """
    from curifactory.reporting.reportables.reportable import error_fragment

    name = str(getattr(reportable, "name", None) or type(reportable).__name__)
    with tempfile.TemporaryDirectory(prefix="curifactory-") as folder:
        place = Path(folder, "0")
        place.mkdir()
        try:
            fragment = reportable.to_fragment(folder=str(place), name=type(reportable).__name__)
        except Exception as error:  # noqa: BLE001 - as in a report, what cannot be drawn says so in its place
            fragment = error_fragment(reportable, error, type(reportable).__name__)
        row = ReportableRow(0, None, None, "0", fragment)
        (shown,) = gather_reportables([row], (), Chips(()), InlineAddresses(folder))
    return _show(f"reportable {name}", part="content", shown=shown)


def display_facts(title: str, pairs: Sequence[tuple[str, str]]) -> Display:
    """Show names and values.

    Parameters
    ----------
    title : str
        Stands above them.
    pairs : sequence of (str, str)
        Name and value.

    Examples
    --------
    >>> "&lt;b&gt;" in display_facts("model", [("type", "<b>")]).html
    True
    """
    return _show(title, part="facts", title=title, values=pairs)


def _groups(run: Run, rows: Sequence[ReportableRow]) -> tuple[Group, ...]:
    addresses = InlineAddresses(str(run.fragments_folder))
    return group_reportables(gather_reportables(rows, run.calls, Chips(run.records), addresses))


def _show(text: str, **values: Any) -> Display:
    style = "".join(map(read_asset, STYLES))
    return Display(embed_script(render_page("notebook.html", style=style, **values)), text)

"""What a manager shows: its report, and in a notebook its parts."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakSet

from curifactory.core.events import Warned
from curifactory.core.record import Record
from curifactory.core.state import Slot
from curifactory.engine.describe import summary, type_name
from curifactory.engine.graph import Call
from curifactory.errors import ReportError
from curifactory.parameters.lossless import shown_set
from curifactory.store.run import Run

if TYPE_CHECKING:
    from curifactory.manager.assembly import Parts
    from curifactory.project.project import Project
    from curifactory.reporting.view.records import Entry


_made: WeakSet[Showing] = WeakSet()


def write_waiting(folder: Path) -> None:
    """Write everything that is known so far of a run, if it is a run of this process that goes on.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    """
    for manager in list(_made):
        if manager.is_open and manager.run_folder == folder:
            manager.prepare_folder()


class Showing:
    """The part of a manager that draws; everything is drawn from the run folder."""

    project: Project
    live: bool
    report_path: Path | None
    _parts: Parts

    def __new__(cls, *_args: Any, **_options: Any) -> Self:  # noqa: D102 - the class says it
        made = super().__new__(cls)
        _made.add(made)
        return made

    @property
    def is_open(self) -> bool:
        """Whether the run has begun and not ended."""
        return not self.__dict__.get("_closed", True) and "_parts" in self.__dict__

    @property
    def run_folder(self) -> Path | None:
        """Where the run is recorded; None of a dry run."""
        return None if self._parts.run is None else self._parts.run.path

    def keep_live_sets(self) -> None:
        """Keep the parameter sets of a live session, which are known only from its records."""
        raise NotImplementedError

    def generate_report(self) -> Path | None:
        """Draw the report of the run as it stands, and the index of all reports.

        Returns
        -------
        Path or None
            The report's page; None of a dry run, which leaves nothing to draw from.

        Raises
        ------
        ReportError
            If it cannot be drawn.
        """
        from curifactory.reporting.index import update_index
        from curifactory.reporting.report import draw_report

        if self.run_folder is None:
            return None
        folder = self.prepare_folder()
        reports, css = self.project.reports_folder, self.project.report_css
        self.report_path = draw_report(folder, reports, css=css)
        update_index(self._parts.runs, reports, css=css)
        return self.report_path

    def display_info(self) -> Any:
        """Show what the run is: name, time, commit, parameters."""
        from curifactory.reporting.display import display_info

        return display_info(self.prepare_folder())

    def display_all_reportables(self) -> Any:
        """Show everything that was reported so far."""
        return self._display_reportables()

    def display_record_reportables(self, record: Record) -> Any:
        """Show what was reported for a record."""
        return self._display_reportables(record=record.index)

    def display_group_reportables(self, group_name: str) -> Any:
        """Show what was reported in a group."""
        return self._display_reportables(group=group_name)

    def display_stage_reportables(self, stage_name: str) -> Any:
        """Show what was reported by a stage."""
        return self._display_reportables(stage=stage_name)

    def display_reportable(self, reportable: Any) -> Any:
        """Show one reportable, whether or not it was reported."""
        from curifactory.reporting.display import display_reportable

        return display_reportable(reportable)

    def display_stage_graph(self) -> Any:
        """Show the graph of records and calls."""
        from curifactory.reporting.display import display_stage_graph

        return display_stage_graph(self.prepare_folder())

    def show_record(self, record: Record) -> str:
        """Return a record as HTML for a notebook; nothing is executed or loaded for it."""
        from curifactory.reporting.display import display_record

        entries = [_entry(name, slot) for name, slot in record.state.slots().items()]
        run = None if self.run_folder is None or record.hidden else Run.read(self.prepare_folder())
        parameters = None if record.params is None else shown_set(record.params)
        shown = display_record(
            record.index, record.get_reference_name(), entries, parameters=parameters, run=run
        )
        return shown.html

    def show_progress(self) -> None:
        """Show from now on which stages run, if this is a notebook; a script or REPL is told of warnings alone."""
        if "IPython" in sys.modules:
            from curifactory.reporting.progress import follow

            if follow(self._parts.events) is not None:
                return
        self._parts.events.subscribe(_say_warning, only=Warned)

    def _repr_html_(self) -> str | None:
        if self.run_folder is None:
            # A dry run keeps nothing to draw from; a notebook shows its text.
            return None
        from curifactory.reporting.display import display_run

        return display_run(self.prepare_folder()).html

    def _display_reportables(self, **which: Any) -> Any:
        from curifactory.reporting.display import display_reportables

        return display_reportables(self.prepare_folder(), **which)

    def prepare_folder(self) -> Path:
        """Return the run folder with everything written that is known so far."""
        if self.run_folder is None or self._parts.recorder is None:
            raise ReportError(
                "A dry run keeps nothing that could be shown.", hint="Make the manager without dry=True."
            )
        self.keep_live_sets()
        self._parts.recorder.flush()
        return self.run_folder


def _say_warning(event: Warned) -> None:
    """Write a warning to standard error; a listener."""
    # A program without a console, or one that has closed its streams, has nobody to tell.
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            told = "".join(each if each.isprintable() else " " for each in event.text)
            sys.stderr.write(f"warning {told}\n")


def _entry(name: str, slot: Slot) -> Entry:
    """Say what is known of an entry of a state without asking for its value."""
    from curifactory.reporting.view.header import style_name
    from curifactory.reporting.view.quantities import format_size
    from curifactory.reporting.view.records import Entry

    call = slot.producer
    if not isinstance(call, Call):
        return Entry(
            name, "", type=type_name(slot.value), summary=summary(slot.value, name), kept="in memory"
        )
    outcome = "not yet made" if call.outcome is None else call.outcome.value
    output = call.outputs[slot.position] if slot.position < len(call.outputs) else None
    if output is None:
        return Entry(name, call.name, outcome, style_name(outcome))
    size = None if output.artifact is None else format_size(output.artifact.size_bytes)
    kept = size or ("in memory" if slot.present else "not cached")
    return Entry(name, call.name, outcome, style_name(outcome), output.type, output.summary, kept)

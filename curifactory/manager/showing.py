"""What a manager shows: its report, and in a notebook its parts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from curifactory.core.record import Record
from curifactory.errors import ReportError

if TYPE_CHECKING:
    from curifactory.manager.assembly import Parts
    from curifactory.project.project import Project


class Showing:
    """The part of a manager that draws; everything is drawn from the run folder."""

    project: Project
    report_path: Path | None
    _parts: Parts

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
        from curifactory.reporting.index import draw_index
        from curifactory.reporting.report import draw_report

        if self.run_folder is None:
            return None
        folder = self._ready_folder()
        self.report_path = draw_report(folder, self.project.reports_folder, css=self.project.report_css)
        draw_index(self._parts.runs.iter_rows(), self.project.reports_folder)
        return self.report_path

    def display_info(self) -> Any:
        """Show what the run is: name, time, commit, parameters."""
        from curifactory.reporting.display import display_info

        return display_info(self._ready_folder())

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

    def display_stage_graph(self) -> Any:
        """Show the graph of records and calls."""
        from curifactory.reporting.display import display_stage_graph

        return display_stage_graph(self._ready_folder())

    def _display_reportables(self, **which: Any) -> Any:
        from curifactory.reporting.display import display_reportables

        return display_reportables(self._ready_folder(), **which)

    def _ready_folder(self) -> Path:
        """Return the run folder with everything written that is known so far."""
        if self.run_folder is None or self._parts.recorder is None:
            raise ReportError(
                "A dry run keeps nothing that could be shown.", hint="Make the manager without dry=True."
            )
        self.keep_live_sets()
        self._parts.recorder.flush()
        return self.run_folder

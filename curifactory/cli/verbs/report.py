"""``experiment report RUN``: draw the report of a run again."""

from __future__ import annotations

import click

from curifactory.cli.verbs.show import RUN_HELP
from curifactory.cli.words import RunVerb


@click.command("report", cls=RunVerb, epilog=f"{RUN_HELP} As in: experiment report iris/-1")
@click.argument("run", default="-1")
def verb(run: str) -> int:
    """Draw the report of a run from what is kept of it, and the index of all. Without RUN it is the latest."""
    import sys

    from curifactory.cli.console import Console
    from curifactory.cli.store import open_runs
    from curifactory.errors import ExitCode
    from curifactory.project.project import Project
    from curifactory.reporting.index import draw_index
    from curifactory.reporting.report import draw_report

    project = Project.find()
    runs = open_runs(project)
    found = runs.get(run)
    reports, css = project.reports_folder, project.report_css
    page = draw_report(found.folder, reports, css=css)
    # In full: it mends what the short way after a run cannot see, such as folders that were copied here or deleted.
    mark = runs.get_mark()
    draw_index(runs.iter_rows(), reports, mark=mark, css=css)
    console = Console(sys.stdout)
    console.print(f"report  {console.link(page)}")
    return ExitCode.COMPLETE

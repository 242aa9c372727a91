"""``experiment open``: show reports in the browser."""

from __future__ import annotations

import click

from curifactory.cli.verbs.show import RUN_HELP
from curifactory.cli.words import RunVerb


@click.command("open", cls=RunVerb, epilog=f"{RUN_HELP} As in: experiment open iris/-1")
@click.argument("run", required=False)
def verb(run: str | None) -> int:
    """Open the index of all reports in the browser, or the report of RUN."""
    import sys
    import webbrowser

    from curifactory.cli.console import Console
    from curifactory.cli.store import open_runs
    from curifactory.errors import DiscoveryError, ExitCode
    from curifactory.project.project import Project

    project = Project.find()
    page = project.reports_folder / "index.html"
    hint = "Make one with: experiment NAME"
    if run is not None:
        found = open_runs(project).get(run)
        page = project.reports_folder / found.reference / "index.html"
        hint = f"Draw it with: experiment report {found.reference}"
    if not page.is_file():
        raise DiscoveryError(f"There is no report at {page}.", hint=hint)
    console = Console(sys.stdout)
    console.print(f"report  {console.link(page)}")
    if not webbrowser.open(page.as_uri()):
        Console(sys.stderr).print("No browser was found: open the address yourself.")
        return ExitCode.FAILED
    return ExitCode.COMPLETE

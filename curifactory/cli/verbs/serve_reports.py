"""``experiment reports``: serve reports to a browser on this machine."""

from __future__ import annotations

import click

from curifactory.cli.words import Verb


@click.command("reports", cls=Verb, epilog="Example: experiment reports --port 9000")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    metavar="PORT",
    help="Listen on this port; 0 takes one that is free: --port 0.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Listen on this address. Any but that of this machine lets others read: --host 0.0.0.0.",
)
@click.option("--update", is_flag=True, help="Draw the index anew before: experiment reports --update.")
def verb(port: int, host: str, update: bool) -> int:
    """Serve the folder of reports over HTTP, for reading only, until Ctrl-C.

    Reports are whole without a server: experiment open shows them from disk. This is for a browser that cannot see the
    disk, such as one at the other end of an SSH tunnel.
    """
    import sys

    from curifactory.cli.console import Console
    from curifactory.cli.store import open_runs
    from curifactory.errors import DiscoveryError, ExitCode
    from curifactory.project.project import Project
    from curifactory.server.files import FileServer

    project = Project.find()
    reports = project.reports_folder
    if update:
        from curifactory.reporting.index import draw_index

        runs = open_runs(project)
        draw_index(runs.iter_rows(), reports, mark=runs.get_mark(), css=project.report_css)
    if not (reports / "index.html").is_file():
        raise DiscoveryError(f"There are no reports in {reports}.", hint="Make one with: experiment NAME")
    console, errors = Console(sys.stdout), Console(sys.stderr)
    with FileServer(reports, host=host, port=port) as server:
        if not server.is_local:
            errors.print("warning everybody who reaches this machine can read the reports")
        console.print(f"serving {server.address}  (Ctrl-C ends)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            console.print("")
    return ExitCode.COMPLETE

"""``experiment export RUN``: write a run as files for others."""

from __future__ import annotations

from pathlib import Path

import click

from curifactory.cli.verbs.show import RUN_HELP
from curifactory.cli.words import RunVerb

_EPILOG = f"{RUN_HELP} As in: experiment export iris/-1 --to iris.html"


@click.command("export", cls=RunVerb, epilog=_EPILOG)
@click.argument("run", default="-1")
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write this file; one that is named after the run, in the working folder, without it.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["zip", "html", "ro-crate"]),
    help="zip: report, run and artifacts; html: the report as one page; ro-crate: a research object. "
    "By the ending of --to without it, else zip.",
)
def verb(run: str, to: Path | None, format_: str | None) -> int:
    """Write a run as a zip file, as one HTML page, or as an RO-Crate. Without RUN it is the latest."""
    import sys

    from curifactory.cli.amounts import show_size
    from curifactory.cli.console import Console
    from curifactory.errors import ExitCode
    from curifactory.workflow.past_run import load_run

    written = load_run(run).export(to, format=format_)
    console = Console(sys.stdout)
    size = f"  {show_size(written.stat().st_size)}" if written.is_file() else ""
    console.print(f"export  {console.link(written)}{size}")
    return ExitCode.COMPLETE

"""``experiment notebook RUN``: write a notebook that loads a run."""

from __future__ import annotations

from pathlib import Path

import click

from curifactory.cli.verbs.show import RUN_HELP
from curifactory.cli.words import RunVerb

_EPILOG = f"{RUN_HELP} As in: experiment notebook iris/-1 --to look.ipynb"


@click.command("notebook", cls=RunVerb, epilog=_EPILOG)
@click.argument("run", default="-1")
@click.option(
    "--to",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write this file; one in the folder of notebooks, named after the run, without it.",
)
def verb(run: str, to: Path | None) -> int:
    """Write a notebook with the run's parameters, metrics, records and artifacts. Without RUN it is the latest."""
    import sys

    from curifactory.cli.console import Console
    from curifactory.errors import ExitCode
    from curifactory.workflow.past_run import load_run

    console = Console(sys.stdout)
    console.print(f"notebook  {console.link(load_run(run).notebook(to))}")
    return ExitCode.COMPLETE

"""``experiment resume``: finish a run that was interrupted or has failed."""

from __future__ import annotations

import click

from curifactory.cli.verbs.show import RUN_HELP
from curifactory.cli.words import RunVerb

_EPILOG = f"{RUN_HELP} As in: experiment resume iris/-1"


@click.command("resume", cls=RunVerb, epilog=_EPILOG)
@click.argument("run", required=False)
@click.option("-v", "--verbose", is_flag=True, help="Say more: which calls begin, the files that they make.")
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
@click.pass_context
def verb(ctx: click.Context, run: str | None, verbose: bool, quiet: bool) -> int:
    """Finish a run that was interrupted, failed or partly failed; without RUN the latest of them.

    It is run again as it was asked for, in the present tree: what is finished is reused, and the new run says which one
    it resumes. What has changed since in code and parameters is told first.
    """
    import sys

    from curifactory.cli import running
    from curifactory.cli.console import Console, printable
    from curifactory.project.project import Project
    from curifactory.workflow.resumption import prepare_resumption

    found = prepare_resumption(run, Project.find())
    errors = Console(sys.stderr)
    if not quiet:
        errors.print(
            f"resume   {printable(found.run.reference)} {found.run.outcome.value}: "
            f"{found.finished} of {found.calls} calls were finished"
        )
        for change in found.changes:
            errors.print(f"changed  {printable(change)} since; what it concerns runs anew")
    debug = bool(ctx.find_root().params.get("debug")) or "--debug" in sys.argv
    return running.run(found.request, running.Manner(verbose=verbose, quiet=quiet, debug=debug))

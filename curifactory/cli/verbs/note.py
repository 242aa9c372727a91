"""``experiment note RUN``: write notes on a run afterwards."""

from __future__ import annotations

import click

from curifactory.cli.verbs.show import RUN_HELP
from curifactory.cli.words import RunVerb

_EPILOG = f"{RUN_HELP} As in: experiment note iris/-1 'with the new solver'"


@click.command("note", cls=RunVerb, epilog=_EPILOG)
@click.argument("run")
@click.argument("text", required=False)
@click.option("--append", is_flag=True, help="Write below the notes that are there.")
@click.option("--clear", is_flag=True, help="Take the notes away.")
def verb(run: str, text: str | None, append: bool, clear: bool) -> int:
    """Write TEXT on a run in place of its notes; without TEXT an editor opens with them.

    The report of the run and the index of reports show it at once.
    """
    import sys

    from curifactory.cli.console import Console, printable
    from curifactory.errors import ExitCode
    from curifactory.workflow.past_run import load_run

    if clear and (append or text is not None):
        raise click.UsageError("--clear takes the notes away: give no text and no --append.")
    found = load_run(run)
    console = Console(sys.stdout)
    if text is None and not clear:
        text = _edit("" if append else found.notes or "")
        if text is None:
            console.print("Nothing was changed.")
            return ExitCode.COMPLETE
    found.note(text or "", append=append)
    told = f"notes of {printable(found.reference)}"
    console.print(f"{told}: {printable(found.notes)}" if found.notes else f"{told} taken away")
    return ExitCode.COMPLETE


def _edit(before: str) -> str | None:
    """Let the person write; None if the editor was left without saving.

    Raises
    ------
    click.UsageError
        If there is no terminal that an editor could be in.
    ConfigurationError
        If there is no editor that works here.
    """
    import os
    import sys

    from curifactory.errors import ConfigurationError

    # One that somebody has named may have a window of its own; the one that is found needs a terminal.
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not named and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("Without a text an editor opens, which needs a terminal: give the text, too.")
    try:
        edited = click.edit(f"{before}\n" if before else "", extension=".md", require_save=True)
    except click.ClickException as error:
        raise ConfigurationError(
            f"The editor did not work: {error.format_message()}",
            hint="Give the text as an argument, or name your editor in EDITOR.",
        ) from error
    return None if edited is None else edited.strip()

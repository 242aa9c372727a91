"""``curifactory completion``: the script that makes a shell complete words at a TAB."""

from __future__ import annotations

import click

from curifactory.cli.words import Verb


@click.command("completion", cls=Verb, epilog="Example: curifactory completion zsh --install")
@click.argument("shell", required=False, type=click.Choice(["bash", "zsh", "fish"]))
@click.option(
    "--install", is_flag=True, help="Put it where the shell reads it: curifactory completion --install."
)
def verb(shell: str | None, install: bool) -> int:
    """Write the script for bash, zsh or fish; without SHELL it is the one that you use.

    TAB then completes experiments, parameter files, set names, stages, runs, fields and options. Nothing of your code
    is imported for that.
    """
    import os

    from curifactory.cli.completion import PROGRAMS
    from curifactory.cli.completion_scripts import find_shell, install_scripts, render_script
    from curifactory.errors import ExitCode

    shell = shell or find_shell(os.environ)
    if shell is None:
        raise click.UsageError("Which shell you use cannot be seen. Name it: bash, zsh or fish.")
    if not install:
        click.echo("\n\n".join(render_script(shell, program) for program in PROGRAMS))
        return ExitCode.COMPLETE
    written = install_scripts(shell, PROGRAMS, os.environ)
    for file in written:
        click.echo(f"wrote  {file}")
    click.echo("Open a new shell, and TAB completes." if written else "It is installed already.")
    return ExitCode.COMPLETE

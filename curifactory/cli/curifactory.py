"""The ``curifactory`` command: what concerns the installation and not one experiment."""

from __future__ import annotations

import sys

import click

from curifactory.cli.outcome import run_command
from curifactory.cli.words import HELP, debug_option, version_option
from curifactory.errors import ExitCode


@click.group(
    params=[version_option(), debug_option()],
    context_settings=HELP,
    invoke_without_command=True,
    epilog="Experiments are run by the command: experiment NAME",
)
@click.pass_context
def curifactory(ctx: click.Context) -> int | None:
    """Research experiments in plain Python: nothing computed twice, everything explained, every run a report."""
    if ctx.invoked_subcommand is not None:
        return None
    click.echo(ctx.get_help())
    return ExitCode.COMPLETE


def main() -> None:
    """Be the ``curifactory`` program."""
    sys.exit(run_command(curifactory, sys.argv[1:], program="curifactory"))


if __name__ == "__main__":
    main()

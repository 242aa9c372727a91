"""The ``experiment`` command: a group of verbs, of which ``run`` may be left out."""

from __future__ import annotations

import importlib
import sys
from types import MappingProxyType

import click

from curifactory.cli.outcome import DEBUG, run_command
from curifactory.cli.words import HELP, SHORT, debug_option, version_option
from curifactory.errors import ExitCode

VERBS = MappingProxyType(
    {
        "run": "curifactory.cli.verbs.run",
        "ls": "curifactory.cli.verbs.list_files",
        "runs": "curifactory.cli.verbs.list_runs",
        "show": "curifactory.cli.verbs.show",
        "report": "curifactory.cli.verbs.report",
        "open": "curifactory.cli.verbs.open_report",
        "cache": "curifactory.cli.verbs.cache",
        "accept": "curifactory.cli.verbs.accept",
        "reindex": "curifactory.cli.verbs.reindex",
    }
)
DEFAULT_VERB = "run"
_GROUP_FLAGS = ("--help", "--version", DEBUG)


class Verbs(click.Group):
    """A group that imports a verb when it is asked for, and takes any other first word for an experiment's name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the verbs."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a verb; None if there is none of this name."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(VERBS[cmd_name]).verb
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default verb where none was written."""
        own = 0
        while own < len(args) and args[own] in _GROUP_FLAGS:
            own += 1
        if own < len(args) and args[own] not in VERBS:
            args = [*args[:own], DEFAULT_VERB, *args[own:]]
            ctx.meta[SHORT] = True
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write both ways to use the command."""
        formatter.write_usage(ctx.command_path, "NAME [OPTIONS]")
        formatter.write_usage(ctx.command_path, "VERB [OPTIONS] …", prefix="       ")


@click.group(
    cls=Verbs,
    params=[version_option(), debug_option()],
    context_settings=HELP,
    invoke_without_command=True,
    epilog="experiment NAME --help lists the options of a run, experiment VERB --help those of a verb.",
)
@click.pass_context
def experiment(ctx: click.Context) -> int | None:
    """Run experiments, and look at what has been run.

    NAME is an experiment of this project. What is finished is reused; every run leaves a report. An experiment that is
    called like a verb is run by: experiment run NAME.
    """
    if ctx.invoked_subcommand is not None:
        return None
    click.echo(ctx.get_help())
    return ExitCode.WRONG_USE


def main() -> None:
    """Be the ``experiment`` program."""
    sys.exit(run_command(experiment, sys.argv[1:], program="experiment"))


if __name__ == "__main__":
    main()

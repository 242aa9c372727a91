"""The ``curifactory`` command: what concerns a project or the installation and not one experiment."""

from __future__ import annotations

from types import MappingProxyType

import click

from curifactory.cli.groups import LazyGroup
from curifactory.cli.words import HELP, color_option, debug_option, version_option
from curifactory.errors import ExitCode

VERBS = MappingProxyType(
    {
        "init": "curifactory.cli.verbs.begin_project",
        "config": "curifactory.cli.verbs.config",
        "doctor": "curifactory.cli.verbs.doctor",
        "completion": "curifactory.cli.verbs.completion",
    }
)


class Verbs(LazyGroup):
    """A group that knows which words belong to the other program."""

    def hint_of(self, word: str) -> str:
        """Say what a word that is no verb may mean."""
        from curifactory.cli.experiment_verbs import VERBS as OTHERS

        return f"Write: experiment {word}" if word in OTHERS else super().hint_of(word)


@click.group(
    cls=Verbs,
    verbs=VERBS,
    params=[version_option(), color_option(), debug_option()],
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

"""``experiment cache``: a group of verbs about what lies in the store."""

from __future__ import annotations

import importlib
from types import MappingProxyType

import click

from curifactory.cli.words import HELP

VERBS = MappingProxyType(
    {
        "why": "curifactory.cli.verbs.cache_why",
        "ls": "curifactory.cli.verbs.cache_list",
        "verify": "curifactory.cli.verbs.cache_verify",
        "gc": "curifactory.cli.verbs.cache_collect",
        "undo": "curifactory.cli.verbs.cache_undo",
    }
)


class CacheVerbs(click.Group):
    """A group that imports a verb when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the verbs."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a verb; None if there is none of this name."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(VERBS[cmd_name]).verb
        return command


@click.group("cache", cls=CacheVerbs, context_settings=HELP, invoke_without_command=True)
@click.pass_context
def verb(ctx: click.Context) -> int | None:
    """Look at what is kept, and why; check it, and clear away what nobody would use."""
    from curifactory.errors import ExitCode

    if ctx.invoked_subcommand is not None:
        return None
    click.echo(ctx.get_help())
    return ExitCode.WRONG_USE

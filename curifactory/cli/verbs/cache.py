"""``experiment cache``: a group of verbs about what lies in the store."""

from __future__ import annotations

from types import MappingProxyType

import click

from curifactory.cli.groups import LazyGroup
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


@click.group("cache", cls=LazyGroup, verbs=VERBS, context_settings=HELP, invoke_without_command=True)
@click.pass_context
def verb(ctx: click.Context) -> int | None:
    """Look at what is kept, and why; check it, and clear away what nobody would use."""
    from curifactory.errors import ExitCode

    if ctx.invoked_subcommand is not None:
        return None
    click.echo(ctx.get_help())
    return ExitCode.WRONG_USE

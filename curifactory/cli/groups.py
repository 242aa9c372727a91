"""A group of verbs that imports each of them when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_WHOLE = 1_000
_SHORT = 62
# In the context's meta: whether completions are wanted without help, as bash shows them.
BARE = "curifactory.cli.bare"


class LazyGroup(click.Group):
    """A group whose verbs lie in modules, each under the name ``verb``.

    Parameters
    ----------
    verbs : mapping of str to str
        Word on the command line to dotted name of the module.
    """

    def __init__(self, *arguments: Any, verbs: Mapping[str, str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the verbs."""
        return list(self.verbs)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what each verb does: the first sentence of its help, not cut in its midst."""
        rows = []
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None:
                rows.append((name, _say_shortly(command.get_short_help_str(_WHOLE))))
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a verb; None if there is none of this name."""
        if cmd_name not in self.verbs:
            return None
        command: click.Command = importlib.import_module(self.verbs[cmd_name]).verb
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the verbs and options that a word can be; verbs are imported only where their help is shown."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-") or not ctx.meta.get(BARE):
            return super().shell_complete(ctx, incomplete)
        return [CompletionItem(name) for name in self.list_commands(ctx) if name.startswith(incomplete)]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb that is meant; for one that is not there the nearest ones are named.

        Raises
        ------
        click.UsageError
            If there is no such verb.
        """
        if args and args[0] not in self.verbs and not ctx.resilient_parsing:
            raise click.UsageError(f"{ctx.command_path} has no verb '{args[0]}'. {self.hint_of(args[0])}")
        return super().resolve_command(ctx, args)

    def hint_of(self, word: str) -> str:
        """Say what a word that is no verb may mean."""
        from curifactory.core.nearest import suggest

        return suggest(word, list(self.verbs), nothing="")


def _say_shortly(sentence: str) -> str:
    """Return a sentence, if it is a long one without what comes after a colon or semicolon."""
    if len(sentence) <= _SHORT:
        return sentence
    for mark in ("; ", ": "):
        sentence = sentence.partition(mark)[0]
    return f"{sentence.rstrip('.')}."

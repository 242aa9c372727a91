"""The words that were typed: verbs that may be left out, values that may, and numbers that look like options."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import click

_NEGATIVE = re.compile(r"-\d+")
# Before a number that is no option; a command line cannot hold it.
_MARK = "\0"
TYPED = "curifactory.cli.typed"
SHORT = "curifactory.cli.short"
NO_COLOR = "--no-color"
DEBUG = "--debug"
HELP = {"help_option_names": ["--help"], "max_content_width": 110}


def debug_option() -> click.Option:
    """Return the option that every command has; its value is read where errors are shown."""
    return click.Option(
        [DEBUG],
        is_flag=True,
        expose_value=False,
        help="Show whole tracebacks, this package's frames too.",
    )


def color_option() -> click.Option:
    """Return the option that every command has; it is looked for before any line is written."""
    return click.Option(
        [NO_COLOR],
        is_flag=True,
        expose_value=False,
        help="Write without colours, as with NO_COLOR=1 in the environment.",
    )


def show_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    """Print the version and end."""
    if value and not ctx.resilient_parsing:
        import sys

        click.echo(sys.modules["curifactory"].__version__)
        ctx.exit()


def version_option() -> click.Option:
    """Return the option that prints the version."""
    return click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show_version,
        help="Show the version and exit.",
    )


class Verb(click.Command):
    """A command with the options that every command has."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        options.setdefault("context_settings", HELP)
        super().__init__(*arguments, **options)
        self.params += [color_option(), debug_option()]


class RunVerb(Verb):
    """A command whose arguments name runs: ``-1`` is the latest of them and no option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Let numbers count as arguments, where they stand."""
        rest = super().parse_args(ctx, list(self._mark(args)))
        ctx.params = {name: _unmark(value) for name, value in ctx.params.items()}
        return rest

    def _mark(self, args: list[str]) -> Iterator[str]:
        taking = {
            flag
            for param in self.params
            if isinstance(param, click.Option) and not param.is_flag and not param.count
            for flag in param.opts
        }
        before = ""
        for word in args:
            is_number = _NEGATIVE.fullmatch(word) is not None and before not in taking
            yield f"{_MARK}{word}" if is_number and before != "--" else word
            before = before if before == "--" else word


class NamedVerb(Verb):
    """A command with a name and with options whose value may be left out; these never swallow the name.

    ``--notes iris`` alone is the experiment iris with notes to be written, ``--notes "first try" iris`` has them.
    """

    optional_values: tuple[str, ...] = ("--notes", "--print-params")

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take back the name where an option has got it."""
        args = self._give_back(ctx, args)
        ctx.meta[TYPED] = list(args)
        return super().parse_args(ctx, args)

    def _give_back(self, ctx: click.Context, args: list[str]) -> list[str]:
        for flag in self.optional_values:
            if flag in args and not self._has_name(ctx, args):
                place = args.index(flag)
                changed = [*args[:place], *args[place + 1 :], flag]
                if self._has_name(ctx, changed):
                    return changed
        return args

    def _has_name(self, ctx: click.Context, args: list[str]) -> bool:
        probe = click.Context(self, resilient_parsing=True, parent=ctx.parent)
        try:
            options, _, _ = self.make_parser(probe).parse_args(args=list(args))
        except click.UsageError:
            return True
        return isinstance(options.get("name"), str)


def _unmark(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_unmark, value))
    return value.removeprefix(_MARK) if isinstance(value, str) else value


def command_words(program: Sequence[str], typed: Sequence[str]) -> tuple[str, ...]:
    """Return the words of a run as they are kept with it: those that were typed, without the notes.

    Parameters
    ----------
    program : sequence of str
        What comes first, such as ``experiment`` or ``experiment run``.
    typed : sequence of str
        The words after it.

    Examples
    --------
    >>> command_words(["experiment"], ["iris", "--notes", "first try", "-p", "iris", "--notes=second"])
    ('experiment', 'iris', '-p', 'iris')
    """
    kept: list[str] = []
    words = iter(typed)
    for word in words:
        if word.startswith("--notes="):
            continue
        if word == "--notes":
            following = next(words, None)
            # Notes that were left out are followed by an option; it is not theirs.
            if following is not None and following.startswith("-"):
                kept.append(following)
            continue
        kept.append(word)
    return (*program, *kept)

"""The ``experiment`` command: a group of verbs, of which ``run`` may be left out."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

from curifactory.cli.groups import LazyGroup
from curifactory.cli.words import (
    DEBUG,
    HELP,
    NO_COLOR,
    SHORT,
    color_option,
    debug_option,
    version_option,
)
from curifactory.core.nearest import find_nearest, join_names
from curifactory.errors import DiscoveryError, ExitCode

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

VERBS = MappingProxyType(
    {
        "run": "curifactory.cli.verbs.run",
        "ls": "curifactory.cli.verbs.list_files",
        "runs": "curifactory.cli.verbs.list_runs",
        "show": "curifactory.cli.verbs.show",
        "diff": "curifactory.cli.verbs.diff",
        "note": "curifactory.cli.verbs.note",
        "tag": "curifactory.cli.verbs.tag",
        "rm": "curifactory.cli.verbs.remove",
        "report": "curifactory.cli.verbs.report",
        "open": "curifactory.cli.verbs.open_report",
        "reports": "curifactory.cli.verbs.serve_reports",
        "cache": "curifactory.cli.verbs.cache",
        "accept": "curifactory.cli.verbs.accept",
        "resume": "curifactory.cli.verbs.resume",
        "reproduce": "curifactory.cli.verbs.reproduce",
        "export": "curifactory.cli.verbs.export",
        "notebook": "curifactory.cli.verbs.notebook",
        "docker": "curifactory.cli.verbs.docker",
        "reindex": "curifactory.cli.verbs.reindex",
    }
)
DEFAULT_VERB = "run"
_GROUP_FLAGS = ("--help", "--version", NO_COLOR, DEBUG)


class Verbs(LazyGroup):
    """A group that takes any first word that is no verb for an experiment's name."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default verb where none was written."""
        own = 0
        while own < len(args) and args[own] in _GROUP_FLAGS:
            own += 1
        if own < len(args) and args[own] not in VERBS:
            ctx.meta[SHORT] = args[own]
            args = [*args[:own], DEFAULT_VERB, *args[own:]]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Execute a verb; where a first word is no experiment either, the verbs that are like it are named."""
        try:
            return super().invoke(ctx)
        except DiscoveryError as error:
            word = ctx.meta.get(SHORT)
            if word is not None and error.message == f"No experiment named '{word}'.":
                _name_verbs(error, word)
                self._name_places(ctx, error, word)
            raise

    def _name_places(self, ctx: click.Context, error: DiscoveryError, word: str) -> None:
        """Say where a word belongs that is an option, or a verb of the other program."""
        from curifactory.cli.curifactory_verbs import VERBS as OTHERS

        running = self.get_command(ctx, DEFAULT_VERB)
        if word in OTHERS:
            error.hint = f"Write: curifactory {word}"
        elif any(f"--{word}" in param.opts for param in self.params):
            error.hint = f"Write: experiment --{word}"
        elif running is not None and any(f"--{word}" in param.opts for param in running.params):
            error.hint = f"It is an option of a run: experiment NAME --{word}"

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return what the first word can be: a verb, an experiment, an option of either."""
        from curifactory.cli.completion import complete_experiments

        found = super().shell_complete(ctx, incomplete)
        if incomplete.startswith("-"):
            running = self.get_command(ctx, DEFAULT_VERB)
            known = {item.value for item in found}
            below = [] if running is None else running.shell_complete(ctx, incomplete)
            return [*found, *(item for item in below if item.value not in known)]
        return [*complete_experiments(incomplete), *found]

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write both ways to use the command."""
        formatter.write_usage(ctx.command_path, "NAME [OPTIONS]")
        formatter.write_usage(ctx.command_path, "VERB [OPTIONS] …", prefix="       ")


def _name_verbs(error: DiscoveryError, word: str) -> None:
    """Add the verbs that are like a word to what is said of experiments; these are all listed only where none is."""
    near = find_nearest(word, VERBS)
    if near:
        said = error.hint if error.hint and error.hint.startswith("Did you mean") else None
        error.hint = " ".join(
            filter(
                None,
                (said, f"There {'is a verb' if len(near) == 1 else 'are verbs'} {join_names(near, 'and')}."),
            )
        )


@click.group(
    cls=Verbs,
    verbs=VERBS,
    params=[version_option(), color_option(), debug_option()],
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

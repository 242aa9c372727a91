"""``experiment NAME``: run an experiment, or say what a run would do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curifactory.cli.words import SHORT, TYPED, NamedVerb, command_words

if TYPE_CHECKING:
    from curifactory.workflow.request import RunRequest

# What an option holds whose value was left out.
LEFT_OUT = ""


class RunningVerb(NamedVerb):
    """The verb that may be left out; its help shows it so."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the short way to use it, and the long one."""
        formatter.write_usage("experiment", "NAME [OPTIONS]")
        formatter.write_usage("experiment run", "NAME [OPTIONS]", prefix="       ")


@click.command("run", cls=RunningVerb, short_help="Run an experiment; the verb may be left out.")
@click.argument("name")
@click.option(
    "-p",
    "--params",
    "params",
    multiple=True,
    metavar="FILE",
    help="Take the parameter sets of this parameter file or experiment; may be given several times. "
    "Without it: the experiment's own, else those of the parameter file of its name.",
)
@click.option(
    "-n",
    "--names",
    "names",
    multiple=True,
    metavar="SET",
    help="Keep the parameter set of this name; may be given several times.",
)
@click.option(
    "--indices",
    multiple=True,
    metavar="I|A-B",
    help="Keep the sets at these positions of each parameter file, from 0; B is excluded.",
)
@click.option(
    "--global-indices",
    multiple=True,
    metavar="I|A-B",
    help="Keep the sets at these positions of all parameter files together, from 0; B is excluded.",
)
@click.option(
    "--map",
    "only_map",
    is_flag=True,
    help="Run nothing; show one line a call: whether it would run or be reused, and why.",
)
@click.option("--hashes", is_flag=True, help="Run nothing; show the hash and name of each parameter set.")
@click.option(
    "--print-params",
    is_flag=False,
    flag_value=LEFT_OUT,
    metavar="[SET]",
    help="Run nothing; show the parameter sets as JSON, or the one of this name or hash.",
)
@click.option("--overwrite", is_flag=True, help="Execute every call, whatever could be reused.")
@click.option(
    "--overwrite-stage",
    "overwrite_stages",
    multiple=True,
    metavar="STAGE",
    help="Execute the calls of this stage, and what then changes; may be given several times.",
)
@click.option(
    "-c",
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Keep artifacts in this folder in place of the project's.",
)
@click.option(
    "--dry",
    is_flag=True,
    help="Run, but write nothing at all: no artifacts, no record of the run, no report.",
)
@click.option("--dry-cache", is_flag=True, help="Reuse artifacts but write none; the run is recorded.")
@click.option(
    "--prefix",
    metavar="TEXT",
    help="Begin the names of artifacts with this in place of the experiment's name.",
)
@click.option(
    "--lazy", is_flag=True, help="Treat every output as Lazy: saved and dropped, loaded when it is read."
)
@click.option("--ignore-lazy", is_flag=True, help="Treat no output as Lazy.")
@click.option(
    "--eager",
    "--no-dag",
    "eager",
    is_flag=True,
    help="Execute each call when run() makes it, in order; --no-dag is the older name.",
)
@click.option("--no-report", is_flag=True, help="Draw no report at the end.")
@click.option(
    "--notes",
    is_flag=False,
    flag_value=LEFT_OUT,
    metavar="[TEXT]",
    help="Keep these notes with the run; without a text an editor opens.",
)
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Say more: which calls begin, what they read, the files that they make.",
)
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
@click.option("--json", "as_json", is_flag=True, help="With --map, --hashes or --print-params: write JSON.")
@click.pass_context
def verb(ctx: click.Context, /, **words: Any) -> int:
    """Run the experiment NAME, a dotted name below the experiments folder.

    What is finished is reused when nothing that it read has changed: parameters, inputs, code. The same command goes on
    where an interrupted run has stopped.
    """
    check_words(words)
    request = build_request(ctx, words)
    from curifactory.cli import running

    if words["only_map"]:
        return running.show_map(request, verbose=words["verbose"], as_json=words["as_json"])
    if words["hashes"]:
        return running.show_hashes(request, as_json=words["as_json"])
    if words["print_params"] is not None:
        return running.show_params(request, words["print_params"] or None, verbose=words["verbose"])
    return running.run(
        request, verbose=words["verbose"], quiet=words["quiet"], debug="--debug" in ctx.meta[TYPED]
    )


def check_words(words: dict[str, Any]) -> None:
    """Refuse options that contradict each other.

    Raises
    ------
    click.UsageError
        With the options.
    """
    questions = [
        flag
        for flag, asked in (
            ("--map", words["only_map"]),
            ("--hashes", words["hashes"]),
            ("--print-params", words["print_params"] is not None),
        )
        if asked
    ]
    for first, second in (
        (("--lazy", words["lazy"]), ("--ignore-lazy", words["ignore_lazy"])),
        (("--quiet", words["quiet"]), ("--verbose", words["verbose"])),
        (("--overwrite", words["overwrite"]), ("--overwrite-stage", bool(words["overwrite_stages"]))),
    ):
        if first[1] and second[1]:
            raise click.UsageError(f"{first[0]} and {second[0]} contradict each other: give one of them.")
    if len(questions) > 1:
        raise click.UsageError(f"{' and '.join(questions)} are different questions: ask one at a time.")
    if words["as_json"] and not questions:
        raise click.UsageError(
            "--json goes with --map, --hashes or --print-params; a finished run is read by experiment show RUN --json."
        )


def build_request(ctx: click.Context, words: dict[str, Any]) -> RunRequest:
    """Return what was asked for as one value."""
    from curifactory.workflow.request import RunRequest

    cache = words["cache"]
    return RunRequest(
        experiment=words["name"],
        parameter_files=tuple(words["params"]),
        names=tuple(words["names"]),
        indices=tuple(words["indices"]),
        global_indices=tuple(words["global_indices"]),
        overwrite=words["overwrite"],
        overwrite_stages=tuple(words["overwrite_stages"]),
        # What is typed is meant from where one stands, not from the project's root.
        cache=None if cache is None else cache.expanduser().absolute(),
        prefix=words["prefix"],
        dry=words["dry"],
        dry_cache=words["dry_cache"],
        lazy=words["lazy"],
        ignore_lazy=words["ignore_lazy"],
        eager=words["eager"],
        report=not words["no_report"],
        notes=words["notes"],
        command=command_words(
            ["experiment"] if SHORT in ctx.meta else ["experiment", "run"], ctx.meta[TYPED]
        ),
    )

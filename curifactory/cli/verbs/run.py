"""``experiment NAME``: run an experiment, or say what a run would do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curifactory.cli.json_answers import json_option
from curifactory.cli.words import SHORT, TYPED, NamedVerb, command_words

if TYPE_CHECKING:
    from curifactory.workflow.request import RunRequest

# Behind a question this is no name of a set; notes may well be of this form.
_CHANGE = re.compile(r"\+?[A-Za-z_][\w.:]*=\S*$")
# What an option holds whose value was left out.
LEFT_OUT = ""


class RunningVerb(NamedVerb):
    """The verb that may be left out; its help shows it so."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Let a question whose value may be left out not swallow a change of a parameter."""
        last = [*args, ""]
        swallowing = [
            at
            for at, word in enumerate(args)
            if word == "--print-params" and "--" not in args[:at] and _CHANGE.match(last[at + 1])
        ]
        flags = [args[at] for at in swallowing]
        return super().parse_args(
            ctx, [*(word for at, word in enumerate(args) if at not in swallowing), *flags]
        )

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the short way to use it, and the long one."""
        formatter.write_usage("experiment", "NAME [PARAMETER=VALUE]… [OPTIONS]")
        formatter.write_usage("experiment run", "NAME [PARAMETER=VALUE]… [OPTIONS]", prefix="       ")


@click.command("run", cls=RunningVerb, short_help="Run an experiment; the verb may be left out.")
@click.argument("name")
@click.argument("changes", nargs=-1, metavar="[PARAMETER=VALUE]…")
@click.option(
    "-p",
    "--params",
    "params",
    multiple=True,
    metavar="FILE",
    help="Take the parameter sets of this parameter file or experiment, as in -p iris -p wide. "
    "Without it: the experiment's own, else those of the parameter file of its name.",
)
@click.option(
    "-n",
    "--names",
    "names",
    multiple=True,
    metavar="SET",
    help="Keep the parameter set of this name, as in -n simple_lr -n simple_rf.",
)
@click.option(
    "--indices",
    multiple=True,
    metavar="I|A-B",
    help="Keep the sets at these positions of each parameter file, from 0; B is excluded: --indices 0-3.",
)
@click.option(
    "--global-indices",
    multiple=True,
    metavar="I|A-B",
    help="Keep the sets at these positions of all parameter files together: --global-indices 4.",
)
@click.option(
    "--chain",
    is_flag=True,
    help="Vary one parameter after the other, the others as they are: iris n=10,50 seed=0-4 --chain.",
)
@click.option(
    "--zip",
    "side_by_side",
    is_flag=True,
    help="Take the first values of all parameters, then the second ones: iris n=10,50 seed=1,2 --zip.",
)
@click.option(
    "--repeat",
    type=click.IntRange(1),
    default=1,
    metavar="TIMES",
    help="Do all of it several times; a stage reads which time it is from params.repeat_index: --repeat 5.",
)
@click.option(
    "--use-best",
    metavar="METRIC",
    help="With --chain: carry the value of each parameter with the best METRIC to the next: --use-best accuracy.",
)
@click.option(
    "--minimize", is_flag=True, help="With --use-best: less is better, as in --use-best loss --minimize."
)
@click.option(
    "--map",
    "only_map",
    is_flag=True,
    help="Run nothing; show one line a call: whether it would run or be reused, and why: iris --map.",
)
@click.option(
    "--hashes",
    is_flag=True,
    help="Run nothing; show the hash and name of each parameter set: iris -p wide --hashes.",
)
@click.option(
    "--paths",
    is_flag=True,
    help="Run nothing; show the files that the run would make or reuse, one a line: iris --paths.",
)
@click.option(
    "--print-params",
    is_flag=False,
    flag_value=LEFT_OUT,
    metavar="[SET]",
    help="Run nothing; show the parameter sets as JSON, or the one of this name or hash: --print-params simple_rf.",
)
@click.option(
    "--overwrite", is_flag=True, help="Execute every call, whatever could be reused: iris --overwrite."
)
@click.option(
    "--overwrite-stage",
    "overwrite_stages",
    multiple=True,
    metavar="STAGE",
    help="Execute the calls of this stage, and what then changes: --overwrite-stage train_model.",
)
@click.option(
    "-c",
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Keep artifacts in this folder in place of the project's: --cache /scratch/iris.",
)
@click.option(
    "--dry",
    is_flag=True,
    help="Run, but write nothing at all: no artifacts, no record of the run, no report: iris --dry.",
)
@click.option(
    "--dry-cache",
    is_flag=True,
    help="Reuse artifacts but write none; the run is recorded: iris --dry-cache.",
)
@click.option(
    "--prefix",
    metavar="TEXT",
    help="Begin the names of artifacts with this in place of the experiment's name: --prefix flowers.",
)
@click.option(
    "--lazy",
    is_flag=True,
    help="Treat every output as Lazy: saved and dropped, loaded when it is read: iris --lazy.",
)
@click.option("--ignore-lazy", is_flag=True, help="Treat no output as Lazy: iris --ignore-lazy.")
@click.option(
    "--eager",
    "--no-dag",
    "eager",
    is_flag=True,
    help="Execute each call when run() makes it, in order: iris --eager; --no-dag is the older name.",
)
@click.option(
    "-j",
    "--jobs",
    "--parallel",
    "jobs",
    metavar="N|auto",
    help="Execute so many calls at once, each in a process of its own; auto: one for each core: iris -j 4; "
    "--parallel is the older name.",
)
@click.option(
    "--parallel-safe",
    is_flag=True,
    help="Nothing: many processes in one project are always safe. Older commands have it: iris --parallel-safe.",
)
@click.option(
    "--executor",
    metavar="WHO",
    help="Who executes calls: serial, processes, dask (a cluster of this machine's own) or dask://HOST:PORT.",
)
@click.option(
    "--keep-going",
    is_flag=True,
    help="Go on after a call has failed, with all that does not need it; the exit code is 3 then: iris --keep-going.",
)
@click.option(
    "--retries",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Try a call again so often after it has failed: iris --retries 2.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="With -j: stop a call that takes longer; it has failed then: iris -j 2 --timeout 600.",
)
@click.option(
    "--trust",
    is_flag=True,
    help="Load pickles although the data folder came from elsewhere; it then counts as yours: iris --trust.",
)
@click.option(
    "-s",
    "--store-full",
    is_flag=True,
    help="Keep everything that the run stands on in its folder, which can be a --cache: iris --store-full.",
)
@click.option(
    "--notebook", is_flag=True, help="Write a notebook that loads the run at the end: iris --notebook."
)
@click.option(
    "--docker",
    is_flag=True,
    help="Make an image of the run at the end; goes with --store-full: iris --docker.",
)
@click.option(
    "--seed",
    type=int,
    metavar="N",
    help="Seed the random numbers of each call, the same ones in whatever order calls are executed: iris --seed 7.",
)
@click.option("--no-report", is_flag=True, help="Draw no report at the end: iris --no-report.")
@click.option("--no-log", is_flag=True, help="Keep no log of the run: iris --no-log.")
@click.option(
    "--log-errors",
    is_flag=True,
    help="Put what the code writes to standard error into the log, too: iris --log-errors.",
)
@click.option(
    "--all-loggers",
    is_flag=True,
    help="Put what other libraries say through logging into the log, too: iris --all-loggers.",
)
@click.option(
    "--notes",
    is_flag=False,
    flag_value=LEFT_OUT,
    metavar="[TEXT]",
    help='Keep these notes with the run: --notes "new solver"; without a text an editor opens.',
)
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Say more: which calls begin, what they read, the files that they make: iris -v.",
)
@click.option("--quiet", is_flag=True, help="Say nothing but errors: iris --quiet.")
@click.option(
    "--plain", is_flag=True, help="Show one line a call in a terminal, too, and no table: iris --plain."
)
@click.option(
    "--progress",
    is_flag=True,
    help="Show the table in a terminal although more is to be said: iris -v --progress.",
)
@json_option("With --map, --hashes, --paths or --print-params: write JSON: iris --map --json.")
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
    if words["paths"]:
        return running.show_paths(request, as_json=words["as_json"])
    if words["print_params"] is not None:
        return running.show_params(request, words["print_params"] or None, verbose=words["verbose"])
    manner = running.Manner(
        verbose=words["verbose"],
        quiet=words["quiet"],
        plain=words["plain"],
        table=words["progress"],
        log_errors=words["log_errors"],
        debug="--debug" in ctx.meta[TYPED],
    )
    return running.run(request, manner)


def check_words(words: dict[str, Any]) -> None:
    """Refuse options that contradict each other.

    Raises
    ------
    click.UsageError
        With the options.
    """
    questions = _find_questions(words)
    for first, second in (
        (("--chain", words["chain"]), ("--zip", words["side_by_side"])),
        (("--lazy", words["lazy"]), ("--ignore-lazy", words["ignore_lazy"])),
        (("--quiet", words["quiet"]), ("--verbose", words["verbose"])),
        (("--plain", words["plain"]), ("--progress", words["progress"])),
        (("--no-log", words["no_log"]), ("--log-errors", words["log_errors"])),
        (("--dry", words["dry"]), ("--notebook", words["notebook"])),
        (("--dry", words["dry"]), ("--docker", words["docker"])),
        (("--dry", words["dry"]), ("--store-full", words["store_full"])),
        (("--dry-cache", words["dry_cache"]), ("--docker", words["docker"])),
        (("--dry-cache", words["dry_cache"]), ("--store-full", words["store_full"])),
        (("--no-log", words["no_log"]), ("--all-loggers", words["all_loggers"])),
        (("--overwrite", words["overwrite"]), ("--overwrite-stage", bool(words["overwrite_stages"]))),
    ):
        if first[1] and second[1]:
            raise click.UsageError(f"{first[0]} and {second[0]} contradict each other: give one of them.")
    if len(questions) > 1:
        raise click.UsageError(f"{' and '.join(questions)} are different questions: ask one at a time.")
    if words["timeout"] is not None and words["jobs"] is None and words["executor"] in (None, "serial"):
        raise click.UsageError("--timeout stops calls that have processes of their own. Add -j, as in -j 2.")
    if words["as_json"] and not questions:
        raise click.UsageError(
            "--json goes with --map, --hashes, --paths or --print-params; a finished run is read by experiment show RUN --json."
        )


def _find_questions(words: dict[str, Any]) -> list[str]:
    """Return the options that ask what a run would do, in place of a run."""
    return [
        flag
        for flag, asked in (
            ("--map", words["only_map"]),
            ("--hashes", words["hashes"]),
            ("--paths", words["paths"]),
            ("--print-params", words["print_params"] is not None),
        )
        if asked
    ]


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
        changes=tuple(words["changes"]),
        sweep="chain" if words["chain"] else "zip" if words["side_by_side"] else "product",
        repeat=words["repeat"],
        use_best=words["use_best"],
        minimize=words["minimize"],
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
        executor=words["executor"],
        jobs=words["jobs"],
        keep_going=words["keep_going"],
        retries=words["retries"],
        timeout_s=words["timeout"],
        seed=words["seed"],
        report=not words["no_report"],
        trust=words["trust"],
        store_full=words["store_full"] or words["docker"],
        notebook=words["notebook"],
        docker=words["docker"],
        log=not words["no_log"],
        all_loggers=words["all_loggers"] or None,
        notes=words["notes"],
        command=command_words(
            ["experiment"] if SHORT in ctx.meta else ["experiment", "run"], ctx.meta[TYPED]
        ),
    )

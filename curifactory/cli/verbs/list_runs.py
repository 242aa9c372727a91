"""``experiment runs``: the runs there are, newest first, or those for which conditions hold."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from curifactory.cli.words import Verb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curifactory.cli.console import Console
    from curifactory.project.project import Project
    from curifactory.store.runs import RunStore
    from curifactory.workflow.runs.selection import Selected, Wanted

_SHOWN = 20
_TOLD = 3
_OUTCOMES = ("running", "live", "complete", "partly failed", "failed", "interrupted")
_EPILOG = (
    "A condition compares names with values: acc > 0.9, params.n >= 50 and outcome == 'complete', 'paper' in tags, "
    "started > '2026-11'. Names are facts of the run (experiment, number, outcome, tags, notes, started, duration, "
    "commit, host and more), metrics (acc, acc.best) and parameters (params.n, or n). "
    "As in: experiment runs iris -w 'acc > 0.9' --sort acc --columns number,acc,n"
)


@click.command("runs", cls=Verb, epilog=_EPILOG)
@click.argument("name", required=False)
@click.option(
    "-w",
    "--where",
    multiple=True,
    metavar="CONDITION",
    help="Show runs for which this holds, such as 'acc > 0.9'; may be given several times.",
)
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Show runs with this tag.")
@click.option(
    "--outcome",
    "outcomes",
    multiple=True,
    type=click.Choice(_OUTCOMES),
    help="Show runs that ended so; may be given several times.",
)
@click.option(
    "--sort",
    metavar="KEY",
    help="Sort by a metric (the best first), a parameter or a fact (the newest, the longest first).",
)
@click.option("--reverse", is_flag=True, help="Turn the order round.")
@click.option(
    "--columns", metavar="KEY,…", help="Show these columns: facts, metrics, parameters, commas between them."
)
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"Show at most this many; 0 shows all. Without it a table has {_SHOWN}, JSON and CSV all.",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Write CSV.")
def verb(name: str | None, limit: int | None, as_json: bool, as_csv: bool, **words: Any) -> int:
    """List runs, newest first: of the experiment NAME, or of all."""
    import sys

    from curifactory.cli.console import Console
    from curifactory.cli.store import open_runs
    from curifactory.errors import ExitCode
    from curifactory.project.project import Project
    from curifactory.workflow.runs.selection import select_runs

    if as_json and as_csv:
        raise click.UsageError("--json and --csv contradict each other: give one of them.")
    wanted = _read_words(name, words, limit=limit, shown=None if as_json or as_csv else _SHOWN)
    project = Project.find()
    store = open_runs(project)
    selected = select_runs(store, wanted)
    if name is not None and not selected.among and not selected.damaged:
        _check_name(name, project, store)
    console = Console(sys.stdout)
    _tell_damaged(Console(sys.stderr), selected)
    folder = str(store.folder)
    if as_json or as_csv:
        _write(console, selected, words["columns"], folder, as_csv=as_csv)
    elif not selected.rows:
        if selected.among:
            console.print(f"None of {selected.among} runs fits.")
        elif selected.damaged:
            console.print("No run can be listed.")
        else:
            console.print(f"No runs yet. Make one with: experiment {name or 'NAME'}")
    else:
        _print(console, selected, wanted, words["columns"], folder, name=name)
    return ExitCode.COMPLETE


def _check_name(name: str, project: Project, store: RunStore) -> None:
    """Refuse the name of an experiment that there is not; a condition in its place is told what makes it one.

    Raises
    ------
    DiscoveryError
        With the nearest names, or the option.
    """
    import shlex

    from curifactory.cli.store import check_experiment
    from curifactory.errors import ConfigurationError, DiscoveryError
    from curifactory.workflow.runs.condition import Name
    from curifactory.workflow.runs.condition_reader import read_condition

    try:
        check_experiment(name, project, list(dict.fromkeys(row.experiment for row in store.iter_rows())))
    except DiscoveryError as error:
        with suppress(ConfigurationError):
            if not isinstance(read_condition(name), Name):
                hint = f"As a condition: experiment runs -w {shlex.quote(name)}"
                raise DiscoveryError(error.message, hint=hint) from None
        raise


def _read_words(name: str | None, words: dict[str, Any], *, limit: int | None, shown: int | None) -> Wanted:
    from curifactory.workflow.runs.selection import Wanted, make_condition, read_key

    return Wanted(
        experiment=name,
        condition=make_condition(words["where"], {}),
        tags=_read_tags(words["tags"]),
        outcomes=words["outcomes"],
        sort=None if words["sort"] is None else read_key(words["sort"]),
        reverse=words["reverse"],
        limit=shown if limit is None else (limit or None),
    )


def _read_tags(typed: Sequence[str]) -> tuple[str, ...]:
    if not typed:
        return ()
    from curifactory.workflow.runs.annotation import clean_tag

    return tuple(map(clean_tag, typed))


def _tell_damaged(console: Console, selected: Selected) -> None:
    from curifactory.cli.console import printable

    told = list(selected.damaged.values())
    for text in told[:_TOLD]:
        line = f"{printable(text)} The run is left out here; whatever else is in its folder stays."
        console.print(console.style("warning", "yellow"), line)
    if len(told) > _TOLD:
        console.print(console.style("warning", "yellow"), f"{len(told) - _TOLD} more runs cannot be read.")


def _write(console: Console, selected: Selected, columns: str | None, folder: str, *, as_csv: bool) -> None:
    from curifactory.workflow.runs.run_table import (
        default_columns,
        list_cells,
        name_columns,
        run_to_json,
        write_csv,
    )

    rows = selected.rows
    chosen = name_columns(columns or (), rows, folder)
    if as_csv:
        chosen = chosen or default_columns(rows)
        console.print(write_csv(chosen, list_cells(rows, chosen, folder)).rstrip("\n"))
        return
    import json

    found = (
        [
            dict(zip((title for title, _ in chosen), cells, strict=True))
            for cells in list_cells(rows, chosen, folder)
        ]
        if chosen
        else [run_to_json(row, f"{folder}/{row.reference}") for row in rows]
    )
    console.print(json.dumps(found, ensure_ascii=False, indent=2))


def _print(
    console: Console,
    selected: Selected,
    wanted: Wanted,
    columns: str | None,
    folder: str,
    *,
    name: str | None,
) -> None:
    from curifactory.cli.listed import print_chosen, print_usual

    if columns:
        print_chosen(console, selected.rows, columns, folder)
    else:
        print_usual(console, selected.rows, wanted, folder)
    left = selected.found - len(selected.rows)
    if left > 0:
        of = f"{name} " if name else ""
        asked = wanted.condition, wanted.sort, wanted.tags, wanted.outcomes, wanted.reverse, columns
        how = "the same command with -n 0" if any(asked) else f"experiment runs {of}-n 0"
        console.print(f"{left} more: {how}")

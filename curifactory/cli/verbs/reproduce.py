"""``experiment reproduce RUN``: do a run again from its commit, and compare what it makes with what it made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from curifactory.cli.verbs.show import RUN_HELP
from curifactory.cli.words import RunVerb

if TYPE_CHECKING:
    from curifactory.cli.console import Console
    from curifactory.workflow.reproduction import Beginning, Reproduction

_MOST_DIFFERENCES = 12
_STYLES = {"equal": "green", "close": "yellow", "different": "red", "missing": "red"}


@click.command(
    "reproduce", cls=RunVerb, epilog=f"{RUN_HELP} As in: experiment reproduce iris/-1 --with data/raw"
)
@click.argument("run", default="-1")
@click.option("--keep", is_flag=True, help="Keep the work tree with its results, in data/reproduced.")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    metavar="X",
    help="Count values as close whose numbers differ by this share of the largest at most; "
    "what each cacher says (1e-6 for those that are shipped) without it.",
)
@click.option(
    "--with",
    "along",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Link this file or folder of the present work tree into the other one: data that no commit has. "
    "May be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def verb(run: str, keep: bool, tolerance: float | None, along: tuple[Path, ...], as_json: bool) -> int:
    """Do a run again in a work tree at its commit, and compare every artifact. Without RUN it is the latest.

    The patch and the new files of the run are put on top of the commit, its own parameters and options are used, with a
    cache of its own. The exit code is 0 if every artifact is equal or close.
    """
    import json
    import sys

    from curifactory.cli.console import Console
    from curifactory.errors import ExitCode
    from curifactory.workflow.past_run import load_run

    console, errors = Console(sys.stdout), Console(sys.stderr)
    past = load_run(run)
    made = past.reproduce(
        keep=keep,
        tolerance=tolerance,
        along=[path.absolute() for path in along],
        output=sys.stderr,
        begin=lambda beginning: None if as_json else _print_beginning(errors, beginning),
    )
    if as_json:
        console.print(json.dumps(made.to_json(), ensure_ascii=False, indent=2))
    else:
        _print_result(console, made)
    return ExitCode.COMPLETE if made.is_reproduced else ExitCode.FAILED


def _print_beginning(console: Console, beginning: Beginning) -> None:
    from curifactory.cli.console import printable

    code = (beginning.commit or "no commit")[:12]
    patched = ", with the changes and new files it had besides" if beginning.is_patched else ""
    console.print(f"reproduce  {printable(beginning.reference)} at {code}{patched}")
    for difference in beginning.differences[:_MOST_DIFFERENCES]:
        console.print(f"otherwise  {printable(str(difference))}")
    more = len(beginning.differences) - _MOST_DIFFERENCES
    if more > 0:
        console.print(f"otherwise  and {more} more; --json has them all")
    for path in beginning.not_kept:
        console.print(
            f"not kept   {printable(path)}; if the code needs it: --with {printable(path.partition(' (')[0])}"
        )


def _print_result(console: Console, made: Reproduction) -> None:
    from curifactory.cli.console import printable
    from curifactory.workflow.artifact_comparison import Likeness

    rows = [
        [each.likeness.value, f"{each.stage}.{each.output}", each.record, _explain(each)]
        for each in made.artifacts
    ]
    if rows:
        console.print_table(
            rows, paint=lambda place, column: _STYLES[rows[place][0].strip()] if column == 0 else None
        )
    for stray in made.strays:
        console.print(f"beware  {printable(stray)} of the present work tree was used, not that of the commit")
    if made.error:
        for line in made.error.split("\n"):
            console.print(f"error  {printable(line)}")
    if made.folder is not None:
        console.print(f"kept   {printable(str(made.folder))}")
    counts = ", ".join(f"{made.count(each)} {each.value}" for each in Likeness if made.count(each))
    said = (
        console.style("was reproduced", "green")
        if made.is_reproduced
        else console.style("was not reproduced", "red")
    )
    ended = (
        ""
        if made.outcome == made.outcome_then
        else f"; it ended {made.outcome or 'before it began'}, then {made.outcome_then}"
    )
    console.print(f"{printable(made.beginning.reference)} {said}: {counts or 'it has no artifacts'}{ended}")


def _explain(each: object) -> str:
    from curifactory.workflow.artifact_comparison import ComparedArtifact

    assert isinstance(each, ComparedArtifact)  # noqa: S101 - for the type checker
    if each.distance is not None:
        return f"{each.distance:.2g} apart (up to {each.tolerance:.2g} is close)"
    return each.note

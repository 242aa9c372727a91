"""``experiment cache ls``: the artifacts there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from curifactory.cli.words import Verb

if TYPE_CHECKING:
    from curifactory.cli.console import Console
    from curifactory.store.inventory import Item


@click.command("ls", cls=Verb, epilog="Example: experiment cache ls --json")
@click.option("--experiment", metavar="NAME", help="Only artifacts that this experiment has made or used.")
@click.option("--stage", metavar="STAGE", help="Only artifacts of this stage.")
@click.option(
    "--sort",
    type=click.Choice(["size", "age", "used"]),
    default="used",
    show_default=True,
    help="Show the largest, the oldest, or those last used first.",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def verb(experiment: str | None, stage: str | None, sort: str, as_json: bool) -> int:
    """List artifacts: experiment, stage, size, age, last use, and whether their files are there.

    An artifact is aside if its name has passed to another one: its bytes are kept and come back when they are needed.
    """
    import sys

    from curifactory.cli.console import Console
    from curifactory.cli.store import open_cache
    from curifactory.errors import ExitCode
    from curifactory.project.project import Project
    from curifactory.store.inventory import SortBy, read_inventory, select_items, total_of
    from curifactory.store.trace_rows import find_file_facts
    from curifactory.store.uses import read_uses

    with open_cache(Project.find()) as cache:
        uses = read_uses(cache.runs, cache.runs.iter_rows())
        facts = find_file_facts(cache.index)
        items = read_inventory(cache.traces.iter_traces(), cache.files, uses, facts)
    shown = select_items(items, experiment=experiment, stage=stage, sort=SortBy(sort))
    if as_json:
        from curifactory.cli.json_answers import print_json

        print_json({"artifacts": [item.to_json() for item in shown], "totals": total_of(shown)})
    else:
        _print_items(Console(sys.stdout), shown, _say_none(items, experiment, stage))
    return ExitCode.COMPLETE


def _say_none(items: list[Item], experiment: str | None, stage: str | None) -> str:
    """Return what is said where nothing was found: of a name that no artifact has, the nearest that some have."""
    from curifactory.core.nearest import suggest

    if not items:
        return "There are no artifacts yet. A run makes some: experiment NAME"
    known = (
        ("experiment", experiment, [name for item in items for name in item.experiments]),
        ("stage", stage, [item.stage if "." in (stage or "") else item.stage_name for item in items]),
    )
    for noun, wanted, names in known:
        if wanted is not None and wanted not in names:
            hint = suggest(wanted, list(dict.fromkeys(names)), nothing="")
            return f"There are no artifacts of the {noun} '{wanted}'. {hint}"
    return "There are no such artifacts."


def _print_items(console: Console, items: list[Item], nothing: str) -> None:
    from curifactory.cli.amounts import count, show_moment, show_size
    from curifactory.store.inventory import total_of

    if not items:
        console.print(nothing)
        return
    table = [["experiment", "stage", "output", "size", "made", "last used", "state", "file"]]
    for item in items:
        first = item.files[0].path if item.files else ""
        more = f" and {len(item.files) - 1} more" if len(item.files) > 1 else ""
        table.append(
            [
                ", ".join(item.experiments),
                item.stage_name,
                item.output,
                show_size(item.size_bytes),
                show_moment(item.made_at),
                show_moment(item.used_at),
                item.state.value,
                f"{first}{more}",
            ]
        )
    console.print_table(table, paint=lambda place, column: "bold" if place == 0 else None)
    total = total_of(items)
    told = ("aside", "missing", "modified", "unreadable")
    states = [f"{total[state]} {state}" for state in told if total[state]]
    console.print(
        f"{count(total['artifacts'], 'artifact')}, {', '.join([show_size(total['size_bytes']), *states])}"
    )

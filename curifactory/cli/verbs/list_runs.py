"""``experiment runs``: the runs there are, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from curifactory.cli.words import Verb

if TYPE_CHECKING:
    from curifactory.store.run_row import RunRow

_LONGEST_NOTE = 60
_MOST_SCORES = 3
_SCORES = 5


@click.command("runs", cls=Verb)
@click.argument("name", required=False)
@click.option(
    "-n",
    "--number",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    metavar="N",
    help="Show at most this many; 0 shows all.",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def verb(name: str | None, number: int, as_json: bool) -> int:
    """List runs, newest first: of the experiment NAME, or of all."""
    import sys

    from curifactory.cli.console import Console
    from curifactory.cli.store import check_experiment, open_runs
    from curifactory.errors import ExitCode
    from curifactory.project.project import Project

    project = Project.find()
    store = open_runs(project)
    rows = store.iter_rows(name)
    if name is not None and not rows:
        check_experiment(name, project, list(dict.fromkeys(row.experiment for row in store.iter_rows())))
    shown = rows[:number] if number else rows
    console = Console(sys.stdout)
    if as_json:
        import json

        console.print(json.dumps([run_to_json(row) for row in shown], ensure_ascii=False, indent=2))
    elif not rows:
        console.print(f"No runs yet. Make one with: experiment {name or 'NAME'}")
    else:
        _print_rows(console, shown)
        if len(shown) < len(rows):
            console.print(f"{len(rows) - len(shown)} more: experiment runs {f'{name} ' if name else ''}-n 0")
    return ExitCode.COMPLETE


def run_to_json(row: RunRow) -> dict[str, Any]:
    """Return a row as JSON values; the names of keys are kept from version to version."""
    facts = row.facts
    return {
        "reference": row.reference,
        "experiment": row.experiment,
        "number": row.number,
        "outcome": row.outcome.value,
        "started_at": None if row.started_at is None else row.started_at.isoformat(),
        "finished_at": None if row.finished_at is None else row.finished_at.isoformat(),
        "duration_s": facts.get("duration_s"),
        "counts": dict(row.counts),
        "live": row.is_live,
        "notes": facts.get("notes"),
        "tags": list(row.tags),
        "command_line": facts.get("command_line"),
        "error": facts.get("error"),
        "metrics": {
            name: {"last": last, "ever": (facts.get("metrics_ever") or {}).get(name, last)}
            for name, last in (facts.get("metrics") or {}).items()
        },
    }


def show_scores(facts: Mapping[str, Any]) -> str:
    """Say the best last value over the records of a few metrics, and the best one ever if that was better.

    Examples
    --------
    >>> show_scores({"metrics": {"n": [4, 9], "loss": [0.25, 0.5]}, "metrics_ever": {"loss": [0.125, 2.0]}})
    'loss 0.25 (best 0.125)  n 9'
    """
    from curifactory.cli.amounts import show_number
    from curifactory.reporting.view.results import find_direction

    last = facts.get("metrics") or {}
    ever = facts.get("metrics_ever") or {}
    scores = []
    # Those first whose name tells what is better: they are what runs are compared by.
    for name in sorted(last, key=lambda name: not find_direction(name))[:_MOST_SCORES]:
        direction = find_direction(name)
        end = 0 if direction == "lower" else 1
        value, best = last[name][end], ever.get(name, last[name])[end]
        more = f" (best {show_number(best)})" if direction and best != value else ""
        scores.append(f"{name} {show_number(value)}{more}")
    return "  ".join(scores)


def _print_rows(console: Any, rows: list[RunRow]) -> None:
    from curifactory.cli.amounts import show_duration, show_moment
    from curifactory.cli.ending import STYLES

    table = [["run", "outcome", "started", "time", "calls", "scores", "notes"]]
    for row in rows:
        seconds = row.facts.get("duration_s")
        counts = ", ".join(f"{number} {outcome}" for outcome, number in row.counts.items() if number)
        notes = [*(f"#{tag}" for tag in row.tags), *(row.facts.get("notes") or "").strip().splitlines()[:1]]
        table.append(
            [
                row.reference,
                row.outcome.value,
                show_moment(row.started_at),
                "" if seconds is None else show_duration(seconds),
                counts,
                show_scores(row.facts),
                " ".join(notes)[:_LONGEST_NOTE],
            ]
        )

    if not any(cells[_SCORES] for cells in table[1:]):
        for cells in table:
            del cells[_SCORES]

    def paint(place: int, column: int) -> str | None:
        if place == 0:
            return "bold"
        return STYLES.get(rows[place - 1].outcome) if column == 1 else None

    console.print_table(table, paint=paint)

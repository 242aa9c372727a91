"""Runs as a table in a terminal: the usual columns, or those that were asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from curifactory.cli.amounts import show_duration, show_moment, show_number
from curifactory.cli.ending import STYLES
from curifactory.reporting.view.results import find_direction

if TYPE_CHECKING:
    from curifactory.cli.console import Console
    from curifactory.store.run_row import RunRow
    from curifactory.workflow.runs.run_table import Column
    from curifactory.workflow.runs.selection import Wanted

_LONGEST_NOTE = 60
_LONGEST_COMMIT = 12
_MOST_SCORES = 3
_MOST_VALUES = 4
_USUAL = ("run", "outcome", "started", "time", "calls", "scores")


def print_usual(console: Console, rows: Sequence[RunRow], wanted: Wanted, folder: str) -> None:
    """Write runs with what most people want to see, and the metrics and parameters that were asked about.

    Parameters
    ----------
    console : Console
        Where to.
    rows : sequence of RunRow
        The runs.
    wanted : Wanted
        What was asked: names of its condition and order become columns.
    folder : str
        The folder of runs.
    """
    from curifactory.workflow.runs.condition import iter_names
    from curifactory.workflow.runs.run_table import list_cells
    from curifactory.workflow.runs.run_values import find_fact

    asked = [] if wanted.condition is None else list(iter_names(wanted.condition))
    asked += [] if wanted.sort is None else [wanted.sort]
    others: list[Column] = [
        (name.path, name)
        for name in dict.fromkeys(asked)
        if len(name.parts) > 1 or find_fact(name.parts[0]) is None
    ]
    cells = list_cells(rows, others, folder)
    lines = [_usual_cells(row) for row in rows]
    table = [[*_USUAL, *(title for title, _ in others), "notes"]]
    for row, line, values in zip(rows, lines, cells, strict=True):
        table.append([*line, *map(show_cell, values), _show_labels(row)])
    # Of columns with nothing in them, the two that most runs of most people have nothing in.
    for column in (len(table[0]) - 1, _USUAL.index("scores")):
        if not any(line[column] for line in table[1:]):
            for line in table:
                del line[column]
    # When a run began is in its name, too.
    console.print_table(table, paint=_paint(rows, 1), spare=(_USUAL.index("started"), _USUAL.index("calls")))


def print_chosen(console: Console, rows: Sequence[RunRow], columns: str, folder: str) -> None:
    """Write runs with the columns that were asked for, the run itself first.

    Raises
    ------
    DiscoveryError
        If one of them stands for nothing in any of the runs.
    """
    from curifactory.workflow.runs.run_table import list_cells, name_columns
    from curifactory.workflow.runs.run_values import find_fact

    chosen = name_columns(columns, rows, folder)
    facts = [find_fact(title) for title, _ in chosen]
    table = [[title for title, _ in chosen]]
    for cells in list_cells(rows, chosen, folder):
        table.append([_show_fact(fact, cell) for fact, cell in zip(facts, cells, strict=True)])
    if "reference" not in facts:
        for line, first in zip(table, ["run", *(row.reference for row in rows)], strict=True):
            line.insert(0, first)
        facts.insert(0, "reference")
    console.print_table(table, paint=_paint(rows, facts.index("outcome") if "outcome" in facts else None))


def show_cell(value: Any) -> str:
    """Write the value of a metric or parameter; of several the first few.

    Examples
    --------
    >>> [show_cell(value) for value in (0.93333333, 100, "rf", None, True, [1, 2, 3, 4, 5])]
    ['0.9333', '100', 'rf', '', 'true', '1, 2, 3, 4, …']
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(
            [*map(show_cell, value[:_MOST_VALUES]), *(["…"] if len(value) > _MOST_VALUES else [])]
        )
    return show_number(value) if isinstance(value, int | float) else str(value)


def show_scores(facts: Mapping[str, Any]) -> str:
    """Say the best last value over the records of a few metrics, and the best one ever if that was better.

    Examples
    --------
    >>> show_scores({"metrics": {"n": [4, 9], "loss": [0.25, 0.5]}, "metrics_ever": {"loss": [0.125, 2.0]}})
    'loss 0.25 (best 0.125)  n 9'
    """
    last = facts.get("metrics") or {}
    ever = facts.get("metrics_ever") or {}
    scores = []
    # Those first whose name tells what is better: they are what runs are compared by.
    for name in sorted(last, key=lambda name: not find_direction(name))[:_MOST_SCORES]:
        direction = find_direction(name)
        end = 0 if direction == "lower" else 1
        value, best = last[name][end], ever.get(name, last[name])[end]
        if value is None or best is None:
            # Infinite, for which JSON has no word.
            scores.append(f"{name} {'inf' if value is None else show_number(value)}")
            continue
        more = f" (best {show_number(best)})" if direction and best != value else ""
        scores.append(f"{name} {show_number(value)}{more}")
    return "  ".join(scores)


def _usual_cells(row: RunRow) -> list[str]:
    seconds = row.facts.get("duration_s")
    return [
        row.reference,
        row.outcome.value,
        show_moment(row.started_at),
        "" if seconds is None else show_duration(seconds),
        ", ".join(f"{number} {outcome}" for outcome, number in row.counts.items() if number),
        show_scores(row.facts),
    ]


def _show_labels(row: RunRow) -> str:
    notes = [*(f"#{tag}" for tag in row.tags), *(row.facts.get("notes") or "").strip().splitlines()[:1]]
    return " ".join(notes)[:_LONGEST_NOTE]


def _show_fact(fact: str | None, value: Any) -> str:
    if value is not None:
        if fact in ("started", "finished"):
            return show_moment(value)
        if fact == "duration":
            return show_duration(value)
        if fact == "commit":
            return str(value)[:_LONGEST_COMMIT]
        if fact == "notes":
            return " ".join(str(value).split())[:_LONGEST_NOTE]
    return show_cell(value)


def _paint(rows: Sequence[RunRow], outcome: int | None) -> Callable[[int, int], str | None]:
    def paint(place: int, column: int) -> str | None:
        if place == 0:
            return "bold"
        return STYLES.get(rows[place - 1].outcome) if column == outcome else None

    return paint

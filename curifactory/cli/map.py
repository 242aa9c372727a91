"""The map of an experiment: one line a call, whether it would run or be reused, and why."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from curifactory.cli.amounts import count
from curifactory.cli.console import Console, printable
from curifactory.core.outcomes import Verdict
from curifactory.core.reason import Reason, ReasonKind

if TYPE_CHECKING:
    from curifactory.engine.plan import Plan, PlanRow

NOT_NEEDED = "not needed"
_STYLES = {
    Verdict.RUN.value: "green",
    Verdict.PERHAPS.value: "yellow",
    Verdict.REUSE.value: "cyan",
    NOT_NEEDED: "bright_black",
}
_VERDICT_COLUMN = 2


def print_map(console: Console, plan: Plan, *, verbose: bool) -> None:
    """Write a plan, the calls of each record together, and a line of totals.

    Parameters
    ----------
    console : Console
        Where to.
    plan : Plan
        What would happen.
    verbose : bool
        Whether to name the files of what would be reused.
    """
    rows = sorted(plan.rows, key=lambda row: (row.record, row.index))
    lines: list[list[str]] = []
    for row in rows:
        lines.append([row.name, row.record_name, _verdict_of(row), str(_reason_of(row))])
    if not lines:
        console.print("run() calls no stage.")
        return
    if verbose:
        _print_with_files(console, rows, lines)
    else:
        console.print_table(lines, paint=lambda place, column: _paint(lines, place, column))
    console.print(_total(rows))
    if plan.executed:
        were = "was" if plan.executed == 1 else "were"
        console.print(
            f"run() reads values: {count(plan.executed, 'call')} {were} executed for this map; nothing was kept."
        )


def map_to_json(plan: Plan, *, experiment: str) -> dict[str, Any]:
    """Return a plan as JSON values; the names of keys are kept from version to version.

    Examples
    --------
    >>> from curifactory.engine.plan import Plan
    >>> map_to_json(Plan(()), experiment="iris")
    {'experiment': 'iris', 'totals': {'run': 0, 'perhaps': 0, 'reuse': 0, 'not needed': 0}, 'executed': 0, 'calls': []}
    """
    counts = Counter(_verdict_of(row) for row in plan.rows)
    totals = {word: counts[word] for word in _STYLES}
    return {"experiment": experiment, "totals": totals, "executed": plan.executed, **plan.to_json()}


def _verdict_of(row: PlanRow) -> str:
    return row.verdict.value if row.needed or row.verdict is Verdict.REUSE else NOT_NEEDED


def _reason_of(row: PlanRow) -> Reason:
    return Reason(ReasonKind.NOT_NEEDED) if _verdict_of(row) == NOT_NEEDED else row.reason


def _paint(lines: list[list[str]], place: int, column: int) -> str | None:
    return _STYLES[lines[place][_VERDICT_COLUMN]] if column == _VERDICT_COLUMN else None


def _print_with_files(console: Console, rows: list[PlanRow], lines: list[list[str]]) -> None:
    from curifactory.cli.console import align

    for row, line, cells in zip(rows, lines, align(lines), strict=True):
        cells[_VERDICT_COLUMN] = console.style(cells[_VERDICT_COLUMN], _STYLES[line[_VERDICT_COLUMN]])
        console.print("  ".join(cells).rstrip(), flush=False)
        for file in row.files:
            console.print(f"        {printable(file)}", flush=False)
    console.flush()


def _total(rows: list[PlanRow]) -> str:
    counts = Counter(_verdict_of(row) for row in rows)
    return f"{count(len(rows), 'call')}: {', '.join(f'{counts[word]} {word}' for word in _STYLES if counts[word])}"

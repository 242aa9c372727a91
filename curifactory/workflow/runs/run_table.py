"""Runs as a table: which columns there are, and what stands in their cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from curifactory.reporting.view.results import find_direction
from curifactory.store.run_row import RunRow
from curifactory.workflow.runs.condition import Name
from curifactory.workflow.runs.run_values import METRICS, PARAMETERS, RunValues, show_values
from curifactory.workflow.runs.selection import check_names, read_key

_FACTS = (
    "reference",
    "experiment",
    "number",
    "outcome",
    "started",
    "duration",
    "tags",
    "notes",
    "commit",
    "host",
)

_SOME = Name((PARAMETERS[0], "x"))

Column = tuple[str, Name]


def name_columns(columns: str | Iterable[str], rows: Sequence[RunRow], folder: str) -> list[Column]:
    """Return what columns are called and stand for.

    Parameters
    ----------
    columns : str or iterable of str
        Names; in one text with commas between them.
    rows : sequence of RunRow
        The runs, of which one at least has to have each.
    folder : str
        The folder of runs.

    Raises
    ------
    ConfigurationError
        If one is no name.
    DiscoveryError
        If one stands for nothing in any run.
    """
    texts = columns.split(",") if isinstance(columns, str) else list(columns)
    found = [(text.strip(), read_key(text)) for text in texts if text.strip()]
    check_names([name for _, name in found], rows, folder)
    return found


def default_columns(rows: Iterable[RunRow]) -> list[Column]:
    """Return columns for all that a table of runs can show: facts, then metrics, then parameters.

    Examples
    --------
    >>> [title for title, _ in default_columns([])][:3]
    ['reference', 'experiment', 'number']
    """
    metrics: dict[str, None] = {}
    parameters: dict[str, None] = {}
    for row in rows:
        metrics.update(dict.fromkeys(row.facts.get("metrics") or ()))
        parameters.update(dict.fromkeys(row.facts.get("parameters") or ()))
    return [
        *((name, Name((name,))) for name in _FACTS),
        *((f"metrics.{name}", Name((METRICS[0], name))) for name in metrics),
        *((f"params.{name}", Name((PARAMETERS[0], name))) for name in parameters),
    ]


def list_cells(rows: Iterable[RunRow], columns: Sequence[Column], folder: str) -> list[list[Any]]:
    """Return the cells of a table as JSON values; None where a run has nothing, a list where it has several values.

    Of a metric of several records it is the best last value.
    """
    table = []
    for row in rows:
        values = RunValues(row, f"{folder}/{row.reference}")
        table.append([_cell(values.get(name, ends=True), name) for _, name in columns])
    return table


def _cell(values: Sequence[Any], name: Name) -> Any:
    if not values:
        return None
    if len(values) > 1 and all(isinstance(value, int | float) for value in values):
        return min(values) if find_direction(name.path) == "lower" else max(values)
    shown = show_values(values)
    return shown[0] if len(shown) == 1 else shown


def write_csv(columns: Sequence[Column], table: Iterable[Sequence[Any]]) -> str:
    r"""Write a table as CSV, its columns named in the first line; several values of a cell stand in one, as JSON.

    Examples
    --------
    >>> write_csv([("n", Name(("n",))), ("tags", Name(("tags",)))], [[5, ["a", "b"]], [None, []]])
    'n,tags\n5,"[""a"", ""b""]"\n,\n'
    """
    import csv
    import io
    import json

    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([title for title, _ in columns])
    for cells in table:
        writer.writerow(
            [
                (json.dumps(cell, ensure_ascii=False) if cell else "") if isinstance(cell, list) else cell
                for cell in cells
            ]
        )
    return stream.getvalue()


def run_to_json(row: RunRow, folder: str) -> dict[str, Any]:
    """Return a row as JSON values; the names of keys are kept from version to version.

    Parameters
    ----------
    row : RunRow
        The run in the listing.
    folder : str
        Its folder.
    """
    facts = row.facts
    values = RunValues(row, folder)
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
        "commit": facts.get("commit"),
        "host": facts.get("host"),
        "metrics": {
            name: {"last": last, "ever": (facts.get("metrics_ever") or {}).get(name, last)}
            for name, last in (facts.get("metrics") or {}).items()
        },
        "parameters": {
            path: _cell(values.get_parameter(path), _SOME) for path in facts.get("parameters") or ()
        },
    }

"""``experiment show RUN``: what one run was, did and found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curifactory.cli.words import RunVerb

if TYPE_CHECKING:
    from curifactory.store.calls import CallRow
    from curifactory.store.metrics import MetricSeries
    from curifactory.store.run import Run

RUN_HELP = (
    "RUN is a reference, its unique beginning, iris/-1 (the latest of iris), or -1 (the latest of all)."
)


@click.command("show", cls=RunVerb, epilog=f"{RUN_HELP} As in: experiment show iris/-1")
@click.argument("run", default="-1")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def verb(run: str, as_json: bool) -> int:
    """Show a run: facts, calls with their reasons, metrics, parameters, reportables. Without RUN it is the latest."""
    import sys

    from curifactory.cli.console import Console
    from curifactory.cli.store import open_runs
    from curifactory.errors import ExitCode
    from curifactory.project.project import Project

    project = Project.find()
    found = open_runs(project).get(run)
    report = project.reports_folder / found.reference / "index.html"
    console = Console(sys.stdout)
    if as_json:
        import json

        details = details_to_json(found, report=report if report.is_file() else None)
        console.print(json.dumps(details, ensure_ascii=False, indent=2))
        return ExitCode.COMPLETE
    from curifactory.cli.portrait import print_run

    print_run(console, found, report=report if report.is_file() else None)
    return ExitCode.COMPLETE


def details_to_json(run: Run, *, report: Path | None) -> dict[str, Any]:
    """Return a run as JSON values; the names of keys are kept from version to version.

    Parameters
    ----------
    run : Run
        The run.
    report : Path, optional
        Its report, if there is one.
    """
    return {
        "run": {**run.facts, "outcome": run.outcome.value},
        "folder": str(run.folder),
        "report": None if report is None else str(report),
        "records": [_row_to_json(record) for record in run.records],
        "calls": [_call_to_json(call) for call in run.calls],
        "metrics": [_metric_to_json(series) for series in run.metrics],
        "parameters": [
            {
                "name": row.name,
                "hash": row.hash,
                "file": row.file,
                "class": row.class_name,
                "parameters": row.shown,
            }
            for row in run.parameters
        ],
        "reportables": [
            {
                "name": row.name,
                "kind": row.fragment.kind,
                "group": row.fragment.group,
                "caption": row.fragment.caption,
                "record": row.record,
                "stage": row.stage,
                "files": [str(run.fragments_folder / row.folder / file) for file in row.fragment.files],
            }
            for row in run.reportables
        ],
        "environment": dict(run.environment),
    }


def _call_to_json(call: CallRow) -> dict[str, Any]:
    return {
        "index": call.index,
        "name": call.name,
        "stage": call.stage,
        "record": call.record,
        "record_name": call.record_name,
        "outcome": call.outcome.value,
        "reason": None if call.reason is None else dict(call.reason),
        "key": call.key,
        "started_at": None if call.started_at is None else call.started_at.isoformat(),
        "duration_s": call.duration_s,
        "line": call.line,
        "aggregate": call.is_aggregate,
        "peak_bytes": call.peak_bytes,
        "inputs": [_row_to_json(each) for each in call.inputs],
        "outputs": [_row_to_json(output) for output in call.outputs],
        "error": call.error,
    }


def _row_to_json(value: Any) -> Any:
    """Return a row of the store, with the rows that are in it, as JSON values."""
    if hasattr(value, "_asdict"):
        return {name: _row_to_json(part) for name, part in value._asdict().items()}
    return [_row_to_json(part) for part in value] if isinstance(value, tuple) else value


def _metric_to_json(series: MetricSeries) -> dict[str, Any]:
    import math

    known = [value for value in series.values if not math.isnan(value)]
    return {
        "record": series.record,
        "call": series.call,
        "type": series.type,
        "name": series.name,
        "last": _finite(series.last),
        "min": _finite(min(known)) if known else None,
        "max": _finite(max(known)) if known else None,
        "logged": len(series.values),
    }


def _finite(value: float) -> float | str:
    """Return a number as JSON has it; nan and the infinities are texts there."""
    import math

    return value if math.isfinite(value) else str(value)

"""``experiment show RUN``: what one run was, did and found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from curifactory.cli.words import RunVerb

if TYPE_CHECKING:
    from curifactory.store.run import Run

RUN_HELP = (
    "RUN is a reference, its unique beginning, iris/-1 (the latest of iris), or -1 (the latest of all)."
)


@click.command("show", cls=RunVerb, epilog=RUN_HELP)
@click.argument("run", default="-1")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def verb(run: str, as_json: bool) -> int:
    """Show a run: facts, calls with their reasons, metrics, parameters. Without RUN it is the latest."""
    import sys

    from curifactory.cli.console import Console
    from curifactory.cli.store import open_runs
    from curifactory.errors import ExitCode
    from curifactory.project.project import Project

    project = Project.find()
    found = open_runs(project).get(run)
    console = Console(sys.stdout)
    if as_json:
        import json

        console.print(json.dumps(details_to_json(found), ensure_ascii=False, indent=2))
        return ExitCode.COMPLETE
    from curifactory.cli.portrait import print_run

    report = project.reports_folder / found.reference / "index.html"
    print_run(console, found, report=report if report.is_file() else None)
    return ExitCode.COMPLETE


def details_to_json(run: Run) -> dict[str, Any]:
    """Return a run as JSON values; the names of keys are kept from version to version."""
    from dataclasses import asdict

    return {
        "run": {**run.facts, "outcome": run.outcome.value},
        "records": [asdict(record) for record in run.records],
        "calls": [
            {
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
                "outputs": [asdict(output) for output in call.outputs],
                "error": call.error,
            }
            for call in run.calls
        ],
        "metrics": [
            {
                "record": series.record,
                "call": series.call,
                "type": series.type,
                "name": series.name,
                "last": _finite(series.last),
                "logged": len(series.values),
            }
            for series in run.metrics
        ],
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
    }


def _finite(value: float) -> float | str:
    """Return a number as JSON has it; nan and the infinities are texts there."""
    import math

    return value if math.isfinite(value) else str(value)

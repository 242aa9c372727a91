"""Folders of runs that never ran: ten thousand in a few seconds, for what must not grow with their number."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

_FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def write_runs(project: Path, count: int, *, first: int = 1, metrics: bool = False) -> None:
    """Write finished runs of the experiment ``tiny`` into a project, one minute apart, as a run would leave them.

    Parameters
    ----------
    project : Path
        Root of the project.
    count : int
        How many.
    first : int
        Number of the first one.
    metrics : bool
        Whether each has logged an accuracy.
    """
    runs = os.path.join(project, "data", "runs")
    numbers = os.path.join(runs, ".numbers", "tiny")
    os.makedirs(numbers, exist_ok=True)
    for number in range(first, first + count):
        at = _FIRST + timedelta(minutes=number)
        reference = f"tiny_{number}_{at:%Y-%m-%d-T%H%M%S}"
        folder = os.path.join(runs, reference)
        os.mkdir(folder)
        _write(os.path.join(numbers, str(number)), "")
        _write(os.path.join(folder, "run.json"), json.dumps(_facts(reference, number, at)))
        if metrics:
            row = {"record": 0, "call": 1, "type": "test", "step": None, "epoch": None, "at": at.isoformat()}
            row["values"] = {"accuracy": (number * 7919 % 1000) / 1000}
            _write(os.path.join(folder, "metrics.jsonl"), json.dumps(row) + "\n")


def remember_runs(project: Path) -> int:
    """Put all runs of a project into its index, as each would have done itself; return how many there are."""
    from curifactory.store.index import Index
    from curifactory.store.layout import Layout
    from curifactory.store.runs import RunStore

    with Index(Layout(project / "data" / "cache").index_path) as index:
        return len(RunStore(project / "data" / "runs", index).iter_rows())


def _facts(reference: str, number: int, at: datetime) -> dict[str, object]:
    return {
        "format": 1,
        "reference": reference,
        "experiment": "tiny",
        "number": number,
        "outcome": "complete",
        "live": False,
        "started_at": at.isoformat(timespec="milliseconds"),
        "finished_at": (at + timedelta(seconds=2)).isoformat(timespec="milliseconds"),
        "duration_s": 2.0,
        "command": ["experiment", "tiny", "-p", "tiny"],
        "command_line": "experiment tiny -p tiny",
        "host": "bench",
        "user": "ada",
        "python": "3.11",
        "notes": f"try {number}",
        "tags": [],
        "parameter_files": ["tiny"],
        "experiment_doc": "The smallest experiment that there is.",
        "experiment_file": "experiments/tiny.py",
        "git": {
            "commit": "0" * 40,
            "branch": "main",
            "dirty": False,
            "root": ".",
            "remote": None,
            "untracked": [],
        },
        "error": None,
        "counts": {"ran": 2},
        "warnings": [],
    }


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)

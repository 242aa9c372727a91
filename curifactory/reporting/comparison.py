"""What runs are compared by: a small script beside each report, which the index loads when somebody ticks the run."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from curifactory.store.parameter_columns import flatten

if TYPE_CHECKING:
    from curifactory.reporting.view.report import ReportView
    from curifactory.store.run import Run

COMPARISON = "compare.js"
MOST_RECORDS = 1_000
MOST_RESULTS = 300
LONGEST_TEXT = 1_500
MOST_ROWS = 12
MOST_COLUMNS = 8
LONGEST_PATCH = 100_000


def encode_comparison(run: Run, view: ReportView) -> bytes:
    """Write parameters, metrics, code, environment and results of a run as a script.

    A page from disk may load a script, and no other kind of data.

    Parameters
    ----------
    run : Run
        The run.
    view : ReportView
        What its report shows.
    """
    about = {
        "reference": run.reference,
        **_list_records(run),
        "code": _describe_code(run),
        "environment": _describe_environment(run.environment, run.facts),
        "results": list(_list_results(view)),
    }
    return (
        b"window.curifactoryComparison(" + json.dumps(about, separators=(",", ":")).encode("ascii") + b");\n"
    )


def _list_records(run: Run) -> dict[str, Any]:
    """Give each record that has parameters or metrics, its values in the order of ``paths`` and ``metrics``."""
    sets = {row.hash: dict(flatten(row.shown)) for row in run.parameters}
    scores: dict[int, dict[str, float | None]] = {}
    for series in run.metrics:
        name = f"{series.type} {series.name}" if series.type else series.name
        last = series.last
        scores.setdefault(series.record, {})[name] = (
            last if last is not None and math.isfinite(last) else None
        )
    names = {row.index: (row.params_name or row.name, sets.get(row.params_hash, {})) for row in run.records}
    indices = dict.fromkeys([*names, *sorted(scores)])
    chosen = [index for index in indices if scores.get(index) or names[index][1]][:MOST_RECORDS]
    paths = list(dict.fromkeys(path for _, values in names.values() for path in values))
    metrics = list(dict.fromkeys(name for values in scores.values() for name in values))
    records = []
    for index in chosen:
        name, values = names.get(index, (f"Record {index}", {}))
        found = scores.get(index, {})
        records.append([name, [values.get(path) for path in paths], [found.get(each) for each in metrics]])
    return {"paths": paths, "metrics": metrics, "records": records, "left_out": len(indices) - len(chosen)}


def _describe_code(run: Run) -> dict[str, Any]:
    git = run.facts.get("git") or {}
    patch = run.patch_text()
    return {
        "commit": git.get("commit") or "",
        "branch": git.get("branch") or "",
        "dirty": bool(git.get("dirty")),
        "untracked": [str(each) for each in (git.get("untracked") or ())][:50],
        "patch": patch[:LONGEST_PATCH],
        "cut": len(patch) > LONGEST_PATCH,
    }


def _describe_environment(environment: Mapping[str, Any], facts: Mapping[str, Any]) -> list[list[str]]:
    """Give pairs of name and value: the machine first, then its packages."""
    pairs = {
        "Python": environment.get("python") or facts.get("python"),
        "Platform": environment.get("platform"),
        "Host": facts.get("host"),
        "curifactory": facts.get("curifactory"),
        **(environment.get("packages") or {}),
    }
    return [[str(name), str(value)] for name, value in pairs.items() if value]


def _list_results(view: ReportView) -> Iterable[dict[str, Any]]:
    """Give what was reported: where it stands, and what of it can be shown beside another run's."""
    shown = [(group, each) for group in view.groups for each in group.reportables]
    for group, each in shown[:MOST_RESULTS]:
        picture = each.files[0].address if each.kind in {"figure", "image"} and each.files else None
        text = each.data.get("text") if isinstance(each.data, Mapping) else None
        yield {
            "group": group.name,
            "name": each.name,
            "kind": each.kind,
            "anchor": each.anchor,
            "picture": picture,
            "text": text if isinstance(text, str) and len(text) <= LONGEST_TEXT else None,
            "table": _take_small_table(each.data) if each.kind == "table" else None,
        }


def _take_small_table(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """Give a table that can stand in a cell of another one, None if it is larger than that."""
    columns, rows, index = data.get("columns") or [], data.get("rows") or [], data.get("index")
    if not rows or len(rows) > MOST_ROWS or len(columns) > MOST_COLUMNS:
        return None
    names = list(data.get("index_names") or []) if index else []
    labels = index or [[] for _ in rows]
    return {
        "columns": [str(name or "") for name in [*names, *columns]],
        "rows": [
            [None if cell is None else str(cell) for cell in [*label, *row]]
            for label, row in zip(labels, rows, strict=False)
        ],
    }

"""One run in a terminal: facts, calls, metrics, parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curifactory.cli.amounts import show_duration, show_moment, show_number, show_size
from curifactory.cli.console import Console, align, printable
from curifactory.cli.ending import STYLES

if TYPE_CHECKING:
    from curifactory.store.run import Run

_INDENT = "  "


def print_run(console: Console, run: Run, *, report: Path | None) -> None:
    """Write all that matters of a run.

    Parameters
    ----------
    console : Console
        Where to.
    run : Run
        As it is kept.
    report : Path, optional
        Its report, if there is one.
    """
    console.print(
        f"{printable(run.reference)} {console.style(run.outcome.value, STYLES.get(run.outcome, 'bold'))}"
    )
    for name, value in list_facts(run):
        console.print(f"{name:<10}  {printable(value)}", flush=False)
    if report is not None:
        console.print(f"{'report':<10}  {console.link(report)}", flush=False)
    _print_calls(console, run)
    _print_sweeps(console, run)
    _print_metrics(console, run)
    _print_parameters(console, run)
    _print_reportables(console, run)
    _print_error(console, run)
    console.flush()


def list_facts(run: Run) -> list[tuple[str, str]]:
    """Return names and values of the facts that a run has."""
    facts = run.facts
    started, seconds = show_moment(run.started_at), run.duration_s
    took = "" if seconds is None else f", took {show_duration(seconds)}"
    found = [
        ("started", f"{started}{took}" if started else ""),
        ("command", str(facts.get("command_line") or "")),
        ("resumes", str(facts.get("resumes") or "")),
        ("parameters", ", ".join(map(str, facts.get("parameter_files") or ()))),
        ("commit", _show_commit(facts.get("git"))),
        ("where", " ".join(str(facts[key]) for key in ("user", "host") if facts.get(key))),
        ("with", ", ".join(f"{name} {facts[key]}" for name, key in _VERSIONS if facts.get(key))),
        ("tags", ", ".join(facts.get("tags") or ())),
        ("notes", str(facts.get("notes") or "")),
        ("full store", _show_store(facts.get("full_store"))),
        *(("warning", warning.text) for warning in run.warnings),
    ]
    return [(name, value) for name, value in found if value]


_VERSIONS = (("Python", "python"), ("curifactory", "curifactory"))


def _show_store(store: Mapping[str, Any] | None) -> str:
    if not store:
        return ""
    missing = len(store.get("missing") or ())
    lacks = f", {missing} missing" if missing else ""
    return f"{store.get('files', 0)} files, {show_size(int(store.get('size_bytes') or 0))}{lacks}"


def _show_commit(git: Mapping[str, Any] | None) -> str:
    if not git:
        return ""
    commit = str(git.get("commit") or "none yet")[:12]
    branch = f" on {git['branch']}" if git.get("branch") else ""
    return f"{commit}{branch}{', with uncommitted changes' if git.get('dirty') else ''}"


def _head(console: Console, text: str) -> None:
    console.print(flush=False)
    console.print(console.style(text, "bold"), flush=False)


def _print_calls(console: Console, run: Run) -> None:
    if not run.calls:
        return
    _head(console, "calls")
    rows = [
        [
            _INDENT + call.outcome.value,
            call.name,
            call.record_name,
            show_duration(call.duration_s),
            call.reason_text,
        ]
        for call in run.calls
    ]
    console.print_table(
        rows, paint=lambda place, column: run.calls[place].outcome.style if column == 0 else None
    )


def _print_sweeps(console: Console, run: Run) -> None:
    if not run.sweeps:
        return
    from curifactory.reporting.view.sweep import KINDS, list_facts, show

    _head(console, "sweeps" if len(run.sweeps) > 1 else "sweep")
    for sweep in run.sweeps:
        ranges = " ".join(f"{name}={','.join(map(show, values))}" for name, values in sweep.ranges.items())
        more = "".join(f"; {name} {value}" for name, value in list_facts(sweep))
        sets = f"{sweep.count} {'set' if sweep.count == 1 else 'sets'}"
        kind = KINDS.get(sweep.kind, sweep.kind)
        line = f"{_INDENT}{sets}: {kind}{' of ' + ranges if ranges else ''}{more}"
        console.print(printable(line), flush=False)


def _print_metrics(console: Console, run: Run) -> None:
    if not run.metrics:
        return
    _head(console, "metrics")
    names = {record.index: record.name for record in run.records}
    latest: dict[str, dict[str, float]] = {}
    for series in run.metrics:
        scores = latest.setdefault(names.get(series.record, f"Record {series.record}"), {})
        scores[f"{series.type} {series.name}".lstrip()] = series.last
    rows = [
        [_INDENT + record, "  ".join(f"{name} {show_number(value)}" for name, value in scores.items())]
        for record, scores in latest.items()
    ]
    for cells in align(rows):
        console.print("  ".join(cells), flush=False)


def _print_parameters(console: Console, run: Run) -> None:
    if not run.parameters:
        return
    _head(console, "parameters")
    for row in run.parameters:
        shown = row.shown if isinstance(row.shown, Mapping) else {"value": row.shown}
        values = ", ".join(
            f"{name}={_show_value(value)}" for name, value in shown.items() if name != "name" and value != {}
        )
        origin = f" ({row.file})" if row.file else ""
        told = f": {values}" if values else ""
        console.print(printable(f"{_INDENT}{row.name} {row.hash}{origin}{told}"), flush=False)


def _print_reportables(console: Console, run: Run) -> None:
    if not run.reportables:
        return
    _head(console, "reportables")
    names = {record.index: record.name for record in run.records}
    rows = [
        [
            f"{_INDENT}{row.fragment.kind}",
            row.name,
            names.get(row.record, ""),
            row.stage or "",
            " ".join((row.fragment.caption or "").split()),
        ]
        for row in run.reportables
    ]
    console.print_table(rows)


def _show_value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _print_error(console: Console, run: Run) -> None:
    text = run.facts.get("traceback") or run.facts.get("error")
    if text:
        _head(console, "error")
        for line in str(text).rstrip().split("\n"):
            console.print(_INDENT + printable(line), flush=False)

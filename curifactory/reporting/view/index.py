"""What the index shows before any script runs: the experiments, and the newest runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from curifactory.reporting.view.header import first_line, style_name
from curifactory.reporting.view.quantities import format_duration, format_number, format_time
from curifactory.reporting.view.results import find_direction

if TYPE_CHECKING:
    from curifactory.reporting.index_data import IndexData

SHOWN_RUNS = 50
SHOWN_SCORES = 3

Address = Callable[[str], str]


class ExperimentEntry(NamedTuple):
    """An experiment: what its docstring says, how many runs it has, and number and outcome of the latest one."""

    name: str
    about: str
    more: str
    runs: int
    latest: int
    address: str | None
    outcome: str
    style: str


class RunEntry(NamedTuple):
    """A run as a row."""

    reference: str
    experiment: str
    number: int
    address: str | None
    outcome: str
    style: str
    started: str
    started_at: str
    duration: str
    scores: tuple[tuple[str, str, str], ...]
    parameters: str
    commit: str
    branch: str
    dirty: bool
    note: str
    tags: tuple[str, ...]
    error: str


class IndexView(NamedTuple):
    """The page: experiments by name, the first runs, and how many there are."""

    experiments: tuple[ExperimentEntry, ...]
    runs: tuple[RunEntry, ...]
    total: int
    has_latest: bool


def gather_index(data: IndexData, address: Address, *, has_latest: bool, shown: int) -> IndexView:
    """Make the entries of the experiments and of the newest runs.

    Parameters
    ----------
    data : IndexData
        All rows.
    address : callable
        Gives the address of a run's report.
    has_latest : bool
        Whether ``_latest`` leads anywhere.
    shown : int
        How many of the newest runs stand in the page itself.
    """
    runs = tuple(_enter(row, address) for row in data.iter_rows(shown))
    experiments = tuple(
        ExperimentEntry(
            name=name,
            about=entry.about,
            more=entry.more,
            runs=entry.runs,
            latest=entry.number,
            address=address(entry.reference) if entry.has_report else None,
            outcome=entry.outcome,
            style=style_name(entry.outcome),
        )
        for name, entry in sorted(data.experiments.items(), key=lambda pair: pair[0].lower())
    )
    return IndexView(experiments, runs, len(data.lines), has_latest)


def _enter(row: Mapping[str, Any], address: Address) -> RunEntry:
    return RunEntry(
        reference=row["reference"],
        experiment=row["experiment"] or "(no name)",
        number=row["number"],
        address=address(row["reference"]) if row["has_report"] else None,
        outcome=row["outcome"],
        style=style_name(row["outcome"]),
        started=format_time(row["started_at"]),
        started_at=row["started_at"] or "",
        duration=format_duration(row["duration_s"]),
        scores=_pick_scores(row["metrics"] or {}, row["metrics_ever"] or {}),
        parameters=", ".join(map(str, row["parameter_files"] or ())),
        commit=(row["commit"] or "")[:7],
        branch=row["branch"] or "",
        dirty=bool(row["dirty"]),
        note=first_line(row["notes"]),
        tags=tuple(map(str, row["tags"] or ())),
        error=first_line(row["error"]),
    )


def _pick_scores(last: Mapping[str, Any], ever: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """Take the first metrics whose name tells what is better, then others: last value, and the best one if that was better."""
    scores = []
    for name in sorted(last, key=lambda name: not find_direction(name))[:SHOWN_SCORES]:
        direction = find_direction(name)
        end = 0 if direction == "lower" else 1
        value, peak = last[name][end], ever.get(name, last[name])[end]
        scores.append((name, _format(value), _format(peak) if direction and peak != value else ""))
    return tuple(scores)


def _format(value: float | None) -> str:
    return "–" if value is None else format_number(value)

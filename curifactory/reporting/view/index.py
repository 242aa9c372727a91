"""What the index shows before any script runs: the experiments, and the newest runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curifactory.reporting.view.header import first_line, style_name
from curifactory.reporting.view.quantities import format_duration, format_number, format_time
from curifactory.reporting.view.results import find_direction

if TYPE_CHECKING:
    from curifactory.reporting.index_data import IndexData

SHOWN_RUNS = 50
SHOWN_SCORES = 3

Address = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class ExperimentEntry:
    """An experiment: what its docstring says, how many runs it has, and number and outcome of the latest one."""

    name: str
    about: str
    more: str
    runs: int
    latest: int
    address: str | None
    outcome: str
    style: str


@dataclass(frozen=True, slots=True)
class RunEntry:
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
    scores: tuple[tuple[str, str], ...]
    parameters: str
    commit: str
    branch: str
    dirty: bool
    note: str
    tags: tuple[str, ...]
    error: str


@dataclass(frozen=True, slots=True)
class IndexView:
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
        scores=_pick_scores(row["metrics"] or {}),
        parameters=", ".join(map(str, row["parameter_files"] or ())),
        commit=(row["commit"] or "")[:7],
        branch=row["branch"] or "",
        dirty=bool(row["dirty"]),
        note=first_line(row["notes"]),
        tags=tuple(map(str, row["tags"] or ())),
        error=first_line(row["error"]),
    )


def _pick_scores(metrics: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Take the first metrics whose name tells what is better, then others."""
    ranked = sorted(metrics, key=lambda name: not find_direction(name))[:SHOWN_SCORES]
    return tuple(
        (name, format_number(metrics[name][0] if find_direction(name) == "lower" else metrics[name][1]))
        for name in ranked
    )

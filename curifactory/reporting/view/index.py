"""What the index shows before any script runs: the experiments, and the newest runs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curifactory.reporting.view.header import first_line, style_name
from curifactory.reporting.view.quantities import format_duration, format_number, format_time
from curifactory.reporting.view.results import find_direction

if TYPE_CHECKING:
    from curifactory.store.run_row import RunRow

SHOWN_RUNS = 200
SHOWN_SCORES = 3

Find = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class ExperimentEntry:
    """An experiment: its docstring's first line, how many runs, and its latest one."""

    name: str
    about: str
    runs: int
    latest: RunEntry


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


def gather_index(rows: Sequence[RunRow], find: Find, *, has_latest: bool) -> IndexView:
    """Make the entries of the newest runs and of the latest run of each experiment.

    Parameters
    ----------
    rows : sequence of RunRow
        Newest first.
    find : callable
        Gives the address of a run's report.
    has_latest : bool
        Whether ``_latest`` leads anywhere.
    """
    counts = Counter([row.experiment for row in rows])
    newest = {row.experiment: row for row in reversed(rows)}
    experiments = tuple(
        ExperimentEntry(
            name,
            first_line(read_row(newest[name]).get("experiment_doc")),
            counts[name],
            _enter(newest[name], find),
        )
        for name in sorted(counts, key=str.lower)
    )
    return IndexView(
        experiments, tuple(_enter(row, find) for row in rows[:SHOWN_RUNS]), len(rows), has_latest
    )


def read_row(row: RunRow) -> Mapping[str, Any]:
    """Give what a listing keeps of a run, also where its text holds what the quick decoder refuses.

    Half a surrogate pair, from a path that is no UTF-8, must not cost the index of all runs.
    """
    import msgspec

    try:
        return row.facts
    except (msgspec.MsgspecError, ValueError):
        facts: dict[str, Any] = json.loads(row.summary)
        return facts


def _enter(row: RunRow, find: Find) -> RunEntry:
    facts = read_row(row)
    outcome = row.outcome.value
    return RunEntry(
        reference=row.reference,
        experiment=row.experiment or "(no name)",
        number=row.number,
        address=find(row.reference),
        outcome=outcome,
        style=style_name(outcome),
        started=format_time(row.started_at),
        started_at=facts.get("started_at") or "",
        duration=format_duration(facts.get("duration_s")),
        scores=_pick_scores(facts.get("metrics") or {}),
        parameters=", ".join(map(str, facts.get("parameter_files") or ())),
        commit=(facts.get("commit") or "")[:7],
        branch=facts.get("branch") or "",
        dirty=bool(facts.get("dirty")),
        note=first_line(facts.get("notes")),
        tags=tuple(map(str, facts.get("tags") or ())),
        error=first_line(facts.get("error")),
    )


def _pick_scores(metrics: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Take the first metrics whose name tells what is better, then others."""
    ranked = sorted(metrics, key=lambda name: not find_direction(name))[:SHOWN_SCORES]
    return tuple(
        (name, format_number(metrics[name][0] if find_direction(name) == "lower" else metrics[name][1]))
        for name in ranked
    )

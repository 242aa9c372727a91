"""One run in a listing: what a table of runs can show, without reading more than `run.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from curifactory.core.outcomes import RunOutcome
from curifactory.store.journal import decode_leniently
from curifactory.store.process import outcome_of

# A long note or error is read from the folder by who wants all of it.
_LONGEST_TEXT = 500
_KEPT = [
    "experiment",
    "number",
    "outcome",
    "started_at",
    "finished_at",
    "live",
    "command_line",
    "counts",
    "curifactory",
    "duration_s",
    "error",
    "experiment_doc",
    "experiment_file",
    "host",
    "notes",
    "parameter_files",
    "pid",
    "process",
    "python",
    "resumes",
    "seed",
    "tags",
    "user",
]
_KEPT_OF_GIT = ("commit", "branch", "dirty")


@dataclass(frozen=True)
class RunRow:
    """One run in a listing.

    Parameters
    ----------
    reference, experiment : str
        The run's name, and the experiment's as the person wrote it.
    number : int
        Which run of the experiment it is.
    outcome : RunOutcome
        As :attr:`curifactory.store.run.Run.outcome`.
    started_at, finished_at : datetime or None
        With time zone.
    is_live : bool
        Whether it is a session of a notebook, REPL or script.
    summary : str
        JSON text of what else a listing keeps; :attr:`facts` has its values.
    """

    reference: str
    experiment: str
    number: int
    outcome: RunOutcome
    started_at: datetime | None
    finished_at: datetime | None
    is_live: bool = False
    summary: str = field(default="{}", repr=False)

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """What else a table can show: ``counts``, ``notes``, ``tags``, ``commit``, ``dirty``, ``duration_s``, ``error``, …"""
        # Read when asked for: of ten thousand rows a terminal shows twenty.
        facts: dict[str, Any] = decode_leniently(self.summary)
        return facts

    @property
    def tags(self) -> tuple[str, ...]:
        """Tags that people gave the run."""
        return tuple(self.facts.get("tags") or ())

    @property
    def counts(self) -> Mapping[str, int]:
        """How many calls ended in which way, as of the last time that ``run.json`` was written."""
        return self.facts.get("counts") or {}

    @property
    def metrics(self) -> Mapping[str, tuple[float, float]]:
        """Least and greatest last value of each metric over the records."""
        return {
            name: (least, greatest) for name, (least, greatest) in (self.facts.get("metrics") or {}).items()
        }


def pick_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return of ``run.json`` what a listing keeps, long texts cut.

    Examples
    --------
    >>> pick_facts({"number": 4, "traceback": "…", "git": {"commit": "1f", "root": "/project"}})
    {'number': 4, 'commit': '1f'}
    """
    kept = {name: facts[name] for name in _KEPT if facts.get(name) is not None}
    git = facts.get("git") or {}
    kept |= {name: git[name] for name in _KEPT_OF_GIT if git.get(name) is not None}
    warnings = len(facts.get("warnings") or ()) + int(facts.get("warnings_left_out") or 0)
    if warnings:
        kept["warnings"] = warnings
    if facts.get("sweeps"):
        kept["sweeps"] = len(facts["sweeps"])
    return {
        name: f"{value[:_LONGEST_TEXT]}…" if isinstance(value, str) and len(value) > _LONGEST_TEXT else value
        for name, value in kept.items()
    }


def make_row(reference: str, kept: Mapping[str, Any], summary: str) -> RunRow:
    """Make the row of a run from what a listing keeps, and its text.

    Examples
    --------
    >>> make_row("iris_4_2026-11-21-T101500", {"experiment": "iris", "number": 4}, '{"seed": 1}').facts
    {'seed': 1}
    """
    return RunRow(
        reference,
        str(kept.get("experiment") or ""),
        int(kept.get("number") or 0),
        outcome_of(kept),
        read_time(kept.get("started_at")),
        read_time(kept.get("finished_at")),
        bool(kept.get("live")),
        summary,
    )


def read_time(text: str | None) -> datetime | None:
    """Return a time of ``run.json``, None if there is none.

    Examples
    --------
    >>> read_time("2026-11-21T10:15:00+01:00").hour
    10
    """
    return datetime.fromisoformat(text) if text else None

"""A run as it was: a frozen read model that is drawn from the run's folder alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from curifactory.core.outcomes import CallOutcome, RunOutcome
from curifactory.errors import StoreError
from curifactory.store.calls import CALLS_NAME, CallRow, read_call
from curifactory.store.facts import read_facts
from curifactory.store.journal import read_journal, store_error
from curifactory.store.log import LOG_NAME
from curifactory.store.metrics import METRICS_NAME, MetricSeries, read_series
from curifactory.store.process import outcome_of
from curifactory.store.rows import (
    PARAMETERS_NAME,
    RECORDS_NAME,
    REPORTABLES_NAME,
    ParameterRow,
    RecordRow,
    ReportableRow,
    WarningRow,
    drop_retracted,
    read_parameter,
    read_record,
    read_reportable,
)
from curifactory.store.run_row import read_time

if TYPE_CHECKING:
    from curifactory.store.sweeps import SweepRow

ENVIRONMENT_NAME = "environment.json"
PATCH_NAME = "patch.diff"
FRAGMENTS_NAME = "fragments"

Row = TypeVar("Row")


@dataclass(frozen=True)
class Run:
    """One run. Each of its files is read when it is first asked for, and then kept.

    Nothing but the folder is needed: a copy of it, on another machine too, reads the same.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    facts : mapping
        What ``run.json`` says.

    Examples
    --------
    >>> import tempfile
    >>> from curifactory.store.facts import merge_facts
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = merge_facts(Path(folder), {"reference": "iris_1_2026-11-21-T101500", "outcome": "complete"})
    ...     run = Run.read(Path(folder))
    ...     run.outcome, run.calls
    (<RunOutcome.COMPLETE: 'complete'>, ())
    """

    folder: Path
    facts: Mapping[str, Any] = field(repr=False)

    @classmethod
    def read(cls, folder: Path) -> Run:
        """Read the run in a folder.

        Raises
        ------
        StoreError
            If the folder is not a run's, or its ``run.json`` is damaged.
        """
        return cls(Path(folder), read_facts(folder))

    @property
    def reference(self) -> str:
        """The run's name; the folder's, if ``run.json`` does not say."""
        return str(self.facts.get("reference") or self.folder.name)

    @property
    def experiment(self) -> str:
        """Name of the experiment as the person wrote it."""
        return str(self.facts.get("experiment") or "")

    @property
    def number(self) -> int:
        """Which run of the experiment this is, from 1."""
        return int(self.facts.get("number") or 0)

    @property
    def outcome(self) -> RunOutcome:
        """How the run stands; one whose process is gone without a word was interrupted."""
        return outcome_of(self.facts)

    @property
    def is_live(self) -> bool:
        """Whether it is a session of a notebook, REPL or script."""
        return bool(self.facts.get("live"))

    @property
    def started_at(self) -> datetime | None:
        """When it started, with time zone."""
        return read_time(self.facts.get("started_at"))

    @property
    def finished_at(self) -> datetime | None:
        """When it ended, with time zone; None as long as it has not, or if it was killed."""
        return read_time(self.facts.get("finished_at"))

    @property
    def duration_s(self) -> float | None:
        """How long it took."""
        return self.facts.get("duration_s")

    @property
    def warnings(self) -> tuple[WarningRow, ...]:
        """What the person should know; the first hundred."""
        return tuple(
            WarningRow(row["text"], datetime.fromisoformat(row["at"]))
            for row in self.facts.get("warnings", ())
        )

    @property
    def fragments_folder(self) -> Path:
        """Where the files of reportables lie, in a folder for each call."""
        return self.folder / FRAGMENTS_NAME

    @cached_property
    def records(self) -> tuple[RecordRow, ...]:
        """The records, in their order.

        Raises
        ------
        StoreError
            If the file is damaged; the same holds for all that is read here.
        """
        return self._read_rows(RECORDS_NAME, read_record)

    @cached_property
    def calls(self) -> tuple[CallRow, ...]:
        """The calls, in the order in which ``run()`` made them; of a call told of twice, the later."""
        latest = {row.index: row for row in self._read_rows(CALLS_NAME, read_call)}
        return tuple(latest[index] for index in sorted(latest))

    @cached_property
    def metrics(self) -> tuple[MetricSeries, ...]:
        """What was logged, as one series for each record, call, type and name."""
        return tuple(read_series(read_journal(self.folder / METRICS_NAME)))

    @cached_property
    def reportables(self) -> tuple[ReportableRow, ...]:
        """What was reported, in that order."""
        rows = drop_retracted(read_journal(self.folder / REPORTABLES_NAME))
        return tuple([self._read_row(REPORTABLES_NAME, read_reportable, row) for row in rows])

    @cached_property
    def parameters(self) -> tuple[ParameterRow, ...]:
        """The parameter sets."""
        rows = self._read_document(PARAMETERS_NAME) or []
        return tuple(self._read_row(PARAMETERS_NAME, read_parameter, row) for row in rows)

    @cached_property
    def sweeps(self) -> tuple[SweepRow, ...]:
        """The sweeps, in the order in which they began."""
        if not self.facts.get("sweeps"):
            return ()
        from curifactory.store.sweeps import read_sweeps

        return read_sweeps(self.facts, self.records)

    @cached_property
    def environment(self) -> Mapping[str, Any]:
        """Python, machine, packages and variables; empty if they were not kept."""
        return self._read_document(ENVIRONMENT_NAME) or {}

    @cached_property
    def counts(self) -> Mapping[CallOutcome, int]:
        """How many calls ended in which way."""
        found = Counter(call.outcome for call in self.calls)
        return {outcome: found[outcome] for outcome in CallOutcome if found[outcome]}

    def log_text(self) -> str:
        """Return the log; empty if there is none."""
        return self._read_text(LOG_NAME)

    def patch_text(self) -> str:
        """Return what differed from the commit, as ``git apply`` takes it; empty if nothing did.

        Bytes that are no UTF-8 are shown as they would be escaped; take the file itself to apply it.
        """
        return self._read_text(PATCH_NAME)

    def summary(self) -> dict[str, Any]:
        """Return in JSON values how the run went: outcome, numbers of calls by outcome, of records and of the rest."""
        return {
            "reference": self.reference,
            "outcome": self.outcome.value,
            "duration_s": self.duration_s,
            "counts": {outcome.value: count for outcome, count in self.counts.items()},
            "records": len(self.records),
            "calls": len(self.calls),
            "metrics": len(self.metrics),
            "reportables": len(self.reportables),
            "warnings": len(self.warnings) + int(self.facts.get("warnings_left_out") or 0),
        }

    def _read_rows(self, name: str, read: Callable[[Mapping[str, Any]], Row]) -> tuple[Row, ...]:
        return tuple([self._read_row(name, read, row) for row in read_journal(self.folder / name)])

    def _read_row(self, name: str, read: Callable[[Mapping[str, Any]], Row], row: Mapping[str, Any]) -> Row:
        try:
            return read(row)
        except (KeyError, ValueError, TypeError) as error:
            raise StoreError(
                f"{self.folder / name} has an entry of another shape than this version writes ({error!r}).",
                hint="Read the run with the version that wrote it; run.json names it.",
            ) from error

    def _read_document(self, name: str) -> Any:
        text = self._read_text(name)
        try:
            return json.loads(text) if text else None
        except ValueError as error:
            raise StoreError(
                f"{self.folder / name} is damaged: {error}.", hint="Take the file from a copy of the run."
            ) from error

    def _read_text(self, name: str) -> str:
        path = self.folder / name
        try:
            return path.read_bytes().decode("utf-8", "backslashreplace")
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise store_error(error, "read", path) from error

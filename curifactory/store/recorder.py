"""Writes a run's folder from the stream of its events."""

from __future__ import annotations

import atexit
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curifactory.core.events import (
    CallEnded,
    CallRecalled,
    CallRetracted,
    CallStarted,
    Event,
    MetricLogged,
    RecordAdded,
    Reported,
    RunFinished,
    RunPlanned,
    RunStarted,
    Warned,
)
from curifactory.core.outcomes import CallOutcome
from curifactory.core.secrets import mask_tree
from curifactory.errors import StoreError
from curifactory.store.calls import CALLS_NAME, encode_calls
from curifactory.store.clock import Clock
from curifactory.store.event_lines import EventLines
from curifactory.store.facts import merge_facts, write_document
from curifactory.store.journal import encode_lines, expect_many
from curifactory.store.listing import Listing
from curifactory.store.log import LOG_NAME, RunLog
from curifactory.store.log_lines import LEVELS_OF_CALLS, level_of
from curifactory.store.metric_lines import Key
from curifactory.store.metrics import METRICS_NAME
from curifactory.store.metrics_writer import MetricsWriter
from curifactory.store.rows import (
    RECORDS_NAME,
    REPORTABLES_NAME,
    encode_records,
    reportable_line,
    retraction_line,
)

if TYPE_CHECKING:
    from curifactory.store.index import Index

MOST_WARNINGS = 100


class Recorder:
    """A listener of the event stream that keeps what happened in the run's folder.

    A line of ``calls.jsonl``, ``records.jsonl`` and ``reportables.jsonl`` is with the operating system when the call of
    the recorder returns, unless another came less than 10 ms before. Those, metrics and the log follow within 0.2 s. A kill
    therefore loses at most that, of what is only told: traces are whole before anybody is told of them.

    Parameters
    ----------
    folder : Path
        The run's folder, as :meth:`curifactory.store.runs.RunStore.claim` made it.
    index : Index, optional
        Learns of the run when it starts and when it ends, so that listing runs need not read its folder.
    log : bool
        Whether there is a log.

    Examples
    --------
    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     recorder = Recorder(Path(folder))
    ...     recorder.write_facts(reference="iris_1_2026-11-21-T101500", notes="first try")
    ...     recorder(RecordAdded(0, "Record 0 (a)", "a", "9f"))
    ...     recorder.close()
    ...     sorted(os.listdir(folder))
    ['log.txt', 'records.jsonl', 'run.json']
    """

    def __init__(self, folder: Path, *, index: Index | None = None, log: bool = True) -> None:
        self.folder = folder
        self._index = index
        self._reference = ""
        self._clock = Clock(self._flush_waiting)
        self.log = RunLog(folder / LOG_NAME, clock=self._clock, silent=not log)
        self._metrics = MetricsWriter(folder / METRICS_NAME, clock=self._clock, wrote=self._tell_metrics)
        self._calls = EventLines(folder / CALLS_NAME, clock=self._clock, encode=encode_calls)
        self._records = EventLines(
            folder / RECORDS_NAME,
            clock=self._clock,
            encode=encode_records,
            at_many=expect_many,
        )
        self._reportables = EventLines(folder / REPORTABLES_NAME, clock=self._clock, encode=b"".join)
        self._counts: Counter[CallOutcome] = Counter()
        self._warnings: list[dict[str, str]] = []
        self._warnings_left_out = 0
        self._started_at: datetime | None = None
        self._handlers: dict[type, Callable[[Any], None]] = {
            MetricLogged: self._metrics.add,
            CallEnded: self._end_call,
            CallStarted: self.log.add,
            CallRecalled: self.log.add,
            CallRetracted: self._retract_call,
            RecordAdded: self._add_record,
            Reported: self._add_reportable,
            RunPlanned: self.log.add,
            RunStarted: self._start_run,
            Warned: self._add_warning,
            RunFinished: self._finish_run,
        }
        # A session may end without saying so.
        atexit.register(self.close)

    def __call__(self, event: Event) -> None:
        """Take one event.

        Raises
        ------
        StoreError
            If the folder cannot be written.
        """
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    def handler_of(self, kind: type) -> Callable[[Any], None] | None:
        """Give what takes the events of a kind, for a stream that hands out very many of them."""
        return self._handlers.get(kind)

    def write_facts(self, **facts: Any) -> None:
        """Put facts into ``run.json``, whole or not at all, secrets masked; what is there under other names stays.

        Raises
        ------
        StoreError
            If the file cannot be written.
        """
        merge_facts(self.folder, mask_tree(facts))

    def write_document(self, name: str, value: Any) -> None:
        """Write a JSON file of the run, such as ``parameters.json`` or ``environment.json``.

        Raises
        ------
        StoreError
            If the file cannot be written.
        """
        write_document(self.folder, name, value)

    def flush(self) -> None:
        """Write all that waits.

        Raises
        ------
        StoreError
            If something cannot be written.
        """
        self.log.flush()
        for lines in (self._calls, self._records, self._reportables, self._metrics):
            lines.flush()

    def close(self) -> None:
        """Write all that waits and let the files go; a later event opens them again.

        Raises
        ------
        StoreError
            If something cannot be written.
        """
        atexit.unregister(self.close)
        self._clock.stop()
        with ExitStack() as closing:
            # All are closed, whichever of them fails.
            for lines in (self.log, self._metrics, self._reportables, self._records, self._calls):
                closing.callback(lines.close)

    def _flush_waiting(self) -> None:
        for lines in (self._calls, self._records, self._reportables, self._metrics, self.log):
            lines.flush_quietly()

    def _start_run(self, event: RunStarted) -> None:
        self._reference = event.reference
        self._started_at = event.at
        self.log.add(event)
        self._tell_index()

    def _add_record(self, event: RecordAdded) -> None:
        self._records.add(event)
        self.log.add(event)

    def _end_call(self, event: CallEnded) -> None:
        outcome = event.outcome
        self._calls.add(event)
        self._counts[outcome] += 1
        self.log.add(event, LEVELS_OF_CALLS[outcome])

    def _add_reportable(self, event: Reported) -> None:
        # People may go on to change what they have reported.
        self._reportables.add(encode_lines([reportable_line(event)]))
        self.log.add(event)

    def _retract_call(self, event: CallRetracted) -> None:
        self._metrics.retract(event.call)
        self._reportables.add(encode_lines([retraction_line(event.call)]))
        self.log.add(event)

    def _add_warning(self, event: Warned) -> None:
        self.log.add(event, "WARNING")
        # A warning in a loop must not make `run.json` large, nor each of its versions dear.
        if len(self._warnings) >= MOST_WARNINGS:
            self._warnings_left_out += 1
            return
        self._warnings.append({"text": event.text, "at": event.at.isoformat()})
        # Where there is no room for it now it is written with the next facts; a warning ends nothing.
        with suppress(StoreError):
            self.write_facts(warnings=self._warnings)

    def _finish_run(self, event: RunFinished) -> None:
        self.log.add(event, level_of(event))
        self.flush()

        def add_end(facts: dict[str, Any]) -> Mapping[str, Any]:
            started_at = self._started_at
            if started_at is None and facts.get("started_at"):
                started_at = datetime.fromisoformat(facts["started_at"])
            return {
                "outcome": event.outcome.value,
                "finished_at": event.at.isoformat(),
                "duration_s": None
                if started_at is None
                else round((event.at - started_at).total_seconds(), 6),
                "error": mask_tree(event.error),
                "traceback": mask_tree(event.traceback),
                "counts": {
                    outcome.value: self._counts[outcome] for outcome in CallOutcome if self._counts[outcome]
                },
                "warnings": mask_tree(self._warnings),
                "warnings_left_out": self._warnings_left_out,
            }

        merge_facts(self.folder, add_end, durable=True)
        self._tell_index()
        self.close()

    def _tell_index(self) -> None:
        if self._index is not None and self._reference:
            # `/` in an experiment's name makes folders.
            runs_folder = self.folder.parents[self._reference.count("/")]
            Listing(runs_folder, self._index).note(self._reference, self._metrics.get_facts())

    def _tell_metrics(self, key: Key, count: int) -> None:
        record, call, kind, names = key
        source = "" if call is None else f", call {call}"
        self.log.add(f"metrics: {count} of {', '.join(names)} ({kind}), record {record}{source}", "DEBUG")

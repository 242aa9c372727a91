"""What a call reports and logs: told to the run at once, kept beside its trace, told again when it is reused."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from datetime import datetime, tzinfo
from time import monotonic_ns
from typing import TYPE_CHECKING, Any

from curifactory.core.events import CallRetracted, MetricLogged, Reported
from curifactory.core.outcomes import CallOutcome
from curifactory.core.record import Record
from curifactory.core.trace import Fragment
from curifactory.engine.numbers import as_numbers, as_whole
from curifactory.engine.rendering import ERROR_KIND, FragmentNames, render
from curifactory.store.faults import as_cache_errors
from curifactory.store.metric_lines import encode_lines, iter_loggings
from curifactory.store.report_folders import seal_folder

if TYPE_CHECKING:
    from curifactory.engine.engine import Engine
    from curifactory.engine.graph import Call

FRAGMENTS_NAME = "fragments.json"
METRICS_NAME = "metrics.jsonl"
BATCH = 1000
# Times of metrics are exact to the millisecond, and a loop may log hundreds of them within one.
_NS_OF_TICK = 1_000_000
_new_tuple = tuple.__new__


class Telling:
    """Takes what one execution of a call reports and logs.

    Beside the trace, records are known by their place among those that the call was given, since they may have other
    numbers in the run that reuses it; 0 is its own.

    Attributes
    ----------
    fragments : int
        How many things were reported.
    quiet : bool
        Whether the run has been told of all this before.
    """

    __slots__ = (
        "_batch",
        "_call",
        "_emit",
        "_engine",
        "_folder",
        "_has_metrics",
        "_names",
        "_now",
        "_rows",
        "_tick",
        "_zone",
        "fragments",
        "quiet",
    )

    def __init__(self, engine: Engine, call: Call) -> None:
        self._engine = engine
        self._call = call
        self._emit = engine.events.emit
        self.fragments = 0
        self._rows: list[dict[str, Any]] = []
        self._batch: list[MetricLogged] = []
        self._has_metrics = False
        self._names = FragmentNames()
        self._folder: str | None = None
        self._zone: tzinfo | None = None
        self._now: datetime | None = None
        self._tick = -1
        # A call that was reused, and is executed after all because its value is wanted, has told all of this before.
        self.quiet = call.outcome is CallOutcome.REUSED and call.origin is not None and call.origin.reported

    @property
    def is_empty(self) -> bool:
        """Whether nothing was reported or logged."""
        return not (self._rows or self._batch or self._has_metrics)

    def report(self, record: Record, reportable: Any) -> None:
        """Render a reportable now and tell the run of it."""
        folder = self._get_folder()
        if folder is None:
            return
        call, number = self._call, self.fragments
        name = self._names.choose(getattr(reportable, "name", None) or f"{call.name}_{number}")
        fragment = render(reportable, folder, name)
        self.fragments += 1
        self._rows.append({**fragment._asdict(), "record": self._place_of(record)})
        if self.quiet:
            return
        if fragment.kind == ERROR_KIND:
            message = fragment.data["message"].partition("\n")[0]
            self._engine.warn(f"'{fragment.name}' of {call.describe()} could not be drawn: {message}")
        self._engine.events.emit(Reported(record.index, call.index, call.name, str(call.index), fragment))

    def log(
        self, record: Record, type: str, values: Mapping[str, Any], *, step: int | None, epoch: int | None
    ) -> None:
        """Tell the run of metrics."""
        tick = monotonic_ns() // _NS_OF_TICK
        if tick != self._tick:
            self._tick = tick
            if self._zone is None:
                # Asked once: it takes longer than all the rest.
                self._zone = datetime.now().astimezone().tzinfo
            self._now = datetime.now(self._zone)
        values = as_numbers(values)
        if step is not None and step.__class__ is not int:
            step = as_whole("step", step)
        if epoch is not None and epoch.__class__ is not int:
            epoch = as_whole("epoch", epoch)
        # Half the time of a call of the class, which names and checks its parts.
        event = _new_tuple(
            MetricLogged, (record.index, self._call.index, type, values, step, epoch, self._now)
        )
        batch = self._batch
        batch.append(event)
        if len(batch) >= BATCH:
            self._write_batch()
        if not self.quiet:
            self._emit(event)

    def retract(self) -> None:
        """Take back what the run was told: there is going to be another execution."""
        if not (self.quiet or self.is_empty):
            self._emit(CallRetracted(self._call.index))

    def write(self) -> str | None:
        """Write the rest of it beside the fragments' files.

        Returns
        -------
        str or None
            The folder that belongs to the trace; None if there is nothing to keep.

        Raises
        ------
        CacheError
            If it cannot be written: disk full, no permission, …
        """
        folder = None if self.is_empty else self._get_folder()
        if folder is None:
            return None
        with self._keeping_in(folder):
            with open(os.path.join(folder, FRAGMENTS_NAME), "w", encoding="utf-8") as file:
                # Half a surrogate pair, from a path that is no UTF-8, is text as well.
                json.dump(self._rows, file)
            self._write_batch()
            seal_folder(folder)
        return folder

    def _get_folder(self) -> str | None:
        if self._folder is None:
            folder = self._folder = self._engine.folders.fragments(str(self._call.index))
            if folder is not None:
                with self._keeping_in(folder):
                    _empty(folder)
        return self._folder

    def _keeping_in(self, folder: str) -> as_cache_errors:
        # What a file that is open already does not take, such as one on a full disk, is told without its name.
        return as_cache_errors(f"keep what '{self._call.name}' has reported and logged in", folder)

    def _place_of(self, record: Record) -> int:
        # Views of records equal them.
        others = self._call.records or ()
        return 0 if record == self._call.record or record not in others else 1 + list(others).index(record)

    def _write_batch(self) -> None:
        batch, self._batch = self._batch, []
        folder = self._get_folder() if batch else None
        if folder is None:
            return
        self._has_metrics = True
        places = {self._call.record.index: 0}
        for place, record in enumerate(self._call.records or (), 1):
            places.setdefault(record.index, place)
        with self._keeping_in(folder), open(os.path.join(folder, METRICS_NAME), "ab") as file:
            file.writelines(line.text + b"\n" for line in encode_lines(batch, records=places))


def _empty(folder: str) -> None:
    """Let a folder be without files of an earlier turn: those of a trace are linked, and writing would change both."""
    if os.listdir(folder):
        shutil.rmtree(folder)
        os.mkdir(folder)


def tell_again(engine: Engine, call: Call) -> int:
    """Emit what the call reported and logged when it was executed, under the present records.

    Returns
    -------
    int
        How many things it had reported.
    """
    source = engine.traces.report_folder(call.stage_id, call.key or "")
    if source is None:
        return 0
    records = (call.record, *(call.records or ()))
    rows = _read_rows(os.path.join(source, FRAGMENTS_NAME))
    target = engine.folders.fragments(str(call.index)) if rows else None
    for row in rows:
        record = _record_at(records, row.pop("record", 0))
        fragment = Fragment(**{**row, "files": tuple(row["files"])})
        if target is not None:
            for name in fragment.files:
                _link_file(os.path.join(source, name), os.path.join(target, name))
        engine.events.emit(Reported(record.index, call.index, call.name, str(call.index), fragment))
    metrics = os.path.join(source, METRICS_NAME)
    if os.path.exists(metrics):
        _log_again(engine, call, records, metrics)
    return len(rows)


def _log_again(engine: Engine, call: Call, records: tuple[Record, ...], path: str) -> None:
    emit = engine.events.emit
    with open(path, encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            row["record"] = _record_at(records, row["record"]).index
            row["call"] = call.index
            for event in iter_loggings(row):
                emit(event)


def _record_at(records: tuple[Record, ...], place: int) -> Record:
    return records[place] if place < len(records) else records[0]


def _read_rows(path: str) -> list[dict[str, Any]]:
    with open(path, encoding="utf-8") as file:
        rows: list[dict[str, Any]] = json.load(file)
    return rows


def _link_file(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except OSError:
        # No links on this file system, or across two: a copy serves as well.
        shutil.copyfile(source, target)

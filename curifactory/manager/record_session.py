"""What records ask of the manager that they belong to: to take calls, reportables and metrics, to name files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from curifactory.core.events import MetricLogged, RecordAdded, Reported
from curifactory.core.record import Record
from curifactory.core.spec import StageSpec
from curifactory.core.trace import new_tuple
from curifactory.engine.execute import shorten_traceback
from curifactory.engine.numbers import as_numbers, as_whole
from curifactory.engine.rendering import render
from curifactory.errors import DefinitionError
from curifactory.parameters.checking import check_values
from curifactory.parameters.sets import check_class

if TYPE_CHECKING:
    from curifactory.manager.assembly import Parts


class RecordSession:
    """The side of a manager that its records see; :class:`curifactory.core.record.Session` is its protocol.

    Attributes
    ----------
    records : list of Record
        Those of the run, in the order in which they were made, without hidden ones.
    """

    live: bool
    _parts: Parts

    def __init__(self) -> None:
        self._closed = False
        # In a process that was forked from the one which has begun the session.
        self._is_childs = False
        self.records: list[Record] = []
        self._hidden_records: list[Record] = []
        self._reported_outside = 0

    def add_record(self, record: Record, *, copied_from: Record | None) -> int:
        """Take a record into the run and return its index among all records, hidden ones after the others.

        Raises
        ------
        DefinitionError, ParameterTypeError
            In a live session, if the class of its set forgot something, or values are not of their declared types; a command
            looks at all sets before it begins.
        """
        if self.live and record.params is not None:
            check_class(type(record.params))
            check_values([(record.params, "")])
        if record.hidden:
            self._hidden_records.append(record)
            return -len(self._hidden_records)
        index = len(self.records)
        self.records.append(record)
        record.index = index
        identity = self._parts.engine.identifier.parameters_of(record.params)
        params_name = None if record.params is None else identity.name
        copied = None if copied_from is None else copied_from.index
        parts = (index, record.get_reference_name(), params_name, identity.short, copied)
        self._parts.events.emit(new_tuple(RecordAdded, parts))
        return index

    def call_stage(
        self, spec: StageSpec, record: Record, records: Sequence[Record] | None, overrides: Mapping[str, Any]
    ) -> None:
        """Apply a stage to a record; called by the decorated function. In a live session a traceback leaves the engine out.

        Raises
        ------
        DefinitionError
            If the run is over, or a stage uses a record that it was not given.
        """
        __tracebackhide__ = True
        if self._closed:
            self._refuse(f"'{spec.name}' cannot be called")
        engine = self._parts.engine
        if engine.executing:
            raise DefinitionError(
                f"Stage '{engine.executing[-1].name}' calls '{spec.name}' on a record that it was not given.",
                hint="Inside a stage, call others with the record of its first argument.",
            )
        if not self.live:
            engine.add_call(spec, record, records, overrides)
            return
        lock = self._parts.lock
        lock.share(create=engine.options.writes)
        try:
            engine.add_call(spec, record, records, overrides)
        except BaseException as error:
            shorten_traceback(error)
            raise
        finally:
            lock.rest()

    def _refuse(self, what: str) -> NoReturn:
        """Refuse what would be written nowhere."""
        hint = "Make another ArtifactManager; what this one has kept is reused." if self.live else None
        raise DefinitionError(f"The run {self._parts.reference} is over; {what} any more.", hint=hint)

    def hash_of(self, record: Record) -> str:
        """Return the hash that names a record's files."""
        return self._parts.engine.hash_of(record)

    def path_of(
        self,
        record: Record,
        name: str,
        *,
        subdir: str | None = None,
        prefix: str | None = None,
        stage_name: str | None = None,
        track: bool = True,
        folder: bool = False,
    ) -> str:
        """Return a path in the cache for a file that is written outside of a stage."""
        stage = stage_name or (record.stages[-1] if record.stages else "")
        path: str = self._parts.engine.labels.own_path(
            name, params_hash=record.get_hash(), stage=stage, prefix=prefix, subdir=subdir
        )
        self._parts.engine.folders.make(path if folder else os.path.dirname(path))
        return path

    def report(self, record: Record, reportable: Any) -> None:
        """Take a reportable that was reported outside of a stage."""
        if self._closed:
            self._refuse("nothing can be reported")
        place = f"record-{record.index}"
        folder = self._parts.engine.folders.fragments(place)
        if folder is None:
            return
        stage = record.stages[-1] if record.stages else None
        number = self._reported_outside
        self._reported_outside += 1
        given = getattr(reportable, "name", None)
        fragment = render(reportable, folder, f"{given}_{number}" if given else f"{stage or 'run'}_{number}")
        if given:
            fragment = fragment._replace(name=given)
        self._parts.events.emit(Reported(record.index, None, stage, place, fragment))

    def log_metrics(
        self, record: Record, type: str, values: Mapping[str, Any], *, step: int | None, epoch: int | None
    ) -> None:
        """Take metrics that were logged outside of a stage."""
        if self._closed:
            self._refuse("nothing can be logged")
        now = datetime.now().astimezone()
        numbers = as_numbers(values)
        step = None if step is None else as_whole("step", step)
        epoch = None if epoch is None else as_whole("epoch", epoch)
        self._parts.events.emit(MetricLogged(record.index, None, type, numbers, step, epoch, now))

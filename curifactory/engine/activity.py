"""One execution of a stage function while it goes on: what it reads, reports, logs, binds and asks paths for."""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from curifactory.core.record import Record
from curifactory.core.spec import StageSpec
from curifactory.core.state import Slot
from curifactory.engine.parameters import changed_parameters
from curifactory.engine.telling import Telling
from curifactory.engine.views import RecordView
from curifactory.parameters.children import ANYTHING, CHILDREN
from curifactory.parameters.holders import are_held
from curifactory.parameters.reads import ReadLog
from curifactory.parameters.view import track
from curifactory.store.faults import is_of_writing

if TYPE_CHECKING:
    from curifactory.engine.engine import Engine
    from curifactory.engine.graph import Call


class Activity:
    """Collects what one call does while its stage function is executed.

    Attributes
    ----------
    reads : dict of str
        Read paths in the order in which they were noted.
    bound : dict
        State entries that the stage has bound by itself.
    told : Telling or None
        What was reported and logged, if anything was.
    escaped : bool
        Whether a view of parameters has outlived the stage function.
    checkpoint : str or None
        Folder of what an interrupted execution can go on from, if the stage has asked for it.
    not_reusable : str or None
        Why no trace of the call can be kept, if none can.
    """

    __slots__ = (
        "_cachers",
        "_generation",
        "_logs",
        "_parameters",
        "_told_before",
        "_views",
        "bound",
        "call",
        "checkpoint",
        "engine",
        "escaped",
        "files",
        "not_reusable",
        "reads",
        "told",
    )

    def __init__(self, engine: Engine, call: Call) -> None:
        self.engine = engine
        self.call = call
        self.reads: dict[str, None] = {}
        self.told: Telling | None = None
        # Threads of a stage may come at once: what is collected is there from the begin, and only grows.
        self.bound: dict[tuple[int, str], Slot] = {}
        self.not_reusable: str | None = None
        self.escaped = False
        self.files: list[str] = []
        self.checkpoint: str | None = None
        self._cachers: list[Any] | None = None
        self._views: dict[int, RecordView] = {}
        self._parameters: dict[int, Any] = {}
        self._logs: list[tuple[Record, ReadLog]] = []
        self._generation = CHILDREN.generation
        self._told_before = CHILDREN.page[ANYTHING]

    @property
    def telling(self) -> Telling:
        """Takes what is reported and logged."""
        if self.told is None:
            self.told = Telling(self.engine, self.call)
        return self.told

    def note(self, path: str) -> None:
        """Note that something was read."""
        self.reads[path] = None
        if self._generation != CHILDREN.generation:
            CHILDREN.tell(ANYTHING)

    def note_last(self, record: Record) -> Sequence[Slot]:
        """Note that it was asked what the last stage of a record has returned; return its outputs."""
        self.note(f"{self._prefix(record)}last")
        return self.engine.last_outputs(self.call, record)

    def note_import(self, address: str) -> None:
        """Note that a class or function was imported by a name of which the stage's code does not speak."""
        if self.engine.identifier.named_code.names_of(None, [address]):
            self.reads[f"code.{address}"] = None

    def note_files(self) -> None:
        """Note that names of files were asked for, which stand for the whole set and the experiment."""
        self.reads["files"] = None
        self.reads["params.*"] = None

    def parameters_of(self, record: Record) -> Any:
        """Return the tracking view of a record's parameters."""
        if record.params is None:
            self.note(f"{self._prefix(record)}params.*")
            return None
        known = self._parameters.get(id(record))
        if known is None:
            identity = self.call.parameters if record is self.call.record else None
            if identity is None or identity.params is not record.params:
                identity = self.engine.identifier.parameters_of(record.params)
            log = ReadLog(identity.reads)
            self._logs.append((record, log))
            known = self._parameters[id(record)] = track(record.params, log)
        return known

    def view_of(self, record: Record) -> Record:
        """Return the view of a record; the same one each time."""
        view = self._views.get(id(record))
        if view is None:
            own = record is self.call.record
            if not own and record not in (self.call.records or ()):
                self.cannot_be_reused(f"it reads {record.get_reference_name()}, which it was not given")
            view = self._views[id(record)] = RecordView(record, self, own=own)
        return view

    def cannot_be_reused(self, why: str) -> None:
        """Note that the call does what no trace can hold."""
        if self.not_reusable is None:
            self.not_reusable = why
            self.engine.warn(f"{self.call.describe()} cannot be reused: {why}.")

    def end(self, took_s: float) -> None:
        """Count what was read, now that the stage function has returned.

        Parameters
        ----------
        took_s : float
            How long it took.

        Raises
        ------
        DefinitionError
            If the stage has changed a parameter.
        """
        views = list(map(weakref.ref, self._views.values()))
        self._views.clear()
        self._parameters.clear()
        for view in views:
            if view() is not None:
                if are_held(views, took_s=took_s):
                    self.cannot_be_reused(
                        "something keeps the record that it was given, and can read it later"
                    )
                break
        if CHILDREN.page[ANYTHING] != self._told_before:
            self.cannot_be_reused("a process that it has forked reads the state of a record")
        for record, log in self._logs:
            if log.escaped(took_s=took_s):
                self.escaped = True
            prefix = "params." if record is self.call.record else "records.params."
            for path in log.paths():
                self.reads[prefix + path] = None
            changed = log.changed(record.params)
            if changed:
                raise changed_parameters(self.call, record.params, changed, "while it was executed")

    def _prefix(self, record: Record) -> str:
        return "" if record is self.call.record else "records."

    def value_of(self, slot: Slot) -> Any:
        """Return a slot's value as stages get it."""
        return self.engine.values.for_stage(slot, self.call)

    def cachers(self) -> list[Any]:
        """Return the cachers of the outputs, placed where the files will lie in the end."""
        if self._cachers is None:
            self.note_files()
            self._cachers = self.engine.saver.final_cachers(self.call)
        return self._cachers

    def path_of(self, name: str, *, folder: bool, track: bool = True, **options: Any) -> str:
        """Return the final path of a file that the stage writes itself; earlier ones are moved aside first.

        In a run that must not write into the cache it is a path in a temporary folder.
        """
        self.note_files()
        stage = options.pop("stage_name", None) or self.call.name
        path: str = self.engine.labels.own_path(
            name, params_hash=self.call.label_hash, stage=stage, **options
        )
        path = self.engine.folders.place(path)
        if path not in self.files:
            self.engine.clear_path(path)
            if track:
                self.files.append(path)
        self.engine.folders.make(path if folder else os.path.dirname(path))
        return path

    def note_place(self, error: OSError) -> None:
        """Say on an error of writing that names no file, as of a full disk, which one the stage had asked for last."""
        if is_of_writing(error) and error.filename is None and self.files:
            error.add_note(f"The last file that it asked for is '{self.files[-1]}'.")

    def checkpoint_folder(self) -> str:
        """Return the folder for what an interrupted execution of this very call can go on from; it is made if need be."""
        if self.checkpoint is None:
            self.checkpoint = self.engine.folders.checkpoint(self.call)
        return self.checkpoint

    def binds(self, name: str) -> None:
        """Note that the stage has put something into the state by itself."""
        self.cannot_be_reused(f"it puts '{name}' into the state by itself, which is not among its outputs")

    def call_nested(
        self, spec: StageSpec, record: Record, records: Sequence[Record] | None, overrides: Mapping[str, Any]
    ) -> None:
        """Execute a stage inside this one, as a part of it: no node, not cached, its outputs bound at once."""
        from curifactory.engine.execute import call_function, gather_nested

        arguments = gather_nested(self, spec, record, records)
        arguments.update(overrides)
        view = self.view_of(getattr(record, "_record", record))
        views = None
        if spec.aggregate:
            views = [
                self.view_of(getattr(each, "_record", each)) for each in (records or record.manager.records)
            ]
        values = call_function(spec, view, views, arguments)
        for output, value in zip(spec.outputs, values, strict=True):
            view.state[output.name] = value

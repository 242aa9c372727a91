"""A call executed in another process than the one whose graph it belongs to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from curifactory.core.outcomes import CallOutcome
from curifactory.core.record import Record
from curifactory.core.spec import OutputSpec
from curifactory.core.state import Slot, next_number
from curifactory.core.trace import Output
from curifactory.core.wall_clock import now
from curifactory.engine.activity import Activity
from curifactory.engine.committing import keep_outputs
from curifactory.engine.describe import describe_all
from curifactory.engine.engine import Engine
from curifactory.engine.execute import person_frames
from curifactory.engine.folders import Folders
from curifactory.engine.graph import Call, Want
from curifactory.engine.options import EngineOptions
from curifactory.engine.parameters import ParameterIdentities
from curifactory.engine.peak_memory import read_peak
from curifactory.engine.run_stage import RunStage
from curifactory.engine.running import perform
from curifactory.engine.shipping import (
    Performed,
    ShippedCall,
    ShippedProducer,
    ShippedRecord,
    ShippedSlot,
    ShippedStage,
    receive_stage,
)
from curifactory.engine.spill import WORTH_SPILLING_BYTES, size_of, write_spilled
from curifactory.engine.surroundings import Surroundings
from curifactory.errors import CacheError, StageError


class LackingError(BaseException):
    """Something was asked for that is not here; stages cannot catch it.

    Parameters
    ----------
    producer : int
        Index of the call that has to make it, -1 if it only has to be sent.
    """

    def __init__(self, producer: int) -> None:
        super().__init__(producer)
        self.producer = producer


class PerformingEngine(Engine):
    """The engine of a process that executes calls of another one's graph: it settles nothing and makes nothing else.

    Parameters
    ----------
    options, surroundings
        As those of the engine that sends the calls, with a store that is only read.
    session : Any
        Stands for the manager: what a stage may ask it for.
    spill_folder : str
        Where values go that no cacher keeps.
    stand_in : str or None
        The folder that stands in for the cache folder in a run that leaves the cache as it is.
    """

    def __init__(
        self,
        options: EngineOptions,
        surroundings: Surroundings,
        *,
        session: Any,
        spill_folder: str,
        stand_in: str | None = None,
    ) -> None:
        super().__init__(options, surroundings)
        self.folders = Folders(
            surroundings.layout,
            None if surroundings.fragments is None else str(surroundings.fragments),
            self.identifier,
            writes=options.writes,
            stand_in=stand_in,
        )
        self._session = session
        self._spill_folder = spill_folder
        self._scope = surroundings.scope
        self._seed: int | None = None
        self._stages_here: dict[int, RunStage] = {}

    def ensure(self, targets: Sequence[Call], want: Want) -> None:
        """Refuse: what is not settled is the other process' affair."""
        raise LackingError(targets[0].index)

    def make(self, call: Call) -> None:
        """Refuse: what lies nowhere is made by the other process."""
        raise LackingError(call.index)

    def save_failed(self, error: CacheError) -> None:
        """Leave it to the other process to tell of it, which learns of it with what came of the call."""

    def last_outputs(self, call: Call, record: Record) -> Sequence[Slot]:
        """Return what was sent with the record."""
        return record.output_slots

    def seed_of(self, call: Call) -> int | None:
        """Return the seed that was sent with the call."""
        return self._seed

    def stage_shipped(self, shipped: ShippedStage) -> RunStage:
        """Return what a stage is here that has come by name, made once, or by itself."""
        spec = receive_stage(shipped)
        known = self._stages_here.get(id(spec))
        if known is None:
            known = RunStage(spec, shipped.stage_id, self.options)
            if shipped.spec is None:
                # It holds the spec, so that no other one gets its id.
                self._stages_here[id(spec)] = known
        return known

    def perform(self, shipped: ShippedCall) -> Performed:
        """Execute a call, save its outputs, and return what came of it."""
        done = Performed(now())
        self._seed = shipped.seed
        # Every call brings sets of its own, and nobody asks for them when it is over.
        self.identifier.parameters_of = ParameterIdentities(self._scope).of
        try:
            call = _Unpacked(self, self._session, shipped).call
            self._check_code(call, shipped)
            self._execute(call, shipped, done)
        except LackingError as error:
            return Performed(done.started, lacks=error.producer)
        except BaseException as error:  # noqa: BLE001 - whatever a stage raises, it is told
            return Performed(done.started, error=error, frames=person_frames(error))
        return done

    def _execute(self, call: Call, shipped: ShippedCall, done: Performed) -> None:
        activity = Activity(self, call)
        if shipped.is_told:
            activity.telling.quiet = True
        values, done.duration_s = perform(self, call, activity)
        call.observed = done.reads = tuple(activity.reads)
        if self.options.writes:
            _, done.fault = keep_outputs(self, call, activity, values, key="")
        else:
            call.outputs = describe_all(call.stage.bare_outputs, values)
        done.outputs = call.outputs
        done.spilled = [
            self._spill(call, position, value, output, is_read=position not in shipped.unread)
            for position, (value, output) in enumerate(zip(values, call.outputs, strict=False))
        ]
        done.not_reusable = activity.not_reusable
        if activity.told is not None:
            done.fragments = activity.told.fragments
            done.report_folder = activity.told.write()
        done.checkpoint = activity.checkpoint
        done.bound = [
            (self._position_of(call, record), name, slot.value)
            for (record, name), slot in activity.bound.items()
        ]
        done.facts = self._files.known(
            file for output in call.outputs if output.artifact is not None for file in output.artifact.files
        )
        done.peak_bytes = read_peak()

    def _spill(self, call: Call, position: int, value: Any, output: Output, *, is_read: bool) -> str | None:
        if output.artifact is not None:
            return None
        if not is_read and size_of(value) >= WORTH_SPILLING_BYTES:
            # As in the process that has the graph, what is small stays for those of whom nobody knows that they are going to ask.
            return None
        return write_spilled(value, os.path.join(self._spill_folder, f"{call.index}_{position}.pkl"))

    def _position_of(self, call: Call, record: int) -> int:
        records = (call.record, *(call.records or ()))
        return next((position for position, each in enumerate(records) if id(each) == record), 0)

    def _check_code(self, call: Call, shipped: ShippedCall) -> None:
        if shipped.stage.spec is not None:
            # It has travelled itself, so it is what it was.
            return
        now = self.identifier.fingerprint_of(call.spec)
        if now.digest != shipped.code:
            raise StageError(
                f"The code of '{call.name}' changed while the run was going on.",
                hint="Run again: what has been finished is kept. If nobody has edited it: get_params() and run() are not executed where "
                "stages are, so that what they set in a module is missing there; set it where a module is imported.",
            )


class _Unpacked:
    """A call with everything around it, rebuilt."""

    def __init__(self, engine: PerformingEngine, session: Any, shipped: ShippedCall) -> None:
        self._engine = engine
        self._shipped = shipped
        self._session = session
        session.forget()
        self.records = [self._make_record(each) for each in shipped.records]
        session.take(
            None
            if shipped.manager_records is None
            else [self.records[each] for each in shipped.manager_records]
        )
        self._producers = [self._make_producer(each) for each in shipped.producers]
        self._slots = [self._make_slot(each) for each in shipped.slots]
        for record, each in zip(self.records, shipped.records, strict=True):
            for name, position in each.state.items():
                record.state.bind(name, self._slots[position] if position >= 0 else self._lacking_slot(name))
            record.output_slots = tuple(self._slots[position] for position in each.last)
        self.call = self._make_call()

    def _make_record(self, shipped: ShippedRecord) -> Record:
        record = Record(self._session, shipped.params, shipped.hidden)
        record.index = shipped.index
        record.combo_hash = shipped.combo_hash
        record.is_aggregate = shipped.is_aggregate
        record.stages = list(shipped.stages)
        return record

    def _make_producer(self, shipped: ShippedProducer) -> Call:
        call = self._blank_call(shipped.stage, self.records[shipped.record], shipped.index)
        call.key, call.outputs, call.label_hash = shipped.key, shipped.outputs, shipped.label_hash
        call.outcome = CallOutcome.REUSED
        return call

    def _make_slot(self, shipped: ShippedSlot) -> Slot:
        producer = None if shipped.producer is None else self._producers[shipped.producer]
        slot = Slot(shipped.output, producer, shipped.position)
        slot.spilled = shipped.spilled
        if producer is None:
            slot.value, slot.present = shipped.value, True
        return slot

    def _lacking_slot(self, name: str) -> Slot:
        # Of a call that is not settled: whoever wants its value asks the engine for it.
        return Slot(
            OutputSpec(name), self._blank_call(self._shipped.stage, self.records[self._shipped.record], -1)
        )

    def _make_call(self) -> Call:
        shipped = self._shipped
        call = self._blank_call(shipped.stage, self.records[shipped.record], shipped.index)
        call.records = None if shipped.given is None else tuple(self.records[each] for each in shipped.given)
        call.overrides = shipped.overrides
        call.line, call.cwd = shipped.line, shipped.cwd
        call.code, call.label_hash = shipped.code, shipped.label_hash
        call.labels = dict(shipped.labels)
        call.known_records = shipped.known_records
        call.input_names = tuple(shipped.inputs)
        call.inputs = tuple(None if each is None else self._slots[each] for each in shipped.inputs.values())
        call.record_inputs = {
            name: [(self.records[record], self._slots[slot]) for record, slot in pairs]
            for name, pairs in shipped.record_inputs.items()
        }
        call.parameters = self._engine.identifier.parameters_of(call.record.params, shipped.parameters)
        if call.spec.aggregate:
            call.record.input_records = list(call.records or ())
        return call

    def _blank_call(self, stage: ShippedStage, record: Record, index: int) -> Call:
        here = self._engine.stage_shipped(stage)
        return Call(
            self._engine, here, record, None, {}, index=index, number=next_number(), line=("<unknown>", 0)
        )

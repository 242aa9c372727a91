"""A call on its way to another process: what it needs to be executed there, and what comes back."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from curifactory.core.outcomes import CallOutcome
from curifactory.core.record import Record
from curifactory.core.spec import OutputSpec, StageSpec
from curifactory.core.state import Slot
from curifactory.core.trace import Output
from curifactory.engine.graph import Call
from curifactory.engine.seeding import seed_of
from curifactory.engine.travel import find_named

if TYPE_CHECKING:
    from curifactory.engine.engine import Engine


class ShippedStage(NamedTuple):
    """A stage by the place where it is found, or itself where it cannot be found."""

    module: str
    qualname: str
    spec: StageSpec | None
    stage_id: str


class ShippedSlot(NamedTuple):
    """One entry of a state: a file of another call's output, a spilled value, or the value that a person put in."""

    output: OutputSpec
    position: int
    producer: int | None
    spilled: str | None
    value: Any = None


class ShippedProducer(NamedTuple):
    """A call whose outputs the shipped one may read."""

    index: int  # type: ignore[assignment]  # nobody looks for a value in what is shipped
    stage: ShippedStage
    record: int
    key: str
    label_hash: str
    outputs: tuple[Output, ...]


class ShippedRecord(NamedTuple):
    """A record with what the call sees of its state."""

    index: int  # type: ignore[assignment]
    params: Any
    hidden: bool
    combo_hash: str | None
    is_aggregate: bool
    stages: tuple[str, ...]
    state: Mapping[str, int]
    last: tuple[int, ...]


class ShippedCall(NamedTuple):
    """A call with all that it binds. Numbers are positions in ``slots``, ``records`` and ``producers``."""

    index: int  # type: ignore[assignment]
    line: tuple[str, int]
    cwd: str | None
    stage: ShippedStage
    code: str
    parameters: str | None
    label_hash: str
    labels: Mapping[str, str]
    known_records: int
    overrides: Mapping[str, Any]
    is_told: bool
    seed: int | None
    record: int
    given: tuple[int, ...] | None
    inputs: Mapping[str, int | None]
    record_inputs: Mapping[str, tuple[tuple[int, int], ...]]
    records: tuple[ShippedRecord, ...]
    manager_records: tuple[int, ...] | None
    slots: tuple[ShippedSlot, ...]
    producers: tuple[ShippedProducer, ...]
    unread: tuple[int, ...]
    # What the main program has defined, as a notebook does, and artifacts name that the call may load.
    named: tuple[Any, ...]


@dataclass(slots=True)
class Performed:
    """What came of a call in another process.

    Parameters
    ----------
    outputs : tuple of Output
        Outputs, saved where they have a cacher, and files that the stage wrote by itself.
    spilled : list of str or None
        For each output that was not saved, the file with its value; None if it was saved, cannot travel or has nowhere to go.
    reads : tuple of str
        Read paths.
    bound : list of (record, name, value)
        What the stage has put into states by itself; records by their position in the shipped call.
    fault : str or None
        Why an output could not be saved.
    error : exception or None
        What the stage raised.
    frames : str
        The person's frames of that.
    lacks : int or None
        Index of a call whose value was asked for and lies nowhere; -1 if something was asked for that did not travel.
    """

    started: datetime
    duration_s: float = 0.0
    outputs: tuple[Output, ...] = ()
    spilled: list[str | None] = field(default_factory=list)
    reads: tuple[str, ...] = ()
    bound: list[tuple[int, str, Any]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    report_folder: str | None = None
    checkpoint: str | None = None
    fragments: int = 0
    not_reusable: str | None = None
    fault: str | None = None
    peak_bytes: int | None = None
    error: BaseException | None = None
    frames: str = ""
    lacks: int | None = None


class Shipment:
    """Packs one call.

    Parameters
    ----------
    engine : Engine
        Whose call it is.
    call : Call
        With all its scheduled producers settled.
    """

    def __init__(self, engine: Engine, call: Call) -> None:
        self._engine = engine
        self._call = call
        self._slots: dict[int, int] = {}
        self._shipped_slots: list[ShippedSlot] = []
        self._producers: dict[int, int] = {}
        self._shipped_producers: list[ShippedProducer | None] = []
        self.records: list[Record] = []
        self._positions: dict[int, int] = {}

    def pack(
        self, labels: Mapping[str, str], *, wide: bool, unread: tuple[int, ...] = ()
    ) -> ShippedCall | None:
        """Return the call as it travels; None if something that it needs cannot.

        Parameters
        ----------
        labels : mapping of str to str
            The label of each output.
        wide : bool
            Whether the states of all records go along, not only what the call declares.
        unread : tuple of int
            Positions of the outputs of which nobody is going to ask for the value.
        """
        call, seed = self._call, self._engine.options.seed
        record = self._record(call.record)
        given = None if call.records is None else tuple(map(self._record, call.records))
        try:
            inputs = {
                name: None if slot is None else self._slot(slot)
                for name, slot in zip(call.input_names, call.inputs, strict=True)
            }
            record_inputs = {
                name: tuple((self._record(other), self._slot(slot)) for other, slot in pairs)
                for name, pairs in call.record_inputs.items()
            }
            known = call.record.manager.records[: call.known_records] if wide else ()
            manager_records = tuple(map(self._record, known))
            # Packing a record may meet producers of others, so the list grows while it is gone through.
            shipped = [self._ship_record(each, wide=wide) for each in self.records]
            while len(shipped) < len(self.records):
                shipped.append(self._ship_record(self.records[len(shipped)], wide=False))
        except _CannotTravelError:
            return None
        return ShippedCall(
            index=call.index,
            line=call.line,
            cwd=call.cwd,
            stage=ship_stage(call.spec, call.stage_id),
            code=self._engine.identifier.code_of(call),
            parameters=None if call.parameters is None else call.parameters.whole,
            label_hash=call.label_hash,
            labels=labels,
            known_records=call.known_records,
            overrides=call.overrides,
            is_told=call.outcome is CallOutcome.REUSED and call.origin is not None and call.origin.reported,
            seed=None if seed is None else seed_of(call, seed),
            record=record,
            given=given,
            inputs=inputs,
            record_inputs=record_inputs,
            records=tuple(shipped),
            manager_records=manager_records if wide else None,
            slots=tuple(self._shipped_slots),
            producers=tuple(each for each in self._shipped_producers if each is not None),
            unread=unread,
            named=self._find_named(),
        )

    def _find_named(self) -> tuple[Any, ...]:
        names: set[str] = set()
        for producer in self._shipped_producers:
            for output in () if producer is None else producer.outputs:
                if output.artifact is not None:
                    names.update(output.artifact.metadata.get("names", ()))
        return find_named(sorted(names)) if names else ()

    def _record(self, record: Record) -> int:
        position = self._positions.get(id(record))
        if position is None:
            position = self._positions[id(record)] = len(self.records)
            self.records.append(record)
        return position

    def _ship_record(self, record: Record, *, wide: bool) -> ShippedRecord:
        bound = record.state.slots(self._call.number)
        wide = wide or record is self._call.record
        wanted = bound if wide else {}
        last = self._call.engine.last_outputs(self._call, record) if wide else ()
        return ShippedRecord(
            record.index,
            record.params,
            record.hidden,
            record.combo_hash,
            record.is_aggregate,
            tuple(record.stages),
            # Names are known without their values; what is not wanted has none.
            {name: self._slot(slot) if name in wanted else -1 for name, slot in bound.items()},
            tuple(self._slot(slot) for slot in last if slot in bound.values()),
        )

    def _slot(self, slot: Slot) -> int:
        position = self._slots.get(id(slot))
        if position is not None:
            return position
        producer = slot.producer if isinstance(slot.producer, Call) else None
        value = None
        spilled = slot.spilled
        if producer is None:
            value = slot.value
        elif slot.present and spilled is None and not self._is_saved(producer, slot):
            spilled = slot.spilled = self._engine.spill.put(slot.value, f"{producer.index}_{slot.position}")
            if spilled is None:
                raise _CannotTravelError
        shipped = ShippedSlot(
            slot.output,
            slot.position,
            None if producer is None else self._producer(producer),
            spilled,
            value,
        )
        position = self._slots[id(slot)] = len(self._shipped_slots)
        self._shipped_slots.append(shipped)
        return position

    def _producer(self, call: Call) -> int:
        position = self._producers.get(call.index)
        if position is None:
            position = self._producers[call.index] = len(self._shipped_producers)
            self._shipped_producers.append(
                ShippedProducer(
                    call.index,
                    ship_stage(call.spec, call.stage_id),
                    self._record(call.record),
                    call.key or "",
                    call.label_hash,
                    call.outputs,
                )
            )
        return position

    @staticmethod
    def _is_saved(call: Call, slot: Slot) -> bool:
        return slot.position < len(call.outputs) and call.outputs[slot.position].artifact is not None


class _CannotTravelError(Exception):
    """A value that the call needs cannot be pickled."""


def ship_stage(spec: StageSpec, stage_id: str) -> ShippedStage:
    """Return a stage as it travels: by name if its module gives it under that name, else by value."""
    found: Any = sys.modules.get(spec.module) if spec.module not in ("__main__", "__mp_main__") else None
    qualname = spec.function.__qualname__
    for part in qualname.split("."):
        found = getattr(found, part, None)
    by_name = getattr(found, "spec", None) is spec
    return ShippedStage(spec.module, qualname, None if by_name else spec, stage_id)


def receive_stage(shipped: ShippedStage) -> StageSpec:
    """Return the stage that was shipped, imported if it came by name."""
    if shipped.spec is not None:
        return shipped.spec
    # Not what `sys.modules` has: another thread may be at importing it, and this waits for its end.
    found: Any = importlib.import_module(shipped.module)
    for part in shipped.qualname.split("."):
        found = getattr(found, part)
    spec: StageSpec = found.spec
    return spec


def labels_of(engine: Engine, call: Call) -> dict[str, str] | None:
    """Give out the labels of a call's outputs before its key is known; None if two calls want the very same path."""
    found: dict[str, str] = {}
    for output, template in call.output_specs:
        if template is None:
            continue
        label = engine.labels.claim_ahead(call, engine.saver.prototype(template, output.name), output.name)
        if label is None:
            return None
        found[output.name] = label
    return found

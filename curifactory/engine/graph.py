"""Calls: one stage applied to one record, with the slots it reads and the slots it makes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from curifactory.core.members import with_plain_members
from curifactory.core.outcomes import CallOutcome, Verdict
from curifactory.core.reason import Reason
from curifactory.core.record import Record
from curifactory.core.spec import OutputSpec, StageSpec
from curifactory.core.state import Slot
from curifactory.core.trace import Origin, Output

if TYPE_CHECKING:
    from curifactory.engine.engine import Engine
    from curifactory.engine.parameters import ParameterIdentity
    from curifactory.engine.run_stage import RunStage


_PRODUCER = attrgetter("producer")
# Shared by all calls that have none, since a run may have very many; a mapping is replaced, never written to.
_NONE: Mapping[str, Any] = {}


@with_plain_members
class Want(IntEnum):
    """How much of a call somebody wants; more includes less."""

    NOTHING = 0
    IDENTITY = 1
    FILES = 2
    VALUE = 3


class Call:
    """A node of the graph.

    It binds what it sees when it is made: slots, records, overrides, parameters, the folder and the line.

    Attributes
    ----------
    stage : RunStage
        What all calls of the stage share.
    index : int
        Position among the calls of the run, in the order in which they were made.
    number : int
        Moment in the process-wide order of bindings; the call sees what was bound before.
    input_names, inputs : tuple of str, tuple of Slot or None
        A stage's inputs that no override replaces; None is absent.
    record_inputs : dict of str to list of (Record, Slot)
        An aggregate's inputs, for the records that have them.
    scheduled : tuple of Slot
        What has to be known before the call: its inputs, and what it may read undeclared.
    producers : tuple of Call
        The calls behind these slots; one may come several times.
    call_identities : mapping or None
        Of a deferred call, what its keywords and the values in a person's hands were when it was made.
    decided_after : int
        How many traces of the stage this run had added when the call was decided.
    known_records : int
        How many records the manager had when the call was made; later ones the call does not see.
    labels : dict of str to str
        Labels of outputs that were given out before the call had a key, or are others than those in its trace.
    made : bool
        Whether it was executed in this run.
    kept_outputs : tuple of Output or None
        What ``outputs`` gives; None once it was let go of.
    observed : tuple of str
        Read paths of its execution, be it one of an earlier run.
    origin : Origin or None
        Where the result of a call that can be reused comes from.
    duration_s : float
        How long it took to make that, until it is told.
    verdict, reason
        What was decided and why, as far as it is known.
    want : Want
        What is wanted of it; nothing of a call that nobody needs.
    outcome : CallOutcome or None
        Set once, when the call is over.
    absent : Reason or None
        Why the bytes of a reused call are not there, if they are not.
    lies_aside : bool
        Whether some of them lay aside when that was looked at.
    """

    __slots__ = (
        "absent",
        "call_identities",
        "code",
        "cwd",
        "decided_after",
        "duration_s",
        "engine",
        "index",
        "input_names",
        "inputs",
        "kept_outputs",
        "key",
        "known_records",
        "label_hash",
        "labels",
        "lies_aside",
        "line",
        "made",
        "number",
        "observed",
        "origin",
        "outcome",
        "overrides",
        "parameters",
        "producers",
        "reason",
        "record",
        "record_inputs",
        "records",
        "scheduled",
        "slots",
        "stage",
        "verdict",
        "want",
    )

    def __init__(
        self,
        engine: Engine,
        stage: RunStage,
        record: Record,
        records: tuple[Record, ...] | None,
        overrides: Mapping[str, Any],
        index: int,
        number: int,
        line: tuple[str, int],
    ) -> None:
        self.engine = engine
        self.stage = stage
        self.record = record
        self.records = records
        self.overrides = overrides or _NONE
        self.index = index
        self.number = number
        self.line = line
        self.cwd: str | None = None
        self.input_names: tuple[str, ...] = ()
        self.inputs: tuple[Slot | None, ...] = ()
        self.record_inputs: Mapping[str, list[tuple[Record, Slot]]] = _NONE
        self.scheduled: tuple[Slot, ...] = ()
        self.producers: tuple[Call, ...] = ()
        self.slots: tuple[Slot, ...] = ()
        self.parameters: ParameterIdentity | None = None
        self.known_records = 0
        self.label_hash = ""
        self.labels: Mapping[str, str] = _NONE
        self.code: str | None = None
        self.key: str | None = None
        self.origin: Origin | None = None
        self.duration_s = 0.0
        self.kept_outputs: tuple[Output, ...] | None = ()
        self.made = False
        self.verdict: Verdict | None = None
        self.decided_after = 0
        self.reason: Reason | None = None
        self.outcome: CallOutcome | None = None
        self.want = Want.NOTHING
        self.absent: Reason | None = None
        self.lies_aside = False
        self.observed: tuple[str, ...] = ()
        self.call_identities: Mapping[str | Slot, str] | None = None

    @property
    def spec(self) -> StageSpec:
        """What the decorator says."""
        return self.stage.spec

    @property
    def stage_id(self) -> str:
        """Module-qualified name of the stage."""
        return self.stage.stage_id

    @property
    def output_specs(self) -> tuple[tuple[OutputSpec, Any], ...]:
        """Each output with its cacher, None for one that is not cached."""
        return self.stage.outputs

    @property
    def name(self) -> str:
        """Name of the stage."""
        return self.stage.name

    @property
    def set_name(self) -> str | None:
        """Name of the parameter set of the call's record, None if it has none."""
        params = self.record.params
        return None if params is None else str(getattr(params, "name", None))

    @property
    def outputs(self) -> tuple[Output, ...]:
        """What the call has made, as far as that is known; read back from the store if it was let go of."""
        outputs = self.kept_outputs
        return self.engine.outputs_of(self) if outputs is None else outputs

    @outputs.setter
    def outputs(self, outputs: tuple[Output, ...]) -> None:
        self.kept_outputs = outputs

    def let_outputs_go(self) -> None:
        """Keep no longer in memory what a reused call has made, if its trace says the same."""
        if self.outcome is CallOutcome.REUSED and not self.made and not self.labels:
            self.kept_outputs, self.duration_s = None, 0.0

    @property
    def settled(self) -> bool:
        """Whether it is known what the call's outputs are."""
        return self.outcome is CallOutcome.RAN or self.outcome is CallOutcome.REUSED

    def is_ready(self) -> bool:
        """Whether everything that has to be known before the call is settled."""
        for producer in self.producers:
            outcome = producer.outcome
            # The same as `settled`, which is a call of its own.
            if outcome is not CallOutcome.RAN and outcome is not CallOutcome.REUSED:
                return False
        return True

    def has_values(self) -> bool:
        """Whether the values of all declared inputs are in memory."""
        for slot in self.read_slots() if self.record_inputs else self.inputs:
            if slot is not None and not slot.present:
                return False
        return True

    def input_slots(self) -> Iterator[tuple[str, Slot]]:
        """Go through all declared inputs that are there, an aggregate's record by record."""
        for name, slot in zip(self.input_names, self.inputs, strict=True):
            if slot is not None:
                yield name, slot
        for name, pairs in self.record_inputs.items():
            for _, slot in pairs:
                yield name, slot

    def read_slots(self) -> Sequence[Slot | None]:
        """Return the slots of all declared inputs, an aggregate's record by record; None for one that is absent."""
        if not self.record_inputs:
            # No call has inputs of both sorts.
            return self.inputs
        return [slot for pairs in self.record_inputs.values() for _, slot in pairs]

    def schedule(self, *, may_read_state: bool) -> None:
        """Note what has to be known before the call, now that its inputs are bound; that never changes.

        Parameters
        ----------
        may_read_state : bool
            Whether it may read whatever it sees: an aggregate without inputs, or a stage whose code speaks of a state.
        """
        # Most often it is the inputs and no more, and then the same object; a run may have very many calls.
        scheduled: Any = self.inputs
        if None in scheduled or self.record_inputs or may_read_state:
            scheduled = [slot for slot in scheduled if slot is not None]
            for pairs in self.record_inputs.values():
                scheduled += [slot for _, slot in pairs]
            if may_read_state:
                for record in (self.record, *(self.records or ())):
                    scheduled += record.state.slots(self.number).values()
        self.scheduled = tuple(scheduled)
        self.producers = tuple(filter(None, map(_PRODUCER, scheduled)))

    def learn_producer(self, producer: Call) -> None:
        """Have another call settled before this one, because an earlier execution has read what that makes."""
        if producer not in self.producers:
            self.producers = (*self.producers, producer)

    def hand_out(self, slot: Slot) -> Any:
        """Return a slot's value to a person."""
        return self.engine.values.hand_out(self, slot)

    def bound_cacher(self, slot: Slot) -> Any:
        """Return the placed cacher of a slot's artifact."""
        return self.engine.values.bound_cacher(self, slot)

    def describe(self) -> str:
        """Name the call in messages: stage and record."""
        return f"{self.name} of {self.record.get_reference_name()}"


class Graph:
    """The calls of a run, in the order in which they were made; inputs always come before their readers."""

    __slots__ = ("_keys", "_noted", "_of_records", "_settled", "calls")

    def __init__(self) -> None:
        self.calls: list[Call] = []
        # The calls of each record by its id, and how many calls are among them: made when somebody asks.
        self._of_records: dict[int, list[Call]] = {}
        self._noted = 0
        # The last key by stage and name of the parameter set, and of how many calls: made when somebody asks, too.
        self._keys: dict[tuple[str, str | None], str] = {}
        self._settled = 0

    def add(self, call: Call) -> None:
        """Append a call."""
        self.calls.append(call)

    def last_outputs(self, call: Call, record: Record) -> Sequence[Slot]:
        """Return the outputs of the last call of a record before a call."""
        for each in self.calls[self._noted :]:
            self._of_records.setdefault(id(each.record), []).append(each)
        self._noted = len(self.calls)
        calls = self._of_records.get(id(record), [])
        place = bisect_left(calls, call.index, key=attrgetter("index"))
        return calls[place - 1].slots if place else ()

    def last_key(self, call: Call, set_name: str | None) -> str | None:
        """Return the key that the last call before a call has of its stage and a parameter set of a name, if there is one."""
        for each in self.calls[self._settled : call.index]:
            if each.settled and each.key is not None:
                self._keys[each.stage.stage_id, each.set_name] = each.key
        self._settled = max(self._settled, call.index)
        return self._keys.get((call.stage.stage_id, set_name))

    def leaves(self) -> list[Call]:
        """Return the calls whose outputs no other call reads."""
        read = {producer.index for call in self.calls for producer in call.producers}
        return [call for call in self.calls if call.index not in read]

    def __len__(self) -> int:
        return len(self.calls)

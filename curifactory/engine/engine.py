"""The engine: takes calls, and settles each by a trace or by execution, at once or when the graph is whole."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from types import CodeType
from typing import Any

from curifactory.core import garbage
from curifactory.core.events import Warned
from curifactory.core.outcomes import CallOutcome, Verdict
from curifactory.core.reason import Reason, ReasonKind
from curifactory.core.record import Record
from curifactory.core.spec import StageSpec
from curifactory.core.state import Slot, next_number
from curifactory.core.trace import Output
from curifactory.core.working_folder import working_folder
from curifactory.engine.binding import bind_aggregate, bind_stage
from curifactory.engine.decide import Decider, without_unasked
from curifactory.engine.execute import check_overrides
from curifactory.engine.facts import call_ended
from curifactory.engine.folders import Folders
from curifactory.engine.graph import Call, Graph, Want
from curifactory.engine.holding import UNKNOWABLE
from curifactory.engine.identify import Identifier
from curifactory.engine.labels import Labels
from curifactory.engine.loading import Loader
from curifactory.engine.options import EngineOptions
from curifactory.engine.places import Places, place_of_call
from curifactory.engine.plan import (
    Plan,
    apply,
    decide_all,
    make_plan,
    mark_needed,
    run_planned,
)
from curifactory.engine.run_stage import RunStage
from curifactory.engine.saving import Saver
from curifactory.engine.seeding import seed_of
from curifactory.engine.settling import Settling
from curifactory.engine.spill import Spill
from curifactory.engine.surroundings import Surroundings
from curifactory.engine.unread import find_unread_parameters, tell_unread
from curifactory.engine.values import Values
from curifactory.errors import CacheError, UnidentifiableError
from curifactory.store.call_locks import CallLocks

# A plan of so many calls is made of some thousands of objects.
_CALLS_A_ROUND = 1_000
_NO_CACHER = Reason(ReasonKind.NO_CACHER)
# Shared by all calls that take nothing by hand; never written to.
_NO_IDENTITIES: Mapping[str | Slot, str] = {}


class Engine:
    """Builds the graph of a run's calls and settles them.

    Parameters
    ----------
    options : EngineOptions
        What was asked of the run.
    surroundings : Surroundings
        Store, events, code.
    """

    def __init__(self, options: EngineOptions, surroundings: Surroundings) -> None:
        self.options = options
        self.events = surroundings.events
        self.traces = surroundings.traces
        self.last_uses = surroundings.last_uses
        self.graph = Graph()
        self.identifier = Identifier(surroundings.scope, label_prefix=options.file_prefix)
        self._files = surroundings.files
        self.labels = Labels(
            prefix=options.file_prefix, cache_folder=str(surroundings.layout.cache), warn=self.warn
        )
        self.saver = Saver(
            surroundings.files,
            self.labels,
            self.identifier.named_code,
            cache_folder=str(surroundings.layout.cache),
            project_folder=str(surroundings.root),
            prefix=options.file_prefix,
        )
        self.loader = Loader(surroundings.files, self.saver, cache_folder=str(surroundings.layout.cache))
        self.folders = Folders(
            surroundings.layout,
            None if surroundings.fragments is None else str(surroundings.fragments),
            self.identifier,
            writes=options.writes,
            follows=options.follows,
        )
        self.decider = Decider(options, surroundings.traces, self.identifier, self.loader, self.saver)
        self.values = Values(self)
        #: Whether somebody may ask for values late, when all that reads them is over.
        self.keep_values = True
        self.executing: list[Call] = []
        self.failed: tuple[Call, BaseException] | None = None
        self.save_faults: list[CacheError] = []
        self.settling = Settling(self)
        self.spill = Spill(surroundings.files.new_staging if options.writes else None)
        self.stays_here: set[int] = set()
        self.reads_widely: set[int] = set()
        self.hands = surroundings.hands
        self.call_locks = CallLocks(surroundings.layout, warn=self.warn)
        self.run_code: CodeType | None = None
        self.unread_parameters: tuple[str, ...] | None = None
        self._cwd: str | None = None
        self._known_records = 0
        #: Says where a line is as people read it.
        self.places = Places(str(surroundings.root) + os.sep)
        #: Whether a call of a plan waits that was made in a block, as of ``try`` or ``with``, which may be over when it is executed.
        self.has_left_blocks = False
        self._told: set[str] = set()
        self._stages: dict[int, RunStage] = {}

    def set_options(self, options: EngineOptions) -> None:
        """Go on with other options, as a live context may."""
        self.options = self.decider.options = options
        self._stages.clear()

    # ---------------------------------------------------------------------------------------------------- making calls

    def add_call(
        self,
        spec: StageSpec,
        record: Record,
        records: Sequence[Record] | None,
        overrides: Mapping[str, Any],
    ) -> Call:
        """Append a call to the graph; settle it now unless it may wait.

        Raises
        ------
        MissingInputError
            If a stage's input is not in the state.
        InputSignatureError
            If a keyword is no argument of the stage.
        Exception
            In a live context, whatever the stage raises.
        """
        self.identifier.look_again()
        line, waits = place_of_call(self.run_code if self.options.deferred and not self.executing else None)
        if not waits and self.options.planning and not self.executing:
            # A block means what it says where something is executed; here nothing is, unless somebody reads what it makes.
            waits = self.has_left_blocks = True
        if overrides:
            check_overrides(spec, overrides, f"at {self.place(line)}")
        stage = self._stages.get(id(spec)) or self.stage_of(spec)
        calls = self.graph.calls
        call = Call(
            self,
            stage,
            record,
            None if records is None else tuple(records),
            overrides,
            len(calls),
            next_number(),
            line,
        )
        # What is executed now may bind names itself, and its outputs are bound after that.
        self._bind(call, stage, call.number if waits else 0)
        calls.append(call)
        if waits:
            cwd = working_folder()
            # One object for all calls of a folder.
            self._cwd = call.cwd = self._cwd if cwd == self._cwd else cwd
            # What the stage reaches may be changed before it is executed; then this is what it was.
            call.code = self.identifier.fingerprint_of(spec).digest
            call.call_identities = self.call_identities(call)
            if call.index % _CALLS_A_ROUND == 0:
                # What a plan is made of stays.
                garbage.grow_old()
        else:
            self._settle_soon([call], Want.FILES)
        record.stages.append(stage.name)
        bind = record.state.bind
        for slot in call.slots:
            bind(slot.output.name, slot)
        record.output_slots = call.slots
        if self.save_faults:
            self._raise_save_fault(final=False)
        return call

    def _bind(self, call: Call, stage: RunStage, moment: int) -> None:
        """Bind a call to what it sees now: records, inputs, parameters; and give it its slots."""
        record = call.record
        known_records = len(record.manager.records)
        if known_records != self._known_records:
            self._known_records = known_records
        # One object for all calls between two records.
        call.known_records = self._known_records
        if stage.is_aggregate:
            bind_aggregate(call, warn=self.warn)
        elif stage.inputs:
            bind_stage(call)
        if stage.inputs or stage.may_read_state:
            call.schedule(may_read_state=stage.may_read_state)
        parameters = call.parameters = self.identifier.parameters_of(record.params)
        if stage.is_aggregate:
            record.combo_hash = self.identifier.combined_hash(call)
        call.label_hash = parameters.short if record.combo_hash is None else record.combo_hash
        slots: list[Slot] = []
        for output in stage.bare_outputs:
            slots.append(Slot(output, call, len(slots), moment))
        call.slots = tuple(slots)

    def hash_of(self, record: Record) -> str:
        """Return the hash that names a record's files."""
        if record.combo_hash is not None:
            return record.combo_hash
        return self.identifier.parameters_of(record.params).short

    def call_identities(self, call: Call) -> Mapping[str | Slot, str]:
        """Return what a call's keywords, and the values that a person holds or has put in, are now."""
        # Each call asks this twice, and nearly all of them in vain.
        for slot in call.scheduled:
            if slot.producer is None or slot.held is not None:
                break
        else:
            if not call.overrides:
                return _NO_IDENTITIES
        found: dict[str | Slot, str] = {}
        if call.overrides:
            with suppress(UnidentifiableError):
                found.update(self.identifier.override_identities(call))
        for slot in call.scheduled:
            if slot.producer is not None and slot.held is None:
                continue
            try:
                found[slot] = self.identifier.slot_identity(slot)
            except UnidentifiableError:
                found[slot] = UNKNOWABLE
        return found

    def stage_of(self, spec: StageSpec) -> RunStage:
        """Return what a stage is in this run."""
        known = self._stages.get(id(spec))
        if known is None:
            # It holds the spec, so that no other one gets its id.
            stage_id = self.identifier.stage_id_of(spec)
            known = self._stages[id(spec)] = RunStage(spec, stage_id, self.options)
        return known

    # --------------------------------------------------------------------------------------------------------- settling

    def plan(self) -> Plan:
        """Decide every call that is not settled and return what is to happen."""
        self._decide_all()
        from curifactory.engine.alike import find_alike

        calls = self.graph.calls
        return make_plan(calls, find_alike(calls, self.decider, self.identifier))

    def run_all(self, *, keep_values: bool = True) -> None:
        """Settle every call that somebody needs.

        Parameters
        ----------
        keep_values : bool
            Whether somebody may ask for values afterwards; otherwise big ones that no cacher keeps end with their last reader.

        Raises
        ------
        CacheError
            At the end, if an output could not be saved.
        PartlyFailedError
            If stages have raised and the run keeps going.
        Exception
            The first exception of a stage otherwise; calls after it are not reached.
        """
        self.keep_values = keep_values
        self._decide_all()
        self.events.emit(run_planned(self.graph.calls))
        self._settle_all(self.graph.calls)
        self._raise_save_fault(final=True)

    def ensure(self, targets: Sequence[Call], want: Want) -> None:
        """Settle calls and what they need, and nothing else."""
        self.identifier.look_again()
        self._settle_soon(targets, want)

    def _settle_soon(self, targets: Sequence[Call], want: Want) -> None:
        target = targets[0]
        if len(targets) == 1 and target.is_ready():
            if target.outcome is not None:
                return
            if target.stage.leaves_trace:
                apply(target, self.decider.decide(target))
            else:
                # Nothing of it was or will be saved, so there is nothing to look up.
                target.verdict, target.reason = Verdict.RUN, _NO_CACHER
            if target.verdict is not Verdict.PERHAPS:
                target.want = max(target.want, want)
                # A call inside another one is executed where that one is.
                executor = None if self.executing else self.hands.executor_for([target])
                if executor is None:
                    self.settling.settle(target, is_decided=True)
                else:
                    self.settling.settle_all([target], executor)
                return
        last = max(call.index for call in targets)
        calls = self.graph.calls[: last + 1]
        decide_all(calls, self.decider)
        # Of calls that are decided later most wait for others, and have been explained.
        self.last_uses.let_go()
        mark_needed(targets, want)
        self._settle_all([call for call in calls if call.want])

    def close(self, *, reached_end: bool) -> None:
        """Tell of the calls that nothing has settled, and put the tools away."""
        outcome = CallOutcome.NOT_NEEDED if reached_end else CallOutcome.NOT_REACHED
        for call in self.graph.calls:
            if call.outcome is None:
                call.outcome = outcome
                self.events.emit(call_ended(call))
        if reached_end and not self.options.live:
            self.unread_parameters = find_unread_parameters(self.graph.calls)
            if self.unread_parameters:
                self.warn(tell_unread(self.unread_parameters))
        self.saver.close()
        self.hands.close()
        self.call_locks.close()

    def outputs_of(self, call: Call) -> tuple[Output, ...]:
        """Return what a reused call has made as its trace says it now; nothing if there is none any more."""
        result = None if call.key is None else self.traces.find_result(call.key, call.stage.stage_id)
        return () if result is None else without_unasked(call, result.outputs)

    def make(self, call: Call) -> None:
        """Execute a call here whose value is wanted although it was reused, and whatever it needs for that."""
        self.settling.make(call)

    def _decide_all(self) -> None:
        self.identifier.look_again()
        calls = self.graph.calls
        decide_all(calls, self.decider)
        # Of calls that are decided later most wait for others, and have been explained.
        self.last_uses.let_go()
        mark_needed(calls if self.options.keep_all else self.graph.leaves(), Want.FILES)

    def _settle_all(self, calls: Sequence[Call]) -> None:
        wanted = [
            call for call in calls if call.outcome is None and (call.want or call.verdict is Verdict.REUSE)
        ]
        self.settling.settle_all(wanted, self.hands.executor_for(wanted))

    # ---------------------------------------------------------------------------------- what calls ask for on their way

    def clear_path(self, path: str) -> None:
        """Move what lies under a path that a stage is about to write to out of the way."""
        self.folders.clear(path, self._files.set_aside)

    def last_outputs(self, call: Call, record: Record) -> Sequence[Slot]:
        """Return what the last stage of a record has returned before a call was made."""
        return self.graph.last_outputs(call, record)

    def seed_of(self, call: Call) -> int | None:
        """Return the seed of a call; None if calls are not seeded."""
        seed = self.options.seed
        return None if seed is None else seed_of(call, seed)

    def adopt_facts(self, facts: Mapping[str, Any]) -> None:
        """Take what another process knows of the files that it has committed."""
        self._files.adopt(facts)

    def save_failed(self, error: CacheError) -> None:
        """Remember that an output could not be saved; its value goes on in memory."""
        self.save_faults.append(error)
        # A call that is executed once more, here, says the same again.
        self.tell_notes([str(error)])

    def warn(self, text: str) -> None:
        """Tell the person something in one line."""
        self.events.emit(Warned(text, datetime.now().astimezone()))

    def tell_notes(self, notes: Iterable[str]) -> None:
        """Tell what people should know of the code of a stage, each thing once a run."""
        for note in notes:
            if note not in self._told:
                self._told.add(note)
                self.warn(note)

    def place(self, line: tuple[str, int]) -> str:
        """Return file and line as people read it, relative to the project."""
        return self.places[line]

    def _raise_save_fault(self, *, final: bool) -> None:
        if self.save_faults and (final or not self.options.deferred):
            fault = self.save_faults[0]
            self.save_faults.clear()
            raise fault

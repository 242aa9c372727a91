"""The engine: takes calls, and settles each by a trace or by execution, at once or when the graph is whole."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import CodeType
from typing import Any

from curifactory.core.events import EventStream, RunPlanned, Warned
from curifactory.core.outcomes import CallOutcome, Verdict
from curifactory.core.reason import Reason, ReasonKind
from curifactory.core.record import Record
from curifactory.core.spec import OutputSpec, StageSpec
from curifactory.core.state import Slot, next_number
from curifactory.engine.binding import bind_aggregate, bind_stage, effective_outputs, mentions_state
from curifactory.engine.decide import Decider
from curifactory.engine.execute import check_overrides
from curifactory.engine.facts import call_ended
from curifactory.engine.graph import Call, Graph, Want
from curifactory.engine.holding import UNKNOWABLE
from curifactory.engine.identify import Identifier
from curifactory.engine.labels import Labels
from curifactory.engine.loading import Loader
from curifactory.engine.options import EngineOptions
from curifactory.engine.places import place_of_call
from curifactory.engine.plan import Plan, apply, decide_all, has_to_run, make_plan, mark_needed
from curifactory.engine.reusing import reuse_call
from curifactory.engine.running import check_values, run_call
from curifactory.engine.saving import Saver
from curifactory.engine.scratch import Scratch
from curifactory.engine.unread import find_unread_parameters, tell_unread
from curifactory.engine.values import Values
from curifactory.errors import CacheError, UnidentifiableError
from curifactory.identity.fingerprint import Scope
from curifactory.store.artifacts import ArtifactFiles
from curifactory.store.layout import Layout
from curifactory.store.traces import TraceStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the engine works with.

    Parameters
    ----------
    layout : Layout
        Where things lie.
    files : ArtifactFiles
        Bytes of artifacts.
    traces : TraceStore
        Manifests and their index.
    events : EventStream
        Where everything is told.
    scope : Scope
        What is the project's own code.
    root : Path
        The project's folder; places in code are shown relative to it.
    fragments : Path or None
        Where reportables are rendered to; None when nothing is written.
    """

    layout: Layout
    files: ArtifactFiles
    traces: TraceStore
    events: EventStream
    scope: Scope
    root: Path
    fragments: Path | None


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
        self.graph = Graph()
        self.identifier = Identifier(surroundings.scope, label_prefix=options.file_prefix)
        self._files = surroundings.files
        self._root = str(surroundings.root) + os.sep
        self._fragments = None if surroundings.fragments is None else str(surroundings.fragments)
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
        self.scratch = Scratch(str(surroundings.layout.cache))
        self.decider = Decider(
            options, surroundings.traces, self.identifier, self.loader, self.saver.prototype
        )
        self.values = Values(self)
        self.executing: list[Call] = []
        self.failed: tuple[Call, BaseException] | None = None
        self.save_faults: list[CacheError] = []
        self.run_code: CodeType | None = None
        self.unread_parameters: tuple[str, ...] | None = None
        self._effective: dict[int, tuple[StageSpec, Any]] = {}
        self._mentions_state: dict[int, tuple[StageSpec, bool]] = {}

    def set_options(self, options: EngineOptions) -> None:
        """Go on with other options, as a live context may."""
        self.options = self.decider.options = options
        self._effective.clear()

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
        check_overrides(spec, overrides, f"at {self.place(line)}")
        call = Call(
            self,
            spec,
            record,
            None if records is None else tuple(records),
            dict(overrides),
            index=len(self.graph),
            number=next_number(),
            line=line,
        )
        call.output_specs = self._outputs_of(spec)
        call.known_records = len(record.manager.records)
        if spec.aggregate:
            bind_aggregate(call, warn=self.warn)
        else:
            bind_stage(call)
        call.parameters = self.identifier.parameters_of(record.params)
        if spec.aggregate:
            record.combo_hash = self.identifier.combined_hash(call)
        call.label_hash = call.parameters.short if record.combo_hash is None else record.combo_hash
        call.slots = tuple(
            Slot(output.name, call, position=position, lazy=output.lazy, resolve=output.resolve)
            for position, (output, _) in enumerate(call.output_specs)
        )
        self.graph.add(call)
        if waits:
            call.cwd = os.getcwd()
            # What the stage reaches may be changed before it is executed; then this is what it was.
            self.identifier.code_of(call)
            call.call_identities = self.call_identities(call)
        else:
            self.ensure([call], Want.FILES)
        record.stages.append(spec.name)
        for slot in call.slots:
            record.state.bind(slot.name, slot)
        record.output_slots = call.slots
        self._raise_save_fault(final=False)
        return call

    def hash_of(self, record: Record) -> str:
        """Return the hash that names a record's files."""
        if record.combo_hash is not None:
            return record.combo_hash
        return self.identifier.parameters_of(record.params).short

    def call_identities(self, call: Call) -> dict[str | Slot, str]:
        """Return what a call's keywords, and the values that a person holds or has put in, are now."""
        found: dict[str | Slot, str] = {}
        with suppress(UnidentifiableError):
            found.update(self.identifier.override_identities(call))
        for slot in call.scheduled_slots():
            if slot.producer is None or slot.held is not None:
                try:
                    found[slot] = self.identifier.slot_identity(slot)
                except UnidentifiableError:
                    found[slot] = UNKNOWABLE
        return found

    def may_read_state(self, spec: StageSpec) -> bool:
        """Return whether a stage's code speaks of a state, so that it may read what it does not declare."""
        known = self._mentions_state.get(id(spec))
        if known is None:
            known = self._mentions_state[id(spec)] = (spec, mentions_state(spec))
        return known[1]

    # --------------------------------------------------------------------------------------------------------- settling

    def plan(self) -> Plan:
        """Decide every call that is not settled and return what is to happen."""
        self.identifier.look_again()
        calls = self.graph.calls
        decide_all(calls, self.decider)
        mark_needed(self.graph.leaves(), Want.FILES)
        return make_plan(calls)

    def run_all(self) -> None:
        """Settle every call that somebody needs.

        Raises
        ------
        CacheError
            At the end, if an output could not be saved.
        Exception
            The first exception of a stage; calls after it are not reached.
        """
        plan = self.plan()
        self.events.emit(RunPlanned(len(plan.rows), len(plan.rows) - plan.count(Verdict.REUSE)))
        for call in self.graph.calls:
            if call.outcome is None and (call.want or call.verdict is Verdict.REUSE):
                self._settle(call)
        self._raise_save_fault(final=True)

    def ensure(self, targets: Sequence[Call], want: Want) -> None:
        """Settle calls and what they need, and nothing else."""
        self.identifier.look_again()
        if len(targets) == 1 and all(producer.settled for producer in targets[0].producers()):
            target = targets[0]
            if target.outcome is None:
                if not self.wants_trace(target):
                    # Nothing of it was or will be saved, so there is nothing to look up.
                    target.verdict, target.reason = Verdict.RUN, Reason(ReasonKind.NO_CACHER)
                else:
                    apply(target, self.decider.decide(target))
                mark_needed(targets, want)
                self._settle(target)
            return
        last = max(call.index for call in targets)
        calls = self.graph.calls[: last + 1]
        decide_all(calls, self.decider)
        mark_needed(targets, want)
        for call in calls:
            if call.outcome is None and call.want:
                self._settle(call)

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

    def wants_trace(self, call: Call) -> bool:
        """Whether a call's trace is kept: always under a command, in a live context only if an output is cached."""
        return not self.options.live or any(template is not None for _, template in call.output_specs)

    def _settle(self, call: Call) -> None:
        if self._is_open(call):
            decision = self.decider.decide(call)
            # A call that still has to run keeps the reason that it had when it was compared with earlier runs.
            if not call.verdict is decision.verdict is Verdict.RUN:
                apply(call, decision)
        if call.verdict is Verdict.REUSE and not has_to_run(call):
            check_values(self, call)
            reuse_call(self, call)
            return
        if call.verdict is Verdict.REUSE:
            call.verdict, call.reason = Verdict.RUN, call.absent
        self._make_inputs(call)
        run_call(self, call)

    def _is_open(self, call: Call) -> bool:
        """Whether what was decided of a call may be otherwise by now."""
        if call.verdict is Verdict.REUSE:
            # Another call of this run may have written to a path that the stage asked for.
            writes_itself = len(call.outputs) > len(call.output_specs)
            return writes_itself or any(producer.made for producer in call.producers())
        return call.verdict is not Verdict.RUN or self.decider.is_outdated(call)

    def _make_inputs(self, call: Call) -> None:
        """Execute, in call order, reused calls whose values this one needs and that lie nowhere."""
        wanted: dict[int, Call] = {}
        pending = [call]
        while pending:
            for _, slot in pending.pop().input_slots():
                producer = slot.producer
                if (
                    isinstance(producer, Call)
                    and producer.index not in wanted
                    and not self.values.is_there(slot)
                ):
                    wanted[producer.index] = producer
                    pending.append(producer)
        for index in sorted(wanted):
            self.make(wanted[index])

    def make(self, call: Call) -> None:
        """Execute a call whose value is wanted although it was reused, and whatever it needs for that."""
        call.reason = call.absent or Reason(ReasonKind.PREPARED)
        call.verdict = Verdict.RUN
        self._make_inputs(call)
        run_call(self, call)

    # ---------------------------------------------------------------------------------- what calls ask for on their way

    def fragments_folder(self, name: str) -> str | None:
        """Return a folder below the run's fragments, made when it is first asked for; None if nothing is written."""
        if self._fragments is None:
            return None
        folder = os.path.join(self._fragments, name)
        os.makedirs(folder, exist_ok=True)
        return folder

    def clear_path(self, path: str) -> None:
        """Move what lies under a path that a stage is about to write to out of the way."""
        if not self.options.writes:
            self.scratch.clear(path)
        elif os.path.lexists(path):
            self._files.set_aside(path)

    def remember_use(self, call: Call) -> None:
        """Note that a record of this experiment used a trace, to compare the next run with."""
        if self.options.writes and call.key is not None:
            self.traces.remember_use(
                call.stage_id,
                self.options.experiment,
                call.parameters.name if call.parameters else "None",
                call.key,
                self.options.run,
            )

    def save_failed(self, error: CacheError) -> None:
        """Remember that an output could not be saved; its value goes on in memory."""
        self.save_faults.append(error)
        self.warn(str(error))

    def warn(self, text: str) -> None:
        """Tell the person something in one line."""
        self.events.emit(Warned(text, datetime.now().astimezone()))

    def place(self, line: tuple[str, int]) -> str:
        """Return file and line as people read it, relative to the project."""
        return f"{line[0].removeprefix(self._root)}:{line[1]}"

    def _raise_save_fault(self, *, final: bool) -> None:
        if self.save_faults and (final or not self.options.deferred):
            fault = self.save_faults[0]
            self.save_faults.clear()
            raise fault

    def _outputs_of(self, spec: StageSpec) -> tuple[tuple[OutputSpec, Any], ...]:
        known = self._effective.get(id(spec))
        if known is None:
            known = self._effective[id(spec)] = (spec, effective_outputs(spec, self.options))
        return known[1]

"""Whether a call is reused or run, and why: its keys are looked up among the traces."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from curifactory.core.outcomes import Verdict
from curifactory.core.reason import Reason, ReasonKind
from curifactory.core.trace import Artifact, Trace
from curifactory.engine.explain import explain
from curifactory.engine.graph import Call
from curifactory.engine.identify import Identifier, NotYetKnownError
from curifactory.engine.loading import Loader
from curifactory.engine.options import EngineOptions
from curifactory.errors import UnidentifiableError
from curifactory.store.artifacts import FileState
from curifactory.store.traces import TraceStore


class Decision(NamedTuple):
    """What is to happen to a call.

    Parameters
    ----------
    verdict : Verdict
        Run, reuse, or perhaps: nobody knows before other calls have run.
    reason : Reason
        Why.
    trace : Trace or None
        The trace that holds, of a call that is reused.
    absent : Reason or None
        Why the bytes of a reused call are not there, if they are not; it has to run once somebody needs them.
    lies_aside : bool
        Whether some of them lie aside, since their name has passed to others.
    """

    verdict: Verdict
    reason: Reason
    trace: Trace | None = None
    absent: Reason | None = None
    lies_aside: bool = False


class Decider:
    """Decides calls one at a time, from traces, inputs and what was asked for."""

    def __init__(
        self,
        options: EngineOptions,
        traces: TraceStore,
        identifier: Identifier,
        loader: Loader,
        prototype: Callable[[Any, str], Any],
    ) -> None:
        self.options = options
        self._traces = traces
        self._identifier = identifier
        self._loader = loader
        self._prototype = prototype
        self._read_sets: dict[tuple[str, str], list[tuple[str, ...]]] = {}
        self._traces_added: dict[str, int] = {}
        self._unchanged: dict[str, Reason] = {}

    def decide(self, call: Call) -> Decision:
        """Return what is to happen to a call, as far as it can be known now."""
        call.decided_after = self._traces_added.get(call.stage_id, 0)
        asked = self._asked_for(call)
        if asked is not None:
            return Decision(Verdict.RUN, asked)
        if not call.output_specs:
            return Decision(Verdict.RUN, Reason(ReasonKind.FOR_ITS_EFFECT))
        try:
            unknown = self._unknown_input(call)
            if unknown is not None:
                return self._before_inputs(call, unknown)
            return self._look_up(call)
        except NotYetKnownError as error:
            call.learn_producer(error.producer)
            return self._before_inputs(call, error.producer)
        except UnidentifiableError as error:
            return Decision(
                Verdict.RUN, Reason(ReasonKind.UNIDENTIFIABLE, {"what": error.message.rstrip(".")})
            )

    @contextmanager
    def many(self) -> Iterator[None]:
        """Decide many calls in the block: the traces are those at its begin, and nothing is looked through for garbage.

        What is made for a decision stays, and there is more and more of it.
        """
        was_collecting = gc.isenabled()
        gc.disable()
        try:
            with self._traces.reading():
                yield
        finally:
            if was_collecting:
                gc.enable()

    def forget(self, call: Call) -> None:
        """Look the read sets of a call's stage up anew next time, since a trace has been added."""
        self._read_sets.pop((call.stage_id, self._identifier.code_of(call)), None)
        self._traces_added[call.stage_id] = self._traces_added.get(call.stage_id, 0) + 1

    def may_have_been_made(self, call: Call, key: str) -> bool:
        """Whether another process may have made a call since it was decided, as far as one look tells.

        Parameters
        ----------
        call : Call
            Whose lock is held.
        key : str
            The key that it has if it reads what the newest trace of its code has read.
        """
        if self.known_read_sets(call):
            return self._traces.is_there(key, call.stage_id)
        # Nobody had ever executed this code when we last asked.
        return bool(self._traces.read_sets(call.stage_id, self._identifier.code_of(call), fresh=True))

    def refresh(self, call: Call) -> None:
        """Ask anew what executions of a call's stage have read, in other processes as well."""
        place = call.stage_id, self._identifier.code_of(call)
        self._read_sets[place] = self._traces.read_sets(*place, fresh=True)

    def is_outdated(self, call: Call) -> bool:
        """Whether a trace of the call's stage has been added since the call was decided; it may be the one it lacked."""
        return call.decided_after != self._traces_added.get(call.stage_id, 0)

    def _asked_for(self, call: Call) -> Reason | None:
        if self.options.overwrite:
            return Reason(ReasonKind.ASKED_FOR, {"by": "--overwrite"})
        if call.name in self.options.overwrite_stages:
            return Reason(ReasonKind.ASKED_FOR, {"by": "--overwrite-stage"})
        if getattr(call.record.params, "overwrite", False) is True:
            return Reason(ReasonKind.ASKED_FOR, {"by": "overwrite of the parameter set"})
        return None

    def _unknown_input(self, call: Call) -> Call | None:
        """Return a call whose outputs are not known yet and that this one reads, or may read."""
        for producer in call.producers():
            if not producer.settled and producer.verdict is not Verdict.REUSE:
                return producer
        return None

    def _before_inputs(self, call: Call, unknown: Call) -> Decision:
        if not self.known_read_sets(call):
            return Decision(Verdict.RUN, self._explain(call, inputs=False))
        return Decision(Verdict.PERHAPS, Reason(ReasonKind.INPUT_RUNS, {"name": unknown.name}))

    def _look_up(self, call: Call) -> Decision:
        inputs = self._identifier.input_identities(call)
        overrides = self._identifier.override_identities(call) if call.overrides else {}
        for read_set in self.known_read_sets(call):
            reads = self._identifier.read_values(call, read_set)
            key = self._identifier.key_of(call, reads, inputs, overrides)
            trace = self._traces.find(key, stage=call.stage_id)
            if trace is not None:
                return self._check(call, trace)
        return Decision(Verdict.RUN, self._explain(call))

    def _check(self, call: Call, trace: Trace) -> Decision:
        """Turn a trace that holds into a decision, after a look at its artifacts and its report."""
        if trace.reported and not self._traces.has_whole_report(trace):
            return Decision(Verdict.RUN, Reason(ReasonKind.REPORT_DAMAGED))
        absent: Reason | None = None
        lies_aside = has_unasked = False
        for (spec, template), output in zip(call.output_specs, trace.outputs, strict=False):
            artifact = output.artifact
            if template is None:
                absent = absent or Reason(ReasonKind.NO_CACHER)
                has_unasked = has_unasked or artifact is not None
                continue
            cacher = self._prototype(template, spec.name)
            if artifact is None or artifact.cacher_key != self._identifier.named_code.cacher_key(cacher):
                return Decision(
                    Verdict.RUN, Reason(ReasonKind.NO_ARTIFACT, {"cacher": type(cacher).__name__})
                )
            state, missing = self._look_at(artifact)
            if missing is not None and missing.kind is ReasonKind.FILE_CHANGED:
                return Decision(Verdict.RUN, missing)
            absent = missing or absent
            lies_aside = lies_aside or state is FileState.ASIDE
        for output in trace.outputs[len(call.output_specs) :]:
            missing = None if output.artifact is None else self._look_at(output.artifact)[1]
            if missing is not None:
                return Decision(Verdict.RUN, missing)
        if has_unasked:
            trace = _without_unasked(call, trace)
        return Decision(Verdict.REUSE, self._unchanged_since(trace.run), trace, absent, lies_aside)

    def _unchanged_since(self, run: str) -> Reason:
        """Return the reason of all calls that are reused from one run."""
        reason = self._unchanged.get(run)
        if reason is None:
            made_in = "this run" if run == self.options.run else run
            reason = self._unchanged[run] = Reason(ReasonKind.UNCHANGED, {"run": made_in})
        return reason

    def _look_at(self, artifact: Artifact) -> tuple[FileState, Reason | None]:
        """Return how the files of an artifact stand, and why its bytes are not there, if they are not."""
        state, file = self._loader.state(artifact)
        if file is None or state is FileState.PRESENT or state is FileState.ASIDE:
            return state, None
        if file.referenced:
            return state, Reason(ReasonKind.FILE_CHANGED, {"file": self._loader.shown_path(file)})
        kind = ReasonKind.ARTIFACT_MISSING if state is FileState.MISSING else ReasonKind.ARTIFACT_MODIFIED
        return state, Reason(kind, {"file": file.path})

    def known_read_sets(self, call: Call) -> list[tuple[str, ...]]:
        """Return what earlier executions of the call's stage with this code have read, newest first."""
        place = call.stage_id, self._identifier.code_of(call)
        known = self._read_sets.get(place)
        if known is None:
            known = self._read_sets[place] = self._traces.read_sets(*place)
        return known

    def _explain(self, call: Call, *, inputs: bool = True) -> Reason:
        return explain(
            call,
            self._traces,
            self._identifier,
            experiment=self.options.experiment,
            run=self.options.run,
            inputs=inputs,
        )


def _without_unasked(call: Call, trace: Trace) -> Trace:
    """Leave out the artifacts of outputs that have no cacher now: a run that treated every output as lazy saved them."""
    pairs = list(zip(trace.outputs, call.output_specs, strict=False))
    outputs = [
        output if template is not None else output._replace(artifact=None) for output, (_, template) in pairs
    ]
    return trace._replace(outputs=(*outputs, *trace.outputs[len(pairs) :]))

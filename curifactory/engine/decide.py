"""Whether a call is reused or run, and why: its keys are looked up among the traces."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from curifactory.core import garbage
from curifactory.core.outcomes import Verdict
from curifactory.core.reason import Reason, ReasonKind
from curifactory.core.trace import Output, Result, StoredFile, new_tuple
from curifactory.engine.explain import explain
from curifactory.engine.graph import Call
from curifactory.engine.identify import Identified, Identifier, NotYetKnownError
from curifactory.engine.loading import Loader
from curifactory.engine.options import EngineOptions
from curifactory.engine.prediction import guess_reads
from curifactory.engine.saving import Saver
from curifactory.errors import UnidentifiableError
from curifactory.store.artifacts import FileState
from curifactory.store.traces import TraceStore

_WHY_ABSENT = {
    FileState.MISSING: ReasonKind.ARTIFACT_MISSING,
    FileState.MODIFIED: ReasonKind.ARTIFACT_MODIFIED,
    FileState.UNREADABLE: ReasonKind.ARTIFACT_UNREADABLE,
}


class Decision(NamedTuple):
    """What is to happen to a call.

    Parameters
    ----------
    verdict : Verdict
        Run, reuse, or perhaps: nobody knows before other calls have run.
    reason : Reason
        Why.
    key : str or None
        The key of the trace that holds, of a call that is reused.
    result : Result or None
        What it made, as that trace says.
    absent : Reason or None
        Why the bytes of a reused call are not there, if they are not; it has to run once somebody needs them.
    lies_aside : bool
        Whether some of them lie aside, since their name has passed to others.
    """

    verdict: Verdict
    reason: Reason
    key: str | None = None
    result: Result | None = None
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
        saver: Saver,
    ) -> None:
        self.options = options
        self._traces = traces
        self._identifier = identifier
        self._loader = loader
        self._saver = saver
        self._read_sets: dict[tuple[str, str], list[tuple[str, ...]]] = {}
        self._added: dict[str, set[str]] = {}
        self._foreseen: tuple[Call, Identified] | None = None
        self._unchanged: dict[str, Reason] = {}

    def decide(self, call: Call) -> Decision:
        """Return what is to happen to a call, as far as it can be known now."""
        call.decided_after = len(self._added.get(call.stage.stage_id, ())) if self._added else 0
        options, by = self.options, None
        if options.overwrite:
            by = "--overwrite"
        elif options.overwrite_stages and call.name in options.overwrite_stages:
            by = "--overwrite-stage"
        elif getattr(call.record.params, "overwrite", False) is True:
            by = "overwrite of the parameter set"
        if by is not None:
            return Decision(Verdict.RUN, Reason(ReasonKind.ASKED_FOR, {"by": by}))
        if not call.stage.outputs:
            return Decision(Verdict.RUN, Reason(ReasonKind.FOR_ITS_EFFECT))
        try:
            for producer in call.producers:
                if producer.verdict is not Verdict.REUSE and not producer.settled:
                    # It makes what this call reads, or may read, and that is not known yet.
                    return self._before_inputs(call, producer)
            return self._look_up(call)
        except NotYetKnownError as error:
            call.learn_producer(error.producer)
            return self._before_inputs(call, error.producer)
        except UnidentifiableError as error:
            return Decision(
                Verdict.RUN, Reason(ReasonKind.UNIDENTIFIABLE, {"what": error.message.rstrip(".")})
            )

    @contextmanager
    def many(self, number: int) -> Iterator[None]:
        """Decide a number of calls in the block: the traces are those at its begin, and nothing is looked through for garbage.

        What is made for a decision stays, and there is more and more of it.
        """
        was_collecting = gc.isenabled()
        gc.disable()
        try:
            with self._traces.reading(number):
                yield
        finally:
            if was_collecting:
                garbage.grow_old()
                gc.enable()

    def forget(self, call: Call) -> None:
        """Look the read sets of a call's stage up anew next time, since its trace has been added."""
        self._read_sets.pop((call.stage.stage_id, self._identifier.code_of(call)), None)
        self._foreseen = None
        if call.key is not None:
            self._added.setdefault(call.stage.stage_id, set()).add(call.key)

    def foresee(self, call: Call) -> Identified | None:
        """Return what a call probably is, None if nothing can be said. It orders the work and decides nothing.

        It is what the call is if it reads what the newest trace of its code has read, or else what its code speaks of.
        """
        if self._foreseen is None or self._foreseen[0] is not call:
            try:
                found = next(self._identities(call), None)
                if found is None:
                    found = self._identifier.identify(call, guess_reads(call.stage.spec, call.record.params))
            except (UnidentifiableError, NotYetKnownError):
                return None
            self._foreseen = call, found
        return self._foreseen[1]

    def locked_keys(self, call: Call, foreseen: Identified) -> tuple[str, ...]:
        """Return what others who execute the same call have locked, whether they know what it has read or not.

        Who does not know locks what the code speaks of; so who knows locks that as well.
        """
        guess = guess_reads(call.stage.spec, call.record.params)
        if guess == tuple(foreseen.reads):
            return (foreseen.key,)
        guessed = self._identifier.read_values(call, guess)
        return (
            self._identifier.key_of(call, guessed, foreseen.inputs, foreseen.overrides),
            foreseen.key,
        )

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
            return self._traces.is_there(key, call.stage.stage_id)
        # Nobody had ever executed this code when we last asked.
        return bool(self._traces.read_sets(call.stage.stage_id, self._identifier.code_of(call), fresh=True))

    def refresh(self, call: Call) -> None:
        """Ask anew what executions of a call's stage have read, in other processes as well."""
        place = call.stage.stage_id, self._identifier.code_of(call)
        self._read_sets[place] = self._traces.read_sets(*place, fresh=True)

    def is_outdated(self, call: Call) -> bool:
        """Whether a trace that this run has added since the call was decided is the one that it lacked."""
        added = self._added.get(call.stage.stage_id)
        if added is None or call.decided_after == len(added):
            return False
        try:
            found = list(self._identities(call))
        except (UnidentifiableError, NotYetKnownError):
            return True
        # Whoever executes it asks next what it probably is.
        self._foreseen = (call, found[0]) if found else None
        for each in found:  # noqa: SIM110 - a loop is half as long as a generator, and each call asks
            if each.key in added:
                return True
        return False

    def _before_inputs(self, call: Call, unknown: Call) -> Decision:
        if not self.known_read_sets(call):
            return Decision(Verdict.RUN, self._explain(call, inputs=False))
        return Decision(Verdict.PERHAPS, Reason(ReasonKind.INPUT_RUNS, {"name": unknown.name}))

    def _look_up(self, call: Call) -> Decision:
        self._foreseen = None
        identifier, find = self._identifier, self._traces.find_result
        inputs = identifier.input_identities(call)
        overrides = identifier.override_identities(call) if call.overrides else {}
        first: Identified | None = None
        for read_set in self.known_read_sets(call):
            reads = identifier.read_values(call, read_set) if read_set else {}
            key = identifier.key_of(call, reads, inputs, overrides)
            result = find(key, call.stage.stage_id)
            if result is not None:
                return self._check(call, key, result)
            first = first or new_tuple(Identified, (key, reads, inputs, overrides))
        if first is not None:
            self._foreseen = call, first
        return Decision(Verdict.RUN, self._explain(call, foreseen=first))

    def _identities(self, call: Call) -> Iterator[Identified]:
        """Go through what a call is if it reads what earlier ones of its code have read, newest first."""
        identifier = self._identifier
        inputs = identifier.input_identities(call)
        overrides = identifier.override_identities(call) if call.overrides else {}
        for read_set in self.known_read_sets(call):
            reads = identifier.read_values(call, read_set)
            yield Identified(identifier.key_of(call, reads, inputs, overrides), reads, inputs, overrides)

    def _check(self, call: Call, key: str, result: Result) -> Decision:
        """Turn the result of a trace that holds into a decision, after a look at its artifacts and its report."""
        run, _, outputs, _, reported, _, seen = result
        stage = call.stage
        if reported and not self._traces.has_whole_report(stage.stage_id, key):
            return Decision(Verdict.RUN, Reason(ReasonKind.REPORT_DAMAGED))
        absent: Reason | None = None
        lies_aside = has_unasked = False
        for (spec, template), (_, _, _, artifact) in zip(stage.outputs, outputs):  # noqa: B905 - twice as quick
            if template is None:
                absent = absent or Reason(ReasonKind.NO_CACHER)
                has_unasked = has_unasked or artifact is not None
                continue
            if artifact is None or artifact.cacher_key != self._saver.cacher_key(template, spec.name):
                cacher = self._saver.prototype(template, spec.name)
                return Decision(
                    Verdict.RUN, Reason(ReasonKind.NO_ARTIFACT, {"cacher": type(cacher).__name__})
                )
            state, file = self._loader.state(artifact.files, seen)
            if file is None:
                continue
            missing = self._missing(state, file)
            if missing is not None and file.referenced:
                return Decision(Verdict.RUN, missing)
            absent = missing or absent
            lies_aside = lies_aside or state is FileState.ASIDE
        if len(outputs) > len(stage.outputs):
            # Files that the stage wrote by itself.
            for _, _, _, own in outputs[len(stage.outputs) :]:
                state, file = (
                    (FileState.PRESENT, None) if own is None else self._loader.state(own.files, seen)
                )
                missing = None if file is None else self._missing(state, file)
                if missing is not None:
                    return Decision(Verdict.RUN, missing)
        if has_unasked:
            result = result._replace(outputs=without_unasked(call, outputs))
        reason = self._unchanged.get(run) or self._unchanged_since(run)
        return new_tuple(Decision, (Verdict.REUSE, reason, key, result, absent, lies_aside))

    def _unchanged_since(self, run: str) -> Reason:
        """Return the reason of all calls that are reused from one run."""
        made_in = "this run" if run == self.options.run else run
        reason = self._unchanged[run] = Reason(ReasonKind.UNCHANGED, {"run": made_in})
        return reason

    def _missing(self, state: FileState, file: StoredFile) -> Reason | None:
        """Return why the bytes of an artifact are not there by the state of its worst file, None if they lie aside."""
        if state is FileState.ASIDE:
            return None
        if file.referenced:
            kind = ReasonKind.FILE_UNREADABLE if state is FileState.UNREADABLE else ReasonKind.FILE_CHANGED
            return Reason(kind, {"file": self._loader.shown_path(file)})
        return Reason(_WHY_ABSENT[state], {"file": file.path})

    def known_read_sets(self, call: Call) -> list[tuple[str, ...]]:
        """Return what earlier executions of the call's stage with this code have read, newest first."""
        place = call.stage.stage_id, call.code or self._identifier.code_of(call)
        known = self._read_sets.get(place)
        if known is None:
            known = self._read_sets[place] = self._traces.read_sets(*place)
        return known

    def _explain(self, call: Call, *, inputs: bool = True, foreseen: Identified | None = None) -> Reason:
        return explain(
            call, self._traces, self._identifier, run=self.options.run, inputs=inputs, foreseen=foreseen
        )


def without_unasked(call: Call, outputs: tuple[Output, ...]) -> tuple[Output, ...]:
    """Leave out the artifacts of outputs that have no cacher now: a run that treated every output as lazy saved them."""
    asked = [
        output if template is not None else output._replace(artifact=None)
        for output, (_, template) in zip(outputs, call.stage.outputs, strict=False)
    ]
    return (*asked, *outputs[len(asked) :])

"""Keeping results although the code has changed: which calls can, and the traces that they then have."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum

from curifactory.core.outcomes import Verdict
from curifactory.core.reason import OF_CODE, Reason, ReasonKind
from curifactory.core.trace import Result, Trace
from curifactory.engine.decide import Decider
from curifactory.engine.explain import iter_code_differences, iter_differences
from curifactory.engine.graph import Call
from curifactory.engine.identify import Identifier, NotYetKnownError
from curifactory.engine.plan import apply
from curifactory.engine.saving import fresh_cacher
from curifactory.errors import UnidentifiableError
from curifactory.store.traces import TraceStore

# What an earlier trace of the call has no part in.
_BESIDE = frozenset({ReasonKind.ASKED_FOR, ReasonKind.FOR_ITS_EFFECT, ReasonKind.FILE_CHANGED})


class AcceptedAs(Enum):
    """What acceptance means for a call."""

    ACCEPTED = "accept"
    FOLLOWS = "follows"
    REFUSED = "refuse"
    LEFT = "leave"


@dataclasses.dataclass(frozen=True, slots=True)
class AcceptedCall:
    """One call whose code, or whose inputs' code, has changed.

    Parameters
    ----------
    call : Call
        The call.
    verdict : AcceptedAs
        Accepted; accepted since it reads what is accepted; refused; or left, as another stage was named.
    changes : tuple of Reason
        The parts of its code that have changed.
    refusal : Reason or None
        What else has changed, if it is refused.
    old, new : Trace or None
        The trace that it had, and the one that it gets.
    """

    call: Call
    verdict: AcceptedAs
    changes: tuple[Reason, ...] = ()
    refusal: Reason | None = None
    old: Trace | None = None
    new: Trace | None = None


class Acceptor:
    """Goes through planned calls and gives those that only differ in code a trace with the present code.

    Parameters
    ----------
    decider : Decider
        Decides calls by the traces there are.
    identifier : Identifier
        Gives present values.
    traces : TraceStore
        Where earlier traces are.
    find_last : callable
        Given a call, returns the trace that it last had, or None.
    made_from_same : callable
        Given a call and that trace, says whether the run that had it is known to have read the very artifacts that the
        call would read now, which the digests of an aggregate's inputs alone do not tell.
    """

    def __init__(
        self,
        decider: Decider,
        identifier: Identifier,
        traces: TraceStore,
        *,
        find_last: Callable[[Call], Trace | None],
        made_from_same: Callable[[Call, Trace, Mapping[int, Trace]], bool],
    ) -> None:
        self._decider = decider
        self._identifier = identifier
        self._traces = traces
        self._find_last = find_last
        self._made_from_same = made_from_same
        self._old: dict[int, Trace] = {}

    def accept(self, calls: Sequence[Call], *, stage: str | None = None) -> list[AcceptedCall]:
        """Return what acceptance means for each call that it concerns, in call order; nothing is written.

        Parameters
        ----------
        calls : sequence of Call
            All calls of the experiment.
        stage : str, optional
            Accept changed code of this stage only.
        """
        found: dict[int, AcceptedCall] = {}
        # First with the keys that calls had, so that readers are compared with what they have read.
        for call in calls:
            judged = self._judge(call, stage)
            if judged is not None:
                found[call.index] = judged
        for call in calls:
            new = self._renew(call)
            if new is not None:
                judged = found.get(call.index) or AcceptedCall(call, AcceptedAs.FOLLOWS)
                found[call.index] = dataclasses.replace(judged, old=self._old[call.index], new=new)
        return [found[index] for index in sorted(found)]

    def _judge(self, call: Call, stage: str | None) -> AcceptedCall | None:
        decision = self._decider.decide(call)
        apply(call, decision)
        if decision.key is not None and decision.result is not None:
            trace = self._traces.find(decision.key, stage=call.stage_id)
            if trace is not None:
                self._old[call.index] = trace._replace(outputs=decision.result.outputs)
            return None
        last = None if decision.reason.kind in _BESIDE else self._find_last(call)
        if last is None:
            return None
        own = tuple(iter_code_differences(call, last, self._traces, self._identifier))
        changes, refusal = self._compare(call, last)
        if refusal is None and own and stage is not None and call.name != stage:
            return AcceptedCall(call, AcceptedAs.LEFT, own)
        if refusal is not None:
            return AcceptedCall(call, AcceptedAs.REFUSED, own, refusal) if own else None
        self._old[call.index] = last
        apply(call, decision._replace(verdict=Verdict.REUSE, key=last.key, result=Result.of(last)))
        return AcceptedCall(call, AcceptedAs.ACCEPTED if own else AcceptedAs.FOLLOWS, changes)

    def _compare(self, call: Call, last: Trace) -> tuple[tuple[Reason, ...], Reason | None]:
        """Return what has changed in the code, and the first thing besides that has."""
        for producer in call.producers:
            if producer.verdict is not Verdict.REUSE:
                return (), Reason(ReasonKind.INPUT_RUNS, {"name": producer.name})
        try:
            differences = list(iter_differences(call, last, self._traces, self._identifier))
        except NotYetKnownError as error:
            return (), Reason(ReasonKind.INPUT_RUNS, {"name": error.producer.name})
        except UnidentifiableError as error:
            return (), Reason(ReasonKind.UNIDENTIFIABLE, {"what": error.message.rstrip(".")})
        changes = tuple(each for each in differences if each.kind in OF_CODE)
        others = [each for each in differences if each.kind not in OF_CODE]
        if (
            others
            and all(self._is_input(call, each) for each in others)
            and self._made_from_same(call, last, self._old)
        ):
            others = []
        return changes, others[0] if others else self._other_outputs(call, last)

    def _is_input(self, call: Call, reason: Reason) -> bool:
        return reason.kind is ReasonKind.INPUT_CHANGED and reason.particulars["name"] in {
            *call.input_names,
            *call.record_inputs,
        }

    def _other_outputs(self, call: Call, last: Trace) -> Reason | None:
        """Say whether a call has other outputs, or saves them otherwise, than its last trace."""
        if [spec.name for spec, _ in call.output_specs] != [
            output.name for output in last.outputs[: len(call.output_specs)]
        ]:
            return Reason(ReasonKind.SURROUNDINGS_CHANGED, {"what": "the list of its outputs", "values": ""})
        for (spec, template), output in zip(call.output_specs, last.outputs, strict=False):
            if template is None:
                continue
            cacher = fresh_cacher(template, spec.name)
            wanted = self._identifier.named_code.cacher_key(cacher)
            if output.artifact is None or output.artifact.cacher_key != wanted:
                return Reason(ReasonKind.NO_ARTIFACT, {"cacher": type(cacher).__name__})
        return None

    def _renew(self, call: Call) -> Trace | None:
        """Return the trace that a call gets, None if the one that it has still holds."""
        old = self._old.get(call.index)
        if old is None:
            return None
        identifier = self._identifier
        reads = identifier.read_values(call, old.reads)
        inputs = identifier.input_identities(call)
        overrides = identifier.override_identities(call) if call.overrides else {}
        key = identifier.key_of(call, reads, inputs, overrides)
        call.key = key
        if key == old.key:
            return None
        return old._replace(
            key=key, code=identifier.code_of(call), reads=reads, inputs=inputs, overrides=overrides
        )


def write_accepted(accepted: Iterable[AcceptedCall], identifier: Identifier, traces: TraceStore) -> int:
    """Write the traces of accepted calls beside the old ones, which stay as they are, and return how many there are.

    Parameters
    ----------
    accepted : iterable of AcceptedCall
        From :meth:`Acceptor.accept`.
    identifier : Identifier
        Knows the parts of the present code.
    traces : TraceStore
        Where to write.

    Raises
    ------
    CacheError
        If a trace cannot be written.
    """
    written: set[str] = set()
    for each in accepted:
        if each.new is None or each.old is None:
            continue
        new = each.new
        if new.key not in written:
            written.add(new.key)
            fingerprint = identifier.fingerprint_of(each.call.spec)
            traces.commit(
                new,
                parts=fingerprint.parts,
                places=fingerprint.places,
                report_folder=traces.report_folder(each.old.stage, each.old.key),
            )
    return len(written)

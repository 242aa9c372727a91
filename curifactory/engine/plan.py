"""The plan: verdicts forward in call order, need backward from the leaves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from curifactory.core.events import PlannedStage, RunPlanned
from curifactory.core.markup import table_markup
from curifactory.core.outcomes import CallOutcome, Verdict
from curifactory.core.reason import Reason, ReasonKind
from curifactory.core.trace import one_for_all, origin_of
from curifactory.engine.decide import Decider, Decision
from curifactory.engine.graph import Call, Want


class PlanRow(NamedTuple):
    """What is to happen to one call.

    Parameters
    ----------
    index : int
        Position among the calls of the run.
    name, stage : str
        Name of the stage, without and with its module.
    record : int
        Index of the record.
    record_name : str
        Its reference name.
    verdict : Verdict
        Run, reuse, or perhaps.
    reason : Reason
        Why.
    needed : bool
        Whether anybody needs it; what is not needed is not executed.
    files : tuple of str
        Where the artifacts of a reused call lie, relative to the cache folder.
    """

    index: int  # type: ignore[assignment]  # nobody looks for a value in a row
    name: str
    stage: str
    record: int
    record_name: str
    verdict: Verdict
    reason: Reason
    needed: bool
    files: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        return {
            "index": self.index,
            "name": self.name,
            "stage": self.stage,
            "record": self.record,
            "record_name": self.record_name,
            "verdict": self.verdict.value,
            "reason": self.reason.to_json(),
            "needed": self.needed,
            "files": list(self.files),
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to happen to every call of a run.

    Parameters
    ----------
    rows : tuple of PlanRow
        The calls, in call order.
    executed : int
        How many of them have been executed by now, since somebody has read what they make.
    """

    rows: tuple[PlanRow, ...]
    executed: int = 0

    def count(self, verdict: Verdict) -> int:
        """Return how many needed calls have a verdict; a reused call counts whether needed or not."""
        return sum(row.verdict is verdict and (row.needed or verdict is Verdict.REUSE) for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return {"calls": [row.to_json() for row in self.rows]}

    def __repr__(self) -> str:
        counts = ((verdict.value, self.count(verdict)) for verdict in Verdict)
        told = ", ".join(f"{count} {word}" for word, count in counts if count) or "nothing to do"
        return f"<plan of {len(self.rows)} {'call' if len(self.rows) == 1 else 'calls'}: {told}>"

    def __str__(self) -> str:
        return "\n".join(
            [
                repr(self),
                *(f"  {row.name}  {row.record_name}  {_what(row)}: {row.reason}" for row in self.rows),
            ]
        )

    def _repr_html_(self) -> str:
        rows = ((row.name, row.record_name, _what(row), row.reason) for row in self.rows)
        return table_markup(repr(self)[1:-1], ["stage", "record", "what", "why"], rows)


def _what(row: PlanRow) -> str:
    return row.verdict.value if row.needed or row.verdict is Verdict.REUSE else "not needed"


def decide_all(calls: Iterable[Call], decider: Decider) -> None:
    """Decide calls that are not settled, in call order, so that inputs come before their readers."""
    waiting = [call for call in calls if call.outcome is None]
    with decider.many(len(waiting)):
        for call in waiting:
            apply(call, decider.decide(call))


def apply(call: Call, decision: Decision) -> None:
    """Write a decision into its call."""
    # Parts of a tuple are had more quickly together than each by its name.
    call.verdict, call.reason, key, result, call.absent, call.lies_aside = decision
    if key is None or result is None:
        call.origin = None
        return
    # What an earlier execution was that had this key, and whose result is reused.
    run, reads, call.kept_outputs, call.duration_s, reported, _, _ = result
    call.key = key
    call.origin = origin_of(run, reported)
    call.observed = one_for_all(reads)


def mark_needed(targets: Sequence[Call], want: Want) -> None:
    """Mark what has to be settled for these calls, going backward.

    Needed are the targets, the inputs of a call that runs, and whatever has to run to learn whether a needed call must.

    Parameters
    ----------
    targets : sequence of Call
        The leaves, or the calls that somebody asks for.
    want : Want
        What is wanted of the targets.
    """
    pending = [(call, want) for call in targets]
    while pending:
        call, wanted = pending.pop()
        if call.outcome is not None:
            continue
        newly = call.want is Want.NOTHING
        call.want = max(call.want, wanted)
        if call.verdict is Verdict.REUSE:
            if not has_to_run(call):
                continue
            call.verdict, call.reason, newly = Verdict.RUN, call.absent, True
        if newly:
            pending.extend(_wanted_of_producers(call))


def has_to_run(call: Call) -> bool:
    """Whether a call that could be reused must run all the same, because its bytes are wanted and not there."""
    if call.absent is None:
        return False
    # An output without cacher is made again only if its value is wanted; a lost file of a leaf always is.
    return call.want is Want.VALUE or (
        call.want is Want.FILES and call.absent.kind is not ReasonKind.NO_CACHER
    )


def _wanted_of_producers(call: Call) -> list[tuple[Call, Want]]:
    if call.verdict is not Verdict.RUN:
        return [
            (producer, Want.IDENTITY) for producer in call.producers if producer.verdict is not Verdict.REUSE
        ]
    declared = {id(slot.producer) for _, slot in call.input_slots()}
    # What may be read without being declared is only verified; its value is made when it is read.
    return [
        (producer, Want.VALUE if id(producer) in declared else Want.IDENTITY) for producer in call.producers
    ]


def run_planned(calls: Sequence[Call]) -> RunPlanned:
    """Return the event that tells how many calls there are, and how many may still have to run, by stage."""
    # Functions of one name are one stage here.
    planned: dict[str, list[Any]] = {}
    for call in calls:
        stage = call.stage
        known = planned.get(stage.stage_id)
        if known is None:
            known = planned[stage.stage_id] = [stage.name, 0, 0]
        known[1] += 1
        if call.want is not Want.NOTHING and _may_run(call):
            known[2] += 1
    stages = tuple([PlannedStage(stage_id, *counts) for stage_id, counts in planned.items()])
    return RunPlanned(len(calls), sum([stage.to_run for stage in stages]), stages)


def _may_run(call: Call) -> bool:
    return call.outcome is None and (call.verdict is not Verdict.REUSE or has_to_run(call))


def make_plan(calls: Sequence[Call], alike: Mapping[int, Call]) -> Plan:
    """Return the plan that decided and marked calls amount to.

    Parameters
    ----------
    calls : sequence of Call
        All calls, in call order.
    alike : mapping of int to Call
        By the index of a call, the earlier one that it may be the same as; it may be reused then.
    """
    rows = []
    for call in calls:
        reason = call.reason or Reason(ReasonKind.NOT_NEEDED)
        verdict = call.verdict or Verdict.PERHAPS
        if call.index in alike:
            verdict = Verdict.PERHAPS
            reason = Reason(ReasonKind.MAY_BE_ALIKE, {"name": alike[call.index].describe()})
        files = tuple(
            file.path
            for output in call.outputs
            if output.artifact is not None
            for file in output.artifact.files
        )
        rows.append(
            PlanRow(
                call.index,
                call.name,
                call.stage_id,
                call.record.index,
                call.record.get_reference_name(),
                verdict,
                reason,
                call.want is not Want.NOTHING,
                files if verdict is Verdict.REUSE else (),
            )
        )
    return Plan(tuple(rows), sum(call.outcome is CallOutcome.RAN for call in calls))

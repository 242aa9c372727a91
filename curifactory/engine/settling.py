"""Settling calls: reused by a trace or executed, in call order here, or by an executor as their inputs get ready."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from curifactory.core.outcomes import CallOutcome, Verdict
from curifactory.core.reason import Reason, ReasonKind
from curifactory.engine.facts import call_ended
from curifactory.engine.graph import Call
from curifactory.engine.keeping import Keeping
from curifactory.engine.plan import apply, has_to_run
from curifactory.engine.reusing import reuse_call
from curifactory.engine.running import check_values, run_call
from curifactory.errors import PartlyFailedError

if TYPE_CHECKING:
    from curifactory.engine.engine import Engine
    from curifactory.executors.executor import Executor


class Settling:
    """Settles the calls of an engine.

    Parameters
    ----------
    engine : Engine
        Whose calls they are.

    Attributes
    ----------
    failures : list of (Call, exception)
        What has failed, in that order.
    to_be_made : set of int
        Indices of settled calls that are to be executed once more, because a value that somebody wants lies nowhere.
    """

    __slots__ = ("_engine", "failures", "to_be_made")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.failures: list[tuple[Call, BaseException]] = []
        self.to_be_made: set[int] = set()

    def settle_all(self, calls: Sequence[Call], executor: Executor | None) -> None:
        """Settle calls, which contain whatever they need that is not settled.

        Parameters
        ----------
        calls : sequence of Call
            In call order.
        executor : Executor or None
            Executes what can be sent; None executes everything here, in call order.

        Raises
        ------
        PartlyFailedError
            At the end, if calls have failed and the run keeps going.
        Exception
            The first exception of a stage otherwise.
        """
        before = len(self.failures)
        keeping = Keeping(self._engine, calls)
        if executor is None:
            self._settle_here(calls, keeping)
        else:
            from curifactory.engine.schedule import Schedule

            Schedule(self._engine, self, executor, keeping).settle(calls)
        failed = self.failures[before:]
        if failed:
            self._mark_unreached(calls)
            # One that has failed earlier is lost for many.
            told = {call.index: (call.describe(), error) for call, error in failed}
            raise PartlyFailedError.of(list(told.values())) from failed[0][1]

    def settle(self, call: Call, *, is_decided: bool = False) -> None:
        """Settle a call whose inputs are settled: reuse it, or execute it here.

        Parameters
        ----------
        call : Call
            The call.
        is_decided : bool
            Whether it was decided at this very moment, or nothing was executed since.
        """
        is_open = call.verdict is Verdict.REUSE or not is_decided
        if is_open and self.settle_without_running(call, is_decided=is_decided):
            return
        if not call.has_values():
            self._make_again(self.absent_producers(call))
        foreseen = (
            self._engine.decider.foresee(call) if call.stage.is_saved and self.is_locked(call) else None
        )
        if foreseen is None:
            run_call(self._engine, call)
            return
        locks, locked = self._engine.call_locks, self._engine.decider.locked_keys(call, foreseen)
        waited = not locks.try_take(*locked)
        if waited:
            locks.take(*locked, what=call.describe())
        try:
            if not self.settle_as_made_elsewhere(call, foreseen.key, waited=waited):
                run_call(self._engine, call, foreseen)
        finally:
            locks.release(*locked)

    def is_locked(self, call: Call) -> bool:
        """Whether others who need a call wait while it is executed.

        A call inside another one is not locked: who holds one lock and wants another may wait for somebody who does the same.
        """
        asked_for = call.reason is not None and call.reason.kind is ReasonKind.ASKED_FOR
        if asked_for or self._engine.executing or not call.stage.is_saved:
            return False
        return call.index not in self.to_be_made and bool(call.stage.outputs)

    def skip_if_lost(self, call: Call) -> bool:
        """Take a call for not reached if one that it reads from has failed, and say whether that is so.

        Raises
        ------
        Exception
            What that one has raised, unless the run keeps going. It may have been caught in ``run()``, where values were
            read; whoever needs the value after that fails by it all the same.
        """
        failed = self._engine.failed
        if failed is None or not any(map(is_lost, call.producers)):
            return False
        if not self._engine.options.keep_going:
            raise failed[1]
        self.failures.append(failed)
        call.outcome = CallOutcome.NOT_REACHED
        self._engine.events.emit(call_ended(call))
        return True

    def settle_as_made_elsewhere(self, call: Call, key: str, *, waited: bool) -> bool:
        """Reuse what another process has made since the call was decided; False if there is nothing.

        Parameters
        ----------
        call : Call
            Whose lock is held.
        key : str
            The key of that lock.
        waited : bool
            Whether somebody else had it.
        """
        decider = self._engine.decider
        if not waited and not decider.may_have_been_made(call, key):
            return False
        decider.refresh(call)
        decision = decider.decide(call)
        if decision.verdict is not Verdict.REUSE:
            return False
        apply(call, decision)
        return self.settle_without_running(call)

    def settle_without_running(self, call: Call, *, is_decided: bool = False) -> bool:
        """Decide a call, now that its inputs are known, and reuse it if that is possible; False if it has to run."""
        engine = self._engine
        if not is_decided and self._is_open(call):
            decision = engine.decider.decide(call)
            # A call that still has to run keeps the reason that it had when it was compared with earlier runs.
            if not call.verdict is decision.verdict is Verdict.RUN:
                apply(call, decision)
        if call.verdict is not Verdict.REUSE:
            return False
        if call.absent is not None and has_to_run(call):
            call.verdict, call.reason = Verdict.RUN, call.absent
            return False
        check_values(engine, call)
        reuse_call(engine, call)
        return True

    def absent_producers(self, call: Call) -> list[Call]:
        """Return, in call order, the reused calls whose values this one needs, directly or not, and that lie nowhere."""
        wanted: dict[int, Call] = {}
        pending = [call]
        while pending:
            for slot in pending.pop().read_slots():
                if slot is None or slot.present:
                    continue
                producer = slot.producer
                if (
                    isinstance(producer, Call)
                    and producer.index not in wanted
                    and not self._engine.values.is_there(slot)
                ):
                    wanted[producer.index] = producer
                    pending.append(producer)
        return [wanted[index] for index in sorted(wanted)] if wanted else []

    def want_again(self, call: Call) -> None:
        """Let a settled call be executed although it was reused, because its value is wanted."""
        call.reason = call.absent or Reason(ReasonKind.PREPARED)
        call.verdict = Verdict.RUN
        self.to_be_made.add(call.index)

    def make(self, call: Call) -> None:
        """Execute a call here whose value is wanted although it was reused, and whatever it needs for that."""
        self._make_again((*self.absent_producers(call), call))

    def _make_again(self, calls: Sequence[Call]) -> None:
        for each in calls:
            self.want_again(each)
            run_call(self._engine, each)
            self.to_be_made.discard(each.index)

    def _settle_here(self, calls: Sequence[Call], keeping: Keeping) -> None:
        keeps_going = self._engine.options.keep_going
        # As long as nothing was executed, what has been decided of all calls holds for each of them.
        is_decided = True
        for call in calls:
            if call.outcome is not None or (self._engine.failed is not None and self.skip_if_lost(call)):
                continue
            try:
                self.settle(call, is_decided=is_decided and call.verdict is not Verdict.PERHAPS)
            except Exception as error:
                if not keeps_going or call.outcome is not CallOutcome.FAILED:
                    raise
                self.failures.append((call, error))
            is_decided = is_decided and call.outcome is CallOutcome.REUSED
            keeping.call_is_over(call)

    def _mark_unreached(self, calls: Sequence[Call]) -> None:
        for call in calls:
            if call.outcome is None:
                call.outcome = CallOutcome.NOT_REACHED
                self._engine.events.emit(call_ended(call))

    def _is_open(self, call: Call) -> bool:
        """Whether what was decided of a call may be otherwise by now."""
        if call.verdict is Verdict.REUSE:
            # Another call of this run may have written to a path that the stage asked for.
            if len(call.outputs) > len(call.stage.outputs):
                return True
            for producer in call.producers:  # noqa: SIM110 - a loop is half as long as a generator, and each call asks
                if producer.made:
                    return True
            return False
        return call.verdict is not Verdict.RUN or self._engine.decider.is_outdated(call)


def is_lost(call: Any) -> bool:
    """Whether a call will give nothing to those that read from it; one that was interrupted is made again."""
    return call.outcome in (CallOutcome.FAILED, CallOutcome.NOT_REACHED)

"""Calls settled by many hands: each as soon as its inputs are there, in other processes where that is possible."""

from __future__ import annotations

import heapq
import pickle
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING, Any

from curifactory.core.events import CallStarted
from curifactory.core.outcomes import Verdict
from curifactory.core.wall_clock import now
from curifactory.engine.adoption import adopt, adopt_failure, error_of
from curifactory.engine.graph import Call
from curifactory.engine.order import rank_calls
from curifactory.engine.reusing import name_inputs
from curifactory.engine.running import check_unchanged, run_call, tell_retry
from curifactory.engine.shipping import Performed, Shipment, labels_of
from curifactory.engine.travel import pack_for_worker
from curifactory.engine.underway import Sent, Underway
from curifactory.errors import say
from curifactory.executors.executor import Ended, Ending, Executor, Job, Told, Waits

if TYPE_CHECKING:
    from curifactory.engine.engine import Engine
    from curifactory.engine.identify import Identified
    from curifactory.engine.keeping import Keeping
    from curifactory.engine.settling import Settling

_LOOK_S = 1.0
_HELD_LOOK_S = 0.1


class Schedule:
    """Settles calls of a graph, each as soon as the calls that it reads from are settled.

    What decides anything stays here: verdicts, keys, traces. Other processes execute functions and save their outputs. Of calls
    that probably read the same, one goes first and the others wait for its trace; that orders the work and decides nothing.

    Parameters
    ----------
    engine : Engine
        Whose calls they are.
    settling : Settling
        Decides and reuses them, and executes those that cannot be sent.
    executor : Executor
        Executes the others.
    keeping : Keeping
        Is told of every call that is over.
    """

    def __init__(self, engine: Engine, settling: Settling, executor: Executor, keeping: Keeping) -> None:
        self._engine = engine
        self._settling = settling
        self._executor = executor
        self._keeping = keeping
        self._ready: list[tuple[int, int]] = []
        self._ranks: dict[int, int] = {}
        self._calls: dict[int, Call] = {}
        self._lacking: dict[int, set[int]] = {}
        self._readers: dict[int, list[int]] = {}
        self._underway = Underway(engine)
        self._followers: dict[str, list[Call]] = {}
        self._tries: dict[int, int] = {}
        self._failed: tuple[Call, BaseException] | None = None
        # Whether something may begin that could not when it was last tried.
        self._has_news = False
        self._looked_s = 0.0
        # The stages for whose calls there has been no room since then.
        self._full: set[int] = set()
        # Whether a call is ready and waits for another process, of which nobody tells us when it is over.
        self._is_held = False

    def settle(self, calls: Sequence[Call]) -> None:
        """Settle calls, which must contain whatever they need that is not settled.

        Raises
        ------
        Exception
            The first exception of a stage, when running calls have ended or failed as well, unless the run keeps going.
        KeyboardInterrupt
            If the person interrupts; what runs is stopped.
        """
        # In call order, so that who reads from a lost call is lost as well.
        open_calls = [call for call in calls if not self._settling.skip_if_lost(call)]
        self._calls = {call.index: call for call in open_calls}
        self._ranks = rank_calls(open_calls)
        for call in open_calls:
            self._await(call, [each for each in call.producers if each.index in self._calls])
        try:
            while self._ready or self._underway:
                if self._has_news or self._is_held or not self._underway:
                    self._start_ready()
                if self._underway:
                    happened = self._executor.wait(_HELD_LOOK_S if self._is_held else _LOOK_S)
                    # There may be more room all the same, as on a cluster that has grown, whatever calls tell meanwhile.
                    self._has_news |= not happened or time.monotonic() - self._looked_s > _LOOK_S
                    # While others are put away, something could begin.
                    for each in sorted(happened, key=_is_success):
                        self._take(each)
        except BaseException:
            self._stop()
            raise
        if self._failed is not None:
            self._engine.failed = self._failed
            raise self._failed[1]

    def _await(self, call: Call, producers: Sequence[Call]) -> None:
        """Let a call wait for others, or be ready if there are none."""
        waits_for = {each.index for each in producers if each.outcome is None or not each.settled}
        self._lacking[call.index] = waits_for
        for index in waits_for:
            self._readers.setdefault(index, []).append(call.index)
        if not waits_for:
            self._make_ready(call.index)

    def _make_ready(self, index: int) -> None:
        self._has_news = True
        heapq.heappush(self._ready, (self._ranks.get(index, 0), index))

    def _start_ready(self) -> None:
        self._has_news = self._is_held = False
        self._looked_s = time.monotonic()
        self._full.clear()
        held: list[tuple[int, int]] = []
        while self._ready and self._failed is None:
            place = heapq.heappop(self._ready)
            if not self._start(self._calls[place[1]]):
                held.append(place)
                if len(held) > len(self._underway):
                    # There is no room, and what comes later is to come later.
                    break
        for place in held:
            heapq.heappush(self._ready, place)
        if self._failed is not None:
            self._ready.clear()

    def _start(self, call: Call) -> bool:
        """Settle a call or send it away; False if there is no room for it now."""
        engine = self._engine
        if call.outcome is None and call.verdict is Verdict.RUN and id(call.stage) in self._full:
            # One of many that wait, asked again whenever there is room for one.
            return False
        if call.settled and call.index not in self._settling.to_be_made:
            self._go_on(call)
            return True
        has_room = self._has_room(call)
        # What has to run as far as is known is looked at again when it could begin, and not at every turn before.
        is_open = call.outcome is None and (has_room or call.verdict is not Verdict.RUN)
        if is_open and self._settling.settle_without_running(call):
            self._go_on(call)
            return True
        if not has_room:
            return False
        absent = self._settling.absent_producers(call)
        if absent:
            self._make_first(call, absent)
            return True
        foreseen = engine.decider.foresee(call)
        if foreseen is not None and foreseen.key in self._followers:
            self._followers[foreseen.key].append(call)
            return True
        locked: tuple[str, ...] = ()
        try:
            if foreseen is not None and self._settling.is_locked(call):
                wanted = engine.decider.locked_keys(call, foreseen)
                waited = False
                if not engine.call_locks.try_take(*wanted):
                    if self._underway:
                        # Who holds locks must not wait for one: somebody else may do the same.
                        self._is_held = True
                        return False
                    waited = engine.call_locks.take(*wanted, what=call.describe())
                locked = wanted
                if self._settling.settle_as_made_elsewhere(call, foreseen.key, waited=waited):
                    self._go_on(call)
                    return True
            self._send(call, foreseen, locked)
        finally:
            if call.index not in self._underway:
                engine.call_locks.release(*locked)
        return True

    def _has_room(self, call: Call) -> bool:
        """Whether a call could begin; while calls are only begun, there comes no room for a stage that had none."""
        stage = id(call.stage)
        if stage not in self._full and not self._executor.has_room(self._job_of(call, b"")):
            self._full.add(stage)
        return stage not in self._full

    def _job_of(self, call: Call, payload: bytes) -> Job:
        needs = call.spec.needs
        return Job(
            number=call.index,
            payload=payload,
            threads=needs.threads,
            memory_bytes=needs.memory_bytes,
            resources=needs.resources,
            timeout_s=needs.timeout_s or self._engine.options.timeout_s,
            leads_on=bool(self._readers.get(call.index)),
        )

    def _send(self, call: Call, foreseen: Identified | None, locked: tuple[str, ...]) -> None:
        """Send a call away, or execute it here if it cannot be sent."""
        engine = self._engine
        try:
            check_unchanged(engine, call)
            name_inputs(engine, call)
        except Exception as error:  # noqa: BLE001 - it ends the call like an exception of its stage
            self._fail(call, error, now(), "")
            return
        shipment = Shipment(engine, call)
        payload = self._pack(call, shipment)
        if payload is None:
            self._run_here(call)
            return
        if foreseen is not None:
            self._followers[foreseen.key] = []
        started = now()
        self._underway[call.index] = Sent(call, shipment.records, foreseen, locked, started)
        engine.events.emit(
            CallStarted(call.index, call.name, call.record.index, call.record.get_reference_name(), started)
        )
        self._executor.submit(self._job_of(call, payload))

    def _pack(self, call: Call, shipment: Shipment) -> bytes | None:
        """Return a call as bytes; None if it has to be executed here."""
        engine = self._engine
        labels = labels_of(engine, call) if engine.options.writes else {}
        if labels is None or id(call.spec) in engine.stays_here:
            return None
        wide = call.stage.may_read_state or id(call.spec) in engine.reads_widely
        shipped = shipment.pack(labels, wide=wide, unread=self._keeping.find_unread(call))
        if shipped is None:
            return None
        try:
            return pack_for_worker(shipped)
        except Exception as error:  # noqa: BLE001 - whatever a person's __reduce__ raises
            engine.stays_here.add(id(call.spec))
            engine.warn(
                f"'{call.name}' is executed in the command's own process, since what it is given cannot be sent to "
                f"another one ({say(error)})."
            )
            return None

    def _run_here(self, call: Call) -> None:
        self._settling.to_be_made.discard(call.index)
        try:
            run_call(self._engine, call)
        except Exception as error:  # noqa: BLE001 - run_call has told of it
            self._after_failure(call, error)
        else:
            self._go_on(call)

    def _make_first(self, call: Call, absent: Sequence[Call]) -> None:
        """Have calls executed again whose values lie nowhere, before the one that reads them."""
        to_be_made = self._settling.to_be_made
        for each in absent:
            if each.index not in self._underway and each.index not in to_be_made:
                self._settling.want_again(each)
                self._calls[each.index] = each
                self._await(each, [other for other in each.producers if other.index in to_be_made])
        self._lacking[call.index] = {each.index for each in absent}
        for each in absent:
            self._readers.setdefault(each.index, []).append(call.index)

    def _take(self, happened: Ended | Told | Waits) -> None:
        sent = self._underway.get(happened.number)
        if sent is None:
            return
        if isinstance(happened, Told):
            self._underway.hear(sent, happened.message)
            return
        if isinstance(happened, Waits):
            self._engine.warn(f"{sent.call.describe()} waits: {happened.detail}.")
            return
        # It has left room.
        self._has_news = True
        call = sent.call
        self._settling.to_be_made.discard(call.index)
        try:
            if happened.result:
                self._end(sent, pickle.loads(happened.result))
            else:
                self._fail(call, error_of(call, happened), sent.started, "")
        finally:
            # Not before: it holds its locks until here.
            self._underway.let_go(sent)
        if sent.foreseen is not None:
            for follower in self._followers.pop(sent.foreseen.key, ()):
                self._make_ready(follower.index)

    def _end(self, sent: Sent, done: Performed) -> None:
        call = sent.call
        if done.lacks is not None:
            self._send_more(call, done.lacks)
        elif done.error is not None:
            self._fail(call, done.error, done.started, done.frames)
        else:
            try:
                if not (self._readers.get(call.index) or self._engine.stays_here):
                    # Whoever has made it need not stand idle while it is put away; but a chain goes on before another one is begun.
                    self._start_ready()
            finally:
                # What is finished is kept, whatever becomes of the next.
                fault = adopt(self._engine, call, done, sent.records, sent.foreseen, self._keeping)
            if fault is None:
                self._go_on(call)
            else:
                self._after_failure(call, fault)

    def _send_more(self, call: Call, lacks: int) -> None:
        """Try a call again that has asked for something which was not there."""
        engine = self._engine
        self._underway.retract(call)
        producer = engine.graph.calls[lacks] if lacks >= 0 else None
        if producer is None or producer.settled:
            if id(call.spec) in engine.reads_widely:
                # It has been given all that can be sent.
                engine.stays_here.add(id(call.spec))
            engine.reads_widely.add(id(call.spec))
        if producer is not None:
            self._make_first(call, [producer])
        else:
            self._make_ready(call.index)

    def _fail(self, call: Call, error: BaseException, started: datetime, frames: str) -> None:
        if not isinstance(error, Exception):
            # As anywhere, who ends the program ends the run.
            if isinstance(error, SystemExit):
                # How exceptions are pickled may have been changed by others, and its code is not among its arguments.
                code: Any = error.args[0] if len(error.args) == 1 else error.args
                error.code = code or None
            self._end_with(call, error)
            adopt_failure(self._engine, call, error, started, frames)
            return
        tries = self._tries[call.index] = self._tries.get(call.index, 0) + 1
        allowed = max(call.spec.needs.retries, self._engine.options.retries)
        if tries <= allowed and self._failed is None:
            self._engine.warn(tell_retry(call, error, tries, allowed))
            self._underway.retract(call)
            self._make_ready(call.index)
            return
        self._after_failure(call, error)
        adopt_failure(self._engine, call, error, started, frames)

    def _after_failure(self, call: Call, error: BaseException) -> None:
        # Who waits for it goes on waiting, and is not reached.
        if self._engine.options.keep_going:
            self._settling.failures.append((call, error))
            self._keeping.call_is_over(call)
        else:
            self._end_with(call, error)

    def _end_with(self, call: Call, error: BaseException) -> None:
        """Begin nothing any more; what runs is finished."""
        if self._failed is None:
            self._failed = call, error
            self._underway.forget(self._executor.recall())

    def _go_on(self, call: Call) -> None:
        """Make those ready that have waited for nothing else."""
        self._keeping.call_is_over(call)
        for index in self._readers.pop(call.index, ()):
            lacking = self._lacking[index]
            lacking.discard(call.index)
            if not lacking and index not in self._underway:
                self._make_ready(index)

    def _stop(self) -> None:
        """Stop what runs, and tell of it."""
        with ExitStack() as stopping:
            stopping.callback(self._underway.interrupt)
            stopping.callback(self._engine.hands.close, at_once=True)
            self._underway.forget(self._executor.recall())


def _is_success(happened: Ended | Told | Waits) -> bool:
    return isinstance(happened, Ended) and happened.ending is Ending.DONE

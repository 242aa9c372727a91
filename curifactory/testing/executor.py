"""The laws of an executor as a pytest class."""

# ruff: noqa: S101 - laws are asserted

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from curifactory.executors.executor import Ended, Ending, Executor, Failed, Job, Setup, Tell, Told, Work

PATIENCE_S = 60.0


class ExecutorLaws:
    """What every executor keeps. Inherit, and override :meth:`make`.

    Examples
    --------
    A test file for an executor of one's own::

        class TestQueueExecutor(ExecutorLaws):
            def make(self, workers):
                return QueueExecutor(workers)
    """

    def make(self, workers: int) -> Executor:
        """Return a new executor that does so many jobs at once, if it can do more than one."""
        raise NotImplementedError("override the method 'make'")

    @pytest.fixture
    def executor(self) -> Iterator[Executor]:
        """Give a started executor of two workers."""
        executor = self.make(2)
        executor.start(_setup())
        try:
            yield executor
        finally:
            executor.close(at_once=True)

    def test_every_job_ends_exactly_once_with_its_own_result(self, executor: Executor) -> None:
        """Twenty jobs have twenty ends, each with the result of its own payload."""
        for number in range(20):
            executor.submit(Job(number=number, payload=b"say %d" % number))
        ended, _ = _gather(executor, 20)
        assert sorted(each.number for each in ended) == list(range(20))
        assert all(each.ending is Ending.DONE and each.result == b"say %d" % each.number for each in ended)
        assert list(executor.wait(0)) == []

    def test_what_a_job_tells_comes_before_its_end_and_in_order(self, executor: Executor) -> None:
        """Three messages come as they were told, and then the end."""
        executor.submit(Job(number=3, payload=b"tell a b c"))
        happened: list[Any] = []
        until = time.monotonic() + PATIENCE_S
        while not any(isinstance(each, Ended) for each in happened) and time.monotonic() < until:
            happened += executor.wait(1.0)
        assert [type(each) for each in happened] == [Told, Told, Told, Ended]
        assert [each.message for each in happened[:3]] == [b"a", b"b", b"c"]

    def test_work_that_raises_says_what(self, executor: Executor) -> None:
        """The traceback comes back, and the job beside it is done."""
        executor.submit(Job(number=1, payload=b"raise it is wrong"))
        executor.submit(Job(number=2, payload=b"say fine"))
        ended, _ = _gather(executor, 2)
        by_number = {each.number: each for each in ended}
        assert by_number[1].ending is Ending.RAISED
        assert "ValueError: it is wrong" in by_number[1].detail
        assert by_number[2].ending is Ending.DONE

    def test_a_job_that_ends_its_program_has_raised(self, executor: Executor) -> None:
        """``sys.exit`` in a job is an end like others."""
        executor.submit(Job(number=1, payload=b"leave"))
        ((only,), _) = _gather(executor, 1)
        assert only.ending in (Ending.RAISED, Ending.DIED)

    def test_there_is_room_for_any_job_while_nothing_runs(self, executor: Executor) -> None:
        """What asks for more than there is runs alone."""
        huge = Job(number=1, payload=b"say huge", threads=10_000, memory_bytes=10**18, resources={"gpu": 64})
        assert executor.has_room(huge)

    def test_a_worker_that_dies_takes_only_its_own_job_with_it(self, executor: Executor) -> None:
        """The killed job is told, the one beside it is done, and so is a later one."""
        if executor.in_process:
            pytest.skip("it would be this process that dies")
        executor.submit(Job(number=0, payload=b"say begun"))
        _gather(executor, 1)
        executor.submit(Job(number=1, payload=b"die"))
        executor.submit(Job(number=2, payload=b"say fine"))
        began = time.monotonic()
        ended, _ = _gather(executor, 2)
        by_number = {each.number: each for each in ended}
        assert by_number[1].ending is Ending.DIED
        assert by_number[2].result == b"say fine"
        assert time.monotonic() - began < PATIENCE_S
        executor.submit(Job(number=3, payload=b"say still here"))
        ((last,), _) = _gather(executor, 1)
        assert last.result == b"say still here"

    def test_a_job_that_takes_too_long_is_stopped(self, executor: Executor) -> None:
        """A job of ten minutes that may take half a second is over soon."""
        if executor.in_process:
            pytest.skip("nobody is there to stop it")
        executor.submit(Job(number=1, payload=b"sleep 600", timeout_s=0.5))
        ((only,), _) = _gather(executor, 1)
        assert only.ending is Ending.TIMED_OUT
        assert "0.5 s" in only.detail

    @pytest.mark.parametrize(
        ("payload", "ending"), [(b"say done", Ending.DONE), (b"sleep 600", Ending.TIMED_OUT)]
    )
    def test_what_a_process_needs_before_its_first_job_is_none_of_its_time(
        self, payload: bytes, ending: Ending
    ) -> None:
        """A job that may take less time than the imports before it is done, and stopped if it takes more than that itself."""
        executor = self.make(1)
        if executor.in_process and ending is Ending.TIMED_OUT:
            pytest.skip("nobody is there to stop it")
        executor.start(_setup("begin_slowly"))
        try:
            executor.submit(Job(number=1, payload=payload, timeout_s=2.0))
            ended, _ = _gather(executor, 1)
            assert [each.ending for each in ended] == [ending]
        finally:
            executor.close(at_once=True)

    def test_jobs_that_were_stopped_keep_no_worker_busy(self, executor: Executor) -> None:
        """After as many of them as there are workers, later jobs have all of their time, whatever those were at."""
        if executor.in_process:
            pytest.skip("nobody is there to stop it")
        for number, payload in ((1, b"sleep 600"), (2, b"hold")):
            executor.submit(Job(number=number, payload=payload, timeout_s=0.5))
        ended, _ = _gather(executor, 2)
        assert [each.ending for each in ended] == [Ending.TIMED_OUT] * 2
        executor.submit(Job(number=3, payload=b"say still here", timeout_s=PATIENCE_S))
        ((last,), _) = _gather(executor, 1)
        assert last.result == b"say still here"

    def test_a_recalled_job_has_not_begun_and_every_other_one_ends(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        """Of many jobs that are recalled, those are done that have an end, and those once."""
        for number in range(8):
            executor.submit(Job(number=number, payload=b"say quick"))
        _gather(executor, 8)
        submitted = range(10, 22)
        for number in submitted:
            mark = os.fsencode(tmp_path / str(number))
            executor.submit(Job(number=number, payload=b"mark %b 0.2" % mark))
        recalled = list(executor.recall())
        ended, _ = _gather(executor, len(submitted) - len(recalled))
        assert sorted([each.number for each in ended] + recalled) == list(submitted)
        assert {int(each.name): each.read_bytes() for each in tmp_path.iterdir()} == {
            each.number: b"." for each in ended
        }
        assert list(executor.recall()) == []
        number = min(recalled, default=10)
        executor.submit(Job(number=number, payload=b"say again"))
        assert _gather(executor, 1)[0] == [Ended(number, Ending.DONE, b"say again")]
        assert list(executor.wait(0)) == []

    def test_work_that_tells_of_its_failure_has_raised(self, executor: Executor) -> None:
        """What it tells comes back as it was told, and the jobs behind it are done."""
        for number in range(6):
            executor.submit(Job(number=number, payload=b"fail %d" % number))
        ended, _ = _gather(executor, 6)
        assert sorted(ended, key=lambda each: each.number) == [
            Ended(number, Ending.RAISED, b"fail %d" % number) for number in range(6)
        ]

    def test_nothing_of_it_is_left_when_it_is_closed_at_once(self) -> None:
        """The process that was busy is gone."""
        executor = self.make(2)
        executor.start(_setup())
        if executor.in_process:
            executor.close()
            return
        executor.submit(Job(number=1, payload=b"pid"))
        ((first,), _) = _gather(executor, 1)
        executor.submit(Job(number=2, payload=b"sleep 600"))
        executor.close(at_once=True)
        pid = int(first.result)
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and _is_there(pid):
            time.sleep(0.05)
        assert not _is_there(pid)


def begin(initial: bytes) -> Work:
    """Begin the work that the laws give to executors."""
    assert initial == b"laws"
    return _do


def begin_slowly(initial: bytes) -> Work:
    """Begin the same work, but not at once: as with a project that imports very much."""
    time.sleep(4.0)
    return begin(initial)


def _do(payload: bytes, tell: Tell) -> bytes:
    word, _, rest = payload.decode().partition(" ")
    if word == "tell":
        for each in rest.split():
            tell(each.encode())
    elif word == "raise":
        raise ValueError(rest)
    elif word == "fail":
        raise Failed(payload)
    elif word == "mark":
        path, _, seconds = rest.rpartition(" ")
        with open(path, "ab") as file:
            file.write(b".")
        time.sleep(float(seconds))
    elif word == "leave":
        sys.exit(3)
    elif word == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif word == "sleep":
        time.sleep(float(rest))
    elif word == "hold":
        # In C, where no other thread gets a turn.
        sum(range(10**12))
    elif word == "pid":
        return str(os.getpid()).encode()
    return payload


def _setup(begin: str = "begin") -> Setup:
    return Setup(begin=f"{__name__}:{begin}", initial=b"laws", path=tuple(sys.path), folder=os.getcwd())


def _gather(executor: Executor, count: int) -> tuple[list[Ended], list[Told]]:
    ended: list[Ended] = []
    told: list[Told] = []
    until = time.monotonic() + PATIENCE_S
    while len(ended) < count and time.monotonic() < until:
        for each in executor.wait(1.0):
            if isinstance(each, Ended):
                ended.append(each)
            elif isinstance(each, Told):
                told.append(each)
    return ended, told


def _is_there(pid: int) -> bool:
    with suppress(OSError), open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    return False

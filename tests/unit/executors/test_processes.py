import os
import signal
import sys
import time

import pytest

from curifactory.executors.executor import Ended, Ending, Job, Setup
from curifactory.executors.processes import ProcessExecutor

PATIENCE_S = 60.0


@pytest.fixture
def executor():
    executor = ProcessExecutor(2)
    executor.start(
        Setup(
            begin="curifactory.testing.executor:begin",
            initial=b"laws",
            path=tuple(sys.path),
            folder=os.getcwd(),
        )
    )
    yield executor
    executor.close(at_once=True)


def gather(executor, count):
    ended = {}
    until = time.monotonic() + PATIENCE_S
    while len(ended) < count and time.monotonic() < until:
        ended |= {each.number: each for each in executor.wait(1.0) if isinstance(each, Ended)}
    return ended


def pids(executor):
    for number in range(2):
        executor.submit(Job(number=number, payload=b"pid"))
    return {int(each.result) for each in gather(executor, 2).values()}


def test_a_worker_that_died_with_nothing_to_do_takes_no_job_with_it(executor):
    before = pids(executor)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    # To the last of them the dying process still is one.
    while any(os.path.exists(f"/proc/{pid}") for pid in before):
        time.sleep(0.02)
    for number in range(10, 14):
        executor.submit(Job(number=number, payload=b"say fine"))
    ended = gather(executor, 4)
    assert {each.ending for each in ended.values()} == {Ending.DONE}
    assert not before & pids(executor)


def test_a_job_that_waits_behind_one_whose_worker_dies_is_done(executor):
    executor.submit(Job(number=1, payload=b"die", threads=2))
    executor.submit(Job(number=2, payload=b"say fine", threads=2))
    executor.submit(Job(number=3, payload=b"say fine, too", threads=2))
    ended = gather(executor, 3)
    assert [ended[number].ending for number in (1, 2, 3)] == [Ending.DIED, Ending.DONE, Ending.DONE]
    assert "SIGKILL" in ended[1].detail


def test_a_job_that_waits_when_all_is_stopped_never_begins(executor, tmp_path):
    executor.submit(Job(number=1, payload=b"sleep 600", threads=2))
    executor.submit(Job(number=2, payload=b"say something", threads=2))
    executor.close(at_once=True)
    assert executor.wait(0) == []


def test_without_its_nursery_workers_go_on_and_dead_ones_are_replaced(executor):
    pids(executor)
    executor.submit(Job(number=1, payload=b"sleep 0.5"))
    os.kill(executor._nursery._process.pid, signal.SIGKILL)
    assert gather(executor, 1)[1].ending is Ending.DONE
    assert executor._nursery is None
    executor.submit(Job(number=2, payload=b"die"))
    assert gather(executor, 1)[2].ending is Ending.DIED
    executor.submit(Job(number=3, payload=b"say still here"))
    assert gather(executor, 1)[3].ending is Ending.DONE


def test_time_runs_from_the_begin_of_a_job_and_not_while_it_waits(executor):
    executor.submit(Job(number=1, payload=b"sleep 1.2", threads=2))
    executor.submit(Job(number=2, payload=b"sleep 0.1", threads=2, timeout_s=1.0))
    ended = gather(executor, 2)
    assert {each.ending for each in ended.values()} == {Ending.DONE}


def test_who_waits_for_nothing_is_not_kept(executor):
    assert executor.wait(None) == []
    executor.submit(Job(number=1, payload=b"sleep 1"))
    began = time.monotonic()
    assert executor.wait(0.05) == []
    assert time.monotonic() - began < PATIENCE_S
    assert gather(executor, 1)[1].ending is Ending.DONE


def test_of_what_was_stopped_nothing_is_told_after_another_start(executor):
    executor.submit(Job(number=1, payload=b"die"))
    executor.submit(Job(number=2, payload=b"sleep 600"))
    # Its death is known, and told to nobody who waits.
    assert executor._workers[0].process.wait(PATIENCE_S) == -signal.SIGKILL
    executor.submit(Job(number=3, payload=b"say later", threads=2))
    executor.close(at_once=True)
    executor.start(executor._setup)
    assert executor.wait(0) == []
    executor.submit(Job(number=1, payload=b"say again"))
    assert gather(executor, 1)[1] == Ended(1, Ending.DONE, b"say again")

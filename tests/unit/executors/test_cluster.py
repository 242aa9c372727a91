import os
import sys
import time

import pytest

from curifactory.executors.executor import Ended, Ending, Job, Setup

pytestmark = [
    # A worker that is killed leaves its parent's ends of pipes to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def executor():
    pytest.importorskip("distributed", reason="distributed is not installed: pip install curifactory[dask]")
    from curifactory.executors.cluster import DaskExecutor

    executor = DaskExecutor(workers=2)
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


def do(executor, payloads, **needs):
    """Submit jobs while there is room; return how each ended, and how many there were at the same time at most."""
    waiting = [Job(number=number, payload=payload, **needs) for number, payload in enumerate(payloads)]
    ended, running, most = {}, set(), 0
    until = time.monotonic() + PATIENCE_S
    while len(ended) < len(payloads) and time.monotonic() < until:
        while waiting and executor.has_room(waiting[0]):
            job = waiting.pop(0)
            executor.submit(job)
            running.add(job.number)
        most = max(most, len(running))
        for each in executor.wait(1.0):
            if isinstance(each, Ended):
                ended[each.number] = each
                running.remove(each.number)
    return [ended[number] for number in sorted(ended)], most


def test_many_short_jobs_are_handed_over_ahead_of_time(executor):
    ended, most = do(executor, [b"say %d" % number for number in range(60)])
    assert [each.result for each in ended] == [b"say %d" % number for number in range(60)]
    assert most == 8


def test_jobs_that_take_longer_are_not(executor):
    ended, most = do(executor, [b"say short"] * 10 + [b"sleep 0.1"] * 10)
    assert {each.ending for each in ended} == {Ending.DONE}
    ended, most = do(executor, [b"sleep 0.05"] * 10)
    assert most == 2


@pytest.mark.parametrize("needs", [{"timeout_s": 60.0}, {"resources": {"gpu": 1}}], ids=["time", "gpu"])
def test_jobs_that_have_a_time_or_want_a_thing_are_not(executor, needs):
    _, most = do(executor, [b"say short"] * 20, **needs)
    assert most == 2


def test_a_worker_that_dies_takes_none_with_it_that_was_handed_over_ahead(executor):
    payloads = [b"say fine"] * 40
    payloads[25] = b"die"
    ended, most = do(executor, payloads)
    assert most == 8
    assert [each.number for each in ended if each.ending is not Ending.DONE] == [25]
    assert ended[25].ending is Ending.DIED


def test_of_a_cluster_of_others_a_late_job_is_given_up_and_the_end_says_that_its_worker_goes_on():
    distributed = pytest.importorskip("distributed", reason="distributed is not installed")
    from curifactory.executors.cluster import DaskExecutor

    options = {
        "n_workers": 1,
        "threads_per_worker": 1,
        "dashboard_address": "127.0.0.1:0",
        "silence_logs": 50,
    }
    with distributed.LocalCluster(**options) as cluster:
        executor = DaskExecutor(cluster.scheduler_address)
        setup = Setup("curifactory.testing.executor:begin", b"laws", tuple(sys.path), os.getcwd())
        executor.start(setup)
        try:
            do(executor, [b"say begun"])
            # Tried again under the same number, a job has all of its time from the beginning.
            ((failed,), _) = do(executor, [b"raise it is wrong"], timeout_s=1.0)
            ((again,), _) = do(executor, [b"sleep 1.5"], timeout_s=PATIENCE_S)
            assert (failed.ending, again.ending) == (Ending.RAISED, Ending.DONE)
            began = time.monotonic()
            ((late,), _) = do(executor, [b"sleep 3"], timeout_s=0.5)
            assert late.ending is Ending.TIMED_OUT
            assert "longer than 0.5 s; its worker goes on with it" in late.detail
            assert time.monotonic() - began < 3
            # The worker is there for others as soon as it is through.
            ((later,), _) = do(executor, [b"say fine"], timeout_s=PATIENCE_S)
            assert later.result == b"say fine"
        finally:
            executor.close()

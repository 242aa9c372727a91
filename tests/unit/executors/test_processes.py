import os
import random
import signal
import sys
import time
from contextlib import suppress

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


def make_haste(executor):
    """Let it see that jobs are short."""
    for number in range(1000, 1008):
        executor.submit(Job(number=number, payload=b"say quick"))
    gather(executor, 8)


def test_while_jobs_are_short_some_lie_ready_but_not_many(executor):
    executor.submit(Job(number=1, payload=b"sleep 1"))
    executor.submit(Job(number=2, payload=b"sleep 1"))
    assert not executor.has_room(Job(number=3, payload=b"say early"))
    gather(executor, 2)
    make_haste(executor)
    number = 10
    while executor.has_room(Job(number=number, payload=b"sleep 0.3")):
        executor.submit(Job(number=number, payload=b"sleep 0.3"))
        number += 1
    assert 13 <= number < 20
    assert [len(worker.jobs) > 1 for worker in executor._workers] == [True, True]
    assert set(gather(executor, number - 10)) == set(range(10, number))


def test_what_lies_ready_behind_a_job_that_dies_is_done_all_the_same(executor):
    make_haste(executor)
    for number in range(6):
        executor.submit(Job(number=number, payload=b"die" if number < 2 else b"say fine"))
    assert len(executor._workers[0].jobs) > 1
    ended = gather(executor, 6)
    assert {number for number, each in ended.items() if each.ending is Ending.DIED} == {0, 1}
    assert {ended[number].ending for number in range(2, 6)} == {Ending.DONE}


def test_killed_from_without_every_job_ends_once_and_at_most_one_for_each_death_dies(executor):
    make_haste(executor)
    ends, deaths, submitted = [], 0, 0
    until = time.monotonic() + PATIENCE_S
    while len(ends) < 400 and time.monotonic() < until:
        while submitted < 400 and executor.has_room(Job(number=submitted, payload=b"say on")):
            executor.submit(Job(number=submitted, payload=b"say on"))
            submitted += 1
            if submitted % 40 == 0:
                worker = executor._workers[submitted // 40 % 2]
                if worker.process.pid is not None and worker.process.code is None:
                    os.kill(worker.process.pid, signal.SIGKILL)
                    deaths += 1
        ends += [each for each in executor.wait(1.0) if isinstance(each, Ended)]
    assert sorted(each.number for each in ends) == list(range(400))
    assert deaths > 3
    assert sum(each.ending is Ending.DIED for each in ends) <= deaths
    assert {each.ending for each in ends} <= {Ending.DIED, Ending.DONE}


def test_who_has_nothing_to_do_begins_what_lies_ready_behind_a_long_job(executor):
    make_haste(executor)
    executor.submit(Job(number=0, payload=b"sleep 600"))
    for number in range(1, 6):
        executor.submit(Job(number=number, payload=b"say fine"))
    long = next(worker for worker in executor._workers if worker.jobs[0].number == 0)
    assert len(long.jobs) > 1
    assert set(gather(executor, 5)) == {1, 2, 3, 4, 5}
    # Whoever had not begun the long one when the other had nothing to do has lost it to that one.
    assert [[job.number for job in worker.jobs] for worker in executor._workers if worker.jobs] == [[0]]


def test_a_job_that_a_slow_process_has_not_begun_is_done_by_another_and_both_go_on(executor):
    make_haste(executor)
    slow, _ = executor._workers
    os.kill(slow.process.pid, signal.SIGSTOP)
    for number in range(4):
        executor.submit(Job(number=number, payload=b"say fine"))
    assert [job.number for job in slow.jobs] == [0, 2]
    assert set(gather(executor, 3)) == {0, 1, 3}
    os.kill(slow.process.pid, signal.SIGCONT)
    assert set(gather(executor, 1)) == {2}
    for number in (4, 5):
        executor.submit(Job(number=number, payload=b"sleep 600"))
    assert [[job.number for job in worker.jobs] for worker in executor._workers] == [[4], [5]]


def test_a_job_that_needs_more_than_a_core_gets_its_turn_among_short_ones(executor):
    make_haste(executor)
    special = Job(number=9999, payload=b"say mine", resources={"gpu": 1})
    number, ended = 0, {}
    until = time.monotonic() + PATIENCE_S
    # Whatever room a short one leaves, the next one takes.
    while number == 0 or (not executor.has_room(special) and number < 2000 and time.monotonic() < until):
        while executor.has_room(Job(number=number, payload=b"sleep 0.01")):
            executor.submit(Job(number=number, payload=b"sleep 0.01"))
            number += 1
        ended |= {each.number: each for each in executor.wait(1.0) if isinstance(each, Ended)}
    assert number < 100
    executor.submit(special)
    ended |= gather(executor, number + 1 - len(ended))
    assert ended[special.number].ending is Ending.DONE


def test_nothing_goes_ahead_of_its_time_that_is_to_be_stopped_after_a_while(executor):
    make_haste(executor)
    executor.submit(Job(number=1, payload=b"sleep 1"))
    executor.submit(Job(number=2, payload=b"sleep 1"))
    assert not executor.has_room(Job(number=3, payload=b"sleep 1", timeout_s=5.0))
    assert not executor.has_room(Job(number=4, payload=b"say 4", threads=2))
    assert set(gather(executor, 2)) == {1, 2}


def test_nothing_lies_ready_behind_a_job_for_whose_end_another_one_waits(executor):
    make_haste(executor)
    executor.submit(Job(number=0, payload=b"sleep 0.5", leads_on=True))
    executor.submit(Job(number=1, payload=b"sleep 0.5"))
    number = 2
    while executor.has_room(Job(number=number, payload=b"say fine")):
        executor.submit(Job(number=number, payload=b"say fine"))
        number += 1
    assert number > 2
    leading = next(worker for worker in executor._workers if worker.jobs[0].number == 0)
    assert len(leading.jobs) == 1
    assert set(gather(executor, number)) == set(range(number))


def test_jobs_that_are_too_large_to_lie_ready_are_done_among_others(executor):
    make_haste(executor)
    payloads = {number: b"say " + b"x" * (300_000 if number % 3 == 1 else 3) for number in range(40)}
    waiting, ended = list(payloads.items()), {}
    until = time.monotonic() + PATIENCE_S
    while len(ended) < len(payloads) and time.monotonic() < until:
        while waiting and executor.has_room(Job(number=waiting[0][0], payload=b"")):
            number, payload = waiting.pop(0)
            executor.submit(Job(number=number, payload=payload))
        ended |= {each.number: each.result for each in executor.wait(1.0) if isinstance(each, Ended)}
    assert ended == payloads


@pytest.mark.parametrize("killed_early", [True, False])
def test_workers_that_die_while_they_begin_take_each_one_job_with_them(executor, killed_early, tmp_path):
    executor.close()
    module = tmp_path / "dying_at_once.py"
    module.write_text("import os\nos._exit(7)\n", encoding="utf-8")
    executor.start(executor._setup._replace(begin="dying_at_once:begin", path=(str(tmp_path), *sys.path)))
    if killed_early:
        assert {worker.process.wait(PATIENCE_S) for worker in executor._workers} == {7}
        executor.submit(Job(number=0, payload=b""))
        assert gather(executor, 1)[0].ending is Ending.DIED
    for number in range(1, 4):
        executor.submit(Job(number=number, payload=b""))
    ended = gather(executor, 3)
    assert {each.ending for each in ended.values()} == {Ending.DIED}
    assert set(ended) == {1, 2, 3}


def lay_out(executor, payload):
    """Give both workers a job, and let others lie ready for them; return how many there are."""
    make_haste(executor)
    number = 0
    while executor.has_room(Job(number=number, payload=payload(number))):
        executor.submit(Job(number=number, payload=payload(number)))
        number += 1
    assert number > 4
    return number


def pids_of(executor):
    return {worker.process.pid for worker in executor._workers}


def mark(folder, number, seconds):
    return b"mark %b %g" % (os.fsencode(folder / str(number)), seconds)


def wait_for_files(folder, count):
    until = time.monotonic() + PATIENCE_S
    while len(os.listdir(folder)) < count and time.monotonic() < until:
        time.sleep(0.01)


def test_what_lies_ready_is_recalled_and_what_was_begun_is_finished(executor, tmp_path):
    number = lay_out(executor, lambda number: mark(tmp_path, number, 1.0))
    wait_for_files(tmp_path, 2)
    assert sorted(executor.recall()) == list(range(2, number))
    assert set(gather(executor, 2)) == {0, 1}
    assert sorted(os.listdir(tmp_path)) == ["0", "1"]
    assert executor.wait(None) == []
    assert pids(executor) == pids_of(executor)


def test_what_a_process_that_stands_still_has_not_begun_is_recalled(executor, tmp_path):
    make_haste(executor)
    for worker in executor._workers:
        os.kill(worker.process.pid, signal.SIGSTOP)
    for number in range(4):
        executor.submit(Job(number=number, payload=mark(tmp_path, number, 0)))
    assert sorted(executor.recall()) == [0, 1, 2, 3]
    assert executor.wait(None) == []
    for worker in executor._workers:
        os.kill(worker.process.pid, signal.SIGCONT)
    # All of it is there for others.
    assert executor.has_room(Job(number=4, payload=b"", threads=2))
    assert len(pids(executor)) == 2
    assert os.listdir(tmp_path) == []


SLOW = """
import time

def begin(initial):
    time.sleep(600)
"""


def start_slow(executor, tmp_path):
    executor.close()
    (tmp_path / "slow_to_begin.py").write_text(SLOW, encoding="utf-8")
    executor.start(executor._setup._replace(begin="slow_to_begin:begin", path=(str(tmp_path), *sys.path)))


def test_the_first_job_of_a_process_that_still_imports_is_recalled(executor, tmp_path):
    start_slow(executor, tmp_path)
    executor.submit(Job(number=0, payload=b""))
    executor.submit(Job(number=1, payload=b""))
    assert sorted(executor.recall()) == [0, 1]
    assert executor.wait(None) == []


def test_a_job_whose_process_never_begins_it_is_stopped_after_a_while(executor, tmp_path, monkeypatch):
    monkeypatch.setattr("curifactory.executors.processes.PREPARATION_S", 0.5)
    start_slow(executor, tmp_path)
    executor.submit(Job(number=0, payload=b"", timeout_s=0.5))
    ended = gather(executor, 1)[0]
    assert ended.ending is Ending.TIMED_OUT
    assert "had not imported the project after 0.5 s" in ended.detail


def test_behind_a_failure_nothing_begins_before_it_was_heard_of(executor, tmp_path):
    count = lay_out(executor, lambda number: b"fail %d" % number if number < 2 else mark(tmp_path, number, 0))
    before = pids_of(executor)
    happened = executor.wait(PATIENCE_S)
    # Who waits again has nothing against the next.
    time.sleep(0.3)
    assert os.listdir(tmp_path) == []
    ended = {each.number: each for each in happened} | gather(executor, count - len(happened))
    assert {number for number, each in ended.items() if each.ending is Ending.RAISED} == {0, 1}
    assert len(os.listdir(tmp_path)) == count - 2
    assert pids_of(executor) == before


@pytest.mark.parametrize("seed", range(4))
def test_whatever_becomes_of_its_processes_a_job_is_begun_once_at_most_and_ends_or_is_recalled(
    executor, tmp_path, seed
):
    drawn = random.Random(seed)
    make_haste(executor)
    ends, recalled, submitted, deaths, stopped = [], set(), 0, 0, []
    until = time.monotonic() + PATIENCE_S
    while len(ends) + len(recalled) < 300 and time.monotonic() < until:
        while submitted < 300 and executor.has_room(Job(number=submitted, payload=b"")):
            what = drawn.random()
            path = os.fsencode(tmp_path / str(submitted))
            executor.submit(
                Job(
                    number=submitted,
                    payload=b"mark %b %g" % (path, 0.003 if what < 0.1 else 0),
                    threads=2 if what > 0.98 else 1,
                    leads_on=0.9 < what < 0.95,
                )
            )
            submitted += 1
            worker = drawn.choice(executor._workers)
            pid = worker.process.pid
            if pid is None or worker.process.code is not None:
                continue
            what = drawn.random()
            # One that was killed before may be gone; nobody else is going to get its number so soon.
            if what < 0.04:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    deaths += 1
            elif what < 0.2:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
                    stopped.append(pid)
            elif what < 0.22:
                recalled |= set(executor.recall())
        happened = executor.wait(drawn.choice([0.0, 0.001, 0.05]))
        ends += happened
        if stopped and (not happened or drawn.random() < 0.3):
            with suppress(ProcessLookupError):
                os.kill(stopped.pop(0), signal.SIGCONT)
    assert sorted([each.number for each in ends] + list(recalled)) == list(range(300))
    assert deaths
    assert sum(each.ending is Ending.DIED for each in ends) <= deaths
    begun = {int(each.name): each.read_bytes() for each in tmp_path.iterdir()}
    assert not set(begun) & recalled
    done = {each.number for each in ends if each.ending is Ending.DONE}
    assert {begun[number] for number in done} == {b"."}
    # Of one that has died it may be the last that it did.
    assert set(begun.values()) <= {b".", b""}
    for pid in stopped:
        if os.path.exists(f"/proc/{pid}"):
            os.kill(pid, signal.SIGCONT)
    assert executor.has_room(Job(number=999, payload=b"", threads=2))
    assert len(pids(executor)) == 2

import os
import signal
import subprocess
import sys
import time

import pytest

from curifactory.executors.executor import Ended, Ending, Job, Setup, Waits

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


@pytest.fixture
def patient(executor, monkeypatch):
    """Let a job be short up to a second, as one is that does nothing on a machine that others use too."""
    monkeypatch.setattr(executor._pace, "_short_s", 1.0)


def test_many_short_jobs_are_handed_over_ahead_of_time(executor, patient):
    ended, most = do(executor, [b"say %d" % number for number in range(60)])
    assert [each.result for each in ended] == [b"say %d" % number for number in range(60)]
    assert most == 8


def test_one_that_is_slow_for_once_does_not_stop_that(executor, patient):
    ended, most = do(executor, [b"sleep 1.1", *[b"say short"] * 4] * 3)
    assert {each.ending for each in ended} == {Ending.DONE}
    assert most == 8


def test_jobs_that_take_longer_are_not(executor):
    ended, most = do(executor, [b"say short"] * 10 + [b"sleep 0.1"] * 10)
    assert {each.ending for each in ended} == {Ending.DONE}
    ended, most = do(executor, [b"sleep 0.05"] * 10)
    assert most == 2


@pytest.mark.parametrize(
    ("needs", "at_once"),
    [
        ({"timeout_s": 60.0}, 2),
        ({"memory_bytes": 1}, 2),
        ({"threads": 2}, 1),
        ({"resources": {"licence": 1}}, 1),
    ],
    ids=["time", "memory", "threads", "thing"],
)
def test_jobs_that_have_a_time_or_want_a_thing_are_not(executor, needs, at_once):
    ended, most = do(executor, [b"say short"] * 20, **needs)
    assert [each.result for each in ended] == [b"say short"] * 20
    assert most == at_once


def test_short_jobs_do_not_go_ahead_beside_one_that_wants_the_machine_for_itself(executor, patient):
    do(executor, [b"say short"] * 10)
    short = Job(number=1, payload=b"say short")
    executor.submit(Job(number=0, payload=b"sleep 0.2", threads=2))
    assert not executor.has_room(short)
    while not executor.wait(1.0):
        pass
    assert executor.has_room(short)


def test_a_worker_that_dies_takes_none_with_it_that_was_handed_over_ahead(executor, patient):
    payloads = [b"say fine"] * 40
    payloads[25] = b"die"
    ended, most = do(executor, payloads)
    assert most == 8
    assert [each.number for each in ended if each.ending is not Ending.DONE] == [25]
    assert ended[25].ending is Ending.DIED


DANGEROUS = """
import os
import signal
import time


class Lethal:
    # The first time that it is given away, or each time, its process dies.
    def __init__(self, name, always):
        self.name, self.always = name, always

    def __reduce__(self):
        if self.always or is_first(self.name):
            os.kill(os.getpid(), signal.SIGKILL)
        return bytes, (b"fine",)


def is_first(name):
    try:
        os.close(os.open(name, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def begin(initial):
    return do


def do(payload, tell):
    word, _, name = payload.decode().partition(" ")
    if word == "die":
        while name and not os.path.exists(name):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)
    elif word in ("lethal", "always"):
        return Lethal(name, word == "always")
    return b"fine"
"""


@pytest.fixture
def dangerous(tmp_path_factory):
    """Give an executor of one worker, whose jobs kill it in several ways, and the folder of the files that they name.

    Each test has its own: 15 s after a death Dask gives up a worker that is not there at that moment, as after the next death.
    """
    pytest.importorskip("distributed", reason="distributed is not installed")
    from curifactory.executors.cluster import DaskExecutor

    folder = tmp_path_factory.mktemp("dangerous")
    (folder / "dangerous.py").write_text(DANGEROUS)
    executor = DaskExecutor(workers=1)
    setup = Setup("dangerous:begin", b"", (str(folder), *sys.path), str(folder))
    executor.start(setup)
    yield executor, folder, setup
    executor.close(at_once=True)


def await_all(executor, count):
    """Return how jobs ended that were submitted, by number."""
    ended = []
    until = time.monotonic() + PATIENCE_S
    while len(ended) < count and time.monotonic() < until:
        ended += executor.wait(1.0)
    assert len({each.number for each in ended}) == len(ended) == count
    return {each.number: each for each in ended}


def test_a_job_whose_result_died_with_its_worker_before_anybody_asked_is_done_again(dangerous):
    executor, folder, _ = dangerous
    executor.submit(Job(number=0, payload=b"say"))
    await_all(executor, 1)
    executor.submit(Job(number=0, payload=b"say"))
    executor.submit(Job(number=1, payload=b"die now"))
    # Nobody asks for the first one until its worker is dead, and another one takes a second to begin.
    time.sleep(0.5)
    (folder / "now").touch()
    time.sleep(0.3)
    ended = await_all(executor, 2)
    assert (ended[0].ending, ended[0].result) == (Ending.DONE, b"fine")
    assert ended[1].ending is Ending.DIED


def test_a_job_whose_worker_dies_while_the_result_is_fetched_is_done_again(dangerous):
    executor, folder, _ = dangerous
    executor.submit(Job(number=0, payload=b"lethal once"))
    assert await_all(executor, 1)[0].result == b"fine"
    assert (folder / "once").exists()


def test_a_job_whose_result_always_kills_its_worker_ends_and_later_ones_are_done(dangerous):
    executor, _, _ = dangerous
    executor.submit(Job(number=0, payload=b"always"))
    ended = await_all(executor, 1)
    assert ended[0].ending is Ending.DIED
    executor.submit(Job(number=1, payload=b"say"))
    assert await_all(executor, 1)[1].result == b"fine"


def test_a_job_that_has_not_begun_in_a_worker_that_dies_is_done_elsewhere(dangerous):
    executor, folder, _ = dangerous
    # Of as few as these, the worker is given all.
    executor.submit(Job(number=0, payload=b"die later"))
    executor.submit(Job(number=1, payload=b"say"))
    time.sleep(0.2)
    (folder / "later").touch()
    ended = await_all(executor, 2)
    assert (ended[0].ending, ended[1].ending) == (Ending.DIED, Ending.DONE)


def test_an_executor_that_was_closed_is_started_again_and_knows_nothing_of_earlier_jobs(dangerous):
    executor, _, setup = dangerous
    executor.submit(Job(number=0, payload=b"die never"))
    executor.close(at_once=True)
    executor.start(setup)
    executor.submit(Job(number=0, payload=b"say"))
    assert await_all(executor, 1)[0].result == b"fine"


@pytest.mark.parametrize("is_forgotten", [False, True], ids=["it is closed", "it is forgotten"])
def test_a_worker_that_dask_has_given_up_is_replaced(dangerous, is_forgotten):
    executor, _, _ = dangerous
    cluster = executor._cluster.dask
    for name, nanny in list(cluster.workers.items()):
        cluster.sync(nanny.close)
        if is_forgotten:
            del cluster.workers[name]
    executor.submit(Job(number=0, payload=b"say"))
    assert await_all(executor, 1)[0].result == b"fine"


def test_jobs_for_a_cluster_that_is_gone_die(tmp_path):
    pytest.importorskip("distributed", reason="distributed is not installed")
    from curifactory.executors.cluster import DaskExecutor

    script = (
        "import distributed, time\n"
        "if __name__ == '__main__':\n"
        "    cluster = distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address='127.0.0.1:0')\n"
        "    print(cluster.scheduler_address, flush=True)\n"
        "    time.sleep(600)\n"
    )
    (tmp_path / "cluster.py").write_text(script)
    cluster = subprocess.Popen(
        [sys.executable, str(tmp_path / "cluster.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        executor = DaskExecutor(cluster.stdout.readline().strip().removeprefix("tcp://"))
        executor.start(Setup("curifactory.testing.executor:begin", b"laws", tuple(sys.path), os.getcwd()))
        executor.submit(Job(number=0, payload=b"sleep 600"))
        os.killpg(cluster.pid, signal.SIGKILL)
        assert await_all(executor, 1)[0].ending is Ending.DIED
        # Now its client looks for the scheduler, and later it has given up.
        until = time.monotonic() + PATIENCE_S
        for number in range(1, 1000):
            executor.submit(Job(number=number, payload=b"say"))
            told = await_all(executor, 1)[number]
            assert told.ending is Ending.DIED
            assert "the cluster has lost it" in told.detail
            if "ClosedClientError" in told.detail or time.monotonic() > until:
                break
        assert "ClosedClientError" in told.detail
    finally:
        executor.close(at_once=True)
        os.killpg(cluster.pid, signal.SIGKILL) if cluster.poll() is None else None
        cluster.communicate()


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


def test_of_a_cluster_of_others_what_its_scheduler_has_given_to_nobody_is_recalled(tmp_path):
    distributed = pytest.importorskip("distributed", reason="distributed is not installed")
    from curifactory.executors.cluster import DaskExecutor

    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(**options, silence_logs=50) as cluster:
        executor = DaskExecutor(cluster.scheduler_address)
        executor.start(Setup("curifactory.testing.executor:begin", b"laws", tuple(sys.path), os.getcwd()))
        try:
            do(executor, [b"say begun"])
            for number in range(6):
                mark = os.fsencode(tmp_path / str(number))
                executor.submit(Job(number=number, payload=b"mark %b 1" % mark))
            while not os.listdir(tmp_path):
                time.sleep(0.01)
            recalled = set(executor.recall())
            # The worker may have another one lie ready, of which the scheduler does not know how far it is.
            assert 5 in recalled
            assert 0 not in recalled
            assert set(await_all(executor, 6 - len(recalled))) == set(range(6)) - recalled
            ((later,), _) = do(executor, [b"say fine"])
            assert later.result == b"say fine"
            assert {int(each) for each in os.listdir(tmp_path)} == set(range(6)) - recalled
        finally:
            executor.close()


@pytest.fixture
def others():
    """Give a cluster of others with one worker of one core, and an executor that uses it."""
    distributed = pytest.importorskip("distributed", reason="distributed is not installed")
    from curifactory.executors.cluster import DaskExecutor

    options = {
        "n_workers": 1,
        "threads_per_worker": 1,
        "memory_limit": "1GB",
        "dashboard_address": "127.0.0.1:0",
    }
    with distributed.LocalCluster(**options, silence_logs=50) as cluster:
        executor = DaskExecutor(cluster.scheduler_address)
        executor.start(Setup("curifactory.testing.executor:begin", b"laws", tuple(sys.path), os.getcwd()))
        try:
            yield cluster, executor
        finally:
            executor.close()


def test_workers_that_come_to_a_cluster_of_others_while_a_run_goes_on_are_used(others):
    cluster, executor = others
    assert do(executor, [b"say here"] * 3)[1] == 1
    cluster.scale(2)
    cluster.wait_for_workers(2)
    until = time.monotonic() + PATIENCE_S
    while do(executor, [b"sleep 0.1"] * 4)[1] < 2:
        assert time.monotonic() < until
    cluster.scale(1)
    while do(executor, [b"sleep 0.1"] * 4)[1] > 1:
        assert time.monotonic() < until


@pytest.mark.parametrize("needs", [{"threads": 2}, {"memory_bytes": 1_200_000_000}])
def test_on_a_cluster_of_others_jobs_take_together_no_more_than_its_workers_have(others, needs):
    cluster, executor = others
    cluster.scale(2)
    cluster.wait_for_workers(2)
    until = time.monotonic() + PATIENCE_S
    while do(executor, [b"sleep 0.1"] * 4)[1] < 2:
        assert time.monotonic() < until
    ended, most = do(executor, [b"say fine"] * 3, **needs)
    assert (most, {each.result for each in ended}) == (1, {b"say fine"})


def test_a_job_that_needs_what_no_worker_of_others_has_fails_and_says_so(others, monkeypatch):
    from curifactory.executors import others_cluster

    _, executor = others
    monkeypatch.setattr(others_cluster, "_LACKING_S", 1.0)
    ((failed,), _) = do(executor, [b"say never"], resources={"gpu": 1})
    assert failed.ending is Ending.RAISED
    assert (
        "no worker of the cluster has gpu=1; start some with: dask worker … --resources 'gpu=1'"
        in failed.detail
    )
    assert do(executor, [b"say fine"])[0][0].result == b"say fine"


def test_that_a_job_waits_for_a_busy_worker_of_others_is_said_once(others, monkeypatch):
    from curifactory.executors import others_cluster

    _, executor = others
    do(executor, [b"say begun"])
    monkeypatch.setattr(others_cluster, "_WAITS_S", 1.0)
    monkeypatch.setattr(others_cluster, "_LOOK_S", 0.2)
    # One that runs long waits for nothing; when it was given up, the next one waits for its worker.
    executor.submit(Job(number=0, payload=b"sleep 6", timeout_s=2.5))
    executor.submit(Job(number=1, payload=b"say late"))
    happened = []
    until = time.monotonic() + PATIENCE_S
    while len([each for each in happened if isinstance(each, Ended)]) < 2 and time.monotonic() < until:
        happened += executor.wait(0.3)
    (waits,) = [each for each in happened if isinstance(each, Waits)]
    assert waits.number == 1
    assert "busy with something else" in waits.detail
    assert {each.number: each.ending for each in happened if isinstance(each, Ended)} == {
        0: Ending.TIMED_OUT,
        1: Ending.DONE,
    }


def test_a_worker_that_dies_is_told_in_our_words(executor, others):
    _, theirs = others
    for each, words in ((executor, "it exited, or was killed"), (theirs, "processes of the cluster exited")):
        ((died,), _) = do(each, [b"die"])
        assert died.ending is Ending.DIED
        assert words in died.detail
        assert "KilledWorker" not in died.detail


def test_a_job_waits_for_a_worker_as_long_as_the_cluster_has_none(others, monkeypatch):
    from curifactory.executors import others_cluster

    cluster, executor = others
    monkeypatch.setattr(others_cluster, "_LACKING_S", 0.0)
    cluster.scale(0)
    until = time.monotonic() + PATIENCE_S
    while executor._client.nthreads():
        assert time.monotonic() < until
        time.sleep(0.05)
    executor.submit(Job(number=0, payload=b"say here", resources={"gpu": 1}))
    assert list(executor.wait(3.0)) == []
    monkeypatch.setattr(others_cluster, "_WAITS_S", 1.0)
    happened, until = [], time.monotonic() + PATIENCE_S
    while not happened and time.monotonic() < until:
        happened += executor.wait(0.3)
    assert happened == [Waits(0, "the cluster has no worker; it goes on when one comes")]
    executor.recall()

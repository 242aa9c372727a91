import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from curifactory.executors import nursery as nurseries
from curifactory.executors.channel import Channel
from curifactory.executors.executor import Setup
from curifactory.executors.nursery import Nursery, begin_early, take_nursery
from curifactory.executors.tray import Tray

PATIENCE_S = 60.0


@pytest.fixture
def nursery():
    nursery = Nursery("curifactory.executors.resolving")
    yield nursery
    nursery.close()


def give_birth(nursery):
    """Return a worker that does its work, and its channel."""
    ours, theirs = socket.socketpair()
    tray = Tray.open()
    with theirs:
        child = nursery.bear(theirs, tray)
    tray.close()
    channel = Channel(ours)
    setup = Setup(
        begin="curifactory.executors.resolving:echo", initial=b"", path=tuple(sys.path), folder=os.getcwd()
    )
    channel.send(pickle.dumps((setup, dict(os.environ))))
    channel.send(pickle.dumps((1, b"payload", 1)))
    return child, channel


def answer(channel):
    return pickle.loads(channel.receive())[:3]


def is_there(pid):
    with suppress(OSError), open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    return False


def is_gone_soon(pid):
    until = time.monotonic() + PATIENCE_S
    while is_there(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not is_there(pid)


def test_children_work_each_at_the_head_of_its_own_session(nursery):
    children = [give_birth(nursery) for _ in range(3)]
    assert [answer(channel) for _, channel in children] == [("done", 1, b"payload")] * 3
    nursery.listen()
    pids = [child.pid for child, _ in children]
    assert len(set(pids)) == 3
    assert [os.getsid(pid) for pid in pids] == pids
    for child, channel in children:
        channel.close()
        assert child.wait(PATIENCE_S) is not None


def test_it_tells_how_a_child_has_ended(nursery):
    child, channel = give_birth(nursery)
    answer(channel)
    assert not child.is_over
    child.signal(signal.SIGKILL)
    assert child.wait(PATIENCE_S) == -signal.SIGKILL
    assert child.is_over
    channel.close()


def test_who_waits_for_a_child_that_lives_gets_no_code(nursery):
    child, channel = give_birth(nursery)
    answer(channel)
    assert child.wait(0.05) is None
    channel.close()


def test_children_of_a_nursery_that_has_died_go_on(nursery):
    child, channel = give_birth(nursery)
    answer(channel)
    nursery.listen()
    os.kill(nursery._process.pid, signal.SIGKILL)
    until = time.monotonic() + PATIENCE_S
    while nursery.is_there and time.monotonic() < until:
        time.sleep(0.02)
    assert not nursery.is_there
    channel.send(pickle.dumps((1, b"payload", 1)))
    assert answer(channel) == ("done", 1, b"payload")
    assert child.wait(PATIENCE_S) is None
    assert child.is_lost
    child.signal(signal.SIGKILL)
    assert is_gone_soon(child.pid)
    channel.close()
    unborn, channel = give_birth_to_nobody(nursery)
    assert unborn.is_over
    channel.close()


def give_birth_to_nobody(nursery):
    ours, theirs = socket.socketpair()
    with theirs:
        return nursery.bear(theirs), ours


def test_a_module_that_cannot_be_imported_is_told_by_the_work():
    nursery = Nursery("there.is.no.such.module")
    child, channel = give_birth(nursery)
    assert answer(channel) == ("done", 1, b"payload")
    channel.close()
    assert child.wait(PATIENCE_S) is not None
    nursery.close()


def test_one_that_was_begun_early_is_taken_once_and_only_for_its_module():
    begin_early("json")
    early = nurseries._early[0]
    begin_early("json")
    assert nurseries._early == [early]
    other = take_nursery("string")
    assert other is not early
    assert take_nursery("json") is early
    assert nurseries._early == []
    for each in (other, early):
        each.close()


def test_one_that_nobody_has_taken_is_gone_with_its_process():
    program = (
        "from curifactory.executors import nursery\n"
        "nursery.begin_early('json')\n"
        "print(nursery._early[0]._process.pid)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert not is_there(int(done.stdout))
    assert done.stderr == ""


def test_a_nursery_that_nobody_has_heard_out_says_nothing_when_it_is_left(nursery, capfd):
    for _ in range(3):
        _, channel = give_birth(nursery)
        answer(channel)
        channel.close()
    # What it has told lies unread at our end, which resets the connection.
    nursery._control.close()
    assert nursery._process.wait(PATIENCE_S) == 0
    assert capfd.readouterr().err == ""

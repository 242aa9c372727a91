import ast
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from curifactory.executors.channel import Channel
from curifactory.executors.executor import Setup
from curifactory.executors.nursery import Nursery
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
    """Return what is told of the next job; before the first one comes an empty message."""
    return pickle.loads(channel.receive() or channel.receive())[:3]


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


ALONE = """
import os, pickle, signal, socket, sys
from curifactory.executors import nursery as nurseries
from curifactory.executors.channel import Channel
from curifactory.executors.executor import Setup
from curifactory.executors.tray import Tray

nurseries.begin_early("json")
early = nurseries._early[0]
"""


def run_alone(program):
    """Run a program that begins a nursery early, as only a process can in which there is nothing else."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE + program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        timeout=PATIENCE_S,
    )
    assert done.stderr == ""
    return done.stdout


def test_one_that_was_begun_early_is_taken_once_and_only_for_its_module():
    assert (
        run_alone("""
nurseries.begin_early("json")
assert nurseries._early == [early]
other = nurseries.take_nursery("string")
assert other is not early
assert nurseries.take_nursery("json") is early
assert nurseries._early == []
for each in (other, early):
    each.close()
    assert not each.is_there
print("fine")
""")
        == "fine\n"
    )


def test_one_that_nobody_has_taken_is_gone_with_its_process():
    assert not is_there(int(run_alone("print(early._process.pid)")))


LOOKING = """
import os, signal, sys

def begin(initial):
    return lambda payload, tell: repr((
        sorted(int(each) for each in os.listdir("/proc/self/fd")),
        os.read(0, 1),
        os.getsid(0) == os.getpid(),
        signal.getsignal(signal.SIGINT) is signal.default_int_handler,
        signal.getsignal(signal.SIGTERM) is signal.SIG_DFL,
        signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        sys.stdout is sys.__stdout__,
    )).encode()
"""


def test_of_the_process_that_it_is_a_fork_of_nothing_but_modules_is_in_its_children(tmp_path):
    (tmp_path / "looking.py").write_text(LOOKING, encoding="utf-8")
    said = run_alone(f"""
nurseries.take_nursery("json").close()
held = open({str(tmp_path / "looking.py")!r}, "rb")
sys.stdout.write("said once")
sys.stdout, before = open(os.devnull, "w"), sys.stdout
nurseries.begin_early("json")
sys.stdout = before
nursery = nurseries.take_nursery("json")
ours, theirs = socket.socketpair()
tray = Tray.open()
nursery.bear(theirs, tray)
theirs.close()
channel = Channel(ours)
setup = Setup(begin="looking:begin", initial=b"", path=({str(tmp_path)!r}, *sys.path), folder="/")
channel.send(pickle.dumps((setup, dict(os.environ))))
channel.send(pickle.dumps((1, b"", 1)))
assert channel.receive() == b""
print(pickle.loads(channel.receive())[2].decode())
nursery.close()
""")
    descriptors, *rest = ast.literal_eval(said.removeprefix("said once"))
    # The standard ones, its two ends, and the folder that it lists; what the nursery is told by is not among them.
    assert len(descriptors) <= 7
    assert rest == [b"", True, True, True, set(), True]


def test_a_nursery_that_nobody_has_heard_out_says_nothing_when_it_is_left(nursery, capfd):
    for _ in range(3):
        _, channel = give_birth(nursery)
        answer(channel)
        channel.close()
    # What it has told lies unread at our end, which resets the connection.
    nursery._control.close()
    assert nursery._process.wait(PATIENCE_S) == 0
    assert capfd.readouterr().err == ""

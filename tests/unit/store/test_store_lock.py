"""The lock on a whole store, held by real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from curifactory.store.layout import Layout
from curifactory.store.store_lock import StoreLock

HOLDER = """
import sys
from pathlib import Path
from curifactory.store.layout import Layout
from curifactory.store.store_lock import StoreLock
lock = StoreLock(Layout(Path(sys.argv[1])))
if sys.argv[2] == "share":
    lock.share()
else:
    assert lock.take_alone(wait_s=0)
print("held", flush=True)
sys.stdin.readline()
lock.release()
print("released", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "data/cache")


@pytest.fixture
def hold(layout: Layout):
    """Give a function that starts a process which holds the lock until it is told to let go."""
    started = []

    def start(how: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(layout.cache), how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_runs_hold_it_together_and_a_collection_waits_for_all_of_them(layout, hold) -> None:
    first, second = hold("share"), hold("share")
    mine = StoreLock(layout)
    mine.share()
    mine.release()
    assert not mine.take_alone(wait_s=0)
    for process in (first, second):
        assert not mine.take_alone(wait_s=0)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "released\n"
    assert mine.take_alone(wait_s=0)
    mine.release()


def test_it_dies_with_its_process(layout, hold) -> None:
    process = hold("share")
    process.send_signal(signal.SIGKILL)
    process.wait()
    lock = StoreLock(layout)
    assert lock.take_alone(wait_s=0)
    lock.release()


def test_a_run_waits_for_a_collection_and_says_so(layout, hold) -> None:
    process = hold("alone")
    said: list[str] = []

    def tell(text: str) -> None:
        said.append(text)
        process.stdin.write("\n")
        process.stdin.flush()

    lock = StoreLock(layout, warn=tell)
    lock.share()
    assert process.stdout.readline() == "released\n"
    assert said == ["Waiting for a collection of this store's garbage to end."]
    lock.release()


def test_a_collection_can_wait_for_ever(layout, hold) -> None:
    process = hold("share")
    process.stdin.write("\n")
    process.stdin.flush()
    lock = StoreLock(layout)
    assert lock.take_alone(wait_s=None)
    lock.release()


def test_who_holds_it_may_take_it_again(layout) -> None:
    lock, other = StoreLock(layout), StoreLock(layout)
    assert lock.take_alone(wait_s=0)
    assert lock.take_alone(wait_s=0)
    lock.release()
    assert not other.take_alone(wait_s=0)
    lock.release()
    assert other.take_alone(wait_s=0)
    other.release()


def test_a_lock_that_nobody_has_any_more_is_free(layout) -> None:
    lock = StoreLock(layout)
    lock.share()
    del lock
    other = StoreLock(layout)
    assert other.take_alone(wait_s=0)
    other.release()


def test_what_only_reads_makes_no_file(layout) -> None:
    lock = StoreLock(layout)
    lock.share(create=False)
    lock.release()
    assert not layout.cache.parent.exists()


def test_a_file_system_without_locks_is_told_once_and_used(layout, monkeypatch) -> None:
    import errno
    import fcntl

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    said: list[str] = []
    run, collection = StoreLock(layout, warn=said.append), StoreLock(layout)
    run.share()
    run.release()
    run.share()
    assert len(said) == 1
    assert "has no locks" in said[0]
    assert collection.take_alone(wait_s=0)


def test_a_lock_that_rests_is_free_soon_and_can_be_shared_again(layout) -> None:
    run, collection = StoreLock(layout), StoreLock(layout)
    for _ in range(3):
        run.share()
        assert not collection.take_alone(wait_s=0)
        run.rest()
        assert collection.take_alone(wait_s=20)
        collection.release()


def test_a_lock_that_rests_is_still_held_by_who_shares_it_again_at_once(layout) -> None:
    run, collection = StoreLock(layout), StoreLock(layout)
    run.share()
    run.rest()
    run.share()
    assert not collection.take_alone(wait_s=0)
    run.release()
    assert collection.take_alone(wait_s=0)
    collection.release()


def test_who_shares_a_lock_again_and_again_does_not_keep_others_from_it(layout) -> None:
    run, collection = StoreLock(layout), StoreLock(layout)
    got = threading.Event()

    def collect() -> None:
        if collection.take_alone(wait_s=None):
            got.set()
            collection.release()

    collecting = threading.Thread(target=collect, daemon=True)
    collecting.start()
    deadline = time.monotonic() + 60
    while not got.is_set() and time.monotonic() < deadline:
        run.share()
        time.sleep(0.001)
        run.rest()
    collecting.join(1)
    assert got.is_set()
    run.release()


def test_a_lock_that_rests_notices_that_its_file_was_replaced(layout) -> None:
    run, collection = StoreLock(layout), StoreLock(layout)
    run.share()
    run.rest()
    os.unlink(layout.lock_path)
    assert collection.take_alone(wait_s=20)
    collection.release()
    deadline = time.monotonic() + 20
    while run._resting and time.monotonic() < deadline:
        time.sleep(0.01)
    run.share()
    assert not collection.take_alone(wait_s=0)
    run.release()
    assert collection.take_alone(wait_s=0)
    collection.release()


def test_a_lock_that_is_held_twice_does_not_rest(layout) -> None:
    run, collection = StoreLock(layout), StoreLock(layout)
    run.share()
    run.share()
    run.rest()
    assert not collection.take_alone(wait_s=0)
    run.rest()
    assert collection.take_alone(wait_s=20)
    collection.release()

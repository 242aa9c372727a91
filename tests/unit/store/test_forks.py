"""What a forked child may do to what its parent has: nothing, whether it outlives it, ends before it, or works beside it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from curifactory.core.trace import StoredFile
from curifactory.store.artifacts import ArtifactFiles, FileState
from curifactory.store.call_locks import CallLocks
from curifactory.store.index import Index
from curifactory.store.layout import Layout
from curifactory.store.store_lock import StoreLock
from curifactory.store.traces import TraceStore

KEY = "9f" * 32
# Processes of their own, since those that run tests have threads, with which a fork is a warning.
BEGIN = """
import json, os, signal, sys, time
from pathlib import Path
from curifactory.core.trace import Output, Trace
from curifactory.store.artifacts import ArtifactFiles
from curifactory.store.call_locks import CallLocks
from curifactory.store.index import Index
from curifactory.store.layout import Layout
from curifactory.store.store_lock import StoreLock
from curifactory.store.traces import TraceStore

layout = Layout(Path(sys.argv[1]))

def say(*words):
    # At once and whole: others write at the same time, and where Python does not buffer, `print` writes the end of a line alone.
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def in_child(work):
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return child
"""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "data" / "cache")


def start(layout: Layout, script: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BEGIN + textwrap.dedent(script), str(layout.cache)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


def run(layout: Layout, script: str) -> list[str]:
    process = start(layout, script)
    out, _ = process.communicate(timeout=100)
    assert process.returncode == 0
    return out.split("\n")[:-1]


@pytest.mark.parametrize(
    ("take", "is_free"),
    [
        (
            f"locks = CallLocks(layout); locks.take('{KEY}', what='it')",
            lambda layout: CallLocks(layout).try_take(KEY),
        ),
        ("lock = StoreLock(layout); lock.share()", lambda layout: StoreLock(layout).take_alone(wait_s=0)),
        (
            "lock = StoreLock(layout); lock.share(); lock.rest()",
            lambda layout: StoreLock(layout).take_alone(wait_s=0),
        ),
    ],
    ids=["call", "store", "store that rests"],
)
def test_the_locks_of_a_killed_process_do_not_live_on_with_its_child(layout, take, is_free) -> None:
    process = start(
        layout,
        f"""
        {take}
        child = in_child(lambda: (say("begun"), time.sleep(1000)))
        say(child)
        signal.pause()
        """,
    )
    lines = sorted(process.stdout.readline().strip() for _ in range(2))
    assert lines[1] == "begun"
    process.kill()
    process.wait()
    try:
        assert is_free(layout)
    finally:
        os.kill(int(lines[0]), signal.SIGKILL)
        process.stdout.close()


def test_a_child_lets_go_of_no_lock_of_its_parent(layout) -> None:
    said = run(
        layout,
        f"""
        locks, held, resting = CallLocks(layout), StoreLock(layout), StoreLock(layout)
        locks.take("{KEY}", what="it")
        held.share()
        resting.share()
        resting.rest()

        def work():
            locks.release("{KEY}")
            locks.close()
            for lock in (held, resting):
                lock.rest()
                lock.release()
                lock.share()
                lock.rest()
                lock.release()

        os.waitpid(in_child(work), 0)
        resting.share()
        held.release()
        say(CallLocks(layout).try_take("{KEY}"), StoreLock(layout).take_alone(wait_s=0))
        resting.release()
        say(StoreLock(layout).take_alone(wait_s=0))
        """,
    )
    assert said == ["False False", "True"]


def test_a_child_has_locks_of_its_own(layout) -> None:
    said = run(
        layout,
        f"""
        locks = CallLocks(layout)
        locks.take("{KEY}", what="it")
        os.waitpid(in_child(lambda: say(locks.try_take("{KEY}"), locks.try_take("00"))), 0)
        """,
    )
    assert said == ["False True"]


def test_a_child_takes_nothing_from_its_parents_index(layout) -> None:
    said = run(
        layout,
        """
        insert = "INSERT INTO runs (reference, experiment, outcome) VALUES (?, 'iris', 'complete')"
        index = Index(layout.index_path)
        index.add_filler("runs", lambda write, since: 0)
        with index.batch():
            index.execute(insert, ("iris_1",))

            def work():
                say(index.query("SELECT reference FROM runs"))
                index.execute(insert, ("iris_2",))
                index.close()

            os.waitpid(in_child(work), 0)
        say(index.query("SELECT reference FROM runs ORDER BY reference"))
        say(index.query("SELECT count(*) FROM writers"))
        index.execute(insert, ("iris_3",))
        os._exit(0)
        """,
    )
    assert said == ["[]", "[('iris_1',), ('iris_2',)]", "[(1,)]"]
    since = []
    with Index(layout.index_path) as index:
        # The parent has gone without a word, so what it may have written is looked for.
        index.add_filler("runs", lambda write, moment: since.append(moment) or 0)
        index.query("SELECT 1")
    assert len(since) == 1


def test_children_save_side_by_side_what_their_parent_finds(layout) -> None:
    said = run(
        layout,
        """
        index = Index(layout.index_path)
        files = ArtifactFiles(layout, index)
        traces = TraceStore(layout, index, files=files)

        def save(name):
            staging = files.new_staging()
            files.staged.write(f"{staging}/x", name.encode())
            # What is under way is not another's.
            time.sleep(0.001)
            (file,) = files.commit([(f"{staging}/x", f"{layout.cache}/{name}")], is_untouched=True)
            files.discard_staging(staging)
            key = name.encode().hex().ljust(64, "0")
            outputs = (Output("x", "str", file.digest),)
            traces.commit(
                Trace(key, "iris.load", "c", {}, {}, {}, {}, outputs, "iris_1", "", 0.5), parts={}, places={}
            )
            return key, file

        def save_many(number):
            say(json.dumps([save(f"{number}-{turn}") for turn in range(20)]))

        save("first")
        children = [in_child(lambda: save_many(number)) for number in range(4)]
        codes = [os.waitpid(child, 0)[1] for child in children]
        save_many("own")
        say(codes)
        """,
    )
    assert said.pop() == "[0, 0, 0, 0]"
    saved = [each for line in said for each in json.loads(line)]
    assert len(saved) == 100
    with Index(layout.index_path) as index:
        files = ArtifactFiles(layout, index)
        traces = TraceStore(layout, index, files=files)
        for key, file in saved:
            stored = StoredFile(*file)
            assert Path(files.path_of(stored)).read_text() == stored.path
            assert files.read_through(stored) is FileState.PRESENT
            assert files.state(stored) is FileState.PRESENT
            assert traces.find(key, stage="iris.load").outputs[0].summary == stored.digest
        traces.close()
        files.close()

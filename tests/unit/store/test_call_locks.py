"""Locks on calls: all of some or none, and held until they have been let go of as often as they were taken."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from curifactory.store.call_locks import CallLocks
from curifactory.store.layout import Layout

A, B, C = "a" * 64, "b" * 64, "c" * 64


@pytest.fixture
def two(tmp_path) -> Iterator[tuple[CallLocks, CallLocks]]:
    layout = Layout(tmp_path / "data" / "cache")
    one, other = CallLocks(layout), CallLocks(layout)
    yield one, other
    one.close()
    other.close()


def test_of_several_locks_all_are_taken_or_none(two) -> None:
    one, other = two
    assert one.try_take(B)
    assert not other.try_take(A, B)
    assert one.try_take(A)
    one.release(B)
    assert not other.try_take(C, A)
    assert other.try_take(B, C)


def test_a_lock_that_was_taken_twice_is_held_until_it_was_let_go_of_twice(two) -> None:
    one, other = two
    assert one.try_take(A, B)
    assert one.try_take(A, C)
    one.release(A, B)
    assert not other.try_take(A)
    assert other.try_take(B)
    one.release(A, C)
    assert other.try_take(A, C)


def test_what_could_not_be_taken_with_another_one_stays_held_by_who_had_it(two) -> None:
    one, other = two
    assert other.try_take(C)
    assert one.try_take(A)
    assert not one.try_take(A, C)
    assert not other.try_take(A)


def test_closing_lets_go_of_everything(two) -> None:
    one, other = two
    assert one.try_take(A, B)
    assert one.try_take(A)
    one.close()
    assert other.try_take(A, B)


def test_a_file_that_must_not_be_written_locks_nothing_and_nobody_waits(tmp_path) -> None:
    script = """
import fcntl, os, sys
from pathlib import Path
from curifactory.store.call_locks import CallLocks
from curifactory.store.layout import Layout
if os.getuid() == 0:
    # Nobody, who must not look into a folder of root's.
    os.setuid(65534)
locks = CallLocks(Layout(Path(sys.argv[1])), warn=print)
print(locks.take("9f", what="it"))
locks.release("9f")
"""
    layout = Layout(tmp_path / "data" / "cache")
    layout.call_locks_path.parent.mkdir()
    layout.call_locks_path.touch(0o400)
    # Folders of root's are open to everybody where somebody has made them so.
    layout.call_locks_path.parent.chmod(0o700)
    done = subprocess.run(
        [sys.executable, "-c", script, str(layout.cache)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=100,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    told, waited = done.stdout.splitlines()
    assert "Permission denied" in told
    assert waited == "False"

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from curifactory.errors import StoreError
from curifactory.store import filesystems
from curifactory.store.index import Index
from curifactory.store.process import process_facts

INSERT = "INSERT OR REPLACE INTO runs (reference, experiment, outcome) VALUES (?, 'iris', 'complete')"
COUNT = "SELECT count(*) FROM runs"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "index.db"


@pytest.fixture
def said():
    return []


def environment() -> dict[str, str]:
    """Let another process import what this one does."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def count(path) -> int:
    """Count what is committed, as another process would see it."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(COUNT).fetchone()[0]


def wait_for(condition) -> None:
    for _ in range(400):
        if condition():
            return
        time.sleep(0.02)
    pytest.fail("did not come")


def fill_ten(write, since):
    write(INSERT, [(f"iris_{number}",) for number in range(10)])
    return 10


def test_nothing_is_made_before_it_is_used(path):
    with Index(path):
        pass
    assert not path.parent.exists()


def test_a_query_sees_what_was_written_before(path):
    with Index(path) as index:
        index.execute(INSERT, ("iris_1",))
        assert index.query("SELECT reference FROM runs") == [("iris_1",)]


def test_many_lookups_see_the_file_as_it_was_until_something_is_written(path):
    lookup = "SELECT reference FROM runs WHERE reference = ?"
    with Index(path) as index, Index(path) as other:
        index.execute(INSERT, ("iris_1",))
        index.flush()
        with index.reading():
            assert index.lookup(lookup, ("iris_1",)) == ("iris_1",)
            other.execute(INSERT, ("iris_2",))
            other.flush()
            assert index.lookup(lookup, ("iris_2",)) is None
            index.execute(INSERT, ("iris_3",))
            index.flush()
            assert index.lookup(lookup, ("iris_2",)) == ("iris_2",)
        assert index.lookup(lookup, ("iris_3",)) == ("iris_3",)
        assert count(path) == 3


def test_writing_for_the_first_time_while_reading_is_no_trouble(path):
    said = []
    with Index(path) as other:
        other.execute(INSERT, ("iris_1",))
    with Index(path) as other, Index(path, warn=said.append) as index, index.reading():
        assert index.query(COUNT) == [(1,)]
        other.execute(INSERT, ("iris_2",))
        other.flush()
        index.execute(INSERT, ("iris_3",))
        assert index.query(COUNT) == [(3,)]
    assert said == []


def test_rows_are_committed_within_a_short_time_without_being_asked(path):
    with Index(path) as index:
        index.execute(INSERT, ("iris_1",))
        wait_for(lambda: path.exists() and count(path) == 1)
        index.execute(INSERT, ("iris_2",))
        wait_for(lambda: count(path) == 2)


def test_a_batch_is_committed_as_one(path):
    with Index(path) as index:
        index.flush()
        with index.batch():
            for number in range(3):
                index.execute(INSERT, (f"iris_{number}",))
            time.sleep(0.3)
            assert count(path) == 0
        assert count(path) == 3


def test_closing_commits_and_leaves_one_file(path):
    index = Index(path)
    index.execute(INSERT, ("iris_1",))
    index.close()
    assert os.listdir(path.parent) == ["index.db"]
    assert count(path) == 1


def test_it_can_be_used_again_after_closing(path):
    index = Index(path)
    index.execute(INSERT, ("iris_1",))
    index.close()
    index.execute(INSERT, ("iris_2",))
    assert index.query(COUNT) == [(2,)]
    index.close()


def test_threads_share_it(path):
    with Index(path) as index:

        def work(name):
            for number in range(50):
                index.execute(INSERT, (f"{name}_{number}",))
                index.lookup(COUNT)

        threads = [threading.Thread(target=work, args=(f"t{number}",)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert index.query(COUNT) == [(200,)]


def test_a_new_index_is_filled_once(path):
    with Index(path) as index:
        index.add_filler("runs", fill_ten)
        assert index.query(COUNT) == [(10,)]
    with Index(path) as index:
        index.add_filler("runs", lambda write, since: pytest.fail("filled already"))
        assert index.query(COUNT) == [(10,)]


def test_a_filler_that_comes_late_is_run_at_once(path):
    with Index(path) as index:
        assert index.query(COUNT) == [(0,)]
        index.add_filler("runs", fill_ten)
        assert index.query(COUNT) == [(10,)]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: os.urandom(len(data)),
        lambda data: data[:100] + os.urandom(len(data) - 100),
        lambda data: b"This is no database, but it is long enough to look like one." * 100,
    ],
    ids=["emptied", "cut", "noise", "noise after the header", "text"],
)
def test_a_damaged_index_is_made_again_and_told_once(path, said, damage):
    with Index(path) as index:
        index.add_filler("runs", fill_ten)
        index.query(COUNT)
    damaged = damage(path.read_bytes())
    path.write_bytes(damaged)
    with Index(path, warn=said.append) as index:
        index.add_filler("runs", fill_ten)
        assert index.query(COUNT) == [(10,)]
        index.execute(INSERT, ("iris_10",))
        assert index.query(COUNT) == [(11,)]
    assert count(path) == 11
    aside = path.with_name("index.db.damaged")
    assert len(said) == aside.exists()
    if said:
        assert aside.read_bytes() == damaged
        assert "made again" in said[0]


def test_an_index_that_is_deleted_while_it_is_open_is_made_again(path):
    with Index(path) as index:
        index.add_filler("runs", fill_ten)
        index.query(COUNT)
        path.unlink()
        index.execute(INSERT, ("iris_10",))
        assert index.query(COUNT) == [(11,)]
        assert count(path) == 11


def test_an_index_that_is_overwritten_while_it_is_open_is_made_again(path, said):
    with Index(path, warn=said.append) as index:
        index.add_filler("runs", fill_ten)
        index.execute(INSERT, ("iris_10",))
        index.flush()
        for name in os.listdir(path.parent):
            (path.parent / name).write_bytes(b"noise" * 2000)
        index.execute(INSERT, ("iris_11",))
        index.flush()
        assert index.query("SELECT count(*) FROM runs WHERE reference = 'iris_11'") == [(1,)]
    assert len(said) <= 1


def test_tables_of_another_version_are_made_again(path):
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE runs (other)")
        connection.execute("PRAGMA user_version = 99")
    with Index(path) as index:
        index.add_filler("runs", fill_ten)
        assert index.query(COUNT) == [(10,)]


def test_where_no_file_can_be_made_it_lives_in_memory_and_says_so_once(tmp_path, said):
    (tmp_path / "data").write_text("not a folder")
    with Index(tmp_path / "data" / "index.db", warn=said.append) as index:
        index.add_filler("runs", fill_ten)
        index.execute(INSERT, ("iris_10",))
        assert index.query(COUNT) == [(11,)]
    assert len(said) == 1
    assert "in memory" in said[0]


def test_a_project_that_was_deleted_is_not_brought_back(tmp_path, path, said):
    with Index(path, warn=said.append) as index:
        index.execute(INSERT, ("iris_1",))
        index.flush()
        path.parent.rename(tmp_path / "moved")
        index.execute(INSERT, ("iris_2",))
        index.flush()
    assert not path.parent.exists()


def test_a_locked_index_delays_and_fails_nothing(path, said, monkeypatch):
    monkeypatch.setattr("curifactory.store.database.BUSY_TIMEOUT_S", 0.1)
    with Index(path, warn=said.append) as index:
        index.execute(INSERT, ("iris_1",))
        index.flush()
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            index.execute(INSERT, ("iris_2",))
            index.flush()
            assert index.lookup(COUNT) == (1,)
            other.execute("ROLLBACK")
        assert index.query(COUNT) == [(2,)]
    assert len(said) == 1
    assert "locked" in said[0]


def test_a_locked_index_is_waited_for_long_only_once(path, said, monkeypatch):
    monkeypatch.setattr("curifactory.store.database.BUSY_TIMEOUT_S", 3.0)
    monkeypatch.setattr("curifactory.store.index._SHORT_TIMEOUT_MS", 10)
    with Index(path, warn=said.append) as index:
        index.execute(INSERT, ("iris_1",))
        index.flush()
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            index.execute(INSERT, ("iris_2",))
            index.flush()
            # As at the end of a run, before its report is drawn.
            index.close()
            began_s = time.monotonic()
            assert index.query(COUNT) == [(1,)]
            assert time.monotonic() - began_s < 2.0
            other.execute("ROLLBACK")
        assert index.query(COUNT) == [(2,)]
    assert len(said) == 1


def test_a_wrong_statement_is_an_error_and_damages_nothing(path, said):
    with Index(path, warn=said.append) as index:
        index.execute(INSERT, ("iris_1",))
        with pytest.raises(StoreError, match="nonsense"):
            index.query("SELECT nonsense FROM runs")
        index.execute("INSERT INTO nowhere VALUES (1)")
        index.execute(INSERT, ("iris_2",))
        with pytest.raises(StoreError, match="nowhere"):
            index.flush()
        assert index.query(COUNT) == [(2,)]
    assert said == []


def test_a_text_that_cannot_be_encoded_has_no_row(path):
    with Index(path) as index:
        index.execute(INSERT, ("odd\udcff",))
        index.execute(INSERT, ("iris_1",))
        assert index.query(COUNT) == [(1,)]
        assert index.lookup("SELECT * FROM runs WHERE reference = ?", ("odd\udcff",)) is None


def test_a_filler_can_run_while_somebody_reads(path):
    with Index(path) as index:
        index.add_filler("runs", fill_ten)
        with index.reading():
            assert index.lookup(COUNT) == (10,)
            assert index.refill("runs") == 10
            index.add_filler("others", lambda write, since: 0)
            assert index.lookup(COUNT) == (10,)


def test_a_number_that_is_too_large_has_no_row(path):
    insert = "INSERT INTO runs (reference, experiment, number, outcome) VALUES (?, 'iris', ?, 'complete')"
    with Index(path) as index, index.batch():
        for number in (1, 1 << 63, 3):
            index.execute(insert, (f"iris_{number}", number))
    with Index(path) as index:
        assert index.query("SELECT number FROM runs ORDER BY number") == [(1,), (3,)]
        assert index.lookup("SELECT * FROM runs WHERE number = ?", (1 << 63,)) is None


def test_what_a_person_stops_while_it_is_written_is_written_later(path):
    class Stopping:
        """A value at which somebody presses Ctrl-C, once."""

        def __init__(self) -> None:
            self.was_stopped = False

        def __conform__(self, protocol):
            if not self.was_stopped:
                self.was_stopped = True
                raise KeyboardInterrupt
            return "iris_1"

    with Index(path) as index:

        def write_at_once() -> None:
            with index.batch():
                for reference in ("iris_0", Stopping(), "iris_2"):
                    index.execute(INSERT, (reference,))

        with pytest.raises(KeyboardInterrupt):
            write_at_once()
        assert index.query(COUNT) == [(3,)]


def test_reading_only_changes_no_file(path):
    with Index(path) as index:
        index.execute(INSERT, ("iris_1",))
    before = {name: (path.parent / name).read_bytes() for name in os.listdir(path.parent)}
    with Index(path, read_only=True) as index:
        index.add_filler("other", fill_ten)
        index.execute(INSERT, ("iris_2",))
        assert index.query(COUNT) == [(1,)]
    assert {name: (path.parent / name).read_bytes() for name in os.listdir(path.parent)} == before


def test_reading_only_where_there_is_none_reads_the_files_and_makes_none(path):
    with Index(path, read_only=True) as index:
        index.add_filler("runs", fill_ten)
        assert index.query(COUNT) == [(10,)]
    assert not path.parent.exists()


def test_reading_only_a_damaged_one_reads_the_files_and_leaves_it(path):
    path.parent.mkdir()
    path.write_bytes(b"noise" * 1000)
    with Index(path, read_only=True) as index:
        index.add_filler("runs", fill_ten)
        assert index.query(COUNT) == [(10,)]
    assert path.read_bytes() == b"noise" * 1000


def test_after_a_process_was_killed_the_files_of_its_time_are_read_again(path):
    since = []
    script = f"""
import os, signal, sys
from pathlib import Path
from curifactory.store.index import Index
index = Index(Path({str(path)!r}))
index.add_filler("runs", lambda write, since: 0)
index.execute({INSERT!r}, ("lost",))
os.kill(os.getpid(), signal.SIGKILL)
"""
    began = time.time()
    command = [sys.executable, "-c", script]
    assert subprocess.run(command, check=False, env=environment()).returncode == -signal.SIGKILL
    with Index(path) as index:
        index.add_filler("runs", lambda write, moment: since.append(moment) or 0)
        index.query(COUNT)
    assert len(since) == 1
    assert began <= since[0] <= time.time()
    with Index(path) as index:
        index.add_filler("runs", lambda write, moment: pytest.fail("nobody has died since"))
        index.query(COUNT)


def test_a_process_that_writes_now_is_not_taken_for_dead(path):
    with Index(path) as writer:
        writer.add_filler("runs", lambda write, since: 0)
        writer.execute(INSERT, ("iris_1",))
        writer.flush()
        ((process,),) = writer.query("SELECT process FROM writers")
        assert json.loads(process) == process_facts()
        with Index(path) as other:
            other.add_filler("runs", lambda write, since: pytest.fail("it is alive"))
            other.query(COUNT)


def test_processes_that_begin_at_once_lose_no_row(path):
    script = f"""
import sys
from pathlib import Path
from curifactory.store.index import Index
with Index(Path({str(path)!r})) as index:
    for number in range(20):
        index.execute({INSERT!r}, (f"{{sys.argv[1]}}_{{number}}",))
        index.flush()
"""
    processes = [
        subprocess.Popen([sys.executable, "-c", script, f"p{number}"], env=environment())
        for number in range(4)
    ]
    assert [process.wait() for process in processes] == [0] * 4
    assert count(path) == 80


def test_network_file_systems_are_told_by_the_list_of_mounts(tmp_path):
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/sda / ext4 rw 0 0\nserver:/x /mnt/my\\040data nfs4 rw 0 0\nhost:/y /mnt/my\\040data/ssh fuse.sshfs rw 0 0\n"
        "tmpfs /mnt/my\\040data/fast tmpfs rw 0 0\n"
    )
    answers = {
        path: filesystems.is_on_network(path, mounts=str(mounts))
        for path in (
            "/home/x",
            "/mnt/my data/x",
            "/mnt/my data/ssh/x",
            "/mnt/my data/fast/x",
            "/mnt/my datax",
        )
    }
    assert list(answers.values()) == [False, True, True, False, False]


def test_on_a_network_file_system_there_is_no_shared_memory_file(path, monkeypatch):
    monkeypatch.setattr("curifactory.store.database.is_on_network", lambda _: True)
    with Index(path) as index:
        index.execute(INSERT, ("iris_1",))
        assert index.query("PRAGMA journal_mode") == [("truncate",)]
        assert not path.with_name("index.db-shm").exists()


def test_who_writes_does_not_wait_while_the_rows_before_are_committed(path):
    with Index(path) as index:
        index.execute(INSERT, ("a",))
        index.flush()
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            index.execute(INSERT, ("b",))
            flushing = threading.Thread(target=index.flush)
            flushing.start()
            wait_for(lambda: not index._pending)
            writing = threading.Thread(target=index.execute, args=(INSERT, ("c",)))
            writing.start()
            writing.join(10)
            is_done = not writing.is_alive() and flushing.is_alive()
            other.execute("ROLLBACK")
        flushing.join()
        writing.join()
        assert is_done
        assert index.query(COUNT) == [(3,)]

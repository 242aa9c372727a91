import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from curifactory.executors.marks import Mark, Marks


@pytest.fixture
def marks(tmp_path):
    (tmp_path / "marks").touch()
    return Marks(str(tmp_path / "marks"))


def test_each_job_has_a_mark_of_its_own_and_waits_at_first(marks):
    marks.begin(3)
    marks.begin(1)
    marks.set(1, Mark.DONE)
    marks.set(3, Mark.STOPPED)
    assert [marks.get(number).mark for number in range(5)] == [
        Mark.WAITS,
        Mark.DONE,
        Mark.WAITS,
        Mark.STOPPED,
        Mark.WAITS,
    ]
    assert marks.get(3).pid == os.getpid()
    assert 0 <= time.monotonic() - marks.get(1).began_s < 60


def test_what_a_process_has_marked_outlives_it(marks):
    script = (
        "import os, signal, sys\n"
        "from curifactory.executors.marks import Mark, Marks\n"
        "Marks(sys.argv[1]).begin(7)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = os.pathsep.join(each for each in sys.path if each)
    done = subprocess.run(
        [sys.executable, "-c", script, marks.path], env={**os.environ, "PYTHONPATH": path}, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert marks.get(7).mark is Mark.RUNS


def test_without_its_file_nothing_is_known_and_nothing_fails(marks):
    marks.remove()
    marks.begin(0)
    marks.set(0, Mark.DONE)
    assert marks.get(0).mark is Mark.WAITS
    marks.remove()


def test_the_file_of_a_process_that_was_killed_is_removed_by_the_next_one(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    script = (
        "import os, signal\n"
        "from curifactory.executors.marks import Marks\n"
        "Marks()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = os.pathsep.join(each for each in sys.path if each)
    environment = {**os.environ, "PYTHONPATH": path, "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", script], env=environment, check=False)
    (left,) = tmp_path.iterdir()
    other = tmp_path / "curifactory-marks-of-somebody"
    other.touch()
    mine = Marks()
    second = Marks()
    assert sorted(tmp_path.iterdir()) == sorted([other, *map(Path, (mine.path, second.path))])
    assert left.name not in os.listdir(tmp_path)


def test_a_job_is_either_begun_or_recalled(marks):
    assert marks.begin(1)
    assert marks.begin(1)
    marks.set(2, Mark.DONE)
    assert not marks.recall(1)
    assert not marks.recall(2)
    assert marks.recall(5)
    assert not marks.recall(5)
    assert not marks.begin(5)
    assert [marks.get(number).mark for number in (1, 2, 5)] == [Mark.RUNS, Mark.DONE, Mark.RECALLED]


def test_of_two_processes_one_begins_what_the_other_recalls_or_nobody_does_both(marks):
    script = (
        "import sys\n"
        "from curifactory.executors.marks import Marks\n"
        "marks = Marks(sys.argv[1])\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "print([number for number in range(2000) if marks.begin(number)])\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, marks.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as other:
        other.stdout.readline()
        # A busy machine may let the other do all of them before this goes on.
        recalled = [number for number in range(1990, 2000) if marks.recall(number)]
        other.stdin.write("go\n")
        other.stdin.flush()
        recalled += [number for number in reversed(range(1990)) if marks.recall(number)]
        begun = json.loads(other.stdout.read())
    assert sorted(begun + recalled) == list(range(2000))
    assert set(recalled) >= set(range(1990, 2000))


def test_where_there_is_no_file_a_job_is_begun_and_nobody_says_that_it_was_recalled(marks):
    os.unlink(marks.path)
    assert marks.begin(1)
    assert not marks.recall(2)

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

import os
import signal
import subprocess
import sys

import pytest

from curifactory.executors.marks import Mark, Marks


@pytest.fixture
def marks(tmp_path):
    (tmp_path / "marks").touch()
    return Marks(str(tmp_path / "marks"))


def test_each_job_has_a_mark_of_its_own_and_waits_at_first(marks):
    marks.set(3, Mark.RUNS)
    marks.set(1, Mark.DONE)
    marks.set(3, Mark.STOPPED)
    assert [marks.get(number) for number in range(5)] == [
        Mark.WAITS,
        Mark.DONE,
        Mark.WAITS,
        Mark.STOPPED,
        Mark.WAITS,
    ]


def test_what_a_process_has_marked_outlives_it(marks):
    script = (
        "import os, signal, sys\n"
        "from curifactory.executors.marks import Mark, Marks\n"
        "Marks(sys.argv[1]).set(7, Mark.RUNS)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = os.pathsep.join(each for each in sys.path if each)
    done = subprocess.run(
        [sys.executable, "-c", script, marks.path], env={**os.environ, "PYTHONPATH": path}, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert marks.get(7) is Mark.RUNS


def test_without_its_file_nothing_is_known_and_nothing_fails(marks):
    marks.remove()
    marks.set(0, Mark.DONE)
    assert marks.get(0) is Mark.WAITS
    marks.remove()

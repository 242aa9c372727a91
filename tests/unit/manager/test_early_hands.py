import os
import subprocess
import sys

import pytest

from curifactory.manager.early_hands import WORKER

PROGRAM = """
import sys
from curifactory.executors import nursery
from curifactory.manager.early_hands import begin_hands
{before}
begin_hands({executor!r}, {jobs!r})
print([each.module for each in nursery._early])
"""


def begun(executor, jobs, *, before="", **variables):
    """Return for what hands have begun in a process in which there is nothing else."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(executor=executor, jobs=jobs, before=before)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **variables},
    )
    assert done.stderr == ""
    return done.stdout.strip()


@pytest.mark.parametrize("asked", [(None, "2"), (None, 2), ("processes", None), ("processes", "2")], ids=str)
def test_hands_begin_for_whoever_asks_for_some(asked):
    assert begun(*asked) == str([WORKER])


@pytest.mark.parametrize("asked", [(None, None), (None, "1"), ("serial", "2"), ("dask", "2")], ids=str)
def test_none_begin_for_who_has_no_use_for_them(asked):
    assert begun(*asked) == "[]"


def test_none_begin_for_one_that_follows_another():
    assert begun(None, "2", RANK="1") == "[]"


@pytest.mark.parametrize(
    "before",
    [
        "import threading, time; threading.Thread(target=time.sleep, args=(3,), daemon=True).start()",
        "from pathlib import Path; from curifactory.project.modules import put_first; put_first(Path.cwd())",
    ],
    ids=["a thread", "code of a person"],
)
def test_none_are_forked_from_a_process_in_which_there_is_something_else(before):
    assert begun(None, "2", before=before) == "[]"

"""Names that two processes give and take at the same moment: both get what they want, and no bytes are lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from curifactory.store.artifacts import ArtifactFiles, FileState
from curifactory.store.index import Index
from curifactory.store.layout import Layout

SCRIPT = """
import multiprocessing, os, sys, traceback
from pathlib import Path
from curifactory.store.artifacts import ArtifactFiles
from curifactory.store.index import Index
from curifactory.store.layout import Layout

cache, how, kind = sys.argv[1:]
TURNS = 60
TEXTS = ["one", "two"]

def save(files, text):
    staging = files.new_staging()
    staged = Path(staging, "staged")
    if kind == "folder":
        staged.mkdir()
        (staged / "part").write_text(text)
    else:
        staged.write_text(text)
    (file,) = files.commit([(str(staged), f"{cache}/name")])
    files.discard_staging(staging)
    return file

def work(number):
    layout = Layout(Path(cache))
    with Index(layout.index_path) as index:
        files = ArtifactFiles(layout, index)
        for turn in range(TURNS):
            barrier.wait(60)
            if how == "save":
                save(files, TEXTS[(turn + number) % 2])
            elif how == "bring the same back":
                files.restore(saved[turn % 2])
            elif how == "bring different ones back":
                files.restore(saved[(turn + number) % 2])
            else:
                files.link(saved[1], f"{cache}/other{turn}")
        files.close()

layout = Layout(Path(cache))
with Index(layout.index_path) as index:
    files = ArtifactFiles(layout, index)
    saved = [save(files, text) for text in TEXTS]
    files.close()
barrier = multiprocessing.get_context("fork").Barrier(2)
children = []
for number in range(2):
    child = os.fork()
    if child == 0:
        try:
            work(number)
        except BaseException:
            traceback.print_exc()
            barrier.abort()
            os._exit(1)
        os._exit(0)
    children.append(child)
sys.exit(any([os.waitpid(child, 0)[1] for child in children]))
"""


@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize("how", ["save", "bring the same back", "bring different ones back", "link"])
def test_two_processes_at_one_name_do_not_disturb_each_other(tmp_path: Path, how: str, kind: str) -> None:
    layout = Layout(tmp_path / "data" / "cache")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(layout.cache), how, kind],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=100,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert done.returncode == 0, done.stderr
    with Index(layout.index_path) as index:
        files = ArtifactFiles(layout, index)
        staging = files.new_staging()
        there = set()
        for text in ("one", "two"):
            path = Path(staging, text)
            if kind == "folder":
                path.mkdir()
                (path / "part").write_text(text)
            else:
                path.write_text(text)
            (file,) = files.commit([(str(path), str(layout.cache / f"{text}-alone"))])
            there.add(files.state(file._replace(path="name")))
        files.discard_staging(staging)
        files.close()
    # One of them has the name, the other one lies aside.
    assert there == {FileState.PRESENT, FileState.ASIDE}
    assert [name for name in os.listdir(layout.superseded) if name.startswith(".")] == []

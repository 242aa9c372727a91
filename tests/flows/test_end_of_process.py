"""The end of a command's process: quick, since our modules are not looked through, and still a person's end as ever."""

from __future__ import annotations

import pytest

CASE = '''\
import curifactory as cf
from curifactory.caching import JsonCacher


class Diary:
    """Refers to itself, as objects of big libraries do, and leaves its file open."""

    def __init__(self, path):
        self.file = open(path, "w")
        self.itself = self

    def __del__(self):
        self.file.write(" and closed")


of_the_module = Diary("module.txt")
of_the_module.file.write("begun")
kept = []


def get_params():
    return [cf.ExperimentParameters(name="only")]


@cf.stage(outputs=["n"], cachers=[JsonCacher])
def count(record):
    kept.append(Diary("stage.txt"))
    kept[0].file.write("begun")
    return 1


def run(param_sets, manager):
    for params in param_sets:
        count(cf.Record(manager, params))
'''


@pytest.mark.parametrize("words", [("case",), ("case", "--no-report"), ("case", "--dry")])
def test_what_a_person_has_left_open_is_closed(project, words):
    project.write("experiments/case.py", CASE)
    project.experiment(*words)
    for name in ("module.txt", "stage.txt"):
        assert (project.root / name).read_text(encoding="utf-8") == "begun and closed"


@pytest.mark.parametrize("flag", ["--map", "--print-params"])
def test_so_it_is_after_a_question(project, flag):
    project.write("experiments/case.py", CASE)
    project.experiment("case", flag)
    assert (project.root / "module.txt").read_text(encoding="utf-8") == "begun and closed"

"""``experiment ls --check``: everything that is wrong with the files of a project, each with its place."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import Project

SOUND = """from dataclasses import dataclass
import curifactory as cf

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1

def get_params():
    return [Params(name="a")]

def run(param_sets, manager): ...
"""
BROKEN = {
    "experiments/ends.py": (
        "import os\nos._exit(7)\ndef run(a, b): ...\n",
        "Importing it ended the process (exit code 7).",
    ),
    "experiments/needs.py": (
        "import surely_not_there\ndef run(a, b): ...\n",
        "needs the package 'surely_not_there'",
    ),
    "experiments/syntax.py": ("x = 1\ndef run(a: ...\n", "SyntaxError"),
    "experiments/through.py": ("import features\ndef run(a, b): ...\n", "ZeroDivisionError"),
    "experiments/takes.py": ("\n\ndef run(a): ...\n", "takes (a)"),
    "params/twice.py": (
        "from experiments.sound import Params\ndef get_params():\n    return [Params(name='a'), Params(name='b'),\n\n        Params(name='a')]\n",
        "two sets named 'a', at [0] and [2]. Give each set a name of its own, as in Params(name='small'). (at params/twice.py:3 and params/twice.py:5)",
    ),
    "params/none.py": ("def get_params():\n    return []\n", "empty list"),
    "experiments/stages.py": (
        "import curifactory as cf\n@cf.stage(inputs=['a'])\ndef clean(record): ...\ndef run(a, b): ...\n",
        "Stage 'clean' names the input 'a'",
    ),
    "params/types.py": (
        "from experiments.sound import Params\ndef get_params():\n    return [Params(name='a', n='many')]\n",
        "a.n: 'many' is no int",
    ),
    "params/text.yaml": ("sets:\n  - name: a\n   n: 3\n", "this is no YAML"),
}
PLACES = {
    "experiments/ends.py": ("experiments/ends.py", None),
    "experiments/needs.py": ("experiments/needs.py", 1),
    "experiments/syntax.py": ("experiments/syntax.py", 2),
    "experiments/through.py": ("features.py", 2),
    "experiments/takes.py": ("experiments/takes.py", 3),
    "params/twice.py": ("params/twice.py", 5),
    "params/none.py": ("params/none.py", None),
    "experiments/stages.py": ("experiments/stages.py", 2),
    "params/types.py": ("params/types.py", None),
    "params/text.yaml": ("params/text.yaml", 3),
}


def test_every_fault_is_told_with_its_file_and_line(project: Project) -> None:
    project.write("experiments/sound.py", f'print("printed while it is imported")\n{SOUND}')
    project.write("features.py", "x = 1\nx / 0\n")
    project.write_all({path: text for path, (text, _) in BROKEN.items()})
    before = project.files()
    done = project.experiment("ls", "--check", "--json", check=False)
    assert done.returncode == 1
    faults = {fault["name"]: fault for fault in json.loads(done.stdout)["faults"]}
    assert {f"{Path(path).stem}" for path in BROKEN} == set(faults)
    for path, (_, said) in BROKEN.items():
        fault = faults[Path(path).stem]
        assert said in fault["error"]
        assert (fault["file"], fault["line"]) == PLACES[path]
    assert faults["text"]["column"] == 4
    assert project.files() == before


def test_the_place_of_a_fault_is_told_once(project: Project) -> None:
    project.write("experiments/sound.py", SOUND)
    project.write("features.py", "x = 1\nx / 0\n")
    project.write_all({path: text for path, (text, _) in BROKEN.items()})
    *lines, last = project.experiment("ls", "--check", check=False).stdout.splitlines()
    for line in lines:
        place, _, error = line.partition(": ")
        assert place not in error.replace("params/twice.py:3 and params/twice.py:5", "")
        assert not error.startswith(place.partition(":")[0])
    assert last == f"{len(BROKEN)} faults in {len(BROKEN) + 1} files."


def test_an_experiment_that_cannot_be_imported_says_so_once_though_it_gives_sets_too(
    project: Project,
) -> None:
    project.write("experiments/both.py", SOUND.replace("n: int = 1", "n: int = 1 / 0"))
    done = project.experiment("ls", "--check", check=False)
    assert done.stdout.count("ZeroDivisionError") == 1
    assert done.stdout.endswith("1 fault in 1 file.\n")


def test_faults_are_lines_that_editors_understand(project: Project) -> None:
    project.write("experiments/takes.py", BROKEN["experiments/takes.py"][0])
    done = project.experiment("ls", "--check", check=False)
    assert done.stdout.splitlines()[0].startswith("experiments/takes.py:3: run() of experiment 'takes'")
    assert done.stdout.splitlines()[-1] == "1 fault in 1 file."


def test_a_project_without_a_fault_says_so(project: Project) -> None:
    project.write("experiments/sound.py", SOUND)
    assert project.experiment("ls", "--check").stdout == "Nothing is wrong with 1 file.\n"

"""Experiment and parameter files that cannot be used: what is wrong, in which file and line; exit code 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Project

PARAMS = """from dataclasses import dataclass
import curifactory as cf

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1
"""
RUN = "def run(param_sets, manager):\n    pass\n"
SETS = "def get_params():\n    return [Params(name='a')]\n"

EXPERIMENTS = {
    "a syntax error": (
        "def run(param_sets, manager:\n    pass\n",
        "Experiment 'x' cannot be loaded: experiments/x.py:1: SyntaxError: '(' was never closed: def run(param_sets, manager:.",
    ),
    "an indentation error": (
        "x = 1\n  y = 2\n",
        "Experiment 'x' cannot be loaded: experiments/x.py:2: IndentationError: unexpected indent: y = 2.",
    ),
    "an import that raises": (
        "x = 1\nimport broken\n" + RUN,
        "Experiment 'x' cannot be loaded: ZeroDivisionError: division by zero (broken.py:2).",
    ),
    "a missing package": (
        "import surely_not_there\n" + RUN,
        (
            "Experiment 'x' needs the package 'surely_not_there', which is not installed (experiments/x.py:1). "
            "Install it with: pip install surely_not_there"
        ),
    ),
    "a missing name": (
        "from broken_not import thing\n" + RUN,
        (
            "Experiment 'x' cannot be loaded: ImportError: cannot import name 'thing' from 'broken_not' ({root}/broken_not.py) "
            "(experiments/x.py:1)."
        ),
    ),
    "modules in a circle": (
        "import circle_a\n" + RUN,
        (
            "Experiment 'x' cannot be loaded: ImportError: cannot import name 'one' from partially initialized module "
            "'circle_a' (most likely due to a circular import) ({root}/circle_a.py) (circle_b.py:1). "
            "Modules that import each other: move what both need into a third one."
        ),
    ),
    "no run": (
        PARAMS,
        "Experiment 'x' has no run() (experiments/x.py). Write: def run(param_sets, manager): …",
    ),
    "a run that is no function": (
        "run = 3\n",
        "run of experiment 'x' is no function but int (experiments/x.py). Write: def run(param_sets, manager): …",
    ),
    "a run that takes one argument": (
        "\n\ndef run(param_sets):\n    pass\n",
        (
            "run() of experiment 'x' takes (param_sets) but is called with (param_sets, manager) (experiments/x.py:3). "
            "Write: def run(param_sets, manager): …"
        ),
    ),
    "a run that is a coroutine": (
        "async def run(param_sets, manager):\n    pass\n",
        (
            "run() of experiment 'x' is a coroutine or generator, which calling does not execute (experiments/x.py:1). "
            "Write a plain function: def run(param_sets, manager): …"
        ),
    ),
    "no parameters anywhere": (
        RUN,
        (
            "Experiment 'x' has no parameters: neither a get_params() nor params/x.py. "
            "Write: def get_params(): return [Params(name='first'), …]"
        ),
    ),
    "a script that exits": (
        "import sys\nsys.exit(3)\n",
        "Experiment 'x' cannot be loaded: it ends the program (SystemExit: 3) (experiments/x.py:2).",
    ),
    "a get_params that raises": (
        PARAMS + RUN + "def get_params():\n    return [Params(m=1)]\n",
        (
            "Parameter file 'x' cannot be used: get_params() raised TypeError: Params.__init__() got an unexpected keyword "
            "argument 'm' (experiments/x.py:10)."
        ),
    ),
    "a parameter class without @dataclass": (
        PARAMS.replace("@dataclass\n", "") + RUN + "def get_params():\n    return [Params(name='a', n=1)]\n",
        (
            "Parameter file 'x' cannot be used: get_params() raised TypeError: ExperimentParameters.__init__() got an "
            "unexpected keyword argument 'n' (experiments/x.py:9). Is @dataclass missing above the parameter class?"
        ),
    ),
    "a get_params with an argument": (
        PARAMS + RUN + "def get_params(n):\n    return []\n",
        (
            "get_params() takes (n) but is called without arguments (experiments/x.py:9). "
            "Write: def get_params(): return [Params(name='first'), …]"
        ),
    ),
    "a get_params that is no function": (
        PARAMS + RUN + "get_params = [Params(name='a')]\n",
        (
            "Parameter file 'x' has no get_params() (experiments/x.py). "
            "Write: def get_params(): return [Params(name='first'), …]"
        ),
    ),
}

# What get_params() returns is checked by the parameters' own room; here it matters that the file is named.
RETURNS = {
    "nothing": "pass",
    "an empty list": "return []",
    "one set": "return Params(name='a')",
    "a mapping": "return {'a': Params(name='a')}",
    "no sets": "return [1, 2]",
    "a class": "return [Params]",
    "two sets of one name": "return [Params(name='a'), Params(name='a', n=2)]",
    "two sets without a name": "return [Params(), Params(n=2)]",
}


@pytest.mark.parametrize("case", EXPERIMENTS)
def test_an_experiment_that_cannot_be_used_says_why(project: Project, case: str) -> None:
    text, said = EXPERIMENTS[case]
    project.write("experiments/x.py", text)
    project.write("broken.py", "x = 1\nx / 0\n")
    project.write("broken_not.py", "")
    project.write("circle_a.py", "from circle_b import two\none = 1\n")
    project.write("circle_b.py", "from circle_a import one\ntwo = 2\n")
    done = project.experiment("x", check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", said.format(root=project.root) + "\n", 2)
    assert not (project.root / "data").exists()


@pytest.mark.parametrize("case", RETURNS)
def test_a_get_params_that_returns_no_list_of_sets_is_refused(project: Project, case: str) -> None:
    project.write("experiments/x.py", f"{PARAMS}{RUN}def get_params():\n    {RETURNS[case]}\n")
    done = project.experiment("x", check=False)
    assert (done.stdout, done.returncode) == ("", 2)
    assert done.stderr.startswith("experiments/x.py: get_params() returned")
    assert "Traceback" not in done.stderr
    assert not (project.root / "data").exists()


def test_a_broken_parameter_file_is_told_by_its_own_name(project: Project) -> None:
    project.write("experiments/x.py", PARAMS + RUN)
    project.write("params/x.py", "def get_params(\n")
    done = project.experiment("x", check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("Parameter file 'x' cannot be loaded: params/x.py:1: SyntaxError: ")


def test_sets_of_one_name_in_two_files_are_refused(project: Project) -> None:
    project.write("experiments/x.py", PARAMS + RUN)
    for name in ("one", "two"):
        project.write(f"params/{name}.py", f"from experiments.x import Params\n{SETS}")
    done = project.experiment("x", "-p", "one", "-p", "two", check=False)
    assert done.returncode == 2
    assert "two sets named 'a', at params/one.py and params/two.py" in done.stderr


def test_a_stage_that_is_badly_written_says_where(project: Project) -> None:
    stage = "\n@cf.stage(inputs=['data'], outputs=['x'])\ndef count(record):\n    return 1\n"
    project.write("experiments/x.py", PARAMS + stage + SETS + RUN)
    done = project.experiment("x", check=False)
    assert (done.stdout, done.returncode) == ("", 2)
    assert "count" in done.stderr
    assert "experiments/x.py" in done.stderr
    assert "Traceback" not in done.stderr


def test_debug_shows_the_whole_traceback_of_an_import(project: Project) -> None:
    project.write("experiments/x.py", "1 / 0\n")
    done = project.experiment("x", "--debug", check=False)
    assert done.returncode == 2
    assert "Traceback (most recent call last):" in done.stderr
    assert "ZeroDivisionError: division by zero" in done.stderr


def test_a_broken_file_does_not_keep_others_from_running(project: Project) -> None:
    project.write("experiments/broken.py", "def run(\n")
    project.write("experiments/x.py", PARAMS + SETS + RUN)
    assert project.experiment("x").returncode == 0

"""Fields and the values that they allow are read from the text of classes and of YAML files."""

from __future__ import annotations

import pytest

from curifactory.project.reading import Reading
from curifactory.project.yaml_reading import find_tree_choices, list_tree_names

PARAMS = """
from __future__ import annotations
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Literal, Optional
import curifactory as cf
from kinds import Solver

raise RuntimeError("nobody may run this")

class Mode(str, Enum):
    FAST = "fast"
    SLOW = "slow"
    _hidden = 3
    def describe(self): ...

@dataclass
class Optimizer:
    solver: Solver = Solver.ADAM
    lr: float = 0.1

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1
    shuffle: bool = True
    mode: "Mode" = Mode.FAST
    act: Literal["relu", "tanh", 3] = "relu"
    maybe: Optional[Mode] = None
    either: Mode | None = None
    noted: Annotated[bool, "x"] = True
    optimizer: Optimizer = field(default_factory=Optimizer)
"""


@pytest.fixture
def reading(project):
    project.write("experiments/case.py", PARAMS)
    project.write("kinds.py", "from enum import IntEnum\nclass Solver(IntEnum):\n    ADAM = 1\n    SGD = 2\n")
    return Reading(project.root)


def test_fields_have_the_choices_of_their_types(project, reading) -> None:
    assert reading.find_choices(project.root / "experiments/case.py") == {
        "n": [],
        "shuffle": ["True", "False"],
        "mode": ["FAST", "SLOW"],
        "act": ["relu", "tanh", "3"],
        "maybe": ["FAST", "SLOW", "None"],
        "either": ["FAST", "SLOW", "None"],
        "noted": ["True", "False"],
        "optimizer": [],
        "optimizer.solver": ["ADAM", "SGD"],
        "optimizer.lr": [],
    }


def test_a_file_in_yaml_has_those_of_its_class(project, reading) -> None:
    file = project.root / "params/typed.yaml"
    project.write(
        "params/typed.yaml", "class: experiments.case.Params\nsets:\n  - {name: a}\n  - {name: b}\n"
    )
    assert find_tree_choices(reading, file)["optimizer.solver"] == ["ADAM", "SGD"]
    assert list_tree_names(file) == ["a", "b"]


def test_a_tree_has_its_own_names(project, reading) -> None:
    file = project.root / "params/tree.yaml"
    project.write("params/tree.yaml", "name: mine\nn: 1\nmodel: {deep: true, class: a.B}\n")
    assert find_tree_choices(reading, file) == {"n": [], "model.deep": ["True", "False"], "model.class": []}
    assert list_tree_names(file) == ["mine"]
    project.write("params/tree.yaml", "defaults: {n: 1}\nsets: {a: {k: 2}, b: }\n")
    assert find_tree_choices(reading, file) == {"n": [], "k": []}
    assert list_tree_names(file) == ["a", "b"]


@pytest.mark.parametrize("text", ["a: [1", "- 1", ""])
def test_what_cannot_be_read_has_none(project, reading, text: str) -> None:
    file = project.root / "params/bad.yaml"
    project.write("params/bad.yaml", text)
    assert (find_tree_choices(reading, file), list_tree_names(file)) == ({}, [])


def test_the_command_line_completes_names_and_then_values(project, reading, monkeypatch) -> None:
    from curifactory.cli.candidates import find_candidates

    monkeypatch.chdir(project.root)
    project.write(
        "experiments/case.py", PARAMS + "\ndef get_params(): ...\ndef run(param_sets, manager): ...\n"
    )
    words = {"name": "case"}
    assert [name for name, _ in find_candidates("fields", words, "opt")] == [
        "optimizer=",
        "optimizer.solver=",
        "optimizer.lr=",
    ]
    assert [name for name, _ in find_candidates("fields", words, "optimizer.solver=S")] == [
        "optimizer.solver=SGD"
    ]
    project.write("params/tree.yaml", "flag: true\n")
    found = find_candidates("fields", {"name": "case", "params": ("tree",)}, "flag=")
    assert [name for name, _ in found] == ["flag=", "flag=True", "flag=False"]
    assert ("tree", "") in find_candidates("sets", {"name": "case", "params": ("tree",)}, "t")


OTHERS = """
import attrs
from attrs import define
from pydantic import BaseModel

@define
class Inner:
    fast: bool = True

@attrs.frozen
class Settled:
    name: str = "a"
    n: int = 1
    inner: Inner = attrs.field(factory=Inner)

class Below(BaseModel):
    lr: float = 0.1

class Model(BaseModel):
    name: str = "a"
    below: Below = Below()

class Larger(Model):
    more: int = 1

class Nameless(BaseModel):
    hidden: int = 1

@define
class NoSet:
    neither: int = 1
"""


def test_classes_of_attrs_and_pydantic_with_a_name_are_sets(project) -> None:
    project.write("experiments/case.py", OTHERS)
    assert Reading(project.root).find_choices(project.root / "experiments/case.py") == {
        "n": [],
        "inner": [],
        "inner.fast": ["True", "False"],
        "below": [],
        "below.lr": [],
        "more": [],
    }

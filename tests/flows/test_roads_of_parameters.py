"""Every way of reading a parameter set: each is given another set and the first again, and never reuses the other's result.

The ways stand in `roads_of_parameters.txt`: after ``===`` a name, then the class, the set and what the stage returns. VALUE is what
changes.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

ROADS = Path(__file__).with_name("roads_of_parameters.txt")

MODULE = """
import copy, dataclasses, functools, json, operator, os, pickle
from dataclasses import InitVar, dataclass, field
from pathlib import Path
from typing import ClassVar
import numpy
import curifactory as cf
from curifactory.caching import PickleCacher

{given}

def make_set():
    return {made}

@cf.stage(outputs=["x"], cachers=[PickleCacher])
def {stage}(record):
    return {returned}
"""

HELPERS = """
def deep():
    return VALUE

class Mixin:
    def mixed(self):
        return VALUE
"""

EXPERIMENT = """
import curifactory as cf
{imports}

ROADS = [{roads}]

def get_params():
    return [cf.ExperimentParameters(name="none is needed")]

def run(param_sets, manager):
    found = {{}}
    for road in ROADS:
        record = cf.Record(manager, road.make_set())
        name = road.__name__.replace("by_", "road_")
        found[name] = repr(getattr(road, name)(record).state["x"])
    return found
"""


def write_roads(here, value: int) -> list[str]:
    """Write a project with a set and a stage for each road; return their names in the order of the stages."""
    names = []
    for number, text in enumerate(ROADS.read_text(encoding="utf-8").split("=== ")[1:]):
        name, _, rest = text.partition("\n")
        parts = re.split(r"^--- (.+)\n", rest, flags=re.MULTILINE)
        road = dict(zip(parts[1::2], parts[2::2], strict=True))
        module = MODULE.format(
            given=road["class"],
            made=road["set"].strip(),
            stage=f"road_{number}",
            returned=road["stage"].strip(),
        )
        here.write(f"by_{number}.py", module.replace("VALUE", str(value)))
        names.append(name)
    here.write("helpers.py", HELPERS.replace("VALUE", str(value)))
    imports = "\n".join(f"import by_{number}" for number in range(len(names)))
    roads = ", ".join(f"by_{number}" for number in range(len(names)))
    here.write("experiments/case.py", EXPERIMENT.format(imports=imports, roads=roads))
    return names


@pytest.mark.timeout(300)
def test_parameters_count_by_whatever_way_they_are_read(here) -> None:
    results = []
    for number, value in enumerate((1, 2, 1)):
        names = write_roads(here, value)
        reused = here.run().result
        anew = here.run(cache=Path(f"anew_{number}/cache")).result
        stale = [name for name, stage in zip(names, reused, strict=True) if reused[stage] != anew[stage]]
        assert stale == []
        results.append(anew)
    same = [
        name for name, stage in zip(names, results[0], strict=True) if results[0][stage] == results[1][stage]
    ]
    assert same == []
    assert here.run().executed == {}


SESSION = """
import curifactory as cf
from curifactory.caching import JsonCacher
import sets

manager = cf.ArtifactManager("case")
params = sets.Params(name="a")

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def look(record):
    return {read}

@cf.aggregate(outputs=["all"], cachers=[JsonCacher])
def look_at_all(record, records):
    return [{read} for record in records]

def both():
    record = look(cf.Record(manager, params))
    seen = [record.state["x"], look_at_all(cf.Record(manager, None), [record]).state["all"]]
    print(*seen)

both()
{change}
both()
"""

SETS = """
from dataclasses import dataclass
from typing import ClassVar
import curifactory as cf

@dataclass
class Params(cf.ExperimentParameters):
    "1"
    K: ClassVar[int] = 1
    n: int = 5

    def area(self):
        return 1"""
# How a session may change a class while a set of it stays what it is.
CHANGES = {
    "by hand": "sets.Params.K = 2; sets.Params.area = lambda self: 2; sets.Params.__doc__ = '2'",
    "as %autoreload does": "sets.Params.K = 2; sets.Params.area.__code__ = (lambda self: 2).__code__; sets.Params.__doc__ = '2'",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize(
    "read", ["{}.K", "{}.area()", "type({}).K", "{}.__class__.K", "type({}).area(None)", "int({}.__doc__)"]
)
def test_a_class_that_a_session_changes_counts_as_it_is(project, read: str, change: str) -> None:
    project.write("sets.py", SETS)
    read = read.format("record.params")
    script = project.write("session.py", SESSION.format(read=read, change=change))
    ended = project.run(sys.executable, str(script))
    assert ended.stdout.splitlines()[-2:] == ["1 [1]", "2 [2]"]

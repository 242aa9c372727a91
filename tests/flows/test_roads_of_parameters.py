"""Every way of reading a parameter set: each is given another set and the first again, and never reuses the other's result.

The ways stand in `roads_of_parameters.txt`: after ``===`` a name, then the class, the set and what the stage returns. VALUE is what
changes.
"""

from __future__ import annotations

import re
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

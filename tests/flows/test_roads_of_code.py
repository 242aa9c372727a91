"""Every road by which code reaches code: each is edited and edited back, and each value is that of a run without cache.

The roads stand in `roads_of_code.txt`: after ``===`` a name, after ``---`` a file, what stands around the stage, or the expression
that the stage returns. VALUE is what is edited.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROADS = Path(__file__).with_name("roads_of_code.txt")
# These read comments or docstrings, so that a comment may well be read by them.
READERS_OF_TEXT = {"docstring read", "own docstring", "class docstring", "module docstring", "late docstring"}

MODULE = """
import dataclasses, functools, os, operator, json
from dataclasses import dataclass
import numpy
import curifactory as cf
from curifactory.caching import PickleCacher

{around}

@cf.stage(outputs=["x"], cachers=[PickleCacher])
def {stage}(record):
    return {returned}
"""

EXPERIMENT = """
from dataclasses import dataclass
import curifactory as cf
{imports}

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1

def get_params():
    return [Params(name="a")]

def run(param_sets, manager):
    return {{stage.__name__: stage(cf.Record(manager, param_sets[0])).state["x"] for stage in [{stages}]}}
"""


def read_roads() -> dict[str, dict[str, str]]:
    roads: dict[str, dict[str, str]] = {}
    for text in ROADS.read_text(encoding="utf-8").split("=== ")[1:]:
        name, _, rest = text.partition("\n")
        parts = re.split(r"^--- (.+)\n", rest, flags=re.MULTILINE)
        roads[name] = dict(zip(parts[1::2], parts[2::2], strict=True))
    return roads


def write_roads(here, value: int, *, comment: str = "") -> list[str]:
    """Write a project with a stage for each road; return their names in the order of the stages."""
    roads = read_roads()
    stages = []
    for number, parts in enumerate(roads.values()):
        own = {name.partition("/")[0].partition(".")[0] for name in parts} - {"around", "stage"}

        def renamed(text: str, own: set[str] = own, number: int = number) -> str:
            for module in own:
                text = re.sub(rf"\b{module}\b", f"{module}_{number}", text)
            return text.replace("VALUE", str(value))

        for name, text in parts.items():
            if name in ("around", "stage"):
                continue
            remark = comment if name.endswith(".py") else ""
            here.write(renamed(name), remark + renamed(text) + remark)
            if "/" in name and not name.startswith("bare/"):
                init = here.project.root / renamed(name.partition("/")[0]) / "__init__.py"
                init.touch()
        module = MODULE.format(
            around=renamed(parts.get("around", "")),
            stage=f"road_{number}",
            returned=renamed(parts["stage"]).strip(),
        )
        here.write(f"by_{number}.py", comment + module)
        stages.append(f"road_{number}")
    imports = "\n".join(f"from by_{number} import road_{number}" for number in range(len(stages)))
    here.write("experiments/case.py", EXPERIMENT.format(imports=imports, stages=", ".join(stages)))
    return list(roads)


@pytest.mark.timeout(300)
def test_code_counts_by_whatever_road_it_is_reached(here) -> None:
    results = []
    for number, value in enumerate((1, 2, 1)):
        names = write_roads(here, value)
        reused = here.run().result
        anew = here.run(cache=Path(f"anew_{number}/cache")).result
        stale = [name for name, stage in zip(names, reused, strict=True) if reused[stage] != anew[stage]]
        assert stale == []
        results.append(anew)
    # The edit means something on every road: a test that could not fail would be none.
    same = [
        name for name, stage in zip(names, results[0], strict=True) if results[0][stage] == results[1][stage]
    ]
    assert same == []
    assert here.run().executed == {}
    write_roads(here, 1, comment="# A comment that says nothing.\n")
    executed = here.run().executed
    assert {
        name for name, stage in zip(names, results[0], strict=True) if stage in executed
    } <= READERS_OF_TEXT

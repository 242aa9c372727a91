"""What is done besides the stages counts for them: by parameter files, in ``get_params()`` and in ``run()``."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import pytest

STAGES = """
import string
from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def read(record):
    return record.params.n * getattr(string, "of_parameters", 0)
"""
EXPERIMENT = """
import curifactory as cf
from stages import Params, read

def get_params():
    return [Params(name="own", n=5)]

def run(param_sets, manager):
    INSIDE
    for params in param_sets:
        read(cf.Record(manager, params))
"""
FILE = """
from stages import Params
AT_IMPORT

def get_params():
    INSIDE
    return [Params(name="a"), Params(name="b", n=2)]
"""
SETS = "class: patches.Patched\nsets:\n  - name: a\n  - {name: b, n: 2}\n"
PATCHES = """
import string
from dataclasses import dataclass
from stages import Params
string.of_parameters = VALUE

@dataclass
class Patched(Params):
    pass
"""
SETTING = "import string; string.of_parameters = VALUE"
# By name: which files are written.
WAYS = {
    "at import": {"params/p.py": FILE.replace("AT_IMPORT", SETTING)},
    "in a module": {"params/p.py": FILE.replace("AT_IMPORT", "import patches")},
    "in get_params": {"params/p.py": FILE.replace("INSIDE", SETTING)},
    "in a module that get_params imports": {"params/p.py": FILE.replace("INSIDE", "import patches")},
    "in the module of a class of YAML": {"params/p.yaml": SETS},
    "in another experiment": {"experiments/p.py": SETTING + EXPERIMENT.replace('"own"', '"a"')},
    "in a module that run imports": {"experiments/case.py": EXPERIMENT.replace("INSIDE", "import patches")},
    "in run": {"experiments/case.py": EXPERIMENT.replace("INSIDE", SETTING)},
}


def write(project: Any, files: dict[str, str], value: int) -> None:
    written = {"stages.py": STAGES, "patches.py": PATCHES, "experiments/case.py": EXPERIMENT, **files}
    for path, template in written.items():
        text = template.replace("AT_IMPORT", "").replace("INSIDE", "pass").replace("VALUE", str(value))
        project.write(path, text)


def made_in(project: Any) -> set[int]:
    return {json.loads(file.read_text()) for file in project.root.glob("data/cache/case_*_read_x.json")}


def cleared_away(project: Any) -> int:
    """How many results would go that no run has to keep."""
    told = json.loads(project.experiment("cache", "gc", "--keep-runs", "0", "--json").stdout)
    assert told["unseen_stages"] == []
    return int(told["traces"])


@pytest.mark.parametrize("way", WAYS)
def test_r1_what_is_done_beside_the_stages_counts(project: Any, way: str) -> None:
    chosen = [] if "experiments/case.py" in WAYS[way] else ["-p", "p"]
    for value in (1, 22):
        write(project, WAYS[way], value)
        project.experiment("case", "--no-report", *chosen)
        # Of the experiment's own set, in which n is 5, or of one in which it is 1.
        assert made_in(project) & {value, 5 * value}


@pytest.mark.parametrize("arguments", [[], ["-j", "2"]])
def test_r1_parameter_files_that_do_the_same_share_what_is_made(project: Any, arguments: list[str]) -> None:
    def ran(*chosen: str) -> int:
        project.experiment("case", "--no-report", *chosen, *arguments)
        told = json.loads(project.experiment("show", "case/-1", "--json").stdout)
        return [call["outcome"] for call in told["calls"]].count("ran")

    write(project, {"params/other.py": FILE.replace("AT_IMPORT", "import patches"), **WAYS["in a module"]}, 1)
    assert [ran("-p", "p"), ran("-p", "p"), ran("-p", "other")] == [2, 0, 0]
    assert ran() == 1
    # What it gives is no matter of what it does.
    text = (project.root / "params/p.py").read_text()
    project.write("params/p.py", "print('loading')\n" + text.replace("n=2", "n=3"))
    assert ran("-p", "p") == 1
    assert made_in(project) == {0, 1, 2, 3}
    assert cleared_away(project) == 0


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        ({**WAYS["at import"], "params/q.py": FILE.replace("AT_IMPORT", "import patches")}, ["p", "q"]),
        ({**WAYS["at import"], "params/q.py": FILE.replace("AT_IMPORT", "import patches")}, ["q", "p"]),
        (WAYS["in another experiment"], ["p"]),
        (WAYS["in the module of a class of YAML"], ["p"]),
    ],
    ids=["two", "two in another order", "an experiment", "YAML"],
)
def test_what_is_made_with_several_parameter_files_is_not_cleared_away(
    project: Any, files: dict[str, str], chosen: list[str]
) -> None:
    write(project, files, 1)
    words = [word for name in chosen for word in ("-p", name)]
    # The sets of one file are taken; both are imported.
    project.experiment("case", "--no-report", *words, "--global-indices", "0")
    assert cleared_away(project) == 0
    write(project, files, 2)
    assert cleared_away(project) == 1


@pytest.mark.parametrize("byte_code", ["", "1"], ids=["byte code", "none"])
def test_files_of_tomorrow_are_no_changed_ones(project: Any, byte_code: str) -> None:
    # As after unpacking in another time zone, or where the clock of a server is ahead.
    project.environment["PYTHONDONTWRITEBYTECODE"] = byte_code
    write(project, WAYS["in a module"], 1)
    tomorrow = time.time() + 86_400
    for path in project.root.rglob("*.py"):
        os.utime(path, (tomorrow, tomorrow))
    for arguments in ([], ["-j", "2"], ["-j", "2", "--overwrite"]):
        done = project.experiment("case", "-p", "p", "--no-report", *arguments)
        assert ("all 2 calls were reused" in done.stdout) is (arguments == ["-j", "2"])

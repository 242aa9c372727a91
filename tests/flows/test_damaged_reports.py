"""Damage to what a call reported is noticed, said, and the call executed again (D2)."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

CASE = """
from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher
from curifactory.reporting import JsonReporter, LinePlotReporter

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1

def get_params():
    return [Params(name="a")]

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def tell(record):
    record.report(LinePlotReporter([1, 2, 3], name="plot"))
    record.report(JsonReporter({"n": record.params.n}, name="told"))
    record.log({"loss": 0.5}, step=1)
    return record.params.n

def run(param_sets, manager):
    return tell(cf.Record(manager, param_sets[0]))
"""


def flip(path: Path) -> None:
    """Change a bit, and keep size and times."""
    status, data = path.stat(), bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.unlink()
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def cut(path: Path) -> None:
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data[: len(data) // 2])


def empty(path: Path) -> None:
    path.unlink()
    path.touch()


DAMAGES = {"flipped": flip, "cut": cut, "emptied": empty, "deleted": Path.unlink}


def told(ended) -> tuple[list[str], list[str], list[bytes]]:
    folder = ended.manager.run_folder
    rows = [json.loads(line) for line in (folder / "reportables.jsonl").read_text().splitlines()]
    metrics = [
        json.dumps(json.loads(line)["values"]) for line in (folder / "metrics.jsonl").read_text().splitlines()
    ]
    files = [
        (folder / "fragments" / row["folder"] / name).read_bytes() for row in rows for name in row["files"]
    ]
    return [row["name"] for row in rows], metrics, files


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("name", ["fragments.json", "metrics.jsonl", "plot.svg", "seal.json"])
def test_d2_damage_to_a_report_is_noticed_and_it_is_made_again(here, name: str, how: str) -> None:
    here.write("experiments/case.py", CASE)
    before = told(here.run())
    assert told(here.run()) == before
    (path,) = (here.project.root / "data/manifests").rglob(f"*.report/{name}")
    DAMAGES[how](path)

    ended = here.run()

    assert ended.executed == {"tell": 1}
    assert ended.reasons["tell"] == "what it reported is missing or was modified"
    assert told(ended)[:2] == before[:2]
    assert len(list((here.project.root / "data/superseded").glob("damaged-*.report"))) == 1
    again = here.run()
    assert again.executed == {}
    assert told(again) == told(ended)


def test_d2_a_report_folder_that_is_gone_is_made_again(here) -> None:
    here.write("experiments/case.py", CASE)
    before = told(here.run())
    (folder,) = (here.project.root / "data/manifests").rglob("*.report")
    shutil.rmtree(folder)
    ended = here.run()
    assert ended.executed == {"tell": 1}
    assert told(ended)[:2] == before[:2]
    assert here.run().executed == {}

"""Sessions of the engine in this process: live ones and those of a command, on stages of a throwaway project."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from tests.bench.workplace import Place

# What a chain of five cached stages and an aggregate is made of; the row of scale and the map use it.
STAGES = """\
from dataclasses import dataclass

import curifactory as cf
from curifactory.caching import JsonCacher


@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1
    rate: float = 0.5


@cf.stage(outputs=["a"])
def plain_a(record):
    return 1


@cf.stage(inputs=["a"], outputs=["b"])
def plain_b(record, a):
    return a + 1


@cf.stage(inputs=["b"], outputs=["c"])
def plain_c(record, b):
    return b + 1


@cf.stage(outputs=["x1"], cachers=[JsonCacher])
def one(record):
    return record.params.n


@cf.stage(inputs=["x1"], outputs=["x2"], cachers=[JsonCacher])
def two(record, x1):
    return x1 + 1


@cf.stage(inputs=["x2"], outputs=["x3"], cachers=[JsonCacher])
def three(record, x2):
    return x2 + 1


@cf.stage(inputs=["x3"], outputs=["x4"], cachers=[JsonCacher])
def four(record, x3):
    return x3 + 1


@cf.stage(inputs=["x4"], outputs=["x5"], cachers=[JsonCacher])
def five(record, x4):
    return x4 + 1


@cf.aggregate(inputs=["x5"], outputs=["total"], cachers=[JsonCacher])
def add_up(record, records, x5):
    return sum(x5.values())


def get_params():
    return [Params(name="only")]


def run(param_sets, manager):
    for params in param_sets:
        five(four(three(two(one(cf.Record(manager, params))))))
    add_up(cf.Record(manager, None))
"""


def load_stages(place: Place, text: str = STAGES, name: str = "chain") -> ModuleType:
    """Write an experiment into a project one stands in, and import it as the command does."""
    from curifactory.project.project import Project

    place.write(f"experiments/{name}.py", text)
    Project.find().load_experiment(name)
    return importlib.import_module(f"experiments.{name}")


@contextlib.contextmanager
def session(**options: Any) -> Iterator[Any]:
    """Open a session in the project one stands in, and end it."""
    from curifactory.manager.manager import ArtifactManager

    # A command tells its warnings by itself.
    manager = ArtifactManager("chain", quiet=not options.get("live", True), **options)
    try:
        yield manager
    finally:
        manager.finish()


def settle(module: ModuleType, sets: list[Any], manager: Any) -> None:
    """Make all calls of ``run()`` and settle them, as the command does between the begin and the end of a run."""
    from curifactory.core import garbage

    manager.engine.run_code = module.run.__code__
    with garbage.calm():
        module.run(sets, manager)
        manager.engine.run_all()

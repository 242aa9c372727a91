"""The smallest experiment that there is, for what is measured and counted of whole commands."""

from __future__ import annotations

EXPERIMENT = '''\
"""The smallest experiment that there is."""

from dataclasses import dataclass

import curifactory as cf
from curifactory.caching import JsonCacher


@dataclass
class Params(cf.ExperimentParameters):
    n: int = 3


def get_params():
    return [Params(name="only")]


@cf.stage(outputs=["numbers"], cachers=[JsonCacher])
def make(record):
    return list(range(record.params.n))


@cf.stage(inputs=["numbers"], outputs=["total"], cachers=[JsonCacher])
def add_up(record, numbers):
    return sum(numbers)


def run(param_sets, manager):
    for params in param_sets:
        add_up(make(cf.Record(manager, params)))
'''

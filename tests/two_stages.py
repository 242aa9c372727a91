"""An experiment of four sets and two stages, the first of which does what a test wants."""

from __future__ import annotations

EXPERIMENT = """
from dataclasses import dataclass
import os
import signal
import subprocess
import sys
import time

import curifactory as cf
from curifactory.caching import JsonCacher

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1

def get_params():
    return [Params(name=f"p{n}", n=n) for n in range(4)]

def begun(record):
    with open(os.path.join(os.environ["COUNTED"], f"pid-{os.getpid()}-{record.params.n}"), "w"):
        pass

@cf.stage(None, ["x"], [JsonCacher]%(needs)s)
def work(record):
    %(body)s
    return record.params.n

@cf.stage(["x"], ["y"], [JsonCacher])
def after(record, x):
    return x + 1

def run(param_sets, manager):
    for params in param_sets:
        after(work(cf.Record(manager, params)))
"""


def two_stages(body: str, needs: str = "") -> str:
    """Return the text of the experiment, with the first lines of its first stage and more words for its decorator."""
    return EXPERIMENT % {"body": body, "needs": needs}

"""What the tests of faults share: an experiment that does a bit of everything, and ways to hurt a run."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

EXPERIMENT = '''
"""Small and large artifacts, a figure's file, metrics, an aggregate."""

from dataclasses import dataclass
import json
import os
import time

import curifactory as cf
from curifactory.caching import JsonCacher, PickleCacher
from curifactory.reporting import TextReporter


@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1
    wait_s: float = 0.0


def get_params():
    return [Params(name=f"p{n}", n=n, wait_s=float(os.environ.get("WAIT_S", "0"))) for n in range(3)]


def executed(record, name):
    # A file for each execution, so that they can be counted whatever becomes of the run.
    folder = os.environ.get("COUNTED")
    if folder:
        with open(os.path.join(folder, f"{name}-{os.getpid()}-{time.time_ns()}"), "w"):
            pass


@cf.stage(None, ["rows"], [JsonCacher], depends=[])
def load(record):
    executed(record, "load")
    time.sleep(record.params.wait_s)
    return list(range(10))


@cf.stage(["rows"], ["block", "head"], [PickleCacher, JsonCacher])
def expand(record, rows):
    executed(record, f"expand{record.params.n}")
    time.sleep(record.params.wait_s)
    record.report(TextReporter("text " * 50, name="told"))
    for step in range(5):
        record.log({"loss": 1.0 / (step + 1)}, step=step)
    return bytes([record.params.n]) * 3_000_000, rows[: record.params.n]


@cf.stage(["block"], ["size"], [JsonCacher])
def measure(record, block):
    executed(record, f"measure{record.params.n}")
    with open(record.get_path("notes.txt"), "w") as file:
        file.write(str(block[0]))
    return [len(block), block[0]]


@cf.aggregate(["size", "head"], ["total"], [JsonCacher])
def add_up(record, records, size, head):
    executed(record, "add_up")
    return {"sizes": [size[r] for r in records], "heads": [head[r] for r in records]}


def run(param_sets, manager):
    for params in param_sets:
        measure(expand(load(cf.Record(manager, params))))
    last = cf.Record(manager, None)
    add_up(last, [r for r in manager.records if r.params is not None])
    total = last.state["total"]
    with open(os.environ.get("RESULT", os.devnull), "w") as file:
        json.dump(total, file)
    return total
'''
EXPECTED = {
    "sizes": [[3_000_000, 0], [3_000_000, 1], [3_000_000, 2]],
    "heads": [[], [0], [0, 1]],
}


@dataclass
class Hurt:
    """A project whose runs are hurt.

    Parameters
    ----------
    project : Project
        The project.
    counted : Path
        Folder with one file for each execution of a stage.
    """

    project: Any
    counted: Path
    expected: Any = field(default_factory=lambda: EXPECTED)

    @property
    def environment(self) -> dict[str, str]:
        """Variables that the experiment reads."""
        return {"COUNTED": str(self.counted), "RESULT": str(self.result_path)}

    @property
    def result_path(self) -> Path:
        """Where a run that ends writes what it found."""
        return self.counted.parent / "result.json"

    def command(self, *words: str) -> list[str]:
        """Return the command line of the experiment."""
        return [sys.executable, "-P", "-m", "curifactory.cli.experiment", "case", "--plain", *words]

    def start(
        self, *words: str, program: Sequence[str] | None = None, **variables: str
    ) -> subprocess.Popen[str]:
        """Begin a run and do not wait for it."""
        return subprocess.Popen(
            program or self.command(*words),
            cwd=self.project.root,
            env={**self.project.environment, **self.environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *words: str, check: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run to the end; by default that has to be a good one."""
        self.result_path.unlink(missing_ok=True)
        process = self.start(*words, **variables)
        output, _ = process.communicate(timeout=110)
        done = subprocess.CompletedProcess(process.args, process.returncode, output, "")
        if check:
            assert done.returncode == 0, output
        return done

    def result(self) -> Any:
        """Return what the last run found."""
        return json.loads(self.result_path.read_text())

    def executions(self) -> Counter[str]:
        """Return how often each stage was executed since the counting began."""
        return Counter(path.name.partition("-")[0] for path in self.counted.iterdir())

    def forget_executions(self) -> None:
        """Begin to count anew."""
        for path in self.counted.iterdir():
            path.unlink()

    def forget(self) -> None:
        """Throw away everything that runs have left."""
        import shutil

        for name in ("data", "reports"):
            shutil.rmtree(self.project.root / name, ignore_errors=True)

    def kill(self, process: subprocess.Popen[str]) -> None:
        """Kill a process and everything that it has started in its session."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()

    def wait_for(self, found: Any, *, seconds: float = 60.0) -> Any:
        """Wait until a function gives something, and return it."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            value = found()
            if value:
                return value
            time.sleep(0.02)
        pytest.fail("it did not happen")

    def check_whole(self, *words: str) -> None:
        """Look at the store as a person would: verified, and a run that ends with the right result."""
        done = self.run(*words)
        assert self.result() == EXPECTED, done.stdout
        verified = self.project.experiment("cache", "verify", check=False, env=self.environment)
        assert verified.returncode == 0, verified.output
        assert not list((self.project.root / "data" / "staging").glob("*/*"))[20:]


@pytest.fixture
def hurt(project: Any, tmp_path: Path) -> Hurt:
    """Give a project with the experiment ``case``."""
    project.write("experiments/case.py", EXPERIMENT)
    counted = tmp_path / "counted"
    counted.mkdir()
    return Hurt(project, counted)

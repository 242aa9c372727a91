"""D5, D6: workers, clusters and whole commands that are killed or interrupted while stages run."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import load_file

# The long form by hand: CURIFACTORY_FAULTS=10 tries ten times as much.
FACTOR = float(os.environ.get("CURIFACTORY_FAULTS", "1"))
KILLS = round(5 * FACTOR)
HANDS = [(), ("-j", "2"), ("--executor", "dask", "-j", "2")]
IDS = ["here", "processes", "dask"]

two_stages = load_file("two_stages.py").two_stages


def waiting(hurt: Any, body: str) -> None:
    """Give the project an experiment whose first stage does something."""
    hurt.project.write("experiments/case.py", two_stages(body))


def needs(words: tuple[str, ...]) -> None:
    """Leave a test out if what it needs is not installed."""
    if "dask" in words:
        pytest.importorskip("distributed", reason="distributed is not installed")


def facts_of(hurt: Any) -> dict[str, Any]:
    """Return what the last run says of itself."""
    runs = (hurt.project.root / "data" / "runs").glob("case_*/run.json")
    facts: dict[str, Any] = json.loads(
        max(runs, key=lambda each: int(each.parent.name.split("_")[1])).read_text()
    )
    return facts


def outcomes_of(hurt: Any, stage: str) -> list[str]:
    """Return how the calls of a stage ended in the last run."""
    folders = (hurt.project.root / "data" / "runs").glob("case_*")
    last = max(folders, key=lambda each: int(each.name.split("_")[1]))
    found = {}
    for line in (last / "calls.jsonl").read_text().splitlines():
        call = json.loads(line)
        if call["name"] == stage:
            found[call["index"]] = call["outcome"]
    return [found[index] for index in sorted(found)]


def is_told(hurt: Any, outcome: str) -> bool:
    """Whether a call has ended in a certain way."""
    told = (hurt.project.root / "data/runs").glob("case_*/calls.jsonl")
    return any(f'"outcome":"{outcome}"' in path.read_text() for path in told)


def pids(hurt: Any) -> list[int]:
    """Return the processes in which stages have begun."""
    return [int(path.name.split("-")[1]) for path in hurt.counted.glob("pid-*")]


def is_there(pid: int) -> bool:
    """Whether a process runs; one that only waits to be buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def check_gone(hurt: Any, found: list[int], seconds: float = 10.0) -> None:
    """Wait for processes to be gone."""
    hurt.wait_for(lambda: not any(map(is_there, found)), seconds=seconds)


def check_resumed(hurt: Any, *words: str) -> None:
    """Let `experiment resume`, or what is given instead, end with the right values."""
    waiting(hurt, "pass")
    done = hurt.project.experiment(*(words or ("resume",)), check=False, env=hurt.environment)
    assert done.returncode == 0, done.output
    assert facts_of(hurt)["outcome"] == "complete"
    verified = hurt.project.experiment("cache", "verify", check=False, env=hurt.environment)
    assert verified.returncode == 0, verified.output
    values = sorted(
        path.read_text().strip() for path in (hurt.project.root / "data/cache").glob("*_after_y.json")
    )
    assert values == ["1", "2", "3", "4"]


@pytest.mark.slow
@pytest.mark.parametrize("turn", range(KILLS))
def test_d5_a_worker_that_dies_at_a_random_moment(hurt: Any, turn: int) -> None:
    chance = random.Random(turn)
    waiting(hurt, "begun(record); time.sleep(0.5)")
    process = hurt.start("-j", "2", "--keep-going")
    hurt.wait_for(lambda: pids(hurt))
    time.sleep(chance.uniform(0.0, 0.8))
    os.kill(chance.choice(pids(hurt)), signal.SIGKILL)
    output, _ = process.communicate(timeout=60)
    works, afters = outcomes_of(hurt, "work"), outcomes_of(hurt, "after")
    if process.returncode == 0:
        # It died between two calls.
        assert (works, afters) == (["ran"] * 4, ["ran"] * 4)
    else:
        assert process.returncode == 3, output
        assert "killed by SIGKILL" in output
        assert f"{'work' if 'failed' in works else 'after'} of Record" in output
        assert Counter(works + afters)["failed"] == 1
        assert Counter(works + afters)["ran"] == (6 if "failed" in works else 7)
    check_resumed(hurt, "case")


def test_d5_a_dead_worker_is_told_within_seconds(hurt: Any) -> None:
    waiting(hurt, "begun(record); time.sleep(60)")
    process = hurt.start("-j", "2", "--keep-going")
    hurt.wait_for(lambda: len(pids(hurt)) == 2)
    os.kill(pids(hurt)[0], signal.SIGKILL)
    hurt.wait_for(lambda: is_told(hurt, "failed"), seconds=5)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
@pytest.mark.parametrize("words", HANDS, ids=IDS)
def test_d6_an_interrupted_run_ends_in_order(hurt: Any, words: tuple[str, ...], number: int) -> None:
    needs(words)
    waiting(hurt, "begun(record); time.sleep(0 if record.params.n == 0 else 60)")
    process = hurt.start(*words)
    hurt.wait_for(lambda: len(pids(hurt)) >= 2)
    hurt.wait_for(lambda: is_told(hurt, "ran"))
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "Traceback" not in output
    facts = facts_of(hurt)
    assert facts["outcome"] == "interrupted"
    assert "ran" in outcomes_of(hurt, "work")
    assert "interrupted" in outcomes_of(hurt, "work")
    assert (hurt.project.root / "reports" / facts["reference"] / "index.html").exists()
    check_gone(hurt, pids(hurt))
    check_resumed(hurt)


FINALIZED = """
import os
import time

import curifactory as cf

class Slow:
    def __del__(self):
        with open(os.path.join(os.environ["COUNTED"], f"pid-{os.getpid()}-0"), "w"):
            pass
        time.sleep(1.0)

@cf.stage(None, ["x"])
def work(record):
    Slow()
    time.sleep(60)

def get_params():
    return [cf.ExperimentParameters(name="a")]

def run(param_sets, manager):
    work(cf.Record(manager, param_sets[0]))
"""


@pytest.mark.parametrize("words", [("--help",), ("case", "-j", "2")])
def test_d6_an_interruption_while_modules_are_imported_is_no_traceback(
    hurt: Any, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "click.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    path = os.pathsep.join(filter(None, [str(tmp_path), hurt.project.environment.get("PYTHONPATH", "")]))
    done = hurt.project.experiment(*words, check=False, env={"PYTHONPATH": path})
    assert (done.returncode, done.stderr) == (130, "Interrupted.\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_d6_an_interruption_is_not_lost_where_an_object_is_finalized(hurt: Any, number: int) -> None:
    hurt.project.write("experiments/case.py", FINALIZED)
    process = hurt.start()
    hurt.wait_for(lambda: pids(hurt))
    process.send_signal(number)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 130, output
    assert "Exception ignored" not in output
    assert facts_of(hurt)["outcome"] == "interrupted"


@pytest.mark.parametrize("words", HANDS, ids=IDS)
def test_d6_a_second_interruption_ends_at_once(hurt: Any, words: tuple[str, ...]) -> None:
    needs(words)
    # The stage takes its time to end, and so does the one that waits for it.
    stubborn = (
        "begun(record)\n    try:\n        time.sleep(0 if record.params.n == 0 else 60)\n"
        "    except KeyboardInterrupt:\n        time.sleep(60)"
    )
    is_own_process = words == ("-j", "2")
    waiting(
        hurt, f"signal.signal(signal.SIGTERM, signal.SIG_IGN) if {is_own_process} else None\n    {stubborn}"
    )
    process = hurt.start(*words)
    hurt.wait_for(lambda: len(pids(hurt)) >= 2)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    asked_at = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert time.monotonic() - asked_at < 5
    # The latter if it had already ended when it was asked again.
    assert process.returncode in (130, -signal.SIGINT), output
    assert "Traceback" not in output
    check_gone(hurt, pids(hurt))
    shown = json.loads(hurt.project.experiment("show", "-1", "--json").stdout)
    assert shown["run"]["outcome"] == "interrupted"
    check_resumed(hurt)


def test_d6_a_second_interruption_ends_at_once_also_what_runs_in_c(hurt: Any) -> None:
    waiting(hurt, "begun(record); __import__('hashlib').pbkdf2_hmac('sha256', b'', b'', 2**31 - 1)")
    process = hurt.start()
    hurt.wait_for(lambda: pids(hurt))
    time.sleep(0.3)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 130, output
    assert "Interrupted at once" in output
    check_resumed(hurt)


@pytest.mark.parametrize("kind", ["fork", "thread"])
def test_d6_a_child_that_gets_the_interruption_too_does_not_count_as_a_second_one(
    hurt: Any, kind: str
) -> None:
    starts = {
        "fork": "__import__('multiprocessing').get_context('fork').Process(target=time.sleep, args=(60,)).start()",
        "thread": "__import__('threading').Thread(target=time.sleep, args=(1,)).start()",
    }
    waiting(hurt, f"{starts[kind]}; begun(record); time.sleep(60)")
    process = hurt.start()
    hurt.wait_for(lambda: pids(hurt))
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 130, output
    assert "Interrupted at once" not in output
    assert facts_of(hurt)["outcome"] == "interrupted"


@pytest.mark.parametrize("words", HANDS[1:], ids=IDS[1:])
def test_d6_workers_end_when_nobody_is_there_to_work_for(hurt: Any, words: tuple[str, ...]) -> None:
    needs(words)
    waiting(hurt, "begun(record); time.sleep(60)")
    process = hurt.start(*words)
    hurt.wait_for(lambda: len(pids(hurt)) >= 2)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    check_gone(hurt, pids(hurt))
    check_resumed(hurt)
    left = [path for path in (hurt.project.root / "data/staging").glob("*/*") if path.is_file()]
    assert left == []


@pytest.mark.parametrize("words", HANDS, ids=IDS)
@pytest.mark.parametrize("code", [0, 3])
def test_a_stage_that_ends_the_program_ends_the_run(hurt: Any, words: tuple[str, ...], code: int) -> None:
    needs(words)
    waiting(hurt, f"record.params.n == 1 and sys.exit({code})")
    done = hurt.run(*words, check=False)
    assert done.returncode == (code or 130), done.stdout
    assert facts_of(hurt)["outcome"] == "interrupted"
    assert outcomes_of(hurt, "work")[1] == "interrupted"
    check_resumed(hurt)


CHILDREN = {
    "program": "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])",
    "fork": "__import__('multiprocessing').get_context('fork').Process(target=time.sleep, args=(600,))",
}


@pytest.mark.parametrize("way", ["finished", "interrupted", "worker killed", "command killed"])
@pytest.mark.parametrize("kind", CHILDREN)
def test_what_a_stage_has_started_does_not_outlive_its_worker(hurt: Any, kind: str, way: str) -> None:
    starts = "" if kind == "program" else "; child.start()"
    waits = "0" if way == "finished" else "60"
    waiting(
        hurt,
        f"child = {CHILDREN[kind]}{starts}\n    getattr(child, '_popen', None) and "
        "__import__('multiprocessing').process._children.discard(child)\n"
        "    open(os.path.join(os.environ['COUNTED'], f'pid-{child.pid}-child'), 'w').close()\n"
        f"    begun(record); time.sleep({waits})",
    )
    process = hurt.start("-j", "2", "--keep-going")
    if way != "finished":
        hurt.wait_for(lambda: len(pids(hurt)) >= 4)
    children = pids(hurt)
    if way == "interrupted":
        process.send_signal(signal.SIGINT)
    elif way == "command killed":
        os.kill(process.pid, signal.SIGKILL)
    elif way == "worker killed":
        for path in hurt.counted.glob("pid-*"):
            if not path.name.endswith("child"):
                os.kill(int(path.name.split("-")[1]), signal.SIGKILL)
        check_gone(hurt, children)
        process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert way != "finished" or process.returncode == 0, output
    check_gone(hurt, pids(hurt))
    check_resumed(hurt, "case")


def test_a_lost_worker_of_a_cluster_is_told(hurt: Any) -> None:
    needs(("dask",))
    waiting(hurt, "begun(record); record.params.n == 1 and os.kill(os.getpid(), signal.SIGKILL)")
    done = hurt.run("--executor", "dask", "-j", "2", "--keep-going", check=False)
    assert done.returncode == 3, done.stdout
    assert "work of Record 1 (p1)" in done.stdout
    assert outcomes_of(hurt, "after") == ["ran", "not reached", "ran", "ran"]
    check_resumed(hurt)


@pytest.mark.parametrize("words", [(), ("--keep-going",)], ids=["stop", "keep going"])
def test_a_lost_cluster_is_told(hurt: Any, tmp_path: Path, words: tuple[str, ...]) -> None:
    needs(("dask",))
    script = (
        "import distributed, time\n"
        "if __name__ == '__main__':\n"
        "    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address='127.0.0.1:0')\n"
        "    print(cluster.scheduler_address, flush=True)\n"
        "    time.sleep(600)\n"
    )
    path = tmp_path / "cluster.py"
    path.write_text(script)
    cluster = subprocess.Popen(
        [sys.executable, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**hurt.project.environment, **hurt.environment},
        start_new_session=True,
    )
    try:
        assert cluster.stdout is not None
        address = cluster.stdout.readline().strip().removeprefix("tcp://")
        waiting(hurt, "begun(record); time.sleep(60)")
        process = hurt.start("--executor", f"dask://{address}", *words)
        hurt.wait_for(lambda: len(pids(hurt)) >= 2)
        os.killpg(cluster.pid, signal.SIGKILL)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == (3 if words else 1), output
        assert "Traceback" not in output
        assert "work of Record" in output or "'work' of Record" in output, output
        assert "the cluster has lost it" in output
    finally:
        if cluster.poll() is None:
            os.killpg(cluster.pid, signal.SIGKILL)
        cluster.communicate()
    check_resumed(hurt, "case", "-j", "2")

"""Training with torch: in workers, from checkpoints, and in many ranks of which only the first one stores."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("safetensors", reason="safetensors is not installed")

TRAINING = """
from dataclasses import dataclass
import os
import signal

import curifactory as cf
import torch
from curifactory.caching import JsonCacher, TorchCacher

@dataclass
class Params(cf.ExperimentParameters):
    rate: float = 0.1

def get_params():
    return [Params(name="slow", rate=0.05), Params(name="fast", rate=0.2)]

@cf.stage(None, ["model", "begun"], [TorchCacher, JsonCacher], resources={"gpu": 1} if DEVICE == "cuda" else {})
def train(record):
    device = torch.device(DEVICE)
    x = torch.linspace(-1, 1, 32, device=device).unsqueeze(1)
    y = 3 * x + 1
    model = torch.nn.Linear(1, 1).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=record.params.rate)
    path = os.path.join(record.checkpoint_dir(), "state.pt")
    begun = 0
    if os.path.exists(path):
        kept = torch.load(path, weights_only=True, map_location=device)
        model.load_state_dict(kept["model"])
        optimizer.load_state_dict(kept["optimizer"])
        begun = kept["epoch"]
    for epoch in range(begun, 200):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        if epoch % 50 == 49:
            torch.save(
                {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch + 1}, path
            )
            record.log({"loss": float(loss.detach())}, step=epoch)
        if epoch == 120 and begun == 0 and record.params.rate < 0.1 and "DIES" in os.environ:
            os.kill(os.getpid(), signal.SIGKILL)
    return model.state_dict(), begun

@cf.stage(["model"], ["fit"], [JsonCacher])
def judge(record, model):
    return [round(float(model["weight"]), 4), round(float(model["bias"]), 4), str(model["weight"].device)]

def run(param_sets, manager):
    records = [judge(train(cf.Record(manager, params))) for params in param_sets]
    return [record.state["fit"] for record in records]
"""


def training(device: str) -> str:
    """Return the experiment for a device."""
    return TRAINING.replace("DEVICE", repr(device))


DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=[
            pytest.mark.gpu,
            pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is here"),
        ],
    ),
]


@pytest.mark.parametrize("device", DEVICES)
def test_workers_train_what_one_process_trains(here: Any, tmp_path: Path, device: str) -> None:
    here.write("experiments/case.py", training(device))
    alone = here.run(seed=3, cache=tmp_path / "alone" / "cache")
    many = here.run(seed=3, cache=tmp_path / "many" / "cache", jobs=2)
    assert many.executed == alone.executed == {"train": 2, "judge": 2}
    if device == "cpu":
        # On one machine and one device: what an accelerator gives may differ in its last digits.
        assert many.result == alone.result
    for fit in (*alone.result, *many.result):
        # Whatever it was trained on, it comes back where everybody can read it.
        assert fit[:2] == [pytest.approx(3.0, abs=0.2), pytest.approx(1.0, abs=0.2)]
        assert fit[2] == "cpu"
    again = here.run(seed=3, cache=tmp_path / "many" / "cache", jobs=2)
    assert again.executed == {}
    weights = list((tmp_path / "many" / "cache").glob("*_train_model.safetensors"))
    assert len(weights) == 2
    assert not (tmp_path / "many" / "checkpoints").exists()


@pytest.mark.parametrize("device", DEVICES)
def test_a_killed_training_goes_on_in_another_worker(
    here: Any, monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    from curifactory.errors import PartlyFailedError

    here.write("experiments/case.py", training(device).replace('return [record.state["fit"]', "return [1"))
    monkeypatch.setenv("DIES", "1")
    with pytest.raises(PartlyFailedError, match=r"train of Record 0 \(slow\).*SIGKILL"):
        here.run(seed=3, jobs=2, keep_going=True)
    ended = here.run(seed=3, jobs=2)
    assert [record.state["begun"] for record in ended.manager.records] == [100, 0]
    assert ended.manager.records[0].state["fit"][0] == pytest.approx(3.0, abs=0.2)
    assert not (here.project.root / "data/checkpoints").exists()


RANKS = """
from dataclasses import dataclass
import os

import curifactory as cf
import torch
import torch.distributed as dist
from curifactory.caching import JsonCacher, TorchCacher

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 2

def get_params():
    return [Params(name="only")]

@cf.stage(None, ["model", "total"], [TorchCacher, JsonCacher])
def train(record):
    dist.init_process_group("gloo")
    try:
        rank = dist.get_rank()
        with open(os.path.join(os.environ["COUNTED"], f"train-{rank}"), "w"):
            pass
        torch.manual_seed(0)
        model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(2, 1))
        loss = model(torch.full((4, 2), float(rank + 1))).sum()
        loss.backward()
        total = torch.tensor([float(rank + 1)])
        dist.all_reduce(total)
        record.log({"loss": float(loss.detach())})
        return {name: each.grad for name, each in model.module.named_parameters()}, float(total)
    finally:
        dist.destroy_process_group()

@cf.stage(["model", "total"], ["told"], [JsonCacher])
def tell(record, model, total):
    with open(os.path.join(os.environ["COUNTED"], f"tell-{os.environ['RANK']}"), "w"):
        pass
    return [model["weight"].tolist(), total]

def run(param_sets, manager):
    for params in param_sets:
        tell(train(cf.Record(manager, params)))
"""


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def launch(project: Any, counted: Path, *words: str) -> list[tuple[int, str]]:
    """Run the same command as two ranks; return exit code and output of each."""
    port = free_port()
    started = []
    for rank in range(2):
        ranked = {
            "RANK": str(rank),
            "LOCAL_RANK": str(rank),
            "WORLD_SIZE": "2",
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
            "COUNTED": str(counted),
        }
        started.append(
            subprocess.Popen(
                [sys.executable, "-P", "-m", "curifactory.cli.experiment", "case", "--plain", *words],
                cwd=project.root,
                env={**project.environment, **ranked},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
    said = [process.communicate(timeout=110)[0] for process in started]
    return [(process.returncode, text) for process, text in zip(started, said, strict=True)]


def check_stored_once(project: Any) -> None:
    """Look for one run with one of everything."""
    (run,) = (project.root / "data/runs").glob("case_*")
    calls = [json.loads(line) for line in (run / "calls.jsonl").read_text().splitlines()]
    assert [call["outcome"] for call in calls] == ["ran", "ran"]
    assert (run / "metrics.jsonl").read_text().count('"loss"') == 1
    (told,) = (project.root / "data/cache").glob("*_tell_told.json")
    weights, total = json.loads(told.read_text())
    # The mean of the gradients of ranks that have seen ones and twos, four times each.
    assert weights == [[6.0, 6.0]]
    assert total == 3.0
    assert len(list((project.root / "data/cache").iterdir())) == 3
    assert len(list((project.root / "reports").glob("case_*"))) == 1


@pytest.mark.slow
def test_of_two_ranks_only_the_first_one_stores(project: Any, tmp_path: Path) -> None:
    project.write("experiments/case.py", RANKS)
    counted = tmp_path / "counted"
    counted.mkdir()
    ended = launch(project, counted)
    assert [code for code, _ in ended] == [0, 0], ended
    assert {"train-0", "train-1", "tell-0"} <= {path.name for path in counted.iterdir()}
    check_stored_once(project)
    for path in counted.iterdir():
        path.unlink()
    again = launch(project, counted)
    assert [code for code, _ in again] == [0, 0], again
    assert list(counted.iterdir()) == []


@pytest.mark.slow
def test_torchrun_starts_an_experiment(project: Any, tmp_path: Path) -> None:
    project.write("experiments/case.py", RANKS)
    counted = tmp_path / "counted"
    counted.mkdir()
    done = subprocess.run(
        [
            *(sys.executable, "-P", "-m", "torch.distributed.run", "--nproc-per-node", "2"),
            *("--master-port", str(free_port()), "-m", "curifactory.cli.experiment", "case", "--plain"),
        ],
        cwd=project.root,
        env={**project.environment, "COUNTED": str(counted), "OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert {"train-0", "train-1", "tell-0"} <= {path.name for path in counted.iterdir()}
    check_stored_once(project)


SEEDED = """
from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 0

def get_params():
    return [Params(name=f"p{n}", n=n) for n in range(3)]

@cf.stage(None, ["drawn"], [JsonCacher])
def draw(record):
    # Not imported before, in whatever process this is, and looked for first, as many packages do.
    import importlib.util
    assert importlib.util.find_spec("torch")
    import torch

    return [record.params.n, float(torch.rand(1))]

def run(param_sets, manager):
    for params in param_sets:
        draw(cf.Record(manager, params))
"""


def test_seeded_calls_draw_the_same_also_where_a_stage_is_the_first_to_import_torch(project: Any) -> None:
    project.write("experiments/case.py", SEEDED)
    drawn = set()
    for number, words in enumerate([(), ("-j", "2")]):
        cache = project.root / str(number) / "cache"
        project.experiment("case", "--seed", "7", "--no-report", "--quiet", "--cache", cache, *words)
        drawn |= {json.loads(path.read_text())[1] for path in cache.glob("*_drawn.json")}
    assert len(drawn) == 1

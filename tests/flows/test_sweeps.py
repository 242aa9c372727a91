"""Changes and sweeps of parameters through whole runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

EXPERIMENT = """
from dataclasses import dataclass, field
import curifactory as cf
from curifactory.caching import JsonCacher

@dataclass
class Optimizer:
    lr: float = 0.5
    name: str = "adam"

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1
    seed: int = 0
    optimizer: Optimizer = field(default_factory=Optimizer)

def get_params():
    return [Params(name="base")]

@cf.stage(outputs=["data"], cachers=[JsonCacher])
def load(record):
    return [0]

@cf.stage(inputs=["data"], outputs=["x"], cachers=[JsonCacher])
def train(record, data):
    p = record.params
    loss = abs(p.n - 20) + abs(p.optimizer.lr - 0.1) + p.seed
    record.log({"loss": loss, "accuracy": -loss})
    return loss

def run(param_sets, manager):
    for p in param_sets:
        train(load(cf.Record(manager, p)))
    return [(p.name, p.n, p.seed, p.optimizer.lr) for p in param_sets]
"""


@pytest.fixture
def case(here):
    here.write("experiments/case.py", EXPERIMENT)
    return here


def facts(ended: Any) -> dict[str, Any]:
    return json.loads(Path(ended.manager.run_folder, "run.json").read_text(encoding="utf-8"))


def names_of(ended: Any) -> list[str]:
    return [name for name, *_ in ended.result]


def test_a_product_runs_every_combination_and_shares_what_does_not_differ(case) -> None:
    ended = case.run(changes=("n=10,20", "seed=0-2"))
    assert names_of(ended) == [
        "n=10,seed=0",
        "n=10,seed=1",
        "n=10,seed=2",
        "n=20,seed=0",
        "n=20,seed=1",
        "n=20,seed=2",
    ]
    assert ended.executed == {"load": 1, "train": 6}


def test_the_same_command_executes_nothing_and_a_wider_one_only_what_is_new(case) -> None:
    case.run(changes=("n=10,20",))
    assert case.run(changes=("n=10,20",)).executed == {}
    assert case.run(changes=("n=10,20,30",)).executed == {"train": 1}


def test_the_sweep_is_kept_with_the_run(case) -> None:
    ended = case.run(changes=("n=10,20", "optimizer.lr=0.25"), repeat=2)
    (sweep,) = facts(ended)["sweeps"]
    assert sweep["kind"] == "product"
    assert sweep["fixed"] == {"optimizer.lr": 0.25}
    assert sweep["ranges"] == [{"name": "n", "values": [10, 20]}]
    assert sweep["sets"][3] == {
        "name": "n=20 #1",
        "base": "base",
        "values": {"n": 20},
        "repeat": 1,
        "record": None,
    }
    kept = json.loads(Path(ended.manager.run_folder, "parameters.json").read_text(encoding="utf-8"))
    assert [each["shown"]["optimizer"]["lr"] for each in kept] == [0.25] * 4


def test_repetitions_are_executed_anew_even_where_a_stage_reads_nothing(case) -> None:
    assert case.run(repeat=3).executed == {"load": 3, "train": 3}
    assert case.run(repeat=3).executed == {}
    assert case.run(repeat=4).executed == {"load": 1, "train": 1}


def test_a_stage_can_read_which_repetition_it_is(here) -> None:
    here.write(
        "experiments/case.py",
        EXPERIMENT.replace("return [0]", "return [record.params.repeat_index]").replace(
            "return [(p.name, p.n, p.seed, p.optimizer.lr) for p in param_sets]",
            "return [r.state['data'] for r in manager.records]",
        ),
    )
    assert here.run(repeat=3).result == [[0], [1], [2]]


def test_a_chain_varies_one_parameter_after_the_other(case) -> None:
    ended = case.run(changes=("n=10,20", "seed=1,2"), sweep="chain")
    assert ended.result == [
        ("n=10", 10, 0, 0.5),
        ("n=20", 20, 0, 0.5),
        ("seed=1", 1, 1, 0.5),
        ("seed=2", 1, 2, 0.5),
    ]
    # What is not varied is what the set has.
    assert [each["values"] for each in facts(ended)["sweeps"][0]["sets"]] == [
        {"n": 10, "seed": 0},
        {"n": 20, "seed": 0},
        {"n": 1, "seed": 1},
        {"n": 1, "seed": 2},
    ]


def test_a_chain_carries_the_best_value_of_each_parameter(case) -> None:
    changes = ("n=10,20,40", "optimizer.lr=0.5,0.1,0.9", "seed=0,1")
    least = case.run(changes=changes, sweep="chain", use_best="loss", minimize=True)
    assert least.result[-1] == ("seed=1,n=20,optimizer.lr=0.1", 20, 1, 0.1)
    assert facts(least)["sweeps"][0]["carried"] == [
        {"name": "n", "value": 20},
        {"name": "optimizer.lr", "value": 0.1},
    ]
    most = case.run(changes=changes, sweep="chain", use_best="accuracy")
    assert most.result == least.result
    # What was reused tells its metrics again, so the same command takes the same way.
    assert most.executed == {}


def test_the_sets_of_a_chain_are_shown_before_anything_is_known_of_the_best(case) -> None:
    words = ["case", "n=10,20", "seed=0,1", "--chain", "--use-best", "loss", "--hashes"]
    shown = [line.split(" ", 1)[1] for line in case.project.experiment(*words).stdout.splitlines()]
    assert shown == ["n=10", "n=20", "seed=0,n=10", "seed=1,n=10"]


def test_an_interrupted_sweep_is_resumed(here) -> None:
    import curifactory as cf

    here.write(
        "experiments/case.py",
        EXPERIMENT.replace(
            "    loss = abs", "    open('allowed').close() if p.n > 15 else None\n    loss = abs"
        ),
    )
    with pytest.raises(cf.StageError):
        here.run(changes=("n=10,20", "seed=0,1"), sweep="chain", use_best="loss", minimize=True)
    Path("allowed").touch()
    here.forget_modules()
    result, manager = cf.resume("case/-1")
    assert result[-1] == ("seed=1,n=20", 20, 1, 0.5)
    assert manager.counts


def test_of_equal_scores_the_first_value_is_carried(case) -> None:
    ended = case.run(changes=("n=30,10", "seed=0,1"), sweep="chain", use_best="loss", minimize=True)
    assert ended.result[-1][1] == 30


def test_the_best_can_be_an_output_that_is_a_number(case) -> None:
    ended = case.run(changes=("n=10,20", "seed=0,1"), sweep="chain", use_best="x", minimize=True)
    assert ended.result[-1][1] == 20


def test_a_metric_that_nobody_logs_is_told(case) -> None:
    from curifactory.errors import DiscoveryError

    with pytest.raises(DiscoveryError, match=r"metric 'los'\. Did you mean 'loss'\?"):
        case.run(changes=("n=10,20", "seed=0,1"), sweep="chain", use_best="los")


def test_sets_side_by_side(case) -> None:
    assert names_of(case.run(changes=("n=10,20", "seed=3,4"), sweep="zip")) == ["n=10,seed=3", "n=20,seed=4"]


def test_every_base_set_is_multiplied(here) -> None:
    here.write(
        "experiments/case.py",
        EXPERIMENT.replace('[Params(name="base")]', '[Params(name="a"), Params(name="b", seed=5)]'),
    )
    ended = here.run(changes=("n=10,20",))
    assert names_of(ended) == ["a n=10", "a n=20", "b n=10", "b n=20"]
    assert [row[2] for row in ended.result] == [0, 0, 5, 5]


def test_a_map_of_a_chain_executes_nothing(case) -> None:
    from curifactory.workflow.experiment import plan_experiment
    from curifactory.workflow.request import RunRequest

    request = RunRequest(
        experiment="case", changes=("n=10,20", "seed=0,1"), sweep="chain", use_best="loss", minimize=True
    )
    assert len(plan_experiment(request).rows) == 8
    assert case.cached("*") == []


FAULTS = {
    "unknown": (("nn=3",), "there is no parameter 'nn'; did you mean 'n'?"),
    "scope": (("optimizer.l=3",), "there is no parameter 'l' in optimizer; did you mean 'lr'?"),
    "text": (("n=x",), "n: 'x' is no int"),
    "twice": (("n=1", "n=2"), "n: it is given more than once"),
    "no change": (("n",), "'n' is no change of a parameter. Write NAME=VALUE"),
    "section": (
        ("optimizer=3",),
        "'3' is no Optimizer: it is a section; write its values one by one, with .lr=…",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_uses_no_run_number(case, name: str) -> None:
    from curifactory.errors import ParameterError

    changes, said = FAULTS[name]
    with pytest.raises(ParameterError) as caught:
        case.run(changes=changes)
    assert said in str(caught.value)
    assert not (case.project.root / "data/runs").exists()


def test_values_are_checked_before_a_run_number_is_used(here) -> None:
    from curifactory.errors import ParameterTypeError

    here.write(
        "experiments/case.py",
        EXPERIMENT.replace('[Params(name="base")]', '[Params(name="base", n="x", seed=0.5)]'),
    )
    with pytest.raises(ParameterTypeError) as caught:
        here.run()
    assert [path for path, _ in caught.value.faults] == ["base.n", "base.seed"]
    assert not (here.project.root / "data/runs").exists()


def test_the_command_sweeps(case) -> None:
    done = case.project.experiment("case", "n=10,20", "seed=0-1", "--no-report")
    assert done.returncode == 0, done.stderr
    assert "Record 3 (n=20,seed=1)" in done.stdout
    hashes = case.project.experiment("case", "--repeat", "2", "--hashes").stdout.split()
    assert hashes[1::2] == ["base", "base"] or "#1" in hashes
    shown = json.loads(case.project.experiment("case", "--print-params", "n=5", "seed=1,2").stdout)
    assert [each["name"] for each in shown] == ["seed=1", "seed=2"]
    assert [each["parameters"]["n"] for each in shown] == [5, 5]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["n=1,2", "--use-best", "loss"], "Add --chain."),
        (["n=1,2", "--chain", "--minimize"], "Give both."),
        (["--chain"], "--chain goes with changes of parameters"),
        (["n=1,2", "--chain", "--zip"], "--chain and --zip contradict each other"),
        (["n=1,2", "seed=1,2,3", "--zip"], "n has 2, seed has 3"),
        (["nn=1"], "did you mean 'n'?"),
        (["wide"], "'wide' is no change of a parameter"),
        (["--repeat", "0"], "0 is not in the range"),
    ],
)
def test_the_command_refuses_in_a_line(case, words: list[str], said: str) -> None:
    done = case.project.experiment("case", *words, check=False)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (case.project.root / "data/runs").exists()


def test_a_task_yields_records_one_at_a_time(case) -> None:
    import curifactory as cf

    case.forget_modules()
    manager = cf.ArtifactManager("proto", quiet=True)
    case_module = manager.project.load_experiment("case").module
    load, train = case_module.load, case_module.train
    task = cf.Task(manager, case_module.Params(name="base"))
    for record in task.chain({"optimizer.lr": [0.5, 0.1]}, n=[10, 20], use_best="loss", minimize=True):
        train(load(record))
    manager.finish()
    assert [each.params.name for each in task.variations] == [
        "optimizer.lr=0.5",
        "optimizer.lr=0.1",
        "n=10,optimizer.lr=0.1",
        "n=20,optimizer.lr=0.1",
    ]
    about = json.loads(Path(manager.run_folder, "run.json").read_text(encoding="utf-8"))
    assert about["sweeps"][0]["carried"] == [{"name": "optimizer.lr", "value": 0.1}]


def test_a_task_that_is_left_early_keeps_what_it_had(case) -> None:
    import curifactory as cf

    case.forget_modules()
    manager = cf.ArtifactManager("proto", quiet=True)
    task = cf.Task(manager, manager.project.load_experiment("case").module.Params())
    for record in task.product(n=[10, 20, 30]):
        if record.params.n == 20:
            break
    manager.finish()
    about = json.loads(Path(manager.run_folder, "run.json").read_text(encoding="utf-8"))
    assert [each["name"] for each in about["sweeps"][0]["sets"]] == ["n=10", "n=20"]


def test_a_session_keeps_all_its_sweeps_and_shows_them(case) -> None:
    import curifactory as cf

    case.forget_modules()
    manager = cf.ArtifactManager("proto", quiet=True)
    case_module = manager.project.load_experiment("case").module
    load, train = case_module.load, case_module.train
    task = cf.Task(manager, case_module.Params(name="base"))
    for record in task.product(n=[10, 20]):
        train(load(record))
    # The same names once more, of another base, and one within the other.
    other = cf.Task(manager, case_module.Params(name="other", seed=1))
    for record in other.product(n=[10, 20, 30]):
        train(load(record))
        for inner in task.zipped({"optimizer.lr": [0.25, 0.1]}, seed=[5, 6]):
            train(load(inner))
        break
    report = manager.generate_report()
    manager.finish()
    past = cf.load_run(manager.reference)
    assert [repr(each) for each in past.sweeps] == [
        "<product of n: 2 sets>",
        "<product of n: 1 set>",
        "<zip of optimizer.lr, seed: 2 sets>",
    ]
    first, second, inner = past.sweeps
    assert [each.record for sweep in (first, second, inner) for each in sweep.sets] == [0, 1, 2, 3, 4]
    assert [each.name for each in second.sets] == ["n=10"]
    frame = inner.to_frame()
    assert list(frame["optimizer.lr"]) == [0.25, 0.1]
    assert list(frame["loss"]) == [
        past.metrics.query("record == @at and name == 'loss'")["value"].iloc[-1] for at in (3, 4)
    ]
    assert "<th>seed</th>" in inner._repr_html_()
    page = Path(report).read_text(encoding="utf-8")
    assert ">Sweeps</h2>" in page
    assert [word in page for word in ("Sweep 1: n<", "Sweep 2: n<", "Sweep 3: optimizer.lr, seed<")] == [
        True
    ] * 3
    shown = case.project.experiment("show", "-1").stdout
    assert "sweeps\n  2 sets: every combination of n=10,20\n" in shown
    assert "2 sets: side by side of optimizer.lr=0.25,0.1 seed=5,6" in shown
    listed = json.loads(case.project.experiment("runs", "--columns", "sweeps", "--json").stdout)
    assert '"sweeps": 3' in json.dumps(listed)


def test_a_sweep_in_the_run_of_a_command_does_not_replace_the_command_s_own(here) -> None:
    here.write(
        "experiments/case.py",
        EXPERIMENT.replace(
            "return [(p.name, p.n, p.seed, p.optimizer.lr) for p in param_sets]",
            "return [r.params.name for r in cf.Task(manager, param_sets[0]).product(seed=[7, 8])]",
        ),
    )
    ended = here.run(changes=("n=10,20",))
    assert ended.result == ["seed=7", "seed=8"]
    assert [each["ranges"][0]["name"] for each in facts(ended)["sweeps"]] == ["n", "seed"]


def test_a_task_tells_faults_where_the_sweep_is_written(case) -> None:
    import curifactory as cf

    case.forget_modules()
    manager = cf.ArtifactManager("proto", quiet=True, dry=True)
    task = cf.Task(manager, manager.project.load_experiment("case").module.Params())
    with pytest.raises(cf.ConfigurationError, match="Give use_best"):
        task.chain(n=[1, 2], minimize=True)
    assert [record.params.seed for record in task.zipped(n=[1, 2], seed=[3, 4])] == [3, 4]
    assert len(list(task.product(repeat=2))) == 2
    manager.finish()


def test_a_repetition_says_that_it_is_one(case) -> None:
    case.run()
    assert case.run(repeat=2).reasons["train"] == "parameter repeat_index: 0 → 1"


def test_what_would_be_decided_is_explained_for_changed_sets(case) -> None:
    case.run(changes=("n=10",))
    told = case.project.experiment("cache", "why", "case", "n=10,20").stdout
    assert "Record 0 (n=10)  reuse" in told
    assert "10 → 20" in told
    assert "repeat_index" in case.project.experiment("cache", "why", "case", "n=10", "--repeat", "2").stdout


FOREIGN = """
from __future__ import annotations
import attrs
import curifactory as cf
from curifactory.caching import JsonCacher
import pydantic

class Model(pydantic.BaseModel):
    depth: int = pydantic.Field(2, gt=0)

class ModelSet(pydantic.BaseModel):
    name: str = "model"
    n: int = 1
    model: Model = Model()

@attrs.define
class AttrsSet:
    name: str = "attrs"
    n: int = 1
    model: Model = attrs.field(factory=Model)

def get_params():
    return [ModelSet(), AttrsSet()]

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return record.params.n

@cf.stage(inputs=["x"], outputs=["y"], cachers=[JsonCacher])
def end(record, x):
    return x * record.params.model.depth

def run(param_sets, manager):
    for p in param_sets:
        end(begin(cf.Record(manager, p)))
    return [record.state["y"] for record in manager.records]
"""


def test_sets_of_pydantic_and_attrs_run_are_reused_by_what_was_read_and_swept(here) -> None:
    here.write("experiments/case.py", FOREIGN)
    first = here.run()
    assert first.result == [2, 2]
    # Both sets have read the same values, wherever they lie.
    assert first.executed == {"begin": 1, "end": 1}
    assert here.run().executed == {}
    swept = here.run(changes=("depth=2,3",))
    assert swept.result == [2, 3, 2, 3]
    assert swept.executed.get("begin") is None
    assert [record.params.name for record in swept.manager.records][:2] == ["model depth=2", "model depth=3"]
    kept = json.loads(Path(swept.manager.run_folder, "parameters.json").read_text(encoding="utf-8"))
    assert [each["shown"]["model"] for each in kept] == [{"depth": 2}, {"depth": 3}] * 2
    assert len({each["hash"] for each in kept}) == 4


def test_what_pydantic_refuses_is_told_with_its_path(here) -> None:
    from curifactory.errors import ParameterTypeError

    here.write("experiments/case.py", FOREIGN)
    with pytest.raises(ParameterTypeError, match=r"model\.depth: Input should be greater than 0"):
        here.run(changes=("depth=-1",))

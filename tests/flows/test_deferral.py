"""Deferred calls against people's code: the rules of section 1, each with the case that it settles."""

from __future__ import annotations

import sys

import pytest

import curifactory as cf
from curifactory.core.outcomes import CallOutcome
from curifactory.engine.engine import Engine
from curifactory.workflow.experiment import planned
from curifactory.workflow.request import RunRequest

HEAD = """
from dataclasses import dataclass, field
import os, random, tempfile, contextlib
import curifactory as cf
from curifactory.caching import JsonCacher, PickleCacher

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1
    items: list = field(default_factory=list)

def get_params():
    return [Params(name="a", n=1), Params(name="b", n=2)]

def note(text):
    with open(os.path.join(ROOT, "order.txt"), "a") as file:
        file.write(text + "\\n")

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    note(f"begin {record.params.name}")
    return record.params.n

@cf.stage(inputs=["x"], outputs=["y"], cachers=[JsonCacher])
def double(record, x):
    note(f"double {record.params.name}")
    return 2 * x

@cf.aggregate(inputs=["y"], outputs=["total"], cachers=[JsonCacher])
def add_up(record, records, y):
    note("add_up")
    return sum(y.values())
"""


def run(project, monkeypatch: pytest.MonkeyPatch, body: str, **options):
    project.write("experiments/case.py", HEAD + body)
    monkeypatch.chdir(project.root)
    # Each run stands for a process of its own, which would import the file as it is now.
    for name in [name for name in sys.modules if name.partition(".")[0] == "experiments"]:
        del sys.modules[name]
    return cf.run_experiment("case", report=False, **options)


def order(project) -> list[str]:
    path = project.root / "order.txt"
    return path.read_text().splitlines() if path.exists() else []


def test_calls_wait_until_run_has_returned(project, monkeypatch) -> None:
    run(
        project,
        monkeypatch,
        """
def run(param_sets, manager):
    for p in param_sets:
        double(begin(cf.Record(manager, p)))
    add_up(cf.Record(manager, None))
    note("run returned")
""",
    )
    assert order(project) == ["run returned", "begin a", "double a", "begin b", "double b", "add_up"]


def test_run_is_called_exactly_once_and_its_result_is_given_back(project, monkeypatch) -> None:
    result, _ = run(
        project, monkeypatch, "\ndef run(param_sets, manager):\n    note('run')\n    return len(param_sets)\n"
    )
    assert result == 2
    assert order(project) == ["run"]


def test_reading_a_value_in_run_executes_just_what_it_needs(project, monkeypatch) -> None:
    result, _ = run(
        project,
        monkeypatch,
        """
def run(param_sets, manager):
    first, second = [double(begin(cf.Record(manager, p))) for p in param_sets]
    value = second.state["y"]
    note("read")
    return value
""",
    )
    assert result == 4
    assert order(project) == ["begin b", "double b", "read", "begin a", "double a"]


def test_output_resolves_to_what_the_last_stage_returned(project, monkeypatch) -> None:
    result, _ = run(
        project,
        monkeypatch,
        "\ndef run(param_sets, manager):\n    return double(begin(cf.Record(manager, param_sets[1]))).output\n",
    )
    assert result == 4


@pytest.mark.parametrize(
    "block",
    ["try:\n        {call}\n    finally:\n        pass", "with contextlib.nullcontext():\n        {call}"],
)
def test_1_1_a_call_inside_a_block_is_executed_before_it_returns(project, monkeypatch, block: str) -> None:
    body = block.format(call="record = begin(record)")
    run(
        project,
        monkeypatch,
        f"""
def run(param_sets, manager):
    record = cf.Record(manager, param_sets[0])
    {body}
    note("after the block")
    double(record)
    note("run returned")
""",
    )
    assert order(project) == ["begin a", "after the block", "run returned", "double a"]


def test_1_1_an_exception_in_a_try_block_reaches_its_except(project, monkeypatch) -> None:
    result, manager = run(
        project,
        monkeypatch,
        """
@cf.stage(outputs=["z"])
def fail(record):
    raise ValueError("no luck")

def run(param_sets, manager):
    record = cf.Record(manager, param_sets[0])
    try:
        fail(record)
    except ValueError as error:
        caught = str(error)
    begin(record)
    return caught, "z" in record.state
""",
    )
    assert result == ("no luck", False)
    assert manager.counts[CallOutcome.FAILED] == 1
    assert manager.counts[CallOutcome.RAN] == 1


def test_1_2_a_parameter_changed_after_the_call_is_an_error_that_names_it(project, monkeypatch) -> None:
    with pytest.raises(cf.DefinitionError, match=r"'a'.*changed after the call was made: n"):
        run(
            project,
            monkeypatch,
            """
def run(param_sets, manager):
    begin(cf.Record(manager, param_sets[0]))
    param_sets[0].n = 5
""",
        )


def test_r5_a_stage_that_changes_a_parameter_is_an_error_that_names_it(project, monkeypatch) -> None:
    with pytest.raises(cf.DefinitionError, match=r"changed while it was executed: items"):
        run(
            project,
            monkeypatch,
            """
@cf.stage(outputs=["z"])
def spoil(record):
    record.params.items.append(1)
    return 1

def run(param_sets, manager):
    spoil(cf.Record(manager, param_sets[0]))
""",
        )


def test_1_2_a_keyword_changed_before_the_execution_is_an_error(project, monkeypatch) -> None:
    with pytest.raises(cf.StageError, match=r"'x' was changed between the call of 'double'"):
        run(
            project,
            monkeypatch,
            """
def run(param_sets, manager):
    values = [1]
    double(cf.Record(manager, param_sets[0]), x=values)
    values.append(2)
""",
        )


def test_1_2_a_global_changed_before_the_execution_is_an_error(project, monkeypatch) -> None:
    body = """
CONFIG = {"scale": 1}

@cf.stage(outputs=["z"])
def use(record):
    return CONFIG["scale"]

def run(param_sets, manager):
    record = use(cf.Record(manager, param_sets[0]))
    CONFIG["scale"] = 2
    return record
"""
    with pytest.raises(
        cf.StageError, match=r"'use' reaches was changed between its call at experiments/case.py:\d+"
    ):
        run(project, monkeypatch, body)
    result, _ = run(project, monkeypatch, body, eager=True)
    assert result.state["z"] == 1


def test_1_2_the_folder_is_that_of_the_call(project, monkeypatch) -> None:
    result, _ = run(
        project,
        monkeypatch,
        """
@cf.stage(outputs=["folder"])
def look(record):
    return os.getcwd()

def run(param_sets, manager):
    os.makedirs("below", exist_ok=True)
    before = os.getcwd()
    os.chdir("below")
    record = look(cf.Record(manager, param_sets[0]))
    os.chdir(before)
    return record
""",
    )
    assert result.state["folder"].endswith("below")


def test_1_3_a_call_sees_the_state_as_it_was_when_it_was_made(project, monkeypatch) -> None:
    result, _ = run(
        project,
        monkeypatch,
        """
def run(param_sets, manager):
    record = cf.Record(manager, param_sets[0])
    record.state["x"] = 10
    double(record)
    first = record.make_copy()
    record.state["x"] = 100
    double(record)
    return first, record
""",
    )
    first, record = result
    assert first.state["y"] == 20
    assert record.state["y"] == 200


def test_1_3_records_that_come_later_are_not_taken_by_an_aggregate(project, monkeypatch) -> None:
    result, _ = run(
        project,
        monkeypatch,
        """
def run(param_sets, manager):
    double(begin(cf.Record(manager, param_sets[0])))
    total = add_up(cf.Record(manager, None))
    double(begin(cf.Record(manager, param_sets[1])))
    return total
""",
    )
    assert result.state["total"] == 2


def test_1_4_an_aggregate_without_inputs_reads_what_it_wants(project, monkeypatch) -> None:
    body = """
@cf.aggregate(outputs=["all"], cachers=[JsonCacher])
def read_all(record, records):
    note("read_all")
    return {r.params.name: r.state["y"] for r in records}

def run(param_sets, manager):
    for p in param_sets:
        double(begin(cf.Record(manager, p)))
    return read_all(cf.Record(manager, None))
"""
    result, _ = run(project, monkeypatch, body)
    assert result.state["all"] == {"a": 2, "b": 4}
    result, manager = run(project, monkeypatch, body)
    assert result.state["all"] == {"a": 2, "b": 4}
    assert manager.counts == {CallOutcome.REUSED: 5}


def test_1_4_an_undeclared_read_counts(project, monkeypatch) -> None:
    body = """
@cf.stage(outputs=["copy"], cachers=[JsonCacher])
def peek(record):
    note("peek")
    return look_up(record)

def look_up(record):
    return record.state["y"]

def run(param_sets, manager):
    return peek(double(begin(cf.Record(manager, param_sets[0])), x={value}))
"""
    result, _ = run(project, monkeypatch, body.replace("{value}", "3"))
    assert result.state["copy"] == 6
    result, _ = run(project, monkeypatch, body.replace("{value}", "4"))
    assert result.state["copy"] == 8
    assert order(project).count("peek") == 2


def test_1_5_a_value_changed_by_hand_is_what_the_next_stage_reads(project, monkeypatch) -> None:
    result, _ = run(
        project,
        monkeypatch,
        """
@cf.stage(outputs=["rows"], cachers=[PickleCacher])
def make_rows(record):
    return [1, 2]

@cf.stage(inputs=["rows"], outputs=["count"], cachers=[JsonCacher])
def count(record, rows):
    return len(rows)

def run(param_sets, manager):
    record = make_rows(cf.Record(manager, param_sets[0]))
    record.state["rows"].append(3)
    return count(record)
""",
    )
    assert result.state["count"] == 3


@pytest.mark.parametrize("eager", [False, True])
def test_1_5_a_large_value_changed_by_hand_is_noticed_without_a_digest_before(
    project, monkeypatch, eager: bool
) -> None:
    body = """
import numpy as np
from curifactory.caching import Lazy, NumpyCacher

@cf.stage(outputs=[Lazy("rows")], cachers=[NumpyCacher])
def make_rows(record):
    return np.zeros(200_000)

@cf.stage(inputs=["rows"], outputs=["total"], cachers=[JsonCacher])
def add_up(record, rows):
    note("add_up")
    return float(rows.sum())

def run(param_sets, manager):
    record = make_rows(cf.Record(manager, param_sets[0]))
    rows = record.state["rows"]
    rows[0] = CHANGED
    return add_up(record)

CHANGED = {changed}
"""
    for changed, executions in ((0.0, 1), (5.0, 2), (0.0, 2)):
        result, _ = run(project, monkeypatch, body.replace("{changed}", str(changed)), eager=eager)
        assert result.state["total"] == changed
        assert order(project).count("add_up") == executions


def test_1_5_a_large_value_whose_file_has_gone_counts_as_changed(project, monkeypatch) -> None:
    body = """
import glob
import numpy as np
from curifactory.caching import Lazy, NumpyCacher

@cf.stage(outputs=[Lazy("rows")], cachers=[NumpyCacher])
def make_rows(record):
    return np.ones(200_000)

@cf.stage(inputs=["rows"], outputs=["total"], cachers=[JsonCacher])
def add_up(record, rows):
    note("add_up")
    return float(rows.sum())

def run(param_sets, manager):
    record = make_rows(cf.Record(manager, param_sets[0]))
    rows = record.state["rows"]
    (path,) = glob.glob(f"{manager.cache_path}/*rows.npy")
    os.unlink(path)
    return add_up(record)
"""
    for _ in range(2):
        result, _ = run(project, monkeypatch, body)
        assert result.state["total"] == 200_000.0


def test_r5_a_stage_that_changes_its_input_does_not_touch_that_of_others(project, monkeypatch) -> None:
    result, _ = run(
        project,
        monkeypatch,
        """
@cf.stage(outputs=["rows"], cachers=[PickleCacher])
def make_rows(record):
    return [1, 2]

@cf.stage(inputs=["rows"], outputs=["one"])
def spoil(record, rows):
    rows.clear()
    return len(rows)

@cf.stage(inputs=["rows"], outputs=["two"])
def count(record, rows):
    return len(rows)

def run(param_sets, manager):
    return count(spoil(make_rows(cf.Record(manager, param_sets[0]))))
""",
    )
    assert result.state["two"] == 2


def test_1_6_a_stage_inside_a_stage_is_a_part_of_it_and_makes_it_not_reusable(project, monkeypatch) -> None:
    body = """
@cf.stage(outputs=["outer"], cachers=[JsonCacher])
def outer(record):
    note("outer")
    begin(record)
    return record.state["x"] + 1

def run(param_sets, manager):
    return outer(cf.Record(manager, param_sets[1]))
"""
    for _ in range(2):
        result, manager = run(project, monkeypatch, body)
        assert result.state["outer"] == 3
        assert result.state["x"] == 2
    assert order(project).count("outer") == 2
    assert len(manager.engine.graph) == 1


def test_1_7_a_record_cannot_be_pickled_into_an_artifact(project, monkeypatch) -> None:
    with pytest.raises(cf.CacheError, match=r"PickleCacher cannot save 'z'.*record"):
        run(
            project,
            monkeypatch,
            """
@cf.stage(outputs=["z"], cachers=[PickleCacher])
def keep(record):
    return {record: 1}

def run(param_sets, manager):
    keep(cf.Record(manager, param_sets[0]))
""",
        )


def test_1_7_records_are_keys_of_an_aggregates_dictionaries(project, monkeypatch) -> None:
    result, _ = run(
        project,
        monkeypatch,
        """
@cf.aggregate(inputs=["y"], outputs=["found"])
def find(record, records, y):
    return [y[r] for r in records], all(isinstance(r, cf.Record) for r in records)

def run(param_sets, manager):
    records = [double(begin(cf.Record(manager, p))) for p in param_sets]
    return find(cf.Record(manager, None), records)
""".replace('outputs=["found"]', 'outputs=["found", "records"]'),
    )
    assert result.state["found"] == [2, 4]
    assert result.state["records"] is True


def test_1_8_names_are_known_without_executing(project, monkeypatch) -> None:
    result, _ = run(
        project,
        monkeypatch,
        """
def run(param_sets, manager):
    record = double(begin(cf.Record(manager, param_sets[0])))
    known = len(record.state), "y" in record.state, list(record.state.keys())
    note("asked")
    return known
""",
    )
    assert result == (2, True, ["x", "y"])
    assert order(project)[0] == "asked"


def test_1_8_values_can_be_read_after_the_run(project, monkeypatch) -> None:
    _, manager = run(
        project,
        monkeypatch,
        "\ndef run(param_sets, manager):\n    double(begin(cf.Record(manager, param_sets[1])))\n",
    )
    assert dict(manager.records[0].state) == {"x": 2, "y": 4}


def test_eager_executes_each_call_at_once(project, monkeypatch) -> None:
    run(
        project,
        monkeypatch,
        """
def run(param_sets, manager):
    double(begin(cf.Record(manager, param_sets[0])))
    note("run returned")
""",
        eager=True,
    )
    assert order(project) == ["begin a", "double a", "run returned"]


def test_0_2_a_stage_without_outputs_always_runs(project, monkeypatch) -> None:
    body = """
@cf.stage(inputs=["y"])
def tell(record, y):
    note(f"tell {y}")

def run(param_sets, manager):
    tell(double(begin(cf.Record(manager, param_sets[0]))))
"""
    run(project, monkeypatch, body)
    run(project, monkeypatch, body)
    assert order(project).count("tell 2") == 2
    assert order(project).count("double a") == 1


def test_the_error_of_a_stage_names_stage_record_and_line(project, monkeypatch) -> None:
    with pytest.raises(
        cf.StageError,
        match=r"Stage 'fail' of Record 0 \(a\) raised ValueError: no luck.*experiments/case.py:\d+",
    ) as caught:
        run(
            project,
            monkeypatch,
            """
@cf.stage(outputs=["z"])
def fail(record):
    raise ValueError("no luck")

def run(param_sets, manager):
    fail(cf.Record(manager, param_sets[0]))
""",
        )
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_missing_input_is_an_error_where_the_stage_is_called(project, monkeypatch) -> None:
    with pytest.raises(
        cf.MissingInputError, match=r"'double' needs the input 'x'.*Record 0 \(a\).*nothing yet"
    ):
        run(
            project,
            monkeypatch,
            "\ndef run(param_sets, manager):\n    double(cf.Record(manager, param_sets[0]))\n",
        )


def test_2_7_a_suppressed_input_that_appears_later_is_noticed(project, monkeypatch) -> None:
    body = """
@cf.stage(inputs=["x"], outputs=["z"], cachers=[JsonCacher], suppress_missing_inputs=True)
def perhaps(record, x=None):
    return x

def run(param_sets, manager):
    record = cf.Record(manager, param_sets[0])
    {line}
    return perhaps(record)
"""
    result, _ = run(project, monkeypatch, body.replace("{line}", "pass"))
    assert result.state["z"] is None
    result, _ = run(project, monkeypatch, body.replace("{line}", "record.state['x'] = None"))
    assert result.state["z"] is None
    result, _ = run(project, monkeypatch, body.replace("{line}", "begin(record)"))
    assert result.state["z"] == 1


CHAIN = """
def run(param_sets, manager):
    for p in param_sets:
        double(begin(cf.Record(manager, p)))
    add_up(cf.Record(manager, None))
"""


def test_what_a_reused_call_has_made_is_read_back_when_somebody_asks_late(project, monkeypatch) -> None:
    run(project, monkeypatch, CHAIN)
    _, manager = run(project, monkeypatch, CHAIN)
    record = manager.records[1]
    slot = record.state.find_slot("y")
    assert slot.producer.kept_outputs is None
    (output,) = slot.producer.outputs
    assert (output.name, output.artifact.type, output.artifact.files[0].size_bytes) == ("y", "int", 2)
    assert (record.state["x"], record.state["y"], manager.records[2].state["total"]) == (2, 4, 6)


def test_what_is_still_to_be_read_is_kept_until_then(project, monkeypatch) -> None:
    run(project, monkeypatch, CHAIN)
    changed = HEAD.replace("return 2 * x", "return 3 * x")
    monkeypatch.setattr(sys.modules[__name__], "HEAD", changed)
    reads_back: list[str] = []
    outputs_of = Engine.outputs_of
    monkeypatch.setattr(
        Engine, "outputs_of", lambda self, call: reads_back.append(call.name) or outputs_of(self, call)
    )
    _, manager = run(project, monkeypatch, CHAIN)
    assert reads_back == []
    assert manager.records[2].state["total"] == 9
    assert manager.records[0].state.find_slot("x").producer.kept_outputs is None


def test_what_can_be_read_back_no_more_is_made_again(project, monkeypatch) -> None:
    run(project, monkeypatch, CHAIN)
    _, manager = run(
        project,
        monkeypatch,
        CHAIN.replace("def run", "def build")
        + """
def run(param_sets, manager):
    build(param_sets, manager)
    manager.engine.run_all()
    for folder in ("manifests", "cache"):
        for path, _, names in os.walk(os.path.join(ROOT, "data", folder)):
            for name in names:
                if "begin" in os.path.join(path, name):
                    os.unlink(os.path.join(path, name))
    return manager.records[1].state["x"]
""",
    )
    assert order(project)[5:] == ["begin b"]
    assert manager.records[1].state["x"] == 2


def test_a_call_sees_what_was_bound_before_it_was_made(project, monkeypatch) -> None:
    _, manager = run(
        project,
        monkeypatch,
        """
def run(param_sets, manager):
    record = cf.Record(manager, param_sets[1])
    double(begin(record))
    copied = record.make_copy()
    record.state["x"] = 10
    double(record)
    del record.state["x"]
    double(copied)
    copied.state["x"] = 20
    double(copied)
""",
    )
    assert order(project) == ["begin b", "double b", "double b", "double b"]
    first, second = manager.records
    assert (first.state["y"], "x" in first.state) == (20, False)
    assert (second.state["y"], second.state["x"]) == (40, 20)


def test_what_a_large_plan_is_made_of_is_not_looked_through_for_garbage(project, monkeypatch) -> None:
    body = """
import gc

looked = []

def get_params():
    return [Params(name=f"s{n}", n=n) for n in range(4_000)]

def run(param_sets, manager):
    def look(phase, info):
        looked.append(info["generation"])

    gc.callbacks.append(look)
    try:
        for params in param_sets:
            double(begin(cf.Record(manager, params)))
        assert not looked, looked
    finally:
        gc.callbacks.remove(look)
"""
    project.write("experiments/case.py", HEAD + body)
    monkeypatch.chdir(project.root)
    with planned(RunRequest(experiment="case")) as (plan, _):
        assert len(plan.rows) == 8_000

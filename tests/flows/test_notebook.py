"""Notebooks with real kernels: cells are code like any other, everything shows itself, and progress stays in one place."""

from __future__ import annotations

import json
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

SETUP = """
from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher, PickleCacher
from curifactory.reporting import LinePlotReporter

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 3

manager = cf.ArtifactManager("proto", quiet=True)

def outcomes():
    print(*[f"{call.name}={call.outcome.value}" for call in manager.engine.graph.calls])
"""

STAGES = """
def scale(x):
    return 10 * x

@cf.stage(None, ["data"], [JsonCacher])
def load(record):
    return record.params.n

@cf.stage(["data"], ["scaled"], [JsonCacher])
def scale_all(record, data):
    return scale(data)
"""

CALL = """
record = scale_all(load(cf.Record(manager, Params(name="a"))))
print(record.state["scaled"])
"""


class Client(NotebookClient):
    """Counts the messages that a kernel sends for each cell."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.messages: dict[int, Counter[str]] = {}

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        self.messages.setdefault(cell_index, Counter())[msg["msg_type"]] += 1
        return super().process_message(msg, cell, cell_index)


@dataclass
class Executed:
    """A notebook that has been executed, and what its kernel has sent."""

    cells: list[Any]
    messages: dict[int, Counter[str]] = field(default_factory=dict)
    error: str = ""

    def printed(self, position: int) -> str:
        outputs = self.cells[position].outputs
        return "".join(output.text for output in outputs if output.get("name") == "stdout")

    def shown(self, position: int) -> dict[str, str]:
        """Return what the last line of a cell shows, by kind."""
        (output,) = [each for each in self.cells[position].outputs if each.output_type == "execute_result"]
        return dict(output.data)

    def displayed(self, position: int) -> list[str]:
        outputs = self.cells[position].outputs
        return [output.data["text/plain"] for output in outputs if output.output_type == "display_data"]


@pytest.fixture
def notebook(project):
    """Give a function that executes cells in a new kernel in the project."""

    def execute(*cells: str) -> Executed:
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        client = Client(
            made, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(project.root)}}
        )
        error = ""
        try:
            client.execute(env=project.environment)
        except CellExecutionError as raised:
            error = str(raised)
        return Executed(made.cells, client.messages, error)

    def must_execute(*cells: str, fails: bool = False) -> Executed:
        executed = execute(*cells)
        assert bool(executed.error) is fails, executed.error
        return executed

    return must_execute


# --------------------------------------------------------------------------------------------- cells are code


def test_a_helper_that_is_defined_anew_reruns_what_uses_it_and_nothing_else(notebook) -> None:
    ran = notebook(
        SETUP,
        STAGES,
        CALL,
        # The same text, formatted otherwise, is the same code.
        "def scale(x):\n    # ten times\n    return (10 * x)",
        CALL,
        "def scale(x):\n    return 100 * x",
        CALL,
        "outcomes()",
        "print(manager.engine.graph.calls[-1].reason)",
    )
    assert [ran.printed(cell).strip() for cell in (2, 4, 6)] == ["30", "30", "300"]
    assert ran.printed(7).split() == [
        "load=ran", "scale_all=ran", "load=reused", "scale_all=reused", "load=reused", "scale_all=ran",
    ]  # fmt: skip
    assert ran.printed(8).strip() == "code of scale changed"


def test_a_stage_with_the_same_code_is_reused_by_another_kernel(notebook, project) -> None:
    notebook(SETUP, STAGES, CALL)
    # Another order of cells, another place in the notebook, a comment: none of it is code.
    second = notebook("import math", SETUP, "# some words\n" + STAGES, CALL, "outcomes()")
    assert second.printed(3).strip() == "30"
    assert second.printed(4).split() == ["load=reused", "scale_all=reused"]
    stages = sorted(path.name for path in (project.root / "data/manifests").iterdir())
    assert stages == ["notebook%3Aproto.load", "notebook%3Aproto.scale_all"]


def test_a_stage_with_other_code_is_run_by_another_kernel(notebook) -> None:
    notebook(SETUP, STAGES, CALL)
    second = notebook(SETUP, STAGES.replace("10 * x", "11 * x"), CALL, "outcomes()")
    assert second.printed(2).strip() == "33"
    assert second.printed(3).split() == ["load=reused", "scale_all=ran"]


MODEL = """
class Model:
    def __init__(self, n):
        self.n = n

    def predict(self):
        return 2 * self.n

@cf.stage(None, ["model"], [PickleCacher])
def train(record):
    return Model(record.params.n)
"""


def test_an_instance_of_a_class_in_a_cell_comes_back_in_another_kernel(notebook) -> None:
    notebook(SETUP, MODEL, 'train(cf.Record(manager, Params(name="a")))')
    use = """
@cf.stage(["model"], ["score"], [JsonCacher])
def score(record, model):
    return type(model) is Model and model.predict()

print(score(train(cf.Record(manager, Params(name="a")))).state["score"])
outcomes()
"""
    second = notebook(SETUP, MODEL, use)
    assert second.printed(2).splitlines() == ["6", "train=reused score=ran"]


def test_a_method_that_is_defined_anew_reruns_who_is_given_the_instance(notebook) -> None:
    use = """
@cf.stage(["model"], ["score"], [JsonCacher])
def score(record, model):
    return model.predict()

print(score(train(cf.Record(manager, Params(name="a")))).state["score"])
"""
    call = 'print(score(train(cf.Record(manager, Params(name="a")))).state["score"])'
    ran = notebook(
        SETUP, MODEL, use, MODEL.split("@cf", maxsplit=1)[0].replace("2 * self.n", "5 * self.n"), call
    )
    assert (ran.printed(2).strip(), ran.printed(4).strip()) == ("6", "15")


def test_a_stage_that_logs_and_reports_is_reused_by_a_second_record(notebook) -> None:
    stage = """
@cf.stage(None, ["data"], [JsonCacher])
def load(record):
    record.log({"accuracy": 0.5})
    record.report(LinePlotReporter([1, 2], name="line"))
    return record.params.n
for _ in range(2):
    record = load(cf.Record(manager, Params(name="a")))
outcomes()
"""
    ran = notebook(SETUP, stage, "print(cf.load_run('-1').records[1].metrics)")
    assert ran.printed(1).split() == ["load=ran", "load=reused"]
    assert ran.printed(2).strip() == "{'accuracy': 0.5}"


def test_a_module_that_is_reloaded_by_itself_counts_too(notebook, project) -> None:
    project.write("features.py", "def scale(x):\n    return 10 * x\n")
    write = (
        "from pathlib import Path\nPath('features.py').write_text('def scale(x):\\n    return 1000 * x\\n');"
    )
    stages = STAGES.replace("def scale(x):\n    return 10 * x", "from features import scale")
    ran = notebook("%load_ext autoreload\n%autoreload 2", SETUP, stages, CALL, write, CALL)
    assert (ran.printed(3).strip(), ran.printed(5).strip()) == ("30", "3000")


def test_a_stage_that_failed_can_be_mended_in_the_next_cell(notebook) -> None:
    bad = STAGES.replace("return scale(data)", "return 1 / 0")
    ran = notebook(
        SETUP, bad, "try:\n    scale_all(load(cf.Record(manager, Params(name='a'))))\nexcept Exception as error:\n"
        "    print(type(error).__name__)", STAGES, CALL, "outcomes()",
    )  # fmt: skip
    assert ran.printed(2).strip() == "ZeroDivisionError"
    assert ran.printed(4).strip() == "30"
    assert ran.printed(5).split() == ["load=ran", "scale_all=failed", "load=reused", "scale_all=ran"]


def test_an_exception_in_a_cell_ends_no_session(notebook, project) -> None:
    ran = notebook(SETUP, STAGES, CALL, "raise ValueError('seen')", fails=True)
    assert "seen" in ran.error
    deadline = time.monotonic() + 30
    facts: dict[str, Any] = {}
    while not facts.get("finished_at") and time.monotonic() < deadline:
        # The kernel may still be on its way out.
        time.sleep(0.1)
        (path,) = project.root.glob("data/runs/*/run.json")
        facts = json.loads(path.read_text(encoding="utf-8"))
    assert (facts["outcome"], facts.get("error")) == ("live", None)


# --------------------------------------------------------------------------------------------- showing


REPORTS = """
@cf.stage(None, ["data"], [JsonCacher])
def load(record):
    record.log({"accuracy": 0.5})
    record.report(LinePlotReporter([1, 2, 3], name="<script>alert(1)</script>", group="lines"))
    return "<script>alert(2)</script>"

record = load(cf.Record(manager, Params(name="<script>alert(3)</script>")))
record.state["by hand"] = [1, 2]
"""


def test_everything_shows_itself_whole_and_escaped(notebook) -> None:
    ran = notebook(
        SETUP,
        REPORTS,
        "manager",
        "record",
        "manager.display_all_reportables()",
        "manager.display_record_reportables(record)",
        "manager.display_group_reportables('lines')",
        "manager.display_stage_reportables('load')",
        "LinePlotReporter([1, 2], name='<script>')",
        "cf.load_run('proto/-1')",
        "cf.load_run('proto/-1').records[0]",
        "cf.load_run('proto/-1').reportables[0]",
        "manager.display_info()",
        "manager.display_stage_graph()",
        "manager.plan()",
        "cf.load_run('proto/-1').records[0].artifacts['data']",
    )
    for position in range(2, 16):
        shown = ran.shown(position)["text/html"]
        assert "<script" not in shown, position
        assert "/files/" not in shown
        assert {address.split(":")[0] for address in re.findall(r'(?:src|href)="([^"]*)', shown)} <= {"data"}
        assert ("data:image/svg+xml;base64," in shown) is (position < 12), position
    assert "&lt;script&gt;alert(3)" in ran.shown(3)["text/html"]
    assert "by hand" in ran.shown(3)["text/html"]
    assert re.fullmatch(r"<ArtifactManager proto_1_\S+: 1 records, live>", ran.shown(2)["text/plain"])
    assert re.fullmatch(r"<run proto_1_\S+: 1 record, live>", ran.shown(9)["text/plain"])
    assert ran.shown(14)["text/plain"] == "<plan of 1 call: 1 run>"


def test_a_traceback_has_the_persons_lines_and_none_of_the_engine(notebook) -> None:
    broken = """
def helper(values):
    return values["y"]

@cf.stage(None, ["x"], [JsonCacher])
def broken(record):
    return helper({})
"""
    failed = notebook(SETUP, broken, "broken(cf.Record(manager, Params()))", fails=True)
    (raised,) = [each for each in failed.cells[2].outputs if each.output_type == "error"]
    trace = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(raised.traceback))
    assert re.findall(r"^Cell In\[\d\], line \d+, in (\w+)\(", trace, re.MULTILINE) == ["broken", "helper"]
    assert "curifactory/" not in trace
    assert trace.endswith("KeyError: 'y'\nin stage 'broken' of Record 0 (UNNAMED), called at cell In[3]:1")


def test_a_fault_of_the_package_itself_keeps_all_of_its_frames(
    here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import curifactory as cf
    from curifactory.engine.engine import Engine

    @cf.stage(None, ["x"])
    def make(record: Any) -> int:
        return 1

    def fail(*_: Any) -> None:
        raise AssertionError("a fault of ours")

    manager = cf.ArtifactManager("proto", quiet=True)
    monkeypatch.setattr(Engine, "_bind", fail)
    with pytest.raises(AssertionError) as caught:
        make(cf.Record(manager, None))
    assert [entry.name for entry in caught.traceback][-3:] == ["call_stage", "add_call", "fail"]


def test_a_call_in_a_cell_is_said_to_be_in_that_cell(notebook) -> None:
    ran = notebook(
        SETUP,
        STAGES,
        "\n" + CALL,
        "print([call.line for call in cf.load_run('proto/-1').calls])",
        "load(cf.Record(manager, Params(name='b')), data='taken')",
        fails=True,
    )
    assert ran.printed(3).strip() == "['cell In[3]:1', 'cell In[3]:1']"
    assert "called at /" not in ran.error


def test_a_dry_manager_and_its_records_show_what_there_is(notebook) -> None:
    ran = notebook(
        SETUP.replace("quiet=True", "quiet=True, dry=True"),
        STAGES + "record = load(cf.Record(manager, Params(name='a')))",
        "manager",
        "record",
    )
    assert set(ran.shown(2)) == {"text/plain"}
    assert "in memory" in ran.shown(3)["text/html"]


def test_a_record_is_shown_without_loading_or_running_anything(notebook) -> None:
    cells = (SETUP, STAGES, "record = scale_all(load(cf.Record(manager, Params(name='a'))))")
    notebook(*cells)
    ran = notebook(*cells, "record", "print([slot.present for slot in record.state.slots().values()])")
    assert "scaled" in ran.shown(3)["text/html"]
    assert ran.printed(4).strip() == "[False, False]"


# --------------------------------------------------------------------------------------------- progress

LOUD = SETUP.replace(", quiet=True", "")


def test_progress_is_one_output_of_a_cell_that_changes_in_place(notebook) -> None:
    ran = notebook(LOUD, STAGES, CALL, CALL)
    assert ran.displayed(0) == []
    (first,) = ran.displayed(2)
    assert first.splitlines()[-1] == "2 calls: 2 ran"
    assert re.fullmatch(r"load  Record 0 \(a\)  ran  \S+ ms  never run", first.splitlines()[0])
    (second,) = ran.displayed(3)
    assert second.splitlines()[-1] == "2 calls: 2 reused"
    assert ran.messages[2]["display_data"] == ran.messages[3]["display_data"] == 1
    assert ran.messages[2]["update_display_data"] >= 1


def test_a_long_loop_does_not_flood_the_notebook(notebook) -> None:
    loop = "for n in range(200):\n    load(cf.Record(manager, Params(name=f'n{n}', n=n)))"
    ran = notebook(LOUD, STAGES, loop)
    (shown,) = ran.displayed(2)
    assert shown.splitlines()[-1] == "200 calls: 200 ran"
    assert len(shown.splitlines()) == 13
    assert ran.messages[2]["update_display_data"] < 300


def test_a_stage_is_shown_while_it_is_executed(notebook) -> None:
    slow = """
import time
@cf.stage(None, ["seen"])
def look(record):
    time.sleep(0.5)
    return None
look(cf.Record(manager, Params(name="a")))
"""
    watch = """
from curifactory.reporting import progress
drawn = []
whole = progress.Progress._draw
def draw(self):
    drawn.append(repr(self.view()).splitlines()[-1])
    whole(self)
progress.Progress._draw = draw
"""
    # A reused call comes first: what follows too soon for another drawing must be seen all the same.
    ran = notebook(LOUD, STAGES, watch, "load(cf.Record(manager, Params()));" + slow, "print(drawn)")
    drawn = ran.printed(4)
    assert "1 call: 1 ran, 1 running" in drawn
    assert drawn.strip().endswith("'2 calls: 2 ran']")


def test_a_stage_that_fails_is_shown_as_failed(notebook) -> None:
    ran = notebook(LOUD, STAGES.replace("scale(data)", "1 / 0"), CALL, fails=True)
    (shown,) = ran.displayed(2)
    assert shown.splitlines()[-1] == "2 calls: 1 ran, 1 failed"


def test_an_experiment_that_is_run_from_a_notebook_shows_its_progress(notebook, project) -> None:
    project.write(
        "experiments/case.py",
        "import curifactory as cf\n"
        "@cf.stage(None, ['x'])\n"
        "def make(record):\n    return 1\n"
        "def get_params():\n    return [cf.ExperimentParameters(name='a')]\n"
        "def run(param_sets, manager):\n    make(cf.Record(manager, param_sets[0]))\n",
    )
    ran = notebook("import curifactory as cf\nresult = cf.run_experiment('case')")
    (shown,) = ran.displayed(0)
    assert shown.splitlines()[-1] == "1 call: 1 ran"


def test_a_script_never_imports_ipython(project) -> None:
    project.write(
        "work.py",
        SETUP.replace("quiet=True", "") + STAGES + CALL + "import sys\nprint('IPython' in sys.modules)",
    )
    assert project.run(sys.executable, "work.py").stdout.split() == ["30", "False"]


def test_a_record_refuses_a_set_whose_class_forgot_something(here: Any) -> None:
    import curifactory as cf
    from curifactory.errors import DefinitionError

    class Forgot(cf.ExperimentParameters):
        n: int = 1

    class Careless(cf.ExperimentParameters):
        overwrite = True

    manager = cf.ArtifactManager("live")
    for cls, told in ((Forgot, "Add @dataclass"), (Careless, "gives 'overwrite' a value without a type")):
        with pytest.raises(DefinitionError, match=told):
            cf.Record(manager, cls(name="a"))
    assert manager.records == []
    manager.finish()


def test_a_record_compares_the_values_of_its_set_with_their_types(here: Any) -> None:
    import dataclasses

    import curifactory as cf
    from curifactory.errors import ParameterTypeError

    params = dataclasses.make_dataclass(
        "Params", [("n", int, 1), ("rate", float, 0.1)], bases=(cf.ExperimentParameters,)
    )
    manager = cf.ArtifactManager("live")
    cf.Record(manager, params(name="good", rate=1))
    with pytest.raises(
        ParameterTypeError, match=r"2 faults:\n  bad.n: 'two' is no int\n  bad.rate: 'x' is no float"
    ):
        cf.Record(manager, params(name="bad", n="two", rate="x"))
    assert len(manager.records) == 1
    manager.finish()

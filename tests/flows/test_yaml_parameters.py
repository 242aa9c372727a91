"""Parameter files in YAML through whole runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

EXPERIMENT = """
from __future__ import annotations
from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher
from curifactory.parameters import instantiate

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1
    rate: float = 0.5

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return record.params.n

@cf.stage(inputs=["x"], outputs=["y"], cachers=[JsonCacher])
def build(record, x):
    if not hasattr(record.params, "model"):
        return x
    return instantiate(record.params.model).predict(x)

def run(param_sets, manager):
    for p in param_sets:
        build(begin(cf.Record(manager, p)))
    return [record.state["y"] for record in manager.records]
"""
MODELS = """
class Double:
    def __init__(self, offset=0):
        self.offset = offset

    def predict(self, x):
        return 2 * x + self.offset
"""
TREE = """\
# A model that doubles.
n: 5
model:
  class: models.Double
  offset: 1
other: 1e-3
"""


@pytest.fixture
def case(here):
    here.write("experiments/case.py", EXPERIMENT)
    here.write("models.py", MODELS)
    here.write("params/tree.yaml", TREE)
    return here


def test_a_tree_is_run_reused_and_changed(case) -> None:
    first = case.run(parameter_files=("tree",))
    assert (first.result, first.executed) == ([11], {"begin": 1, "build": 1})
    assert case.run(parameter_files=("tree",)).executed == {}
    # What no stage reads makes no difference.
    case.edit("params/tree.yaml", {"1e-3": "1e-2"})
    assert case.run(parameter_files=("tree",)).executed == {}
    case.edit("params/tree.yaml", {"offset: 1": "offset: 3"})
    changed = case.run(parameter_files=("tree",))
    assert (changed.result, changed.executed) == ([13], {"build": 1})


def test_an_edited_class_that_only_a_tree_names_is_noticed(case) -> None:
    case.run(parameter_files=("tree",))
    case.edit("models.py", {"2 * x": "3 * x"})
    edited = case.run(parameter_files=("tree",))
    assert (edited.result, edited.executed) == ([16], {"build": 1})
    assert "Double" in edited.reasons["build"]
    case.edit("models.py", {"    def predict": "    # A comment.\n    def predict"})
    assert case.run(parameter_files=("tree",)).executed == {}


def test_an_edited_object_that_only_a_tree_names_is_noticed(case) -> None:
    double = "\nimport functools\ndef times(factor, x):\n    return factor * x\n"
    case.write(
        "models.py",
        MODELS + double + "class Tool:\n    predict = times\ntool = functools.partial(times, 2)\n",
    )
    case.write("params/tree.yaml", "n: 5\nmodel: {def: models.tool}\n")
    case.edit(
        "experiments/case.py",
        {"instantiate(record.params.model).predict(x)": "instantiate(record.params)['model'](x)"},
    )
    assert case.run(parameter_files=("tree",)).result == [10]
    case.edit("models.py", {"partial(times, 2)": "partial(times, 3)"})
    edited = case.run(parameter_files=("tree",))
    assert (edited.result, edited.executed) == ([15], {"build": 1})
    case.edit("models.py", {"return factor * x": "return factor * x + 1"})
    assert case.run(parameter_files=("tree",)).result == [16]
    assert case.run(parameter_files=("tree",)).executed == {}


def test_an_edited_class_is_noticed_where_calls_run_in_processes_of_their_own(case) -> None:
    done = case.project.experiment("case", "-p", "tree", "n=1,2", "-j", "2", "--no-report")
    assert "4 ran" in done.stdout
    assert case.run(parameter_files=("tree",), changes=("n=1,2",)).executed == {}
    case.edit("models.py", {"2 * x": "3 * x"})
    assert case.run(parameter_files=("tree",), changes=("n=1,2",)).executed == {"build": 2}


def test_trees_are_swept(case) -> None:
    ended = case.run(parameter_files=("tree",), changes=("n=1,2", "model.offset=0,10"))
    assert ended.result == [2, 12, 4, 14]
    assert ended.executed == {"begin": 2, "build": 4}


def test_a_tree_that_is_instantiated_is_read_value_by_value(case) -> None:
    case.edit("experiments/case.py", {"record.params.model)": 'record.params)["model"]'})
    case.run(parameter_files=("tree",), changes=("model.offset=0,1",))
    # Of a set of another name nothing is made again, and the reason names the one value that is another.
    same = case.run(parameter_files=("tree",), changes=("model.offset=1,2",))
    assert same.executed == {"build": 1}
    assert same.reasons["build"] == "parameter model.offset: 1 → 2"
    case.edit("params/tree.yaml", {"  offset: 1": ""})
    assert case.run(parameter_files=("tree",)).reasons["build"] == "parameter model.offset: 2 → absent"


def test_an_empty_file_is_refused(case) -> None:
    case.write("params/none.yaml", "# later\n")
    done = case.project.experiment("case", "-p", "none", check=False)
    assert done.returncode == 2
    assert (
        done.stderr == "params/none.yaml: the file is empty. Write class: and sets:, or names with values.\n"
    )


def test_a_class_that_is_not_there_is_told_with_the_nearest(case) -> None:
    case.write("params/typo.yaml", "class: models.Duble\nsets:\n  - name: a\n")
    done = case.project.experiment("case", "-p", "typo", check=False)
    assert (
        done.stderr == "params/typo.yaml:1:1: 'Duble' is not in the module 'models'. Did you mean 'Double'?\n"
    )


def test_the_resolved_tree_is_kept_with_the_run_and_printed(case) -> None:
    case.write("params/more.yml", "extends: tree\nn: 7\nmodel: {offset: 2}\n")
    ended = case.run(parameter_files=("more",))
    assert ended.result == [16]
    kept = json.loads(Path(ended.manager.run_folder, "parameters.json").read_text(encoding="utf-8"))
    shown = {"n": 7, "model": {"class": "models.Double", "offset": 2}, "other": 0.001}
    assert (kept[0]["name"], kept[0]["file"], kept[0]["shown"]) == ("more", "params/more.yml", shown)
    printed = json.loads(case.project.experiment("case", "-p", "more", "--print-params").stdout)
    assert printed[0]["parameters"] == shown


def test_typed_sets_share_results_with_those_of_python(case) -> None:
    case.write(
        "params/typed.yaml",
        "class: experiments.case.Params\nsets:\n  - {name: a, n: 3}\n  - {name: b, n: 4}\n",
    )
    case.write(
        "params/plain.py",
        "from experiments.case import Params\ndef get_params():\n    return [Params(name='c', n=3, rate=0.5)]\n",
    )
    assert case.run(parameter_files=("typed",)).result == [3, 4]
    assert case.run(parameter_files=("plain",)).executed == {}
    assert case.run(parameter_files=("typed", "plain")).result == [3, 4, 3]


def test_a_parameter_file_of_the_experiments_name_is_its_own(case) -> None:
    case.write("params/case.yaml", "n: 8\n")
    assert case.run().result == [8]


def test_files_are_listed_without_anything_of_them_being_run(case) -> None:
    case.write("params/broken.yaml", "a: [1\n")
    case.write("params/typed.yaml", "class: no.such.Thing\nsets: [{}]\n")
    listed = case.project.experiment("ls").stdout
    assert "tree - A model that doubles." in listed
    assert "broken [ERROR - params/broken.yaml:2:1: this is no YAML" in listed
    assert "typed" in listed


def test_faults_are_told_with_line_and_column_and_use_no_run_number(case) -> None:
    case.write("params/bad.yaml", "class: experiments.case.Params\nsets:\n  - n: x\n    rat: 1\n")
    done = case.project.experiment("case", "-p", "bad", check=False)
    assert done.returncode == 2
    assert "params/bad.yaml:3:5: n: 'x' is no int" in done.stderr
    assert "params/bad.yaml:4:5: rat: Params has no field 'rat'; did you mean 'rate'?" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (case.project.root / "data/runs").exists()


def test_a_name_that_two_files_have_is_told(case) -> None:
    case.write("params/tree.py", "def get_params():\n    return []\n")
    done = case.project.experiment("case", "-p", "tree", check=False)
    assert done.returncode == 2
    assert "Two parameter files are named 'tree'" in done.stderr
    assert case.project.experiment("case", "-p", "tre", check=False).stderr.count("Did you mean 'tree'?") == 1


def test_a_file_of_the_python_kind_and_one_of_yaml_are_multiplied_over_every_set(case) -> None:
    case.write("params/typed.yaml", "class: experiments.case.Params\nsets: {a: {n: 1}, b: {n: 2}}\n")
    ended = case.run(parameter_files=("typed",), changes=("rate=0.1,0.2",))
    assert [record.params.name for record in ended.manager.records] == [
        "a rate=0.1",
        "a rate=0.2",
        "b rate=0.1",
        "b rate=0.2",
    ]


def test_a_tree_that_a_stage_changes_is_an_error_that_names_it(case) -> None:
    from curifactory.errors import CurifactoryError

    case.edit(
        "experiments/case.py", {"return record.params.n": "record.params.model.offset = 7\n    return 1"}
    )
    with pytest.raises(CurifactoryError, match=r"model\.offset"):
        case.run(parameter_files=("tree",))


def test_a_tree_that_is_changed_between_two_calls_is_an_error(case) -> None:
    from curifactory.errors import CurifactoryError

    case.edit(
        "experiments/case.py",
        {
            "        build(begin(cf.Record(manager, p)))": "        build(begin(cf.Record(manager, p)))\n        p.model.offset = 7"
        },
    )
    with pytest.raises(CurifactoryError, match="model"):
        case.run(parameter_files=("tree",))

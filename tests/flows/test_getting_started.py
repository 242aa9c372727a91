"""Every code block of the getting-started pages that people come with, in the order in which they are printed."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import curifactory as cf
from curifactory import ArtifactManager, ExperimentParameters, Record, aggregate, stage
from curifactory.caching import JsonCacher, Lazy
from curifactory.reporting import LinePlotReporter


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "experiments").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


# ------------------------------------------------------------------------------------------------- basic components


@dataclass
class MyParams(ExperimentParameters):
    some_scalar_multiplier: float = 1.0


@stage(inputs=None, outputs=["initial_value"])
def get_initial_value(record):
    my_value = 5
    return my_value * record.params.some_scalar_multiplier


@stage(inputs=["initial_value"], outputs=["final_value"])
def multiply_again(record, initial_value):
    return initial_value * record.params.some_scalar_multiplier


@aggregate(inputs=["final_value"], outputs=["all_final_values", "maximum_value"])
def find_maximum_final_value(record, records, final_value: dict[Record, float]):
    all_vals = {}
    for r, value in final_value.items():
        all_vals[r.params.name] = value
    maximum = max(all_vals.values())
    return all_vals, maximum


@pytest.fixture
def basics(folder: Path):
    manager = ArtifactManager("notebook_example_0")
    default_params = MyParams(name="default")
    doubled_params = MyParams(name="doubled", some_scalar_multiplier=2.0)
    yield manager, Record(manager, default_params), Record(manager, doubled_params)
    manager.finish()


def test_a_manager_begins_a_run_with_a_log(folder: Path) -> None:
    manager = ArtifactManager("notebook_example_0")

    assert manager.experiment_run_number == 1
    assert manager.run_folder is not None
    manager.finish()
    assert f"{manager.reference} started" in (manager.run_folder / "log.txt").read_text()


def test_records_print_as_they_do_on_the_page(basics, capsys: pytest.CaptureFixture[str]) -> None:
    _, r0, r1 = basics

    print(r0.state, r0.params)
    print(r1.state, r1.params)

    assert capsys.readouterr().out == (
        "{} MyParams(name='default', hash=None, overwrite=False, some_scalar_multiplier=1.0)\n"
        "{} MyParams(name='doubled', hash=None, overwrite=False, some_scalar_multiplier=2.0)\n"
    )


def test_a_stage_puts_what_it_returns_into_the_state(basics, capsys: pytest.CaptureFixture[str]) -> None:
    _, r0, r1 = basics

    r0 = get_initial_value(r0)
    r1 = get_initial_value(r1)

    print(r0.state, r1.state)
    assert capsys.readouterr().out == "{'initial_value': 5.0} {'initial_value': 10.0}\n"


def test_an_input_is_taken_from_the_state(basics, capsys: pytest.CaptureFixture[str]) -> None:
    _, _, r1 = basics

    r1 = multiply_again(get_initial_value(r1))

    print(r1.state)
    assert capsys.readouterr().out == "{'initial_value': 10.0, 'final_value': 20.0}\n"


def test_stages_chain(basics, capsys: pytest.CaptureFixture[str]) -> None:
    manager, _, _ = basics

    r2 = Record(manager, MyParams(name="uber-double", some_scalar_multiplier=4.0))
    r2 = multiply_again(get_initial_value(r2))

    print(r2.state, r2.params)
    assert capsys.readouterr().out == (
        "{'initial_value': 20.0, 'final_value': 80.0} "
        "MyParams(name='uber-double', hash=None, overwrite=False, some_scalar_multiplier=4.0)\n"
    )


def test_an_aggregate_compares_records_and_leaves_out_those_without_the_input(
    basics, capsys: pytest.CaptureFixture[str]
) -> None:
    manager, r0, r1 = basics
    r0 = get_initial_value(r0)
    r1 = multiply_again(get_initial_value(r1))
    r2 = multiply_again(
        get_initial_value(Record(manager, MyParams(name="uber-double", some_scalar_multiplier=4.0)))
    )

    final_record = Record(manager, None)
    final_record = find_maximum_final_value(final_record, [r0, r1, r2])

    print(final_record.state)
    assert capsys.readouterr().out == (
        "{'all_final_values': {'doubled': 20.0, 'uber-double': 80.0}, 'maximum_value': 80.0}\n"
    )


def test_an_aggregate_without_records_takes_all_others(basics) -> None:
    manager, _, r1 = basics
    multiply_again(get_initial_value(r1))

    final_record = find_maximum_final_value(Record(manager, None))

    assert final_record.state["maximum_value"] == 20.0


# --------------------------------------------------------------------------------------------- caching and reporting


@dataclass
class Params(cf.ExperimentParameters):
    my_parameter: int = 1


@cf.stage(inputs=None, outputs=["long-compute-data"], cachers=[JsonCacher])
def long_compute_step(record):
    some_data = {"my_value": record.params.my_parameter, "magic_value": 42}
    with open("executions.txt", "a") as file:
        file.write("long_compute_step\n")
    return some_data


@cf.stage(inputs=None, outputs=[Lazy("very-large-object")], cachers=[JsonCacher])
def make_mega_big_object(record):
    return [1] * 1024 * 1024


@cf.stage(inputs=None, outputs=["line_history"])
def make_pretty_graphs(record):
    multiplier = record.params.my_parameter
    line_0 = [1 * multiplier, 2 * multiplier, 3 * multiplier]
    line_1 = [3 * multiplier, 2 * multiplier, 1 * multiplier]
    line_2 = [4, 0, 3]
    record.report(LinePlotReporter(line_0, name="single_line_plot"))
    record.report(
        LinePlotReporter(
            y={"ascending": line_0, "descending": line_1, "static": line_2},
            name="multi_line_plot",
        )
    )
    return [line_0, line_1, line_2]


@pytest.fixture
def caching(folder: Path):
    manager = cf.ArtifactManager("notebook_example_1")
    yield manager, Params(name="default"), Params(name="doubled", my_parameter=2)
    manager.finish()


def count_executions() -> int:
    return len(Path("executions.txt").read_text().splitlines())


def test_a_cached_output_has_a_readable_name_and_is_the_only_thing_in_the_cache(caching) -> None:
    manager, default_params, _ = caching
    r0 = cf.Record(manager, default_params)
    r0 = long_compute_step(r0)

    names = os.listdir("data/cache")
    with open(f"data/cache/{os.listdir('data/cache')[0]}") as infile:
        value = json.load(infile)

    hash_text = default_params.params_hash()
    assert len(hash_text) == 32
    assert names == [f"notebook_example_1_{hash_text}_long_compute_step_long-compute-data.json"]
    assert value == {"my_value": 1, "magic_value": 42}


def test_the_same_parameters_find_the_cached_output(caching) -> None:
    manager, default_params, _ = caching
    long_compute_step(cf.Record(manager, default_params))

    r1 = long_compute_step(cf.Record(manager, default_params))

    assert r1.state["long-compute-data"] == {"my_value": 1, "magic_value": 42}
    assert count_executions() == 1


def test_another_session_finds_the_cached_output(caching) -> None:
    manager, default_params, _ = caching
    long_compute_step(cf.Record(manager, default_params))
    manager.finish()

    other = cf.ArtifactManager("notebook_example_1")
    r1 = long_compute_step(cf.Record(other, Params(name="default")))

    assert r1.state["long-compute-data"] == {"my_value": 1, "magic_value": 42}
    assert count_executions() == 1
    other.finish()


def test_other_parameters_have_another_file(caching) -> None:
    manager, default_params, doubled_params = caching
    long_compute_step(cf.Record(manager, default_params))

    r2 = long_compute_step(cf.Record(manager, doubled_params))

    assert r2.state["long-compute-data"]["my_value"] == 2
    assert sorted(os.listdir("data/cache")) == sorted(
        f"notebook_example_1_{params.params_hash()}_long_compute_step_long-compute-data.json"
        for params in (default_params, doubled_params)
    )


def test_a_lazy_output_stays_in_the_cache_until_it_is_read(caching) -> None:
    manager, default_params, _ = caching
    r3 = cf.Record(manager, default_params)
    r3 = make_mega_big_object(r3)

    r3.state.resolve = False
    handle = r3.state["very-large-object"]
    assert str(type(handle)) == "<class 'curifactory.caching.Lazy'>"
    assert sys.getsizeof(handle) < 100

    r3.state.resolve = True
    value = r3.state["very-large-object"]
    assert type(value) is list
    assert sys.getsizeof(value) > 8_000_000


def test_reportables_are_shown_in_the_report_and_the_index_links_it(caching) -> None:
    manager, default_params, doubled_params = caching
    r4 = make_pretty_graphs(cf.Record(manager, default_params))
    make_pretty_graphs(cf.Record(manager, doubled_params))
    assert r4.state["line_history"][2] == [4, 0, 3]

    manager.generate_report()

    listed = os.listdir("reports")
    assert manager.get_reference_name() in listed
    assert "index.html" in listed
    assert "_latest" in listed
    page = Path("reports", manager.get_reference_name(), "index.html").read_text()
    assert page.count("single_line_plot") >= 2
    assert "multi_line_plot" in page
    assert manager.get_reference_name() in Path("reports/_latest/index.html").read_text()


def test_a_notebook_can_show_every_part(caching) -> None:
    manager, default_params, _ = caching
    r4 = make_pretty_graphs(cf.Record(manager, default_params))

    assert "notebook_example_1" in manager.display_info()._repr_html_()
    assert "multi_line_plot" in manager.display_all_reportables()._repr_html_()
    assert "single_line_plot" in manager.display_record_reportables(r4)._repr_html_()
    assert "make_pretty_graphs" in manager.display_stage_graph()._repr_html_()


# ------------------------------------------------------------------------------------------ experiment organization

IRIS = '''
"""Compares two models on the iris measurements."""
from dataclasses import dataclass

from sklearn.base import ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

import curifactory as cf
from curifactory.caching import PickleCacher, JsonCacher


@dataclass
class Params(cf.ExperimentParameters):
    balanced: bool = False
    """Whether class weights should be balanced or not."""
    n: int = 100
    """The number of trees for a random forest."""
    seed: int = 42
    """The random state seed for data splitting and model training."""
    model_type: ClassifierMixin = LogisticRegression
    """The sklearn model to use."""


def get_params():
    return [
        Params(name="simple_lr", balanced=True, model_type=LogisticRegression, seed=1),
        Params(name="simple_rf", model_type=RandomForestClassifier, seed=1),
    ]


@cf.stage(inputs=None, outputs=["training_data", "testing_data"], cachers=[PickleCacher]*2)
def load_data(record):
    x, y = load_iris(return_X_y=True)
    x0, x1, y0, y1 = train_test_split(x, y, random_state=record.params.seed)
    return (x0, y0), (x1, y1)


@cf.stage(inputs=["training_data"], outputs=["model"], cachers=[PickleCacher])
def train_model(record, training_data):
    options = {"n_estimators": 10} if record.params.model_type is RandomForestClassifier else {"max_iter": 500}
    model = record.params.model_type(random_state=record.params.seed, **options)
    return model.fit(*training_data)


@cf.aggregate(outputs=["scores"], cachers=[JsonCacher])
def test_models(record, records):
    return {r.params.name: r.state["model"].score(*r.state["testing_data"]) for r in records}


def run(param_sets, manager):
    for param_set in param_sets:
        record = cf.Record(manager, param_set)
        train_model(load_data(record))
    test_models(cf.Record(manager, None))
'''


def test_the_experiment_of_the_page_is_listed_and_runs_both_ways(project) -> None:
    project.write("experiments/iris.py", IRIS)

    listed = project.experiment("ls").stdout
    assert [line.split()[0] for line in listed.splitlines() if line.strip()] == [
        "EXPERIMENTS:",
        "iris",
        "PARAMS:",
        "iris",
    ]

    project.experiment("iris", "-p", "iris")
    scores = list((project.root / "data/cache").glob("iris_*_test_models_scores.json"))
    assert len(scores) == 1
    values = json.loads(scores[0].read_text())
    assert set(values) == {"simple_lr", "simple_rf"}
    assert all(value > 0.8 for value in values.values())

    again = project.experiment("iris", "--json", "--map")
    verdicts = {row["verdict"] for row in json.loads(again.stdout)["calls"]}
    assert verdicts == {"reuse"}


PARAMETER_FILE = """
from experiments.iris import Params


def get_params():
    return [Params(name="{name}", seed={seed})]
"""


def test_several_parameter_files_are_put_together(project) -> None:
    project.write("experiments/iris.py", IRIS)
    project.write("params/params_file1.py", PARAMETER_FILE.format(name="one", seed=1))
    project.write("params/params_file2.py", PARAMETER_FILE.format(name="two", seed=2))

    project.experiment("iris", "-p", "params_file1", "-p", "params_file2", "-p", "iris")

    scores = next((project.root / "data/cache").glob("iris_*_test_models_scores.json"))
    assert set(json.loads(scores.read_text())) == {"one", "two", "simple_lr", "simple_rf"}


HELPER = """
from dataclasses import dataclass
import curifactory as cf

@cf.stage(outputs=["a"])
def my_first_stage(record):
    return 1

@cf.stage(inputs=["a"], outputs=["b"])
def my_middle_stage(record, a):
    return a + 1

@cf.stage(inputs=["b"], outputs=["c"])
def my_last_stage(record, b):
    return b + 1

def some_non_stage_helper_function(record):
    return my_last_stage(my_middle_stage(my_first_stage(record)))

def get_params():
    return [cf.ExperimentParameters(name="only")]

def run(param_sets, manager):
    return [some_non_stage_helper_function(cf.Record(manager, p)).state["c"] for p in param_sets]
"""


def test_a_function_may_apply_a_sequence_of_stages(project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write("experiments/chain.py", HELPER)
    monkeypatch.chdir(project.root)

    result, manager = cf.run_experiment("chain")

    assert result == [3]
    assert manager.records[0].state["c"] == 3

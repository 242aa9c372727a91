"""Past runs are loaded with everything they have made, from here, from a copy, and from a folder alone."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

import curifactory as cf
from curifactory.caching import JsonCacher
from curifactory.errors import CacheError, ConfigurationError, DiscoveryError, MissingEntryError

EXPERIMENT = """
from dataclasses import dataclass
import curifactory as cf
import pandas as pd
from curifactory.caching import Cacheable, JsonCacher, PandasCsvCacher, PickleCacher
from curifactory.reporting import JsonReporter

class Loud(Cacheable):
    extension = ".txt"

    def __init__(self, ending="", **kwargs):
        super().__init__(**kwargs)
        self.ending = ending

    def save(self, obj):
        with open(self.get_path(), "w") as file:
            file.write(obj)

    def load(self):
        with open(self.get_path()) as file:
            return file.read() + self.ending

class Model:
    def __init__(self, n):
        self.n = n

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 3
    api_key: str = "hidden"

@cf.stage(None, ["number", "model", "text", "frame", "bare"],
          [JsonCacher, PickleCacher, Loud("!"), PandasCsvCacher, None])
def make(record):
    n = record.params.n
    for step in range(3):
        record.log("train", {"loss": n / (step + 1)}, step=step)
    record.log({"accuracy": 0.5})
    record.report(JsonReporter({"n": n}, name="numbers"))
    return n, Model(n), "text", pd.DataFrame({"a": [n, n]}), object

@cf.aggregate(["number"], ["total"], [JsonCacher])
def add_up(record, records, number):
    return sum(number.values())

def get_params():
    return [Params(name="small"), Params(name="large", n=7)]

def run(param_sets, manager):
    for params in param_sets:
        make(cf.Record(manager, params))
    add_up(cf.Record(manager, None))
"""


@pytest.fixture
def ended(here):
    """Run the experiment, and forget its modules as a new process would not know them."""
    here.write("experiments/case.py", EXPERIMENT)
    ended = here.run()
    here.forget_modules()
    return ended


def copy_project(here, to: Path) -> Path:
    shutil.copytree(here.project.root, to)
    return to


# --------------------------------------------------------------------------------------------- what a run has


def test_a_run_says_what_it_is(ended) -> None:
    run = cf.load_run("case/-1")
    assert (run.reference, run.experiment, run.number) == (ended.manager.reference, "case", 1)
    assert run.outcome.value == "complete"
    assert run.duration_s is not None
    assert run.started_at < run.finished_at
    assert run.facts["experiment_file"].endswith("case.py")
    assert repr(run) == f"<run {run.reference}: 3 records, complete>"
    assert [record.name for record in run.records] == ["Record 0 (small)", "Record 1 (large)", "Record 2"]
    assert "finished" in run.log_text() or "complete" in run.log_text()


@pytest.mark.parametrize("query", ["-1", "case/-1", "case_1", "case"])
def test_a_run_is_found_by_what_people_call_it(ended, query: str) -> None:
    assert cf.load_run(query).reference == ended.manager.reference


def test_a_run_that_is_not_there_is_an_error_with_the_nearest_names(ended) -> None:
    with pytest.raises(DiscoveryError, match="case_1"):
        cf.load_run("cse_1")


def test_artifacts_are_loaded_when_they_are_asked_for(ended) -> None:
    record = cf.load_run("case/-1").records[1]
    artifacts = record.artifacts
    assert list(artifacts) == ["number", "model", "text", "frame"]
    assert "experiments.case" not in sys.modules
    assert artifacts["number"].load() == 7
    assert artifacts["frame"].load()["a"].tolist() == [7, 7]
    assert "experiments.case" not in sys.modules, "a cacher that is surely the right one needs no import"
    assert artifacts["model"].load().n == 7
    assert artifacts["text"].load() == "text!", "the cacher of the stage, with its arguments"
    assert artifacts["number"].path.parent.name == "cache"
    assert artifacts["model"].type == "experiments.case.Model"
    assert repr(artifacts["number"]) == "<artifact number: int, 7, JsonCacher>"


def test_each_load_gives_a_value_of_its_own(ended) -> None:
    artifact = cf.load_run("-1").records[0].artifacts["model"]
    assert artifact.load() is not artifact.load()


def test_an_aggregate_has_its_artifacts_too(ended) -> None:
    run = cf.load_run("-1")
    assert run.records[2].artifacts["total"].load() == 10
    assert run.records[2].params is None


def test_metrics_are_a_frame(ended) -> None:
    run = cf.load_run("-1")
    frame = run.metrics
    assert len(frame) == 8
    loss = frame[(frame["name"] == "loss") & (frame["params"] == "large")]
    assert loss["value"].tolist() == [7.0, 3.5, 7 / 3]
    assert loss["step"].tolist() == [0, 1, 2]
    assert set(loss["stage"]) == {"make"}
    assert loss["at"].dt.tz is not None
    assert run.records[0].metrics == {"train/loss": 1.0, "accuracy": 0.5}


def test_a_run_without_metrics_has_an_empty_frame(here) -> None:
    here.write(
        "experiments/case.py",
        "import curifactory as cf\n"
        "def get_params():\n    return [cf.ExperimentParameters(name='a')]\n"
        "def run(param_sets, manager):\n    cf.Record(manager, param_sets[0])\n",
    )
    here.run()
    frame = cf.load_run("-1").metrics
    assert frame.empty
    assert list(frame) == [
        "record", "params", "call", "stage", "type", "name", "step", "epoch", "at", "value",
    ]  # fmt: skip


def test_parameters_are_built_again(ended) -> None:
    run = cf.load_run("-1")
    assert list(run.parameters) == ["small", "large"]
    large = run.parameters["large"]
    assert (type(large).__name__, large.name, large.n) == ("Params", "large", 7)
    assert run.records[1].params == large
    assert run.records[1].shown_params["n"] == 7
    with pytest.raises(MissingEntryError, match="Did you mean 'large'"):
        run.parameters["lrge"]
    with pytest.raises(KeyError):
        run.parameters["nothing alike"]


def test_parameters_whose_class_is_gone_can_still_be_read(ended, here) -> None:
    here.edit("experiments/case.py", {"class Params(": "class Settings(", " Params(": " Settings("})
    record = cf.load_run("-1").records[0]
    with pytest.raises(ConfigurationError, match="shown_params"):
        _ = record.params
    assert record.shown_params["n"] == 3


def test_reportables_are_there_with_their_data(ended) -> None:
    run = cf.load_run("-1")
    assert [(each.name, each.kind, each.stage) for each in run.reportables] == [
        ("numbers", "json", "make")
    ] * 2
    assert "numbers" in run.records[1].reportables[0]._repr_html_()


def test_what_was_reused_is_there_as_what_was_run(ended, here) -> None:
    first = cf.load_run("-1").reference
    here.run()
    run = cf.load_run("case/-1")
    assert run.number == 2
    assert run.records[1].artifacts["model"].load().n == 7
    assert run.records[1].artifacts["model"].made_in == first


# --------------------------------------------------------------------------------------------- what can be wrong


def test_a_name_that_is_not_there_says_why(ended) -> None:
    artifacts = cf.load_run("-1").records[0].artifacts
    with pytest.raises(MissingEntryError, match="'bare' was not saved: make has no cacher"):
        artifacts["bare"]
    with pytest.raises(KeyError, match="It has: 'number', 'model'"):
        artifacts["modell"]
    assert artifacts.get("bare") is None


def test_a_file_that_is_gone_is_a_clear_error(ended) -> None:
    artifact = cf.load_run("-1").records[0].artifacts["number"]
    artifact.path.unlink()
    with pytest.raises(CacheError, match=r"number.*\.json is missing"):
        artifact.load()
    assert "is missing" in artifact._repr_html_()


def test_a_file_that_was_changed_is_a_clear_error(ended) -> None:
    artifact = cf.load_run("-1").records[0].artifacts["number"]
    artifact.path.write_text("8")
    with pytest.raises(CacheError, match="was modified since"):
        artifact.load()


def test_bytes_whose_name_has_passed_to_newer_ones_are_still_found(ended, here) -> None:
    old = cf.load_run("-1")
    here.edit("experiments/case.py", {"return n, Model(n)": "return n + 1, Model(n + 1)"})
    here.run()
    here.forget_modules()
    assert cf.load_run("-1").records[0].artifacts["model"].load().n == 4
    assert old.records[0].artifacts["model"].load().n == 3
    assert "superseded" in str(old.records[0].artifacts["model"].path)


def test_bytes_whose_name_passes_to_newer_ones_while_they_are_loaded_are_still_found(ended, here) -> None:
    here.edit("experiments/case.py", {"return n, Model(n)": "return n + 1, Model(n + 1)"})
    meanwhile = [["case", "--no-report", "--quiet"]]

    class Slow(JsonCacher):
        def load(self):
            while meanwhile:
                here.project.experiment(*meanwhile.pop())
            return super().load()

    artifact = cf.load_run("-1").records[0].artifacts["number"]
    place = artifact.path
    assert artifact.load(cacher=Slow) == 3
    assert not meanwhile
    assert json.loads(place.read_text()) == 4


def test_a_cacher_that_is_not_to_be_found_can_be_given(ended, here) -> None:
    (here.project.root / "experiments/case.py").unlink()
    artifact = cf.load_run("-1").records[0].artifacts["text"]
    with pytest.raises(CacheError, match=r"Loud of 'text' is not to be found.*load\(cacher"):
        artifact.load()

    class Quiet(JsonCacher):
        def load(self):
            return Path(self.get_path()).read_text(encoding="utf-8")

    assert artifact.load(cacher=Quiet(extension=".txt")) == "text"


def test_a_cacher_that_is_not_as_it_was_is_told(ended, here) -> None:
    here.edit("experiments/case.py", {'Loud("!")': 'Loud("?")'})
    artifact = cf.load_run("-1").records[0].artifacts["text"]
    with pytest.warns(UserWarning, match="Loud of 'text' is not known to be as it was"):
        assert artifact.load() == "text?"


def test_a_damaged_value_names_the_cacher_and_the_file(ended, here) -> None:
    here.edit("experiments/case.py", {"class Model:": "class Other:", "Model(n)": "Other(n)"})
    with pytest.raises(CacheError, match="PickleCacher could not load 'model'"):
        cf.load_run("-1").records[0].artifacts["model"].load()


def test_a_script_is_not_run_again_to_find_a_cacher(here) -> None:
    text = EXPERIMENT.split("def get_params", maxsplit=1)[0]
    here.write(
        "work.py", f'{text}\nmake(cf.Record(cf.ArtifactManager("proto"), Params(name="a")))\nprint("ran")\n'
    )
    here.project.run(sys.executable, "work.py")
    artifacts = cf.load_run("proto/-1").records[0].artifacts
    assert artifacts["number"].load() == 3
    with pytest.raises(CacheError, match="is not to be found"):
        artifacts["text"].load()
    assert "work" not in sys.modules


def test_loading_writes_nothing(ended, here) -> None:
    before = here.project.files("data")
    run = cf.load_run("-1")
    values = [artifact.load() for record in run.records for artifact in record.artifacts.values()]
    run._repr_html_()
    assert len(values) == 9
    assert here.project.files("data") == before


# --------------------------------------------------------------------------------------------- elsewhere


def test_a_copied_project_gives_the_same(
    ended, here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = copy_project(here, tmp_path / "copy")
    shutil.rmtree(here.project.root / "data")
    monkeypatch.chdir(there)
    record = cf.load_run("case/-1").records[1]
    assert record.params.n == 7
    assert record.artifacts["model"].load().n == 7
    assert record.artifacts["text"].path.is_relative_to(there)


def test_a_copied_project_gives_the_same_from_outside(
    ended, here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = copy_project(here, tmp_path / "copy")
    shutil.rmtree(here.project.root)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    record = cf.load_run(there / "data/runs" / ended.manager.reference).records[1]
    assert record.params.n == 7
    assert record.artifacts["text"].load() == "text!"


def test_a_copied_project_without_its_index_gives_the_same(
    ended, here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = copy_project(here, tmp_path / "copy")
    for file in (there / "data").glob("index.db*"):
        file.unlink()
    monkeypatch.chdir(there)
    assert cf.load_run("case/-1").records[0].artifacts["number"].load() == 3


def test_a_folder_of_a_run_alone_has_everything_but_the_artifacts(
    ended, here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = tmp_path / "elsewhere" / "a run"
    shutil.copytree(ended.manager.run_folder, alone)
    monkeypatch.chdir(alone.parent)
    run = cf.load_run(alone)
    assert run.reference == ended.manager.reference
    assert len(run.metrics) == 8
    assert run.records[0].shown_params["n"] == 3
    assert "numbers" in run.display_all_reportables().html
    assert "<svg" in run.display_stage_graph().html
    assert "case" in run._repr_html_()
    with pytest.raises(CacheError, match=r"is missing.*load_run\(…, cache=…\)"):
        run.records[0].artifacts["number"].load()
    there = cf.load_run(alone, cache=here.project.root / "data/cache")
    assert there.records[0].artifacts["number"].load() == 3


def test_artifacts_are_found_without_their_manifests(ended, here) -> None:
    shutil.rmtree(here.project.root / "data/manifests")
    for file in (here.project.root / "data").glob("index.db*"):
        file.unlink()
    artifacts = cf.load_run("case/-1").records[1].artifacts
    assert artifacts["number"].load() == 7
    assert artifacts["text"].load() == "text!"


def test_a_copy_of_a_record_has_what_it_took(here) -> None:
    extra = """
@cf.stage(["number"], ["double"], [JsonCacher])
def double(record, number):
    return 2 * number

def run(param_sets, manager):
    first = make(cf.Record(manager, param_sets[0]))
    double(first.make_copy(param_sets[1]))
"""
    here.write("experiments/case.py", EXPERIMENT.partition("def run")[0] + extra)
    here.run()
    copied = cf.load_run("-1").records[1]
    assert {name: artifact.load() for name, artifact in copied.artifacts.items()} == {
        "number": 3,
        "double": 6,
    }

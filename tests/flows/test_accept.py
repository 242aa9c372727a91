"""Keeping results after a refactoring, through the real command."""

from __future__ import annotations

import json

import pytest

EXPERIMENT = """
from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher, PickleCacher
from helpers import Model, scale

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1

def get_params():
    return [Params(name="a", n=1), Params(name="b", n=2)]

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    record.log({"n": record.params.n})
    return scale(record.params.n)

@cf.stage(inputs=["x"], outputs=["raw"])
def pass_on(record, x):
    return [x]

@cf.stage(inputs=["raw"], outputs=["model"], cachers=[PickleCacher])
def train(record, raw):
    return Model(raw)

@cf.aggregate(inputs=["model"], outputs=["total"], cachers=[JsonCacher])
def add_up(record, records, model):
    return sum(each.predict() for each in model.values())

def run(param_sets, manager):
    for p in param_sets:
        train(pass_on(begin(cf.Record(manager, p))))
    add_up(cf.Record(manager, None))
"""
HELPERS = """
class Model:
    def __init__(self, raw):
        self.raw = raw

    def predict(self):
        return sum(self.raw)

def scale(value):
    return 2 * value
"""


@pytest.fixture
def four(project):
    project.write("experiments/four.py", EXPERIMENT)
    project.write("helpers.py", HELPERS)
    project.experiment("four", "--no-report")
    return project


def ask(project, *words: str, code: int = 0):
    done = project.experiment(*words, "--json", check=False)
    assert done.returncode == code, done.output
    return json.loads(done.stdout)


def verdicts(told) -> list[tuple[str, str]]:
    return [(call["name"], call["verdict"]) for call in told["calls"]]


def ran(project) -> list[str]:
    project.experiment("four", "--no-report")
    return [call["name"] for call in ask(project, "show", "-1")["calls"] if call["outcome"] == "ran"]


def rewrite(project, old: str, new: str, path: str = "helpers.py") -> None:
    text = (project.root / path).read_text()
    assert old in text
    project.write(path, text.replace(old, new))


def test_an_accepted_refactoring_reruns_nothing(four) -> None:
    rewrite(four, "2 * value", "value + value")
    told = ask(four, "accept", "four", "--yes")
    assert [each for each in verdicts(told) if each[0] == "begin"] == [("begin", "accept")] * 2
    assert told["calls"][0]["changes"][0]["text"] == "code of helpers.scale changed (helpers.py:9)"
    assert ran(four) == []


def test_nothing_is_accepted_before_it_is_asked_for(four) -> None:
    rewrite(four, "2 * value", "value + value")
    before = four.files()

    out = four.experiment("accept", "four").stdout

    assert "accept  begin  Record 0 (a)  code of helpers.scale changed (helpers.py:9)" in out
    assert out.endswith("2 calls would be accepted. Do it with: experiment accept four --yes\n")
    assert four.files() == before
    assert ran(four) == ["begin", "begin"]


def test_the_old_manifests_stay_so_that_going_back_costs_nothing(four) -> None:
    before = four.files("data/manifests")
    rewrite(four, "2 * value", "value + value")
    four.experiment("accept", "four", "--yes")
    after = four.files("data/manifests")
    assert before.items() < after.items()
    rewrite(four, "value + value", "2 * value")
    assert ran(four) == []


def test_readers_of_an_uncached_output_follow(four) -> None:
    rewrite(four, "return [x]", "result = [x]\n    return result", "experiments/four.py")
    told = ask(four, "accept", "four", "--yes")
    assert ("pass_on", "accept") in verdicts(told)
    assert ("train", "follows") in verdicts(told)
    assert told["written"] == 4
    assert ran(four) == []


def test_a_rewritten_class_of_a_saved_value_is_accepted_for_its_readers_too(four) -> None:
    rewrite(four, "return sum(self.raw)", "return 0 + sum(self.raw)")
    four.experiment("accept", "four", "--yes")
    assert ran(four) == []


def test_what_else_has_changed_is_refused_and_runs(four) -> None:
    rewrite(four, "2 * value", "value + value")
    rewrite(four, 'name="b", n=2', 'name="b", n=5', "experiments/four.py")

    told = ask(four, "accept", "four", "--yes", code=1)

    begins = [call for call in told["calls"] if call["name"] == "begin"]
    assert [call["verdict"] for call in begins] == ["accept", "refuse"]
    assert begins[1]["refusal"]["text"] == "parameter n: 2 → 5"
    assert ran(four) == ["begin", "pass_on", "train", "add_up"]


def test_a_changed_input_is_refused(four) -> None:
    rewrite(four, "2 * value", "3 * value")
    rewrite(four, "return [x]", "return [x, x]", "experiments/four.py")
    told = ask(four, "accept", "four", "--stage", "pass_on", code=1)
    refused = [call for call in told["calls"] if call["verdict"] == "refuse"]
    assert {(call["name"], call["refusal"]["text"]) for call in refused} == {("pass_on", "depends on begin")}


def test_an_input_that_a_keyword_replaces_now_is_refused(four) -> None:
    rewrite(four, "return [x]", "return [x, 0]", "experiments/four.py")
    rewrite(four, "cf.Record(manager, p))))", "cf.Record(manager, p)), x=3))", "experiments/four.py")
    told = ask(four, "accept", "four", code=1)
    assert [call["refusal"]["text"] for call in told["calls"] if call["name"] == "pass_on"] == [
        "input x changed"
    ] * 2


def test_one_stage_is_accepted_and_the_others_run(four) -> None:
    rewrite(four, "2 * value", "value + value")
    rewrite(four, "return sum(each", "return 0 + sum(each", "experiments/four.py")
    told = ask(four, "accept", "four", "--stage", "begin", "--yes")
    assert ("add_up", "leave") in verdicts(told)
    assert ran(four) == ["add_up"]


def test_one_set_is_accepted(four) -> None:
    rewrite(four, "2 * value", "value + value")
    told = ask(four, "accept", "four", "-n", "a", "--stage", "begin", "--yes")
    assert [each for each in verdicts(told) if each[0] == "begin"] == [("begin", "accept")]
    assert ran(four) == ["begin"]


def test_accepted_calls_tell_their_metrics_again_and_say_which_run_made_them(four) -> None:
    made_by = ask(four, "runs")[0]["reference"]
    rewrite(four, "2 * value", "value + value")
    four.experiment("accept", "four", "--yes")
    assert ran(four) == []
    shown = ask(four, "show", "-1")
    assert {row["name"] for row in shown["metrics"]} == {"n"}
    assert {call["reason"]["text"] for call in shown["calls"]} == {
        f"nothing it read has changed (from {made_by})"
    }


def test_where_nothing_has_changed_there_is_nothing_to_accept(four) -> None:
    assert four.experiment("accept", "four").stdout == (
        "There is nothing to accept: no call differs from its last run in its code alone.\n"
    )
    assert ask(four, "accept", "four", "--yes")["written"] == 0


def test_what_has_never_run_cannot_be_accepted(project) -> None:
    project.write("experiments/four.py", EXPERIMENT)
    project.write("helpers.py", HELPERS)
    assert ask(project, "accept", "four", "--yes") == {
        "experiment": "four",
        "calls": [],
        "done": True,
        "written": 0,
    }


def test_an_unknown_stage_is_one_line(four) -> None:
    done = four.experiment("accept", "four", "--stage", "trainn", check=False)
    assert (done.returncode, done.stderr) == (
        2,
        "No stage named 'trainn' is called by 'four'. Did you mean 'train'?\n",
    )


def test_code_is_accepted_a_second_time_without_a_run_in_between(four) -> None:
    for old, new in (
        ("2 * value", "value + value"),
        ("return sum(each", "return 0 + sum(each"),
        ("return 0 + sum", "return sum"),
    ):
        rewrite(four, old, new, "helpers.py" if "value" in old else "experiments/four.py")
        told = ask(four, "accept", "four", "--yes")
        assert "refuse" not in [call["verdict"] for call in told["calls"]]
        rewrite(four, "return Model(raw)", "raw = raw\n    return Model(raw)", "experiments/four.py")
        told = ask(four, "accept", "four", "--yes")
        assert "refuse" not in [call["verdict"] for call in told["calls"]]
    assert ran(four) == []


def test_what_has_changed_since_code_was_accepted_is_all_that_is_told(four) -> None:
    rewrite(four, "2 * value", "value + value")
    four.experiment("accept", "four", "--yes")
    rewrite(four, 'name="b", n=2', 'name="b", n=5', "experiments/four.py")
    told = [call for call in ask(four, "cache", "why", "four")["calls"] if call["name"] == "begin"]
    assert told[1]["reason"]["text"] == "parameter n: 2 → 5"
    assert [each["text"] for each in told[1]["differences"]] == ["parameter n: 2 → 5"]
    mapped = [call for call in ask(four, "four", "--map")["calls"] if call["name"] == "begin"]
    assert mapped[1]["reason"]["text"] == "parameter n: 2 → 5"

"""What is reused and what is run, and the reasons that are given, through the real command."""

from __future__ import annotations

import json

import pytest

EXPERIMENT = """
from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher, PickleCacher
from helpers import scale

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1

def get_params():
    return [Params(name="a", n=1), Params(name="b", n=2)]

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return [record.params.n, 2]

@cf.stage(inputs=["x"], outputs=["y"], cachers=[JsonCacher])
def middle(record, x):
    # a comment
    return scale(x)

@cf.stage(inputs=["y"], outputs=["z"], cachers=[PickleCacher])
def end(record, y):
    record.log({"sum": sum(y)})
    return sum(y)

@cf.aggregate(inputs=["z"], outputs=["total"], cachers=[JsonCacher])
def add_up(record, records, z):
    return sum(z.values())

def run(param_sets, manager):
    for p in param_sets:
        end(middle(begin(cf.Record(manager, p))))
    add_up(cf.Record(manager, None))
"""
HELPERS = "def scale(values):\n    return [2 * value for value in values]\n"


@pytest.fixture
def three(project):
    project.write("experiments/three.py", EXPERIMENT)
    project.write("helpers.py", HELPERS)
    return project


def calls(project, reference: str = "-1") -> list[dict]:
    return json.loads(project.experiment("show", reference, "--json").stdout)["calls"]


def ran(project) -> list[str]:
    return [call["name"] for call in calls(project) if call["outcome"] == "ran"]


def reasons(project) -> dict[str, str]:
    return {call["name"]: call["reason"]["text"] for call in calls(project) if call["reason"]}


def plan(project) -> dict[str, tuple[str, str]]:
    rows = json.loads(project.experiment("three", "--map", "--json").stdout)["calls"]
    return {row["name"]: (row["verdict"], row["reason"]["text"]) for row in rows if row["record"] in (0, 2)}


def total(project) -> int:
    path = next(path for path in (project.root / "data/cache").iterdir() if "add_up" in path.name)
    return json.loads(path.read_text())


def test_the_second_run_executes_nothing_and_says_from_where(three) -> None:
    three.experiment("three")
    assert set(reasons(three).values()) == {"never run"}
    assert total(three) == 2 * (1 + 2) + 2 * (2 + 2)

    three.experiment("three")

    assert ran(three) == []
    first = json.loads(three.experiment("runs", "--json").stdout)
    reference = first["runs"][-1]["reference"] if isinstance(first, dict) else first[-1]["reference"]
    assert set(reasons(three).values()) == {f"nothing it read has changed (from {reference})"}


def test_a_comment_reruns_nothing(three) -> None:
    three.experiment("three")
    three.write("experiments/three.py", EXPERIMENT.replace("# a comment", "# another\n"))

    three.experiment("three")

    assert ran(three) == []


def test_an_edited_helper_reruns_what_uses_it_and_is_named(three) -> None:
    three.experiment("three")
    three.write("helpers.py", HELPERS.replace("2 *", "3 *"))

    planned = plan(three)
    assert planned["begin"][0] == "reuse"
    assert planned["middle"] == ("run", "code of helpers.scale changed (helpers.py:1)")
    assert planned["end"] == ("perhaps", "depends on middle")

    three.experiment("three")
    assert ran(three) == ["middle", "end", "middle", "end", "add_up"]
    assert reasons(three)["end"] == "input y changed"
    assert total(three) == 3 * (1 + 2) + 3 * (2 + 2)


def test_a_helper_that_gives_the_same_stops_the_wave(three) -> None:
    three.experiment("three")
    three.write("helpers.py", "def scale(values):\n    return [value + value for value in values]\n")

    three.experiment("three")

    assert ran(three) == ["middle", "middle"]


def test_an_edit_that_is_undone_costs_nothing_even_after_it_ran(three) -> None:
    three.experiment("three")
    three.write("helpers.py", HELPERS.replace("2 *", "3 *"))
    three.experiment("three")
    three.write("helpers.py", HELPERS)

    three.experiment("three")

    assert ran(three) == []
    assert total(three) == 2 * (1 + 2) + 2 * (2 + 2)


def test_a_changed_parameter_is_named_with_both_values(three) -> None:
    three.experiment("three")
    three.write("experiments/three.py", EXPERIMENT.replace('name="a", n=1', 'name="a", n=7'))

    assert plan(three)["begin"] == ("run", "parameter n: 1 → 7")
    three.experiment("three")
    assert ran(three) == ["begin", "middle", "end", "add_up"]


def test_0_1_a_missing_intermediate_is_not_made_again(three) -> None:
    three.experiment("three")
    for path in (three.root / "data/cache").glob("*_middle_y.json"):
        path.unlink()

    three.experiment("three")

    assert ran(three) == []


def test_0_1_a_missing_leaf_is_made_again_and_needs_no_more_than_its_inputs(three) -> None:
    three.experiment("three")
    (leaf,) = (three.root / "data/cache").glob("*_add_up_total.json")
    before = leaf.read_text()
    leaf.unlink()

    three.experiment("three")

    assert ran(three) == ["add_up"]
    assert reasons(three)["add_up"] == f"output {leaf.name} is missing"
    assert leaf.read_text() == before


def test_0_1_a_missing_intermediate_is_made_again_when_its_bytes_are_needed(three) -> None:
    three.experiment("three")
    for pattern in ("*_add_up_total.json", "*_end_z.pkl"):
        for path in (three.root / "data/cache").glob(pattern):
            path.unlink()

    three.experiment("three")

    assert ran(three) == ["end", "end", "add_up"]


def test_d2_a_modified_file_is_noticed_set_aside_and_made_again(three) -> None:
    three.experiment("three")
    (leaf,) = (three.root / "data/cache").glob("*_add_up_total.json")
    before = leaf.read_text()
    leaf.write_text("[]")

    three.experiment("three")

    assert ran(three) == ["add_up"]
    assert reasons(three)["add_up"] == f"output {leaf.name} was modified since it was written"
    assert leaf.read_text() == before
    assert "[]" in [
        path.read_text() for path in (three.root / "data/superseded").iterdir() if path.suffix == ".json"
    ]


def test_overwrite_executes_everything(three) -> None:
    three.experiment("three")
    three.experiment("three", "--overwrite")
    assert len(ran(three)) == 7
    assert set(reasons(three).values()) == {"asked for (--overwrite)"}


def test_w2_overwriting_a_stage_executes_it_and_what_changes_after_it(three) -> None:
    three.experiment("three")

    three.experiment("three", "--overwrite-stage", "middle")

    assert ran(three) == ["middle", "middle"]
    assert reasons(three)["middle"] == "asked for (--overwrite-stage)"


def test_metrics_are_told_again_by_a_reused_call(three) -> None:
    three.experiment("three")
    three.experiment("three")
    metrics = json.loads(three.experiment("show", "-1", "--json").stdout)["metrics"]
    assert {"sum"} <= {name for row in metrics for name in (row.get("values") or {row.get("name"): 0})}


def test_w7_a_keyword_is_part_of_what_a_call_is(three) -> None:
    text = EXPERIMENT.replace(
        "middle(begin(cf.Record(manager, p)))", "middle(begin(cf.Record(manager, p)), x=[{value}])"
    )
    three.write("experiments/three.py", text.replace("{value}", "1"))
    three.experiment("three")
    assert total(three) == 4
    three.write("experiments/three.py", text.replace("{value}", "5"))
    three.experiment("three")
    assert total(three) == 20


def test_dry_cache_reads_and_writes_nothing_into_the_cache(three) -> None:
    three.experiment("three", "-n", "a")
    before = three.files("data/cache")
    three.experiment("three", "--dry-cache")
    assert three.files("data/cache") == before
    assert ran(three) == ["begin", "middle", "end", "add_up"]


def test_d10_dry_and_map_change_no_file(three) -> None:
    three.experiment("three", "-n", "a")
    before = three.files()
    three.experiment("three", "--dry")
    three.experiment("three", "--map")
    assert three.files() == before


def test_another_cache_folder_keeps_its_bookkeeping_beside_it(three) -> None:
    three.experiment("three", "--cache", "elsewhere/cache")
    assert not (three.root / "data/cache").exists() or not list((three.root / "data/cache").iterdir())
    assert {path.name for path in (three.root / "elsewhere").iterdir()} >= {"cache", "manifests", "index.db"}
    three.experiment("three", "--cache", "elsewhere/cache")
    assert ran(three) == []


def test_the_index_can_be_deleted_and_rebuilt(three) -> None:
    three.experiment("three")
    for path in (three.root / "data").glob("index.db*"):
        path.unlink()
    three.experiment("reindex")
    three.experiment("three")
    assert ran(three) == []


def test_a_copied_project_reuses_what_it_has(three, tmp_path_factory) -> None:
    import shutil

    three.experiment("three")
    target = tmp_path_factory.mktemp("copied") / "project"
    shutil.copytree(three.root, target)
    other = type(three)(target)
    other.experiment("three")
    assert ran(other) == []


def test_3_1_two_calls_with_one_label_get_two_files(three) -> None:
    three.write(
        "experiments/three.py",
        EXPERIMENT.replace(
            "        end(middle(begin(cf.Record(manager, p))))",
            "        record = begin(cf.Record(manager, p))\n        middle(record)\n        end(middle(record, x=[9]))",
        ),
    )
    three.experiment("three")
    names = sorted(path.name for path in (three.root / "data/cache").glob("*_middle_y*.json"))
    assert len(names) == 4
    assert sum("~" in name for name in names) == 2
    three.experiment("three")
    assert ran(three) == []


NAMED_AS_OURS = """
from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher

@dataclass
class Params(cf.ExperimentParameters):
    n: int = N

def get_params():
    return [Params(name="a")]

@cf.stage(outputs=["records", "repeat_index"], cachers=[JsonCacher, JsonCacher])
def begin(record):
    return record.params.n, record.params.n

@cf.stage(inputs=["repeat_index"], outputs=["y"], cachers=[JsonCacher])
def end(record, repeat_index):
    return 10 * repeat_index

@cf.aggregate(inputs=["records"], outputs=["total"], cachers=[JsonCacher])
def add_up(record, given, records):
    return sum(records.values())

def run(param_sets, manager):
    first, total = end(begin(cf.Record(manager, param_sets[-1]))), add_up(cf.Record(manager, None))
    print("made", first.state["y"], total.state["total"])
"""


def test_an_input_with_a_name_that_identities_use_themselves_counts_all_the_same(project):
    for n in (1, 2):
        project.write("experiments/case.py", NAMED_AS_OURS.replace("N\n", f"{n}\n"))
        assert f"made {10 * n} {n}\n" in project.experiment("case", "--repeat", "2").stdout
    assert reasons(project)["end"] == "input repeat_index changed"

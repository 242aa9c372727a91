"""What lies in the cache, why, whether it is whole, and how it is cleared away: through the real command."""

from __future__ import annotations

import json
import os
import re
import sys

import pytest

EXPERIMENT = """
from dataclasses import dataclass
import curifactory as cf
from curifactory.caching import JsonCacher
from helpers import scale

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1
    seed: int = 0

def get_params():
    return [Params(name="a", n=1), Params(name="b", n=2)]

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return [record.params.n, record.params.seed]

@cf.stage(inputs=["x"], outputs=["y"], cachers=[JsonCacher])
def end(record, x):
    return scale(x)

def run(param_sets, manager):
    for p in param_sets:
        end(begin(cf.Record(manager, p)))
"""
TREE = """
import curifactory as cf
from curifactory.caching import JsonCacher
from curifactory.parameters import instantiate

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return instantiate(record.params)["model"]["size"]

def run(param_sets, manager):
    for p in param_sets:
        begin(cf.Record(manager, p))
"""
HELPERS = "def scale(values):\n    return [10 * value for value in values]\n"


@pytest.fixture
def two(project):
    project.write("experiments/two.py", EXPERIMENT)
    project.write("helpers.py", HELPERS)
    project.experiment("two", "--no-report")
    return project


def ask(project, *words: str, code: int = 0):
    done = project.experiment(*words, "--json", check=False)
    assert done.returncode == code, done.output
    return json.loads(done.stdout)


def cached(project) -> list[str]:
    return sorted(path.name for path in (project.root / "data/cache").iterdir())


def counts(project) -> dict[str, int]:
    project.experiment("two", "--no-report")
    return ask(project, "runs", "-n", "1")[0]["counts"]


def rewrite(project, factor: int) -> None:
    project.write("helpers.py", HELPERS.replace("10 *", f"{factor} *"))


# --------------------------------------------------------------------------------------------------------------- why


def test_why_tells_all_that_differs_and_not_only_the_first(two) -> None:
    rewrite(two, 3)
    two.write("experiments/two.py", EXPERIMENT.replace('name="a", n=1', 'name="a", n=7, seed=4'))

    calls = ask(two, "cache", "why", "two")["calls"]

    begin, end = calls[0], calls[1]
    assert [each["text"] for each in begin["differences"]] == ["parameter n: 1 → 7", "parameter seed: 0 → 4"]
    assert begin["reason"]["text"] == "parameter n: 1 → 7"
    assert begin["parameters"] == [
        {"name": "n", "before": "1", "now": "7", "changed": True},
        {"name": "seed", "before": "0", "now": "4", "changed": True},
    ]
    assert (end["verdict"], end["code"]) == (
        "run",
        [{"part": "helpers.scale", "change": "changed", "place": "helpers.py:1"}],
    )
    assert end["inputs"] == [{"name": "x", "kind": "input", "made_by": ["begin"], "changed": None}]
    assert [each["state"] for each in end["artifacts"]] == ["present"]


def test_why_compares_with_the_last_run_and_says_which(two) -> None:
    last = ask(two, "runs")[0]["reference"]
    told = ask(two, "cache", "why", "two")
    assert told["last_run"] == last
    assert {(call["verdict"], call["compared_with"]) for call in told["calls"]} == {("reuse", last)}
    assert told["calls"][1]["inputs"][0]["changed"] is False


def test_why_compares_with_the_last_run_without_the_index_too(two) -> None:
    for path in (two.root / "data").glob("index.db*"):
        path.unlink()
    two.write("experiments/two.py", EXPERIMENT.replace('name="b", n=2', 'name="b", n=9'))
    calls = ask(two, "cache", "why", "two")["calls"]
    assert [call["reason"]["text"] for call in calls if call["name"] == "begin"][1] == "parameter n: 2 → 9"


def test_why_of_one_stage_and_set(two) -> None:
    calls = ask(two, "cache", "why", "two", "--stage", "end", "-n", "b")["calls"]
    assert [(call["name"], call["record_name"]) for call in calls] == [("end", "Record 0 (b)")]
    done = two.experiment("cache", "why", "two", "--stage", "ent", check=False)
    assert (done.returncode, done.stderr) == (
        2,
        "No stage named 'ent' is called by 'two'. Did you mean 'end'?\n",
    )


def test_why_tells_that_a_file_is_gone(two) -> None:
    for path in (two.root / "data/cache").glob("*_end_y.json"):
        path.unlink()
    end = ask(two, "cache", "why", "two", "--stage", "end")["calls"][0]
    assert end["verdict"] == "run"
    assert end["reason"]["kind"] == "artifact_missing"
    assert end["differences"] == []
    assert end["artifacts"][0]["state"] == "missing"


def test_why_of_what_has_never_run(project) -> None:
    project.write("experiments/two.py", EXPERIMENT)
    project.write("helpers.py", HELPERS)
    told = ask(project, "cache", "why", "two")
    assert told["last_run"] is None
    assert {call["reason"]["text"] for call in told["calls"]} == {"never run"}
    assert "No run of two has finished a call yet." in project.experiment("cache", "why", "two").stdout


def test_why_names_what_differs_in_a_set_that_was_read_whole(project) -> None:
    text = EXPERIMENT.replace(
        "return [record.params.n, record.params.seed]", "return len(repr(record.params))"
    )
    project.write("helpers.py", "def scale(x):\n    return x\n")
    project.write("experiments/two.py", text)
    project.experiment("two", "--no-report")
    project.write("experiments/two.py", text.replace('name="a", n=1', 'name="a", n=5'))
    begin = ask(project, "cache", "why", "two", "--stage", "begin")["calls"][0]
    assert {"name": "n", "before": "1", "now": "5", "changed": True} in begin["parameters"]


def test_why_names_what_is_no_value_in_words(project) -> None:
    project.write("params/tree.yaml", "model: {size: 3}\n")
    project.write("experiments/tree.py", TREE)
    project.experiment("tree", "--no-report")
    out = project.experiment("cache", "why", "tree").stdout
    for words in ("the names in the set", "the names in model", "the class of model", "model.size"):
        assert re.search(rf"^    parameter  {words} .*as before$", out, re.MULTILINE)


def test_why_names_what_differs_in_a_long_dictionary(project) -> None:
    long = "{f'a_long_name_{number}': number for number in range(20)}"
    text = EXPERIMENT.replace("n: int = 1", f"n: dict = field(default_factory=lambda: {long})")
    text = (
        text.replace("import dataclass", "import dataclass, field").replace(", n=1", "").replace(", n=2", "")
    )
    text = text.replace("[record.params.n, record.params.seed]", "[len(record.params.n)]")
    project.write("experiments/two.py", text)
    project.write("helpers.py", HELPERS)
    project.experiment("two", "--no-report")
    project.write("experiments/two.py", text.replace(long, f"{long} | {{'a_long_name_19': 7}}"))

    begin = ask(project, "cache", "why", "two", "--stage", "begin")["calls"][0]
    assert begin["reason"]["text"] == "parameter n[a_long_name_19]: 19 → 7"
    assert begin["parameters"][0] == {
        "name": "n[a_long_name_19]",
        "before": "19",
        "now": "7",
        "changed": True,
    }


def test_why_as_text(two) -> None:
    rewrite(two, 3)
    out = two.experiment("cache", "why", "two", "-n", "a").stdout
    assert "end  Record 0 (a)  run  code of helpers.scale changed (helpers.py:1)\n" in out
    assert "    code   helpers.scale" in out
    assert "from begin, as before\n" in out


# ---------------------------------------------------------------------------------------------------------------- ls


def test_ls_tells_experiment_stage_size_use_and_state(two) -> None:
    told = ask(two, "cache", "ls")
    assert {(each["stage"], each["output"]) for each in told["artifacts"]} == {
        ("experiments.two.begin", "x"),
        ("experiments.two.end", "y"),
    }
    on_disk = sum(path.stat().st_size for path in (two.root / "data/cache").iterdir())
    assert told["totals"] == {
        "artifacts": 4,
        "size_bytes": on_disk,
        "present": 4,
        "aside": 0,
        "missing": 0,
        "modified": 0,
        "unreadable": 0,
    }
    assert {each["used_by"] for each in told["artifacts"]} == {ask(two, "runs")[0]["reference"]}


def test_ls_tells_what_lies_aside_and_what_is_gone(two) -> None:
    rewrite(two, 3)
    two.experiment("two", "--no-report")
    (two.root / "data/cache" / next(name for name in cached(two) if "begin" in name)).unlink()
    totals = ask(two, "cache", "ls")["totals"]
    assert (totals["artifacts"], totals["aside"], totals["missing"], totals["modified"]) == (6, 2, 1, 0)


def test_ls_of_an_experiment_has_what_it_has_only_reused(two) -> None:
    two.write("experiments/other.py", "from experiments.two import run, get_params\n")
    assert ask(two, "cache", "ls", "--experiment", "other")["artifacts"] == []
    two.experiment("other", "--no-report")
    found = ask(two, "cache", "ls", "--experiment", "other", "--stage", "end", "--sort", "size")["artifacts"]
    assert [each["experiments"] for each in found] == [["two", "other"]] * 2


def test_ls_of_an_empty_project(project) -> None:
    assert (
        project.experiment("cache", "ls").stdout
        == "There are no artifacts yet. A run makes some: experiment NAME\n"
    )


def test_ls_of_a_name_that_nothing_has_names_the_nearest(two) -> None:
    for option, name, known in (("--stage", "ent", "end"), ("--experiment", "twoo", "two")):
        out = two.experiment("cache", "ls", option, name).stdout
        assert out == f"There are no artifacts of the {option[2:]} '{name}'. Did you mean '{known}'?\n"


def test_ls_never_tells_a_last_use_before_the_making(two) -> None:
    for each in ask(two, "cache", "ls")["artifacts"]:
        assert each["used_at"] >= each["made_at"]


# ------------------------------------------------------------------------------------------------------------ verify


def test_verify_finds_a_changed_byte_that_no_stat_tells(two) -> None:
    path = two.root / "data/cache" / cached(two)[0]
    status, content = path.stat(), path.read_bytes()
    path.write_bytes(content.replace(content[1:2], b"9"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    now = path.stat()
    assert (now.st_size, now.st_mtime_ns, now.st_ino) == (status.st_size, status.st_mtime_ns, status.st_ino)

    told = ask(two, "cache", "verify", code=1)

    assert [each["path"] for each in told["modified"]] == [path.name]
    assert path.read_bytes() != content


def test_verify_tells_of_missing_files_without_failing(two) -> None:
    (two.root / "data/cache" / cached(two)[0]).unlink()
    told = ask(two, "cache", "verify")
    assert (told["whole"], len(told["missing"]), told["modified"]) == (3, 1, [])


def test_verify_takes_a_name_that_has_passed_on_for_no_damage(two) -> None:
    rewrite(two, 3)
    two.experiment("two", "--no-report")
    for path in (two.root / "data/superseded").iterdir():
        path.unlink()
    told = ask(two, "cache", "verify")
    assert (told["whole"], len(told["missing"]), told["modified"]) == (4, 2, [])


def test_verify_sets_aside_what_is_modified_only_when_asked(two) -> None:
    path = two.root / "data/cache" / cached(two)[-1]
    path.write_text("[0]")
    assert two.experiment("cache", "verify", check=False).returncode == 1
    assert path.read_text() == "[0]"

    done = two.experiment("cache", "verify", "--set-aside", check=False)

    assert done.returncode == 1
    assert not path.exists()
    assert "[0]" in [each.read_text() for each in (two.root / "data/superseded").iterdir()]
    assert counts(two) == {"ran": 1, "reused": 3}


# ---------------------------------------------------------------------------------------------------------------- gc


@pytest.fixture
def littered(two):
    """Give a project with two results of old code, whose bytes lie aside."""
    rewrite(two, 3)
    two.experiment("two", "--no-report")
    return two


def test_gc_shows_a_plan_first_and_does_nothing(littered) -> None:
    before = littered.files()
    out = littered.experiment("cache", "gc", "--keep-runs", "1").stdout
    assert "2 superseded files" in out
    assert "Nothing was changed." in out
    assert littered.files() == before


def test_gc_keeps_what_the_last_runs_have_used(littered) -> None:
    assert ask(littered, "cache", "gc")["waste"] == []
    assert ask(littered, "cache", "gc", "--keep-runs", "1")["traces"] == 2


def test_gc_clears_away_and_undo_brings_back(littered) -> None:
    before = (
        littered.files("data/cache") | littered.files("data/manifests") | littered.files("data/superseded")
    )
    told = ask(littered, "cache", "gc", "--keep-runs", "1", "--yes")
    assert told["done"] is True
    assert list((littered.root / "data/superseded").iterdir()) == []
    assert len(ask(littered, "cache", "ls")["artifacts"]) == 4
    assert counts(littered) == {"reused": 4}

    littered.experiment("cache", "undo")

    after = (
        littered.files("data/cache") | littered.files("data/manifests") | littered.files("data/superseded")
    )
    assert after == before
    assert not (littered.root / "data/trash").exists()
    rewrite(littered, 10)
    assert counts(littered) == {"reused": 4}


def test_without_undo_what_was_cleared_away_is_made_again(littered) -> None:
    littered.experiment("cache", "gc", "--keep-runs", "1", "--yes")
    rewrite(littered, 10)
    assert counts(littered) == {"ran": 2, "reused": 2}


def test_undo_lays_bytes_aside_whose_name_is_taken(two) -> None:
    two.write("experiments/two.py", EXPERIMENT.replace("scale(x)", "scale(x)[:1]"))
    before = {name: (two.root / "data/cache" / name).read_text() for name in cached(two) if "end" in name}
    two.experiment("cache", "gc", "--keep-runs", "0", "--yes")
    assert not any("end" in name for name in cached(two))
    two.experiment("two", "--no-report")

    two.experiment("cache", "undo")

    assert ask(two, "cache", "ls")["totals"]["aside"] == 2
    two.write("experiments/two.py", EXPERIMENT)
    assert counts(two) == {"reused": 4}
    assert {name: (two.root / "data/cache" / name).read_text() for name in before} == before


def test_undo_with_an_empty_trash(two) -> None:
    done = two.experiment("cache", "undo", check=False)
    assert (done.returncode, done.stderr) == (2, "The trash is empty: there is nothing to bring back.\n")


def test_gc_keeps_what_the_present_code_would_use_and_drops_experiments_that_are_gone(two) -> None:
    assert ask(two, "cache", "gc", "--keep-runs", "0")["traces"] == 0
    (two.root / "experiments/two.py").unlink()
    assert ask(two, "cache", "gc", "--keep-runs", "0")["traces"] == 4


def test_gc_keeps_what_it_cannot_see(two) -> None:
    two.write("experiments/two.py", "raise RuntimeError('broken')\n" + EXPERIMENT)
    told = ask(two, "cache", "gc", "--keep-runs", "0")
    assert told["traces"] == 0
    assert told["unseen_stages"] == ["experiments.two.begin", "experiments.two.end"]


def test_gc_keeps_what_a_tagged_run_has_used(littered) -> None:
    first = ask(littered, "runs")[-1]["reference"]
    facts = littered.root / "data/runs" / first / "run.json"
    facts.write_text(json.dumps(json.loads(facts.read_text()) | {"tags": ["paper"]}))
    assert ask(littered, "cache", "gc", "--keep-runs", "0")["traces"] == 0


def test_gc_spares_what_is_too_young(littered) -> None:
    assert ask(littered, "cache", "gc", "--keep-runs", "1", "--older-than", "1")["waste"] == []


def test_4_7_gc_touches_nothing_younger_than_the_oldest_run_that_goes_on(littered) -> None:
    # The oldest run seems to go on: its process, this one, is there.
    first = ask(littered, "runs")[-1]["reference"]
    facts = littered.root / "data/runs" / first / "run.json"
    kept = json.loads(facts.read_text()) | {"outcome": "running", "finished_at": None, "pid": os.getpid()}
    kept.pop("process", None)
    facts.write_text(json.dumps(kept))
    rewrite(littered, 5)
    littered.experiment("two", "--no-report")

    told = ask(littered, "cache", "gc", "--keep-runs", "0")

    assert told["live_run"] == first
    assert told["waste"] == []


def test_gc_takes_the_second_name_of_a_shared_result_too(two) -> None:
    two.write("experiments/other.py", "from experiments.two import run, get_params\n")
    two.experiment("other", "--no-report")
    assert sum(name.startswith("other_") for name in cached(two)) == 2
    (two.root / "experiments/two.py").unlink()
    (two.root / "experiments/other.py").unlink()
    two.experiment("cache", "gc", "--keep-runs", "0", "--yes")
    assert cached(two) == []


def test_gc_leaves_files_of_people_where_they_are(two) -> None:
    two.write("data/cache/mine.txt", "mine")
    (two.root / "experiments/two.py").unlink()
    two.experiment("cache", "gc", "--keep-runs", "0", "--yes")
    assert cached(two) == ["mine.txt"]


def test_the_trash_is_emptied_by_the_first_collection_after_its_time(littered) -> None:
    littered.experiment("cache", "gc", "--keep-runs", "1", "--yes")
    (trash,) = (littered.root / "data/trash").iterdir()
    assert ask(littered, "cache", "gc", "--keep-runs", "1")["trash"] == []
    listed = json.loads((trash / "list.json").read_text())
    (trash / "list.json").write_text(json.dumps(listed | {"at": "2020-01-01T00:00:00+00:00"}))

    assert "for good" in littered.experiment("cache", "gc").stdout
    assert trash.exists()
    littered.experiment("cache", "gc", "--yes")
    assert not trash.exists()


def test_gc_clears_away_staging_folders_of_dead_processes(two) -> None:
    left = two.root / "data/staging/999999999-000000-1"
    left.mkdir(parents=True)
    (left / "half.pkl").write_bytes(b"x" * 100)
    os.utime(left, (0, 0))
    told = ask(two, "cache", "gc", "--yes")
    assert [each["kind"] for each in told["waste"]] == ["staging"]
    assert not left.exists()


# ------------------------------------------------------------------------------------------------ reading, parameters


def test_d10_what_reads_changes_no_file(littered) -> None:
    before = littered.files()
    for words in (["why", "two"], ["ls"], ["verify"], ["gc", "--keep-runs", "0"]):
        littered.experiment("cache", *words)
        littered.experiment("cache", *words, "--json")
    assert littered.files() == before


def test_a_group_without_a_verb_shows_its_verbs(project) -> None:
    done = project.experiment("cache", check=False)
    assert done.returncode == 2
    assert "verify" in done.stdout


def unread(project):
    reference = ask(project, "runs", "-n", "1")[0]["reference"]
    facts = json.loads((project.root / "data/runs" / reference / "run.json").read_text())
    return facts.get("unread_parameters"), [each["text"] for each in facts["warnings"]]


def test_a_parameter_that_no_stage_reads_is_told_also_when_all_is_reused(two) -> None:
    assert unread(two) == ([], [])
    two.write("experiments/two.py", EXPERIMENT.replace(", record.params.seed]", "]"))
    for _ in range(2):
        done = two.experiment("two", "--no-report")
        assert "`seed` was read by no stage" in done.stderr
        assert unread(two) == (["seed"], ["`seed` was read by no stage"])


def test_a_run_that_failed_tells_nothing_of_parameters(two) -> None:
    two.write("experiments/two.py", EXPERIMENT.replace("return scale(x)", "raise ValueError"))
    two.experiment("two", "--no-report", check=False)
    assert unread(two) == (None, [])


def test_a_session_tells_nothing_of_parameters(two) -> None:
    two.write(
        "session.py",
        "import curifactory as cf\n"
        "from experiments.two import begin, Params\n"
        "manager = cf.ArtifactManager('session')\n"
        "begin(cf.Record(manager, Params(name='a')))\n",
    )
    two.run(
        sys.executable, "session.py", env={"PYTHONPATH": two.environment.get("PYTHONPATH", str(two.root))}
    )
    reference = ask(two, "runs", "session")[0]["reference"]
    facts = json.loads((two.root / "data/runs" / reference / "run.json").read_text())
    assert "unread_parameters" not in facts

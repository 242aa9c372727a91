"""Numbers and folders of runs, also for many processes at once, and how runs are found again."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

import curifactory
from curifactory.core.events import MetricLogged, RunFinished, RunStarted
from curifactory.core.outcomes import RunOutcome
from curifactory.errors import ConfigurationError, DiscoveryError, StoreError
from curifactory.store.facts import merge_facts
from curifactory.store.index import Index
from curifactory.store.recorder import Recorder
from curifactory.store.reference import Reference, safe_experiment
from curifactory.store.runs import RunStore

NOW = datetime(2026, 11, 21, 10, 15, tzinfo=timezone(timedelta(hours=1)))


@pytest.fixture(params=["with index", "without index"])
def store(request, tmp_path):
    if request.param == "without index":
        yield RunStore(tmp_path / "runs")
    else:
        with Index(tmp_path / "index.db") as index:
            yield RunStore(tmp_path / "runs", index)


def finish(store, experiment="iris", *, minutes=0, outcome=RunOutcome.COMPLETE, **facts):
    """Make a run that is over."""
    now = NOW + timedelta(minutes=minutes)
    run = store.claim(experiment, now=now)
    merge_facts(run.path, {"outcome": outcome.value, "finished_at": now.isoformat(), **facts})
    return run


# Numbers


def test_numbers_count_up_from_one_for_each_experiment(store):
    assert [store.claim("iris", now=NOW).number for _ in range(3)] == [1, 2, 3]
    assert store.claim("other", now=NOW).number == 1


def test_a_reference_has_experiment_number_and_local_time(store):
    run = store.claim("iris", now=NOW)
    assert run.reference == f"iris_1_{NOW.astimezone():%Y-%m-%d-T%H%M%S}"
    assert run.path == store.folder / run.reference
    assert run.path.is_dir()


def test_a_claimed_run_says_at_once_that_it_goes_on(store):
    run = store.claim("iris", now=NOW)
    facts = json.loads((run.path / "run.json").read_text())
    assert (facts["reference"], facts["experiment"], facts["number"]) == (run.reference, "iris", 1)
    assert (facts["outcome"], facts["pid"], facts["format"]) == ("running", os.getpid(), 1)
    assert datetime.fromisoformat(facts["started_at"]) == NOW


def test_the_number_of_a_deleted_run_is_not_given_again(store):
    store.claim("iris", now=NOW)
    shutil.rmtree(store.claim("iris", now=NOW).path)
    assert store.claim("iris", now=NOW).number == 3


def test_runs_that_were_copied_in_count_although_nobody_claimed_them_here(store):
    (store.folder / "iris_7_2025-01-01-T000000").mkdir(parents=True)
    (store.folder / "iris_x_9_2025-01-01-T000000").mkdir()
    assert store.claim("iris", now=NOW).number == 8


def test_numbers_survive_the_loss_of_the_claims_and_of_the_index(store, tmp_path):
    store.claim("iris", now=NOW)
    store.claim("iris", now=NOW)
    shutil.rmtree(store.folder / ".numbers")
    assert RunStore(store.folder).claim("iris", now=NOW).number == 3


def test_eight_processes_never_get_the_same_number_and_leave_no_gap(tmp_path):
    code = (
        "import sys\nfrom datetime import datetime\nfrom pathlib import Path\nfrom curifactory.store.runs import RunStore\n"
        "store = RunStore(Path(sys.argv[1]))\nsys.stdin.readline()\n"
        "for _ in range(20):\n    print(store.claim('iris', now=datetime.now().astimezone()).number)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(curifactory.__file__).parents[1])}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for _ in range(8)
    ]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    numbers = [int(line) for process in processes for line in process.communicate(timeout=60)[0].split()]
    assert sorted(numbers) == list(range(1, 161))
    assert len(RunStore(tmp_path).iter_rows()) == 160


def test_a_folder_that_cannot_be_made_is_one_clear_error_and_uses_no_number(tmp_path):
    (tmp_path / "runs").write_text("")
    with pytest.raises(StoreError, match="runs"):
        RunStore(tmp_path / "runs").claim("iris", now=NOW)


# Names


@pytest.mark.parametrize("name", ["", "/", "/etc", "a//b", "a/", "/../x"])
def test_names_that_lead_nowhere_are_refused_before_anything_is_made(tmp_path, name):
    with pytest.raises(ConfigurationError, match="named"):
        RunStore(tmp_path / "runs").claim(name, now=NOW)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "name",
    [
        "..",
        "../../x",
        "a/../../x",
        ".numbers",
        "a\0b",
        "a\nb",
        "with space",
        "größe",
        "実験",
        "-1",
        "~",
        "%2E",
        "a\\b",
        "C:x",
        "x" * 5000,
        "iris_1_2026-11-21-T101500",
        "iris_1_2026-11-21-T101500/x",
        "\ud800",
    ],
)
def test_no_name_leaves_the_folder_of_runs_and_each_is_found_again(store, name):
    run = store.claim(name, now=NOW)
    assert run.path.resolve().is_relative_to(store.folder.resolve())
    assert run.path.resolve() != store.folder.resolve()
    assert store.get(f"{name}/-1").reference == run.reference
    assert store.get("-1", experiment=name).number == 1
    assert store.get(f"{name}_1").reference == run.reference
    assert [row.reference for row in store.iter_rows(name)] == [run.reference]
    assert [row.reference for row in store.iter_rows()] == [run.reference]


def test_different_names_never_share_a_folder():
    names = [
        "a b",
        "a%20b",
        "a-b",
        "a/b",
        "a%2Fb",
        "A",
        "..",
        "%2E.",
        "x" * 300,
        "x" * 301,
        "a_1_2026-11-21-T101500",
    ]
    assert len({safe_experiment(name) for name in names}) == len(names)


def test_a_slash_makes_folders_and_numbers_of_their_own(store):
    inner = store.claim("vision/iris", now=NOW)
    assert inner.path.parent == store.folder / "vision"
    # The folder of one experiment's claims is not a claim of another.
    assert [
        store.claim(name, now=NOW).number for name in ("vision", "vision/1", "vision", "vision/iris")
    ] == [1, 1, 2, 2]
    assert sorted(row.reference for row in store.iter_rows()) == sorted(
        path.parent.relative_to(store.folder).as_posix() for path in store.folder.rglob("run.json")
    )


def test_references_are_read_back_as_they_were_made():
    reference = Reference.make("a_1/b_2", 30, NOW)
    assert Reference.parse(str(reference)) == reference
    for text in ("iris", "iris_4", "iris_0_2026-11-21-T101500", "iris_4_2026-11-21", "_4_2026-11-21-T101500"):
        assert Reference.parse(text) is None


# Finding


def test_a_run_is_found_by_every_way_of_naming_it(store):
    for minutes in range(12):
        finish(store, minutes=minutes)
    other = finish(store, "other", minutes=20)
    runs = sorted(row.reference for row in store.iter_rows("iris"))
    first = store.get("iris_1")
    assert first.number == 1
    assert store.get(first.reference).reference == first.reference
    assert store.get(first.reference[:-3]).reference == first.reference
    assert store.get("1", experiment="iris").number == 1
    assert store.get("iris_1", experiment="iris").number == 1
    assert store.get("iris_12").number == 12
    assert store.get("iris/-1").number == 12
    assert store.get("iris/-12").number == 1
    assert store.get("-2", experiment="iris").number == 11
    assert store.get("-1").reference == other.reference
    assert store.get("-2").number == 12
    assert store.get("oth").reference == other.reference
    assert len(runs) == 12


def test_words_that_could_mean_several_runs_list_them(store):
    for minutes in range(12):
        finish(store, minutes=minutes)
    assert store.get("iris_1_").number == 1
    with pytest.raises(DiscoveryError) as caught:
        store.get("iri")
    assert "12 runs" in caught.value.message
    assert "iris_12_" in caught.value.message
    assert "2 more" in caught.value.message
    with pytest.raises(DiscoveryError, match=r"could be .* or iris/-1 for the latest"):
        store.find("iris")


@pytest.mark.parametrize(
    "query", ["irs_1", "iris_99", "iris/-9", "-9", "nobody/-1", "", "\0", "../iris_1", "x" * 5000]
)
def test_a_run_that_is_not_there_is_an_error_of_use(store, query):
    finish(store)
    assert store.find(query) is None
    with pytest.raises(DiscoveryError) as caught:
        store.get(query)
    assert caught.value.exit_code == 2


def test_the_nearest_name_is_suggested(store):
    finish(store)
    with pytest.raises(DiscoveryError, match="Did you mean 'iris_1'"):
        store.get("irs_1")


def test_where_there_are_no_runs_at_all_one_is_told_so(store):
    with pytest.raises(DiscoveryError, match="there are no runs"):
        store.get("-1")
    assert store.iter_rows() == []


def test_a_run_of_another_experiment_is_not_found_under_this_one(store):
    finish(store)
    reference = finish(store, "other").reference
    assert store.find(reference, experiment="iris") is None
    assert store.find("other_1", experiment="iris") is None


def test_a_folder_from_elsewhere_is_found_by_its_path(store, tmp_path):
    run = finish(store)
    copy = tmp_path / "elsewhere" / "renamed"
    shutil.copytree(run.path, copy)
    assert store.get(str(copy)).reference == run.reference


def test_a_folder_without_a_run_in_it_is_passed_over(store):
    run = finish(store)
    (store.folder / "iris_2_2026-11-21-T101600").mkdir()
    (store.folder / "iris_3_2026-11-21-T101700").write_text("")
    (store.folder / "iris_4_2026-11-21-T101700").mkdir()
    (store.folder / "iris_4_2026-11-21-T101700" / "run.json").write_text("{torn")
    assert [row.reference for row in store.iter_rows()] == [run.reference]
    assert store.get("-1").reference == run.reference
    assert store.find("iris_2") is None
    with pytest.raises(StoreError, match="damaged"):
        store.get("iris_4")


# Listing


def test_rows_are_newest_first_whatever_the_time_zone_was(store):
    late = store.claim("a", now=datetime(2026, 11, 21, 12, 0, tzinfo=UTC))
    early = store.claim("b", now=datetime(2026, 11, 21, 12, 30, tzinfo=timezone(timedelta(hours=5))))
    assert [row.reference for row in store.iter_rows()] == [late.reference, early.reference]
    assert [row.reference for row in store.iter_rows(limit=1)] == [late.reference]


def test_a_row_says_what_run_json_says(store):
    git = {"commit": "1f" * 20, "branch": "main", "dirty": True, "root": "/project"}
    finish(
        store, tags=["good"], notes="n" * 2000, git=git, counts={"ran": 3}, duration_s=1.5, traceback="long"
    )
    (row,) = store.iter_rows()
    assert (row.experiment, row.number, row.outcome, row.is_live) == ("iris", 1, RunOutcome.COMPLETE, False)
    assert row.started_at == row.finished_at == NOW
    assert row.tags == ("good",)
    assert row.counts == {"ran": 3}
    assert (row.facts["commit"], row.facts["dirty"], row.facts["duration_s"]) == ("1f" * 20, True, 1.5)
    assert len(row.facts["notes"]) < 600
    assert "traceback" not in row.facts


def test_a_listing_follows_what_happens_to_the_folders(store):
    first, second = finish(store), finish(store, minutes=1)
    assert len(store.iter_rows()) == 2
    merge_facts(first.path, {"notes": "changed behind our back"})
    shutil.rmtree(second.path)
    (row,) = store.iter_rows()
    assert row.facts["notes"] == "changed behind our back"
    third = finish(store, minutes=2)
    assert [each.reference for each in store.iter_rows()] == [third.reference, first.reference]


def test_the_index_can_be_deleted_or_filled_with_noise_at_any_time(tmp_path):
    path = tmp_path / "index.db"
    for damage in (None, b"", b"noise" * 1000):
        if path.exists():
            if damage is None:
                path.unlink()
            else:
                path.write_bytes(damage)
        with Index(path, warn=lambda line: None) as index:
            store = RunStore(tmp_path / "runs", index)
            finish(store)
            assert len(store.iter_rows()) == store.rebuild() == len(os.listdir(store.folder)) - 1


def test_reading_through_an_index_that_may_not_be_written_gives_the_same(tmp_path):
    with Index(tmp_path / "index.db") as index:
        finish(RunStore(tmp_path / "runs", index))
        RunStore(tmp_path / "runs", index).iter_rows()
    finish(RunStore(tmp_path / "runs"), minutes=1)
    before = (tmp_path / "index.db").read_bytes()
    with Index(tmp_path / "index.db", read_only=True) as index:
        assert [row.number for row in RunStore(tmp_path / "runs", index).iter_rows()] == [2, 1]
    assert (tmp_path / "index.db").read_bytes() == before


def test_a_row_of_a_run_whose_process_is_gone_says_interrupted(store):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    run = store.claim("iris", now=NOW)
    merge_facts(run.path, {"pid": gone.pid, "process": None})
    for _ in range(2):
        (row,) = store.iter_rows()
        assert row.outcome is RunOutcome.INTERRUPTED
    assert json.loads((run.path / "run.json").read_text())["outcome"] == "running"


# Notes, tags, metrics


def test_notes_and_tags_can_be_changed_while_the_run_goes_on(store):
    claimed = store.claim("iris", now=NOW)
    recorder = Recorder(claimed.path)
    run = store.annotate(store.get("iris_1"), notes="looks good", add_tags=["a", "b", "a"])
    assert (run.facts["notes"], run.facts["tags"]) == ("looks good", ["a", "b"])
    store.annotate(run, add_tags=["c"], remove_tags=["a"])
    recorder(RunFinished(RunOutcome.COMPLETE, NOW + timedelta(seconds=2)))
    facts = store.get("iris_1").facts
    assert (facts["notes"], facts["tags"], facts["outcome"]) == ("looks good", ["b", "c"], "complete")
    assert store.iter_rows()[0].tags == ("b", "c")


def test_runs_are_found_by_what_they_logged(tmp_path):
    with Index(tmp_path / "index.db") as index:
        store = RunStore(tmp_path / "runs", index)
        for score in (0.5, 0.9, float("nan")):
            run = store.claim("iris", now=NOW)
            recorder = Recorder(run.path, index=index)
            recorder(RunStarted(run.reference, NOW))
            for step, value in enumerate((0.1, score)):
                recorder(MetricLogged(0, 3, "val", {"acc": value}, step, None, NOW))
            recorder(RunFinished(RunOutcome.COMPLETE, NOW))
        found = [dict(row.facts) for row in store.iter_rows()]
        assert [dict(row.metrics) for row in store.iter_rows()] == [
            {},
            {"acc": (0.9, 0.9)},
            {"acc": (0.5, 0.5)},
        ]
        # What a metric ever was is kept where that is not what it was last.
        assert [facts.get("metrics_ever") for facts in found] == [
            {},
            {"acc": [0.1, 0.9]},
            {"acc": [0.1, 0.5]},
        ]
        store.rebuild()
        assert [dict(row.facts) for row in store.iter_rows()] == found


def test_runs_that_the_index_has_never_seen_are_found_by_what_they_logged(tmp_path):
    run = RunStore(tmp_path / "runs").claim("iris", now=NOW)
    recorder = Recorder(run.path)
    recorder(MetricLogged(0, None, "val", {"acc": 0.7}, None, None, NOW))
    recorder(RunFinished(RunOutcome.COMPLETE, NOW))
    with Index(tmp_path / "index.db") as index:
        (row,) = RunStore(tmp_path / "runs", index).iter_rows()
    assert (row.reference, dict(row.metrics)) == (run.reference, {"acc": (0.7, 0.7)})

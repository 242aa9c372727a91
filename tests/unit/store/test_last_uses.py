"""Last uses: read from the folders of runs, however these have ended and whatever has become of them."""

from __future__ import annotations

import json
import os
import shutil
from datetime import datetime, timedelta

import pytest

from curifactory.core.events import CallEnded
from curifactory.core.outcomes import CallOutcome
from curifactory.store import last_uses
from curifactory.store.calls import CALLS_NAME, encode_calls
from curifactory.store.facts import merge_facts
from curifactory.store.last_uses import LastUses, note_accepted
from curifactory.store.runs import RunStore

NOW = datetime.fromisoformat("2026-11-21T10:15:00+00:00")
STAGE = "experiments.iris.load"


def key_of(name: object) -> str:
    return f"{name}".encode().hex().ljust(64, "0")


def ended(
    index: int, name: str | None, key: str | None, stage: str = STAGE, outcome: str = "RAN"
) -> CallEnded:
    record = f"Record {index}" if name is None else f"Record {index} ({name})"
    given = (CallOutcome[outcome], None, key, None, 0.5, "iris.py:7", False, (), (), 0, None)
    return CallEnded(index, stage.rpartition(".")[2], stage, index, record, *given)


class Runs:
    def __init__(self, folder):
        self.store = RunStore(folder)
        self.count = 0

    def add(self, *calls: CallEnded, experiment: str = "iris", finished: bool = True):
        """Add the next run, a minute after the one before, as it lies there when it has ended."""
        now = NOW + timedelta(minutes=self.count)
        self.count += 1
        folder = self.store.claim(experiment, now=now).path
        (folder / CALLS_NAME).write_bytes(encode_calls(calls))
        if finished:
            self.finish(folder, now + timedelta(seconds=30))
        return folder

    def finish(self, folder, at):
        merge_facts(folder, {"outcome": "complete", "finished_at": at.isoformat()})
        os.utime(folder / CALLS_NAME, (at.timestamp(), at.timestamp()))

    def find(self, name: str | None = "a", stage: str = STAGE, experiment: str = "iris") -> list[str]:
        uses = LastUses(self.store.folder, experiment, run="iris_99")
        return [bytes.fromhex(key).rstrip(b"\0").decode() for key in uses.iter_keys(stage, name)]


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path / "runs")


def test_the_trace_of_the_latest_run_comes_first_and_none_twice_in_a_row(runs):
    for key in ("never asked for", "one", "two", "two", "three"):
        runs.add(ended(0, "a", key_of(key)), ended(1, "b", key_of("other")))
    assert runs.find() == ["three", "two", "one"]
    assert runs.find("b") == ["other"]


def test_stage_experiment_and_name_tell_uses_apart(runs):
    runs.add(ended(0, "a", key_of("load")), ended(1, None, key_of("all")), ended(2, "None", key_of("named")))
    runs.add(ended(0, "a", key_of("else")), experiment="iris_2")
    assert runs.find(experiment="iris_2") == ["else"]
    assert (runs.find(), runs.find(None), runs.find("None")) == (["load"], ["all"], ["named"])
    assert runs.find(stage="experiments.iris.other") == runs.find("b") == runs.find(experiment="none") == []
    assert runs.find(experiment="not/") == []


def test_of_a_record_that_a_stage_is_called_for_twice_the_later_call_counts(runs):
    runs.add(ended(0, "a", key_of("first")), ended(1, "a", key_of("second")))
    assert runs.find() == ["second"]


@pytest.mark.parametrize("outcome", ["FAILED", "NOT_REACHED", "NOT_NEEDED"])
def test_a_call_without_result_is_no_use(runs, outcome):
    runs.add(ended(0, "a", key_of("before")))
    runs.add(ended(0, "a", key_of("key"), outcome=outcome))
    assert runs.find() == ["before"]


def test_a_call_without_key_is_no_use(runs):
    runs.add(ended(0, "a", key_of("before"), outcome="REUSED"))
    runs.add(ended(0, "a", None))
    assert runs.find() == ["before"]


@pytest.mark.parametrize("is_long", [False, True])
def test_what_is_torn_or_damaged_is_passed_over(runs, is_long, monkeypatch):
    if is_long:
        monkeypatch.setattr("curifactory.store.journal._BYTES_WORTH_AN_IMPORT", 1)
    folder = runs.add(
        ended(0, "a", key_of("whole")), ended(1, "b", key_of("half \ud800".encode("ascii", "replace")))
    )
    lines = (folder / CALLS_NAME).read_bytes()
    odd = json.loads(lines.splitlines()[0])
    odd |= {"record_name": "Record 4 (\ud800)"}
    rotten = [
        b"\xff\xfe\n",
        b"[1]\n",
        b'{"index": 3}\n',
        json.dumps(odd | {"key": "no hex", "record_name": "Record 0 (a)"}).encode() + b"\n",
    ]
    torn = lines.splitlines(keepends=True)[1][:-40]
    (folder / CALLS_NAME).write_bytes(b"".join([lines, *rotten, json.dumps(odd).encode() + b"\n", torn]))
    assert (runs.find(), runs.find("\ud800")) == (["whole"], ["whole"])
    assert len(runs.find("b")) == 1


def test_a_run_that_still_runs_and_one_that_was_killed_count_as_far_as_they_came(runs):
    runs.add(ended(0, "a", key_of("before")))
    runs.add(ended(0, "a", key_of("killed")), finished=False)
    assert runs.find() == ["killed", "before"]


def test_the_present_run_is_no_earlier_one(runs):
    runs.add(ended(0, "a", key_of("before")))
    folder = runs.add(ended(0, "a", key_of("now")), finished=False)
    uses = LastUses(runs.store.folder, "iris", run=folder.name)
    assert list(uses.iter_keys(STAGE, "a")) == [key_of("before")]


def test_a_run_without_calls_and_one_that_is_gone_are_passed_over(runs):
    runs.add(ended(0, "a", key_of("before")))
    gone = runs.add(ended(0, "a", key_of("gone")))
    runs.store.claim("iris", now=NOW + timedelta(hours=1))
    shutil.rmtree(gone)
    assert runs.find() == ["before"]


def test_a_run_that_goes_while_it_is_asked_for_stops_nothing(runs):
    runs.add(ended(0, "a", key_of("before")))
    gone = runs.add(ended(0, "b", key_of("gone")))
    uses = LastUses(runs.store.folder, "iris", run="iris_99")
    uses._look()
    shutil.rmtree(gone)
    assert list(uses.iter_keys(STAGE, "a")) == [key_of("before")]


def test_a_session_that_went_on_longer_than_a_later_run_is_the_last_one(runs):
    session = runs.add(ended(0, "a", key_of("session")), finished=False)
    runs.add(ended(0, "a", key_of("command")))
    assert runs.find() == ["session", "command"]
    # Its last call was over before the command began.
    os.utime(session / CALLS_NAME, (NOW.timestamp(), NOW.timestamp()))
    assert runs.find() == ["command", "session"]


def test_runs_that_were_copied_are_as_old_as_they_were(runs):
    folders = [runs.add(ended(0, "a", key_of(number))) for number in range(3)]
    for later, folder in enumerate([folders[number] for number in (1, 2, 0)]):
        os.utime(folder / CALLS_NAME, (2e9 + later, 2e9 + later))
    assert runs.find() == ["2", "1", "0"]


def test_what_was_accepted_since_stands_in_the_place_of_what_the_run_had(runs):
    runs.add(ended(0, "a", key_of("before")))
    folder = runs.add(ended(0, "a", key_of("old")), ended(1, "b", key_of("other")))
    note_accepted(folder, {0: key_of("new")})
    assert (runs.find(), runs.find("b")) == (["new", "before"], ["other"])
    note_accepted(folder, {0: key_of("newer")})
    assert runs.find() == ["newer", "before"]
    # A run that comes later has the last word.
    runs.add(ended(0, "a", key_of("old")))
    assert runs.find() == ["old", "newer", "before"]


def test_no_more_runs_are_read_than_the_answer_takes(runs, monkeypatch):
    for number in range(5):
        runs.add(ended(0, "a", key_of(number)), ended(1, f"s{number}", key_of(number)))
    read: list[str] = []
    real = last_uses._read_run
    monkeypatch.setattr(
        last_uses, "_read_run", lambda folder, *rest: read.append(folder) or real(folder, *rest)
    )
    uses = LastUses(runs.store.folder, "iris", run="iris_99")
    assert not read
    assert next(uses.iter_keys(STAGE, "a")) == next(uses.iter_keys(STAGE, "s4")) == key_of(4)
    assert len(read) == 1
    assert list(uses.iter_keys(STAGE, "s2")) == list(uses.iter_keys(STAGE, "s2")) == [key_of(2)]
    assert len(read) == len(set(read)) == 5


def test_it_is_not_looked_back_for_ever(runs, monkeypatch):
    for number in range(6):
        folder = runs.add(ended(0, "a", key_of(number)), ended(1, "b", key_of(number)))
    size_bytes = (folder / CALLS_NAME).stat().st_size
    monkeypatch.setattr(last_uses, "_MOST_BYTES", 2 * size_bytes + 1)
    assert runs.find() == ["5", "4", "3"]
    # The latest is read in any case.
    monkeypatch.setattr(last_uses, "_MOST_BYTES", 1)
    assert runs.find() == ["5"]
    monkeypatch.setattr(last_uses, "_MOST_BYTES", 100 * size_bytes)
    monkeypatch.setattr(last_uses, "_MOST_RUNS", 2)
    assert runs.find() == ["5", "4"]


def test_a_session_sees_runs_that_come_or_go_on_while_it_is_open(runs, monkeypatch):
    first = runs.add(ended(0, "a", key_of("one")), finished=False)
    uses = LastUses(runs.store.folder, "iris", run="iris_99")
    assert list(uses.iter_keys(STAGE, "a")) == [key_of("one")]
    with open(first / CALLS_NAME, "ab") as file:
        file.write(encode_calls([ended(1, "b", key_of("two"))]))
    monkeypatch.setattr(last_uses, "_HOLDS_S", 0.0)
    assert list(uses.iter_keys(STAGE, "b")) == [key_of("two")]
    runs.add(ended(0, "a", key_of("three")))
    assert sorted(uses.iter_keys(STAGE, "a")) == sorted([key_of("one"), key_of("three")])


def test_what_was_let_go_of_is_read_again(runs):
    runs.add(ended(0, "a", key_of("one")))
    uses = LastUses(runs.store.folder, "iris", run="iris_99")
    for _ in range(2):
        assert list(uses.iter_keys(STAGE, "a")) == [key_of("one")]
        uses.let_go()


@pytest.mark.parametrize("name", [None, "a", 'a "b" (c) \\ ü', "\ud800", ""])
def test_the_first_few_questions_and_the_others_have_the_same_answer(runs, name, monkeypatch):
    for number in range(3):
        others = [ended(each, f"s{each}", key_of(each)) for each in range(2, 9)]
        runs.add(ended(0, name, key_of(number)), ended(1, name, key_of("other"), stage="other"), *others)
    expected = runs.find(name)
    assert expected == ["2", "1", "0"]
    monkeypatch.setattr(last_uses, "_BYTES_WORTH_A_SEARCH", 0)
    uses = LastUses(runs.store.folder, "iris", run="iris_99")
    for asked in range(1, 7):
        assert list(uses.iter_keys(STAGE, name)) == [key_of(number) for number in (2, 1, 0)]
        assert bool(uses._uses) is (asked > 3)

"""The read model of a run, drawn from its folder and nothing else."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import pytest

from curifactory.core.events import (
    CallEnded,
    MetricLogged,
    OutputFacts,
    RecordAdded,
    Reported,
    RunFinished,
    RunStarted,
    Warned,
)
from curifactory.core.outcomes import CallOutcome, RunOutcome
from curifactory.core.reason import Reason, ReasonKind
from curifactory.core.trace import Artifact, Fragment, StoredFile
from curifactory.errors import StoreError
from curifactory.store.facts import merge_facts, write_document
from curifactory.store.process import is_alive, process_facts
from curifactory.store.recorder import Recorder
from curifactory.store.run import Run
from curifactory.store.runs import RunStore

NOW = datetime(2026, 11, 21, 10, 15, 0, 123456, tzinfo=timezone(timedelta(hours=1)))
REASON = Reason(ReasonKind.CODE_CHANGED, {"part": "helpers.clean", "place": " (features.py:14)"})


def call(index, outcome=CallOutcome.RAN, reason=REASON):
    artifact = Artifact("data", "JsonCacher", "c", "blake3:aa", (StoredFile("x.json", "blake3:bb", 7),), "x")
    outputs = (OutputFacts("data", "dict", "3", artifact),)
    line = "experiments/iris.py:88"
    return CallEnded(
        index,
        "load",
        "iris.load",
        0,
        "Record 0 (a)",
        outcome,
        reason,
        "9f",
        NOW,
        0.5,
        line,
        False,
        (),
        outputs,
    )


@pytest.fixture
def folder(tmp_path):
    """A run that is over, with something in each of its files."""
    run = RunStore(tmp_path / "runs").claim("vision/iris", now=NOW)
    recorder = Recorder(run.path)
    recorder(RunStarted(run.reference, NOW))
    recorder.write_facts(notes="first", live=False)
    recorder.write_document("environment.json", {"python": "3.11.7", "packages": {"blake3": "1.0"}})
    sets = {
        "name": "a",
        "hash": "9f",
        "file": "iris",
        "class": "params.iris.Params",
        "value": {"n": 1},
        "shown": {"n": 1},
    }
    recorder.write_document("parameters.json", [sets])
    recorder(RecordAdded(0, "Record 0 (a)", "a", "9f"))
    recorder(call(1, CallOutcome.REUSED))
    recorder(call(0))
    recorder(MetricLogged(0, 0, "val", {"acc": 0.5}, 1, None, NOW))
    recorder(Reported(0, 0, "load", "0", Fragment("chart", "figure", {"w": 1}, ("chart.svg",), "g", "c")))
    (run.path / "fragments" / "0").mkdir(parents=True)
    (run.path / "fragments" / "0" / "chart.svg").write_text("<svg/>")
    (run.path / "patch.diff").write_bytes(b"+caf\xe9\n")
    recorder(Warned("be careful", NOW))
    recorder(RunFinished(RunOutcome.COMPLETE, NOW + timedelta(seconds=3)))
    return run.path


def test_all_that_was_recorded_is_read_back(folder):
    run = Run.read(folder)
    assert (run.experiment, run.number, run.outcome, run.is_live) == (
        "vision/iris",
        1,
        RunOutcome.COMPLETE,
        False,
    )
    assert run.reference == f"vision/{folder.name}"
    assert (run.started_at, run.duration_s, run.finished_at) == (NOW, 3.0, NOW + timedelta(seconds=3))
    assert [warning.text for warning in run.warnings] == ["be careful"]
    assert run.facts["notes"] == "first"
    assert [(record.index, record.name, record.params_hash) for record in run.records] == [
        (0, "Record 0 (a)", "9f")
    ]
    assert [each.class_name for each in run.parameters] == ["params.iris.Params"]
    assert run.environment["packages"] == {"blake3": "1.0"}
    assert [(series.name, series.values) for series in run.metrics] == [("acc", [0.5])]
    (reportable,) = run.reportables
    assert reportable.fragment == Fragment("chart", "figure", {"w": 1}, ("chart.svg",), "g", "c")
    assert (run.fragments_folder / reportable.folder / reportable.fragment.files[0]).read_text() == "<svg/>"
    assert "call 0: load ran" in run.log_text()
    assert run.patch_text() == "+caf\\xe9\n"


def test_calls_come_in_the_order_in_which_they_were_made(folder):
    first, second = Run.read(folder).calls
    assert (first.index, first.outcome, second.index, second.outcome) == (
        0,
        CallOutcome.RAN,
        1,
        CallOutcome.REUSED,
    )
    assert (first.name, first.stage, first.line, first.duration_s) == (
        "load",
        "iris.load",
        "experiments/iris.py:88",
        0.5,
    )
    assert first.started_at == NOW
    assert Reason.from_json(first.reason) == REASON
    assert first.reason_text == "code of helpers.clean changed (features.py:14)"
    (output,) = first.outputs
    assert (output.name, output.artifact.size_bytes, output.artifact.files[0].path) == ("data", 7, "x.json")


def test_of_a_call_that_was_told_of_twice_the_later_counts(folder):
    recorder = Recorder(folder)
    recorder(call(0, CallOutcome.FAILED))
    recorder.close()
    assert [each.outcome for each in Run.read(folder).calls] == [CallOutcome.FAILED, CallOutcome.REUSED]


def test_a_reason_of_a_newer_version_is_still_shown(folder):
    lines = (folder / "calls.jsonl").read_text().replace("code_changed", "moon_changed")
    (folder / "calls.jsonl").write_text(lines)
    first = Run.read(folder).calls[0]
    assert first.reason_text == "code of helpers.clean changed (features.py:14)"


def test_the_summary_counts(folder):
    assert Run.read(folder).summary() == {
        "reference": f"vision/{folder.name}",
        "outcome": "complete",
        "duration_s": 3.0,
        "counts": {"ran": 1, "reused": 1},
        "records": 1,
        "calls": 2,
        "metrics": 1,
        "reportables": 1,
        "warnings": 1,
    }


def test_a_copy_of_the_folder_reads_the_same_elsewhere(folder, tmp_path):
    original = Run.read(folder)
    expected = (
        original.summary(),
        original.calls,
        original.metrics,
        original.parameters,
        original.reportables,
    )
    log, patch, facts = original.log_text(), original.patch_text(), original.facts
    copy = tmp_path / "elsewhere" / "renamed"
    shutil.copytree(folder, copy)
    shutil.rmtree(tmp_path / "runs")
    run = Run.read(copy)
    assert (run.summary(), run.calls, run.metrics, run.parameters, run.reportables) == expected
    assert (run.log_text(), run.patch_text(), run.facts) == (log, patch, facts)
    assert (run.fragments_folder / "0" / "chart.svg").exists()


def test_a_run_that_has_only_begun_can_be_read(tmp_path):
    run = Run.read(RunStore(tmp_path).claim("iris", now=NOW).path)
    assert run.outcome is RunOutcome.RUNNING
    assert (run.records, run.calls, run.metrics, run.reportables, run.parameters) == ((), (), (), (), ())
    assert (run.environment, run.log_text(), run.patch_text(), run.finished_at) == ({}, "", "", None)


def test_reading_changes_no_file(folder):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    run = Run.read(folder)
    run.summary(), run.parameters, run.environment, run.log_text(), run.patch_text()
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_run_cannot_be_changed(folder):
    with pytest.raises(dataclasses.FrozenInstanceError):
        Run.read(folder).facts = {}


def test_a_torn_last_line_costs_only_that_call(folder):
    path = folder / "calls.jsonl"
    path.write_bytes(path.read_bytes()[:-10])
    assert [each.index for each in Run.read(folder).calls] == [1]


@pytest.mark.parametrize("name", ["calls.jsonl", "records.jsonl", "reportables.jsonl"])
def test_lines_of_another_shape_are_one_clear_error(folder, name):
    (folder / name).write_text('{"x": 1}\n')
    with pytest.raises(StoreError, match=name):
        getattr(Run.read(folder), name.partition(".")[0])


@pytest.mark.parametrize("entries", [[], [{"name": "Größe", "n": 1}, {"name": "\ud800", "n": float("nan")}]])
def test_a_list_of_many_has_a_line_for_each(folder, entries):
    write_document(folder, "parameters.json", entries)
    content = (folder / "parameters.json").read_text(encoding="utf-8")
    assert json.loads(content) == [{**each, "n": each["n"] if each["n"] == 1 else None} for each in entries]
    assert [line[0] for line in content.splitlines() if line] == ["[", *["{"] * len(entries), "]"]


@pytest.mark.parametrize("name", ["parameters.json", "environment.json"])
def test_damaged_documents_are_one_clear_error(folder, name):
    (folder / name).write_text("{torn")
    with pytest.raises(StoreError, match=name):
        getattr(Run.read(folder), name.partition(".")[0])


@pytest.mark.parametrize("content", ["", "{torn", "[]", '{"format": 99}', '{"format": "x"}'])
def test_a_damaged_or_newer_run_json_is_one_clear_error(folder, content):
    (folder / "run.json").write_text(content)
    with pytest.raises(StoreError, match=str(folder)):
        Run.read(folder)


def test_a_folder_of_something_else_is_one_clear_error(tmp_path):
    with pytest.raises(StoreError, match="not the folder of a run"):
        Run.read(tmp_path)


# Whether a run still goes on


@pytest.fixture
def running(tmp_path):
    return RunStore(tmp_path / "runs").claim("iris", now=NOW).path


def test_a_run_whose_process_was_killed_reads_as_interrupted(running):
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    merge_facts(running, {"pid": process.pid, "process": None})
    assert Run.read(running).outcome is RunOutcome.RUNNING
    process.kill()
    # Not yet waited for: its number is still there, but it is no more.
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert Run.read(running).outcome is (
        RunOutcome.INTERRUPTED if os.path.exists("/proc/self/stat") else RunOutcome.RUNNING
    )
    process.communicate()
    assert Run.read(running).outcome is RunOutcome.INTERRUPTED
    assert json.loads((running / "run.json").read_text())["outcome"] == "running"


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="only Linux tells when a process was born")
def test_another_process_with_the_same_number_does_not_keep_a_run_alive(running):
    merge_facts(running, {"process": "another-start"})
    assert Run.read(running).outcome is RunOutcome.INTERRUPTED


def test_of_a_run_on_another_machine_nobody_can_tell(running):
    merge_facts(running, {"host": "elsewhere", "pid": 2**22 + 1})
    assert Run.read(running).outcome is RunOutcome.RUNNING


@pytest.mark.parametrize("outcome", [each for each in RunOutcome if each is not RunOutcome.RUNNING])
def test_what_a_run_has_said_of_itself_stays(running, outcome):
    merge_facts(running, {"outcome": outcome.value, "pid": 2**22 + 1})
    assert Run.read(running).outcome is outcome


@pytest.mark.parametrize("pid", [None, 0, -1, "x", 2**40])
def test_a_number_that_no_process_can_have_is_not_alive(pid):
    assert not is_alive({**process_facts(), "pid": pid})


def test_a_process_of_somebody_else_is_alive():
    assert is_alive({**process_facts(), "pid": 1, "process": None})

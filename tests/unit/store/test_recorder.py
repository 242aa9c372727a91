"""A run's folder, written from real streams of events."""

import json
import os
import signal
import subprocess
import sys
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

import curifactory
from curifactory.core.events import (
    CallEnded,
    CallStarted,
    EventStream,
    InputFacts,
    MetricLogged,
    OutputFacts,
    RecordAdded,
    Reported,
    RunFinished,
    RunPlanned,
    RunStarted,
    Warned,
)
from curifactory.core.outcomes import CallOutcome, RunOutcome
from curifactory.core.reason import Reason, ReasonKind
from curifactory.core.trace import Artifact, Fragment, StoredFile
from curifactory.errors import StoreError
from curifactory.store.calls import encode_calls, read_call
from curifactory.store.index import Index
from curifactory.store.journal import read_journal
from curifactory.store.recorder import MOST_WARNINGS, Recorder
from curifactory.store.rows import encode_records, read_record
from curifactory.store.runs import RunStore

NOW = datetime(2026, 11, 21, 10, 15, 0, 123456, tzinfo=timezone(timedelta(hours=1)))


def call(index=0, outcome=CallOutcome.RAN, **changes):
    facts = {
        "name": "load",
        "stage": "experiments.iris.load",
        "record": 0,
        "record_name": "Record 0 (a)",
        "reason": Reason(ReasonKind.PARAMETER_CHANGED, {"name": "n", "old": "100", "new": "200"}),
        "key": "9f" * 32,
        "started_at": NOW,
        "duration_s": 0.1234567891,
        "line": "experiments/iris.py:88",
        "aggregate": False,
        "inputs": (InputFacts("raw", None, 0),),
        "outputs": (
            OutputFacts(
                "data",
                "pandas.DataFrame",
                "(150, 5)",
                Artifact(
                    "data",
                    "PickleCacher",
                    "c",
                    "blake3:aa",
                    (StoredFile("iris_data.pkl", "blake3:bb", 7),),
                    "iris",
                ),
            ),
            OutputFacts("big", "numpy.ndarray", "(3,)", None, "iris_3_2026-11-20-T101500", lazy=True),
        ),
    }
    return CallEnded(index=index, outcome=outcome, **{**facts, **changes})


@pytest.fixture
def folder(tmp_path):
    return RunStore(tmp_path / "runs").claim("iris", now=NOW).path


@pytest.fixture
def recorder(folder):
    recorder = Recorder(folder)
    yield recorder
    recorder.close()


def facts_of(folder):
    return json.loads((folder / "run.json").read_text())


def test_a_call_is_one_line_with_all_that_is_known_of_it(recorder, folder):
    recorder(call(3, fragments=2))
    (line,) = (folder / "calls.jsonl").read_text().splitlines()
    assert json.loads(line) == {
        "index": 3,
        "name": "load",
        "stage": "experiments.iris.load",
        "record": 0,
        "record_name": "Record 0 (a)",
        "outcome": "ran",
        "reason": {
            "kind": "parameter_changed",
            "name": "n",
            "old": "100",
            "new": "200",
            "text": "parameter n: 100 → 200",
        },
        "key": "9f" * 32,
        "started_at": "2026-11-21T10:15:00.123456+01:00",
        "duration_s": 0.123457,
        "line": "experiments/iris.py:88",
        "aggregate": False,
        "inputs": [{"name": "raw", "call": None, "record": 0}],
        "outputs": [
            {
                "name": "data",
                "type": "pandas.DataFrame",
                "summary": "(150, 5)",
                "run": None,
                "lazy": False,
                "artifact": {
                    "cacher": "PickleCacher",
                    "digest": "blake3:aa",
                    "files": [{"path": "iris_data.pkl", "digest": "blake3:bb", "size_bytes": 7}],
                },
            },
            {
                "name": "big",
                "type": "numpy.ndarray",
                "summary": "(3,)",
                "run": "iris_3_2026-11-20-T101500",
                "lazy": True,
                "artifact": None,
            },
        ],
        "fragments": 2,
        "error": None,
    }


@pytest.mark.parametrize("is_there", [False, True])
def test_a_line_of_a_call_says_the_same_whether_msgspec_is_there_or_not(is_there, monkeypatch):
    if not is_there:
        monkeypatch.delitem(sys.modules, "msgspec", raising=False)
    strange = call(1, record_name="Record 1 (caf\udce9)", duration_s=float("nan"), outputs=(), key=None)
    events = [call(0, peak_bytes=7, error="no"), strange, call(2, started_at=None, reason=None)]
    lines = encode_calls(events).splitlines()
    first, second, third = [json.loads(line) for line in lines]
    assert (first["peak_bytes"], first["error"], first["started_at"]) == (7, "no", NOW.isoformat())
    assert (second["record_name"], second["duration_s"], second["outputs"]) == (
        "Record 1 (caf\udce9)",
        None,
        [],
    )
    assert (third["started_at"], third["reason"], third.get("peak_bytes")) == (None, None, None)
    assert first["outputs"] == third["outputs"]
    assert read_call(first).outputs[0].artifact.files[0].path == "iris_data.pkl"


@pytest.mark.parametrize("text", ['"', "\\", "a\nb\t\x00\x1b", "Größe →", "\u2028", "caf\udce9", "{}%s"])
def test_whatever_stands_in_a_line_of_a_call_is_read_back_as_it_was(text):
    file = StoredFile(text, text, 7)
    output = OutputFacts(text, text, text, Artifact(text, text, "", text, (file, file), text), text, True)
    event = call(
        0, name=text, stage=text, record_name=text, key=text, line=text, error=text,
        inputs=(InputFacts(text, None, None), InputFacts("x", 1, 2)), outputs=(output, OutputFacts(text)),
        duration_s=12.5,
    )  # fmt: skip
    (line,) = encode_calls([event]).split(b"\n")[:-1]
    row = read_call(json.loads(line))
    assert {row.name, row.stage, row.record_name, row.key, row.line, row.error} == {text}
    assert [tuple(each) for each in row.inputs] == [(text, None, None), ("x", 1, 2)]
    first, second = row.outputs
    assert (first.name, first.type, first.summary, first.run, first.lazy) == (text, text, text, text, True)
    assert first.artifact == (text, text, ((text, text, 7), (text, text, 7)))
    assert (second.name, second.run, second.lazy, second.artifact) == (text, None, False, None)
    assert row.duration_s == 12.5


@pytest.mark.parametrize(
    "text", ["a", 'say "no"\\', "two\nlines\t\x00\x7f", "Größe \u2028 \U0001f33a", "half \ud800", ""]
)
def test_a_record_of_any_name_comes_back_as_it_was(text):
    events = [RecordAdded(0, text, None, text), RecordAdded(12, text, text, "9f", copied_from=0)]
    lines = encode_records(events).split(b"\n")
    assert [tuple(read_record(json.loads(line))) for line in lines[:-1]] == [tuple(each) for each in events]
    assert lines[-1] == b""


def test_what_was_reported_is_written_as_it_was_when_it_was_reported(recorder, folder):
    values = {"x": 1}
    recorder(Reported(0, 3, "score", "3", Fragment("first", "json", {})))
    recorder(Reported(0, 3, "score", "3", Fragment("second", "json", values)))
    values["x"] = 2
    recorder.flush()
    assert [row["data"] for row in read_journal(folder / "reportables.jsonl")] == [{}, {"x": 1}]


def test_lines_of_calls_records_and_reportables_are_there_when_the_event_returns(recorder, folder):
    recorder(RecordAdded(1, "Record 1 (b)", "b", "9f", copied_from=0))
    recorder(
        Reported(
            0, 3, "score", "3", Fragment("chart", "figure", {"x": float("nan")}, ("chart.svg",), "g", "c")
        )
    )
    recorder(call())
    assert read_journal(folder / "records.jsonl") == [
        {"index": 1, "name": "Record 1 (b)", "params_name": "b", "params_hash": "9f", "copied_from": 0}
    ]
    assert read_journal(folder / "reportables.jsonl") == [
        {
            "record": 0,
            "call": 3,
            "stage": "score",
            "folder": "3",
            "name": "chart",
            "kind": "figure",
            "group": "g",
            "caption": "c",
            "files": ["chart.svg"],
            "data": {"x": None},
        }
    ]
    assert len(read_journal(folder / "calls.jsonl")) == 1


def test_the_end_of_a_run_is_written_with_its_counts(recorder, folder):
    recorder(RunStarted("iris_1", NOW))
    for index, outcome in enumerate(
        [CallOutcome.RAN, CallOutcome.REUSED, CallOutcome.RAN, CallOutcome.FAILED]
    ):
        recorder(call(index, outcome))
    recorder(RunFinished(RunOutcome.FAILED, NOW + timedelta(seconds=2.5), "ValueError: no", "Traceback…"))
    facts = facts_of(folder)
    assert (facts["outcome"], facts["duration_s"]) == ("failed", 2.5)
    assert facts["finished_at"] == "2026-11-21T10:15:02.623456+01:00"
    assert facts["counts"] == {"ran": 2, "reused": 1, "failed": 1}
    assert (facts["error"], facts["traceback"]) == ("ValueError: no", "Traceback…")
    assert facts["experiment"] == "iris"


def test_the_duration_is_known_although_nobody_told_of_the_start(recorder, folder):
    recorder(RunFinished(RunOutcome.COMPLETE, NOW + timedelta(seconds=4)))
    assert facts_of(folder)["duration_s"] == 4


def test_facts_are_merged_and_others_stay(recorder, folder):
    recorder.write_facts(notes="x", git={"commit": "1"})
    recorder.write_facts(git=None, größe=Path("/a"))
    facts = facts_of(folder)
    assert (facts["notes"], facts["git"], facts["größe"], facts["number"]) == ("x", None, "/a", 1)
    assert "größe" in (folder / "run.json").read_text(encoding="utf-8")


def test_readers_see_whole_facts_only(recorder, folder):
    stop = threading.Event()
    seen = []

    def read():
        while not stop.is_set():
            seen.append(len(facts_of(folder).get("notes") or ""))

    reader = threading.Thread(target=read)
    reader.start()
    for size in range(0, 200_000, 4000):
        recorder.write_facts(notes="n" * size)
    stop.set()
    reader.join()
    assert seen == sorted(seen)
    assert [name for name in os.listdir(folder) if name.startswith(".")] == []


def test_facts_of_many_threads_and_processes_are_all_kept(recorder, folder):
    code = (
        "import sys\nfrom pathlib import Path\nfrom curifactory.store.facts import merge_facts\n"
        "for n in range(20):\n    merge_facts(Path(sys.argv[1]), {f'{sys.argv[2]}{n}': n})\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(curifactory.__file__).parents[1])}
    others = [
        subprocess.Popen([sys.executable, "-c", code, str(folder), name], env=environment) for name in "ab"
    ]
    for number in range(20):
        recorder.write_facts(**{f"c{number}": number})
    assert [other.wait(timeout=60) for other in others] == [0, 0]
    facts = facts_of(folder)
    assert all(facts[f"{name}{number}"] == number for name in "abc" for number in range(20))


def test_warnings_are_kept_up_to_a_hundred_and_counted_beyond(recorder, folder):
    for number in range(MOST_WARNINGS + 7):
        recorder(Warned(f"warning {number}", NOW))
    assert facts_of(folder)["warnings"][0] == {"text": "warning 0", "at": NOW.isoformat()}
    recorder(RunFinished(RunOutcome.COMPLETE, NOW))
    facts = facts_of(folder)
    assert (len(facts["warnings"]), facts["warnings_left_out"]) == (MOST_WARNINGS, 7)
    assert (folder / "log.txt").read_text().count("warning: warning ") == MOST_WARNINGS + 7


def test_a_folder_that_was_moved_away_is_one_clear_error(recorder, folder):
    recorder(call())
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(StoreError, match=str(folder)):
        recorder(RunFinished(RunOutcome.COMPLETE, NOW))


def test_events_of_other_kinds_are_passed_over(recorder, folder):
    recorder("what?")
    assert os.listdir(folder) == ["run.json"]


def test_a_run_that_is_recorded_again_after_its_end_goes_on_in_the_same_files(recorder, folder):
    recorder(call(0))
    recorder(RunFinished(RunOutcome.COMPLETE, NOW))
    recorder(call(1))
    recorder(RunFinished(RunOutcome.COMPLETE, NOW))
    assert [row["index"] for row in read_journal(folder / "calls.jsonl")] == [0, 1]


def test_the_index_learns_of_the_start_and_the_end(tmp_path):
    with Index(tmp_path / "index.db") as index:
        run = RunStore(tmp_path / "runs", index).claim("vision/iris", now=NOW)
        recorder = Recorder(run.path, index=index)
        query = "SELECT reference, outcome FROM runs"
        recorder(RunStarted(run.reference, NOW))
        assert index.query(query) == [(run.reference, "running")]
        recorder(RunFinished(RunOutcome.COMPLETE, NOW))
        assert index.query(query) == [(run.reference, "complete")]


# What a kill leaves


def test_a_kill_loses_no_call_and_at_most_the_last_moment_of_metrics(folder):
    code = (
        "import os, signal, sys, time\nfrom datetime import datetime\nfrom pathlib import Path\n"
        "from curifactory.core.events import CallStarted, MetricLogged, RecordAdded\n"
        "from curifactory.store.recorder import Recorder\n"
        "recorder = Recorder(Path(sys.argv[1]))\nnow = datetime.now().astimezone()\n"
        "for step in range(50):\n    recorder(MetricLogged(0, 3, 'train', {'loss': 0.5}, step, None, now))\n"
        "recorder(CallStarted(3, 'train', 0, 'Record 0 (a)', now))\n"
        "time.sleep(1.0)\n"
        "recorder(RecordAdded(0, 'Record 0 (a)', 'a', '9f'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(curifactory.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code, str(folder)], env=environment, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    (line,) = read_journal(folder / "metrics.jsonl")
    assert line["steps"] == list(range(50))
    assert len(read_journal(folder / "records.jsonl")) == 1
    assert "call 3: train started" in (folder / "log.txt").read_text()


def test_a_session_that_ends_without_a_word_has_written_everything(folder):
    code = (
        "import sys\nfrom datetime import datetime\nfrom pathlib import Path\n"
        "from curifactory.core.events import MetricLogged\nfrom curifactory.store.recorder import Recorder\n"
        "recorder = Recorder(Path(sys.argv[1]))\n"
        "recorder(MetricLogged(0, 3, 'train', {'loss': 0.5}, 1, None, datetime.now().astimezone()))\n"
        "import os\nif os.fork() == 0:\n    sys.exit()\nos.wait()\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(curifactory.__file__).parents[1])}
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(folder)], env=environment, timeout=60, check=True
    )
    assert len(read_journal(folder / "metrics.jsonl")) == 1


def test_no_thread_is_left_when_a_run_is_over(recorder, folder):
    before = set(threading.enumerate())
    recorder(MetricLogged(0, 3, "train", {"loss": 0.5}, 1, None, NOW))
    assert set(threading.enumerate()) > before
    recorder(RunFinished(RunOutcome.COMPLETE, NOW))
    assert set(threading.enumerate()) == before


# The log


def test_every_event_is_a_line_with_time_and_level(recorder, folder):
    events = EventStream()
    events.subscribe(recorder)
    events.emit(RunStarted("iris_1", NOW))
    events.emit(RecordAdded(0, "Record 0 (a)", "a", "9f"))
    events.emit(RunPlanned(2, 1))
    events.emit(CallStarted(0, "load", 0, "Record 0 (a)", NOW))
    events.emit(call())
    events.emit(Reported(0, 0, "load", "0", Fragment("chart", "figure")))
    events.emit(MetricLogged(0, 0, "val", {"acc": 0.5}, None, None, NOW))
    events.emit(Warned("be careful", NOW))
    events.emit(call(1, CallOutcome.FAILED, error="Traceback:\n  no\n"))
    events.emit(RunFinished(RunOutcome.FAILED, NOW, "no", "frames"))
    lines = (folder / "log.txt").read_text().splitlines()
    told = [line for line in lines if not line.startswith("    | ")]
    for line in told:
        assert datetime.fromisoformat(line.split(" ")[0]).tzinfo is not None
    assert [line if line.startswith(" ") else line[30:] for line in lines] == [
        "INFO     run: iris_1 started",
        "INFO     record: Record 0 (a) added, parameters 9f",
        "INFO     planned: 2 calls, 1 of them may have to run",
        "INFO     call 0: load started, Record 0 (a)",
        "INFO     call 0: load ran after 0.123 s, Record 0 (a): parameter n: 100 → 200",
        "INFO     report: figure 'chart' by call 0: load",
        "WARNING  warning: be careful",
        "ERROR    call 1: load failed after 0.123 s, Record 0 (a): parameter n: 100 → 200",
        "    | Traceback:",
        "    |   no",
        "ERROR    run: failed, no",
        "    | frames",
        "DEBUG    metrics: 1 of acc (val), record 0, call 0",
    ]


def test_no_text_can_pass_for_a_line_of_its_own(recorder, folder):
    recorder(Warned("one\n2026-11-21T10:15:00.123+01:00 INFO     run: complete\r\x1b[31m", NOW))
    lines = (folder / "log.txt").read_text().splitlines()
    assert len(lines) == 2
    assert lines[1] == "    | 2026-11-21T10:15:00.123+01:00 INFO     run: complete\\r\\x1b[31m"


def test_a_log_that_cannot_be_written_stops_no_run(recorder, folder):
    (folder / "log.txt").mkdir()
    recorder(Warned("be careful", NOW))
    recorder(call())
    assert len(read_journal(folder / "calls.jsonl")) == 1


def test_no_secret_of_an_error_a_warning_or_a_fact_is_kept(recorder, folder):
    address, repr_ = "https://ann:hunter2@example.org", "Client(api_key='hunter2')"
    recorder.write_facts(notes=f"see {address}", settings={"token": "hunter2"})
    recorder(Warned(f"{address} is slow", NOW))
    recorder(call(outcome=CallOutcome.FAILED, error=f"ValueError: {repr_} at {address}"))
    recorder(RunFinished(RunOutcome.FAILED, NOW, f"ValueError: {address}", f"  connect({repr_})"))
    kept = [path.read_text() for path in folder.rglob("*") if path.is_file()]
    assert len(kept) >= 3
    assert not any("hunter2" in text for text in kept)
    assert "https://********@example.org is slow" in (folder / "log.txt").read_text()

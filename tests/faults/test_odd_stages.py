"""What stages may do to the process that executes them, and what a person is told of it then."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import pytest

from curifactory.store.run import Run
from tests.conftest import load_file

two_stages = load_file("two_stages.py").two_stages

HANDS = [(), ("-j", "2"), ("--executor", "dask", "-j", "2")]
IDS = ["here", "processes", "dask"]
SECOND = "record.params.n == 1"

MUTE = f"""
    class MuteError(Exception):
        def __str__(self): raise RuntimeError('no words')
        __repr__ = __str__
    if {SECOND}: raise MuteError()"""
HEAVY = f"""
    class HeavyError(ValueError):
        def __init__(self, a, b): super().__init__('too heavy'); self.lock = __import__('threading').Lock()
    if {SECOND}: raise HeavyError(1, 2)"""
GROUP = f"if {SECOND}: raise ExceptionGroup('many', [ValueError('first'), KeyError('second')])"
ENDLESS = f"""
    def again(n): return again(n + 1) + 1
    if {SECOND}: again(0)"""
BASE = f"if {SECOND}: raise BaseException('odd')"
CAUSED = f"""
    def read(): raise KeyError('rows')
    if {SECOND}:
        try: read()
        except KeyError as error: raise ValueError('no rows') from error"""


def run_case(hurt: Any, body: str, *words: str) -> Any:
    """Let four calls of a stage do something, and those of a second one read what came of it."""
    if "dask" in words:
        pytest.importorskip("distributed", reason="distributed is not installed")
    hurt.project.write("experiments/case.py", two_stages(body))
    return hurt.run(*words, check=False)


def last_run(hurt: Any) -> tuple[dict[str, Any], dict[int, dict[str, Any]]]:
    """Return what the only run says of itself and of its calls."""
    (folder,) = (hurt.project.root / "data" / "runs").glob("case_1_*")
    calls = map(json.loads, (folder / "calls.jsonl").read_text().splitlines())
    return json.loads((folder / "run.json").read_text()), {call["index"]: call for call in calls}


@pytest.mark.parametrize("words", HANDS, ids=IDS)
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (MUTE, "raised MuteError: its text cannot be shown, since __str__ raised RuntimeError (called at "),
        (HEAVY, "raised HeavyError: too heavy (called at experiments/case.py:"),
        (GROUP, "raised ExceptionGroup: many (2 sub-exceptions) (called at experiments/case.py:"),
        (ENDLESS, "raised RecursionError: maximum recursion depth exceeded"),
    ],
    ids=["mute", "heavy", "group", "endless"],
)
def test_whatever_a_stage_raises_the_run_ends_in_order(
    hurt: Any, words: tuple[str, ...], body: str, said: str
) -> None:
    done = run_case(hurt, body, *words)
    assert done.returncode == 1, done.stdout
    assert f"Stage 'work' of Record 1 (p1) {said}" in done.stdout
    assert "Traceback" not in done.stdout
    assert len(done.stdout.splitlines()) < 80
    facts, calls = last_run(hurt)
    assert facts["outcome"] == "failed"
    assert calls[2]["outcome"] == "failed"
    assert (hurt.project.root / "reports" / facts["reference"] / "index.html").exists()


@pytest.mark.parametrize("words", HANDS[:2], ids=IDS[:2])
def test_of_a_group_each_exception_is_told_and_of_a_chain_each_cause(
    hurt: Any, words: tuple[str, ...]
) -> None:
    lines = run_case(hurt, GROUP, *words).stdout.splitlines()
    place = lines.index("ExceptionGroup: many (2 sub-exceptions)")
    assert lines[place + 1 : place + 3] == ["  ValueError: first", "  KeyError: 'second'"]
    lines = run_case(hurt, CAUSED, *words).stdout.splitlines()
    assert lines[lines.index("ValueError: no rows") + 1].startswith(
        "caused by KeyError: 'rows' (in read at experiments/case.py:"
    )


@pytest.mark.parametrize("words", HANDS[:2], ids=IDS[:2])
def test_what_is_no_ordinary_exception_fails_its_call_and_names_it(hurt: Any, words: tuple[str, ...]) -> None:
    done = run_case(hurt, BASE, *words)
    assert done.returncode == 1, done.stdout
    assert "in stage 'work' of Record 1 (p1), called at experiments/case.py:" in done.stdout
    facts, calls = last_run(hurt)
    assert (facts["outcome"], calls[2]["outcome"]) == ("failed", "failed")


@pytest.mark.parametrize("words", [("-j", "2"), ("-j", "2", "--keep-going")], ids=["stop", "keep going"])
def test_a_dead_worker_is_told_once(hurt: Any, words: tuple[str, ...]) -> None:
    done = run_case(hurt, f"if {SECOND}: os._exit(7)", *words)
    told = [line for line in done.stdout.splitlines() if "died: it exited with 7" in line]
    assert len(told) == 1, done.stdout


@pytest.mark.parametrize("words", HANDS[:2], ids=IDS[:2])
@pytest.mark.parametrize("way", ["return 5", "raise ValueError('child')", "sys.exit(3)"])
def test_a_forked_child_that_comes_back_from_its_stage_does_not_go_on_with_the_run(
    hurt: Any, words: tuple[str, ...], way: str
) -> None:
    body = f"""
    if {SECOND}:
        child = os.fork()
        if child == 0:
            {way}
        print("child ended with", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"""
    done = run_case(hurt, body, *words)
    assert done.returncode == 0, done.stdout
    code = {"return 5": 0, "raise ValueError('child')": 1, "sys.exit(3)": 3}[way]
    assert f"child ended with {code}\n" in done.stdout
    assert ("ValueError: child" in done.stdout) == (code == 1)
    assert done.stdout.count("complete after") == 1
    assert [line.split()[0] for line in done.stdout.splitlines()].count("ran") == 8
    assert {call["outcome"] for call in last_run(hurt)[1].values()} == {"ran"}


@pytest.mark.parametrize("words", HANDS[:2], ids=IDS[:2])
def test_a_forked_child_is_ended_by_a_signal_as_any_other_process(hurt: Any, words: tuple[str, ...]) -> None:
    # As a pool ends its own: what takes the signal for an interruption keeps the locks that it shares with the others.
    body = """
    child = os.fork()
    if child == 0:
        time.sleep(60)
    os.kill(child, signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM"""
    done = run_case(hurt, body, *words)
    assert done.returncode == 0, done.stdout
    assert "KeyboardInterrupt" not in done.stdout


@pytest.mark.parametrize("words", HANDS[:2], ids=IDS[:2])
def test_a_stage_may_remove_the_folder_in_which_it_works(hurt: Any, words: tuple[str, ...]) -> None:
    body = "with __import__('tempfile').TemporaryDirectory() as folder: os.chdir(folder)"
    done = run_case(hurt, body, *words)
    assert done.returncode == 0, done.stdout
    assert {call["outcome"] for call in last_run(hurt)[1].values()} == {"ran"}


# What is kept between calls, and what is to be put in order at the end of the process that has made it.
KEPT = """
    from multiprocessing import shared_memory
    from tempfile import TemporaryDirectory
    memory = shared_memory.SharedMemory(create=True, size=100)
    memory.close()
    sys.kept = [*getattr(sys, "kept", []), TemporaryDirectory(dir=os.environ["COUNTED"], prefix="pid-folder-")]
    with open(os.path.join(os.environ["COUNTED"], f"memory-{memory.name}"), "w"): pass
    begun(record)"""


@pytest.mark.parametrize("way", ["finished", "worker killed", "command killed"])
def test_nothing_is_left_of_the_shared_memory_of_a_worker(hurt: Any, way: str) -> None:
    waits = "0.2" if way == "finished" else "60"
    hurt.project.write("experiments/case.py", two_stages(f"{KEPT}; time.sleep({waits})"))
    process = hurt.start("-j", "2")
    if way != "finished":
        hurt.wait_for(lambda: hurt.executions()["pid"] >= 4)
        workers = [path for path in hurt.counted.glob("pid-*") if "folder" not in path.name]
        os.kill(process.pid if "command" in way else int(workers[0].name.split("-")[1]), signal.SIGKILL)
        hurt.wait_for(lambda: not os.path.exists(f"/proc/{workers[0].name.split('-')[1]}"))
        if way == "worker killed":
            process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    names = [path.name.partition("-")[2] for path in hurt.counted.glob("memory-*")]
    assert names, output
    hurt.wait_for(lambda: not any(os.path.exists(f"/dev/shm/{name}") for name in names), seconds=5)
    if way == "finished":
        assert process.returncode == 0, output
        assert not list(hurt.counted.glob("pid-folder-*"))


ODD_STREAM = """
    class Stream:
        def write(self, text): raise OSError("no")
        flush = write
    sys.stdout = Stream()"""


def test_a_stage_that_puts_a_faulty_stream_in_the_place_of_standard_output_ends_no_run(hurt: Any) -> None:
    done = run_case(hurt, ODD_STREAM)
    assert done.returncode == 0, done.stdout
    assert "Traceback" not in done.stdout
    assert last_run(hurt)[0]["outcome"] == "complete"


@pytest.mark.parametrize("words", HANDS[:2], ids=IDS[:2])
@pytest.mark.parametrize(
    "way",
    [
        "[os.close(each) for each in (0, 1, 2)]",
        "sys.stdout.close(), sys.stderr.close()",
        "setattr(sys, 'stdout', None)",
    ],
)
def test_a_stage_that_closes_standard_output_ends_no_run(hurt: Any, words: tuple[str, ...], way: str) -> None:
    done = run_case(hurt, f"if {SECOND}: {way}", *words)
    assert done.returncode == 0, done.stdout
    facts, calls = last_run(hurt)
    assert facts["outcome"] == "complete"
    assert {call["outcome"] for call in calls.values()} == {"ran"}


@pytest.mark.parametrize("words", HANDS[:2], ids=IDS[:2])
@pytest.mark.parametrize("keep_going", [False, True])
def test_a_call_whose_trace_cannot_be_written_has_failed(
    hurt: Any, words: tuple[str, ...], keep_going: bool
) -> None:
    body = f"""
    if {SECOND}:
        __import__('shutil').rmtree('data/manifests', ignore_errors=True)
        open('data/manifests', 'w').close()
    else: time.sleep(0.3)"""
    done = run_case(hurt, body, *words, *(["--keep-going"] if keep_going else []))
    assert done.returncode == (3 if keep_going else 1), done.stdout
    assert "data/manifests" in done.stdout
    assert "Traceback" not in done.stdout
    facts, calls = last_run(hurt)
    assert facts["outcome"] == ("partly failed" if keep_going else "failed")
    assert calls[2]["outcome"] == "failed"
    assert "not reached" not in [calls[index]["outcome"] for index in (2, 4)] or not keep_going


TOLD = """
    from curifactory.reporting import TextReporter
    flag = os.path.join(os.environ["COUNTED"], f"tried_{record.params.n}")
    is_first = not os.path.exists(flag)
    open(flag, "w").close()
    record.report(TextReporter(f"first: {is_first}", name="told"))
    record.log({"loss": 1.0 if is_first else 2.0}, step=0)
    if is_first: record.log({"lost": 1.0})
    assert not is_first"""
LATE = """
    from curifactory.reporting import TextReporter
    record.report(TextReporter("once", name="told"))
    record.log({"loss": 2.0}, step=0)
    getattr(record, "st" + "ate")["x"]"""


def check_told_once(hurt: Any, stage: str) -> None:
    """Look at what a run has kept of four calls that have each told one thing and one number."""
    (folder,) = (hurt.project.root / "data" / "runs").glob("case_1_*")
    run = Run.read(folder)
    assert [
        (each.call, each.name, each.values) for each in sorted(run.metrics, key=lambda each: each.call or 0)
    ] == [(call.index, "loss", [2.0]) for call in run.calls if call.name == stage]
    assert sorted(each.call or 0 for each in run.reportables) == [
        call.index for call in run.calls if call.name == stage
    ]
    listed = json.loads(hurt.project.experiment("runs", "--json").stdout)
    assert "lost" not in json.dumps(listed)


@pytest.mark.parametrize("words", HANDS[:2], ids=IDS[:2])
def test_what_a_try_has_told_that_came_to_nothing_does_not_count(hurt: Any, words: tuple[str, ...]) -> None:
    done = run_case(hurt, TOLD, "--retries", "1", *words)
    assert done.returncode == 0, done.stdout
    assert "lost" not in done.stdout
    check_told_once(hurt, "work")
    assert "first: True" not in next((hurt.project.root / "reports").glob("case_1_*/index.html")).read_text()


def test_a_call_that_asks_for_something_late_tells_what_it_tells_once(hurt: Any) -> None:
    text = two_stages("pass").replace("    return x + 1", "    return 1")
    hurt.project.write(
        "experiments/case.py",
        text.replace('@cf.stage(["x"], ["y"]', '@cf.stage(None, ["y"]').replace(
            "def after(record, x):", f"def after(record):{LATE}"
        ),
    )
    done = hurt.run("-j", "2", check=False)
    assert done.returncode == 0, done.stdout
    check_told_once(hurt, "after")

"""The end of a process: of a command quick, and still a person's end as ever; of a child no end of its parent's session."""

from __future__ import annotations

import json
import os
import sys

import pytest

CASE = '''\
import curifactory as cf
from curifactory.caching import JsonCacher


class Diary:
    """Refers to itself, as objects of big libraries do, and leaves its file open."""

    def __init__(self, path):
        self.file = open(path, "w")
        self.itself = self

    def __del__(self):
        self.file.write(" and closed")


of_the_module = Diary("module.txt")
of_the_module.file.write("begun")
kept = []


def get_params():
    return [cf.ExperimentParameters(name="only")]


@cf.stage(outputs=["n"], cachers=[JsonCacher])
def count(record):
    kept.append(Diary("stage.txt"))
    kept[0].file.write("begun")
    return 1


def run(param_sets, manager):
    for params in param_sets:
        count(cf.Record(manager, params))
'''


@pytest.mark.parametrize("words", [("case",), ("case", "--no-report"), ("case", "--dry")])
def test_what_a_person_has_left_open_is_closed(project, words):
    project.write("experiments/case.py", CASE)
    project.experiment(*words)
    for name in ("module.txt", "stage.txt"):
        assert (project.root / name).read_text(encoding="utf-8") == "begun and closed"


@pytest.mark.parametrize("flag", ["--map", "--print-params"])
def test_so_it_is_after_a_question(project, flag):
    project.write("experiments/case.py", CASE)
    project.experiment("case", flag)
    assert (project.root / "module.txt").read_text(encoding="utf-8") == "begun and closed"


FORKING = """\
import os, sys
import curifactory as cf

@cf.stage(outputs=["n"], cachers=[cf.caching.JsonCacher])
def count(record):
    return 1

manager = cf.ArtifactManager("case")
child = os.fork()
if child == 0:
    count(cf.Record(manager, cf.ExperimentParameters(name="only")))
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
facts, = (each for each in os.scandir("data/runs") if each.name.startswith("case_1_"))
with open(facts.path + "/run.json") as file:
    print(file.read())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_a_forked_child_does_not_end_the_session_of_its_parent(project):
    project.write("session.py", FORKING)
    while_it_runs = json.loads(project.run(sys.executable, "session.py").stdout)
    (afterwards,) = (project.root / "data" / "runs").glob("case_1_*/run.json")
    assert while_it_runs.get("finished_at") is None
    assert json.loads(afterwards.read_text(encoding="utf-8"))["finished_at"]


FRAMELESS = """\
import _thread, atexit, sys, threading
import curifactory as cf

@cf.stage(outputs=["n"])
def count(record):
    print(record.params.name)
    done.release()

done = threading.Semaphore(0)
manager = cf.ArtifactManager("case")
first, last = (cf.Record(manager, cf.ExperimentParameters(name=name)) for name in ("in a thread", "at the exit"))
# No line of Python stands above either of them.
_thread.start_new_thread(count, (first,))
assert done.acquire(timeout=20)
atexit.register(count, last)
"""


def test_a_stage_that_the_interpreter_itself_calls_is_executed(project):
    project.write("frameless.py", FRAMELESS)
    ended = project.run(sys.executable, "frameless.py")
    assert ended.stdout.split("\n")[:2] == ["in a thread", "at the exit"]
    assert "Traceback" not in ended.stderr


STAGES = """\
import curifactory as cf

@cf.stage(outputs=["x"])
def make(record):
    return 1

@cf.aggregate(["y"], ["z"])
def gather(record, records, y):
    return len(y)
"""
SCRIPT = (
    STAGES
    + """\
import sys

manager = cf.ArtifactManager("script", quiet="quiet" in sys.argv)
record = make(cf.Record(manager, cf.ExperimentParameters(name="a")))
gather(cf.Record(manager, None))
record.log({"loss": 0.5})
if "raise" in sys.argv:
    raise ValueError("no data left")
if "interrupt" in sys.argv:
    raise KeyboardInterrupt
if "caught" in sys.argv:
    try:
        raise ValueError("seen")
    except ValueError as error:
        sys.last_value = error
"""
)


def last_run(project):
    (path,) = project.root.glob("data/runs/*/run.json")
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("word", "outcome", "error"),
    [
        ("", "live", None),
        ("raise", "failed", "ValueError: no data left"),
        ("interrupt", "interrupted", None),
    ],
)
def test_a_script_that_an_exception_has_ended_is_no_session_that_is_still_live(project, word, outcome, error):
    project.write("script.py", SCRIPT)
    project.run(sys.executable, "script.py", *filter(None, [word]), check=not word)
    run = last_run(project)
    assert run["outcome"] == outcome
    assert run.get("error") == error
    if error:
        assert 'script.py", line 17, in <module>' in run["traceback"]
        assert "no data left" in project.experiment("show").stdout


def test_an_exception_that_a_tool_has_caught_and_kept_has_ended_no_script(project):
    project.write("script.py", SCRIPT)
    project.write("tool.py", "import sys\nsys.argv.append('caught')\nimport script\n")
    assert project.run(sys.executable, "tool.py").returncode == 0
    assert last_run(project)["outcome"] == "live"


def test_a_script_is_told_of_warnings_unless_it_is_quiet(project):
    project.write("script.py", SCRIPT)
    told = "warning Aggregate 'gather': Record 0 (a) has no 'y'.\n"
    assert project.run(sys.executable, "script.py").stderr == told
    assert project.run(sys.executable, "script.py", "quiet").stderr == ""


EXPERIMENT = (
    STAGES
    + """
def get_params():
    return [cf.ExperimentParameters(name="a")]

def run(param_sets, manager):
    make(cf.Record(manager, param_sets[0]))
    gather(cf.Record(manager, None))
"""
)


def test_a_script_that_runs_an_experiment_is_told_of_what_the_command_tells(project):
    project.write("experiments/warned.py", EXPERIMENT)
    project.write(
        "script.py",
        "import sys, curifactory as cf\ncf.run_experiment('warned', report=False, quiet='quiet' in sys.argv)",
    )
    told = "warning Aggregate 'gather': Record 0 (a) has no 'y'.\n"
    assert project.experiment("warned").stderr == told
    done = project.run(sys.executable, "script.py")
    assert (done.stderr, done.stdout) == (told, "")
    assert project.run(sys.executable, "script.py", "quiet").stderr == ""


BLOCK = """
import sys
import curifactory as cf

try:
    with cf.ArtifactManager("script") as manager:
        cf.Record(manager, None).log({"loss": 0.5})
        if "raise" in sys.argv:
            raise ValueError("no data left")
except ValueError:
    pass
with cf.ArtifactManager("other"):
    pass
print(manager.outcome.value, cf.load_run("script/-1").metrics["value"].tolist())
"""


@pytest.mark.parametrize(("word", "outcome"), [("", "live"), ("raise", "failed")])
def test_a_block_that_a_manager_is_for_ends_its_run(project, word, outcome):
    project.write("script.py", BLOCK)
    done = project.run(sys.executable, "script.py", *filter(None, [word]))
    assert done.stdout == f"{outcome} [0.5]\n"
    (found,) = project.root.glob("data/runs/script_*/run.json")
    facts = json.loads(found.read_text(encoding="utf-8"))
    assert (facts["outcome"], facts.get("error")) == (outcome, "ValueError: no data left" if word else None)
    assert facts["finished_at"]


AFTER = """
import curifactory as cf
from curifactory.reporting import HTMLReporter

@cf.stage(outputs=["x"])
def make(record):
    return 1

with cf.ArtifactManager("script") as manager:
    record = make(cf.Record(manager, None))
for late in (
    lambda: record.log({"loss": 0.5}),
    lambda: record.report(HTMLReporter("late")),
    lambda: make(cf.Record(manager, None)),
):
    try:
        late()
    except cf.CurifactoryError as error:
        print(error)
print(record.state["x"], manager.generate_report().name)
"""


def test_what_comes_after_the_end_of_a_session_is_refused_and_not_lost(project):
    project.write("script.py", AFTER)
    *said, shown = project.run(sys.executable, "script.py").stdout.splitlines()
    assert len(said) == 3
    for line, what in zip(said, ("logged", "reported", "called"), strict=True):
        assert " is over; " in line
        assert f"{what} any more. Make another ArtifactManager" in line
    assert shown == "1 index.html"

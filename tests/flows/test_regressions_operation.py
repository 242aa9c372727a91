"""Cases in which earlier systems kept false records of a run (P) or worked badly (O), one test each."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from datetime import datetime
from importlib.metadata import distributions
from pathlib import Path

import pytest

import curifactory as cf

COUNTING = """
from dataclasses import dataclass, field
import curifactory as cf
from curifactory.caching import JsonCacher

@dataclass
class Size:
    width: int = 1

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 1
    size: Size = field(default_factory=Size)
    pair: tuple = (1, 2)

def get_params():
    return [Params(name="a", n=1), Params(name="b", n=2, size=Size(5))]

@cf.stage(outputs=["x"], cachers=[JsonCacher])
def begin(record):
    return record.params.n

def run(param_sets, manager):
    for p in param_sets:
        begin(cf.Record(manager, p))
"""


def read_run(project, name: str = "run.json"):
    (folder,) = sorted((project.root / "data/runs").glob("case_*"))[-1:]
    return json.loads((folder / name).read_text(encoding="utf-8"))


def commit(project) -> str:
    project.git("init", "--quiet")
    project.write(".gitignore", "data/\nreports/\n__pycache__/\n")
    project.git("add", ".")
    project.git("commit", "--quiet", "-m", "begin")
    return project.git("rev-parse", "HEAD").stdout.strip()


@pytest.fixture
def counting(project):
    project.write("experiments/case.py", COUNTING)
    return project


def test_p1_the_whole_commit_is_kept(counting) -> None:
    whole = commit(counting)
    counting.experiment("case", "--no-report")
    git = read_run(counting)["git"]
    assert git["commit"] == whole
    assert len(whole) == 40
    assert git["dirty"] is False


def test_p2_versions_of_packages_are_kept_whole(counting) -> None:
    counting.experiment("case", "--no-report")
    kept = read_run(counting, "environment.json")
    installed = {each.metadata["Name"].lower(): each.version for each in distributions()}
    assert kept["packages"]
    for name, version in kept["packages"].items():
        assert installed[name.lower()] == version
    assert kept["python"] == ".".join(map(str, sys.version_info[:3]))


@pytest.mark.parametrize("state", ["staged", "changed", "untracked"])
def test_p3_what_is_not_committed_is_kept(counting, state: str) -> None:
    commit(counting)
    if state == "untracked":
        counting.write("notes.py", "x = 1\n")
    else:
        counting.write("experiments/case.py", COUNTING.replace("n=2", "n=3"))
    if state == "staged":
        counting.git("add", ".")
    counting.experiment("case", "--no-report")
    assert read_run(counting)["git"]["dirty"] is True
    (folder,) = (counting.root / "data/runs").glob("case_*")
    if state == "untracked":
        assert (folder / "untracked/notes.py").read_text() == "x = 1\n"
    else:
        assert "n=3" in (folder / "patch.diff").read_text()


def test_p3_the_repository_is_found_above_the_project(counting, tmp_path: Path) -> None:
    commit(type(counting)(tmp_path))
    counting.experiment("case", "--no-report")
    assert Path(read_run(counting)["git"]["root"]).samefile(tmp_path)


def test_p5_paths_in_manifests_are_relative_and_go_where_the_files_go(counting, tmp_path: Path) -> None:
    counting.write(
        "experiments/case.py",
        COUNTING.replace("import JsonCacher", "import FileReferenceCacher")
        .replace("[JsonCacher]", "[FileReferenceCacher]")
        .replace(
            "    return record.params.n\n",
            "    path = record.get_path('rows.txt')\n    open(path, 'w').write(str(record.params.n))\n    return [path]\n",
        ),
    )
    counting.experiment("case", "--no-report")
    texts = [path.read_text() for path in (counting.root / "data/manifests").rglob("*.json")]
    texts += [path.read_text() for path in (counting.root / "data/cache").glob("*begin_x*")]
    assert texts
    assert not [text for text in texts if str(counting.root) in text]
    counting.root.rename(tmp_path / "moved")
    moved = type(counting)(tmp_path / "moved")
    moved.write(
        "experiments/case.py",
        (moved.root / "experiments/case.py")
        .read_text()
        .replace(
            "begin(cf.Record(manager, p))",
            "(path,) = begin(cf.Record(manager, p)).state['x']; print(open(path).read())",
        ),
    )
    done = moved.experiment("case", "--no-report")
    assert {"1", "2"} <= set(done.stdout.split())


def test_p6_parameter_files_are_kept_when_they_are_implied(counting) -> None:
    counting.experiment("case", "--no-report", "-n", "b")
    assert read_run(counting)["parameter_files"] == ["experiments/case.py"]
    assert [each["name"] for each in read_run(counting, "parameters.json")] == ["b"]


def test_p7_parameter_sets_are_kept_with_class_and_can_be_rebuilt(
    counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    from curifactory.parameters.lossless import load_set

    monkeypatch.chdir(counting.root)
    _, manager = cf.run_experiment("case", report=False)
    kept = json.loads((manager.run_folder / "parameters.json").read_text())
    assert [each["class"] for each in kept] == ["experiments.case:Params"] * 2
    assert [load_set(each["value"]) for each in kept] == [record.params for record in manager.records]
    assert load_set(kept[1]["value"]).pair == (1, 2)


def test_p7_two_sets_of_one_content_keep_both_names(counting) -> None:
    counting.write("experiments/case.py", COUNTING.replace("n=2, size=Size(5)", "n=1"))
    counting.experiment("case", "--no-report")
    kept = read_run(counting, "parameters.json")
    assert [each["name"] for each in kept] == ["a", "b"]
    assert len({each["hash"] for each in kept}) == 1


def test_p8_who_when_with_what_and_how_long_are_kept(counting) -> None:
    counting.experiment("case", "--no-report")
    counting.experiment("case", "--no-report", "--overwrite-stage", "begin", "-n", "a")
    run = read_run(counting)
    begun, ended = (datetime.fromisoformat(run[name]) for name in ("started_at", "finished_at"))
    assert begun.tzinfo is not None
    assert run["duration_s"] == pytest.approx((ended - begun).total_seconds(), abs=0.01)
    assert run["user"]
    assert run["host"]
    assert run["python"] == ".".join(map(str, sys.version_info[:3]))
    assert run["counts"] == {"ran": 1}
    (call,) = json.loads(counting.experiment("show", "-1", "--json").stdout)["calls"]
    assert call["duration_s"] >= 0
    assert call["started_at"]
    (output,) = call["outputs"]
    (file,) = output["artifact"]["files"]
    assert file["size_bytes"] == (counting.root / "data/cache" / file["path"]).stat().st_size


@pytest.mark.parametrize(
    ("ending", "code", "error"),
    [("raise KeyboardInterrupt", 130, None), ("raise SystemExit(3)", None, "SystemExit: 3")],
)
def test_p9_a_run_that_is_broken_off_says_so_and_has_a_report(
    counting, ending: str, code: int | None, error: str | None
) -> None:
    counting.write("experiments/case.py", COUNTING.replace("    return record.params.n", f"    {ending}"))
    done = counting.experiment("case", check=False)
    assert done.returncode != 0
    assert code is None or done.returncode == code
    said = "Interrupted.\n" if error is None else "sys.exit(3) was called (in stage 'begin' of Record 0 ("
    assert done.stderr.startswith(said)
    run = read_run(counting)
    assert run["outcome"] == "interrupted"
    assert run["finished_at"]
    assert run.get("error") == error
    assert ending in run["traceback"]
    page = (counting.root / "reports" / run["reference"] / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<strong>(Interrupted:?)</strong> (.*?)</p>", page) == [
        ("Interrupted:" if error else "Interrupted", error or "")
    ]


def test_o1_an_experiment_that_raised_ends_with_1(counting) -> None:
    counting.write(
        "experiments/case.py", COUNTING.replace("    return record.params.n", "    raise ValueError('no')")
    )
    done = counting.experiment("case", check=False)
    assert done.returncode == 1
    assert "begin" in done.stderr + done.stdout
    assert read_run(counting)["outcome"] == "failed"


@pytest.mark.slow
def test_o2_eight_runs_at_once_lose_nothing(counting) -> None:
    command = [sys.executable, "-P", "-m", "curifactory.cli.experiment", "case", "--no-report"]
    started = [
        subprocess.Popen(
            command,
            cwd=counting.root,
            env=counting.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(8)
    ]
    said = [process.communicate(timeout=100)[0] for process in started]
    assert [process.returncode for process in started] == [0] * 8, "\n".join(said)
    folders = sorted((counting.root / "data/runs").glob("case_*"))
    runs = [json.loads((folder / "run.json").read_text()) for folder in folders]
    assert sorted(run["number"] for run in runs) == list(range(1, 9))
    assert {run["outcome"] for run in runs} == {"complete"}
    listed = json.loads(counting.experiment("runs", "--json").stdout)
    assert len(listed["runs"] if isinstance(listed, dict) else listed) == 8
    counting.experiment("case", "--no-report")
    assert read_run(counting)["counts"] == {"reused": 2}


def bookkeeping(project, count: int) -> tuple[int, int]:
    """Run with many sets, fresh and cached; return how many files and bytes lie in ``data`` afterwards."""
    text = COUNTING.replace(
        'return [Params(name="a", n=1), Params(name="b", n=2, size=Size(5))]',
        f"return [Params(name=f'set {{n:04}}', n=n) for n in range(1000, {1000 + count})]",
    )
    project.write("experiments/case.py", text)
    for _ in range(2):
        cf.run_experiment("case", report=False)
    files = [
        path for path in (project.root / "data").rglob("*") if path.is_file() and "index.db" not in path.name
    ]
    return len(files), sum(path.stat().st_size for path in files)


def test_o5_bookkeeping_grows_with_the_number_of_sets_and_not_with_its_square(
    tmp_path: Path, project, monkeypatch
) -> None:
    sizes = []
    for count in (50, 100, 200):
        other = type(project)(tmp_path / str(count))
        other.write("pyproject.toml", "[tool.curifactory]\n")
        monkeypatch.chdir(other.root)
        for name in [name for name in sys.modules if name.partition(".")[0] == "experiments"]:
            del sys.modules[name]
        sizes.append(bookkeeping(other, count))
    (few, few_bytes), (some, some_bytes), (many, many_bytes) = sizes
    assert many - some == 2 * (some - few)
    assert many_bytes - some_bytes == pytest.approx(2 * (some_bytes - few_bytes), rel=0.1)


def test_o6_run_is_called_once_and_reads_values_where_it_stands(counting) -> None:
    counting.write(
        "experiments/case.py",
        COUNTING.replace(
            "    for p in param_sets:\n        begin(cf.Record(manager, p))",
            "    print('called')\n    for p in param_sets:\n        print('value', begin(cf.Record(manager, p)).state['x'])",
        ),
    )
    said = counting.experiment("case", "--no-report").stdout
    assert said.count("called") == 1
    assert said.count("value 1") == said.count("value 2") == 1


def test_o8_loggers_of_others_are_left_alone(counting, monkeypatch: pytest.MonkeyPatch) -> None:
    root, other = logging.getLogger(), logging.getLogger("somebody.else")
    before = list(root.handlers), root.level, other.disabled, list(other.handlers)
    counting.write(
        "experiments/case.py", COUNTING.replace("    return record.params.n", "    raise ValueError('no')")
    )
    monkeypatch.chdir(counting.root)
    with pytest.raises(cf.StageError):
        cf.run_experiment("case", report=False)
    assert (list(root.handlers), root.level, other.disabled, list(other.handlers)) == before
    # Nothing of the failed run sticks: the next one in the same process is as if it were the first.
    counting.write("experiments/case.py", COUNTING)
    for name in [name for name in sys.modules if name.partition(".")[0] == "experiments"]:
        del sys.modules[name]
    _, manager = cf.run_experiment("case", report=False)
    assert [record.state["x"] for record in manager.records] == [1, 2]


def test_o9_a_parameter_file_whose_import_fails_says_which(counting) -> None:
    counting.write("params/sizes.py", "import no_such_package\n\ndef get_params():\n    return []\n")
    done = counting.experiment("case", "-p", "sizes", check=False)
    assert done.returncode == 2
    assert "no_such_package" in done.stderr
    assert "could not be found" not in done.stderr


def test_o10_folders_are_those_of_the_settings_wherever_the_command_is_given(counting) -> None:
    counting.write("pyproject.toml", "[tool.curifactory]\nruns_path = 'kept/runs'\nreports_path = 'pages'\n")
    below = type(counting)(counting.root / "experiments")
    below.experiment("case")
    (folder,) = (counting.root / "kept/runs").glob("case_*")
    assert (folder / "log.txt").read_text()
    assert (counting.root / "pages" / folder.name / "index.html").exists()
    for name in ("data/runs", "reports", "logs", "experiments/data"):
        assert not (counting.root / name).exists()


def test_o13_a_report_escapes_what_people_wrote_and_survives_a_bad_reportable(counting) -> None:
    counting.write(
        "experiments/case.py",
        COUNTING.replace(
            "import JsonCacher",
            "import JsonCacher\nfrom curifactory.reporting import DFReporter, JsonReporter",
        )
        .replace('name="a"', 'name="Ä <script>alert(1)</script>"')
        .replace(
            "    return record.params.n",
            "    record.report(DFReporter(object(), name='broken'))\n"
            "    record.report(JsonReporter({'größe': 1}, name='<b>bold'))\n    return record.params.n",
        ),
    )
    counting.experiment("case", env={"PATH": "/nonexistent"})
    page = (counting.root / "reports" / read_run(counting)["reference"] / "index.html").read_text(
        encoding="utf-8"
    )
    assert "<script>alert(1)" not in page
    assert "<b>bold" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "größe" in page
    assert "broken" in page
    assert "<svg" in page


def test_o15_a_copy_of_a_record_shares_its_values(counting, monkeypatch: pytest.MonkeyPatch) -> None:
    counting.write(
        "experiments/case.py",
        COUNTING.replace(
            "    for p in param_sets:\n        begin(cf.Record(manager, p))",
            "    record = cf.Record(manager, param_sets[0])\n    record.state['big'] = [0] * 1000\n    return record, record.make_copy()",
        ),
    )
    monkeypatch.chdir(counting.root)
    (record, copied), _ = cf.run_experiment("case", report=False)
    assert copied.state["big"] is record.state["big"]
    copied.state["big"] = 1
    assert record.state["big"] == [0] * 1000

"""A run is written as a zip, a page, a research object, a notebook and what an image is built from."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import curifactory as cf
from curifactory.errors import ConfigurationError, StoreError

PREPARED: list[Path] = []

EXPERIMENT = '''"""How squares grow."""
import os
from dataclasses import dataclass
import matplotlib.pyplot as plt
import pandas as pd
import curifactory as cf
from curifactory.caching import JsonCacher, PandasCsvCacher, PickleCacher
from curifactory.reporting import FigureReporter, JsonReporter

@dataclass
class Params(cf.ExperimentParameters):
    n: int = 3
    api_key: str = "hunter2hunter2"

class Model:
    def __init__(self, n):
        self.n = n

@cf.stage(None, ["test data", "model"], [PandasCsvCacher, PickleCacher])
def make(record):
    n = record.params.n
    for step in range(4):
        record.log("train", {"loss": n / (step + 1)}, step=step)
    figure, axes = plt.subplots()
    axes.plot([1, 2, n])
    record.report(FigureReporter(figure, name="line"))
    plt.close(figure)
    record.report(JsonReporter({"n": n}, name="<b>numbers</b>"))
    return pd.DataFrame({"a": [n, n]}), Model(n)

@cf.aggregate(["model"], ["total"], [JsonCacher])
def add_up(record, records, model):
    return sum(each.n for each in model.values())

def get_params():
    return [Params(name="small"), Params(name="large", n=7)]

def run(param_sets, manager):
    for params in param_sets:
        make(cf.Record(manager, params))
    add_up(cf.Record(manager, None))
'''


@pytest.fixture
def case(project, monkeypatch, tmp_path_factory):
    """Give a project under git in which the experiment has run; it runs once, each test has a copy."""
    if not PREPARED:
        PREPARED.append(tmp_path_factory.mktemp("prepared") / "project")
        shutil.copytree(prepare(project).root, PREPARED[0], symlinks=True)
    else:
        shutil.rmtree(project.root)
        shutil.copytree(PREPARED[0], project.root, symlinks=True)
    monkeypatch.chdir(project.root)
    return project


def prepare(project):
    project.write("experiments/case.py", EXPERIMENT)
    project.write(".gitignore", "data/\nreports/\nnotebooks/\n__pycache__/\n*.zip\n*.html\n")
    project.git("init", "-q")
    project.git("add", "-A")
    project.git("commit", "-qm", "first")
    project.write("experiments/note.py", "# new and in no commit\n")
    project.experiment("case", "--no-report", "--notes", "for the paper")
    return project


def unpack(file: Path, to: Path) -> Path:
    with zipfile.ZipFile(file) as archive:
        archive.extractall(to)
    return to


# --------------------------------------------------------------------------------------------------------------- zip


def test_a_zip_is_a_project_with_the_report_and_every_artifact(case, tmp_path, monkeypatch):
    case.experiment("export", "--to", "run.zip")
    shutil.move(case.root / "run.zip", tmp_path)
    shutil.rmtree(case.root)
    (top,) = unpack(tmp_path / "run.zip", tmp_path / "unpacked").iterdir()
    monkeypatch.chdir(top)
    run = cf.load_run("case/-1")
    assert run.records[0].artifacts["test data"].load()["a"].tolist() == [3, 3]
    assert run.records[2].artifacts["total"].load() == 10
    page = next(top.glob("reports/case_1_*/index.html"))
    assert (page.parent / "../_assets").is_dir()
    assert "_latest" not in (top / "reports/index.html").read_text()
    assert "hunter2" not in page.read_text()
    assert str(case.root) not in (top / "README.txt").read_text()


def test_pickles_of_a_zip_from_elsewhere_ask_to_be_trusted(case, tmp_path, monkeypatch):
    case.experiment("export", "--to", "run.zip")
    (top,) = unpack(case.root / "run.zip", tmp_path / "unpacked").iterdir()
    monkeypatch.chdir(top)
    model = cf.load_run("case/-1").records[0].artifacts["model"]
    with pytest.raises(cf.CurifactoryError, match="came from elsewhere"):
        model.load()


def test_the_same_run_gives_the_same_zip(case):
    run = cf.load_run("case/-1")
    one, other = run.export("one.zip"), run.export("other.zip")
    assert one.read_bytes() == other.read_bytes()


def test_no_secret_is_in_what_is_exported(case, tmp_path):
    run = cf.load_run("case/-1")
    for path in unpack(run.export("run.zip"), tmp_path / "unpacked").rglob("*"):
        if path.is_file() and "artifacts" not in path.parts:
            assert b"hunter2hunter2" not in path.read_bytes(), path
    assert "hunter2" not in run.export("run.html").read_text()


def test_an_export_is_named_after_its_run_where_nobody_says_otherwise(case):
    done = case.experiment("export", "case/-1", "--format", "html")
    (page,) = case.root.glob("case_1_*.html")
    assert page.as_uri() in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("export", "cas_1"), 2, "case_1"),
        (("export", "--to", "run.tar"), 2, "cannot be exported as .tar"),
        (("export", "--format", "pdf"), 2, "'pdf'"),
        (("export", "--to", "pyproject.toml/x.zip"), 1, "could not be written"),
        (("notebook", "nothing"), 2, "No run named"),
        (("docker", "--build"), 1, "Neither docker nor podman answers"),
        (("docker", "--no-build", "--to", "experiments"), 1, "has other files in it"),
    ],
)
def test_what_cannot_be_written_is_said_in_one_line(case, words, code, said):
    done = case.experiment(*words, check=False, env={"PATH": os.path.dirname(shutil.which("git"))})
    if "--build" in words and done.returncode == 0:
        pytest.skip("an engine answers on this machine")
    assert done.returncode == code
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_unknown_format_names_those_there_are(case):
    with pytest.raises(ConfigurationError, match="pdf") as raised:
        cf.load_run("case/-1").export("x", format="pdf")
    assert "zip, html, ro-crate" in raised.value.hint


# -------------------------------------------------------------------------------------------------------------- page


def test_one_page_has_everything_in_it(case, chromium, tmp_path):
    page = cf.load_run("case/-1").export(tmp_path / "alone" / "run.html")
    assert [path.name for path in page.parent.iterdir()] == ["run.html"]
    chromium.page.goto(page.as_uri())
    chromium.page.wait_for_selector(".js-plotly-plot")
    assert chromium.problems == []
    assert chromium.blocked == []
    assert [
        address for address in chromium.requests if not address.startswith(("data:", page.as_uri()))
    ] == []
    pictures = chromium.page.locator("img.cf-picture")
    assert pictures.count() == 2
    for place in range(2):
        pictures.nth(place).scroll_into_view_if_needed()
        assert (
            pictures.nth(place).evaluate("picture => picture.decode().then(() => picture.naturalWidth)") > 0
        )
    assert chromium.page.locator("b", has_text="numbers").count() == 0
    assert chromium.page.locator("a[href$='index.html']").count() == 0


def test_a_page_without_curves_has_no_script_for_them(project, monkeypatch):
    lines = [line for line in EXPERIMENT.splitlines() if "record.log" not in line and "for step" not in line]
    project.write("experiments/case.py", "\n".join(lines))
    project.experiment("case", "--no-report")
    monkeypatch.chdir(project.root)
    assert cf.load_run("case/-1").export("run.html").stat().st_size < 1_000_000


# ----------------------------------------------------------------------------------------------------------- notebook


def test_the_notebook_of_a_run_executes_cleanly(case):
    done = case.experiment("notebook", "case/-1")
    (path,) = (case.root / "notebooks").glob("case_1_*.ipynb")
    assert path.as_uri() in done.stdout
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    client = NotebookClient(
        notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    )
    client.execute(env=case.environment)
    sources = [cell.source for cell in notebook.cells]
    assert sum(".load()" in source for source in sources) == 5
    outputs = json.dumps([cell.get("outputs", []) for cell in notebook.cells])
    assert '"10"' in outputs
    assert "hunter2" not in outputs + "".join(sources)


def test_a_notebook_outside_of_the_project_finds_the_run_too(case, tmp_path):
    target = tmp_path / "elsewhere" / "look.ipynb"
    case.experiment("notebook", "--to", str(target))
    first = next(cell for cell in nbformat.read(target, as_version=4).cells if cell.cell_type == "code")
    code = first.source.rpartition("\n")[0]
    done = case.run(sys.executable, "-c", f"{code}\nprint(run.reference)", env={"PWD": None})
    assert done.stdout.startswith("case_1_")


def test_artifacts_that_are_gone_are_not_loaded_by_the_notebook(case):
    for path in (case.root / "data/cache").glob("*_model.pkl"):
        path.unlink()
    path = cf.load_run("case/-1").notebook()
    assert "artifacts['model']" not in path.read_text()
    assert "artifacts['total']" in path.read_text()


# ------------------------------------------------------------------------------------------------------------- docker


def test_what_an_image_is_built_from_is_whole_and_of_no_machine(case, tmp_path):
    (case.root / "experiments/note.py").write_text("# changed since\n")
    done = case.experiment(
        "docker", "case/-1", "--no-build", "--tag", "case:paper", "--to", str(tmp_path / "image")
    )
    folder = tmp_path / "image"
    assert folder.as_uri() in done.stdout
    assert (folder / "project/experiments/note.py").read_text() == "# new and in no commit\n"
    assert not (folder / "project/.git").exists()
    lock = (folder / "requirements.lock").read_text().splitlines()
    assert f"blake3=={__import__('importlib.metadata').metadata.version('blake3')}" in lock
    assert not any(line.startswith(("curifactory==", "pip==")) for line in lock)
    recipe = (folder / "Dockerfile").read_text()
    assert f"python:{sys.version.split()[0]}-slim" in recipe
    assert "://" not in recipe + "".join(lock)
    for path in folder.rglob("*"):
        if path.is_file() and "curifactory" not in path.relative_to(folder).parts:
            text = path.read_bytes()
            assert str(case.root).encode() not in text, path
            assert sys.prefix.encode() not in text, path


def test_what_is_in_the_context_runs_by_itself(case, tmp_path):
    """What the image would do, without an engine: its folders at their places, its command with nothing else."""
    cf.load_run("case/-1").docker(tmp_path / "image", build=False)
    shutil.rmtree(case.root)
    project = tmp_path / "image/project"
    recipe = (tmp_path / "image/Dockerfile").read_text()
    command = json.loads(recipe.rpartition("CMD ")[2])
    assert command[:2] == ["experiment", "case"]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "curifactory.cli.experiment", *command[1:]],
        cwd=project,
        env={**case.environment, "PYTHONPATH": str(tmp_path / "image"), "CURIFACTORY_TRUST": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "all 3 calls were reused" in done.stdout


def test_without_an_engine_one_line_says_how_to_build_later(case):
    here = os.path.dirname(shutil.which("git"))
    done = case.experiment("docker", "case/-1", env={"PATH": here})
    if "not built" not in done.stdout:
        pytest.skip("an engine answers on this machine")
    (folder,) = (case.root / "data/images").glob("case_1_*")
    assert f"docker build --tag case:1-{folder.name.removeprefix('case_1_').lower()}" in done.stdout


def test_an_engine_that_answers_builds(case, tmp_path):
    """A stand-in for docker, since tests have none: it says what it was asked."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "docker").write_text(
        '#!/bin/sh\necho "$@" >> "$0.asked"\nif [ "$1" = build ]; then exit "${CODE:-0}"; fi\n'
    )
    (tools / "docker").chmod(0o755)
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    done = case.experiment("docker", "--tag", "mine:1", env={"PATH": path})
    assert "image   mine:1, by docker" in done.stdout
    (folder,) = (case.root / "data/images").iterdir()
    asked = (tools / "docker.asked").read_text().splitlines()
    assert asked == ["info", f"build --tag mine:1 {folder}"]
    failed = case.experiment("docker", env={"PATH": path, "CODE": "3"}, check=False)
    assert failed.returncode == 1
    assert "docker could not build the image" in failed.stderr


def test_a_run_without_its_packages_makes_no_image(case):
    (folder,) = (case.root / "data/runs").glob("case_1_*")
    (folder / "environment.json").write_text("{}")
    with pytest.raises(StoreError, match=r"packages of case_1_.* were not recorded"):
        cf.load_run("case/-1").docker(build=False)


def test_a_run_makes_its_notebook_and_image_at_its_end(case):
    done = case.experiment(
        "case", "--no-report", "--notebook", "--docker", env={"PATH": os.path.dirname(shutil.which("git"))}
    )
    assert list((case.root / "notebooks").glob("case_2_*.ipynb"))
    assert list((case.root / "data/images").glob("case_2_*/Dockerfile"))
    assert list((case.root / "data/runs").glob("case_2_*/artifacts/*_total.json"))
    assert done.stdout.count("notebook  file://") == 1

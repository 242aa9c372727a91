"""The life of a project: it is begun, its settings and its machine are looked at, its files are listed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Project, make_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
MADE = [".gitignore", "data/", "experiments/", "params/", "pyproject.toml", "reports/"]


@pytest.fixture
def empty(tmp_path: Path) -> Project:
    """Give a folder in which nothing lies at all."""
    made = Project(tmp_path / "empty")
    made.root.mkdir()
    return made


def begin(
    project: Project, *words: str, typed: str | None = None, env: Mapping[str, str] | None = None
) -> str:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "curifactory.cli.curifactory", "init", *words],
        cwd=project.root,
        env={**project.environment, **(env or {})},
        input=typed or "",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# --------------------------------------------------------------------------------------------------------------- init


def test_a_project_begins_without_a_question(empty: Project) -> None:
    said = begin(empty)
    assert sorted(empty.files()) == MADE
    assert (empty.root / ".git").is_dir()
    assert said.splitlines()[0] == "A project begins here."
    assert said.splitlines()[-3:] == [
        "next    curifactory init --example iris",
        "        experiment ls",
        "        curifactory doctor",
    ]


def test_what_is_begun_is_a_project(empty: Project) -> None:
    begin(empty)
    said = "No experiments yet. Make one with: curifactory init --example iris\n"
    assert empty.experiment("ls").stdout == said
    assert json.loads(empty.curifactory("config", "--json").stdout)["root"] == str(empty.root)


def test_beginning_twice_changes_nothing(empty: Project) -> None:
    begin(empty)
    before = empty.files()
    assert "There is a project here already." in begin(empty)
    assert empty.files() == before


def test_nothing_that_is_there_is_overwritten(empty: Project) -> None:
    mine = {
        "experiments/iris.py": "mine = 1\n",
        "pyproject.toml": "[tool.other]\nx = 1",
        ".gitignore": "*.log",
        "reports/style.css": "body {}",
    }
    empty.write_all(mine)
    said = begin(empty, "--example", "iris")
    assert (empty.root / "experiments/iris.py").read_text() == "mine = 1\n"
    assert (empty.root / "reports/style.css").read_text() == "body {}"
    settings = tomllib.loads((empty.root / "pyproject.toml").read_text())
    assert settings["tool"] == {"other": {"x": 1}, "curifactory": {}}
    assert (empty.root / ".gitignore").read_text().startswith("*.log\n\n# What curifactory makes")
    assert "kept    experiments/, reports/, experiments/iris.py, as they were" in said
    assert "made    [tool.curifactory] in pyproject.toml" in said


def test_settings_of_an_earlier_version_count_as_a_project(empty: Project) -> None:
    empty.write("curifactory_config.json", "{}")
    assert "kept    curifactory_config.json" in begin(empty)
    assert not (empty.root / "pyproject.toml").exists()


def test_a_folder_is_made_and_the_next_commands_lead_there(empty: Project) -> None:
    said = begin(empty, "my flowers", "--example", "iris")
    assert (empty.root / "my flowers/experiments/iris.py").is_file()
    assert "next    cd 'my flowers'\n" in said


def test_no_repository_is_made_in_a_repository(empty: Project) -> None:
    empty.git("init", "--quiet")
    begin(empty, "below")
    assert not (empty.root / "below/.git").exists()


def test_without_git_there_is_a_project_all_the_same(empty: Project, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    said = begin(empty, env={"PATH": str(tmp_path / "bin")})
    assert "git     is not installed" in said
    assert sorted(empty.files()) == MADE


def test_git_leaves_out_what_runs_make(empty: Project) -> None:
    begin(empty)
    empty.write_all(
        {"data/cache/x.json": "1", "reports/index.html": "", "reports/style.css": "", "experiments/x.py": ""}
    )
    empty.git("add", "--all")
    assert empty.git("ls-files").stdout.split() == [
        ".gitignore",
        "experiments/x.py",
        "pyproject.toml",
        "reports/style.css",
    ]


def test_the_example_is_the_one_of_the_readme_and_runs(empty: Project) -> None:
    pytest.importorskip("sklearn")
    said = begin(empty, "--example", "iris")
    assert said.splitlines()[-3:] == [
        "next    experiment iris -p iris",
        "        experiment iris --map",
        "        experiment open",
    ]
    for path in ("experiments/iris.py", "params/iris.py"):
        assert (empty.root / path).read_text() == (ROOT / path).read_text()
    done = empty.experiment("iris", "-p", "iris")
    assert "iris_1_" in done.stdout
    assert "nothing had to run" in empty.experiment("iris", "-p", "iris").stdout


def test_an_installation_brings_the_example_along() -> None:
    built = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = built["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    from curifactory.project.examples import find_example, list_examples

    paths = {path for name in list_examples() for path in find_example(name).files}
    assert included == {path: f"curifactory/project/files/{path}" for path in paths}


def test_an_example_that_is_not_there_makes_nothing(empty: Project) -> None:
    done = empty.curifactory("init", "--example", "irs", check=False)
    assert (done.stderr, done.returncode) == ("No example named 'irs'. Did you mean 'iris'?\n", 2)
    assert empty.files() == {}


def test_a_file_in_the_way_is_one_line(empty: Project) -> None:
    empty.write("experiments", "a file")
    done = empty.curifactory("init", check=False)
    assert done.returncode == 1
    assert re.fullmatch(r"The project cannot be made: .*experiments\. Choose .*\n", done.stderr)


def test_questions_are_asked_only_when_wanted_and_wrong_answers_again(empty: Project) -> None:
    answers = ["my experiments", "studies.all", "", "store/", "", "pages", "n", "y"]
    said = begin(empty, "-i", typed="\n".join(answers) + "\n")
    assert "it must be a dotted module name" in said
    settings = tomllib.loads((empty.root / "pyproject.toml").read_text())["tool"]["curifactory"]
    assert settings == {
        "experiments_module_name": "studies.all",
        "manager_cache_path": "store",
        "reports_path": "pages",
    }
    assert sorted(empty.files()) == [
        ".gitignore",
        "pages/",
        "params/",
        "pyproject.toml",
        "store/",
        "studies/all/",
    ]
    assert not (empty.root / ".git").exists()
    assert "/store/*" in (empty.root / ".gitignore").read_text()


def test_an_interrupted_question_makes_nothing(empty: Project) -> None:
    done = empty.curifactory("init", "-i", check=False)
    assert (done.stderr.strip(), done.returncode) == ("Interrupted.", 130)
    assert empty.files() == {}


# ------------------------------------------------------------------------------------------------------------- config


def test_every_setting_has_its_value_and_where_it_comes_from(project: Project) -> None:
    import dataclasses

    from curifactory.project.settings import Settings

    project.write("pyproject.toml", '[tool.curifactory]\nreports_path = "pages"\n')
    project.write("curifactory_config.json", '{"trash_days": 3}')
    project.environment["CURIFACTORY_DURABLE"] = "1"
    told = json.loads(project.curifactory("config", "--json").stdout)["settings"]
    assert list(told) == [field.name for field in dataclasses.fields(Settings)]
    assert told["reports_path"] == {"value": str(project.root / "pages"), "source": "pyproject.toml"}
    assert told["trash_days"] == {"value": 3, "source": "curifactory_config.json"}
    assert told["durable"] == {"value": True, "source": "CURIFACTORY_DURABLE"}
    assert told["fingerprint"] == {"value": [], "source": "default"}
    shown = project.curifactory("config").stdout
    assert re.search(r"^durable +true +CURIFACTORY_DURABLE$", shown, re.MULTILINE)


# ------------------------------------------------------------------------------------------------------------- doctor


def examine(project: Project, *, check: bool = True) -> dict[str, dict[str, str]]:
    done = project.curifactory("doctor", "--json", check=check)
    return {finding["subject"]: finding for finding in json.loads(done.stdout)["findings"]}


def test_the_doctor_looks_at_everything_and_changes_nothing(project: Project) -> None:
    before = project.files()
    found = examine(project)
    assert {
        "python",
        "packages",
        "git",
        "dot",
        "data",
        "file system",
        "room",
        "index",
        "code that counts",
    } <= set(found)
    assert {finding["state"] for finding in found.values()} <= {"fine", "missing", "note"}
    assert all(finding["remedy"] for finding in found.values() if finding["state"] != "fine")
    assert project.curifactory("doctor").stdout.endswith("All that a run needs is there.\n")
    assert project.files() == before


def test_what_is_missing_comes_with_how_to_get_it(project: Project, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    project.environment["PATH"] = str(tmp_path / "bin")
    found = examine(project)
    assert found["git"]["state"] == "missing"
    assert "git-scm.com" in found["git"]["remedy"]
    assert "apt install graphviz" in found["dot"]["remedy"]
    assert (found["container engine"]["state"], "podman" in found["container engine"]["remedy"]) == (
        "missing",
        True,
    )


@pytest.mark.parametrize(
    ("code", "state"), [(0, "fine"), (1, "missing")], ids=["it answers", "its daemon does not"]
)
def test_a_container_engine_is_there_when_it_answers(
    project: Project, tmp_path: Path, code: int, state: str
) -> None:
    (tmp_path / "bin").mkdir()
    docker = tmp_path / "bin" / "docker"
    docker.write_text(f"#!/bin/sh\nexit {code}\n", encoding="utf-8")
    docker.chmod(0o755)
    project.environment["PATH"] = str(tmp_path / "bin")
    assert examine(project)["container engine"]["state"] == state


def test_a_fault_is_exit_1(project: Project) -> None:
    project.write("data", "a file where a folder should be")
    project.write("pyproject.toml", '[tool.curifactory]\nfingerprint = ["surely_not_there"]\n')
    done = project.curifactory("doctor", check=False)
    assert done.returncode == 1
    assert re.search(r"fault +data +\S+data is no folder", done.stdout)
    assert "surely_not_there cannot be found" in done.stdout


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_a_fault(project: Project) -> None:
    project.root.chmod(0o500)
    try:
        assert examine(project, check=False)["runs"]["state"] == "fault"
    finally:
        project.root.chmod(0o700)


def test_a_damaged_index_is_noted_with_what_mends_it(project: Project) -> None:
    project.write("data/index.db", "noise")
    found = examine(project)["index"]
    assert (found["state"], found["remedy"]) == ("note", "experiment reindex")


def test_the_doctor_knows_all_packages_that_are_declared() -> None:
    from curifactory.project.health import EXTRAS, REQUIRED

    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def names(requirements: list[str]) -> tuple[str, ...]:
        return tuple(re.split(r"[<>=!~\[; ]", each)[0] for each in requirements)

    ours = {"docs", "test", "dev"}
    assert names(declared["dependencies"]) == tuple(sorted(REQUIRED)) == REQUIRED
    optional = {
        extra: names(each) for extra, each in declared["optional-dependencies"].items() if extra not in ours
    }
    assert optional == dict(EXTRAS)


def test_listing_alone_imports_nothing(project: Project) -> None:
    project.write("experiments/x.py", '"""Never imported."""\nraise SystemExit(9)\ndef run(a, b): ...\n')
    assert project.experiment("ls").stdout == "EXPERIMENTS:\n\tx - Never imported.\n\nPARAMS:\n"


@pytest.mark.parametrize("word", ["doctr", "confg", "int"])
def test_a_verb_that_is_not_there_names_the_nearest(project: Project, word: str) -> None:
    done = project.curifactory(word, check=False)
    assert done.returncode == 2
    assert re.fullmatch(rf"curifactory has no verb '{word}'\. Did you mean '\w+'.*\?\n", done.stderr)


def test_the_environment_of_tests_keeps_no_secret_of_a_person() -> None:
    assert "curifactory-tests-" in make_environment()["XDG_CONFIG_HOME"]

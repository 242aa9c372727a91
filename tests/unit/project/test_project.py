"""A project: its folders, its experiments, its parameter sets."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from curifactory.errors import ConfigurationError, DiscoveryError
from curifactory.project.project import Project

SETS = """from dataclasses import dataclass
from curifactory.parameters.sets import ExperimentParameters

@dataclass
class Params(ExperimentParameters):
    n: int = 1

def get_params():
    return [Params(name=name) for name in NAMES]

NAMES = """
RUN = "def run(param_sets, manager): ...\n"


def write(root: Path, name: str, text: str) -> None:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path, "pyproject.toml", "[tool.curifactory]\n")
    write(tmp_path, "experiments/own.py", SETS + "['own']\n" + RUN)
    write(tmp_path, "experiments/bare.py", RUN)
    write(tmp_path, "experiments/lost.py", RUN)
    write(tmp_path, "params/bare.py", SETS + "['bare']\n")
    write(tmp_path, "params/more.py", SETS + "['b', 'a']\n")
    return tmp_path


def names_of(root: Path, experiment: str, *files: str, **conditions: tuple[str, ...]) -> list[str]:
    project = Project.find(root)
    sets, _ = project.collect_sets(project.load_experiment(experiment), files=files, **conditions)
    return [f"{each.file}:{each.params.name}" for each in sets]


def test_folders_are_absolute_wherever_one_starts(root: Path) -> None:
    project = Project.find(root / "experiments")
    assert project.root == root.resolve()
    assert project.cache_folder == root / "data" / "cache"
    assert project.data_folder == root / "data"
    assert project.runs_folder == root / "data" / "runs"
    assert project.reports_folder == root / "reports"


def test_a_style_sheet_counts_only_if_it_is_there(root: Path) -> None:
    project = Project.find(root)
    assert project.report_css is None
    write(root, "reports/style.css", "")
    assert project.report_css == root / "reports" / "style.css"


def test_what_the_command_line_says_wins_and_is_known_as_such(root: Path) -> None:
    project = Project.find(root, overrides={"cache_path": Path("/elsewhere/cache")})
    assert project.cache_folder == Path("/elsewhere/cache")
    assert project.sources["cache_path"] == "command line"


def test_a_project_cannot_be_changed(root: Path) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Project.find(root).root = root  # type: ignore[misc]


def test_files_are_listed(root: Path) -> None:
    project = Project.find(root)
    assert [each.name for each in project.list_experiments()] == ["bare", "lost", "own"]
    assert [each.name for each in project.list_parameter_files()] == ["bare", "more", "own"]


def test_an_experiment_s_own_sets_come_first(root: Path) -> None:
    write(root, "params/own.py", SETS + "['of the file']\n")
    assert names_of(root, "own") == ["experiments/own.py:own"]
    assert names_of(root, "own", "own") == ["params/own.py:of the file"]


def test_without_its_own_those_of_the_file_of_its_name_are_taken(root: Path) -> None:
    assert names_of(root, "bare") == ["params/bare.py:bare"]


def test_files_are_put_together_in_the_order_in_which_they_were_named(root: Path) -> None:
    assert names_of(root, "bare", "more", "own") == [
        "params/more.py:b",
        "params/more.py:a",
        "experiments/own.py:own",
    ]


def test_a_file_that_is_named_twice_counts_once(root: Path) -> None:
    assert names_of(root, "bare", "more", "more") == ["params/more.py:b", "params/more.py:a"]


def test_conditions_hold_over_all_files(root: Path) -> None:
    assert names_of(root, "bare", "more", "own", global_indices=("1-3",)) == [
        "params/more.py:a",
        "experiments/own.py:own",
    ]


def test_an_experiment_without_any_is_told_which_files_there_are(root: Path) -> None:
    with pytest.raises(DiscoveryError, match=r"there are 'bare', 'more' and 'own'\.$"):
        names_of(root, "lost")


def test_a_file_of_the_same_name_that_only_has_classes_does_not_count(root: Path) -> None:
    write(root, "params/lost.py", "class Params: ...\n")
    with pytest.raises(
        DiscoveryError, match=r"Parameter file 'lost' has no get_params\(\) \(params/lost\.py\)"
    ):
        names_of(root, "lost")


def test_two_sets_of_one_name_in_different_files_are_refused(root: Path) -> None:
    write(root, "params/again.py", SETS + "['a']\n")
    with pytest.raises(
        ConfigurationError, match=r"two sets named 'a', at params/more\.py and params/again\.py"
    ):
        names_of(root, "bare", "more", "again")
    assert names_of(root, "bare", "more", "again", global_indices=("0", "2")) == [
        "params/more.py:b",
        "params/again.py:a",
    ]

"""The project's folder is found from any folder below it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from curifactory.project.root import find_root


def make(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def test_a_section_in_pyproject_makes_a_root(tmp_path: Path) -> None:
    below = make(tmp_path / "a" / "b" / "c")
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.curifactory]\n")
    assert find_root(below) == (tmp_path / "a").resolve()


def test_a_pyproject_without_the_section_makes_none(tmp_path: Path) -> None:
    below = make(tmp_path / "a" / "b")
    (tmp_path / "pyproject.toml").write_text("[tool.curifactory]\n")
    (tmp_path / "a" / "pyproject.toml").write_text(
        "# no [tool] here\n[tool.other]\nname = 'tool.curifactory'\n"
    )
    assert find_root(below) == tmp_path.resolve()


def test_an_older_settings_file_makes_a_root(tmp_path: Path) -> None:
    below = make(tmp_path / "a" / "b")
    (tmp_path / "curifactory_config.json").write_text("{}")
    assert find_root(below) == tmp_path.resolve()


def test_settings_win_over_a_nearer_experiments_folder(tmp_path: Path) -> None:
    """The folder of experiments may lie in a package: `experiments_module_name = "flowers.experiments"`."""
    below = make(tmp_path / "flowers" / "experiments")
    (tmp_path / "pyproject.toml").write_text(
        "[tool.curifactory]\nexperiments_module_name = 'flowers.experiments'\n"
    )
    assert find_root(below.parent) == tmp_path.resolve()


def test_without_settings_a_folder_of_experiments_makes_a_root(tmp_path: Path) -> None:
    below = make(tmp_path / "p" / "experiments" / "deep")
    make(tmp_path / "p" / ".git" / "refs")
    assert find_root(below) == (tmp_path / "p").resolve()


def test_without_experiments_the_git_work_tree_makes_a_root(tmp_path: Path) -> None:
    below = make(tmp_path / "p" / "deep")
    # In a submodule or a linked work tree .git is a file.
    (tmp_path / "p" / ".git").write_text("gitdir: elsewhere\n")
    assert find_root(below) == (tmp_path / "p").resolve()


def test_with_nothing_at_all_it_is_the_folder_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(make(tmp_path / "empty"))
    assert find_root() == (tmp_path / "empty").resolve()


def test_a_broken_pyproject_still_marks_the_root(tmp_path: Path) -> None:
    """Its fault must be told; going on to a folder above would run with the wrong settings."""
    below = make(tmp_path / "a")
    (below / "pyproject.toml").write_text("[tool.curifactory]\ncache_path = \n")
    (tmp_path / "pyproject.toml").write_text("[tool.curifactory]\n")
    assert find_root(below) == below


def test_links_are_followed(tmp_path: Path) -> None:
    real = make(tmp_path / "real")
    (real / "pyproject.toml").write_text("[tool.curifactory]\n")
    os.symlink(real, tmp_path / "link")
    assert find_root(tmp_path / "link") == real

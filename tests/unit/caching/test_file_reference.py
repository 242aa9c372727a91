from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from curifactory.caching import FileReferenceCacher, Placement
from curifactory.errors import CacheError


@pytest.fixture
def project(tmp_path, monkeypatch):
    root = tmp_path / "project"
    (root / "data" / "cache" / "sub").mkdir(parents=True)
    (root / "images").mkdir()
    (root / "images" / "a.png").write_text("a")
    (root / "data" / "cache" / "made.txt").write_text("made")
    (tmp_path / "outside.txt").write_text("outside")
    monkeypatch.chdir(root)
    return root


def placed(project, label="files"):
    cacher = FileReferenceCacher()
    cacher.place(
        Placement(label, str(project / "data" / "cache"), project_folder=str(project), output="files")
    )
    return cacher


def test_values_come_back_as_they_were_given(project):
    image = project / "images" / "a.png"
    for value in (
        str(image),
        image,
        "images/a.png",
        Path("images/a.png"),
        [image, "images/a.png"],
        "./images/../images",
    ):
        placed(project).save(value)
        loaded = placed(project).load()
        assert loaded == value
        assert type(loaded) is type(value)


def test_a_copied_project_finds_its_own_files(project, tmp_path):
    files = [
        project / "images" / "a.png",
        "images/a.png",
        project / "data/cache/made.txt",
        tmp_path / "outside.txt",
    ]
    placed(project, "sub/files").save(files)
    copied = tmp_path / "elsewhere"
    shutil.copytree(project, copied)
    shutil.rmtree(project / "images")
    os.chdir(copied)
    loaded = placed(copied, "sub/files").load()
    assert loaded == [
        copied / "images" / "a.png",
        "images/a.png",
        copied / "data/cache/made.txt",
        tmp_path / "outside.txt",
    ]
    assert all(os.path.exists(path) for path in loaded)


def test_a_relative_path_is_found_from_another_folder(project, tmp_path, monkeypatch):
    placed(project).save("images/a.png")
    monkeypatch.chdir(tmp_path)
    assert placed(project).load() == str(project / "images" / "a.png")


def test_the_file_says_where_files_lie_without_naming_the_machine(project):
    placed(project).save([project / "images" / "a.png", project / "data" / "cache" / "made.txt"])
    text = (project / "data" / "cache" / "files.json").read_text()
    assert str(project) not in text
    assert json.loads(text)["files"] == [
        {"path": "images/a.png", "below": "project", "type": "Path"},
        {"path": "made.txt", "below": "cache", "type": "Path"},
    ]


def test_references_are_absolute(project, tmp_path):
    cacher = placed(project)
    cacher.save(["images/a.png", str(tmp_path / "outside.txt")])
    assert cacher.references() == [str(project / "images" / "a.png"), str(tmp_path / "outside.txt")]


def test_references_are_known_while_the_value_is_saved(project, tmp_path):
    staging = tmp_path / "staging"
    staging.mkdir()
    cacher = placed(project)
    cacher.placement.staging = str(staging)
    cacher.save("images/a.png")
    assert cacher.references() == [str(project / "images" / "a.png")]


def test_a_missing_file_is_refused_by_name(project):
    with pytest.raises(CacheError) as caught:
        placed(project).save(["images/a.png", *(f"absent-{n}" for n in range(5))])
    assert "'absent-0', 'absent-1', 'absent-2' and 2 more do not exist" in caught.value.message


@pytest.mark.parametrize("value", [None, 3, [3], {"a": "b"}, [None], b"x"])
def test_what_is_no_path_is_refused(project, value):
    with pytest.raises(CacheError):
        placed(project).save(value)


def test_without_a_stage_it_is_cached_only_as_long_as_the_files_are_there(tmp_path):
    (tmp_path / "a").write_text("x")
    cacher = FileReferenceCacher(tmp_path / "files.json")
    assert not cacher.check()
    cacher.save([tmp_path / "a"])
    assert cacher.check()
    os.remove(tmp_path / "a")
    assert not cacher.check()


def test_without_a_stage_the_folder_can_be_moved(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a").write_text("x")
    FileReferenceCacher(tmp_path / "one" / "files.json").save(tmp_path / "one" / "a")
    os.rename(tmp_path / "one", tmp_path / "two")
    assert FileReferenceCacher(tmp_path / "two" / "files.json").load() == tmp_path / "two" / "a"


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"format": 9, "shape": "one", "files": []}', '{"format": 1}']
)
def test_a_broken_list_is_named(tmp_path, content):
    (tmp_path / "files.json").write_text(content)
    with pytest.raises(CacheError, match=r"files\.json is no list of files"):
        FileReferenceCacher(tmp_path / "files.json").load()

from __future__ import annotations

import os
from pathlib import Path

import pytest

from curifactory.caching import PathRef, Placement
from curifactory.errors import CacheError


def placed(tmp_path, **arguments):
    cacher = PathRef(**arguments)
    cacher.place(Placement("iris_0a_train_model", str(tmp_path), output="model"))
    return cacher


def test_the_path_is_the_value_and_the_file_is_left_where_it_is(tmp_path):
    cacher = placed(tmp_path, extension=".bin")
    path = cacher.get_path()
    assert path == f"{tmp_path}/iris_0a_train_model.bin"
    Path(path).write_text("x")
    cacher.placement.staging = str(tmp_path / "staging")
    cacher.save(path)
    assert cacher.placement.staged == {}
    cacher.placement.staging = None
    assert cacher.load() == path
    assert cacher.references() == [path]
    assert os.listdir(tmp_path) == ["iris_0a_train_model.bin"]


def test_a_folder_may_lie_there(tmp_path):
    cacher = placed(tmp_path)
    os.mkdir(cacher.get_path())
    cacher.save(cacher.get_path())
    assert os.path.isdir(cacher.load())


@pytest.mark.parametrize("value", ["elsewhere", None, 3])
def test_any_other_value_is_refused(tmp_path, value):
    cacher = placed(tmp_path)
    Path(cacher.get_path()).write_text("x")
    with pytest.raises(CacheError, match="PathRef cannot save 'model'"):
        cacher.save(value)


def test_the_path_as_another_type_is_refused(tmp_path):
    cacher = placed(tmp_path)
    Path(cacher.get_path()).write_text("x")
    with pytest.raises(CacheError, match="that very text"):
        cacher.save(Path(cacher.get_path()))


def test_a_path_where_nothing_lies_is_refused(tmp_path):
    cacher = placed(tmp_path)
    with pytest.raises(CacheError, match="wrote nothing"):
        cacher.save(cacher.get_path())


def test_without_a_stage_it_is_cached_when_the_path_exists(tmp_path):
    cacher = PathRef(tmp_path / "x")
    assert not cacher.check()
    (tmp_path / "x").write_text("x")
    assert cacher.check()

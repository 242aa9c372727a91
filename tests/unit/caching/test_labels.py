from __future__ import annotations

import pytest

from curifactory.caching.labels import artifact_stem, checked_subdir, override_label
from curifactory.errors import DefinitionError

VALUES = {"cache": "/data/cache", "name": "model", "artifact_filename": "iris_0a_train_model.pkl"}


def test_parts_of_a_stem_cannot_be_paths():
    stem = artifact_stem("sub/iris", "../x", "..", "a/b", extension=".pkl")
    assert "/" not in stem
    assert ".." not in stem


@pytest.mark.parametrize("subdir", ["/abs", "..", "a/../b", "a/.."])
def test_a_subdir_outside_of_the_cache_is_refused(subdir):
    with pytest.raises(DefinitionError, match="leaves the cache folder"):
        checked_subdir(subdir)


@pytest.mark.parametrize(("subdir", "checked"), [("a", "a"), ("a/b/", "a/b"), ("./a//b", "a/b"), ("", "")])
def test_a_subdir_is_written_in_one_way(subdir, checked):
    assert checked_subdir(subdir) == checked


@pytest.mark.parametrize(
    ("template", "label"),
    [
        ("{cache}/best/{name}.pkl", "best/model"),
        ("{cache}/{artifact_filename}", "iris_0a_train_model"),
        ("/models/{name}.pkl", "/models/model"),
        ("/data/cache2/{name}.pkl", "/data/cache2/model"),
        ("{cache}/../{name}.pkl", "/data/model"),
        ("{cache}/{name}", "model"),
    ],
)
def test_an_override_is_relative_only_below_the_cache(template, label):
    assert override_label(template, VALUES, extension=".pkl") == label


def test_a_relative_override_is_below_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert override_label("models/{name}.pkl", VALUES, extension=".pkl") == f"{tmp_path}/models/model"

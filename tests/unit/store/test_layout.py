from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curifactory.store.layout import Layout, safe_name


def test_all_bookkeeping_is_a_sibling_of_the_cache_folder(tmp_path):
    layout = Layout(tmp_path / "run" / "artifacts")
    folders = [layout.manifests, layout.superseded, layout.staging, layout.index_path]
    assert [path.parent for path in folders] == [tmp_path / "run"] * 4
    assert [path.name for path in folders] == ["manifests", "superseded", "staging", "index.db"]


def test_a_relative_cache_folder_is_made_absolute(tmp_path):
    os.chdir(tmp_path)
    assert Layout(Path("data/cache")).cache == tmp_path / "data" / "cache"


@pytest.mark.parametrize(
    ("below", "stored"),
    [
        ("data/cache/a.csv", "a.csv"),
        ("data/cache/sub/a.csv", "sub/a.csv"),
        ("models/net.pt", "../../models/net.pt"),
    ],
)
def test_paths_inside_the_project_are_stored_relative(tmp_path, below, stored):
    layout = Layout(tmp_path / "data" / "cache")
    place = str(tmp_path / below)
    assert layout.relative(place) == stored
    assert layout.absolute(stored) == place


def test_paths_outside_the_project_are_stored_absolute(tmp_path):
    layout = Layout(tmp_path / "project" / "data" / "cache")
    place = str(tmp_path / "elsewhere" / "x.csv")
    assert layout.relative(place) == place
    assert layout.absolute(place) == place


def test_a_cache_folder_right_below_the_root_makes_no_path_of_the_machine_relative():
    assert Layout(Path("/data/cache")).relative("/etc/hosts") == "/etc/hosts"


def test_a_linked_cache_folder_does_not_change_what_two_dots_mean(tmp_path):
    (tmp_path / "disk" / "deep" / "cache").mkdir(parents=True)
    (tmp_path / "project" / "data").mkdir(parents=True)
    (tmp_path / "project" / "data" / "cache").symlink_to(tmp_path / "disk" / "deep" / "cache")
    layout = Layout(tmp_path / "project" / "data" / "cache")
    assert layout.absolute("../../models/x") == str(tmp_path / "project" / "models" / "x")


@given(name=st.text(max_size=400))
def test_any_name_becomes_a_safe_file_name(name):
    safe = safe_name(name)
    assert safe
    assert "/" not in safe
    assert "\0" not in safe
    assert not safe.startswith(".")
    assert len(safe.encode()) <= 200


@given(one=st.text(alphabet="aA.%/é~:", max_size=12), other=st.text(alphabet="aA.%/é~:", max_size=12))
def test_different_names_stay_different(one, other):
    assert (safe_name(one) == safe_name(other)) == (one == other)


def test_long_names_that_differ_at_their_ends_stay_different():
    assert safe_name("a" * 300 + "x") != safe_name("a" * 300 + "y")

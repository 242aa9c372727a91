from __future__ import annotations

import os
import pickle

from curifactory.caching.placement import Placement


def test_final_paths_are_below_the_cache_folder(tmp_path):
    placement = Placement("sub/x_1", str(tmp_path))
    assert placement.final_path(".pkl") == f"{tmp_path}/sub/x_1.pkl"
    assert placement.current_path(f"{tmp_path}/sub/x_1.pkl") == f"{tmp_path}/sub/x_1.pkl"
    assert placement.staged == {}


def test_a_staged_path_can_be_written_at_once_and_remembers_its_name(tmp_path):
    placement = Placement("sub/x_1", "/data/cache", staging=str(tmp_path))
    staged = placement.current_path(placement.final_path(".pkl"))
    with open(staged, "w") as file:
        file.write("x")
    assert placement.staged == {staged: "/data/cache/sub/x_1.pkl"}
    assert staged.startswith(str(tmp_path))


def test_a_path_elsewhere_is_staged_too(tmp_path):
    placement = Placement("/models/best", "/data/cache", staging=str(tmp_path))
    staged = placement.current_path(placement.final_path(".pkl"))
    assert placement.staged == {str(tmp_path / "best.pkl"): "/models/best.pkl"}
    assert os.path.dirname(staged) == str(tmp_path)


def test_a_redirect_is_followed_when_nothing_is_staged(tmp_path):
    placement = Placement("x", "/data/cache", redirects={"/data/cache/x.pkl": "/data/superseded/ab.pkl"})
    assert placement.current_path("/data/cache/x.pkl") == "/data/superseded/ab.pkl"
    placement.staging = str(tmp_path)
    assert placement.current_path("/data/cache/x.pkl") == str(tmp_path / "x.pkl")


def test_a_placement_travels_to_other_processes():
    placement = Placement("x", "/data/cache", staged={"a": "b"}, output="x")
    assert pickle.loads(pickle.dumps(placement)) == placement

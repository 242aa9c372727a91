import dataclasses
import json
from pathlib import PurePosixPath

import numpy as np
import pytest

from curifactory.reporting import JsonReporter
from curifactory.reporting.reportables import tree


@dataclasses.dataclass
class Point:
    x: int
    name: str = "p"


def show(value, tmp_path):
    return JsonReporter(value, name="tree").to_fragment(str(tmp_path), "tree")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}),
        (
            {2: "x", None: "y", True: "z", ("a", 2): "w"},
            {"2": "x", "true": "z", "null": "y", "('a', 2)": "w"},
        ),
        ({"array": np.arange(3), "scalar": np.float32(0.5)}, {"array": [0, 1, 2], "scalar": 0.5}),
        ({"set": {"b", "a"}, "mixed": {1, "a"}}, {"set": ["a", "b"], "mixed": ["1", "a"]}),
        ({"point": Point(1), "path": PurePosixPath("a/b")}, {"point": {"x": 1, "name": "p"}, "path": "a/b"}),
        ("größe", "größe"),
    ],
)
def test_values_are_shown_by_what_they_hold(value, shown, tmp_path):
    assert json.loads(show(value, tmp_path).data["text"]) == shown


def test_text_stays_as_it_was_written(tmp_path):
    assert show({"é": "<b>"}, tmp_path).data == {"text": '{\n  "é": "<b>"\n}', "cut": False}


def test_a_long_tree_is_cut_and_lies_whole_beside_it(tmp_path):
    fragment = show(list(range(50_000)), tmp_path)
    assert len(fragment.data["text"]) == tree.SHOWN_CHARACTERS
    assert fragment.data["cut"]
    assert json.loads((tmp_path / fragment.files[0]).read_text(encoding="utf-8"))[-1] == 49_999


def test_secrets_are_masked_by_their_name_and_by_their_shape(tmp_path):
    @dataclasses.dataclass
    class Login:
        user: str = "ann"
        password: str = "hunter2"

    value = {
        "login": Login(),
        "deep": [{"api_key": ["hunter2"]}],
        "url": "https://ann:hunter2@host",
        "tokens": ["a"],
    }
    text = show(value, tmp_path).data["text"]
    assert "hunter2" not in text
    assert json.loads(text)["login"]["user"] == "ann"
    assert json.loads(text)["tokens"] == ["a"]

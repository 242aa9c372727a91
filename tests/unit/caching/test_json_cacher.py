from __future__ import annotations

import collections
import datetime as dt
import enum
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from curifactory.caching import JsonCacher
from curifactory.errors import CacheError


class Colour(enum.IntEnum):
    RED = 1


@dataclass
class Point:
    x: int = 1


def save(tmp_path, value, **arguments):
    cacher = JsonCacher(tmp_path / "value.json", **arguments)
    cacher.save(value)
    return cacher


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ((1, 2), "value is a tuple, which comes back as a list"),
        ({"rows": [0, 1, 2, (1,)]}, 'value["rows"][3] is a tuple, which comes back as a list'),
        ({"a": {1: "x"}}, 'value["a"] has the key 1, which is no text'),
        ({None: 1}, "value has the key None"),
        ({True: 1}, "value has the key True"),
        ([np.float64(1.5)], "value[0] is a numpy.float64, which comes back as a float"),
        ([np.int64(1)], "value[0] is a numpy.int64, which JSON does not know"),
        (np.arange(3), "value is a numpy.ndarray, which JSON does not know"),
        ({1, 2}, "value is a set"),
        (b"x", "value is a bytes"),
        (dt.date(2020, 1, 1), "value is a datetime.date"),
        (Point(), "Point, which JSON does not know"),
        (Colour.RED, "Colour, which comes back as an int"),
        (collections.OrderedDict(a=1), "collections.OrderedDict, which comes back as a dict"),
        (collections.Counter("a"), "collections.Counter, which comes back as a dict"),
        ([[[Path("x")]]], "PosixPath, which JSON does not know"),
    ],
)
def test_what_would_come_back_otherwise_is_refused_with_its_place(tmp_path, value, where):
    with pytest.raises(CacheError) as caught:
        save(tmp_path, value)
    assert where in str(caught.value)
    assert "lossy=True" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_the_first_three_faults_are_shown_together(tmp_path):
    with pytest.raises(CacheError) as caught:
        save(tmp_path, [(n,) for n in range(10)])
    assert caught.value.message.count("is a tuple") == 3
    assert "value[2]" in caught.value.message
    assert caught.value.message.endswith("and more.")


def test_a_value_that_contains_itself_is_refused(tmp_path):
    value = {"a": []}
    value["a"].append(value)
    with pytest.raises(CacheError, match="contains itself"):
        save(tmp_path, value)


def test_a_number_too_long_to_be_written_is_refused(tmp_path):
    with pytest.raises(CacheError, match="digits"):
        save(tmp_path, 10**5000)


def test_a_surrogate_pair_is_refused_and_a_single_one_comes_back(tmp_path):
    assert save(tmp_path, ["\ud83d"]).load() == ["\ud83d"]
    with pytest.raises(CacheError, match="surrogate"):
        save(tmp_path, ["\ud83d\ude00"])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": 1, "b": "größe"}, '{"a": 1, "b": "größe"}\n'),
        ([[1, 2], [3, 4]], "[\n  [1, 2],\n  [3, 4]\n]\n"),
        ({"a": {"b": {"c": []}}}, '{\n  "a": {\n    "b": {\n      "c": []\n    }\n  }\n}\n'),
        (list(range(200)), json.dumps(list(range(200))) + "\n"),
        (["x" * 60, "y" * 60], '[\n  "{}",\n  "{}"\n]\n'.format("x" * 60, "y" * 60)),
        ([], "[]\n"),
        (None, "null\n"),
    ],
)
def test_the_file_is_written_for_readers(tmp_path, value, text):
    save(tmp_path, value)
    written = (tmp_path / "value.json").read_text(encoding="utf-8")
    assert written == text
    assert json.loads(written) == value


def test_a_wide_dictionary_gets_a_line_for_each_entry(tmp_path):
    save(tmp_path, {f"name {n}": n for n in range(30)})
    assert len((tmp_path / "value.json").read_text().splitlines()) == 32


@pytest.mark.parametrize(
    ("value", "back"),
    [
        ((1, 2), [1, 2]),
        ({1: "a", None: "b"}, {"1": "a", "null": "b"}),
        ({"b", "a", "c"}, ["a", "b", "c"]),
        ([Path("a/b")], ["a/b"]),
        (np.int64(3), "3"),
        (dt.date(2020, 1, 2), "2020-01-02"),
    ],
)
def test_a_lossy_cacher_takes_what_comes_nearest(tmp_path, value, back):
    assert save(tmp_path, value, lossy=True).load() == back


def test_only_a_strict_cacher_is_lossless():
    assert JsonCacher().lossless
    assert not JsonCacher(lossy=True).lossless


def test_even_a_lossy_cacher_refuses_keys_that_have_no_text(tmp_path):
    with pytest.raises(CacheError, match="keys must be"):
        save(tmp_path, {(1, 2): 3}, lossy=True)


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / "value.json").write_text('{"a": ')
    with pytest.raises(CacheError, match=r"value\.json is no JSON"):
        JsonCacher(tmp_path / "value.json").load()

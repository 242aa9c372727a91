from __future__ import annotations

import os
import pickle
import pickletools
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from curifactory.caching import PickleCacher
from curifactory.caching.pickled_names import has_sets
from curifactory.errors import CacheError

ROOT = Path(__file__).resolve().parents[3]


class Model:
    def __init__(self, **parts):
        self.__dict__.update(parts)

    def predict(self):
        return 1


def helper():
    return 1


@pytest.mark.parametrize(
    ("value", "where"),
    [
        (lambda: 1, "value is a function"),
        ({"rows": [1, lambda: 1]}, "value['rows'][1] is a function"),
        (Model(inner=Model(lock=threading.Lock())), "value.inner.lock is a _thread.lock"),
        ([(n for n in "ab")], "value[0] is a generator"),
    ],
)
def test_the_part_that_cannot_be_pickled_is_named(tmp_path, value, where):
    cacher = PickleCacher(tmp_path / "value.pkl", name="model")
    with pytest.raises(CacheError) as caught:
        cacher.save(value)
    assert "PickleCacher cannot save 'model'" in caught.value.message
    assert where in caught.value.message
    assert caught.value.__cause__ is not None
    assert os.listdir(tmp_path) == []


def test_an_object_whose_own_pickling_raises_is_named(tmp_path):
    class Broken:
        def __getstate__(self):
            raise KeyError("state")

    with pytest.raises(CacheError, match="Broken"):
        PickleCacher(tmp_path / "x").save({"a": Broken()})


def test_the_pickle_can_be_read_by_every_supported_python(tmp_path):
    PickleCacher(tmp_path / "x").save({"a": np.arange(3)})
    with open(tmp_path / "x", "rb") as file:
        opcode, protocol, _ = next(pickletools.genops(file))
    assert (opcode.name, protocol) == ("PROTO", 5)


def test_classes_and_functions_in_the_pickle_are_listed(tmp_path):
    cacher = PickleCacher(tmp_path / "x")
    cacher.save([Model(do=helper, kind=Path), {"a": 1}])
    assert {f"{__name__}:Model", f"{__name__}:helper"} <= set(cacher.names)
    assert any(name.startswith("pathlib") for name in cacher.names)
    assert cacher.extra_metadata["names"] == list(cacher.names)


def test_a_plain_value_names_nothing(tmp_path):
    cacher = PickleCacher(tmp_path / "x")
    cacher.save([1, {"a": (2.5, {"b"})}])
    assert cacher.names == ()
    assert cacher.extra_metadata == {}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({1, 2}, True),
        ({"a": [{"b": (frozenset("ab"),)}]}, True),
        (Model(inner=Model(tags={"a", "b"})), True),
        ({frozenset("ab"): 1}, True),
        ({1}, False),
        ([1, "a", {"b": 2}], False),
        (np.arange(3), False),
        (Model(a=1), False),
    ],
)
def test_sets_are_found_in_containers_and_objects(value, found):
    assert has_sets(value) is found


def test_a_value_that_contains_itself_is_looked_through_once():
    value = Model()
    value.me = [value]
    assert not has_sets(value)


def test_equal_sets_have_one_digest_in_every_process(tmp_path):
    code = (
        "import sys; from curifactory.caching import PickleCacher\n"
        "cacher = PickleCacher(sys.argv[1]); value = {'tags': {'one', 'two', 'three', 'four', 'five'}, 'n': [1]}\n"
        "cacher.save(value); print(cacher.digest(value, [sys.argv[1]]))"
    )
    digests, files = set(), set()
    for seed in range(4):
        environment = {**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(ROOT)}
        path = tmp_path / str(seed)
        done = subprocess.run(
            [sys.executable, "-c", code, str(path)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(done.stdout.strip())
        files.add(path.read_bytes())
    assert len(files) > 1
    assert len(digests) == 1
    kind, _, digits = digests.pop().partition(":")
    assert (kind, len(digits)) == ("canonical", 64)


def test_values_without_sets_are_known_by_their_bytes():
    assert PickleCacher().digest([1, 2], []) is None


def test_a_set_of_what_cannot_be_identified_is_known_by_its_bytes():
    assert PickleCacher().digest([{object(), object()}], []) is None


def test_what_was_pickled_elsewhere_is_loaded(tmp_path):
    (tmp_path / "x").write_bytes(pickle.dumps({"a": 1}, protocol=2))
    assert PickleCacher(tmp_path / "x").load() == {"a": 1}

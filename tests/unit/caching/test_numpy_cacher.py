from __future__ import annotations

import os

import numpy as np
import pytest

from curifactory.caching import NumpyCacher, Placement
from curifactory.errors import CacheError


def placed(tmp_path, **arguments):
    cacher = NumpyCacher(**arguments)
    cacher.place(Placement("x", str(tmp_path), output="x"))
    return cacher


def test_an_array_is_read_by_numpy_itself(tmp_path):
    NumpyCacher(tmp_path / "a.npy").save(np.arange(3))
    assert np.load(tmp_path / "a.npy").tolist() == [0, 1, 2]


def test_a_dictionary_is_read_by_numpy_itself(tmp_path):
    NumpyCacher(tmp_path / "a.npz").save({"a": np.arange(3), "b": np.ones(2)})
    with np.load(tmp_path / "a.npz") as arrays:
        assert sorted(arrays.files) == ["a", "b"]
        assert arrays["b"].tolist() == [1, 1]


def test_a_dictionary_has_the_same_bytes_at_any_time(tmp_path, monkeypatch):
    NumpyCacher(tmp_path / "a.npz").save({"a": np.arange(3)})
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    NumpyCacher(tmp_path / "b.npz").save({"a": np.arange(3)})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([1, 2], "it is a list, no numpy.ndarray"),
        (np.float64(1), "it is a numpy.float64"),
        (np.ma.masked_array([1], [True]), "MaskedArray"),
        (np.array([{}]), "it has Python objects"),
        ({"a": np.array([None])}, "value['a'] has Python objects"),
        ({"a": [1]}, "value['a'] is a list"),
        ({1: np.ones(1)}, "the key 1"),
        ({"a\0b": np.ones(1)}, "the key"),
        (np.array([("x", None)], dtype=[("a", "U1"), ("b", object)]), "Python objects"),
        (np.array(["a"], dtype=np.dtypes.StringDType()), "dtype"),
        (np.zeros(1, dtype=[(f"field {n}", "f8") for n in range(1000)]), "dtype"),
    ],
)
def test_what_would_come_back_otherwise_is_refused(tmp_path, value, problem):
    with pytest.raises(CacheError) as caught:
        placed(tmp_path).save(value)
    assert problem in str(caught.value).replace("Python objects (StringDType())", "dtype")
    assert os.listdir(tmp_path) == []


def test_the_extension_follows_the_value_in_a_stage(tmp_path):
    for value, name in ((np.ones(2), "x.npy"), ({"a": np.ones(2)}, "x.npz")):
        cacher = placed(tmp_path)
        cacher.save(value)
        assert os.listdir(tmp_path) == [name]
        loading = placed(tmp_path)
        loading.extra_metadata = cacher.extra_metadata
        assert type(loading.load()) is type(value)
        os.remove(tmp_path / name)


def test_two_files_of_one_name_are_not_guessed_between(tmp_path):
    placed(tmp_path).save(np.ones(2))
    placed(tmp_path).save({"a": np.ones(2)})
    with pytest.raises(CacheError, match="There are both"):
        placed(tmp_path).load()


@pytest.mark.parametrize(("name", "value"), [("a.npz", np.ones(1)), ("a.npy", {}), ("a", np.ones(1))])
def test_a_path_with_the_wrong_extension_is_refused(tmp_path, name, value):
    with pytest.raises(CacheError, match="path_override that ends with"):
        NumpyCacher(tmp_path / name).save(value)


def test_a_lazy_array_is_mapped_and_its_file_is_safe(tmp_path):
    cacher = NumpyCacher(tmp_path / "a.npy")
    cacher.save(np.arange(6).reshape(2, 3))
    mapped = cacher.load_lazy()
    assert type(mapped) is np.ndarray
    assert isinstance(mapped.base, np.memmap)
    mapped[0, 0] = 9
    assert cacher.load().tolist() == [[0, 1, 2], [3, 4, 5]]
    assert mapped.tolist() == [[9, 1, 2], [3, 4, 5]]


def test_a_mapped_array_stays_whole_when_its_name_passes_on(tmp_path):
    cacher = NumpyCacher(tmp_path / "a.npy")
    cacher.save(np.arange(1000))
    mapped = cacher.load_lazy()
    cacher.save(np.zeros(3))
    assert mapped.sum() == 499500


@pytest.mark.parametrize(
    "value", [np.empty((0, 3)), np.array(5.5), {"a": np.ones(2)}, np.empty(2, dtype="V0")]
)
def test_what_cannot_be_mapped_is_read(tmp_path, value):
    cacher = NumpyCacher(tmp_path / ("a.npz" if isinstance(value, dict) else "a.npy"))
    cacher.save(value)
    loaded = cacher.load_lazy()
    assert type(loaded) is type(value)
    assert isinstance(value, dict) or (loaded.shape, loaded.dtype) == (value.shape, value.dtype)


def test_objects_are_pickled_only_when_asked_for(tmp_path):
    value = np.array([{"a": 1}], dtype=object)
    NumpyCacher(tmp_path / "a.npy", allow_pickle=True).save(value)
    assert NumpyCacher(tmp_path / "a.npy", allow_pickle=True).load_lazy()[0] == {"a": 1}
    with pytest.raises(CacheError, match="holds no arrays"):
        NumpyCacher(tmp_path / "a.npy").load()


def test_a_mapped_array_can_be_saved_again(tmp_path):
    NumpyCacher(tmp_path / "a.npy").save(np.arange(4))
    NumpyCacher(tmp_path / "b.npy").save(np.load(tmp_path / "a.npy", mmap_mode="r"))
    assert NumpyCacher(tmp_path / "b.npy").load().tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_a_torn_file_is_named(tmp_path, name):
    value = np.arange(1000)
    NumpyCacher(tmp_path / name).save(value if name == "a.npy" else {"a": value})
    whole = (tmp_path / name).read_bytes()
    for size in (0, 3, 50, len(whole) // 2):
        (tmp_path / name).write_bytes(whole[:size])
        with pytest.raises(CacheError, match="holds no arrays"):
            NumpyCacher(tmp_path / name).load()

"""Arrays, frames and pickles of all shapes come back the same."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from hypothesis.extra import pandas as frames

from curifactory.caching import NumpyCacher, ParquetCacher, PickleCacher
from curifactory.testing import are_equal

DTYPES = arrays.scalar_dtypes() | arrays.array_dtypes(max_size=3) | arrays.nested_dtypes(max_leaves=3)
ARRAYS = DTYPES.flatmap(
    lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, min_side=0, max_side=4))
)
FRAMES = frames.data_frames(
    [
        frames.column("a", dtype=float),
        frames.column("b", dtype="int64"),
        frames.column("c", elements=st.text(max_size=5)),
    ],
    index=frames.range_indexes(max_size=5),
)


@given(ARRAYS, st.booleans())
def test_an_array_comes_back_read_or_mapped(array, transposed):
    array = array.T if transposed else array
    with tempfile.TemporaryDirectory() as folder:
        cacher = NumpyCacher(Path(folder, "a.npy"))
        cacher.save(array)
        assert are_equal(array, cacher.load())
        assert are_equal(array, np.array(cacher.load_lazy()))


@given(st.dictionaries(st.text(max_size=5).filter(lambda key: "\0" not in key), ARRAYS, max_size=3))
def test_a_dictionary_of_arrays_comes_back(value):
    with tempfile.TemporaryDirectory() as folder:
        cacher = NumpyCacher(Path(folder, "a.npz"))
        cacher.save(value)
        assert are_equal(value, cacher.load())


@given(FRAMES)
def test_a_frame_comes_back_from_parquet(frame):
    with tempfile.TemporaryDirectory() as folder:
        cacher = ParquetCacher(Path(folder, "a.parquet"))
        cacher.save(frame)
        pd.testing.assert_frame_equal(cacher.load(), frame)


VALUES = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5) | st.dates(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.integers(), inner),
    max_leaves=10,
)


@given(VALUES)
def test_a_value_comes_back_from_a_pickle(value):
    with tempfile.TemporaryDirectory() as folder:
        cacher = PickleCacher(Path(folder, "a.pkl"))
        cacher.save(value)
        assert are_equal(value, cacher.load())

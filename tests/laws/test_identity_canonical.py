"""Two values have the same digest exactly when they are the same value, in whatever process they are digested."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import os
import pickle
import subprocess
import sys
import uuid
from pathlib import Path, PurePosixPath

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings
from hypothesis.extra import numpy as st_numpy

from curifactory.identity.canonical import digest

ROOT = Path(__file__).resolve().parents[2]

NUMBERS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers())
WORDS = st.one_of(
    st.text(max_size=8), st.binary(max_size=8), st.uuids(), st.decimals(), st.dates(), st.timedeltas()
)
PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(lambda parts: PurePosixPath(*parts))
ATOMS = st.one_of(NUMBERS, WORDS, PATHS, st.datetimes())
KEYS = st.one_of(st.booleans(), st.integers(-3, 3), st.text("ab", max_size=2), st.floats(-1, 1))


def containers(inner):
    return st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(KEYS, inner, max_size=4),
        st.sets(KEYS, max_size=4),
        st.frozensets(KEYS, max_size=4),
    )


VALUES = st.recursive(ATOMS, containers, max_leaves=12)
ARRAYS = st_numpy.arrays(
    st.sampled_from(["?", "i1", "<i4", "<i8", "u2", "f4", "f8", "c16", "U3", "S2", "M8[s]"]),
    st_numpy.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
)


def same(left, right):
    """Say whether two values are the same, types included; the judge that is written without any encoding."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return repr(left) == repr(right)
    if isinstance(left, complex):
        return same(left.real, right.real) and same(left.imag, right.imag)
    if isinstance(left, decimal.Decimal):
        return str(left) == str(right)
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, (set, frozenset)):
        return len(left) == len(right) and all(any(same(a, b) for b in right) for a in left)
    if isinstance(left, dict):
        return len(left) == len(right) and all(
            any(same(key, other) and same(item, right[other]) for other in right)
            for key, item in left.items()
        )
    if isinstance(left, dt.datetime):
        return left == right and left.fold == right.fold
    return left == right


@given(VALUES, VALUES)
@settings(max_examples=300)
def test_digests_are_equal_exactly_when_values_are_the_same(left, right):
    assert (digest(left) == digest(right)) is same(left, right)


@given(VALUES, st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_a_copy_that_was_built_in_another_order_has_the_same_digest(value, random):
    def rebuild(part):
        if isinstance(part, dict):
            items = list(part.items())
            random.shuffle(items)
            return {key: rebuild(item) for key, item in items}
        if isinstance(part, (set, frozenset)):
            items = list(part)
            random.shuffle(items)
            return type(part)(items)
        if isinstance(part, (list, tuple)):
            return type(part)(rebuild(item) for item in part)
        return part

    assert digest(rebuild(value)) == digest(value)


@given(VALUES, st.data())
@settings(max_examples=200)
def test_a_value_inside_of_another_never_has_its_digest(value, data):
    wrapped = data.draw(st.sampled_from([[value], (value,), {"a": value}]))
    assert digest(wrapped) != digest(value)


@given(ARRAYS, ARRAYS)
@settings(max_examples=200)
def test_arrays_are_equal_by_dtype_shape_and_elements(left, right):
    equal = (
        left.dtype == right.dtype
        and left.shape == right.shape
        and all(map(_same_element, left.ravel().tolist(), right.ravel().tolist()))
    )
    assert (digest(left) == digest(right)) is equal
    assert digest(np.asfortranarray(left)) == digest(
        np.ascontiguousarray(left).reshape(np.asfortranarray(left).shape)
    )


def _same_element(left, right):
    return same(left, right)


_ELSEWHERE = """
import json, pickle, sys
from curifactory.identity.canonical import digest
with open(sys.argv[1], "rb") as file:
    values = pickle.load(file)
print(json.dumps([digest(value) for value in values]))
"""


def test_digests_do_not_depend_on_the_process(tmp_path):
    values = [{"a", "b", "c", uuid.UUID(int=3)}, {frozenset("xyz"): {1, 2.5, "q"}}]

    @given(st.one_of(VALUES, ARRAYS))
    @settings(max_examples=150, database=None)
    def collect(value):
        values.append(value)

    collect()
    (tmp_path / "values").write_bytes(pickle.dumps(values))
    here = [digest(value) for value in values]
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", _ELSEWHERE, str(tmp_path / "values")]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == here

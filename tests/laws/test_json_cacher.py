"""A value that ``JsonCacher`` takes comes back the same; one that would not is refused."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from curifactory.caching import JsonCacher
from curifactory.errors import CacheError
from curifactory.testing import are_equal

ATOMS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=30)
)
PLAIN = st.recursive(ATOMS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30)
OTHERS = (
    st.tuples(st.integers())
    | st.binary()
    | st.frozensets(st.integers())
    | st.complex_numbers()
    | st.dates()
    | st.uuids()
)
ANYTHING = st.recursive(
    ATOMS | OTHERS,
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.integers() | st.none(), inner)
        | st.tuples(inner, inner)
    ),
    max_leaves=10,
)


def save_and_load(value, **arguments):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "value.json")
        JsonCacher(path, **arguments).save(value)
        return JsonCacher(path, **arguments).load(), path.read_text(encoding="utf-8")


@given(PLAIN)
def test_a_plain_value_comes_back(value):
    loaded, text = save_and_load(value)
    assert are_equal(value, loaded)
    assert are_equal(value, json.loads(text))


@given(ANYTHING)
def test_any_value_comes_back_or_is_refused(value):
    try:
        loaded, _ = save_and_load(value)
    except CacheError:
        assert not are_equal(value, _through_json(value))
    else:
        assert are_equal(value, loaded)


@given(ANYTHING)
def test_a_lossy_cacher_takes_everything_and_settles(value):
    loaded, _ = save_and_load(value, lossy=True)
    again, _ = save_and_load(loaded)
    assert are_equal(loaded, again)


def _through_json(value):
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError):
        return object()

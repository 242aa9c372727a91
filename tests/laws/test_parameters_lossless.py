"""The law of stored parameter sets: whatever is written without complaint comes back equal, and counts the same."""

from __future__ import annotations

import datetime as dt
import enum
import json
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from curifactory.parameters.lossless import diff_sets, dump_set, load_set, shown_set
from curifactory.parameters.sets import ExperimentParameters


class Color(enum.Enum):
    RED = 1
    BLUE = "b"


@dataclass(frozen=True)
class Part:
    x: Any = None
    y: Any = None


@dataclass
class Params(ExperimentParameters):
    a: Any = None
    b: Any = field(default_factory=Part)


hashable = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False),
        st.complex_numbers(allow_nan=False),
        st.text(st.characters(), max_size=6),
        st.binary(max_size=6),
        st.sampled_from(Color),
        st.sampled_from([dict, json.dumps, Part, ...]),
        st.dates(),
        st.datetimes(timezones=st.one_of(st.none(), st.just(dt.UTC), st.timezones())),
        st.times(),
        st.timedeltas(),
        st.uuids(),
        st.decimals(allow_nan=False),
        st.fractions(),
        st.builds(PurePosixPath, st.sampled_from(["a", "a/b", "/c", ""])),
    ),
    lambda inner: st.one_of(
        st.tuples(inner, inner), st.frozensets(inner, max_size=3), st.builds(Part, x=inner, y=inner)
    ),
    max_leaves=4,
)
values = st.recursive(
    st.one_of(hashable, st.sets(hashable, max_size=3), st.floats()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(hashable, inner, max_size=3),
        st.dictionaries(st.text(max_size=3), inner, max_size=3),
        st.builds(Part, x=inner, y=inner),
    ),
    max_leaves=8,
)
sets = st.builds(
    Params, name=st.text(min_size=1, max_size=5), hash=st.none(), overwrite=st.booleans(), a=values, b=values
)


def through_json(params):
    text = json.dumps(dump_set(params), ensure_ascii=False, allow_nan=False)
    return json.loads(text.encode())


@given(sets)
def test_a_set_comes_back_as_it_was(params):
    tree = through_json(params)
    assume("not_stored" not in tree)
    back = load_set(tree)
    assert back.params_hash() == params.params_hash()
    assert (back.name, back.hash, back.overwrite) == (params.name, params.hash, params.overwrite)
    assert diff_sets(tree, through_json(back)) == []


@given(sets, sets)
def test_two_sets_differ_in_their_trees_exactly_if_they_differ(one, other):
    trees = [through_json(each) for each in (one, other)]
    assume(not any("not_stored" in tree for tree in trees))
    if diff_sets(*trees) == []:
        assert one.params_hash() == other.params_hash()
    if one.params_hash() != other.params_hash():
        assert diff_sets(*trees) != []


@given(sets)
def test_what_is_shown_is_json(params):
    shown = shown_set(params)
    assert list(shown) == ["a", "b"]
    assert json.loads(json.dumps(shown, allow_nan=False)) is not None

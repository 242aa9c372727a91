"""Laws of tracked views: what is computed from a view equals what is computed from the set, and all of it is noted."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from curifactory.parameters.digests import SetDigests
from curifactory.parameters.reads import ReadLog
from curifactory.parameters.sets import ExperimentParameters
from curifactory.parameters.view import track


@dataclass(frozen=True, slots=True)
class Leaf:
    x: Any = 1
    y: Any = 2

    def total(self):
        return (self.x, self.y)


@dataclass
class Branch:
    leaf: Any = field(default_factory=Leaf)
    other: Any = None

    @property
    def deep(self):
        return self.leaf.total()


@dataclass
class Params(ExperimentParameters):
    a: Any = 1
    branch: Branch = field(default_factory=Branch)
    c: Any = 3

    @property
    def both(self):
        return (self.a, self.branch.deep)


@dataclass(frozen=True, slots=True)
class Twig(Leaf):
    z: Any = 3


@dataclass
class MoreParams(Params):
    momentum: Any = 0.9


scalars = st.one_of(
    st.integers(), st.floats(), st.text(max_size=5), st.booleans(), st.none(), st.binary(max_size=3)
)
values = st.one_of(
    scalars, st.lists(scalars, max_size=3), st.dictionaries(st.text(max_size=2), scalars, max_size=3)
)
leaves = st.builds(Leaf, x=values, y=values)
branches = st.builds(Branch, leaf=leaves, other=st.one_of(leaves, values))
sets = st.builds(
    Params,
    name=st.sampled_from("ab"),
    overwrite=st.booleans(),
    a=values,
    branch=branches,
    c=st.one_of(leaves, values),
)
# Each way to read, with the fields whose values it hands out.
READS = {
    "name": {"name"},
    "overwrite": {"overwrite"},
    "a": {"a"},
    "branch.leaf.x": {"branch.leaf.x"},
    "branch.leaf.y": {"branch.leaf.y"},
    "branch.leaf.total": {"branch.leaf.x", "branch.leaf.y"},
    "branch.deep": {"branch.leaf.x", "branch.leaf.y"},
    "both": {"a", "branch.leaf.x", "branch.leaf.y"},
}
reads = st.lists(st.sampled_from(sorted(READS)), max_size=8)


def read(params, path):
    value = params
    for name in path.split("."):
        value = getattr(value, name)
    return value() if callable(value) else value


@given(sets, reads)
def test_reads_give_what_the_set_gives_and_are_noted_exactly(params, paths):
    log = ReadLog()
    view = track(params, log)
    assert repr([read(view, path) for path in paths]) == repr([read(params, path) for path in paths])
    noted = {path for path in log.paths() if not path.startswith(("code:", "type:"))}
    assert noted == set().union(*(READS[path] for path in paths))
    assert not log.whole
    assert log.changed(params) == []
    del view
    assert not log.escaped()


def behave(params, steps):
    """Walk through a set as a program might: the next step depends on what the last one gave."""
    seen: list[Any] = []
    place = params
    for step in steps:
        if step == "up" or not dataclasses.is_dataclass(place):
            place = params
            continue
        if step == "class":
            seen.append([isinstance(place, kind) for kind in (Params, MoreParams, Branch, Leaf, Twig)])
            continue
        if step == "fields":
            seen.append([each.name for each in dataclasses.fields(place)])
            continue
        place = getattr(place, step, "nothing")
        seen.append(dataclasses.is_dataclass(place) or repr(place))
    return seen


steps = st.lists(
    st.sampled_from(
        ["up", "class", "fields", "a", "branch", "c", "leaf", "other", "x", "y", "name", "momentum"]
    ),
    max_size=12,
)


# Few values, so that two sets often agree in what a program happens to read; and classes that look alike.
few = st.sampled_from([1, True, None, "a"])
few_leaves = st.one_of(few, st.builds(Leaf, x=few, y=st.just(2)), st.builds(Twig, x=few, y=st.just(2)))
few_sets = st.one_of(
    *(
        st.builds(
            kind, name=st.sampled_from("ab"), a=few, c=few_leaves, branch=st.builds(Branch, leaf=few_leaves)
        )
        for kind in (Params, MoreParams)
    )
)


@settings(max_examples=500)
@given(few_sets, few_sets, steps)
def test_whatever_reads_the_same_does_the_same(params, others, program):
    """The law that reuse rests on: equal digests of what was read mean that the program would do the same again."""
    log = ReadLog()
    did = behave(track(params, log), program)
    assert did == behave(params, program)
    paths = log.paths()
    if SetDigests(params).of_all(paths) == SetDigests(others).of_all(paths):
        assert behave(others, program) == did


@given(sets, reads)
def test_equal_sets_have_equal_reads(params, paths):
    digests = []
    for each in (params, copy.deepcopy(params), pickle.loads(pickle.dumps(params))):
        log = ReadLog()
        view = track(each, log)
        for path in paths:
            read(view, path)
        digests.append(SetDigests(each).of_all(log.paths()))
    assert digests[0] == digests[1] == digests[2]


@given(sets)
def test_whatever_leaves_a_view_is_plain_and_equal(params):
    view = track(params, ReadLog())
    made = [
        pickle.loads(pickle.dumps(view)),
        copy.deepcopy(view),
        copy.copy(view),
        dataclasses.replace(view),
    ]
    for each in made:
        assert type(each) is Params
        assert type(each.branch) is Branch
        assert type(each.branch.leaf) is Leaf
        assert repr(each) == repr(params)
    assert repr(dataclasses.asdict(view)) == repr(dataclasses.asdict(params))
    assert (view == params) == (params == view) == (params == params)  # noqa: PLR0124 (NaN)

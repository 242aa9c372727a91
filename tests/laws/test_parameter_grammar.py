"""Laws of the parameter grammar: printing and parsing, updates, sweeps, ranges, trees."""

from __future__ import annotations

import copy
import itertools
import math
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curifactory.errors import ParameterError
from curifactory.parameters import ExperimentParameters, Range, chain, product, update, zipped
from curifactory.parameters.arguments import read_changes, read_values, split_argument
from curifactory.parameters.lossless import dump_set, load_set
from curifactory.parameters.names import find_places, value_at
from curifactory.parameters.trees import make_tree, plain_tree
from curifactory.parameters.variations import Sweep, make_variations
from curifactory.parameters.yaml_files import load_sets
from curifactory.parameters.yaml_text import read_yaml

NAMES = st.sampled_from(["a", "b", "lr", "model", "n", "size"])
ATOMS = st.one_of(
    st.integers(-99, 99),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text("xyz ", min_size=1, max_size=4).map(lambda text: f"t{text}t"),
)
VALUES = st.one_of(ATOMS, st.lists(st.integers(-9, 9), max_size=3))
TREES = st.recursive(
    st.dictionaries(NAMES, VALUES, min_size=1, max_size=4),
    lambda inner: st.dictionaries(NAMES, st.one_of(VALUES, inner), min_size=1, max_size=4),
    max_leaves=12,
)


@dataclass
class Inner:
    rate: float = 0.5
    sizes: tuple[int, ...] = (1, 2)


@dataclass
class Params(ExperimentParameters):
    n: int = 1
    seed: int = 0
    title: str = "x"
    flag: bool = False
    limit: int | None = None
    inner: Inner = field(default_factory=Inner)


TYPED = {
    "n": st.integers(),
    "seed": st.integers(),
    "title": st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8),
    "flag": st.booleans(),
    "limit": st.none() | st.integers(),
    "inner.rate": st.floats(allow_nan=False),
    "inner.sizes": st.lists(st.integers(), max_size=3).map(tuple),
}


def is_same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


WHOLE = st.builds(
    lambda digits, zeros, point: (
        f"{digits}{'.' + '0' * point if point else ''}e{zeros}",
        digits * 10**zeros,
    ),
    st.integers(-999, 999),
    st.integers(0, 9),
    st.integers(0, 3),
) | st.integers(-(10**9), 10**9).map(lambda number: (f"{number}.0", number))
FRACTIONS = st.tuples(st.integers(-(10**6), 10**6), st.sampled_from(["1", "5", "25", "999"])).map(
    lambda parts: f"{parts[0]}.{parts[1]}"
)


def read_yaml_set(line: str) -> Any:
    document = read_yaml(f"class: {__name__}.Params\nsets: [{{{line}}}]", shown="x.yaml")
    (params,) = load_sets(document, name="x", find=lambda name: None)
    return params


@given(WHOLE)
def test_a_whole_number_is_an_int_where_one_is_declared_however_it_is_written(written: Any) -> None:
    text, number = written
    for name in ("n", "limit"):
        (typed,) = read_changes(Params(), [f"{name}={text}"])[name]
        assert is_same(typed, number)
        assert is_same(getattr(read_yaml_set(f"{name}: {text}"), name), number)
    assert is_same(read_yaml_set(f"inner: {{sizes: [{text}]}}").inner.sizes[0], number)
    assert is_same(read_yaml_set(f"inner: {{rate: {text}}}").inner.rate, float(number))


@given(FRACTIONS)
def test_a_fraction_is_refused_where_an_int_is_declared(text: str) -> None:
    with pytest.raises(ParameterError, match=f"'{text}' is no(ne of)? int"):
        read_changes(Params(), [f"n={text}"])
    with pytest.raises(ParameterError, match=r"x.yaml:2:9: n: .* is no int"):
        read_yaml_set(f"n: {text}")
    with pytest.raises(ParameterError, match=r"limit: .* is none of int \| None"):
        read_yaml_set(f"limit: {text}")


@given(st.integers(16, 300), st.integers(1, 9))
def test_of_a_whole_number_that_a_float_cannot_tell_nothing_is_guessed(zeros: int, digit: int) -> None:
    text = f"{digit}e{zeros}"
    assert read_changes(Params(), [f"n={text}"])["n"] == [digit * 10**zeros]
    with pytest.raises(ParameterError, match="write all digits"):
        read_yaml_set(f"n: {text}")
    assert read_yaml_set(f"n: {digit * 10**zeros}").n == digit * 10**zeros


@given(st.fixed_dictionaries({}, optional=TYPED))
def test_what_python_writes_of_a_value_is_read_back_as_the_value(changes: dict[str, Any]) -> None:
    words = [f"{name}={value!r}" for name, value in changes.items()]
    found = read_changes(Params(), words)
    assert list(found) == list(changes)
    for name, value in changes.items():
        assert len(found[name]) == 1
        assert is_same(found[name][0], value)


@given(st.lists(ATOMS, min_size=1, max_size=4))
def test_what_is_printed_with_commas_is_read_back_as_the_values(values: list[Any]) -> None:
    assert all(map(is_same, read_values(",".join(map(repr, values))), values))


@given(
    st.integers(-50, 50) | st.floats(-50, 50),
    st.integers(-50, 50) | st.floats(-50, 50),
    st.integers(1, 9),
    st.integers(2, 9),
    st.booleans(),
)
def test_a_range_that_is_printed_is_read_back(
    start: Any, stop: Any, step: int, num: int, counted: bool
) -> None:
    ranged = Range(start, stop, num=num) if counted else Range(start, stop, step)
    again = Range(str(ranged))
    assert again == ranged
    assert list(again) == list(ranged)
    assert split_argument(f"x={ranged}") == ("x", str(ranged))


@given(st.floats(1e-9, 1e9), st.floats(1e-9, 1e9), st.integers(2, 9))
def test_a_logarithmic_range_hits_its_ends_and_is_monotone(start: float, stop: float, num: int) -> None:
    found = list(Range(start, stop, num=num, log=True))
    assert len(found) == num
    assert (found[0], found[-1]) == (start, stop)
    assert sorted(found, reverse=start > stop) == found or math.isclose(start, stop, rel_tol=1e-9)


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(1, 9))
def test_integers_begin_at_the_start_and_stay_within_the_ends(start: int, stop: int, step: int) -> None:
    found = list(Range(start, stop, step))
    assert found[0] == start
    assert all(min(start, stop) <= each <= max(start, stop) for each in found)
    assert {abs(one - other) for one, other in itertools.pairwise(found)} <= {step}
    assert len(found) == abs(stop - start) // step + 1


@given(TREES, NAMES, st.data())
def test_an_update_changes_the_places_of_its_name_and_nothing_else(tree: Any, name: str, data: Any) -> None:
    places = find_places(tree, name, sections=False)
    before = copy.deepcopy(tree)
    olds = [value_at(tree, place) for place in places]
    if not places or len({type(old) for old in olds}) != 1:
        return
    value = data.draw(VALUES.filter(lambda each: type(each) is type(olds[0])))
    new, applied = update(tree, {name: value})
    assert tree == before
    assert all(is_same(value_at(new, place), value) for place in places)
    expected = copy.deepcopy(tree)
    for place in places:
        owner = value_at(expected, place[:-1])
        owner[place[-1]] = value
    assert new == expected
    # Once is as good as twice, and what was applied can be applied.
    assert update(new, applied) == (new, applied)


@given(st.fixed_dictionaries({}, optional=TYPED))
def test_updates_of_a_class_are_idempotent_and_leave_the_set_alone(changes: dict[str, Any]) -> None:
    params = Params()
    new, applied = update(params, changes)
    assert params == Params()
    assert update(new, applied)[0] == new
    assert all(is_same(value_at(new, tuple(name.split("."))), value) for name, value in changes.items())


SWEPT = st.fixed_dictionaries(
    {},
    optional={
        "n": st.lists(st.integers(2, 99), min_size=2, max_size=4, unique=True),
        "seed": st.lists(st.integers(2, 99), min_size=2, max_size=4, unique=True),
        "inner.rate": st.lists(st.floats(0, 1), min_size=2, max_size=3, unique=True),
    },
)


def read(params: Any, names: Any) -> tuple[Any, ...]:
    return tuple(value_at(params, tuple(name.split("."))) for name in names)


@settings(max_examples=30)
@given(SWEPT, st.integers(1, 3))
def test_a_product_has_every_combination_in_order_and_once_a_repetition(ranges: Any, repeat: int) -> None:
    sets = product(Params(), ranges, repeat=repeat)
    expected = list(itertools.product(*ranges.values())) * repeat
    assert [read(params, ranges) for params in sets] == expected
    assert len({params.name for params in sets}) == len(sets)
    assert len({params.params_hash() for params in sets}) == len(sets)
    assert Sweep(
        "product", {}, {name: tuple(values) for name, values in ranges.items()}, repeat
    ).count == len(sets)


@given(SWEPT)
def test_a_chain_changes_one_parameter_at_a_time_in_order(ranges: Any) -> None:
    sets = chain(Params(), ranges)
    base = dict(zip(ranges, read(Params(), ranges), strict=True))
    expected = [tuple({**base, name: value}.values()) for name, values in ranges.items() for value in values]
    assert [read(params, ranges) for params in sets] == (expected or [()])


@given(st.lists(st.tuples(st.integers(2, 99), st.integers(2, 99)), min_size=2, max_size=5, unique=True))
def test_side_by_side_is_pair_by_pair(pairs: list[tuple[int, int]]) -> None:
    ns, seeds = zip(*pairs, strict=True)
    if len(set(ns)) == len(ns) and len(set(seeds)) == len(seeds):
        assert [(params.n, params.seed) for params in zipped(Params(), n=list(ns), seed=list(seeds))] == pairs


@settings(max_examples=30)
@given(SWEPT)
def test_every_set_of_a_sweep_is_the_base_with_its_own_values(ranges: Any) -> None:
    sweep = Sweep("product", {}, {name: tuple(values) for name, values in ranges.items()})
    for each in make_variations(Params(), sweep):
        assert update(Params(), {**each.values, "name": each.params.name})[0] == each.params


@given(TREES)
def test_trees_come_back_from_the_run_folder_and_from_plain_values(tree: Any) -> None:
    params = make_tree(tree, name="x")
    assert plain_tree(params) == tree
    assert load_set(dump_set(params)) == params
    assert make_tree(copy.deepcopy(tree), name="y").params_hash() == params.params_hash()


@given(TREES)
def test_what_yaml_writes_of_a_tree_is_read_back(tree: Any) -> None:
    import yaml

    assert read_yaml(yaml.safe_dump(tree), shown="x.yaml").value == tree

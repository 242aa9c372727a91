"""Sets are multiplied over values, with names that people can read."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Any

import pytest

from curifactory.errors import ParameterError, ParameterTypeError, UnknownParameterError
from curifactory.parameters import ExperimentParameters, Range, chain, product, zipped
from curifactory.parameters.sweeps import make_sweep
from curifactory.parameters.variations import Sweep, Variation, iter_variations, make_variations


class Kind(Enum):
    ADAM = 1
    SGD = 2


@dataclass
class Params(ExperimentParameters):
    fold: int = 0
    factor: float = 0.1
    lr: float = 0.01
    batch_size: int = 8
    sizes: list[int] = field(default_factory=lambda: [20, 30])
    kind: Kind = Kind.ADAM


def rows(sets: list[Any], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(getattr(params, name) for name in names) for params in sets]


def test_the_last_parameter_of_a_product_varies_fastest() -> None:
    sets = product(Params(), fold=range(2), factor=[0.5, 0.7])
    assert rows(sets, "fold", "factor") == [(0, 0.5), (0, 0.7), (1, 0.5), (1, 0.7)]


def test_a_product_that_is_repeated_plays_the_whole_list_again() -> None:
    sets = product(Params(), fold=[0, 1], repeat=2)
    assert rows(sets, "fold", "repeat_index") == [(0, 0), (1, 0), (0, 1), (1, 1)]
    assert [params.name for params in sets] == ["fold=0", "fold=1", "fold=0 #1", "fold=1 #1"]


def test_repetitions_without_parameters_are_copies_with_identities_of_their_own() -> None:
    first, second = product(Params(name="base"), repeat=2)
    assert (first.name, second.name) == ("base", "base #1")
    assert first.params_hash() == Params().params_hash()
    assert second.params_hash() != first.params_hash()


def test_a_chain_changes_one_parameter_at_a_time() -> None:
    sets = chain(Params(), fold=range(2), factor=[0.5, 0.7], lr=[1e-4, 1e-3], batch_size=32)
    assert rows(sets, "fold", "factor", "lr", "batch_size") == [
        (0, 0.1, 0.01, 32),
        (1, 0.1, 0.01, 32),
        (0, 0.5, 0.01, 32),
        (0, 0.7, 0.01, 32),
        (0, 0.1, 1e-4, 32),
        (0, 0.1, 1e-3, 32),
    ]


def test_side_by_side_the_first_values_come_first() -> None:
    assert rows(zipped(Params(), fold=[1, 2], lr=[0.1, 0.2]), "fold", "lr") == [(1, 0.1), (2, 0.2)]
    with pytest.raises(ParameterError, match="fold has 2, lr has 3"):
        zipped(Params(), fold=[1, 2], lr=[0.1, 0.2, 0.3])


def test_names_of_several_bases_begin_with_theirs() -> None:
    sets = product([Params(name="a"), Params(name="b")], fold=[1, 2])
    assert [params.name for params in sets] == ["a fold=1", "a fold=2", "b fold=1", "b fold=2"]


def test_a_set_that_is_only_changed_keeps_its_name() -> None:
    assert [params.name for params in product(Params(name="a"), fold=3)] == ["a"]


def test_objects_without_a_text_of_their_own_are_named_the_same_in_every_process() -> None:
    @dataclass
    class Open(ExperimentParameters):
        tool: Any = None

    class Tool:
        pass

    sets = product(Open(name="a"), tool=[Tool(), Tool(), partial(lambda: 1)])
    assert [each.name for each in sets] == ["tool=Tool.0", "tool=Tool.1", "tool=partial.2"]
    assert [each.name for each in product(Open(name="a"), tool=[Tool(), 3])] == ["tool=Tool", "tool=3"]


def test_names_are_short_but_differ() -> None:
    sets = product(Params(), lr=[0.123456, 0.123457], kind=[Kind.ADAM, Kind.SGD])
    assert [params.name for params in sets[:2]] == ["lr=0.123456,kind=ADAM", "lr=0.123456,kind=SGD"]
    assert [params.name for params in product(Params(), sizes=[[1], [2, 3]])] == ["sizes=[1]", "sizes=[2, 3]"]


@pytest.mark.parametrize(
    ("given", "fixed", "varying"),
    [
        ({"fold": 3}, {"fold": 3}, {}),
        ({"fold": [3]}, {"fold": 3}, {}),
        ({"fold": range(1)}, {"fold": 0}, {}),
        ({"fold": Range(2)}, {}, {"fold": (0, 1, 2)}),
        ({"fold": (n for n in (1, 2))}, {}, {"fold": (1, 2)}),
        ({"fold": {2, 1}}, {}, {"fold": (1, 2)}),
        ({"fold": [1, 1, 2]}, {}, {"fold": (1, 2)}),
        ({"name": "abc"}, {"name": "abc"}, {}),
        ({"sizes": [7]}, {"sizes": [7]}, {}),
        ({"sizes": [7, 8]}, {"sizes": [7, 8]}, {}),
        ({"sizes": []}, {"sizes": []}, {}),
        ({"sizes": [[7]]}, {"sizes": [7]}, {}),
        ({"sizes": [[7], [8]]}, {}, {"sizes": ([7], [8])}),
    ],
)
def test_one_value_is_fixed_and_several_vary(given: Any, fixed: Any, varying: Any) -> None:
    sweep = make_sweep(Params(), "product", given)
    assert (sweep.fixed, sweep.varying) == (fixed, varying)


def test_a_product_over_nothing_has_no_sets_to_give() -> None:
    with pytest.raises(ParameterError, match="fold: it has no values"):
        product(Params(), fold=[])


def test_faults_of_all_sets_are_told_at_once() -> None:
    with pytest.raises(ParameterError) as caught:
        product(Params(), fold=[1, "a", 2.5], lr=[0.1, 1])
    assert len(caught.value.faults) == 3
    with pytest.raises(UnknownParameterError, match=r"there is no parameter 'folt'; did you mean 'fold'\?"):
        product(Params(), folt=[1, 2])


def test_values_that_only_fit_together_are_set_together() -> None:
    @dataclass
    class Ordered(ExperimentParameters):
        low: int = 0
        high: int = 1

        def __post_init__(self) -> None:
            if self.low > self.high:
                raise ValueError("low is at most high")

    assert rows(zipped(Ordered(), low=[5, 7], high=[6, 8]), "low", "high") == [(5, 6), (7, 8)]
    with pytest.raises(ParameterTypeError, match="low is at most high"):
        product(Ordered(), low=[5, 7], high=[6, 8])


@pytest.mark.parametrize("repeat", [0, -1, True, 1.5])
def test_a_sweep_is_repeated_once_or_more(repeat: Any) -> None:
    with pytest.raises(ParameterError, match="repeat is"):
        Sweep(repeat=repeat)


def test_a_kind_of_sweep_that_is_not_there_is_told() -> None:
    with pytest.raises(ParameterError, match="'grid' is no kind of sweep"):
        Sweep("grid")  # type: ignore[arg-type]


def test_a_sweep_knows_how_many_sets_it_makes() -> None:
    varying = {"fold": (1, 2), "lr": (0.1, 0.2)}
    for kind, count in (("product", 4), ("chain", 4), ("zip", 2)):
        sweep = Sweep(kind, {}, varying, 3)  # type: ignore[arg-type]
        assert sweep.count == count * 3 == len(make_variations(Params(), sweep))
    assert Sweep(repeat=2).count == 2


def test_the_best_value_of_a_finished_parameter_is_carried_to_the_next() -> None:
    scores = {1e-3: 0.004, 1e-4: 0.0004, 1e-2: 0.04}

    def least(name: str, made: Any) -> Variation:
        return min(made, key=lambda each: scores.get(each.params.lr, 0.0))

    sweep = Sweep("chain", {}, {"lr": tuple(scores), "fold": (0, 1), "factor": (0.5, 0.7)})
    made = list(iter_variations(Params(), sweep, best=least))
    assert [each.params.name for each in made[3:]] == [
        "fold=0,lr=0.0001",
        "fold=1,lr=0.0001",
        "factor=0.5,lr=0.0001,fold=0",
        "factor=0.7,lr=0.0001,fold=0",
    ]


def test_where_nobody_knows_the_best_the_first_value_is_carried() -> None:
    sweep = Sweep("chain", {}, {"lr": (0.5, 0.25), "fold": (0, 1)})
    made = list(iter_variations(Params(), sweep, best=lambda name, made: None))
    assert [each.params.lr for each in made] == [0.5, 0.25, 0.5, 0.5]


def test_the_base_is_never_written_to() -> None:
    base = Params()
    for params in product(base, fold=[1, 2], repeat=2):
        params.sizes.append(1)
    assert base == Params()
    assert base.repeat_index == 0

"""The update grammar: every row of its table, on trees and on classes alike."""

from __future__ import annotations

import copy
from dataclasses import InitVar, dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from curifactory.errors import ParameterError, ParameterIndexError, ParameterTypeError, UnknownParameterError
from curifactory.parameters import ExperimentParameters, update


def make_tree() -> dict[str, Any]:
    return {
        "datasets": {"data": {"class": "data.Data", "n_splits": 4}, "fold": 0},
        "model": {"hidden_sizes": [20, 30], "name": None},
        "scheduler": {"factor": 0.5, "patience": 4},
        "early_stopping": {"patience": 10},
        "opt": {"class": "torch.optim.SGD", "params": "$.model.parameters()", "lr": 0.001},
    }


@dataclass
class Data:
    n_splits: int = 4


@dataclass
class Datasets:
    data: Data = field(default_factory=Data)
    fold: int = 0


@dataclass
class Model:
    hidden_sizes: list[int] = field(default_factory=lambda: [20, 30])
    kind: Any = None


@dataclass
class Scheduler:
    factor: float = 0.5
    patience: int = 4


@dataclass(frozen=True)
class EarlyStopping:
    patience: int = 10


@dataclass
class Optimizer:
    cls: str = "torch.optim.SGD"
    params: Any = "$.model.parameters()"
    lr: float = 0.001


@dataclass
class Params(ExperimentParameters):
    datasets: Datasets = field(default_factory=Datasets)
    model: Model = field(default_factory=Model)
    scheduler: Scheduler = field(default_factory=Scheduler)
    early_stopping: EarlyStopping = field(default_factory=EarlyStopping)
    opt: Optimizer = field(default_factory=Optimizer)


def at(value: Any, path: str) -> Any:
    for part in path.split("."):
        value = value[part] if isinstance(value, dict) else getattr(value, part)
    return value


BOTH = pytest.mark.parametrize("make", [make_tree, Params], ids=["tree", "class"])

# What is written, and where it is found afterwards.
ACCEPTED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"fold": 1}, {"datasets.fold": 1}),
    ({"patience": 5}, {"scheduler.patience": 5, "early_stopping.patience": 5}),
    (
        {"scheduler.patience": 8, "early_stopping.patience": 20},
        {"scheduler.patience": 8, "early_stopping.patience": 20},
    ),
    ({"patience": 9, "scheduler.patience": 8}, {"scheduler.patience": 8, "early_stopping.patience": 9}),
    ({"scheduler.patience": 8, "patience": 9}, {"scheduler.patience": 9, "early_stopping.patience": 9}),
    ({"hidden_sizes": [2, 3, 4]}, {"model.hidden_sizes": [2, 3, 4]}),
    ({"hidden_sizes": []}, {"model.hidden_sizes": []}),
    (
        {"hidden_sizes:0": 10, "hidden_sizes:1": 20, "hidden_sizes:2": 30},
        {"model.hidden_sizes": [10, 20, 30]},
    ),
    ({"model.hidden_sizes:0": 10}, {"model.hidden_sizes": [10]}),
    ({"hidden_sizes.1": 5}, {"model.hidden_sizes": [20, 5]}),
    ({"hidden_sizes": [1, 2, 3], "hidden_sizes.2": 7}, {"model.hidden_sizes": [1, 2, 7]}),
    ({"data.n_splits": 7}, {"datasets.data.n_splits": 7}),
    ({"params": 3}, {"opt.params": 3}),
    ({"params": None}, {"opt.params": None}),
]

# What is written, the error that it is, and what it says.
REFUSED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"fold": 0.5}, ValueError, "datasets.fold: different type: <class 'int'> != <class 'float'>."),
    ({"fold": True}, ValueError, "datasets.fold: different type: <class 'int'> != <class 'bool'>."),
    ({"fold": "1"}, ValueError, "datasets.fold: different type: <class 'int'> != <class 'str'>."),
    (
        {"hidden_sizes": (2, 3, 4)},
        ValueError,
        "model.hidden_sizes: different type: <class 'list'> != <class 'tuple'>.",
    ),
    ({"fold": 2.0}, ValueError, "datasets.fold: different type: <class 'int'> != <class 'float'>. Write 2."),
    ({"lr": 1}, ValueError, "opt.lr: different type: <class 'float'> != <class 'int'>. Write 1.0."),
    ({"lr": None}, ValueError, "opt.lr: different type: <class 'float'> != <class 'NoneType'>."),
    (
        {"hidden_sizes:1": 20, "hidden_sizes:0": 10},
        KeyError,
        "hidden_sizes: items are written hidden_sizes:0",
    ),
    (
        {"hidden_sizes:0": 20, "hidden_sizes:2": 10},
        KeyError,
        "hidden_sizes: items are written hidden_sizes:0",
    ),
    ({"hidden_sizes": [1], "hidden_sizes:0": 1}, KeyError, "hidden_sizes: items are written hidden_sizes:0"),
    ({"hidden_sizes:0": 1, "hidden_sizes": [1]}, KeyError, "hidden_sizes: items are written hidden_sizes:0"),
    ({"hidden_sizes.5": 5}, IndexError, "model.hidden_sizes has 2 items, and none at position 5"),
    ({"patienc": 3}, KeyError, "there is no parameter 'patienc'; did you mean 'patience'?"),
    (
        {"model.nothing": 3},
        KeyError,
        "there is no parameter 'nothing' in model; there are 'hidden_sizes' and",
    ),
    ({"datasets.n_splits": 3}, KeyError, "there is no parameter 'n_splits' in datasets"),
    ({"opt.lr.x": 3}, KeyError, "there is no 'x' in opt.lr: it is a value of type float"),
    ({"lr.": 3}, KeyError, "'lr.' is no name"),
    ({"datasets": 3}, ValueError, "It is a section; write datasets.data=…"),
]


@BOTH
@pytest.mark.parametrize(("changes", "expected"), ACCEPTED, ids=[str(changes) for changes, _ in ACCEPTED])
def test_a_row_of_the_table_that_is_accepted(make: Any, changes: Any, expected: Any) -> None:
    old = make()
    new, _ = update(old, changes)
    assert {path: at(new, path) for path in expected} == expected
    # Nothing else has changed, and the person's set is as it was.
    assert old == make()
    untouched = copy.deepcopy(make())
    for path in expected:
        parent, _, last = path.rpartition(".")
        owner = at(untouched, parent)
        if isinstance(owner, dict):
            owner[last] = expected[path]
        else:
            object.__setattr__(owner, last, expected[path])
    assert new == untouched


@BOTH
@pytest.mark.parametrize(
    ("changes", "kind", "said"), REFUSED, ids=[str(changes) for changes, _, _ in REFUSED]
)
def test_a_row_of_the_table_that_is_refused(make: Any, changes: Any, kind: Any, said: str) -> None:
    old = make()
    with pytest.raises(kind) as caught:
        update(old, changes)
    assert isinstance(caught.value, ParameterError)
    assert said in str(caught.value)
    assert old == make()


def test_the_text_of_a_type_fault_is_exact() -> None:
    with pytest.raises(ParameterTypeError) as caught:
        update({"fold": 0}, fold=0.5)
    assert caught.value.faults == (("fold", "different type: <class 'int'> != <class 'float'>"),)


@pytest.mark.parametrize("value", ["abc", 3])
def test_what_was_none_takes_anything(value: Any) -> None:
    assert update(make_tree(), {"name": value})[0]["model"]["name"] == value


def test_a_class_is_swapped_where_it_is_named() -> None:
    new, _ = update(make_tree(), {"opt.class": "x.Adam"})
    assert new["opt"]["class"] == "x.Adam"
    assert new["datasets"]["data"]["class"] == "data.Data"


def test_class_alone_is_refused_with_what_to_write() -> None:
    with pytest.raises(KeyError, match=r"write 'datasets.data.class=…' or 'opt.class=…'"):
        update(make_tree(), {"class": "x.Adam"})


def test_a_name_hides_those_below_it() -> None:
    assert update({"patience": 1, "s": {"patience": 2}}, patience=9)[0] == {
        "patience": 9,
        "s": {"patience": 2},
    }


def test_a_scope_may_lie_anywhere() -> None:
    assert update({"a": {"b": {"c": {"d": 1}}}}, {"c.d": 2})[0] == {"a": {"b": {"c": {"d": 2}}}}


def test_a_scope_that_occurs_twice_counts_where_it_has_the_name() -> None:
    tree = {"a": {"opt": {"lr": 1}}, "b": {"opt": {"momentum": 2}}}
    assert update(tree, {"opt.lr": 5})[0] == {"a": {"opt": {"lr": 5}}, "b": {"opt": {"momentum": 2}}}


def test_a_dictionary_onto_a_dictionary_updates_it() -> None:
    tree = {"opt": {"args": {"lr": 1, "beta": 2}}}
    assert update(tree, {"opt.args": {"lr": 3, "eps": 4}})[0] == {
        "opt": {"args": {"lr": 3, "beta": 2, "eps": 4}}
    }


def test_keywords_win_over_the_dictionary() -> None:
    new, applied = update({"fold": 0, "a": {"p": 1}, "b": {"p": 2}}, {"fold": 1, "a.p": 5}, fold=2)
    assert (new["fold"], applied) == (2, {"a.p": 5, "fold": 2})


def test_a_keyword_counts_after_the_dictionary_even_where_both_have_it() -> None:
    new, _ = update({"a": {"p": 1}, "b": {"p": 2}}, {"p": 3, "a.p": 5}, p=7)
    assert new == {"a": {"p": 7}, "b": {"p": 7}}


def test_what_was_applied_is_told_with_items_collected() -> None:
    changes = {"hidden_sizes:0": 1, "hidden_sizes:1": 2, "fold": 3}
    assert update(make_tree(), changes)[1] == {"hidden_sizes": [1, 2], "fold": 3}


def test_items_of_a_tuple_make_a_tuple() -> None:
    assert update({"sizes": (1, 2)}, {"sizes:0": 5, "sizes:1": 6})[0] == {"sizes": (5, 6)}
    assert update({"sizes": (1, 2)}, {"sizes.1": 6})[0] == {"sizes": (1, 6)}


def test_items_of_lists_are_reached_at_any_depth() -> None:
    tree = {"layers": [{"size": 1}, {"size": 2}]}
    assert update(tree, {"layers.1.size": 9})[0] == {"layers": [{"size": 1}, {"size": 9}]}
    assert update([1, 2, 3], {"1": 9})[0] == [1, 9, 3]
    with pytest.raises(ParameterIndexError, match="has 3 items, and none at position 7"):
        update([1, 2, 3], {"7": 9})


def test_all_faults_are_told_at_once_with_their_paths() -> None:
    with pytest.raises(ParameterError) as caught:
        update(make_tree(), {"fold": 0.5, "patienc": 3, "hidden_sizes.9": 1, "lr": 1})
    assert type(caught.value) is ParameterError
    assert [path for path, _ in caught.value.faults] == [
        "patienc",
        "hidden_sizes.9",
        "datasets.fold",
        "opt.lr",
    ]
    assert str(caught.value).startswith("Parameters have 4 faults:\n  patienc: there is no parameter")


def test_a_plus_adds_a_name_to_a_dictionary() -> None:
    new, applied = update(make_tree(), {"+model.dropout": 0.5, "+seed": 1})
    assert (new["model"]["dropout"], new["seed"]) == (0.5, 1)
    assert update(new, applied)[0] == new


def test_a_plus_cannot_add_to_a_class() -> None:
    with pytest.raises(
        UnknownParameterError, match=r"Model takes no new names; declare 'dropout' in the class"
    ):
        update(Params(), {"+model.dropout": 0.5})


def test_a_plus_needs_a_scope_that_is_there() -> None:
    with pytest.raises(UnknownParameterError, match=r"there is no parameter 'modle'; did you mean 'model'\?"):
        update(make_tree(), {"+modle.dropout": 0.5})


class Kind(Enum):
    ONE = 1
    TWO = 2


@dataclass
class Typed(ExperimentParameters):
    limit: int | None = 5
    where: Path = Path("here")
    kind: Kind = Kind.ONE
    options: dict[str, int] = field(default_factory=dict)
    sizes: tuple[int, ...] = (1, 2)


def test_a_declared_type_takes_what_it_declares() -> None:
    new, _ = update(Typed(), limit=None, kind=Kind.TWO, options={"a": 1})
    assert (new.limit, new.kind, new.options) == (None, Kind.TWO, {"a": 1})
    with pytest.raises(ParameterTypeError, match="limit: different type"):
        update(Typed(), limit="5")


def test_another_instance_of_a_declared_class_takes_the_place_of_a_section() -> None:
    new, _ = update(Params(), model=Model(hidden_sizes=[7]))
    assert new.model == Model(hidden_sizes=[7])


@dataclass
class Computed(ExperimentParameters):
    n: int = 2
    m: int = 3
    total: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.total = self.n + self.m
        self.doubled = self.n * 2
        if self.n > self.m:
            raise ValueError("n is at most m")


def test_a_class_computes_anew_what_follows_from_its_fields() -> None:
    params = Computed()
    params.note = "by hand"  # type: ignore[attr-defined]
    new, _ = update(params, n=3)
    assert (new.total, new.doubled, new.note) == (6, 6, "by hand")


def test_fields_that_only_fit_together_are_changed_together() -> None:
    new, _ = update(Computed(), n=30, m=40)
    assert (new.n, new.m, new.total) == (30, 40, 70)


def test_what_a_class_refuses_is_a_fault_with_its_path() -> None:
    @dataclass
    class Outer:
        inner: Computed = field(default_factory=Computed)

    with pytest.raises(ParameterTypeError) as caught:
        update(Outer(), n=9)
    assert caught.value.faults == (("inner", "Computed refuses the values: ValueError: n is at most m"),)


def test_a_new_set_shares_no_container_with_the_old_one() -> None:
    old = Params()
    new, _ = update(old, fold=1)
    new.model.hidden_sizes.append(99)
    new.opt.lr = 5.0
    assert old == Params()


def test_large_values_are_shared() -> None:
    import numpy as np

    array = np.zeros(3)
    assert update({"a": [array], "n": 1}, n=2)[0]["a"][0] is array


def test_a_set_that_holds_itself_has_an_end() -> None:
    tree: dict[str, Any] = {"n": 1}
    tree["s"] = {"up": tree, "m": 2}
    with pytest.raises(UnknownParameterError):
        update(tree, k=3)


def test_attrs_classes_are_changed() -> None:
    attrs = pytest.importorskip("attrs")

    @attrs.define
    class Model:
        size: int = attrs.field(default=1, validator=attrs.validators.gt(0))
        _hidden: int = 3

    new, _ = update({"model": Model()}, size=5, _hidden=4)
    assert (new["model"].size, new["model"]._hidden) == (5, 4)
    with pytest.raises(ParameterTypeError, match="model: Model refuses the values: ValueError"):
        update({"model": Model()}, size=-1)


def test_pydantic_models_are_changed_and_check() -> None:
    pydantic = pytest.importorskip("pydantic")

    class Model(pydantic.BaseModel):
        size: int = pydantic.Field(1, gt=0)
        rate: float = pydantic.Field(0.5, alias="Rate")

    new, _ = update({"model": Model()}, size=5, rate=0.25)
    assert (new["model"].size, new["model"].rate) == (5, 0.25)
    with pytest.raises(ParameterTypeError) as caught:
        update({"model": Model()}, size=-1)
    assert caught.value.faults == (("model.size", "Input should be greater than 0"),)


def test_structs_of_msgspec_are_changed() -> None:
    msgspec = pytest.importorskip("msgspec")
    model = msgspec.defstruct("Model", [("size", int, 1)])
    assert update({"model": model()}, size=5)[0]["model"].size == 5


def test_an_init_var_without_a_default_is_told() -> None:
    @dataclass
    class Odd:
        n: int
        scale: InitVar[int]

        def __post_init__(self, scale: int) -> None:
            self.m = self.n * scale

    with pytest.raises(ParameterTypeError, match="has an InitVar without a default"):
        update({"odd": Odd(1, 2)}, n=3)

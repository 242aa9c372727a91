from __future__ import annotations

import dataclasses
import threading
from dataclasses import dataclass, field
from typing import Any, ClassVar

import attrs
import pydantic
import pytest

from curifactory.errors import UnidentifiableError
from curifactory.identity.canonical import digest
from curifactory.identity.parameters import (
    describe_set,
    set_digest,
)


@dataclass
class Base:
    """A parameter set as the public class makes it."""

    name: str = "UNNAMED"
    hash: str | None = None
    overwrite: bool = False
    hash_representations: dict[str, Any] = field(default_factory=dict, repr=False)

    __framework_fields__: ClassVar[frozenset[str]] = frozenset(
        {"name", "hash", "overwrite", "hash_representations"}
    )


@dataclass
class Layer:
    size: int = 1
    name: str = "layer"


@dataclass
class Model:
    layer: Layer = field(default_factory=Layer)
    second: Layer = field(default_factory=lambda: Layer(2))
    rate: float | None = None


@dataclass
class Wide(Model):
    pass


@dataclass
class Params(Base):
    seed: int = 1
    model: Model = field(default_factory=Model)
    tags: list[str] = field(default_factory=list)


@dataclass
class Quiet:
    shown: int = 1
    ignored: int = 2
    hash_representations: dict[str, Any] = field(default_factory=lambda: {"ignored": None})


def test_what_belongs_to_the_framework_does_not_count():
    other = Params(name="other", hash="preset", overwrite=True, hash_representations={"unknown": None})
    assert set_digest(other) == set_digest(Params())


def test_a_nested_field_with_the_name_of_one_of_the_frameworks_counts():
    named = Params(model=Model(layer=Layer(name="other")))
    assert set_digest(named) != set_digest(Params())


def test_a_parameter_set_inside_of_another_counts_with_its_name():
    @dataclass
    class Outer(Base):
        inner: Params = field(default_factory=Params)

    assert set_digest(Outer()) != set_digest(Outer(inner=Params(name="other")))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"a": 12, "a1": 3}, {"a": 13, "a1": 2}),
        ({"a": 1, "a1": 2}, {"a": 2, "a1": 1}),
        ({"a": "1", "a1": 2}, {"a": 1, "a1": 2}),
        ({"a": 1, "a1": True}, {"a": 1, "a1": 1}),
        ({"a": None, "a1": 0}, {"a": 0, "a1": None}),
    ],
)
def test_values_that_differ_have_digests_that_differ(left, right):
    @dataclass
    class Pair(Base):
        a: Any = 0
        a1: Any = 0

    assert set_digest(Pair(**left)) != set_digest(Pair(**right))


def test_sub_dataclasses_that_swap_places_are_noticed():
    swapped = Params(model=Model(layer=Layer(2), second=Layer(1)))
    assert set_digest(swapped) != set_digest(Params())


def test_the_class_of_a_set_and_of_what_is_inside_counts():
    wide = Params(model=Wide())
    assert set_digest(wide) != set_digest(Params())


def test_none_is_a_value():
    assert set_digest(Params(model=Model(rate=None))) != set_digest(Params(model=Model(rate=0.0)))


def test_the_order_of_fields_does_not_count_and_methods_of_the_class_do_not():
    def make(namespace, names):
        return dataclasses.make_dataclass("Made", [(name, int, 1) for name in names], namespace=namespace)

    plain = make({}, ["a", "b"])()
    assert set_digest(plain) == set_digest(make({}, ["b", "a"])())
    assert set_digest(plain) == set_digest(make({"area": lambda self: self.a * self.b}, ["a", "b"])())


def test_a_set_without_parameters_has_a_digest():
    assert set_digest(None) == set_digest(None) != set_digest(Base())


def test_a_representation_of_none_ignores_the_field():
    ignoring = {"hash_representations": {"seed": None}}
    assert set_digest(Params(seed=1, **ignoring)) == set_digest(Params(seed=2, **ignoring))


def test_a_function_says_what_stands_for_a_field():
    def use(function, **values):
        return Params(hash_representations={"tags": function}, **values)

    by_length = set_digest(use(lambda params, tags: len(tags), tags=["a"]))
    assert by_length == set_digest(use(lambda params, tags: len(tags), tags=["b"]))
    assert by_length != set_digest(use(lambda params, tags: len(tags), tags=["a", "b"]))


def test_a_representation_that_returns_none_is_a_constant_that_counts():
    constant = Params(hash_representations={"tags": lambda params, tags: None})
    assert set_digest(constant) != set_digest(Params(hash_representations={"tags": None}))


def test_representations_are_followed_inside_of_the_set():
    @dataclass
    class Outer(Base):
        quiet: Quiet = field(default_factory=Quiet)
        many: list[Quiet] = field(default_factory=lambda: [Quiet()])

    assert set_digest(Outer()) == set_digest(Outer(quiet=Quiet(ignored=3), many=[Quiet(ignored=4)]))
    assert set_digest(Outer()) != set_digest(Outer(quiet=Quiet(shown=3)))
    assert set_digest(Outer()) != set_digest(Outer(many=[Quiet(shown=3)]))


def test_an_ordinary_field_may_be_called_hash_representations():
    @dataclass
    class Odd:
        hash_representations: Any = 1

    assert set_digest(Odd(1)) != set_digest(Odd(2))
    assert set_digest(Odd({"other": None})) != set_digest(Odd({"another": None}))


def test_a_representation_that_fails_names_its_field():
    params = Params(hash_representations={"seed": lambda params, seed: 1 / 0})
    for use in (set_digest, describe_set):
        with pytest.raises(UnidentifiableError, match=r"params\.seed .*ZeroDivisionError") as caught:
            use(params)
        assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_field_that_cannot_be_identified_is_named_with_its_whole_path():
    params = Params(model=Model(rate=[threading.Lock()]))
    with pytest.raises(UnidentifiableError, match=r"^params\.model\.rate\[0\] cannot be identified"):
        set_digest(params)


def test_a_set_that_contains_itself_is_refused():
    params = Params()
    params.model.layer = params.model
    with pytest.raises(UnidentifiableError, match="contains itself"):
        set_digest(params)


def test_attributes_that_are_no_fields_count():
    params = Params()
    params.extra = 1
    assert set_digest(params) != set_digest(Params())


def test_a_field_without_a_value_is_absent():
    @dataclass
    class Late:
        a: int = 1
        b: int = field(init=False)

    late = Late()
    before = set_digest(late)
    late.b = 2
    assert set_digest(late) != before


def test_sets_may_be_attrs_or_pydantic_instances():
    @attrs.define
    class Shape:
        sides: int = 4

    class Config(pydantic.BaseModel):
        rate: float = 0.5
        name: str = "a"

    assert set_digest(Shape()) != set_digest(Shape(5))
    # What people call a set is no part of it, of whatever library its class is.
    assert set_digest(Config()) == set_digest(Config(name="b"))
    assert set_digest(Config()) != set_digest(Config(rate=0.25))


def test_anything_else_is_identified_as_a_value():
    assert set_digest({"a": 1}) == digest({"a": 1})


def test_a_description_says_how_each_field_counts():
    params = Params(
        name="p",
        model=Model(layer=len),
        hash_representations={"seed": None, "tags": lambda params, tags: len(tags)},
    )
    assert describe_set(params) == {
        "name": ("SKIPPED: blacklist", None),
        "hash": ("SKIPPED: blacklist", None),
        "overwrite": ("SKIPPED: blacklist", None),
        "hash_representations": ("SKIPPED: blacklist", None),
        "seed": ("SKIPPED: set to None in hash_representations", None),
        "model": (
            "describe_set(param_set.model)",
            {
                "layer": ("layer.__qualname__", "len"),
                "second": (
                    "describe_set(param_set.second)",
                    {"size": ("digest(size)", 2), "name": ("digest(name)", "layer")},
                ),
                "rate": ("digest(rate)", None),
            },
        ),
        "tags": ("param_set.hash_representations['tags'](param_set, tags)", 0),
    }

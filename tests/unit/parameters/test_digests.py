"""What paths are worth: equal for equal values, different for different ones, None where the set says so."""

from __future__ import annotations

import dataclasses
import re
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from curifactory.errors import UnidentifiableError
from curifactory.parameters.digests import SetDigests
from curifactory.parameters.reads import ReadLog
from curifactory.parameters.sets import ExperimentParameters, set_hash_functions
from curifactory.parameters.view import track


@dataclass
class Adam:
    lr: float = 0.1
    verbose: bool = False
    hash_representations: dict = field(default_factory=lambda: {"verbose": None})

    def area(self):
        return self.lr * 2


@dataclass
class Sgd:
    lr: float = 0.1

    def area(self):
        return self.lr * 3


@dataclass
class Params(ExperimentParameters):
    n: int = 1
    model: Any = field(default_factory=Adam)
    noisy: bool = False
    path: str = "a"
    hash_representations: dict = set_hash_functions(
        noisy=None, path=lambda params, value: (params.n, value.lower())
    )

    @property
    def double(self):
        return self.n * 2


@dataclass
class More(Params):
    extra: int = 5

    @property
    def double(self):
        return self.n + self.n


def of(path, /, **changes):
    return SetDigests(Params(**changes)).of(path)


def test_a_digest_has_64_hexadecimal_digits():
    assert re.fullmatch("[0-9a-f]{64}", of("n"))


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("n", {"n": 2}),
        ("n", {"n": True}),
        ("n", {"n": 1.0}),
        ("name", {"name": "b"}),
        ("hash", {"hash": "b"}),
        ("overwrite", {"overwrite": True}),
        ("model.lr", {"model": Adam(lr=0.2)}),
        ("model.lr", {"model": None}),
        ("model", {"model": Adam(lr=0.2)}),
        ("model", {"model": Sgd()}),
        ("type:model", {"model": Sgd()}),
        ("type:model", {"model": None}),
        ("fields:model", {"model": Sgd()}),
        ("code:model.area", {"model": Sgd()}),
        ("code:model.area", {"model": None}),
        ("path", {"path": "b"}),
        ("path", {"n": 2}),
        ("*", {"n": 2}),
        ("*", {"model": Adam(lr=0.2)}),
        ("object:", {"n": 2}),
    ],
)
def test_another_value_has_another_digest(path, changes):
    assert of(path) != of(path, **changes)


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("n", {"model": None, "name": "b"}),
        ("model.lr", {"model": Sgd(), "n": 2}),
        ("model", {"model": Adam(verbose=True)}),
        ("path", {"path": "A"}),
        ("*", {"name": "b", "overwrite": True, "hash": "x", "noisy": True, "path": "A"}),
        ("type:model", {"model": Adam(lr=3.0)}),
        ("code:double", {"n": 5}),
        ("momentum", {"n": 5}),
    ],
)
def test_what_does_not_count_changes_nothing(path, changes):
    assert of(path) == of(path, **changes)


@pytest.mark.parametrize(
    "path", ["noisy", "model.verbose", "hash_representations", "model.hash_representations"]
)
def test_a_field_that_is_left_out_makes_no_difference(path):
    assert of(path) is None
    assert SetDigests(Params()).of_all([path, "n"]).keys() == {"n"}


@pytest.mark.parametrize(
    "path", ["momentum", "model.momentum", "n.deeper.still", "code:momentum", "type:momentum"]
)
def test_what_is_not_there_is_said_to_be_absent(path):
    assert of(path) == "absent"


def test_another_class_shows_only_where_it_was_asked_for():
    here, there = SetDigests(Params()), SetDigests(More())
    assert here.of("n") == there.of("n")
    for path in ("type:", "fields:", "code:double"):
        assert here.of(path) != there.of(path)


def test_what_the_fields_are_declared_as_counts_where_they_are_gone_through():
    made = [dataclasses.make_dataclass("Made", [("n", kind)]) for kind in (int, float)]
    digests = [SetDigests(cls(1)) for cls in made]
    assert digests[0].of("n") == digests[1].of("n")
    assert digests[0].of("fields:") != digests[1].of("fields:")


def test_a_hash_function_that_raises_is_named():
    params = Params(hash_representations={"n": lambda params, value: 1 / 0})
    with pytest.raises(UnidentifiableError, match=r"'n'.*ZeroDivisionError"):
        SetDigests(params).of("n")


def test_only_what_was_read_has_to_have_an_identity():
    params = Params(model=threading.Lock())
    log = ReadLog()
    assert track(params, log).n == 1
    assert list(SetDigests(params).of_all(log.paths())) == ["n"]
    with pytest.raises(UnidentifiableError, match="model"):
        SetDigests(params).of("model")


def test_reads_are_sorted_and_without_what_makes_no_difference():
    params, log = Params(), ReadLog()
    view = track(params, log)
    assert (view.noisy, view.n, view.model.lr, view.double) == (False, 1, 0.1, 2)
    assert list(SetDigests(params).of_all(log.paths())) == ["code:double", "model.lr", "n", "type:model"]


def test_a_digest_is_computed_once():
    calls = []
    params = Params(hash_representations={"n": lambda params, value: calls.append(value)})
    digests = SetDigests(params)
    assert digests.of("n") == digests.of("n")
    assert calls == [1]


@dataclass(slots=True)
class Slotted:
    name: str
    rate: float = 0.5

    def double(self) -> float:
        return 2 * self.rate


@dataclass
class Plain:
    name: str
    rate: float = 0.5

    def double(self) -> float:
        return 2 * self.rate


@pytest.mark.parametrize("cls", [Plain, Slotted])
def test_only_what_comes_from_a_class_is_looked_at_again(cls):
    digests = SetDigests(cls("a"))
    for path in ("rate", "*", "code:double"):
        digests.of(path)
    digests.look_again()
    assert set(digests.known) == {"rate", "*"}

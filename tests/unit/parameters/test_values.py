"""What kind of thing a value is."""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from curifactory.parameters.values import NO_DEFAULT, default_of, is_fixed, is_followed, stored_attributes


@dataclass(slots=True)
class Slotted:
    a: int
    b: list = field(default_factory=list)


@dataclass
class Table(dict):
    a: int = 1


@dataclass(frozen=True)
class Mixin:
    a: int


class Kind(Mixin, enum.Enum):
    ONE = 1


class Half:
    pass


@pytest.mark.parametrize(
    "value", [1, "a", None, b"", (1, ("a",)), frozenset({1}), Path("a"), Kind.ONE, int, len, range(3)]
)
def test_what_cannot_be_changed_is_fixed(value):
    assert is_fixed(value)


@pytest.mark.parametrize("value", [[], {}, set(), bytearray(), ([],), Slotted(1), Half(), Counter()])
def test_what_can_be_changed_is_not(value):
    assert not is_fixed(value)


def test_only_plain_instances_of_dataclasses_are_followed():
    assert is_followed(Slotted(1))
    for value in (Slotted, Table(), Kind.ONE, Half(), {"a": 1}, None):
        assert not is_followed(value)


def test_objects_of_pydantic_and_attrs_are_followed():
    attrs, pydantic = pytest.importorskip("attrs"), pytest.importorskip("pydantic")

    @pydantic.dataclasses.dataclass
    class Checked:
        a: int = 1

    class Model(pydantic.BaseModel):
        a: int = 1

    made = attrs.make_class("Made", ["a"])
    assert is_followed(Checked())
    assert is_followed(Model())
    assert is_followed(made(1))


def test_stored_attributes_are_fields_first_then_others():
    @dataclass
    class Late:
        b: int = 1
        a: int = 2

        def __post_init__(self):
            self.extra = 3

        @cached_property
        def total(self):
            return self.a + self.b

    late = Late()
    assert late.total == 3
    assert stored_attributes(late) == {"b": 1, "a": 2, "extra": 3}
    assert list(stored_attributes(late)) == ["b", "a", "extra"]


def test_a_slot_that_was_never_set_is_left_out():
    empty: Any = object.__new__(Slotted)
    empty.a = 1
    assert stored_attributes(empty) == {"a": 1}


def test_defaults_are_made_anew():
    assert default_of(Slotted, "a") is NO_DEFAULT
    assert default_of(Slotted, "c") is NO_DEFAULT
    assert default_of(Slotted, "b") == []
    assert default_of(Slotted, "b") is not default_of(Slotted, "b")

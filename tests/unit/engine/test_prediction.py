"""What a call is probably going to read: it goes by the code as it is, and by the class of the parameters."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from curifactory.core.spec import OutputSpec, StageSpec
from curifactory.engine.prediction import guess_reads


@dataclass
class Small:
    n: int = 1


@dataclass
class Large:
    n: int = 1
    rate: float = 0.5


class Plain:
    n = 1


def spec_of(function: Any) -> StageSpec:
    return StageSpec(function, False, (), (OutputSpec("x"),), None, False)


def train(record):
    return record.params.n * record.params.rate


def test_only_fields_that_the_class_has_are_guessed() -> None:
    spec = spec_of(train)
    assert guess_reads(spec, Large()) == ("params.n", "params.rate")
    assert guess_reads(spec, Small()) == ("params.n",)
    assert guess_reads(spec, Large()) == ("params.n", "params.rate")


def test_parameters_without_fields_are_guessed_whole() -> None:
    assert guess_reads(spec_of(train), Plain()) == guess_reads(spec_of(train), None) == ("params.*",)


def test_a_function_that_got_other_code_is_guessed_anew() -> None:
    def stage(record):
        return record.params.n

    def edited(record):
        return record.params.rate

    spec = spec_of(stage)
    before = guess_reads(spec, Large())
    stage.__code__ = edited.__code__
    assert (before, guess_reads(spec, Large())) == (("params.n",), ("params.rate",))


def test_the_code_behind_a_decorator_counts() -> None:
    @functools.wraps(train)
    def wrapped(record):
        return train(record)

    assert guess_reads(spec_of(wrapped), Large()) == ("params.n", "params.rate")

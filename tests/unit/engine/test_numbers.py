"""Metric values as plain numbers."""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction

import numpy as np
import pytest

from curifactory.engine.numbers import as_numbers, as_whole
from curifactory.errors import DefinitionError


def test_whatever_float_takes_is_a_plain_number() -> None:
    found = as_numbers({"a": 1, "b": np.float32(0.5), "c": Fraction(1, 4), "d": True, "e": 2.0})
    assert found == {"a": 1, "b": 0.5, "c": 0.25, "d": 1.0, "e": 2.0}
    assert [type(each) for each in found.values()] == [int, float, float, float, float]


@pytest.mark.parametrize("value", [10**400, -(10**400), Fraction(10**400)])
def test_a_number_that_no_float_can_hold_is_refused_where_it_is_logged(value: object) -> None:
    with pytest.raises(DefinitionError, match=r"'loss' is larger than the largest float, 1\.8e"):
        as_numbers({"loss": value})


def test_a_loss_that_torch_still_differentiates_is_a_number_and_no_warning() -> None:
    torch = pytest.importorskip("torch")
    weight = torch.tensor([2.0], requires_grad=True)
    assert as_numbers({"loss": (weight * 1.5).sum(), "weight": weight}) == {"loss": 3.0, "weight": 2.0}
    assert weight.requires_grad


def test_what_is_no_number_is_named() -> None:
    with pytest.raises(DefinitionError, match="The metric 'loss' is 'low', which is no number"):
        as_numbers({"loss": "low"})


class Names(StrEnum):
    LOSS = "loss"


def test_the_name_of_a_metric_is_a_plain_text() -> None:
    found = as_numbers({Names.LOSS: 1.0})
    assert found == {"loss": 1.0}
    assert [type(name) for name in found] == [str]
    for name in (1, None, ("a", "b")):
        with pytest.raises(DefinitionError, match="which is no text"):
            as_numbers({name: 1.0})  # type: ignore[dict-item]


def test_a_step_is_a_whole_number() -> None:
    found = [as_whole("step", each) for each in (3, np.int64(3), 3.0, np.float64(3), True)]
    assert found == [3, 3, 3, 3, 1]
    assert {type(each) for each in found} == {int}
    for value in ("3", 1.5, np.float32(0.5), [3], float("nan"), float("inf")):
        with pytest.raises(DefinitionError, match="which is no whole number"):
            as_whole("step", value)

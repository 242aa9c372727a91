"""References lead through names, attributes, positions and calls with plain values, and to nothing else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from curifactory.errors import ParameterError
from curifactory.parameters.references import follow, is_reference

MEMBERS: dict[str, Any] = {
    "model": SimpleNamespace(sizes=[10, [20, 30]], scale=lambda value, by=2: value * by, parts={"a": 5}),
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$.model.sizes", [10, [20, 30]]),
        ("$.model.sizes.0", 10),
        ("$.model.sizes.1.0", 20),
        ("$.model.sizes[1][1]", 30),
        ("$.model.sizes[-1]", [20, 30]),
        ("$.model.parts['a']", 5),
        ("$.model.scale(3)", 6),
        ("$.model.scale(1.5, by=4)", 6.0),
        ("$.model.parts.get('b', -1)", -1),
        ("$.model.sizes.copy().0", 10),
        (" $.model.parts ", {"a": 5}),
    ],
)
def test_a_reference_leads_somewhere(text: str, value: Any) -> None:
    assert follow(text, MEMBERS.__getitem__) == value


@pytest.mark.parametrize(
    "text",
    [
        "$.model.__class__",
        "$.model._private",
        "$.model.scale(open('x'))",
        "$.model.scale(*[1])",
        "$.model.scale(**{'by': 1})",
        "$.model + 1",
        "$.model.sizes[0:1]",
        "$.model.scale(lambda: 0)",
        "$.model.scale($.model)",
        "$.model if True else 0",
        "$.(",
        "$.",
        "$..model",
        "$.model; import os",
        "$.model.sizes[model]",
        "$.model\n.x y",
        "$[0]",
        "$()",
    ],
)
def test_what_is_more_than_a_reference_is_refused(text: str) -> None:
    with pytest.raises(ParameterError):
        follow(text, MEMBERS.__getitem__)


@pytest.mark.parametrize(
    ("value", "answer"), [("$", True), ("$.a", True), ("$a", False), ("a$", False), (5, False), (None, False)]
)
def test_what_is_a_reference(value: Any, answer: bool) -> None:
    assert is_reference(value) is answer

"""The settings are one frozen value."""

from __future__ import annotations

import ast
import dataclasses
import inspect

import pytest

from curifactory.project import settings
from curifactory.project.settings import Settings


def test_a_setting_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().durable = True  # type: ignore[misc]


def test_every_setting_is_documented_below_itself() -> None:
    body = ast.parse(inspect.getsource(settings)).body
    (found,) = (node for node in body if isinstance(node, ast.ClassDef))
    documented = {
        node.target.id
        for node, after in zip(found.body, found.body[1:], strict=False)
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
    }
    assert documented == {field.name for field in dataclasses.fields(Settings)}

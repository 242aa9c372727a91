"""Tuples that are made from their parts have as many parts as their class has fields: nothing else looks at that."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def made_from_parts(tree: ast.Module) -> Iterator[tuple[ast.Call, str, ast.Tuple]]:
    """Go through the calls of ``new_tuple`` whose parts are written down, there or in a variable of the function."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        written = {
            target.id: node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name) and isinstance(node.value, ast.Tuple)
        }
        for node in ast.walk(function):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id.lstrip("_") == "new_tuple":
                kind, parts = node.args
                if isinstance(parts, ast.Name):
                    parts = written[parts.id]
                assert isinstance(kind, ast.Name)
                assert isinstance(parts, ast.Tuple)
                yield node, kind.id, parts


FILES = sorted(
    path for path in (ROOT / "curifactory").rglob("*.py") if "new_tuple(" in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_a_tuple_has_as_many_parts_as_its_class_has_fields(file: Path) -> None:
    module = importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
    found = list(made_from_parts(ast.parse(file.read_text(encoding="utf-8"))))
    assert found
    for call, name, parts in found:
        fields = getattr(module, name)._fields
        if any(isinstance(each, ast.Starred) for each in parts.elts):
            assert len(parts.elts) <= len(fields), f"line {call.lineno}"
        else:
            assert len(parts.elts) == len(fields), f"line {call.lineno}"

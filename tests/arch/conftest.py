"""Every test of this folder that asks for a ``path`` looks at each module of the package in turn."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "curifactory").rglob("*.py"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "path" in metafunc.fixturenames:
        metafunc.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())


@functools.cache
def read(path: Path) -> tuple[str, ast.Module]:
    text = path.read_text(encoding="utf-8")
    return text, ast.parse(text)


@pytest.fixture
def source(path: Path) -> str:
    """Give the text of the module."""
    return read(path)[0]


@pytest.fixture
def tree(path: Path) -> ast.Module:
    """Give the module as Python parses it."""
    return read(path)[1]

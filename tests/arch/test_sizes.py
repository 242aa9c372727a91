"""Files and functions stay small, are named by a noun of their own, and leave nothing open."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}
OPEN_ENDS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 60


def test_a_file_is_short(source: str) -> None:
    assert len(source.splitlines()) <= LINES_OF_A_FILE


def test_a_function_is_short(tree: ast.Module) -> None:
    long = [
        f"{node.name}: {length} lines"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno) > LINES_OF_A_FUNCTION
    ]
    assert long == []


def test_a_file_says_its_one_responsibility_first(tree: ast.Module) -> None:
    docstring = ast.get_docstring(tree)
    assert docstring, "no docstring"
    first = docstring.splitlines()[0]
    assert len(first) >= 15
    assert first.endswith((".", "?", "!"))


def test_nothing_is_left_open(source: str) -> None:
    marks = [
        f"line {number}: {line.strip()}"
        for number, line in enumerate(source.splitlines(), start=1)
        if OPEN_ENDS.search(line)
    ]
    assert marks == []


def test_a_file_has_a_name_of_its_own(path: Path) -> None:
    names = {part.removesuffix(".py").strip("_") for part in path.relative_to(ROOT).parts}
    assert names & FORBIDDEN_NAMES == set()


def test_nothing_prints_but_the_command_line(path: Path, tree: ast.Module) -> None:
    if path.is_relative_to(ROOT / "curifactory" / "cli"):
        return
    prints = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert prints == []

"""Imports go down only, optional packages come in through one door, and the face opens quickly."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "curifactory"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

# What people may import from an optional package: its distribution's name is not always its module's.
MODULES_OF = {
    "httpx2": "httpx2",
    "ipykernel": "ipykernel",
    "mkdocstrings-python": "mkdocstrings_handlers",
    "scikit-learn": "sklearn",
}
HEAVY = [
    "pandas",
    "numpy",
    "matplotlib",
    "jinja2",
    "git",
    "rich",
    "click",
    "yaml",
    "msgspec",
    "plotly",
]


def name_of(requirement: str) -> str:
    return re.split(r"[\s\[<>=!~;]", requirement, maxsplit=1)[0].lower()


def optional_modules() -> dict[str, str]:
    """Map each module that only an extra installs to that extra."""
    extras = PYPROJECT["project"]["optional-dependencies"]
    return {
        MODULES_OF.get(name_of(requirement), name_of(requirement).replace("-", "_")): extra
        for extra, requirements in extras.items()
        if extra not in {"docs", "test", "dev"}
        for requirement in requirements
    }


def imports_of(path: Path, tree: ast.Module) -> list[tuple[int, str, bool]]:
    """List line, dotted module and "at run time" of each import in a file; relative ones are made absolute."""
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }
    found: list[tuple[int, str, bool]] = []
    for node in ast.walk(tree):
        at_run_time = id(node) not in typing_only
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name, at_run_time) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = list(path.relative_to(ROOT).with_suffix("").parts[: -node.level]) if node.level else []
            found.append((node.lineno, ".".join([*parts, *filter(None, [node.module])]), at_run_time))
    return found


def test_every_import_keeps_to_the_floors() -> None:
    script = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    process = subprocess.run(
        [sys.executable, "-c", script, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stdout + process.stderr


def test_nobody_inside_imports_through_the_face(tree: ast.Module) -> None:
    rooms = {child.stem if child.is_file() else child.name for child in PACKAGE.iterdir()}
    through = [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Import) and any(alias.name == "curifactory" for alias in node.names))
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "curifactory"
            and any(alias.name not in rooms for alias in node.names)
        )
    ]
    assert through == []


def test_optional_packages_come_in_through_one_door(path: Path, tree: ast.Module) -> None:
    optional = optional_modules()
    past_the_door = [
        f"line {line}: {module} (extra {optional[module.partition('.')[0]]})"
        for line, module, at_run_time in imports_of(path, tree)
        if at_run_time and module.partition(".")[0] in optional
    ]
    assert past_the_door == []


def test_every_extra_that_an_error_names_exists(tree: ast.Module) -> None:
    named = {
        keyword.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("require")
        for keyword in node.keywords
        if keyword.arg == "extra" and isinstance(keyword.value, ast.Constant)
    }
    assert named <= set(PYPROJECT["project"]["optional-dependencies"])


def test_every_package_that_is_imported_is_declared(path: Path, tree: ast.Module) -> None:
    declared = {
        {"gitpython": "git", "markdown-it-py": "markdown_it", "pyyaml": "yaml"}.get(
            name_of(requirement), name_of(requirement).replace("-", "_")
        )
        for requirement in PYPROJECT["project"]["dependencies"]
    }
    # What the declared ones cannot be without, and IPython: it is there wherever a notebook is.
    declared |= {"numpy", "IPython", "curifactory"}
    # The standard library of a later Python than the one that looks.
    declared |= {"annotationlib", "compression"}
    if path.is_relative_to(PACKAGE / "testing"):
        declared |= {"pytest", "hypothesis"}
    undeclared = [
        f"line {line}: {module}"
        for line, module, at_run_time in imports_of(path, tree)
        if at_run_time
        and (top := module.partition(".")[0]) not in declared | sys.stdlib_module_names
        and top not in optional_modules()
    ]
    assert undeclared == []


def test_importing_the_face_brings_in_nothing_heavy() -> None:
    script = f"import sys, curifactory; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    process = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    assert process.stdout.split() == []


def test_every_name_of_the_face_is_there() -> None:
    import curifactory

    missing = [name for name in curifactory.__all__ if not hasattr(curifactory, name)]
    assert missing == []
    assert sorted(set(curifactory.__all__)) == sorted(curifactory.__all__)


def test_rooms_of_the_contract_are_those_of_the_contributing_page() -> None:
    floors = next(
        contract["layers"]
        for contract in PYPROJECT["tool"]["importlinter"]["contracts"]
        if contract["id"] == "floors"
    )
    in_contract = {room for floor in floors for room in re.findall(r"\w+", floor)}
    page = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")
    table = page.split("\n\n")[1]
    on_page = {room for row in table.splitlines()[2:] for room in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert on_page == in_contract

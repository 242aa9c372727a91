"""What may lie in the repository: sources, no results, nothing big, nothing of somebody else's."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
LARGEST_BYTES = 50_000
GENERATED = re.compile(
    r"(^|/)(__pycache__|\.venv[^/]*|\.(mypy|ruff|pytest|import_linter)_cache|\.hypothesis|\.ipynb_checkpoints)/"
    r"|\.py[co]$|\.egg-info/|^(build|dist|site|logs|notebooks)/"
    r"|^(data|reports)/(?!README\.md$)"
    r"|(^|/)(index\.db|\.coverage)$"
)


def list_files(*options: str) -> list[str]:
    """Ask git for files of this checkout."""
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--exclude-standard", *options]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if process.returncode != 0:
        if IN_CI:
            pytest.fail(process.stderr)
        pytest.skip("not a git checkout: there is no list of files to look at")
    return [name for name in process.stdout.split("\0") if name and (ROOT / name).exists()]


@pytest.fixture(scope="module")
def files() -> list[str]:
    """List what is in the repository or would be with the next commit."""
    return list_files("--cached", "--others")


def test_the_repository_has_what_a_newcomer_looks_for(files: list[str]) -> None:
    expected = {
        ".ci/run",
        "LICENSE",
        "README.md",
        "constraints/test.txt",
        "docs/contributing.md",
        "pyproject.toml",
    }
    assert expected <= set(files)


def test_nothing_that_runs_make_is_kept(files: list[str]) -> None:
    assert [name for name in files if GENERATED.search(name)] == []


def test_no_file_is_big(files: list[str]) -> None:
    big = {name: size for name in files if (size := (ROOT / name).stat().st_size) > LARGEST_BYTES}
    assert big == {}


def test_nothing_of_others_was_copied_in(files: list[str]) -> None:
    """Third-party scripts and styles come with their packages; a minified file is never ours."""
    minified = [name for name in files if re.search(r"\.min\.(js|css)$|(^|/)(vendor|node_modules)/", name)]
    long_lines = [
        name
        for name in files
        if name.endswith((".js", ".css", ".html"))
        and any(len(line) > 1_000 for line in (ROOT / name).read_text(encoding="utf-8").splitlines())
    ]
    assert minified + long_lines == []


def test_no_path_of_this_machine_is_written_down(files: list[str]) -> None:
    private = (f"{ROOT}/", f"{Path.home()}/")
    found = []
    for name in files:
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{name}: {path}" for path in private if path in text]
    assert found == []


def test_no_file_of_the_package_is_ignored() -> None:
    """The wheel leaves out what git ignores: a template with an unlucky name would be missing from it."""
    ignored = list_files("--others", "--ignored", "--", "curifactory")
    assert [name for name in ignored if "__pycache__" not in name] == []


def test_the_package_ships_its_types_and_its_version() -> None:
    assert (ROOT / "curifactory" / "py.typed").is_file()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    source = (ROOT / project["tool"]["hatch"]["version"]["path"]).read_text(encoding="utf-8")
    assert re.search(r'^__version__ = "\d+\.\d+\.\d+"$', source, re.MULTILINE)


def test_every_extra_that_an_error_names_can_be_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {
        extra
        for path in (ROOT / "curifactory").rglob("*.py")
        if path.name != "optional.py"
        for extra in re.findall(r'\bextra(?:: str)?\s*=\s*"([^"]+)"', path.read_text(encoding="utf-8"))
    }
    assert named
    assert named - project["optional-dependencies"].keys() == set()


def test_the_checks_try_the_command_that_the_readme_shows() -> None:
    """`.ci/run` takes the line from the page; there must be one, and its folder the one that is cleared before."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = [line for line in readme.splitlines() if re.match(r"python3 -m venv .*pytest", line)]
    assert len(lines) == 1
    folder = re.search(r"^venv=(\S+)$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)
    assert folder is not None
    assert lines[0].startswith(f"python3 -m venv {folder[1]} &&")

"""Every Python block of the pages runs, and so does every example in a docstring."""

from __future__ import annotations

import doctest
import importlib
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "curifactory"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(
    r"^```(?P<language>python|yaml)[ \t]*(?P<words>[^\n]*)\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL
)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    """A block of Python on a page.

    Parameters
    ----------
    page, line : Path, int
        Where it stands.
    path : str
        The file that it is: what follows ``python`` on the line of the fence, such as ``experiments/iris.py``.
    code : str
        Its text; one marked ``continue`` begins with the block before it.
    files : mapping of str to str
        The files that the page has shown before, by their paths.
    """

    page: Path
    line: int
    path: str
    code: str
    files: Mapping[str, str]

    @property
    def name(self) -> str:
        return f"{self.page.relative_to(ROOT).as_posix()}:{self.line}"

    @property
    def is_experiment(self) -> bool:
        return re.search(r"^def run\(", self.code, re.MULTILINE) is not None


def read_blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    files: dict[str, str] = {}
    blocks: list[Block] = []
    for match in FENCE.finditer(text):
        words, code = match["words"].split(), match["code"]
        if match["language"] == "yaml":
            # A file that the blocks below it read.
            files |= dict.fromkeys(words, code)
            continue
        if "continue" in words:
            code = f"{blocks[-1].code}\n{code}"
        path = next((word for word in words if word.endswith(".py")), "")
        blocks.append(Block(page, text.count("\n", 0, match.start()) + 1, path, code, dict(files)))
        if path:
            files[path] = code
    return blocks


BLOCKS = [block for page in PAGES for block in read_blocks(page)]
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.name != "__main__.py"
]


def test_there_are_blocks_to_run() -> None:
    assert any(block.page.name == "README.md" for block in BLOCKS)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_a_block_runs(block: Block, project) -> None:
    """Run it as people would: an experiment by its command, anything else as a script in a project."""
    project.write_all(block.files)
    if block.is_experiment:
        path = block.path or "experiments/shown.py"
        project.write(path, block.code)
        project.experiment(Path(path).stem)
    else:
        path = block.path or "shown.py"
        project.write(path, block.code)
        project.run(sys.executable, path, env={"PYTHONPATH": module_path(project)})


def module_path(project) -> str:
    """Let a script find the project's own modules wherever it lies, and the package where it is not installed."""
    return os.pathsep.join(filter(None, [str(project.root), project.environment.get("PYTHONPATH")]))


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_docstring_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    results = doctest.testmod(module, optionflags=FLAGS, report=True)
    assert results.failed == 0, (
        f"{results.failed} of {results.attempted} examples failed; see the output above"
    )

"""The notebooks of the pages are clean as they lie there, and run from top to bottom in somebody's project."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
CELL_TIMEOUT_S = 60

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def run(path: Path, project: Any) -> Any:
    """Execute a copy of a notebook in a project, in a kernel of its own."""
    copy = project.root / path.name
    shutil.copyfile(path, copy)
    notebook = nbformat.read(copy, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_S,
        kernel_name="python3",
        resources={"metadata": {"path": str(project.root)}},
    )
    client.execute(env=project.environment)
    return notebook


def printed(notebook: Any) -> str:
    return "".join(
        output.text for cell in notebook.cells for output in cell.get("outputs", ()) if "text" in output
    )


def told(notebook: Any) -> list[str]:
    """List what the progress of each cell ended with."""
    return [
        output.data["text/plain"].splitlines()[-1]
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.output_type == "display_data"
    ]


def test_there_are_the_two_that_the_getting_started_follows() -> None:
    assert [path.name for path in NOTEBOOKS] == [
        "0_basic_components.ipynb",
        "1_caching_and_reporting.ipynb",
    ]


@each_notebook
def test_it_is_kept_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.id for cell in cells if cell.outputs or cell.execution_count is not None] == []


@each_notebook
def test_its_links_lead_somewhere(path: Path) -> None:
    text = "\n".join(
        cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"
    )
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_basic_components_give_the_values_that_people_expect(project) -> None:
    notebook = run(FOLDER / "0_basic_components.ipynb", project)
    said = printed(notebook)
    assert "{'initial_value': 5.0} {'initial_value': 10.0}" in said
    assert "{'initial_value': 10.0, 'final_value': 20.0}" in said
    assert "{'all_final_values': {'doubled': 20.0, 'uber-double': 80.0}, 'maximum_value': 80.0}" in said
    assert "<svg" in notebook.cells[-2].outputs[0].data["text/html"]


@pytest.mark.slow
def test_caching_and_reporting_computes_nothing_again_in_a_second_kernel(project) -> None:
    first = run(FOLDER / "1_caching_and_reporting.ipynb", project)
    assert "{'my_value': 1, 'magic_value': 42}" in printed(first)
    assert "<class 'curifactory.caching.Lazy'>\n<class 'list'> 1048576" in printed(first)
    assert "{'highest': 6}\n[2, 4, 6]" in printed(first)
    assert told(first)[0] == "1 call: 1 ran"

    second = run(FOLDER / "1_caching_and_reporting.ipynb", project)
    assert [line for line in told(second) if "ran" in line] == []
    assert "{'highest': 6}\n[2, 4, 6]" in printed(second), "what a reused stage logged is told again"
    pictures = [
        output.data["text/html"].count("data:image/svg+xml;base64,")
        for cell in second.cells
        for output in cell.get("outputs", ())
        if "text/html" in output.get("data", {})
    ]
    assert max(pictures) == 4, "what a reused stage reported is shown again"

"""A notebook of a run: it loads the run, and shows its parameters, metrics, artifacts and reportables."""

from __future__ import annotations

import hashlib
import json
import keyword
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from curifactory.publishing.parts import Published
from curifactory.publishing.whole_file import made_whole
from curifactory.store.run import Run

_MOST_RECORDS = 12


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a notebook.

    Parameters
    ----------
    kind : str
        ``code`` or ``markdown``.
    source : str
        Its text.
    """

    kind: str
    source: str


@dataclass(frozen=True, slots=True)
class LoadableArtifact:
    """An artifact that the notebook loads.

    Parameters
    ----------
    record : int
        Index of its record.
    name : str
        Name of the output.
    about : str
        Type and size of the value.
    """

    record: int
    name: str
    about: str


def write_notebook(published: Published, target: Path, artifacts: Sequence[LoadableArtifact]) -> Path:
    """Write a notebook that loads a run.

    Parameters
    ----------
    published : Published
        The run.
    target : Path
        The file.
    artifacts : sequence of LoadableArtifact
        Those whose bytes are there.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    cells = list(_iter_cells(published, target, artifacts))
    text = json.dumps(render_notebook(cells), ensure_ascii=False, indent=1)
    with made_whole(target) as partial:
        partial.write_text(f"{text}\n", encoding="utf-8", errors="backslashreplace")
    return target


def render_notebook(cells: Sequence[Cell]) -> dict[str, Any]:
    """Return cells as a notebook of format 4.5; equal cells give equal notebooks.

    Examples
    --------
    >>> notebook = render_notebook([Cell("code", "1 + 1")])
    >>> notebook["nbformat"], notebook["cells"][0]["source"]
    (4, ['1 + 1'])
    """
    return {
        "cells": [_render_cell(position, cell) for position, cell in enumerate(cells)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _render_cell(position: int, cell: Cell) -> dict[str, Any]:
    identity = hashlib.blake2b(f"{position} {cell.source}".encode("utf-8", "replace"), digest_size=4)
    rendered: dict[str, Any] = {
        "cell_type": cell.kind,
        "id": identity.hexdigest(),
        "metadata": {},
        "source": cell.source.splitlines(keepends=True),
    }
    if cell.kind == "code":
        rendered |= {"execution_count": None, "outputs": []}
    return rendered


def _iter_cells(published: Published, target: Path, artifacts: Sequence[LoadableArtifact]) -> Iterator[Cell]:
    run = published.run
    yield Cell("markdown", _head(run))
    yield Cell("code", f"{_imports(published, target)}\nrun")
    if run.parameters:
        yield Cell("markdown", "## Parameters")
        yield Cell(
            "code",
            "pd.DataFrame({record.name: record.shown_params for record in run.records if record.shown_params})",
        )
    if run.metrics:
        yield Cell("markdown", "## Metrics")
        yield Cell("code", "pd.DataFrame({record.name: record.metrics for record in run.records}).T")
        yield Cell("code", "run.metrics")
    if run.reportables:
        yield Cell("markdown", "## Reportables")
        yield Cell("code", "run.display_all_reportables()")
    yield from _iter_records(run, artifacts)


def _head(run: Run) -> str:
    facts = run.facts
    git = facts.get("git") or {}
    commit = (git.get("commit") or "none yet") if git else ""
    lines = [
        ("Outcome", run.outcome.value),
        ("Started", str(facts.get("started_at") or "")),
        ("Command", str(facts.get("command_line") or "")),
        ("Commit", f"{commit} with uncommitted changes" if git.get("dirty") else commit),
        ("Notes", str(facts.get("notes") or "")),
    ]
    told = "\n".join(f"- {name}: {escape_markdown(value)}" for name, value in lines if value.strip())
    about = str(facts.get("experiment_doc") or "").strip().partition("\n")[0]
    head = f"# {escape_markdown(run.reference)}\n\n"
    return f"{head}{escape_markdown(about)}\n\n{told}" if about else f"{head}{told}"


def _imports(published: Published, target: Path) -> str:
    """Return the cell that loads the run, from wherever the notebook is executed within the project."""
    run, root = published.run, published.project.root
    lines = ["import pandas as pd", "", "import curifactory as cf", ""]
    found = target.resolve().is_relative_to(root.resolve()) and run.folder.is_relative_to(
        published.project.runs_folder
    )
    if found:
        lines.append(f"run = cf.load_run({run.reference!r})")
    else:
        lines[0:0] = ["from pathlib import Path", ""]
        lines.append(f"run = cf.load_run(Path({str(run.folder)!r}))")
    return "\n".join(lines)


def _iter_records(run: Run, artifacts: Sequence[LoadableArtifact]) -> Iterator[Cell]:
    if not run.records:
        return
    yield Cell("markdown", "## Records and artifacts")
    for record in run.records[:_MOST_RECORDS]:
        own = [each for each in artifacts if each.record == record.index]
        yield Cell("markdown", f"### {escape_markdown(record.name)}")
        yield Cell("code", f"record = run.records[{record.index}]\nrecord")
        for each in own:
            about = f"  # {' '.join(each.about.split())}" if each.about else ""
            name = make_name(each.name)
            yield Cell("code", f"{name} = record.artifacts[{each.name!r}].load(){about}\n{name}")
    left = len(run.records) - _MOST_RECORDS
    if left > 0:
        yield Cell("markdown", f"{left:,} more records are in `run.records`.")


def make_name(text: str) -> str:
    """Return a name for a variable that holds what is called so.

    Examples
    --------
    >>> make_name("test data"), make_name("class"), make_name("2x"), make_name("record")
    ('test_data', 'class_', 'value_2x', 'record_')
    """
    name = re.sub(r"\W+", "_", text) or "value"
    if not name.isidentifier():
        name = f"value_{name}"
    return f"{name}_" if keyword.iskeyword(name) or name in {"run", "record", "cf", "pd", "Path"} else name


def escape_markdown(text: str) -> str:
    r"""Return a person's text so that Markdown shows it as it is, on one line.

    Examples
    --------
    >>> escape_markdown("<b>*a_1*</b>")
    '&lt;b&gt;\\*a\\_1\\*&lt;/b&gt;'
    """
    one_line = " ".join(text.split())
    return re.sub(r"([\\`*_{}\[\]()#+!|~$])", r"\\\1", escape(one_line, quote=False))


def notebook_path(published: Published) -> Path:
    """Return where the notebook of a run lies if nobody says otherwise."""
    return (
        Path(os.path.abspath(published.project.settings.notebooks_path)) / f"{published.run.reference}.ipynb"
    )

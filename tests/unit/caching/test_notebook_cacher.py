from __future__ import annotations

import os

import nbformat
import pytest

from curifactory.caching import RawJupyterNotebookCacher
from curifactory.errors import CacheError

CELLS = [["import json\n", "x = {'ä': 1}"], "print(x)", [], ""]


def test_jupyter_can_open_the_notebook(tmp_path):
    RawJupyterNotebookCacher(tmp_path / "a.ipynb").save(CELLS)
    notebook = nbformat.read(tmp_path / "a.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert [cell.source for cell in notebook.cells] == ["import json\nx = {'ä': 1}", "print(x)", "", ""]


def test_the_cells_lie_beside_the_notebook(tmp_path):
    RawJupyterNotebookCacher(tmp_path / "a.ipynb").save(CELLS)
    assert sorted(os.listdir(tmp_path)) == ["a.ipynb", "a_cells.json"]


def test_an_edited_notebook_does_not_change_the_value(tmp_path):
    cacher = RawJupyterNotebookCacher(tmp_path / "a.ipynb")
    cacher.save(CELLS)
    (tmp_path / "a.ipynb").write_text("edited")
    assert cacher.load() == CELLS


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ("x = 1", "it is of type str"),
        ([1], "value[0] is of type int"),
        (["a", ["b", 2]], "value[1][1] is of type int"),
        ([("a",)], "tuple"),
    ],
)
def test_what_is_no_list_of_cells_is_refused(tmp_path, value, where):
    with pytest.raises(CacheError) as caught:
        RawJupyterNotebookCacher(tmp_path / "a.ipynb").save(value)
    assert where in str(caught.value)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("content", ["[", "{}"])
def test_broken_cells_are_named(tmp_path, content):
    (tmp_path / "a_cells.json").write_text(content)
    with pytest.raises(CacheError, match=r"a_cells\.json holds no cells"):
        RawJupyterNotebookCacher(tmp_path / "a.ipynb").load()

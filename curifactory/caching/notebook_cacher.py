"""``RawJupyterNotebookCacher``: cells of code as a notebook that Jupyter opens."""

from __future__ import annotations

import json
from typing import Any

from curifactory.caching.cacheable import Cacheable
from curifactory.errors import CacheError

Cell = str | list[str]


class RawJupyterNotebookCacher(Cacheable):
    """Saves a list of cells, each a text or a list of lines of code, as an ``.ipynb``.

    The cells themselves lie beside it in ``…_cells.json``, from which they are loaded: running or editing the notebook
    does not change the value.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cacher = RawJupyterNotebookCacher(f"{folder}/explore.ipynb")
    ...     cacher.save([["import json", "x = 1"], "print(x)"])
    ...     cacher.load()
    [['import json', 'x = 1'], 'print(x)']
    """

    extension = ".ipynb"
    lossless = True

    def save(self, obj: Any) -> None:
        """Write the notebook and the cells.

        Raises
        ------
        CacheError
            If the value is no list of cells.
        """
        if type(obj) is not list:
            raise self._wrong("it", obj)
        for index, cell in enumerate(obj):
            if type(cell) is list:
                for number, line in enumerate(cell):
                    if type(line) is not str:
                        raise self._wrong(f"value[{index}][{number}]", line)
            elif type(cell) is not str:
                raise self._wrong(f"value[{index}]", cell)
        self._write(self.get_path(), _notebook(obj))
        self._write(self.get_path("_cells.json"), obj)

    def load(self) -> list[Cell]:
        """Read the cells.

        Raises
        ------
        CacheError
            If the file of the cells is not what ``save`` writes.
        """
        path = self.get_path("_cells.json")
        with open(path, encoding="utf-8") as file:
            try:
                cells = json.load(file)
            except ValueError as error:
                raise CacheError(f"{path} holds no cells: {error}.") from error
        if not isinstance(cells, list):
            raise CacheError(f"{path} holds no cells.", hint="Delete it to have it made again.")
        return cells

    def _write(self, path: str, content: Any) -> None:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1, ensure_ascii=True)

    def _wrong(self, where: str, value: Any) -> CacheError:
        return self.refusal(
            f"{where} is of type {type(value).__qualname__}.",
            hint="Return a list of cells; a cell is a text or a list of lines.",
        )


def _notebook(cells: list[Cell]) -> dict[str, Any]:
    return {
        "cells": [
            {
                "cell_type": "code",
                "execution_count": None,
                "id": f"cell-{index}",
                "metadata": {},
                "outputs": [],
                "source": "\n".join(line.rstrip("\n") for line in cell) if isinstance(cell, list) else cell,
            }
            for index, cell in enumerate(cells)
        ],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }

"""A confusion matrix ready to be shown: its cells with their shares, recall, precision and accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from curifactory.reporting.view.quantities import format_number


def complete_matrix(data: Mapping[str, Any]) -> dict[str, Any]:
    """Work out what follows from the numbers of a confusion matrix.

    Parameters
    ----------
    data : mapping
        ``labels``, (n,), and ``cells``, (n, n): true classes by predicted ones.

    Returns
    -------
    dict
        ``rows`` of (label, cells of (text, share of the row, whether right), recall), ``precision`` of each column, and
        ``accuracy``; shares as percents, empty where there is nothing to divide by.

    Examples
    --------
    >>> matrix = complete_matrix({"labels": ["a", "b"], "cells": [[9, 1], [0, 10]]})
    >>> matrix["rows"][0], matrix["precision"], matrix["accuracy"]
    (('a', [('9', 90, True), ('1', 10, False)], '90 %'), ['100 %', '91 %'], '95.0 %')
    """
    labels = list(map(str, data["labels"]))
    cells: Sequence[Sequence[float]] = data["cells"]
    rows = []
    for number, (label, row) in enumerate(zip(labels, cells, strict=True)):
        total = sum(row)
        shown = [
            (format_number(cell), round(100 * cell / total) if total else 0, number == column)
            for column, cell in enumerate(row)
        ]
        rows.append((label, shown, _percent(row[number], total)))
    totals = [sum(row[column] for row in cells) for column in range(len(labels))]
    right = sum(cells[number][number] for number in range(len(labels)))
    return {
        "labels": labels,
        "rows": rows,
        "precision": [_percent(cells[column][column], total) for column, total in enumerate(totals)],
        "accuracy": _percent(right, sum(totals), digits=1),
    }


def _percent(part: float, whole: float, *, digits: int = 0) -> str:
    return f"{100 * part / whole:.{digits}f} %" if whole else ""

"""``ConfusionMatrixReporter``: which class was taken for which, as a table whose cells are shaded."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

from curifactory.core.trace import Fragment
from curifactory.errors import ReportError
from curifactory.reporting.reportables.reportable import Reportable

MOST_CLASSES = 200


class ConfusionMatrixReporter(Reportable):
    """Show a confusion matrix: true classes as rows, predicted ones as columns.

    Each cell is shaded by its share of the row; recall stands at the ends of rows, precision below the columns.

    Parameters
    ----------
    matrix : array of shape (n, n)
        Counts or weights, as ``sklearn.metrics.confusion_matrix`` gives them.
    labels : sequence, (n,), optional
        The classes; without them, 0, 1, 2, …
    name, group, caption : str, optional
        See :class:`~curifactory.reporting.Reportable`.

    Examples
    --------
    >>> matrix = ConfusionMatrixReporter.from_predictions(["a", "a", "b"], ["a", "b", "b"])
    >>> matrix.to_fragment(folder=".", name="0").data["cells"]
    [[1, 1], [0, 1]]
    """

    def __init__(
        self,
        matrix: Any,
        labels: Sequence[Any] | None = None,
        name: str | None = None,
        group: str | None = None,
        caption: str | None = None,
    ) -> None:
        super().__init__(name, group, caption)
        self.matrix = matrix
        self.labels = labels

    @classmethod
    def from_predictions(
        cls,
        truth: Any,
        predicted: Any,
        *,
        labels: Sequence[Any] | None = None,
        name: str | None = None,
        group: str | None = None,
        caption: str | None = None,
    ) -> ConfusionMatrixReporter:
        """Count which class was taken for which.

        Parameters
        ----------
        truth, predicted : sequence, (m,)
            The class of each case.
        labels : sequence, (n,), optional
            The classes in the order of the rows; without them, all that occur, sorted.
        name, group, caption : str, optional
            See :class:`~curifactory.reporting.Reportable`.

        Raises
        ------
        ReportError
            If there are not as many predictions as cases, or a class is not among the labels.
        """
        true_ones, predicted_ones = _to_list(truth), _to_list(predicted)
        if len(true_ones) != len(predicted_ones):
            raise ReportError(
                f"There are {len(true_ones)} true classes and {len(predicted_ones)} predicted ones."
            )
        occurring = set(true_ones) | set(predicted_ones)
        classes = _sorted(occurring) if labels is None else _to_list(labels)
        places = {each: place for place, each in enumerate(classes)}
        missing = occurring - places.keys()
        if missing:
            raise ReportError(f"The labels do not have the classes {', '.join(map(repr, _sorted(missing)))}.")
        counts = [[0] * len(classes) for _ in classes]
        for true_one, predicted_one in zip(true_ones, predicted_ones, strict=True):
            counts[places[true_one]][places[predicted_one]] += 1
        return cls(counts, classes, name, group, caption)

    def to_fragment(self, folder: str, name: str) -> Fragment:
        """Become numbers; the shades come with the page.

        Raises
        ------
        ReportError
            If it is not square, has negative numbers or others than numbers, too many classes, or other labels.
        """
        rows = [_to_list(row) for row in _to_list(self.matrix)]
        size = len(rows)
        labels = list(map(str, range(size) if self.labels is None else _to_list(self.labels)))
        if not size or any(len(row) != size for row in rows):
            widths = sorted({len(row) for row in rows})
            raise ReportError(
                f"A confusion matrix is square; this one has {size} rows of {' or '.join(map(str, widths)) or 0} numbers."
            )
        if len(labels) != size:
            raise ReportError(f"The confusion matrix has {size} classes and {len(labels)} labels.")
        if size > MOST_CLASSES:
            raise ReportError(
                f"A matrix of {size} classes is more than a page can show; {MOST_CLASSES} are the most.",
                hint="Show it as a picture with ImageReporter, or the worst of its classes.",
            )
        if not all(isinstance(cell, numbers.Real) and float(cell) >= 0 for row in rows for cell in row):
            raise ReportError("A confusion matrix has numbers that are not negative, and nothing else.")
        return self._fragment(
            name, "matrix", {"labels": labels, "cells": [list(map(_plain, row)) for row in rows]}
        )


def _to_list(values: Any) -> list[Any]:
    # Arrays, tensors and series of all libraries have one or the other.
    for way in ("tolist", "to_list"):
        convert = getattr(values, way, None)
        if callable(convert):
            return list(convert())
    return list(values)


def _sorted(values: set[Any]) -> list[Any]:
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=str)


def _plain(cell: Any) -> float:
    return int(cell) if float(cell).is_integer() else float(cell)

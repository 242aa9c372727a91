import numpy as np
import pandas as pd
import pytest

from curifactory.errors import ReportError
from curifactory.reporting import ConfusionMatrixReporter


def data_of(reportable):
    return reportable.to_fragment(".", "confusion").data


@pytest.mark.parametrize(
    "truth",
    [["b", "a", "b"], np.array(["b", "a", "b"]), pd.Series(["b", "a", "b"])],
)
def test_predictions_are_counted(truth):
    data = data_of(ConfusionMatrixReporter.from_predictions(truth, ["b", "b", "a"]))
    assert data == {"labels": ["a", "b"], "cells": [[0, 1], [1, 1]]}


def test_labels_set_the_order_and_may_name_more_than_occur():
    matrix = ConfusionMatrixReporter.from_predictions([1, 0], [1, 1], labels=[1, 0, 2])
    assert data_of(matrix) == {"labels": ["1", "0", "2"], "cells": [[1, 0, 0], [1, 0, 0], [0, 0, 0]]}


def test_it_counts_as_scikit_learn_does():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(3)
    truth, predicted = rng.integers(0, 4, 200), rng.integers(0, 4, 200)
    counted = data_of(ConfusionMatrixReporter.from_predictions(truth, predicted))["cells"]
    assert counted == metrics.confusion_matrix(truth, predicted).tolist()


def test_weights_stay_fractions():
    assert data_of(ConfusionMatrixReporter(np.array([[0.5, 2.0], [0.0, 1.0]])))["cells"] == [[0.5, 2], [0, 1]]


@pytest.mark.parametrize(
    ("matrix", "labels", "message"),
    [
        ([[1, 2]], None, "is square; this one has 1 rows of 2 numbers"),
        ([], None, "is square; this one has 0 rows"),
        ([[1, -2], [0, 1]], None, "not negative"),
        ([["a"]], None, "not negative"),
        ([[1]], ["a", "b"], "1 classes and 2 labels"),
        (np.eye(201), None, "201 classes is more than a page can show"),
    ],
)
def test_what_is_no_confusion_matrix_is_refused(matrix, labels, message):
    with pytest.raises(ReportError, match=message):
        data_of(ConfusionMatrixReporter(matrix, labels))


def test_predictions_that_do_not_fit_are_refused():
    with pytest.raises(ReportError, match="2 true classes and 1 predicted"):
        ConfusionMatrixReporter.from_predictions([1, 2], [1])
    with pytest.raises(ReportError, match="do not have the classes 3, 'x'"):
        ConfusionMatrixReporter.from_predictions([1, 3], [1, "x"], labels=[1])

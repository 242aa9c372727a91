import math

from curifactory.reporting.view.chip import Chips
from curifactory.reporting.view.results import find_best, gather_results
from curifactory.store.run import Run


def results_of(folder_in_the_making):
    run = Run.read(folder_in_the_making.write())
    return gather_results(run.metrics, Chips(run.records))


def test_the_best_of_each_metric_is_marked_in_its_direction(iris):
    results = results_of(iris)
    assert [(column.name, column.direction) for column in results.columns] == [
        ("accuracy", "higher"),
        ("loss", "lower"),
        ("flowers", ""),
    ]
    assert [[cell.best for cell in row.cells] for row in results.rows] == [
        [False, False, False],
        [True, True, False],
    ]
    assert [cell.text for cell in results.rows[1].cells] == ["0.9687", "0.1200", "50"]


def test_the_last_value_counts(empty_run):
    record = empty_run.add_record("a")
    for step, loss in enumerate((0.9, 0.1, 0.4)):
        empty_run.log_metrics(record, None, "train", loss=loss)
        empty_run.metrics[-1]["step"] = step
    assert results_of(empty_run).rows[0].cells[0].exact == "0.4"


def test_records_that_logged_other_metrics_have_gaps(empty_run):
    for name, metric in (("a", "accuracy"), ("b", "recall")):
        empty_run.log_metrics(empty_run.add_record(name), None, **{metric: 0.5})
    assert [[cell is None for cell in row.cells] for row in results_of(empty_run).rows] == [
        [False, True],
        [True, False],
    ]


def test_types_tell_equal_names_apart(empty_run):
    record = empty_run.add_record("a")
    empty_run.log_metrics(record, None, "train", loss=0.1)
    empty_run.log_metrics(record, None, "test", loss=0.2)
    results = results_of(empty_run)
    assert results.typed
    assert [(column.type, column.name) for column in results.columns] == [("train", "loss"), ("test", "loss")]


def test_without_metrics_there_is_no_table(iris):
    iris.metrics = []
    assert results_of(iris) is None


def test_nothing_is_best_where_all_are_equal_or_the_name_does_not_tell():
    assert find_best("accuracy", [0.5, 0.5]) is None
    assert find_best("accuracy", [0.5]) is None
    assert find_best("n", [1.0, 2.0]) is None


def test_nan_and_infinity_are_never_the_best(empty_run):
    for name, loss in (("a", "nan"), ("b", 0.5), ("c", 0.7), ("d", "-inf")):
        empty_run.log_metrics(empty_run.add_record(name), None, loss=loss)
    assert [row.cells[0].best for row in results_of(empty_run).rows] == [False, True, False, False]
    assert find_best("loss", [math.nan, 0.5]) is None


def test_the_best_value_on_the_way_is_told_beside_the_last(empty_run):
    record = empty_run.add_record("a")
    for step, (loss, accuracy) in enumerate(((0.9, 0.2), (0.1, 0.3), (0.4, 0.5))):
        empty_run.log_metrics(record, None, "train", loss=loss, accuracy=accuracy, n=step)
        empty_run.metrics[-1]["step"] = 10 * step
    loss, accuracy, n = results_of(empty_run).rows[0].cells
    assert (loss.text, loss.peak, loss.peak_at) == ("0.4000", "0.1000", "step 10")
    assert (accuracy.peak, n.peak) == ("", "")


def test_without_steps_the_best_value_is_counted(empty_run):
    record = empty_run.add_record("a")
    for epoch, loss in enumerate((0.9, "nan", 0.1, 0.4)):
        empty_run.log_metrics(record, None, loss=loss)
        empty_run.metrics[-1]["epoch"] = epoch if epoch != 2 else None
    assert results_of(empty_run).rows[0].cells[0].peak_at == "3 of 4"

from curifactory.reporting.view.parameters import gather_parameters
from curifactory.store.run import Run


def parameters_of(folder_in_the_making):
    return gather_parameters(Run.read(folder_in_the_making.write()).parameters)


def test_what_differs_comes_first_and_what_is_the_same_stands_once(iris):
    view = parameters_of(iris)
    assert view.columns == ("balanced", "n", "model_type")
    assert view.same == (("seed", "1"),)
    assert [each.values[:2] for each in view.sets] == [("true", "100"), ("false", "200")]
    assert (view.sets[0].type, view.sets[0].file) == ("Params", "params/iris.py")


def test_a_field_that_a_set_does_not_have_is_a_gap(empty_run):
    empty_run.add_record("a", {"n": 1})
    empty_run.add_record("b", {"n": 1, "depth": 3})
    view = parameters_of(empty_run)
    assert (view.columns, [each.values for each in view.sets]) == (("depth",), [(None,), ("3",)])


def test_types_that_look_alike_are_told_apart(empty_run):
    empty_run.add_record("a", {"n": 1, "x": None})
    empty_run.add_record("b", {"n": 1.0, "x": False})
    assert parameters_of(empty_run).columns == ("n", "x")


def test_of_one_set_everything_is_the_same(empty_run):
    empty_run.add_record("a", {"model": {"depth": 3}, "empty": {}})
    view = parameters_of(empty_run)
    assert (view.columns, view.same) == ((), (("model.depth", "3"), ("empty", "{}")))


def test_without_sets_there_is_nothing(empty_run):
    assert parameters_of(empty_run) is None


def test_what_no_stage_has_read_is_told(iris):
    run = Run.read(iris.write())
    view = gather_parameters(run.parameters, ["seed", "model_type", "gone"])
    assert view.unread == {"seed", "model_type"}


def test_below_a_set_that_nothing_has_read_everything_is_unread(empty_run):
    empty_run.add_record("a", {"model": {"depth": 3, "kind": "rf"}, "models": 2})
    view = gather_parameters(Run.read(empty_run.write()).parameters, ["model"])
    assert view.unread == {"model.depth", "model.kind"}

import pytest

from curifactory.executors import nursery as nurseries
from curifactory.manager.early_hands import WORKER, begin_hands


@pytest.fixture
def begun():
    yield nurseries._early
    nurseries._end_early()


@pytest.mark.parametrize(
    "words",
    [["-j", "2"], ["-j2"], ["--jobs", "2"], ["--jobs=3", "--quiet"], ["--executor", "processes"]],
    ids=" ".join,
)
def test_hands_begin_for_whoever_asks_for_some(begun, words):
    begin_hands(["experiment", "case", *words])
    assert [each.module for each in begun] == [WORKER]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["-j", "1"],
        ["-j"],
        ["--jobs", "many"],
        ["--executor", "serial", "-j", "2"],
        ["--executor=dask", "-j", "2"],
    ],
    ids=" ".join,
)
def test_none_begin_for_who_has_no_use_for_them(begun, words):
    begin_hands(["experiment", "case", *words])
    assert begun == []


def test_none_begin_for_one_that_follows_another(begun, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    begin_hands(["experiment", "case", "-j", "2"])
    assert begun == []

"""The read log: views that escape, values that were changed, and how paths are gathered."""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from curifactory.parameters.digests import SetDigests
from curifactory.parameters.reads import ReadLog
from curifactory.parameters.sets import ExperimentParameters
from curifactory.parameters.view import track


@dataclass
class Model:
    lr: float = 0.1
    sizes: list = field(default_factory=lambda: [1, 2])


@dataclass
class Params(ExperimentParameters):
    n: int = 1
    ratio: float = float("nan")
    model: Model = field(default_factory=Model)
    table: dict = field(default_factory=lambda: {"a": [1]})
    pair: tuple = ()
    thing: Any = None

    def area(self):
        return self.n


WHOLE = {"object:", "name", "hash", "overwrite"}


def watch(params=None):
    log = ReadLog()
    return track(Params() if params is None else params, log), log


def test_a_view_that_is_dropped_has_not_escaped():
    view, log = watch()
    assert view.model.lr == 0.1
    del view
    assert not log.escaped()
    assert log.paths() == {"type:model", "model.lr"}


@pytest.mark.parametrize(
    "keep",
    [
        lambda view: [view],
        lambda view: lambda: view.n,
        lambda view: view.area,
        lambda view: functools.partial(print, view),
        lambda view: {"deep": ({"deeper": view},)},
    ],
)
def test_a_view_that_something_holds_counts_as_read_whole(keep):
    view, log = watch()
    kept = keep(view)
    del view
    assert log.escaped()
    assert log.whole
    assert log.paths() >= WHOLE
    del kept


def test_a_nested_view_that_is_held_counts_with_all_of_itself():
    view, log = watch()
    kept = view.model
    del view
    assert log.escaped()
    assert not log.whole
    assert log.paths() == {"type:model", "model"}
    assert kept.lr == 0.1


def test_a_view_in_a_garbage_cycle_has_not_escaped():
    view, log = watch()
    cycle = {"view": view}
    cycle["self"] = cycle
    del view, cycle
    assert not log.escaped()


def test_a_view_in_a_running_thread_has_escaped():
    view, log = watch()
    go_on = threading.Event()
    thread = threading.Thread(target=lambda held: go_on.wait(10), args=(view,))
    thread.start()
    del view
    try:
        assert log.escaped()
    finally:
        go_on.set()
        thread.join()


def test_a_cache_that_keeps_its_arguments_lets_a_view_escape():
    @functools.lru_cache
    def identity(model):
        return 1

    @dataclass(frozen=True)
    class Frozen:
        x: int = 1

    view, log = watch(Params(thing=Frozen()))
    assert identity(view.thing) == 1
    del view
    assert log.escaped()
    assert log.paths() == {"type:thing", "thing"}


def test_values_that_stayed_as_they_were_are_not_changed():
    params = Params(pair=(1, 2), thing=b"x")
    view, log = watch(params)
    assert (view.n, view.pair, view.thing, view.table, view.model.sizes) == (
        1,
        (1, 2),
        b"x",
        {"a": [1]},
        [1, 2],
    )
    assert view.ratio != view.ratio
    assert log.changed(params) == []


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda view, params: view.table["a"].append(2), "table"),
        (lambda view, params: view.model.sizes.clear(), "model.sizes"),
        (lambda view, params: (view.n, setattr(params, "n", 2)), "n"),
        (lambda view, params: (view.n, setattr(params, "n", True)), "n"),
        (lambda view, params: (view.n, setattr(params, "n", 1.0)), "n"),
        (lambda view, params: (view.model.lr, setattr(params, "model", None)), "model.lr"),
        (lambda view, params: (view.table, delattr(params, "table")), "table"),
        (lambda view, params: vars(view)["table"].clear(), "table"),
    ],
)
def test_a_value_that_was_read_and_changed_is_named(change, path):
    params = Params()
    view, log = watch(params)
    change(view, params)
    assert log.changed(params) == [path]


def test_a_copy_that_shares_its_values_gives_changes_away():
    import copy

    params = Params()
    view, log = watch(params)
    copy.copy(view).table["b"] = 1
    assert log.changed(params) == ["table"]


def test_a_changed_array_is_noticed():
    np = pytest.importorskip("numpy")
    params = Params(thing=np.zeros(1000))
    view, log = watch(params)
    view.thing[500] = 1
    assert log.changed(params) == ["thing"]


def test_a_value_without_identity_can_be_read_and_is_not_compared():
    params = Params(thing=[threading.Lock()])
    view, log = watch(params)
    assert len(view.thing) == 1
    assert log.paths() == {"thing"}
    assert log.changed(params) == []


def test_digests_that_are_known_already_are_used_for_comparing():
    params = Params()
    digests = SetDigests(params)
    log = ReadLog(digests)
    view = track(params, log)
    view.table["b"] = 1
    assert log.changed(params) == ["table"]


def test_what_others_note_is_among_the_paths():
    log = ReadLog()
    log.note("name")
    log.note_whole()
    assert log.paths() == {"name", "*"}
    assert log.whole


def test_a_whole_read_stands_for_its_fields_but_not_for_names():
    view, log = watch()
    assert (view.n, view.name, view.model.lr) == (1, "UNNAMED", 0.1)
    log.note_whole()
    assert log.paths() == {"*", "name", "type:model"}

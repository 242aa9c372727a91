"""Trees are parameter sets: hashed, tracked by path, changed, kept without loss and shown."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from curifactory.errors import ConfigurationError
from curifactory.parameters import update
from curifactory.parameters.digests import SetDigests
from curifactory.parameters.lossless import dump_set, load_set
from curifactory.parameters.reads import ReadLog
from curifactory.parameters.shown import diff_sets, shown_set
from curifactory.parameters.trees import Section, make_section, make_tree, plain_tree
from curifactory.parameters.view import track


def make(**changes: Any) -> Any:
    tree = {
        "seed": 1,
        "model": {"class": "a.B", "sizes": [10, 20], "inner": {"k": 1}},
        "by": {1: "one"},
        **changes,
    }
    return make_tree(tree, name="x")


def test_a_tree_is_read_by_attributes_and_items() -> None:
    params = make()
    assert params.model.inner.k == params["model"]["inner"]["k"] == 1
    assert list(params) == ["seed", "model", "by"]
    assert len(params.model) == 3
    assert "seed" in params
    assert 5 not in params
    assert dict(**{name: params.model[name] for name in params.model})["class"] == "a.B"
    with pytest.raises(KeyError):
        params["nothing"]
    with pytest.raises(AttributeError):
        params.nothing  # noqa: B018


def test_trees_compare_by_what_they_hold() -> None:
    assert make() == make()
    assert make() != make(seed=2)
    assert make_section({"a": 1}) != {"a": 1}
    assert repr(make_section({"a": 1})) == "Section(a=1)"
    assert repr(make_tree({"a": 1}, name="x")) == "ParameterTree(name='x', a=1)"


def test_identity_follows_values_and_not_names_or_order() -> None:
    assert make().params_hash() == make().params_hash()
    assert (
        make_tree({"a": 1, "b": 2}, name="x").params_hash()
        == make_tree({"b": 2, "a": 1}, name="y").params_hash()
    )
    hashes = {make(seed=seed).params_hash() for seed in (1, 2, True, "1", 1.0)}
    assert len(hashes) == 5
    assert update(make(), k=2)[0].params_hash() != make().params_hash()


def test_what_is_read_is_tracked_by_path() -> None:
    log = ReadLog()
    params = track(make(), log)
    assert params.model.inner.k == 1
    assert set(log.paths()) == {"type:model", "type:model.inner", "model.inner.k"}


def test_other_values_make_other_reads_and_only_those() -> None:
    def read(params: Any) -> dict[str, str]:
        log = ReadLog()
        assert track(params, log).model["sizes"]
        return SetDigests(params).of_all(log.paths())

    assert read(make()) == read(update(make(), k=5, seed=9)[0])
    assert read(make()) != read(update(make(), sizes=[1])[0])


def test_a_section_that_is_taken_as_a_whole_counts_as_a_whole() -> None:
    log = ReadLog()
    assert vars(track(make(), log).model)["inner"].k == 1
    assert "model" in log.paths()


def test_a_tree_made_plain_counts_by_names_and_values_and_not_by_what_it_is_called() -> None:
    def read(params: Any) -> dict[str, str]:
        log = ReadLog()
        assert plain_tree(track(params, log))["model"]["inner"]
        return SetDigests(params).of_all(log.paths())

    reads = read(make())
    assert {"fields:", "fields:model", "model.inner.k", "model.sizes"} <= set(reads)
    assert not {"name", "hash", "overwrite", "model", "*", "object:"} & set(reads)
    renamed = make()
    renamed.name = "other"
    assert read(renamed) == reads
    assert read(update(make(), {"+model.new": 1})[0])["fields:model"] != reads["fields:model"]
    assert read(update(make(), k=2)[0])["model.inner.k"] != reads["model.inner.k"]


def test_asking_whether_a_name_is_there_reads_which_names_there_are_and_no_values() -> None:
    log = ReadLog()
    assert "dropout" not in track(make(), log).model
    assert list(track(make(), log).model)
    assert {path for path in log.paths() if not path.startswith(("type:", "code:"))} == {"fields:model"}


def test_a_tree_is_kept_without_loss_and_shown() -> None:
    params = make()
    assert load_set(dump_set(params)) == params
    assert shown_set(params) == {
        "seed": 1,
        "model": {"class": "a.B", "sizes": [10, 20], "inner": {"k": 1}},
        "by": "{1: 'one'}",
    }
    changed, _ = update(params, {"inner.k": 7})
    assert diff_sets(dump_set(params), dump_set(changed)) == [("model.inner.k", "1", "7")]


def test_a_tree_is_copied_and_pickled() -> None:
    assert copy.deepcopy(make()) == make()
    assert pickle.loads(pickle.dumps(make())) == make()


def test_updates_keep_the_order_and_can_add() -> None:
    new, _ = update(make(), {"sizes.1": 5, "+model.new": {"a": 1}, "model": {"class": "c.D"}})
    assert list(new) == ["seed", "model", "by"]
    assert new.model.sizes == [10, 5]
    assert isinstance(new.model.new, Section)
    assert new.model["class"] == "c.D"
    assert make().model.sizes == [10, 20]


def test_mappings_that_cannot_be_followed_by_path_stay_dictionaries() -> None:
    params = make_tree({"m": {"a.b": 1}, "n": {"__class__": 2}, "o": {}, "p": {"*": 1}}, name="x")
    assert all(type(params[name]) is dict for name in "mnop")


@pytest.mark.parametrize("name", ["a.b", "params_hash", "__class__", "1", "", "file_hash", 5])
def test_a_name_that_cannot_be_a_parameters_is_refused(name: Any) -> None:
    with pytest.raises(ConfigurationError, match="cannot be the name of a parameter"):
        make_tree({name: 1}, name="x")


def test_what_every_set_has_can_be_said_in_a_tree() -> None:
    params = make_tree({"name": "mine", "overwrite": True, "n": 1}, name="x")
    assert (params.name, params.overwrite, list(params)) == ("mine", True, ["n"])

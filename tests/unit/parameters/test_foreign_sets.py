"""Sets whose class is one of attrs or pydantic: accepted, tracked by path, hashed, changed, kept and shown."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import attrs
import pydantic
import pytest

from curifactory.errors import ConfigurationError
from curifactory.identity.parameters import set_digest
from curifactory.parameters import product, update
from curifactory.parameters.checking import find_type_faults
from curifactory.parameters.digests import SetDigests
from curifactory.parameters.lossless import dump_set, load_set
from curifactory.parameters.reads import ReadLog
from curifactory.parameters.sets import check_sets, file_hash_of
from curifactory.parameters.shown import shown_set
from curifactory.parameters.view import track


@attrs.define
class AttrsInner:
    lr: float = 0.1
    sizes: list[int] = attrs.field(factory=list)


@attrs.define
class AttrsSet:
    name: str = "a"
    n: int = 1
    inner: AttrsInner = attrs.field(factory=AttrsInner)

    @property
    def double(self) -> int:
        return 2 * self.n


@attrs.frozen
class FrozenSet:
    name: str = "a"
    n: int = 1
    inner: AttrsInner = attrs.field(factory=AttrsInner)

    @property
    def double(self) -> int:
        return 2 * self.n


class ModelInner(pydantic.BaseModel):
    lr: float = 0.1
    sizes: list[int] = []


class ModelSet(pydantic.BaseModel):
    name: str = "a"
    n: int = 1
    inner: ModelInner = pydantic.Field(default_factory=ModelInner)

    @property
    def double(self) -> int:
        return 2 * self.n


ALL = pytest.mark.parametrize("make", [AttrsSet, FrozenSet, ModelSet])


@ALL
def test_they_are_parameter_sets(make: Any) -> None:
    sets = check_sets([make(), make(name="b")], source="params/x.py")
    assert [params.name for params in sets] == ["a", "b"]
    with pytest.raises(ConfigurationError, match="two sets named 'a'"):
        check_sets([make(), make()], source="params/x.py")


def test_a_class_without_a_name_is_told() -> None:
    with pytest.raises(ConfigurationError, match="its class has no field 'name'"):
        check_sets([AttrsInner()], source="params/x.py")


@ALL
def test_identity_is_that_of_values_and_not_of_names(make: Any) -> None:
    assert set_digest(make()) == set_digest(make(name="b"))
    assert set_digest(make()) != set_digest(make(n=2))
    assert file_hash_of(make()) == set_digest(make())[:32]
    assert set_digest(update(make(), lr=0.2)[0]) != set_digest(make())


@ALL
def test_what_is_read_is_tracked_by_path(make: Any) -> None:
    log = ReadLog()
    params = track(make(), log)
    assert isinstance(params, make)
    assert params.inner.lr == 0.1
    assert "inner.lr" in log.paths()
    assert not {"n", "inner.sizes", "*", "object:"} & set(log.paths())
    assert params.double == 2
    assert {"n", "code:double"} <= set(log.paths())


@ALL
def test_other_values_make_other_reads_and_only_those(make: Any) -> None:
    def read(params: Any) -> dict[str, str]:
        log = ReadLog()
        assert track(params, log).inner.lr
        return SetDigests(params).of_all(log.paths())

    assert read(make()) == read(make(name="b", n=7))
    assert read(make()) != read(update(make(), lr=0.5)[0])


@ALL
def test_a_view_is_used_as_the_set_itself(make: Any) -> None:
    log = ReadLog()
    params = track(make(), log)
    assert params == make()
    assert copy.deepcopy(params) == make()
    assert repr(params) == repr(make())
    assert "object:" in log.paths()


def test_what_a_model_does_by_itself_counts_as_reading_all_of_it() -> None:
    log = ReadLog()
    params = track(ModelSet(), log)
    assert params.model_dump() == {"name": "a", "n": 1, "inner": {"lr": 0.1, "sizes": []}}
    assert "object:" in log.paths()
    with pytest.raises(AttributeError):
        track(ModelSet(), ReadLog()).nothing  # noqa: B018


@ALL
def test_what_is_changed_in_place_is_noticed(make: Any) -> None:
    plain, log = make(), ReadLog()
    track(plain, log).inner.sizes.append(5)
    assert log.changed(plain) == ["inner.sizes"]


@ALL
def test_they_are_kept_without_loss_and_shown(make: Any) -> None:
    params, _ = update(make(), {"sizes": [1, 2], "n": 3})
    assert load_set(dump_set(params)) == params
    assert shown_set(params) == {"n": 3, "inner": {"lr": 0.1, "sizes": [1, 2]}}


@ALL
def test_they_are_swept(make: Any) -> None:
    sets = product(make(), n=[1, 2], lr=[0.5, 0.25], repeat=1)
    assert [(params.name, params.inner.lr) for params in sets][-1] == ("n=2,lr=0.25", 0.25)


@ALL
def test_repetitions_differ(make: Any) -> None:
    first, second, third = product(make(), repeat=3)
    assert set_digest(first) != set_digest(second)
    assert [getattr(each, "repeat_index", 0) for each in (first, second, third)] == [0, 1, 2]
    assert track(third, ReadLog()).repeat_index == 2
    assert isinstance(second, type(first))
    assert (second.n, second.inner, second.double if hasattr(second, "double") else 2) == (1, first.inner, 2)


@ALL
def test_repetitions_can_be_sent_and_copied(make: Any) -> None:
    second = product(make(), n=[5], repeat=2)[1]
    for other in (pickle.loads(pickle.dumps(second)), copy.deepcopy(second), copy.copy(second)):
        assert (other.repeat_index, other.n, other.inner) == (1, 5, second.inner)
        assert set_digest(other) == set_digest(second)


def test_values_that_a_class_does_not_check_are_checked() -> None:
    assert list(find_type_faults(AttrsSet(n="x"))) == [("n", "'x' is no int")]  # type: ignore[arg-type]
    assert list(find_type_faults(ModelSet())) == []

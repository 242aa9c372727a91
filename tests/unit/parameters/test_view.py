"""Tracked views: they behave as the set, and note exactly what was read."""

from __future__ import annotations

import copy
import dataclasses
import functools
import inspect
import operator
import pickle
import sys
import typing
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from curifactory.errors import DefinitionError
from curifactory.parameters.reads import ReadLog
from curifactory.parameters.sets import ExperimentParameters, set_hash_functions
from curifactory.parameters.view import plain_of, track


@dataclass(frozen=True, slots=True)
class Optimizer:
    lr: float = 0.1
    betas: tuple = (0.9, 0.99)

    def step(self, n):
        return self.lr * n


@dataclass(frozen=True)
class Momentum(Optimizer):
    beta: float = 0.5

    def step(self, n):
        return super().step(n) + self.beta


@dataclass
class Model:
    depth: int = 3
    optimizer: Any = field(default_factory=Optimizer)
    sizes: list = field(default_factory=lambda: [1, 2])


@dataclass(eq=False)
class Plain:
    x: int = 1


PLAIN = Plain()


@dataclass(order=True)
class Ordered:
    a: int = 1
    b: int = 2


@dataclass
class Params(ExperimentParameters):
    SCALE: ClassVar[int] = 10
    n: int = 4
    text: str = "abc"
    nothing: Any = None
    model: Any = field(default_factory=Model)
    table: dict = field(default_factory=lambda: {"a": 1})
    plain: Plain = field(default_factory=lambda: PLAIN)
    ordered: Ordered = field(default_factory=Ordered)

    def __post_init__(self):
        self.derived = self.n + 1

    @property
    def double(self):
        return self.n * 2

    @functools.cached_property
    def triple(self):
        return self.n * 3

    def scaled(self, factor=1):
        return self.n * self.SCALE * factor

    def deep(self):
        return self.model.optimizer.step(self.double)

    @classmethod
    def make(cls):
        return cls(name="made")

    @staticmethod
    def nine():
        return 9

    def __len__(self):
        return self.n

    def __call__(self, by, *, plus=0):
        return self.n + by + plus

    def __str__(self):
        return f"<{self.text}>"


def watch(params=None):
    log = ReadLog()
    return track(Params(name="a") if params is None else params, log), log


def read_by(action, params=None):
    view, log = watch(params)
    action(view)
    return log.paths()


def test_nothing_is_noted_before_anything_is_read():
    assert read_by(lambda view: None) == set()


@pytest.mark.parametrize(
    ("action", "paths"),
    [
        (lambda p: p.n, {"n"}),
        (lambda p: (p.n, p.n, p.text), {"n", "text"}),
        (lambda p: p.name, {"name"}),
        (lambda p: p.nothing, {"nothing"}),
        (lambda p: p.model, {"type:model"}),
        (lambda p: p.model.depth, {"type:model", "model.depth"}),
        (lambda p: p.model.optimizer.lr, {"type:model", "type:model.optimizer", "model.optimizer.lr"}),
        (lambda p: p.model.sizes, {"type:model", "model.sizes"}),
        (lambda p: p.table["a"], {"table"}),
        (lambda p: p.SCALE, {"SCALE"}),
        (lambda p: p.derived, {"derived"}),
        (lambda p: p.double, {"code:double", "n"}),
        (lambda p: p.triple, {"code:triple", "n"}),
        (lambda p: p.scaled, {"code:scaled"}),
        (lambda p: p.scaled(2), {"code:scaled", "n", "SCALE"}),
        (
            lambda p: p.deep(),
            {
                "code:deep",
                "code:double",
                "n",
                "type:model",
                "type:model.optimizer",
                "code:model.optimizer.step",
                "model.optimizer.lr",
            },
        ),
        (lambda p: p.nine(), {"code:nine"}),
        (lambda p: p.make(), {"code:make", "class:"}),
        (len, {"code:__len__", "n"}),
        (lambda p: p(1, plus=2), {"code:__call__", "n"}),
        (str, {"code:__str__", "text"}),
        (lambda p: f"{p}", {"code:__str__", "text"}),
        (lambda p: isinstance(p, Params), {"type:"}),
        (lambda p: isinstance(p, dict), {"type:"}),
        (lambda p: type(p).__name__, {"type:"}),
        (lambda p: p.__class__.__name__, {"type:"}),
        (lambda p: p.__class__ is Params, {"type:"}),
        (lambda p: Params is not p.__class__, {"type:"}),
        (lambda p: type(p) == Params, {"type:"}),  # noqa: E721 (this is what is asked)
        (lambda p: {Params: 1}[type(p)], {"type:"}),
        (lambda p: str(type(p)), {"type:"}),
        (lambda p: isinstance(p, Hashable), {"type:", "members:"}),
        (lambda p: type(p).__subclasses__(), {"type:", "derived:", "class:"}),
        (lambda p: p.__class__.__subclasses__(), {"type:", "derived:", "class:"}),
        (lambda p: type(p).__new__(type(p)), {"type:", "class:"}),
        (lambda p: isinstance(5, type(p)), {"type:"}),
        (lambda p: dataclasses.is_dataclass(type(p)), set()),
        (lambda p: type(p).SCALE, {"type:", "class:"}),
        (lambda p: p.__class__.SCALE, {"type:", "class:"}),
        (lambda p: getattr(p, "__class__"), {"type:", "class:"}),  # noqa: B009 (it is asked for in another way)
        (lambda p: isinstance(getattr(p, "__class__"), type), {"type:", "class:"}),  # noqa: B009
        (lambda p: (p.__class__, len is None), {"type:", "class:"}),
        (lambda p: type(p)(), {"type:", "class:"}),
        (lambda p: type(p).nine(), {"type:", "class:"}),
        (lambda p: type(p.model).__name__, {"type:model"}),
        (lambda p: type(p.model)(), {"type:model", "class:model"}),
        (lambda p: p.__doc__, {"doc:"}),
        (lambda p: type(p).__doc__, {"type:", "doc:"}),
        (lambda p: p.__class__.__doc__, {"type:", "class:", "doc:"}),
        (lambda p: p.model.__doc__, {"type:model", "doc:model"}),
        (lambda p: p.__annotations__, {"class:"}),
        (lambda p: getattr(p, "momentum", 0), {"momentum"}),
        (lambda p: hasattr(p, "n"), {"n"}),
        (dataclasses.fields, {"fields:"}),
        (dir, {"fields:"}),
        (operator.attrgetter("model.depth"), {"type:model", "model.depth"}),
        (lambda p: p.ordered < Ordered(2, 2), {"type:ordered", "fields:ordered", "ordered.a", "ordered.b"}),
    ],
)
def test_what_is_read_is_noted_and_nothing_else(action, paths):
    assert read_by(action) == paths


@pytest.mark.parametrize(
    "ask",
    [
        lambda p, cls: cls.SCALE,
        lambda p, cls: cls.make(),
        lambda p, cls: cls.nine(),
        lambda p, cls: cls(n=7),
        lambda p, cls: cls.n,
        lambda p, cls: cls.scaled(p, 2),
        lambda p, cls: cls.__name__,
        lambda p, cls: cls.__doc__,
        lambda p, cls: cls.__mro__,
        lambda p, cls: cls == Params,
        lambda p, cls: Params == cls,
        lambda p, cls: cls in {Params: 1},
        lambda p, cls: cls in (int, Params),
        lambda p, cls: isinstance(Params(), cls),
        isinstance,
        lambda p, cls: isinstance(5, cls),
        lambda p, cls: issubclass(Params, cls),
        lambda p, cls: repr(cls),
        lambda p, cls: dir(cls),
        lambda p, cls: dict(vars(cls)),
        lambda p, cls: typing.get_type_hints(cls),
        lambda p, cls: dataclasses.fields(cls),
        lambda p, cls: inspect.signature(cls),
        lambda p, cls: pickle.loads(pickle.dumps(cls)),
        lambda p, cls: hasattr(cls, "nothing"),
        lambda p, cls: [each.__name__ for each in type("Derived", (cls,), {"m": 1}).__mro__],
    ],
)
def test_the_type_of_a_view_answers_as_the_class_of_the_set(ask):
    view, _ = watch()
    assert ask(view, type(view)) == ask(Params(name="a"), Params)


def test_a_class_is_changed_through_the_type_of_a_view():
    @dataclass
    class Counting(ExperimentParameters):
        def count(self):
            type(self).made += 1

    Counting.made = 0
    view, _ = watch(Counting())
    view.count()
    assert Counting.made == 1


WHOLE = {"object:", "name", "hash", "overwrite"}


@pytest.mark.parametrize(
    "action",
    [repr, vars, pickle.dumps, copy.copy, copy.deepcopy, lambda p: p == 1, lambda p: p.__getstate__()],
)
def test_what_shows_everything_is_a_read_of_the_whole(action):
    view, log = watch()
    action(view)
    assert log.whole
    assert log.paths() - {"type:"} == WHOLE


def test_the_hash_of_a_set_reads_it_whole_but_neither_its_name_nor_its_code():
    assert read_by(lambda p: p.params_hash()) == {"*", "hash"}
    assert read_by(lambda p: p.file_hash()) == {"*", "hash"}
    assert watch()[0].params_hash() == Params().params_hash()


def test_a_nested_object_that_is_shown_counts_with_all_that_is_in_it():
    assert read_by(lambda p: repr(p.model)) == {"type:model", "model"}
    assert read_by(lambda p: hash(p.model.optimizer)) == {
        "type:model",
        "type:model.optimizer",
        "model.optimizer",
    }


def test_a_view_equals_its_set_from_both_sides_and_another_set_does_not():
    params = Params(name="a")
    view, _ = watch(params)
    other, _ = watch(Params(name="a"))
    assert view == params
    assert params == view
    assert view == other
    assert view != Params(name="b")
    assert view.model == params.model
    assert params.model.optimizer == view.model.optimizer
    assert hash(view.model.optimizer) == hash(params.model.optimizer)


def test_a_class_without_equality_is_compared_by_identity():
    params = Params()
    view, _ = watch(params)
    assert view.plain == params.plain
    assert view.plain != Plain()
    assert hash(view.plain) == hash(params.plain)


def test_a_set_that_has_no_hash_has_none_as_a_view():
    with pytest.raises(TypeError, match="unhashable"):
        hash(watch()[0])


def test_isinstance_and_class_say_what_the_set_says():
    view, _ = watch()
    assert isinstance(view, Params)
    assert isinstance(view, ExperimentParameters)
    assert not isinstance(view, Model)
    assert view.__class__ is Params
    assert isinstance(view.model.optimizer, Optimizer)
    assert dataclasses.is_dataclass(view)


def test_patterns_match_a_view():
    view, _ = watch()
    match view.model.optimizer:
        case Optimizer(lr=lr):
            found = lr
        case _:
            found = None
    assert found == 0.1


def test_asdict_and_astuple_give_what_they_give_of_the_set():
    params = Params(name="a")
    assert dataclasses.asdict(watch(params)[0]) == dataclasses.asdict(params)
    assert dataclasses.astuple(watch(params)[0]) == dataclasses.astuple(params)
    assert "fields:" in read_by(dataclasses.asdict)
    assert "fields:model.optimizer" in read_by(dataclasses.asdict)


@pytest.mark.parametrize("after", [lambda p: None, lambda p: (p.model.optimizer, p.table, p.n)])
def test_replace_gives_a_plain_set_with_plain_parts(after):
    params = Params(name="a")
    view, log = watch(params)
    after(view)
    changed = dataclasses.replace(view, n=7)
    assert type(changed) is Params
    assert type(changed.model) is Model
    assert changed == dataclasses.replace(params, n=7)
    assert {"model", "table", "name", "text"} <= log.paths()
    assert not log.whole


@pytest.mark.skipif(sys.version_info < (3, 13), reason="copy.replace is newer")
def test_copy_replace_gives_a_plain_set_too():
    changed = copy.replace(watch()[0], n=7)
    assert type(changed) is Params
    assert type(changed.model) is Model


def test_the_replace_method_gives_a_plain_set():
    changed = watch()[0].__replace__(n=7)
    assert type(changed) is Params
    assert changed.n == 7


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_of_a_view_holds_the_plain_set(protocol):
    params = Params(name="a")
    view, _ = watch(params)
    assert view.model.depth == 3
    loaded = pickle.loads(pickle.dumps([view, view.model.optimizer], protocol))
    assert repr(loaded) == repr([params, params.model.optimizer])
    assert [type(each) for each in loaded] == [Params, Optimizer]
    assert type(loaded[0].model) is Model


def test_copies_are_plain():
    params = Params(name="a")
    view, _ = watch(params)
    for copied in (copy.copy(view), copy.deepcopy(view)):
        assert type(copied) is Params
        assert repr(copied) == repr(params)
    assert copy.copy(view).table is params.table
    assert copy.deepcopy(view).table is not params.table


@pytest.mark.parametrize(
    ("write", "path"),
    [
        (lambda p: setattr(p, "n", 5), "n"),
        (lambda p: delattr(p, "n"), "n"),
        (lambda p: setattr(p.model, "depth", 5), "model.depth"),
        (lambda p: setattr(p.model.optimizer, "lr", 5), "model.optimizer.lr"),
        (lambda p: setattr(p, "new", 5), "new"),
    ],
)
def test_a_write_is_an_error_that_names_the_field_and_the_way_out(write, path):
    params = Params()
    with pytest.raises(DefinitionError, match=f"'{path}'.*dataclasses.replace"):
        write(watch(params)[0])
    assert params == Params()


def test_a_method_that_writes_is_refused_as_well():
    @dataclass
    class Writing(ExperimentParameters):
        n: int = 1

        def grow(self):
            self.n += 1

    params = Writing()
    with pytest.raises(DefinitionError, match="'n'"):
        watch(params)[0].grow()
    assert params.n == 1


def test_a_missing_attribute_fails_as_on_the_set():
    with pytest.raises(AttributeError, match="'Params' object has no attribute 'momentum'"):
        _ = watch()[0].momentum


def test_containers_are_handed_out_as_they_are():
    params = Params()
    view, _ = watch(params)
    assert view.table is params.table
    assert view.model.sizes is params.model.sizes


def test_nested_views_are_made_once():
    view, _ = watch()
    assert view.model is view.model
    assert view.model.optimizer is view.model.optimizer


def test_super_works_within_methods():
    params = Params(model=Model(optimizer=Momentum()))
    view, log = watch(params)
    assert view.model.optimizer.step(2) == params.model.optimizer.step(2)
    assert {"model.optimizer.lr", "model.optimizer.beta"} <= log.paths()


def test_a_field_with_a_representation_is_read_as_one():
    @dataclass
    class Short(ExperimentParameters):
        model: Model = field(default_factory=Model)
        hash_representations: dict = set_hash_functions(model=lambda params, model: model.depth)

    params = Short()
    view, log = watch(params)
    assert view.model is params.model
    assert log.paths() == {"model"}


def test_a_fallback_of_the_class_answers_with_the_view():
    @dataclass
    class Answering(ExperimentParameters):
        n: int = 3

        def __getattr__(self, name):
            if name.startswith("n_"):
                return self.n + int(name[2:])
            raise AttributeError(name)

    view, log = watch(Answering())
    assert view.n_4 == 7
    assert log.paths() == {"code:__getattr__", "n_4", "n"}
    assert not hasattr(view, "other")


def test_a_class_that_answers_everything_by_itself_is_read_whole():
    @dataclass
    class Own(ExperimentParameters):
        n: int = 3

        def __getattribute__(self, name):
            return object.__getattribute__(self, name)

    params = Own()
    view, log = watch(params)
    assert view is params
    assert log.paths() == WHOLE


def test_values_of_attrs_are_followed():
    attrs = pytest.importorskip("attrs")

    @attrs.define
    class Layer:
        width: int = 3

    @dataclass
    class WithAttrs(ExperimentParameters):
        layer: Layer = field(default_factory=Layer)

    params = WithAttrs()
    view, log = watch(params)
    assert view.layer.width == 3
    assert log.paths() == {"type:layer", "layer.width"}
    assert view.layer == params.layer


def test_the_class_of_a_view_is_given_up_with_the_class_of_its_set():
    import gc
    import weakref

    def use():
        @dataclass
        class Brief(ExperimentParameters):
            n: int = 1

        assert watch(Brief())[0].n == 1
        return weakref.ref(Brief)

    reference = use()
    gc.collect()
    assert reference() is None


def test_a_class_that_forgot_the_decorator_is_refused():
    class Forgot(ExperimentParameters):
        n: int = 1

    with pytest.raises(DefinitionError, match="Add @dataclass"):
        watch(Forgot())


def test_behind_a_view_is_its_set_read_whole():
    params = Params()
    view, log = watch(params)
    assert plain_of(view) is params
    assert log.whole
    assert plain_of(5) == 5


def test_a_view_of_a_view_is_a_view_of_the_set():
    params = Params()
    outer, outer_log = watch(params)
    inner, inner_log = watch(outer)
    assert inner.n == 4
    assert inner_log.paths() == {"n"}
    assert outer_log.whole


def test_what_a_frozen_class_remembers_past_its_lock_stays_in_the_view():
    @dataclass(frozen=True)
    class Remembering:
        n: int = 2

        def square(self):
            object.__setattr__(self, "kept", self.n**2)
            return self.kept

    @dataclass
    class Holder(ExperimentParameters):
        part: Remembering = field(default_factory=Remembering)

    params = Holder()
    assert watch(params)[0].part.square() == 4
    assert not hasattr(params.part, "kept")

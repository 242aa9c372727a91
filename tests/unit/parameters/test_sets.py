"""The base of parameter sets, and the check of what ``get_params()`` returned."""

from __future__ import annotations

import copy
import gc
import re
import weakref
from dataclasses import dataclass, field, fields
from typing import ClassVar

import pytest

from curifactory.errors import ConfigurationError, DefinitionError
from curifactory.parameters.sets import (
    ExperimentParameters,
    check_class,
    check_sets,
    find_duplicate_names,
    set_hash_functions,
)


@dataclass
class MyParams(ExperimentParameters):
    some_scalar_multiplier: float = 1.0


@dataclass
class Ignoring(ExperimentParameters):
    n: int = 1
    verbose: bool = False
    text: str = "a"
    hash_representations: dict = set_hash_functions(
        {"verbose": None, "text": lambda _, value: value.lower()}, n=lambda params, value: value % 10
    )


@dataclass
class Replacing(Ignoring):
    hash_representations: dict = set_hash_functions(verbose=None)


class Forgot(ExperimentParameters):
    n: int = 1


@dataclass
class Remembered(Forgot):
    m: int = 2


class OnlyMethods(MyParams):
    scale: ClassVar[int] = 3

    def double(self):
        return 2 * self.some_scalar_multiplier


def test_a_set_prints_as_the_guide_shows():
    assert repr(MyParams(name="default")) == (
        "MyParams(name='default', hash=None, overwrite=False, some_scalar_multiplier=1.0)"
    )


def test_the_framework_s_fields_come_first_and_are_named():
    assert [each.name for each in fields(MyParams)][:4] == [
        "name",
        "hash",
        "overwrite",
        "hash_representations",
    ]
    assert MyParams.__framework_fields__ == {"name", "hash", "overwrite", "hash_representations"}
    assert MyParams("a", None, True, {}, 2.0).some_scalar_multiplier == 2.0


def test_a_hash_has_32_hexadecimal_digits_and_does_not_depend_on_the_name():
    one, other = MyParams(name="a").params_hash(), MyParams(name="b", overwrite=True).params_hash()
    assert re.fullmatch("[0-9a-f]{32}", one)
    assert one == other
    assert one != MyParams(some_scalar_multiplier=2.0).params_hash()


def test_computing_a_hash_writes_nothing_into_the_set():
    params = MyParams()
    before = copy.copy(vars(params))
    params.params_hash()
    params.params_hash(dry=True)
    params.file_hash()
    assert vars(params) == before
    assert params.hash is None


def test_a_preset_hash_names_files_and_nothing_more():
    params = MyParams(hash="tuesday")
    assert params.file_hash() == "tuesday"
    assert params.params_hash() == MyParams().params_hash() == MyParams().file_hash()


def test_a_changed_value_changes_the_hash_again():
    params = MyParams()
    before = params.params_hash()
    params.some_scalar_multiplier = 3.0
    assert params.params_hash() != before


def test_a_dry_hash_says_how_fields_count():
    assert isinstance(MyParams().params_hash(dry=True), dict)


def test_hash_functions_stand_in_for_values():
    base = Ignoring().params_hash()
    assert Ignoring(verbose=True).params_hash() == base
    assert Ignoring(text="A").params_hash() == base
    assert Ignoring(n=11).params_hash() == base
    assert Ignoring(n=2).params_hash() != base
    assert Ignoring(text="b").params_hash() != base


def test_a_subclass_replaces_the_hash_functions_of_its_parent():
    assert set(Replacing().hash_representations) == {"verbose"}
    assert Replacing(n=11).params_hash() != Replacing(n=1).params_hash()


def test_keywords_win_over_the_dictionary_and_sets_do_not_share_theirs():
    given = {"n": None, "m": None}
    made = set_hash_functions(given, n=len)
    assert made.default_factory() == {"n": len, "m": None}
    assert made.default_factory() is not made.default_factory()
    assert made.repr is False
    given["k"] = None
    assert "k" not in made.default_factory()


@pytest.mark.parametrize("wrong", [[["verbose"]], ["verbose"], [None], [{}, {}]])
def test_hash_functions_that_are_no_dictionary_are_refused(wrong):
    with pytest.raises(DefinitionError, match="dictionary"):
        set_hash_functions(*wrong)
    with pytest.raises(ValueError, match="set_hash_functions"):
        set_hash_functions(*wrong)


def test_a_hash_function_that_is_none_is_refused_with_its_name():
    with pytest.raises(ValueError, match="'n'"):
        set_hash_functions(n=5)


def test_a_class_with_fields_but_without_the_decorator_is_noticed_when_it_is_used():
    with pytest.raises(
        DefinitionError, match=r"Forgot has fields \(n\).*Add @dataclass above 'class Forgot'"
    ):
        Forgot().params_hash()


@dataclass
class Plain(ExperimentParameters):
    n: int = 1
    made: int = field(init=False, default=2)


class Careless(Plain):
    n = 5


@dataclass
class IgnoringInVain(Plain):
    hash_representations = {"n": None}  # noqa: RUF012 - that is the mistake


@dataclass
class BelowCareless(Careless):
    m: int = 2


@pytest.mark.parametrize(
    ("cls", "told"),
    [
        (Careless, "The parameter class Careless gives 'n' a value"),
        (BelowCareless, "The parameter class Careless gives 'n' a value"),
        (IgnoringInVain, "The parameter class IgnoringInVain gives 'hash_representations' a value"),
    ],
)
def test_a_default_without_a_type_is_refused_since_it_would_be_none(cls, told):
    before = dict(vars(cls))
    with pytest.raises(DefinitionError, match=told):
        check_class(cls)
    with pytest.raises(ConfigurationError) as raised:
        check_sets([cls(name="a"), cls(name="b")], source="params/iris.py")
    assert raised.value.message.startswith(f"params/iris.py: {told}")
    assert raised.value.message.count("gives") == 1
    assert raised.value.hint.startswith("Write '")
    assert dict(vars(cls)) == before


def test_a_class_that_was_refused_is_not_kept():
    def refuse():
        class Once(Plain):
            n = 5

        with pytest.raises(DefinitionError):
            check_class(Once)
        return weakref.ref(Once)

    once = refuse()
    gc.collect()
    assert once() is None


def test_a_default_with_a_type_a_property_and_a_field_that_is_not_given_are_no_mistakes():
    @dataclass
    class Declared(Careless):
        n: int = 6

    class Computed(Plain):
        made = 3

        @property
        def n(self):
            return 7

        @n.setter
        def n(self, value):
            pass

    for cls in (Plain, Declared, Computed):
        check_class(cls)


def test_a_forgotten_decorator_is_noticed_below_a_decorated_class():
    with pytest.raises(DefinitionError, match="Forgot"):
        Remembered().params_hash()


def test_a_subclass_without_fields_of_its_own_needs_no_decorator():
    assert OnlyMethods(name="a").double() == 2.0
    assert len(OnlyMethods().params_hash()) == 32


def test_sets_in_a_list_or_tuple_are_given_back_in_order():
    sets = [MyParams(name="a"), Ignoring(name="b")]
    assert check_sets(sets, source="params/a.py") == sets
    assert check_sets(tuple(sets), source="params/a.py") == sets


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (None, "returned nothing (it has no return)"),
        (5, "a value of type int (5) where a list is expected"),
        ({"a": 1}, "a value of type dict"),
        (MyParams(), "Write return [MyParams(…)]"),
        ([], "an empty list"),
        ((), "an empty list"),
        ([5], "at [0] a value of type int (5), which is no parameter set"),
        ([MyParams], "at [0] the class MyParams itself (are the parentheses missing?)"),
        ([MyParams(), None], "at [1] a value of type NoneType"),
        ([MyParams(name=None)], "at [0] a set whose name is None"),
        ([MyParams(name="")], "at [0] a set whose name is ''"),
        ([MyParams(name="x", hash=5)], "at [0] the set 'x' whose hash is 5"),
        ([MyParams(), MyParams()], "two sets named 'UNNAMED', at [0] and [1]"),
    ],
)
def test_what_is_no_list_of_sets_is_said_with_its_place(returned, said):
    with pytest.raises(ConfigurationError) as caught:
        check_sets(returned, source="params/iris.py")
    assert str(caught.value).startswith("params/iris.py: get_params() returned")
    assert said in str(caught.value)


def test_a_class_that_cannot_be_used_is_told_once_with_what_to_do():
    with pytest.raises(ConfigurationError) as caught:
        check_sets([Forgot(name="x"), Forgot(name="y")], source="params/iris.py")
    assert str(caught.value).startswith("params/iris.py: The parameter class Forgot has fields")
    assert caught.value.hint == "Add @dataclass above 'class Forgot'."


def test_a_generator_is_no_list():
    with pytest.raises(ConfigurationError, match="generator where a list is expected"):
        check_sets((MyParams(name=str(i)) for i in range(2)), source="params/iris.py")


def test_a_dataclass_of_another_family_is_told_what_it_lacks():
    @dataclass
    class Stranger:
        name: str = "a"

    with pytest.raises(ConfigurationError, match="does not derive from ExperimentParameters"):
        check_sets([Stranger()], source="params/iris.py")


def test_all_faults_are_shown_at_once():
    sets = [MyParams(name="a"), 5, MyParams(name="b"), MyParams(name="a"), MyParams, MyParams(name="a")]
    with pytest.raises(ConfigurationError) as caught:
        check_sets(sets, source="params/iris.py")
    text = str(caught.value)
    assert "at [1] a value of type int" in text
    assert "at [4] the class MyParams itself" in text
    assert "3 sets named 'a', at [0], [3] and [5]" in text


def test_names_are_unique_across_files_too():
    placed = [("params/a.py[0]", MyParams(name="x")), ("params/b.py[2]", MyParams(name="x"))]
    assert find_duplicate_names(placed) == ["two sets named 'x', at params/a.py[0] and params/b.py[2]"]
    assert find_duplicate_names(placed[:1]) == []


def test_mutable_defaults_work_as_in_any_dataclass():
    @dataclass
    class Nested(ExperimentParameters):
        sizes: list = field(default_factory=lambda: [1, 2])

    assert Nested().params_hash() == Nested(sizes=[1, 2]).params_hash() != Nested(sizes=[2, 1]).params_hash()

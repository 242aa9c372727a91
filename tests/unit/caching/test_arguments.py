from __future__ import annotations

import pytest

from curifactory.caching.arguments import class_key, name_arguments
from curifactory.errors import UnidentifiableError


class Base:
    def __init__(self, path=None, name=None):
        pass


class Passes(Base):
    def __init__(self, *args, depth=1, **kwargs):
        super().__init__(*args, **kwargs)


class Silent(Passes):
    pass


class Own(Base):
    def __init__(self, columns, *rest):
        super().__init__()


@pytest.mark.parametrize(
    ("kind", "args", "kwargs", "named"),
    [
        (Base, (), {}, {}),
        (Base, ("a",), {}, {"path": "a"}),
        (Base, ("a", "b"), {}, {"path": "a", "name": "b"}),
        (Passes, ("a",), {"depth": 2, "name": "b"}, {"path": "a", "depth": 2, "name": "b"}),
        (Silent, ("a",), {"depth": 2}, {"path": "a", "depth": 2}),
        (Own, ("c", 1, 2, 3), {}, {"columns": "c", "0": 1, "1": 2, "2": 3}),
    ],
)
def test_arguments_get_the_names_of_their_parameters(kind, args, kwargs, named):
    assert name_arguments(kind, args, kwargs) == named


def test_keys_differ_with_class_and_arguments():
    keys = {class_key(Base, {}), class_key(Own, {}), class_key(Base, {"a": 1}), class_key(Base, {"a": "1"})}
    assert len(keys) == 4
    assert class_key(Base, {"a": 1, "b": {"x": [1.5]}}) == class_key(Base, {"b": {"x": [1.5]}, "a": 1})


def test_an_argument_without_identity_is_refused():
    with pytest.raises(UnidentifiableError):
        class_key(Base, {"a": object()})

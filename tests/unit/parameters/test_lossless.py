"""Parameter sets to JSON and back: equal in value and type, without secrets, with plain words where it fails."""

from __future__ import annotations

import collections
import datetime as dt
import enum
import functools
import json
import math
import operator
import threading
from dataclasses import InitVar, dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from curifactory.errors import ConfigurationError
from curifactory.parameters.lossless import dump_set, dump_value, load_set
from curifactory.parameters.sets import ExperimentParameters, set_hash_functions


class Color(enum.Enum):
    RED = 1
    CRIMSON = 1  # noqa: PIE796 (an alias)
    BLUE = "b"


class Level(enum.IntEnum):
    LOW = 1


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Point(NamedTuple):
    x: int
    y: Any = 0


@dataclass(frozen=True, slots=True)
class Optimizer:
    lr: float = 0.1
    betas: tuple = (0.9, 0.99)


@dataclass
class Params(ExperimentParameters):
    value: Any = None
    model: Any = field(default_factory=Optimizer)


@dataclass
class Secretive(ExperimentParameters):
    api_key: str = "from the environment"
    options: dict = field(default_factory=dict)
    url: str = ""


@dataclass
class Demanding(ExperimentParameters):
    scale: InitVar[int] = 2
    seeds: list = field(default_factory=list)
    hash_representations: dict = set_hash_functions(seeds=lambda params, value: len(value))

    def __post_init__(self, scale):
        self.seeds = self.seeds * scale
        self.derived = len(self.seeds)

    @functools.cached_property
    def total(self):
        return sum(self.seeds)


def there_and_back(params):
    return load_set(json.loads(json.dumps(dump_set(params), ensure_ascii=False).encode()))


VALUES = [
    None,
    True,
    0,
    -(2**70),
    1.5,
    -0.0,
    float("inf"),
    float("-inf"),
    "täxt",
    "\ud800 alone",
    "",
    b"\x00\xff",
    bytearray(b"ab"),
    1 + 2j,
    ...,
    (1, (2, [3])),
    [],
    {1, 2},
    {"b", "a"},
    frozenset({(1, 2), "a"}),
    {},
    {"a": {"b": (1,)}},
    {1: "a", (1, 2): "b", None: 3, False: 4, 2.5: 5},
    {"$tuple": [1]},
    {"\ud800": 1},
    collections.OrderedDict([("b", 1), ("a", 2)]),
    Color.RED,
    Color.CRIMSON,
    Level.LOW,
    Access.READ,
    Access.READ | Access.WRITE,
    Point(1, (2, 3)),
    Path("a/b"),
    PurePosixPath("/x"),
    PureWindowsPath("C:\\x"),
    dt.date(2026, 11, 21),
    dt.datetime(2026, 11, 21, 10, 15, 0, 123456),  # noqa: DTZ001 (people have such ones)
    dt.datetime(2026, 11, 21, tzinfo=dt.UTC),
    dt.datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Vienna"), fold=1),
    dt.datetime(2026, 11, 21, tzinfo=dt.timezone(dt.timedelta(hours=-3, minutes=-30))),
    dt.time(1, 2, 3),
    dt.timedelta(days=-1, microseconds=5),
    dt.timezone(dt.timedelta(hours=2)),
    ZoneInfo("Europe/Vienna"),
    UUID("12345678-1234-5678-1234-567812345678"),
    Decimal("1.10"),
    Fraction(1, 3),
    range(1, 10, 2),
    slice(1, None, 2),
    Optimizer(lr=0.3, betas=(1,)),
    [Optimizer(), {"deep": Optimizer(lr=2.0)}],
    dict,
    Optimizer,
    operator.add,
    json.dumps,
    there_and_back,
]


@pytest.mark.parametrize("value", VALUES)
def test_a_value_comes_back_equal_and_of_its_type(value):
    params = Params(name="a", value=value)
    back = there_and_back(params)
    assert type(back) is Params
    assert back == params
    assert type(back.value) is type(value)
    # A set that is built anew may show its items in another order.
    assert isinstance(value, (set, frozenset)) or repr(back) == repr(params)
    assert "not_stored" not in dump_set(params)


def test_nan_comes_back():
    back = there_and_back(Params(value=[float("nan")])).value[0]
    assert math.isnan(back)


def test_a_partial_comes_back_with_its_parts():
    back = there_and_back(Params(value=functools.partial(int, "11", base=2))).value
    assert (back.func, back.args, back.keywords) == (int, ("11",), {"base": 2})


@pytest.mark.parametrize(
    "make",
    [
        lambda np: np.float32(1.5),
        lambda np: np.int64(-3),
        lambda np: np.bool_(True),
        lambda np: np.str_("abc"),
        lambda np: np.datetime64("2026-11-21"),
        lambda np: np.arange(6, dtype="<i2").reshape(2, 3),
        lambda np: np.array(5.0),
        lambda np: np.zeros((0, 3)),
        lambda np: np.array(["a", "bcd"]),
        lambda np: np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        lambda np: np.float32,
    ],
)
def test_numpy_s_scalars_and_small_arrays_come_back(make):
    np = pytest.importorskip("numpy")
    value = make(np)
    back = there_and_back(Params(value=value)).value
    assert type(back) is type(value)
    if not isinstance(value, type):
        assert back.dtype == value.dtype
        assert back.shape == value.shape
        assert np.array_equal(back, value)


def test_an_array_that_came_back_can_be_written_to():
    np = pytest.importorskip("numpy")
    back = there_and_back(Params(value=np.zeros(3))).value
    back[0] = 1
    assert back[0] == 1


class Custom:
    def __repr__(self):
        return "Custom(https://me:hunter2@host)"


class Rude:
    def __repr__(self):
        raise RuntimeError


def make_unstorable():
    np = pytest.importorskip("numpy")
    loop = []
    loop.append(loop)
    return [
        Custom(),
        Rude(),
        lambda: 0,
        threading.Lock(),
        loop,
        np.zeros(100_000),
        np.array([object()]),
        np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]),
        collections.deque([1]),
        functools.partial(lambda: 0),
        type("Text", (str,), {})("a"),
        dt.datetime(
            2026, 1, 1, tzinfo=type("Zone", (dt.tzinfo,), {"utcoffset": lambda self, moment: None})()
        ),
        slice("a", "b"),
    ]


@pytest.mark.parametrize("index", range(13))
def test_what_cannot_be_stored_is_shown_listed_and_asked_for(index):
    value = make_unstorable()[index]
    tree = json.loads(json.dumps(dump_set(Params(name="a", value=value))))
    assert any(path.startswith("value") for path in tree["not_stored"])
    assert "hunter2" not in json.dumps(tree)
    with pytest.raises(ConfigurationError, match=r"'a' cannot be rebuilt:\n  value.*could not be stored"):
        load_set(tree)
    assert load_set(tree, values={"value": 5}).value == 5


def test_a_long_repr_is_cut():
    tree = dump_value(collections.deque(range(10_000)))
    assert tree["$lossy"] is True
    assert len(tree["$repr"]) < 300


def test_secrets_are_not_stored_and_the_default_stands_in_for_a_field():
    params = Secretive(name="a", api_key="hunter2", options={"password": "hunter3", "n": 1})
    tree = dump_set(params)
    assert "hunter" not in json.dumps(tree)
    assert tree["not_stored"] == ["api_key", "options[password]"]
    with pytest.raises(ConfigurationError, match=r"options\[password\]: it is a secret and was not stored"):
        load_set(tree)
    back = load_set(tree, values={"options[password]": "hunter3"})
    assert back == Secretive(name="a", options={"password": "hunter3", "n": 1})
    assert load_set(tree, values={"api_key": "hunter2", "options[password]": "hunter3"}) == params


def test_credentials_in_a_url_are_not_stored():
    tree = dump_set(Secretive(api_key="", url="https://me:hunter2@host/x"))
    assert "hunter2" not in json.dumps(tree)
    assert tree["not_stored"] == ["url"]
    assert load_set(tree).url == ""


def test_an_instance_is_filled_as_it_was_without_its_init():
    params = Demanding(name="a", seeds=[1, 2])
    assert params.total == 6
    back = there_and_back(params)
    assert back.seeds == [1, 2, 1, 2]
    assert back.derived == 4
    assert "total" not in vars(back)
    assert back == params


def test_hash_functions_of_the_class_are_not_stored_but_there_again():
    tree = dump_set(Demanding())
    assert "hash_representations" not in tree["fields"]
    assert "not_stored" not in tree
    assert set(load_set(tree).hash_representations) == {"seeds"}
    assert load_set(tree).params_hash() == Demanding().params_hash()


def test_hash_functions_of_the_instance_are_stored():
    back = there_and_back(Params(hash_representations={"value": None}))
    assert back.hash_representations == {"value": None}


def test_a_field_that_came_later_takes_its_default():
    tree = dump_set(Params(name="a"))
    del tree["fields"]["model"]
    assert load_set(tree) == Params(name="a")


def test_equal_sets_are_written_alike_whatever_their_order():
    assert dump_value({"a", "b", "c"}) == dump_value({"c", "b", "a"})


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda tree: tree.update({"class": "params.gone:Params"}), "no module 'params.gone'"),
        (lambda tree: tree.update({"class": f"{__name__}:Gone"}), "'Gone' is no longer"),
        (lambda tree: tree.update({"class": f"{__name__}:Color"}), "is no dataclass"),
        (lambda tree: tree.update({"class": "os:system"}), "is no dataclass"),
        (lambda tree: tree.pop("class"), "no tree of a parameter set"),
        (lambda tree: tree["fields"].update(old=5), "old: Params has no such field any more"),
        (
            lambda tree: tree["fields"].update(value={"$enum": f"{__name__}:Color", "name": "GREEN"}),
            "no member 'GREEN'",
        ),
        (lambda tree: tree["fields"].update(value={"$enum": "os:system", "name": "GREEN"}), "is no enum"),
        (
            lambda tree: tree["fields"].update(value={"$namedtuple": "os:system", "items": []}),
            "is no named tuple",
        ),
        (
            lambda tree: tree["fields"].update(value={"$namedtuple": f"{__name__}:Point", "items": []}),
            "other fields",
        ),
        (lambda tree: tree["fields"].update(value={"$new": 1}), "'$new' is of a newer version"),
        (
            lambda tree: tree["fields"].update(value={"$date": "yesterday"}),
            r"its $date cannot be read: ValueError",
        ),
    ],
)
def test_a_tree_that_does_not_fit_says_why(spoil, said):
    tree = dump_set(Params(name="a"))
    spoil(tree)
    with pytest.raises(ConfigurationError) as caught:
        load_set(tree)
    assert said in str(caught.value)


def test_all_that_is_missing_is_said_at_once():
    tree = dump_set(Params(name="a", value=[threading.Lock(), {"token": "hunter2"}]))
    tree["fields"]["old"] = 1
    with pytest.raises(ConfigurationError) as caught:
        load_set(tree)
    for path in ("value[0]: ", "value[1][token]: ", "old: "):
        assert path in str(caught.value)


def test_a_class_within_a_function_is_written_and_said_to_be_lost():
    @dataclass
    class Local(ExperimentParameters):
        n: int = 1

    tree = dump_set(Local(name="a"))
    assert tree["not_stored"] == [""]
    with pytest.raises(ConfigurationError, match="the set itself"):
        load_set(tree)


def test_something_that_is_no_tree_at_all_is_refused():
    with pytest.raises(ConfigurationError, match="no tree of a parameter set"):
        load_set([1, 2])

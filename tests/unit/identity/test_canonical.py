from __future__ import annotations

import array
import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import functools
import inspect
import ipaddress
import json
import math
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import types
import typing
import uuid
import weakref
import zoneinfo

import numpy as np
import pandas as pd
import pytest

from curifactory.errors import UnidentifiableError
from curifactory.identity.canonical import digest
from curifactory.identity.project_scope import Scope

ROOT = pathlib.Path(__file__).resolve().parents[3]


class Colour(enum.Enum):
    RED = 1
    BLUE = "b"


class Level(enum.IntEnum):
    LOW = 1


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Plain:
    def __init__(self, a=1, b=2):
        self.a, self.b = a, b


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self, a=1):
        self.a = a


class Number(int):
    pass


class Words(list):
    pass


class Tagged(frozenset):
    pass


class Point(typing.NamedTuple):
    x: int = 1
    y: int = 2


Pair = collections.namedtuple("Pair", "x y")  # noqa: PYI024 - the untyped kind is what is tried


@dataclasses.dataclass
class Model:
    depth: int = 2
    name: str = "m"


@dataclasses.dataclass
class Other:
    depth: int = 2
    name: str = "m"


@dataclasses.dataclass(slots=True, frozen=True)
class Small:
    depth: int = 2


def double(x):
    return 2 * x


def triple(x, factor=3):
    return factor * x


def masked(values, mask):
    return np.ma.MaskedArray(values, mask)


STRUCT = np.dtype([("a", "i1"), ("b", "f8")], align=True)

DIFFERENT = {
    "none": None,
    "true": True,
    "one": 1,
    "minus": -1,
    "one float": 1.0,
    "one text": "1",
    "one bytes": b"1",
    "one array bytes": bytearray(b"1"),
    "one complex": 1 + 0j,
    "one decimal": decimal.Decimal(1),
    "one fraction": fractions.Fraction(1),
    "zero": 0,
    "zero float": 0.0,
    "minus zero": -0.0,
    "nan": math.nan,
    "infinity": math.inf,
    "huge": 10**6000,
    "empty text": "",
    "surrogate": "\udc80",
    "list": [1, 2],
    "list turned": [2, 1],
    "nested list": [[1], 2],
    "other nesting": [[1, 2]],
    "tuple": (1, 2),
    "set": {1, 2},
    "frozen set": frozenset({1, 2}),
    "dict": {"a": 1, "b": 2},
    "dict swapped": {"a": 2, "b": 1},
    "dict of one": {"a": 1},
    "dict with number": {1: "a"},
    "dict with text": {"1": "a"},
    "empty dict": {},
    "empty list": [],
    "empty set": set(),
    "ordered": collections.OrderedDict(a=1, b=2),
    "ordered turned": collections.OrderedDict(b=2, a=1),
    "counter": collections.Counter("aab"),
    "default dict": collections.defaultdict(list, a=1),
    "default dict of int": collections.defaultdict(int, a=1),
    "chain map": collections.ChainMap({"a": 1}, {"b": 2}),
    "deque": collections.deque([1, 2]),
    "deque bounded": collections.deque([1, 2], maxlen=3),
    "proxy": types.MappingProxyType({"a": 1}),
    "namespace": types.SimpleNamespace(a=1),
    "range": range(3),
    "range from one": range(1, 3),
    "slice": slice(3),
    "ellipsis": ...,
    "not implemented": NotImplemented,
    "date": dt.date(2026, 11, 21),
    "datetime": dt.datetime.fromisoformat("2026-11-21"),
    "datetime utc": dt.datetime(2026, 11, 21, tzinfo=dt.UTC),
    "datetime zone": dt.datetime(2026, 11, 21, tzinfo=zoneinfo.ZoneInfo("Europe/Paris")),
    "datetime fold": dt.datetime.fromisoformat("2026-11-21").replace(fold=1),
    "time": dt.time(1, 2),
    "timedelta": dt.timedelta(1),
    "zone": zoneinfo.ZoneInfo("Europe/Paris"),
    "fixed zone": dt.timezone(dt.timedelta(hours=1)),
    "uuid": uuid.UUID(int=1),
    "path": pathlib.Path("a/b"),
    "path text": "a/b",
    "windows path": pathlib.PureWindowsPath("a/b"),
    "pattern": re.compile("a"),
    "pattern ignoring": re.compile("a", re.IGNORECASE),
    "pattern bytes": re.compile(b"a"),
    "ipv4": ipaddress.ip_address("127.0.0.1"),
    "ipv4 network": ipaddress.ip_network("127.0.0.0/8"),
    "ipv6": ipaddress.ip_address("::1"),
    "array": array.array("i", [1]),
    "array long": array.array("l", [1]),
    "memory": memoryview(b"ab"),
    "enum": Colour.RED,
    "enum other": Colour.BLUE,
    "int enum": Level.LOW,
    "flag": Access.READ,
    "flags": Access.READ | Access.WRITE,
    "int subclass": Number(1),
    "list subclass": Words([1, 2]),
    "set subclass": Tagged({1, 2}),
    "named tuple": Point(),
    "other named tuple": Pair(1, 2),
    "object": Plain(),
    "object changed": Plain(b=3),
    "slotted": Slotted(),
    "slotted changed": Slotted(2),
    "dataclass": Model(),
    "dataclass changed": Model(3),
    "other dataclass": Other(),
    "dataclass type": Model,
    "slots dataclass": Small(),
    "class": Plain,
    "int type": int,
    "function": double,
    "other function": triple,
    "builtin": len,
    "maths": math.sqrt,
    "method of type": str.upper,
    "bound builtin": [1].append,
    "bound builtin elsewhere": [2].append,
    "bound method": Plain().__init__,
    "bound method elsewhere": Plain(5).__init__,
    "lambda": lambda x: x,
    "other lambda": lambda x: x + 1,
    "partial": functools.partial(triple, 1),
    "partial with keyword": functools.partial(triple, factor=1),
    "partial of partial": functools.partial(functools.partial(triple, 1), 2),
    "module": json,
    "alias": list[int],
    "alias of text": list[str],
    "union": int | str,
    "optional": typing.Optional["int"],
    "counter of itertools": collections.UserDict(a=1),
    "numpy scalar": np.float64(1),
    "numpy int": np.int64(1),
    "numpy int32": np.int32(1),
    "numpy bool": np.True_,
    "numpy date": np.datetime64("2026-11-21"),
    "numpy text": np.str_("1"),
    "dtype": np.dtype("i8"),
    "dtype big endian": np.dtype(">i8"),
    "ufunc": np.sin,
    "numpy function": np.mean,
    "array of floats": np.array([1.0, 2.0]),
    "array of ints": np.array([1, 2]),
    "array of int32": np.array([1, 2], dtype="i4"),
    "array column": np.array([[1], [2]]),
    "array row": np.array([[1, 2]]),
    "array empty": np.array([]),
    "array empty 2d": np.zeros((0, 2)),
    "array without axes": np.array(1),
    "array of objects": np.array([1, "a"], dtype=object),
    "array of text": np.array(["a", "bb"]),
    "struct": np.zeros(2, STRUCT),
    "masked": masked([1, 2], [True, False]),
    "masked elsewhere": masked([1, 2], [False, True]),
    "long double": np.longdouble(1),
    "generator of numpy": np.random.default_rng(1),
    "other generator of numpy": np.random.default_rng(2),
    "series": pd.Series([1, 2]),
    "series named": pd.Series([1, 2], name="a"),
    "series float": pd.Series([1.0, 2.0]),
    "series indexed": pd.Series([1, 2], index=[1, 2]),
    "series text": pd.Series(["a", "b"]),
    "series nullable": pd.Series([1, None], dtype="Int64"),
    "series categories": pd.Series(["a", "b"], dtype="category"),
    "series times": pd.Series(pd.to_datetime(["2026-11-21"])),
    "series times utc": pd.Series(pd.to_datetime(["2026-11-21"], utc=True)),
    "series sparse": pd.Series(pd.arrays.SparseArray([1, 2])),
    "series of lists": pd.Series([[1], [2]]),
    "frame": pd.DataFrame({"a": [1, 2], "b": [3, 4]}),
    "frame turned": pd.DataFrame({"b": [3, 4], "a": [1, 2]}),
    "frame of text": pd.DataFrame({"a": ["1", "2"], "b": ["3", "4"]}),
    "frame without rows": pd.DataFrame({"a": []}),
    "index": pd.Index([1, 2]),
    "range index": pd.RangeIndex(2),
    "multi index": pd.MultiIndex.from_product([[1, 2], ["a"]]),
    "timestamp": pd.Timestamp("2026-11-21"),
    "timestamp zone": pd.Timestamp("2026-11-21", tz="Europe/Paris"),
    "timedelta pandas": pd.Timedelta(1, "D"),
    "period": pd.Period("2026-11"),
    "interval": pd.Interval(1, 2),
    "nat": pd.NaT,
    "na": pd.NA,
    "categorical dtype": pd.CategoricalDtype(["a"]),
}


def test_different_values_have_different_digests():
    digests = {name: digest(value) for name, value in DIFFERENT.items()}
    by_digest = collections.defaultdict(list)
    for name, found in digests.items():
        by_digest[found].append(name)
    assert [names for names in by_digest.values() if len(names) > 1] == []
    assert all(re.fullmatch("[0-9a-f]{64}", found) for found in digests.values())


_ELSEWHERE = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("test_canonical", sys.argv[1])
module = importlib.util.module_from_spec(spec)
sys.modules["test_canonical"] = module
spec.loader.exec_module(module)
print(json.dumps({name: module.digest(value) for name, value in module.DIFFERENT.items()}))
"""


def _digests_elsewhere(seed):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": str(seed)}
    command = [sys.executable, "-c", _ELSEWHERE, __file__]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=os.sep)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_digests_are_the_same_in_every_process_and_with_every_hash_seed():
    assert _digests_elsewhere(1) == _digests_elsewhere(2)


EQUAL = {
    "dict order": ({"a": 1, "b": [1]}, {"b": [1], "a": 1}),
    "set order": ({"x", "y", "z"}, {"z", "y", "x"}),
    "nan": (float("nan"), -float("nan")),
    "nan in a list": ([math.nan], [float("inf") - float("inf")]),
    "shared or copied": ([[1, 2]] * 2, [[1, 2], [1, 2]]),
    "long and shared": ([list(range(3000))] * 2, [list(range(3000)), list(range(3000))]),
    "array layout": (np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3))),
    "array view": (np.arange(10)[::2], np.array([0, 2, 4, 6, 8])),
    "array nan": (np.array([np.nan]), -np.array([np.nan])),
    "array complex nan": (np.array([complex(np.nan, 1)]), np.array([complex(-np.nan, 1)])),
    "struct with gaps": (np.frombuffer(b"\1" + b"\0" * 15, STRUCT), np.frombuffer(b"\1" + b"\7" * 7 + b"\0" * 8, STRUCT)),
    "masked content": (masked([1, 2], [True, False]), masked([9, 2], [True, False])),
    "frame blocks": (pd.DataFrame({"a": [1], "b": [2]}), pd.concat([pd.Series([1], name="a"), pd.Series([2], name="b")], axis=1)),
    "lambda": (lambda x: x * 7, lambda x: x * 7),
    "same object state": (Plain(), Plain()),
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in EQUAL if name != "lambda"])
def test_equal_values_have_equal_digests(name):
    left, right = EQUAL[name]
    assert digest(left) == digest(right)


def test_a_memory_mapped_array_is_the_array(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(5))
    assert digest(np.load(tmp_path / "a.npy", mmap_mode="r")) == digest(np.arange(5))


def test_every_element_of_a_long_array_counts():
    long = np.zeros(2_000_000)
    before = digest(long)
    long[1_234_567] = 1
    assert digest(long) != before


def test_strings_in_pandas_do_not_depend_on_where_pandas_keeps_them():
    python = pd.Series(["a", None], dtype=pd.StringDtype("python", na_value=np.nan))
    arrow = pd.Series(["a", None], dtype=pd.StringDtype("pyarrow", na_value=np.nan))
    assert digest(python) == digest(arrow)


def test_polars_frames_and_series_count_by_content():
    import polars as pl

    frame = pl.DataFrame({"a": [1, None], "b": ["x", "y"]})
    assert digest(frame) == digest(pl.DataFrame({"a": [1, None], "b": ["x", "y"]}))
    others = [
        frame["a"],
        frame.select("a"),
        frame.cast({"a": pl.Float64}),
        pl.DataFrame({"a": [None, 1], "b": ["x", "y"]}),
    ]
    assert len({digest(value) for value in [frame, *others, pl.Int64, pl.Date]}) == 7
    with pytest.raises(UnidentifiableError, match="collect"):
        digest(frame.lazy())


def test_tensors_count_by_type_shape_content_and_gradient():
    torch = pytest.importorskip("torch")
    tensor = torch.tensor([1.0, 2.0])
    others = [
        torch.tensor([1, 2]),
        torch.tensor([[1.0, 2.0]]),
        torch.tensor([1.0, 3.0]),
        torch.tensor([1.0, 2.0], requires_grad=True),
        torch.nn.Parameter(torch.tensor([1.0, 2.0])),
        tensor.to(torch.bfloat16),
        tensor.to_sparse(),
        torch.tensor(1.0),
        torch.float32,
        torch.device("cpu"),
        torch.nn.Linear(1, 1),
    ]
    assert len({digest(value) for value in [tensor, *others]}) == 12
    assert digest(tensor) == digest(torch.tensor([[1.0, 0.0], [2.0, 0.0]])[:, 0])
    assert digest(torch.tensor([float("nan")]).bfloat16()) == digest(-torch.tensor([float("nan")]).bfloat16())


def test_attrs_and_pydantic_instances_count_by_class_and_fields():
    import attrs
    import pydantic

    @attrs.define
    class Shape:
        sides: int = 4

    class Config(pydantic.BaseModel):
        rate: float = 0.5
        _hidden: int = pydantic.PrivateAttr(default=1)

    hidden = Config()
    hidden._hidden = 2
    assert digest(Config()) == digest(Config(rate=0.5))
    values = [Shape(), Shape(5), Config(), Config(rate=1), hidden]
    assert len({digest(value) for value in values}) == len(values)


def test_what_a_cached_property_has_computed_makes_no_difference():
    class Circle:
        def __init__(self):
            self.radius = 2

        @functools.cached_property
        def area(self):
            return 12.5

    used = Circle()
    assert used.area
    assert digest(used) == digest(Circle())


def test_an_attribute_that_is_no_field_of_a_dataclass_counts():
    extended = Model()
    extended.extra = 1
    assert digest(extended) != digest(Model())


def test_the_code_of_a_class_belongs_to_its_instances(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    texts = ["x", "x + 1", "x  # same"]
    digests = []
    for text in texts:
        (tmp_path / "nets.py").write_text(f"class Net:\n    def predict(self, x):\n        return {text}\n")
        sys.modules.pop("nets", None)
        import nets

        digests.append((digest(nets.Net()), digest(nets.Net), digest(nets.Net().predict), digest([nets])))
    sys.modules.pop("nets")
    assert digests[0] == digests[2]
    assert all(a != b for a, b in zip(digests[0], digests[1], strict=True))


def test_with_a_scope_packages_can_be_made_part_of_the_project():
    scope = Scope(ROOT, packages=("json",))
    assert digest(json.dumps, scope=scope) != digest(json.dumps)


def test_values_that_a_class_reduces_by_itself_are_followed():
    class Odd:
        def __init__(self, x):
            self.x, self.lock = x, threading.Lock()

        def __reduce__(self):
            return Odd, (self.x,)

    assert digest(Odd(1)) == digest(Odd(1)) != digest(Odd(2))


def test_loggers_count_by_their_name():
    import logging

    assert digest(logging.getLogger("a")) != digest(logging.getLogger("b"))


class Holder:
    def __init__(self, hook):
        self.layers = [1, 2, {"hook": hook}]


def _lambda_without_source():
    return eval("lambda x: x")


def _loop():
    value = [1]
    value.append({"again": value})
    return value


def _own_loop():
    value = Plain()
    value.a = value
    return value


REFUSED = {
    "lambda without source": (_lambda_without_source, "lambda whose source"),
    "open file": (functools.partial(open, os.devnull, encoding="utf-8"), "TextIOWrapper"),
    "socket": (socket.socket, "socket"),
    "lock": (threading.Lock, "lock"),
    "thread": (lambda: threading.Thread(target=len), "lock|object"),
    "generator": (lambda: (x for x in [1]), "generator"),
    "frame": (inspect.currentframe, "frame"),
    "weak reference": (lambda: weakref.ref(Plain), "weak references"),
    "weak set": (weakref.WeakSet, "weak references"),
    "bare object": (object, "address"),
    "code": (lambda: double.__code__, "byte code"),
    "list in itself": (_loop, "contains itself"),
    "object in itself": (_own_loop, "contains itself"),
    "deep": (lambda: functools.reduce(lambda inner, _: [inner], range(100_000), []), "nested too deeply"),
    "thread local": (threading.local, "local"),
    "values of a dict": ({"a": 1}.values, "dict_values"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_identified_is_refused(name):
    make, reason = REFUSED[name]
    value = make()
    try:
        with pytest.raises(UnidentifiableError, match=reason) as caught:
            digest(value, path="params.thing")
    finally:
        if hasattr(value, "close"):
            value.close()
    assert caught.value.message.startswith("params.thing")


@pytest.mark.parametrize(
    ("wrap", "path"),
    [
        (Holder, "params.model.layers[2]['hook']"),
        (lambda hook: Model(name=[hook]), "params.model.name[0]"),
        (lambda hook: {"a": (1, hook)}, "params.model['a'][1]"),
        (lambda hook: Point(1, hook), "params.model.y"),
        (lambda hook: functools.partial(triple, hook), "params.model.args[0]"),
        (lambda hook: functools.partial(triple, factor=hook), "params.model.keywords['factor']"),
        (lambda hook: pd.DataFrame({"c": [1, hook]}, dtype=object), "params.model['c'][1]"),
        (lambda hook: np.array([1, hook], dtype=object), "params.model[1]"),
        (lambda hook: types.SimpleNamespace(a=hook), "params.model['a']"),
        (lambda hook: collections.deque([hook]), "params.model[0]"),
    ],
)
def test_a_refusal_names_the_path_and_says_what_to_do(wrap, path):
    with pytest.raises(UnidentifiableError) as caught:
        digest(wrap(_lambda_without_source()), path="params.model")
    assert caught.value.message.startswith(path + " cannot be identified")
    assert "hash_representations" in caught.value.hint


def test_a_value_that_shares_its_parts_a_million_times_is_digested_quickly():
    value = [1]
    for _ in range(200):
        value = [value, value]
    assert digest(value) == digest([value[0], value[1]])

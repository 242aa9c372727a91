"""What the identity of a parameter set costs: many fields, nested ones, a large array."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.bench.benchmark import Benchmark
from tests.bench.figures import Figure
from tests.bench.timing import Sizes, calls_in, in_turns_s
from tests.bench.workplace import Workplace


@dataclasses.dataclass
class Leaf:
    """Eight numbers and texts."""

    a: int = 1
    b: float = 0.5
    c: str = "text"
    d: bool = True
    e: int = 2
    f: float = 0.25
    g: str = "other"
    h: None = None


@dataclasses.dataclass
class Branch:
    """Three leaves: 24 fields."""

    one: Leaf = dataclasses.field(default_factory=Leaf)
    two: Leaf = dataclasses.field(default_factory=Leaf)
    three: Leaf = dataclasses.field(default_factory=Leaf)


def measure_sets(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure a flat set of 100 fields and a nested one of 96."""
    from curifactory.identity.parameters import set_digest

    count = sizes.of(500, tiny=2)
    for row, what, params, there in (
        ("hashing.flat", "digest of a set of 100 fields", _flat_set(), 63),
        ("hashing.nested", "digest of a nested set of 96 fields", _nested_set(), 49),
    ):
        floor, ours = in_turns_s(
            _many(lambda params=params: _digest_plainly(params), count),
            _many(lambda params=params: set_digest(params), count),
            2 * sizes.repeats,
        )
        yield Figure(
            row=row, what=what, unit="µs", floor=calls_in(floor, count), ours=calls_in(ours, count), target_ratio=1.5,
            floor_there=there, repeats=2 * sizes.repeats,
        )  # fmt: skip


def measure_array(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure a set that holds an array of 10 MB."""
    import numpy as np

    from curifactory.identity.parameters import set_digest

    kind = dataclasses.make_dataclass("ArrayParams", [("name", str), ("weights", Any)])
    params = kind("a", np.random.default_rng(0).random(sizes.of(1_250_000, tiny=100)))
    set_digest(params)  # the first one imports what it needs
    floor, ours = in_turns_s(
        lambda: hashlib.sha256(params.weights).hexdigest(), lambda: set_digest(params), 2 * sizes.repeats
    )
    yield Figure(
        row="hashing.array", what="digest of a set with a 10 MB array", unit="ms", floor=floor * 1e3, ours=ours * 1e3,
        target_ratio=1.5, floor_there=5, repeats=2 * sizes.repeats,
    )  # fmt: skip


BENCHMARKS = (Benchmark("hashing.sets", measure_sets), Benchmark("hashing.array", measure_array))


def _flat_set() -> Any:
    from curifactory.parameters.sets import ExperimentParameters

    values: tuple[Any, ...] = (1, 0.5, "text", True)
    fields = [
        (f"field_{n}", type(values[n % 4]), dataclasses.field(default=values[n % 4])) for n in range(99)
    ]
    return dataclasses.make_dataclass("FlatParams", fields, bases=(ExperimentParameters,))(name="flat")


def _nested_set() -> Any:
    from curifactory.parameters.sets import ExperimentParameters

    fields = [(f"branch_{n}", Branch, dataclasses.field(default_factory=Branch)) for n in range(4)]
    return dataclasses.make_dataclass("NestedParams", fields, bases=(ExperimentParameters,))(name="nested")


def _digest_plainly(params: Any) -> str:
    """Digest the fields of a dataclass as one would by hand: names and values in order, through JSON."""
    return hashlib.sha256(json.dumps(_fields(params)).encode()).hexdigest()


def _fields(value: Any) -> Any:
    return {
        field.name: _fields(item) if dataclasses.is_dataclass(item := getattr(value, field.name)) else item
        for field in dataclasses.fields(value)
        if field.name != "name"
    }


def _many(work: Callable[[], Any], count: int) -> Callable[[], None]:
    def repeat() -> None:
        for _ in range(count):
            work()

    return repeat

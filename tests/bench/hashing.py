"""What identity costs: of a parameter set, of the code of a stage, of what a stage reads."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import json
import statistics
from collections.abc import Callable, Iterator
from typing import Any

from tests.bench.benchmark import Benchmark
from tests.bench.figures import Figure
from tests.bench.sessions import load_stages
from tests.bench.timing import Sizes, calls_in, in_turns_s, median_s, time_once
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


def measure_code(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure the fingerprint of a stage with a hundred helpers, of which each calls the next; files of it are new each time."""
    from curifactory.identity.fingerprint import fingerprint
    from curifactory.identity.project_scope import Scope

    number = sizes.of(100, tiny=3)
    place = workplace.project()
    text = "\n\n".join(_HELPER % {"n": n, "next": n + 1} for n in range(number))
    text += f"\n\ndef helper_{number}(value, scale):\n    return value\n\n\ndef run(param_sets, manager):\n    pass\n"
    times = []
    with place.entered():
        for turn in range(2 * sizes.repeats):
            module = load_stages(place, text, f"chained_{turn}")
            times.append(
                time_once(lambda module=module: fingerprint(module.helper_0, scope=Scope(place.root)))
            )
    floor = median_s(lambda: ast.parse(text), 2 * sizes.repeats)
    yield Figure(
        row="hashing.code", what=f"fingerprint of a stage with {number} chained helpers, once a process", unit="ms",
        floor=floor * 1e3, ours=statistics.median(times) * 1e3, target=50, floor_there=3.7, repeats=2 * sizes.repeats,
    )  # fmt: skip


def measure_reads(workplace: Workplace, sizes: Sizes) -> Iterator[Figure]:
    """Measure reads of a set's fields in a stage, of each the first one, which is noted."""
    from curifactory.parameters.reads import ReadLog
    from curifactory.parameters.view import track

    count = sizes.of(500, tiny=2)
    params, names = _flat_set(), [f"field_{n}" for n in range(99)]

    def read_all() -> None:
        for _ in range(count):
            view = track(params, ReadLog())
            for name in names:
                getattr(view, name)

    def read_plainly() -> None:
        for _ in range(count):
            for name in names:
                getattr(params, name)

    floor, ours = in_turns_s(read_plainly, read_all, 2 * sizes.repeats)
    each = count * len(names)
    yield Figure(
        row="hashing.read", what="first read of a parameter in a stage", unit="µs", floor=calls_in(floor, each),
        ours=calls_in(ours, each), target=1, floor_there=0.014, repeats=2 * sizes.repeats,
    )  # fmt: skip


BENCHMARKS = (
    Benchmark("hashing.sets", measure_sets),
    Benchmark("hashing.array", measure_array),
    Benchmark("hashing.code", measure_code),
    Benchmark("hashing.read", measure_reads),
)
_HELPER = """\
def helper_%(n)d(value, scale):
    values = [each * scale for each in range(3)]
    if value > %(n)d:
        values = sorted(values)
    return helper_%(next)d(value + sum(values), scale)
"""


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

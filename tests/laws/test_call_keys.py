"""Two calls have one key if and only if they read the same: whatever stands in their names, in whichever process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curifactory.core.spec import OutputSpec, StageSpec
from curifactory.engine.identify import Identifier
from curifactory.engine.options import EngineOptions
from curifactory.engine.run_stage import RunStage
from curifactory.identity.fingerprint import Scope

# What stands between parts, what their numbers are written with, what `repr` writes otherwise, and no text at all.
PIECES = (
    "\0",
    "",
    "0",
    "1",
    "2",
    "a",
    "'",
    '"',
    "\\",
    ", ",
    "[",
    "\\x00",
    "é",
    "\u0378",
    "\ud800",
    "\udc00",
    "\U00010000",
)

texts = st.lists(st.sampled_from(PIECES), max_size=3).map("".join)
mappings = st.dictionaries(texts, texts, max_size=2)


class What(NamedTuple):
    stage_id: str
    code: str
    outputs: tuple[str, ...]
    reads: dict[str, str]
    inputs: dict[str, str]
    overrides: dict[str, str]


calls = st.builds(
    What, texts, texts, st.lists(texts, max_size=2, unique=True).map(tuple), mappings, mappings, mappings
)


def work(record: Any) -> None: ...


def key_of(what: What) -> str:
    outputs = tuple(map(OutputSpec, what.outputs))
    stage = RunStage(
        StageSpec(work, False, (), outputs, None, False),
        what.stage_id,
        EngineOptions(experiment="e", run="r"),
    )
    call: Any = SimpleNamespace(stage=stage, code=what.code or "c")
    identifier = Identifier(Scope(Path.cwd()), label_prefix="e")
    return identifier.key_of(call, what.reads, what.inputs, what.overrides)


def told_apart(what: What) -> Any:
    return what._replace(code=what.code or "c")


def backwards(values: dict[str, str]) -> dict[str, str]:
    return dict(reversed(values.items()))


@settings(max_examples=400)
@given(calls, calls)
def test_calls_have_one_key_if_and_only_if_they_are_the_same(one: What, other: What) -> None:
    assert (key_of(one) == key_of(other)) == (told_apart(one) == told_apart(other))


@settings(max_examples=400)
@given(
    st.lists(texts, min_size=2, max_size=10, unique=True),
    st.lists(st.integers(0, 10), min_size=6, max_size=6),
)
def test_where_one_part_ends_and_the_next_begins_counts(flat: list[str], cuts: list[int]) -> None:
    one, other = grouped(flat, cuts[:3]), grouped(flat, cuts[3:])
    assert (key_of(one) == key_of(other)) == (told_apart(one) == told_apart(other))


def grouped(flat: Sequence[str], cuts: Sequence[int]) -> What:
    """Hand out the same texts as outputs, reads, inputs and keywords, each as far as the next cut."""
    first, second, third = (2 + each for each in sorted(cuts))
    pairs = [
        {text: str(position) for position, text in enumerate(flat[begin:end])}
        for begin, end in ((first, second), (second, third), (third, None))
    ]
    return What(flat[0], flat[1], tuple(flat[2:first]), *pairs)


@given(calls)
def test_the_order_in_which_things_were_read_does_not_count(what: What) -> None:
    turned = what._replace(
        reads=backwards(what.reads), inputs=backwards(what.inputs), overrides=backwards(what.overrides)
    )
    assert key_of(what) == key_of(turned)


@given(calls)
def test_two_parts_that_run_into_each_other_make_another_key_than_one(what: What) -> None:
    assert key_of(what._replace(outputs=("a", "b"))) != key_of(what._replace(outputs=("a\0b",)))
    assert key_of(what._replace(reads={"a": "b"})) != key_of(what._replace(reads={"a\0b": ""}))


FIXED = (
    What("m.work", "c0de", ("x", "y"), {"params.n": "9f"}, {"rows": "absent"}, {}),
    What("m.wörk", "c0de", ("x\0", "\ud800"), {"params.\u0378": "9f"}, {}, {"k": "\U00010000"}),
)
KEYS = [
    "9e51819b2ae53c3ee1f114252d5e67026852ccc66ef936c9b898913d1acbf7ef",
    "4d8c7ddf70f2d402bf378a81f7239c74bc82144eb4771b57d7f60ffe38aa4c9d",
]


@pytest.mark.parametrize("seed", ["1", "2"])
def test_a_key_is_the_same_in_every_process_and_under_every_version_of_python(seed: str) -> None:
    code = "from tests.laws.test_call_keys import FIXED, key_of; print(*map(key_of, FIXED))"
    told = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == KEYS

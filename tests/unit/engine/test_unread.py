"""Parameters that no stage has read, from the calls of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from curifactory.core.outcomes import CallOutcome
from curifactory.engine.unread import find_unread_parameters, tell_unread
from curifactory.parameters.sets import ExperimentParameters


@dataclass
class Model:
    lr: float = 0.1
    depth: int = 2


@dataclass
class Params(ExperimentParameters):
    n: int = 1
    model: Model = field(default_factory=Model)
    seed: int = 0


@dataclass
class Record:
    params: Any


@dataclass
class Call:
    """As much of a call as is asked for."""

    observed: tuple[str, ...] = ()
    outcome: CallOutcome | None = CallOutcome.RAN
    made: bool = True
    record: Record = field(default_factory=lambda: Record(Params(name="a")))
    records: tuple[Record, ...] | None = None


def reused(*reads: str) -> Call:
    return Call(reads, outcome=CallOutcome.REUSED, made=False)


def unread(*calls: Any) -> tuple[str, ...] | None:
    return find_unread_parameters(calls)


def test_what_any_call_has_read_is_read() -> None:
    assert unread(Call(("params.n",)), Call(("params.seed", "params.model"))) == ()
    assert unread(Call(("params.n",)), Call(("params.model",))) == ("seed",)


def test_a_reused_call_has_read_what_its_trace_says() -> None:
    assert unread(Call(("params.n",)), reused("params.model", "params.seed")) == ()


def test_parts_of_a_nested_set_are_told_apart() -> None:
    assert unread(Call(("params.model.lr", "params.n", "params.seed"))) == ("model.depth",)
    assert unread(Call(("params.n", "params.seed"))) == ("model",)


@pytest.mark.parametrize("path", ["params.*", "params.object:", "records.params.*"])
def test_a_set_that_is_read_whole_leaves_nothing_unread(path: str) -> None:
    assert unread(Call((path,))) == ()


def test_types_and_names_of_fields_are_no_values() -> None:
    assert unread(Call(("params.type:model", "params.fields:", "params.code:area"))) == ("n", "model", "seed")


def test_parameters_of_the_records_of_an_aggregate_count() -> None:
    call = Call(("records.params.n",), record=Record(None), records=(Record(Params(name="b")),))
    assert unread(call) == ("model", "seed")


@pytest.mark.parametrize(
    "outcome", [CallOutcome.FAILED, CallOutcome.NOT_NEEDED, CallOutcome.NOT_REACHED, None]
)
def test_a_call_of_which_nobody_knows_what_it_reads_says_nothing(outcome: CallOutcome | None) -> None:
    assert unread(Call(("params.n",)), Call(outcome=outcome)) is None


def test_a_run_without_parameters_says_nothing() -> None:
    assert unread() is None
    assert unread(Call(record=Record(None))) is None


def test_one_line_tells_all() -> None:
    assert tell_unread(["a", "b"]) == "`a` and `b` were read by no stage"

"""States: what names were bound to at which moment."""

from __future__ import annotations

from curifactory.core.spec import OutputSpec
from curifactory.core.state import Slot, State, next_number


def test_who_came_earlier_sees_what_was_bound_then() -> None:
    state = State()
    before = next_number()
    state["x"] = 1
    between = next_number()
    state["x"] = 2
    del state["x"]
    after = next_number()
    assert state.find_slot("x", before) is None
    assert state.find_slot("x", between).value == 1
    assert state.find_slot("x", after) is state.find_slot("x") is None
    assert (dict(state.slots(between)).keys(), list(state)) == ({"x"}, [])


def test_a_name_can_be_bound_again_after_it_was_deleted() -> None:
    state = State()
    state["x"] = 1
    del state["x"]
    state["x"] = None
    assert (state["x"], list(state), len(state)) == (None, ["x"], 1)


def test_a_slot_that_has_its_moment_keeps_it() -> None:
    state, moment = State(), next_number()
    state.bind("x", Slot(OutputSpec("x"), None, 0, moment))
    assert state.find_slot("x", moment) is None
    assert state.find_slot("x", next_number()).number == moment


def test_what_happens_to_a_copy_does_not_touch_the_original() -> None:
    state, copied = State(), State()
    state["x"] = 1
    state["gone"] = 1
    del state["gone"]
    copied.copy_bindings(state)
    copied["x"] = 2
    state["y"] = 3
    assert (dict(state), dict(copied)) == ({"x": 1, "y": 3}, {"x": 2})
    del copied["x"]
    assert (dict(state), dict(copied)) == ({"x": 1, "y": 3}, {})

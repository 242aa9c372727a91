"""Members of enumerations: plain attributes that are otherwise as they were."""

from __future__ import annotations

import pickle
from enum import Enum

import pytest

from curifactory.core.members import with_plain_members
from curifactory.core.outcomes import CallOutcome, Verdict
from curifactory.core.reason import ReasonKind
from curifactory.engine.graph import Want
from curifactory.store.artifacts import FileState


@pytest.mark.parametrize("kind", [CallOutcome, Verdict, ReasonKind, Want, FileState])
def test_a_member_is_the_same_however_it_is_asked_for(kind):
    for name, member in kind.__members__.items():
        assert vars(kind)[name] is getattr(kind, name) is kind[name] is kind(member.value) is member
        assert pickle.loads(pickle.dumps(member)) is member
    assert list(kind) == list(kind.__members__.values())


def test_a_member_still_cannot_be_bound_anew():
    @with_plain_members
    class Color(Enum):
        RED = 1

    with pytest.raises(AttributeError):
        Color.RED = 2
    assert Color.RED.name == "RED"

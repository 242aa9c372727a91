"""When a condition holds, and when nobody knows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from curifactory.errors import ConfigurationError
from curifactory.workflow.runs.condition import Name
from curifactory.workflow.runs.condition_reader import read_condition
from curifactory.workflow.runs.truth import Shown, holds

NOON = datetime(2026, 11, 21, 12).astimezone()


class Known:
    """Values of names."""

    def __init__(self, **values: Sequence[object]) -> None:
        self.values = values

    def get(self, name: Name, *, ends: bool = False) -> Sequence[object]:
        return self.values.get(name.path, ())


RUN = Known(
    acc=(0.5, 0.9),
    loss=(0.25,),
    outcome=("complete",),
    tags=(("paper", "best"),),
    notes=("with the new solver",),
    dirty=(True,),
    empty=("",),
    n=(Shown("50", 50), Shown("100", 100)),
    kind=(Shown("rf", "rf"),),
    code=(Shown("007", "007"), Shown("8", 8)),
    layers=(Shown("[8, 4]", (8, 4)),),
    flag=(Shown("true", True),),
    nothing=(Shown("null", None),),
    started=(NOON,),
)


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("acc > 0.8", True),
        ("acc < 0.6", True),
        ("acc > 0.95", False),
        ("0.6 < acc < 0.8", False),
        ("0.8 < acc < 1", True),
        ("acc == 0.9", True),
        ("acc > loss", True),
        ("missing > 1", None),
        ("not missing > 1", None),
        ("missing > 1 or acc > 0.8", True),
        ("acc > 0.8 or missing > 1", True),
        ("missing > 1 and acc > 0.95", False),
        ("missing is None", True),
        ("acc is not None and loss is None", False),
        ("nothing is None", True),
        ("nothing == None", True),
        ("missing == None", None),
        ("n == 50", True),
        ("n != 50", True),
        ("not n == 50", False),
        ("n in (1, 100)", True),
        ("n not in (50, 100)", False),
        ("n == '50'", True),
        ("kind == 'rf'", True),
        ("kind > 5", None),
        ("kind == 5", False),
        ("code == '007'", True),
        ("code == '8'", True),
        ("code == 8", True),
        ("layers == [8, 4]", True),
        ("8 in layers", True),
        ("flag == True", True),
        ("flag == 1", False),
        ("flag", True),
        ("dirty and not empty", True),
        ("'paper' in tags", True),
        ("'pap' in tags", False),
        ("'solver' in notes", True),
        ("'solver' in acc", None),
        ("outcome in ('failed', 'complete')", True),
        ("outcome == 'complete' == outcome", True),
        ("acc == 0.9 is None", False),
        ("started > '2026-11'", True),
        ("started >= '2026-11-21'", True),
        ("started < '2026-11-21'", False),
        ("started <= '2026-11-21'", True),
        ("started == '2026'", True),
        ("started == '2026-11-21 12'", True),
        ("started == '2026-11-20'", False),
        ("started != '2026-11-20'", True),
        ("'2026-11-21' < started < '2026-11-22'", True),
        ("'2026-12' > started", True),
        ("started in ('2025', '2026-11-21')", True),
    ],
)
def test_a_condition_holds_for_one_of_the_values(text: str, truth: bool | None) -> None:
    assert holds(read_condition(text), RUN) is truth


def test_a_whole_moment_is_compared_with_its_zone() -> None:
    before = (NOON - timedelta(seconds=1)).isoformat()
    assert holds(read_condition(f"started > '{before}'"), RUN) is True


@pytest.mark.parametrize("moment", ["yesterday", "2026-13", "2026-11-31", "0000", "", "99999"])
def test_what_is_no_moment_is_said(moment: str) -> None:
    with pytest.raises(ConfigurationError, match="is no moment"):
        holds(read_condition(f"started > '{moment}'"), RUN)


def test_many_values_against_many_are_compared_by_their_ends() -> None:
    many = Known(a=tuple(range(2_000)), b=tuple(range(1_999, 4_000)))
    assert holds(read_condition("a < b"), many) is True
    assert holds(read_condition("a > b"), many) is False


def test_nan_is_neither_more_nor_less() -> None:
    assert holds(read_condition("x > 1"), Known(x=(float("nan"),))) is False
    assert holds(read_condition("x < 1"), Known(x=(float("nan"),))) is False

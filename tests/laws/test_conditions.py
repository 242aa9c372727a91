"""Conditions on runs: what is printed reads back as the same, and nothing that is typed does anything but select."""

from __future__ import annotations

import keyword
import string

from hypothesis import given
from hypothesis import strategies as st

from curifactory.errors import ConfigurationError, DiscoveryError
from curifactory.workflow.runs.condition import And, Comparison, Items, Literal, Name, Not, Or
from curifactory.workflow.runs.condition_reader import read_condition
from curifactory.workflow.runs.truth import Shown, holds

WORDS = st.text(string.ascii_letters + "_äß", min_size=1, max_size=6).filter(
    lambda word: not keyword.iskeyword(word) and word.isidentifier()
)
# Python reads names in the form that Unicode calls compatible; these have no other.
PARTS = st.one_of(WORDS, st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n"), max_size=8),
)
NAMES = st.builds(lambda first, others: Name((first, *others)), WORDS, st.lists(PARTS, max_size=2))
ITEMS = st.builds(lambda values: Items(tuple(values)), st.lists(SCALARS, max_size=3))


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    """Draw a comparison that can be written: of a name with what its sign can be followed by."""
    sign = draw(st.sampled_from(["<", "<=", ">", ">=", "==", "!=", "in", "not in", "is", "is not"]))
    if sign in ("is", "is not"):
        return Comparison(draw(NAMES), ((sign, Literal(None)),))
    if sign in ("in", "not in"):
        return Comparison(draw(st.one_of(NAMES, SCALARS.map(Literal))), ((sign, draw(NAMES)),))
    if sign in ("==", "!="):
        return Comparison(draw(NAMES), ((sign, draw(st.one_of(ITEMS, SCALARS.map(Literal), NAMES))),))
    values = SCALARS.filter(lambda value: value is not None).map(Literal)
    rest = [(sign, draw(st.one_of(values, NAMES)))]
    if draw(st.booleans()):
        rest.append(("<=", draw(values)))
    return Comparison(draw(NAMES), tuple(rest))


CONDITIONS = st.recursive(
    st.one_of(NAMES, comparisons()),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(lambda terms: And(tuple(terms)), st.lists(inner, min_size=2, max_size=3)),
        st.builds(lambda terms: Or(tuple(terms)), st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=6,
)
VALUES = st.lists(
    st.one_of(SCALARS, SCALARS.map(lambda value: Shown(str(value), value)), st.tuples(st.text(max_size=3))),
    max_size=3,
)


class Drawn:
    """Values of names as hypothesis draws them, the same each time for the same name."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.known: dict[str, list[object]] = {}

    def get(self, name: Name, *, ends: bool = False) -> list[object]:
        if name.path not in self.known:
            self.known[name.path] = self.data.draw(VALUES)
        return self.known[name.path]


@given(CONDITIONS)
def test_what_is_printed_reads_back_as_the_same(condition) -> None:
    assert read_condition(str(condition)) == condition


@given(st.text(max_size=40))
def test_any_text_is_a_condition_or_refused_in_one_line(text: str) -> None:
    try:
        read_condition(text)
    except ConfigurationError as error:
        told = str(error)
    else:
        told = ""
    assert "\n" not in told


@given(CONDITIONS, st.data())
def test_a_condition_is_answered_whatever_the_values_are(condition, data: st.DataObject) -> None:
    values = Drawn(data)
    try:
        truth = holds(condition, values)
    except ConfigurationError:
        return
    assert truth in (True, False, None)
    negated = holds(Not(condition), values)
    assert negated is (None if truth is None else not truth)


@given(CONDITIONS)
def test_what_is_missing_fits_nothing_but_the_question_whether_it_is(condition) -> None:
    class Nothing:
        def get(self, name: Name, *, ends: bool = False) -> tuple[()]:
            return ()

    try:
        truth = holds(condition, Nothing())
    except (ConfigurationError, DiscoveryError):
        return
    if "is None" not in str(condition) and "is not None" not in str(condition):
        assert truth is None

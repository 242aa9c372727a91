"""What may be written in a condition, and what is said of the rest."""

from __future__ import annotations

import pytest

from curifactory.errors import ConfigurationError
from curifactory.workflow.runs.condition import Comparison, Literal, Name
from curifactory.workflow.runs.condition_reader import LONGEST, read_condition


@pytest.mark.parametrize(
    ("text", "settled"),
    [
        ("acc>0.9", "acc > 0.9"),
        (" acc > .9 ", "acc > 0.9"),
        ("acc > -1", "acc > -1"),
        ("acc > +1", "acc > 1"),
        ("0.5 < acc <= 1", "0.5 < acc <= 1"),
        ("(a and b) or c", "(a and b) or c"),
        ("a and b or c", "(a and b) or c"),
        ("not (a or b)", "not (a or b)"),
        ("outcome in ['failed', 'interrupted']", 'outcome in ("failed", "interrupted")'),
        ("'paper' in tags", '"paper" in tags'),
        ("'x' not in notes", '"x" not in notes'),
        ("acc is not None", "acc is not None"),
        ("metrics['val/acc'].best > 1", 'metrics["val/acc"].best > 1'),
        ("params['lambda'] == 1", 'params["lambda"] == 1'),
        ("params['depth'] == 1", "params.depth == 1"),
        ("n ==\n5", "n == 5"),
        ("dirty", "dirty"),
        ("notes == 'say \"it\"'", "notes == 'say \"it\"'"),
        ("größe > 1", "größe > 1"),
    ],
)
def test_a_condition_has_a_settled_form(text: str, settled: str) -> None:
    assert str(read_condition(text)) == settled


@pytest.mark.parametrize(
    ("text", "place", "why"),
    [
        ("acc = 0.9", "at character 5, '= 0.9'", "compared with '=='"),
        ("acc => 0.9", "at character 5, '=> 0.9'", "stands last: '>=', '<='"),
        ("acc > 0.9 && n > 1", "at character 11, '&& n > 1'", "joined with 'and'"),
        ("acc > 0.9 || n > 1", "at character 11, '|| n > 1'", "joined with 'or'"),
        ("!dirty", "at character 1, '!dirty'", "written with 'not'"),
        ("(acc > 1) & (n > 2)", "at character 1", "joined with 'and'"),
        ("acc > ", "at its end", "something is missing"),
        ("acc > 0.9 and (n > 1", "at character 15, '(n > 1'", "never closed"),
        ("0.9", "at character 1, '0.9'", "compared with nothing"),
        ("1 < 2", "at character 1, '1 < 2'", "names nothing of a run"),
        ("n + 1 > 2", "at character 1, 'n + 1 > 2'", "nothing is calculated"),
        ("n in 5", "at character 6, '5'", "nothing can be 'in' 5"),
        ("n > None", "at character 5, 'None'", "neither more nor less"),
        ("n is 5", "at character 6, '5'", "only before None"),
        ("n in [m, 1]", "at character 7, 'm, 1]'", "a list has only values"),
        ("größe > len(x)", "at character 9, 'len(x)'", "a call"),
    ],
)
def test_an_error_points_at_its_place(text: str, place: str, why: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_condition(text)
    assert place in caught.value.message
    assert why in caught.value.message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "().__class__.__bases__",
        "[x for x in y]",
        "(lambda: 1)()",
        "acc > (n := 5)",
        "f'{acc}' == 'x'",
        "acc if n else m",
        "params[0] > 1",
        "params[n] > 1",
        "n > 1j",
        "n == b'x'",
        "n == ...",
        "n == {'a': 1}",
        "n == -True",
        "a.b().c > 1",
        "await x",
        "yield",
        "n > 1; import os",
        "*n",
        "\0",
        "n > 1\0",
        "(" * 300 + "n" + ")" * 300,
        "not " * 200 + "n",
        "",
        "   ",
        "#",
        "n > " + "9" * LONGEST,
    ],
)
def test_nothing_but_a_comparison_is_let_in(text: str) -> None:
    with pytest.raises(ConfigurationError):
        read_condition(text)


def test_names_know_their_place_and_it_counts_for_nothing() -> None:
    condition = read_condition("ä > 1 and acc > 0.9")
    assert condition.terms[1].first.place == 10  # type: ignore[union-attr]
    assert Comparison(Name(("acc",), 10), ((">", Literal(0.9)),)) == condition.terms[1]  # type: ignore[union-attr]

import pytest

from curifactory.reporting.view.highlighting import highlight
from curifactory.reporting.view.kinds import KINDS, find_problem, make_ready
from curifactory.reporting.view.markdown import render_markdown
from curifactory.reporting.view.matrix import complete_matrix


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize(
    "data", [None, [], "text", {}, {"text": 5, "columns": {}, "rows": 3, "labels": [1], "cells": 5}]
)
def test_a_fragment_of_any_kind_with_any_data_is_shown_or_says_why_not(kind, data):
    problem = find_problem(kind, data, [], 1)
    if problem is None:
        make_ready(kind, data if isinstance(data, dict) else {})
    else:
        assert kind in problem or "matrix" in problem


def test_markup_in_markdown_is_text():
    markup = render_markdown("<img src=x onerror=alert(1)> & <b>bold</b>\n\n<script>\nalert(1)\n</script>\n")
    assert "<img" not in markup
    assert "<script" not in markup
    assert "&lt;b&gt;bold&lt;/b&gt;" in markup


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "&#106;avascript:alert(1)",
        "vbscript:x",
        "data:text/html,<script>alert(1)</script>",
        "file:///etc/passwd",
        "//evil.example/x",
        "../../../secret",
    ],
)
@pytest.mark.parametrize("form", ["[link]({})", "[link](<{}>)", "<{}>", "![picture]({})", "[a]: {}\n\n[a]"])
def test_links_in_markdown_lead_to_the_web_or_nowhere(form, address):
    markup = render_markdown(form.format(address))
    assert "href=" not in markup
    assert "src=" not in markup


def test_a_link_to_the_web_is_one():
    assert '<a href="https://example.org/?a=1&amp;b=2">it</a>' in render_markdown(
        "[it](https://example.org/?a=1&b=2)"
    )


def test_an_image_in_markdown_is_a_link_and_asks_for_nothing():
    markup = render_markdown('![a "cat"](https://example.org/cat.png)')
    assert markup == '<p><a href="https://example.org/cat.png">a &quot;cat&quot;</a></p>\n'


def test_headings_begin_below_that_of_the_reportable():
    assert render_markdown("# one\n## two\n### three\n") == "<h5>one</h5>\n<h6>two</h6>\n<h6>three</h6>\n"


def test_code_in_markdown_can_be_scrolled_by_keys():
    markup = render_markdown("```html\n<b>\n```\n")
    assert 'tabindex="0"' in markup
    assert "&lt;b&gt;" in markup


@pytest.mark.parametrize("language", ["python", "py", "sql", "yaml", "json", "toml", "bash"])
def test_highlighting_loses_no_character(language):
    text = "\n\n def f(x): return '<b>' # é\n\tSELECT 1;\r\n key: [1, 2]\n\n"
    pieces = highlight(text, language)
    assert "".join(piece for _, piece in pieces) == text.replace("\r\n", "\n")


def test_a_language_that_nobody_knows_is_plain():
    assert highlight("x", "klingon") is None
    assert make_ready("text", {"text": "x", "language": "klingon"})["tokens"] is None


def test_a_matrix_without_cases_has_no_shares():
    matrix = complete_matrix({"labels": ["a", "b"], "cells": [[0, 0], [0, 0]]})
    assert matrix["rows"][0] == ("a", [("0", 0, True), ("0", 0, False)], "")
    assert (matrix["precision"], matrix["accuracy"]) == (["", ""], "")


@pytest.mark.parametrize(
    "data",
    [
        {"labels": ["a"], "cells": [[1], [2]]},
        {"labels": ["a"], "cells": [["x"]]},
        {"labels": ["a"], "cells": [[-1]]},
        {"labels": ["a", "b"], "cells": [[1, 2], [3]]},
    ],
)
def test_a_matrix_that_is_not_square_says_so(data):
    assert find_problem("matrix", data, [], 0).startswith("The matrix is not a square")


def test_the_file_that_is_missing_is_named():
    assert find_problem("images", {}, ["b.png"], 2) == "The file b.png is missing."
    assert find_problem("video", {}, [], 0) == "It has no file."

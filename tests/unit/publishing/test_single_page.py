"""A page takes its files into itself, and nothing else changes."""

from __future__ import annotations

import base64

import pytest

from curifactory.publishing.single_page import render_single_page


@pytest.fixture
def reports(tmp_path):
    folder = tmp_path / "reports"
    (folder / "run/fragments").mkdir(parents=True)
    (folder / "run/a b.png").write_bytes(b"\x89PNG")
    (folder / "run/page.js").write_text("if (1 < 2) document.write('</script><!--');")
    (folder / "run/theme.css").write_text("p::after {content: '</style>'}")
    (folder / "run/log.txt").write_text("log")
    (folder / "run/figure.js").write_text("figure")
    (folder / "index.html").write_text("<p>all</p>")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


def render(reports, text):
    page = reports / "run/index.html"
    page.write_text(text)
    return render_single_page(page, reports)


@pytest.mark.parametrize(
    "text",
    [
        "<!doctype html>\n<p class='a' DATA-x=1>&lt;b&gt; &amp; &#228; größe</p><!-- a comment --><br>",
        '<svg viewBox="0 0 1 1"><path d="M0 0"/></svg>',
        '<img src="https://example.org/a.png"><a href="#calls">calls</a><a href="https://example.org/">there</a>',
        "<script>if (a < b && c) { x = '<p>' }</script>",
        '<link rel="icon" href="data:,"><img src="missing.png">',
        '<p onclick="a &quot;b&quot;">x</p>',
    ],
)
def test_what_needs_no_file_stays_as_it_is(reports, text):
    assert render(reports, text) == text


def test_pictures_become_parts_of_the_page(reports):
    data = base64.b64encode(b"\x89PNG").decode()
    assert (
        render(reports, '<img alt="&lt;x" src="a%20b.png">')
        == f'<img alt="&lt;x" src="data:image/png;base64,{data}">'
    )


def test_styles_cannot_end_early(reports):
    assert render(reports, '<link rel="stylesheet" href="theme.css">').count("</style") == 1


def test_deferred_scripts_run_at_the_end_and_cannot_end_early(reports):
    page = render(reports, '<body><script src="page.js" defer></script><p>x</p></body>')
    assert page.startswith("<body><p>x</p><script>if (1 < 2)")
    assert page.count("</script") == 1
    assert "<!--" not in page


def test_the_policy_allows_just_the_scripts_that_are_there(reports):
    policy = "script-src 'self' file:; connect-src 'none'"
    page = render(
        reports,
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><script src="page.js"></script>'
        '<div data-figure="figure.js"></div>',
    )
    assert "script-src data: &#x27;sha256-" in page
    assert "connect-src &#x27;none&#x27;" in page
    assert "file:" not in page
    assert 'data-figure="data:text/javascript;base64,' in page


def test_files_can_be_saved_and_pages_that_are_not_there_are_no_links(reports):
    page = render(reports, '<a class="x" href="log.txt">log</a><a href="../index.html">all</a>')
    assert (
        page == '<a class="x" href="data:text/plain;base64,bG9n" download="log.txt">log</a><span>all</span>'
    )


@pytest.mark.parametrize("address", ["../../secret.txt", "../../secret.txt?x", "%2e%2e/%2e%2e/secret.txt"])
def test_nothing_outside_of_the_reports_is_taken_in(reports, address):
    assert base64.b64encode(b"secret").decode() not in render(
        reports, f'<img src="{address}"><a href="{address}">x</a>'
    )

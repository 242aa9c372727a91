import importlib.util
import os
import shutil
import sys

import jinja2
import pytest

from curifactory.reporting import pages


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Give a copy of the templates, so that the package's own byte code is left alone."""
    copy = tmp_path / "templates"
    shutil.copytree(pages.TEMPLATES, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(pages, "TEMPLATES", str(copy))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    pages._environment.cache_clear()
    yield copy
    pages._environment.cache_clear()


def render():
    return pages.render_page("latest.html", address="a", reference="b")


def compiled(package):
    return importlib.util.cache_from_source(f"{package / 'latest.html'}.py")


def test_text_is_escaped_whatever_it_says():
    page = pages.render_page("latest.html", address='"><script>', reference="</title><script>")
    assert "<script>" not in page
    assert "&lt;/title&gt;&lt;script&gt;" in page


def test_a_value_that_is_missing_is_an_error():
    with pytest.raises(jinja2.UndefinedError, match="reference"):
        pages.render_page("latest.html", address="a")


def test_a_template_is_compiled_once(package):
    first = render()
    assert os.path.isfile(compiled(package))
    pages._environment.cache_clear()
    assert render() == first


def test_a_changed_template_is_compiled_again(package):
    render()
    pages._environment.cache_clear()
    (package / "latest.html").write_text("other {{ reference }}")
    assert render() == "other b"


def test_byte_code_that_does_not_escape_is_never_taken(package):
    careless = pages._environment().overlay(autoescape=False)
    assert "<b>" in careless.get_template("latest.html").render(address="a", reference="<b>")
    pages._environment.cache_clear()
    assert "<b>" not in pages.render_page("latest.html", address="a", reference="<b>")


@pytest.mark.parametrize("content", [b"", b"noise", b"j2" * 4_000])
def test_damaged_byte_code_is_compiled_again(package, content):
    first = render()
    with open(compiled(package), "wb") as stream:
        stream.write(content)
    pages._environment.cache_clear()
    assert render() == first


def test_no_byte_code_is_written_where_python_writes_none(package, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    render()
    assert not os.path.exists(compiled(package))


def test_a_package_that_cannot_be_written_is_compiled_each_time(package):
    (package / "__pycache__").write_text("a file where a folder would be")
    assert "_latest" not in render()

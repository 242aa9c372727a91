import importlib.util
import os
import shutil
import sys

import jinja2
import pytest

from curifactory.errors import ReportError
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


def test_a_template_of_the_project_takes_the_place_of_ours(tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "latest.html").write_text("mine: {{ reference }}")
    given = {"address": "a", "reference": "<b>"}
    assert pages.render_page("latest.html", templates=own, **given) == "mine: &lt;b&gt;"
    assert "mine" not in pages.render_page("latest.html", templates=tmp_path / "nowhere", **given)
    (own / "latest.html").write_text("changed: {{ reference }}")
    os.utime(own / "latest.html", ns=(1, 1))
    assert pages.render_page("latest.html", templates=own, **given) == "changed: &lt;b&gt;"
    assert sorted(os.listdir(own)) == ["latest.html"]


def test_a_template_of_the_project_may_use_ours(tmp_path):
    (tmp_path / "latest.html").write_text('before {% include "package/latest.html" %}')
    page = pages.render_page("latest.html", templates=tmp_path, address="a", reference="b")
    assert page.startswith("before <!doctype html>")


@pytest.mark.parametrize("text", ["{% if %}", "{{ nothing_of_that_name }}", '{% include "nowhere.html" %}'])
def test_a_template_of_the_project_that_is_wrong_is_an_error_with_its_place(tmp_path, text):
    (tmp_path / "latest.html").write_text(text)
    with pytest.raises(ReportError, match="template of the project is wrong") as caught:
        pages.render_page("latest.html", templates=tmp_path, address="a", reference="b")
    assert str(tmp_path) in caught.value.hint

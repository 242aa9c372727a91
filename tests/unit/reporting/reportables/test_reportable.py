import subprocess
import sys
from html import escape

import pytest

from curifactory.errors import ReportError
from curifactory.reporting import Reportable
from curifactory.reporting.reportables.reportable import error_fragment


class Badge(Reportable):
    def __init__(self, text, **kwargs):
        super().__init__(**kwargs)
        self.text = text

    def html(self):
        return [f"<strong>{escape(self.text)}</strong>", "<br>"]


class Drawing(Reportable):
    def render(self):
        for number in (1, 2):
            with open(f"{self.path}/{self.qualified_name}-{number}.svg", "w") as stream:
                stream.write("<svg/>")

    def html(self):
        return f'<img src="{self.path}/{self.qualified_name}-1.svg">'


def test_markup_of_ones_own_becomes_a_fragment(tmp_path):
    fragment = Badge("a < b", name="badge", group="marks", caption="A badge.").to_fragment(
        str(tmp_path), "badge"
    )
    assert (fragment.kind, fragment.data) == ("html", {"html": "<strong>a &lt; b</strong>\n<br>"})
    assert (fragment.name, fragment.group, fragment.caption) == ("badge", "marks", "A badge.")


def test_files_that_render_writes_belong_to_the_fragment(tmp_path):
    (tmp_path / "of-another.png").write_bytes(b"")
    fragment = Drawing().to_fragment(str(tmp_path), "0")
    assert fragment.files == ("0-1.svg", "0-2.svg")
    assert fragment.data == {"html": '<img src="@files/0-1.svg">'}


def test_without_a_name_the_given_one_is_shown(tmp_path):
    assert Badge("x").to_fragment(str(tmp_path), "report_3").name == "report_3"


def test_a_reportable_that_shows_nothing_is_an_error(tmp_path):
    with pytest.raises(ReportError, match=r"Reportable.html\(\) returned nothing"):
        Reportable().to_fragment(str(tmp_path), "0")


def test_markup_that_is_no_text_is_an_error(tmp_path):
    class Wrong(Reportable):
        def html(self):
            return {"a": 1}

    with pytest.raises(ReportError, match="Wrong was given dict, not markup"):
        Wrong().to_fragment(str(tmp_path), "0")


def test_an_error_fragment_says_what_could_not_be_drawn():
    try:
        raise ValueError("no projection")
    except ValueError as error:
        fragment = error_fragment(Badge("x", group="marks", caption="A badge."), error, "badge_0")
    assert (fragment.name, fragment.kind, fragment.group, fragment.caption) == (
        "badge_0",
        "error",
        "marks",
        "A badge.",
    )
    assert fragment.data["reportable"] == "Badge"
    assert fragment.data["message"] == "ValueError: no projection"
    assert "raise ValueError" in fragment.data["traceback"]


def test_an_error_fragment_of_something_strange_has_only_its_name():
    fragment = error_fragment(object(), TypeError("what?"), "0")
    assert (fragment.name, fragment.group, fragment.caption) == ("0", None, None)


def test_the_public_names_come_without_pandas_and_matplotlib():
    code = (
        "import sys, curifactory.reporting as r; [getattr(r, name) for name in r.__all__]; "
        "print({'pandas', 'matplotlib', 'numpy', 'jinja2'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment()
    )
    assert done.stdout.strip() == "set()"


def test_a_line_plot_comes_without_pyplot(tmp_path):
    code = (
        "import sys; from curifactory.reporting import LinePlotReporter as L; "
        f"L([1, 2]).to_fragment({str(tmp_path)!r}, 'plot'); print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment()
    )
    assert done.stdout.strip() == "False"


def test_an_unknown_name_is_an_attribute_error():
    import curifactory.reporting

    with pytest.raises(AttributeError, match="no attribute 'PdfReporter'"):
        curifactory.reporting.PdfReporter  # noqa: B018


def environment():
    import os

    return os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}

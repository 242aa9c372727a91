import numpy as np
import pytest

from curifactory.errors import ReportError
from curifactory.reporting import LinePlotReporter


def draw(*args, tmp_path, **kwargs):
    fragment = LinePlotReporter(*args, **kwargs).to_fragment(str(tmp_path), "plot")
    return fragment, (tmp_path / fragment.files[0]).read_bytes().decode("utf-8", "replace")


def test_one_line_has_no_legend(tmp_path):
    fragment, svg = draw([1, 2, 3], name="line", group="plots", caption="One.", tmp_path=tmp_path)
    assert (fragment.name, fragment.group, fragment.caption, fragment.kind) == (
        "line",
        "plots",
        "One.",
        "figure",
    )
    assert "legend_1" not in svg


def test_several_lines_have_a_legend(tmp_path):
    _, svg = draw({"ascending": [1, 2], "_static": [4, 4]}, tmp_path=tmp_path)
    assert "legend_1" in svg
    assert svg.count("ascending")
    assert svg.count("_static")


@pytest.mark.parametrize("x", [None, [10, 20], {"a": [1, 2], "b": [5, 7], "more": [1]}])
def test_places_can_be_shared_or_of_each_line(x, tmp_path):
    fragment, _ = draw({"a": [1, 2], "b": [3, 4]}, x, tmp_path=tmp_path)
    assert fragment.files == ("plot.svg",)


def test_arrays_are_sequences(tmp_path):
    assert draw(np.arange(5) ** 2, np.arange(5), tmp_path=tmp_path)[0].files == ("plot.svg",)


def test_arguments_for_matplotlib_are_passed_on(tmp_path):
    _, svg = draw([1, 2], plot_kwargs={"color": "#123456"}, tmp_path=tmp_path)
    assert "#123456" in svg
    assert draw([1, 2], savefig_kwargs={"format": "png"}, tmp_path=tmp_path)[0].files == ("plot.png",)


def test_a_label_is_text_and_no_mathematics(tmp_path):
    fragment, _ = draw({"cost in $ and $^{": [1, 2]}, tmp_path=tmp_path)
    assert fragment.files == ("plot.svg",)


def test_lines_without_places_are_named(tmp_path):
    with pytest.raises(ReportError, match="no places for the lines 'b'"):
        draw({"a": [1], "b": [1]}, {"a": [1]}, tmp_path=tmp_path)


def test_one_line_with_many_places_is_an_error(tmp_path):
    with pytest.raises(ReportError, match="one line and a dictionary of places"):
        draw([1], {"a": [1]}, tmp_path=tmp_path)


def test_places_of_another_length_are_an_error(tmp_path):
    with pytest.raises(ReportError, match="line 'a' has 2 numbers and 3 places"):
        draw({"a": [1, 2]}, [1, 2, 3], tmp_path=tmp_path)

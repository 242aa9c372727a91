import os

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from curifactory.errors import ReportError
from curifactory.reporting import FigureReporter
from curifactory.reporting.reportables import figure as figure_module


@pytest.fixture
def figure():
    made = Figure(figsize=(4, 3))
    made.subplots().plot([1, 2, 3])
    return made


@pytest.fixture
def pyplot():
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    yield plt
    plt.close("all")


def show(shown, tmp_path, **kwargs):
    return FigureReporter(shown, **kwargs).to_fragment(str(tmp_path), "plot")


def test_a_small_figure_is_lines(figure, tmp_path):
    fragment = show(figure, tmp_path, name="curve", caption="Up.")
    assert (fragment.kind, fragment.files, fragment.data) == (
        "figure",
        ("plot.svg",),
        {"width": 384, "height": 288},
    )
    assert (tmp_path / "plot.svg").read_text(encoding="utf-8").rstrip().endswith("</svg>")


def test_a_figure_with_very_many_points_is_pixels_at_twice_the_resolution(tmp_path):
    figure = Figure(figsize=(4, 3), dpi=100)
    figure.subplots().scatter(np.arange(20_000), np.arange(20_000))
    assert show(figure, tmp_path).files == ("plot.png",)
    assert png_size(tmp_path / "plot.png") == (800, 600)


def test_a_figure_whose_lines_would_be_a_large_file_is_pixels(figure, tmp_path, monkeypatch):
    monkeypatch.setattr(figure_module, "LARGEST_SVG_BYTES", 1_000)
    assert show(figure, tmp_path).files == ("plot.png",)
    assert os.listdir(tmp_path) == ["plot.png"]


def test_an_asked_format_is_kept_to(figure, tmp_path):
    assert show(figure, tmp_path, format="png", dpi=50).files == ("plot.png",)
    assert png_size(tmp_path / "plot.png") == (200, 150)


def test_a_format_that_no_browser_shows_lies_beside_one_that_they_do(figure, tmp_path):
    assert show(figure, tmp_path, format="pdf").files == ("plot.svg", "plot.pdf")
    assert (tmp_path / "plot.pdf").read_bytes().startswith(b"%PDF")


def test_a_cut_figure_gets_no_wrong_size(figure, tmp_path):
    assert show(figure, tmp_path, bbox_inches="tight").data == {}


def test_axes_stand_for_their_figure(figure, tmp_path):
    assert show(figure.axes[0], tmp_path).files == ("plot.svg",)


def test_a_figure_of_pyplot_is_closed_and_stays_usable(pyplot, tmp_path):
    kept, figure = pyplot.figure(), pyplot.figure()
    figure.subplots().plot([1, 2])
    show(figure, tmp_path)
    assert pyplot.get_fignums() == [kept.number]
    assert show(figure, tmp_path).files == ("plot.svg",)


def test_a_figure_of_pyplot_is_closed_when_saving_fails_too(pyplot, tmp_path):
    with pytest.raises(ValueError, match="nonsense"):
        show(pyplot.figure(), tmp_path, format="nonsense")
    assert pyplot.get_fignums() == []


def test_figures_of_other_libraries_are_an_error_that_says_what_to_do(tmp_path):
    with pytest.raises(ReportError, match=r"FigureReporter was given dict.*PlotlyReporter"):
        show({}, tmp_path)


def png_size(path):
    content = path.read_bytes()
    return int.from_bytes(content[16:20]), int.from_bytes(content[20:24])

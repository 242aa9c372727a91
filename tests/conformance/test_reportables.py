"""The laws of reportables, kept by every one that we ship."""

from __future__ import annotations

import wave
from html import escape

import numpy as np
import pandas as pd
import polars as pl
import pytest

from curifactory.core.trace import Fragment
from curifactory.reporting import (
    AudioReporter,
    ConfusionMatrixReporter,
    DFReporter,
    FigureReporter,
    FileReporter,
    HTMLReporter,
    ImageGridReporter,
    ImageReporter,
    JsonReporter,
    LatexTableReporter,
    LinePlotReporter,
    MarkdownReporter,
    MetricReporter,
    PlotlyReporter,
    Reportable,
    TableReporter,
    TextReporter,
    VideoReporter,
)
from curifactory.testing import ReportableLaws


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    path = tmp_path_factory.mktemp("media") / "tone.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\1" * 800)
    return path


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("media") / "flight.MP4"
    path.write_bytes(b"\0" * 300)
    return path


class TestHTMLReporter(ReportableLaws):
    def make(self, **given):
        return HTMLReporter(["<p>one</p>", "<p>two</p>"], **given)


class TestDFReporter(ReportableLaws):
    def make(self, **given):
        frame = pd.DataFrame({"a": [1, 2, None], "b": ["<b>", "y", None]}, index=["x", "y", "z"])
        return DFReporter(frame, **given)


class TestDFReporterOfPolars(ReportableLaws):
    def make(self, **given):
        return DFReporter(pl.DataFrame({"a": list(range(1200)), "b": ["x"] * 1200}), **given)


class TestTableReporter(ReportableLaws):
    def make(self, **given):
        rows = [{"model": f"m{number}", "accuracy": number / 7} for number in range(12)]
        return TableReporter(rows, **given)


class TestJsonReporter(ReportableLaws):
    def make(self, **given):
        return JsonReporter({"path": {3, 1}, "rate": float("nan")}, **given)


class TestJsonReporterOfALongTree(ReportableLaws):
    def make(self, **given):
        return JsonReporter(["x" * 100] * 2000, **given)


class TestTextReporter(ReportableLaws):
    def make(self, **given):
        return TextReporter("def f():\n    return '<b>'\n", language="python", **given)


class TestTextReporterOfALongText(ReportableLaws):
    def make(self, **given):
        return TextReporter("word " * 40_000, **given)


class TestMarkdownReporter(ReportableLaws):
    def make(self, **given):
        return MarkdownReporter("# Title\n\n| a |\n|---|\n| 1 |\n", **given)


class TestLatexTableReporter(ReportableLaws):
    def make(self, **given):
        return LatexTableReporter(pd.DataFrame({"n": [1, 2]}), **given)


class TestMetricReporter(ReportableLaws):
    def make(self, **given):
        return MetricReporter(np.float32(0.5), baseline=0.25, unit="m", **given)


class TestConfusionMatrixReporter(ReportableLaws):
    def make(self, **given):
        return ConfusionMatrixReporter(np.array([[9, 1], [0, 10]]), ["a", "b"], **given)


class TestImageReporter(ReportableLaws):
    def make(self, **given):
        return ImageReporter(np.eye(8), **given)


class TestImageGridReporter(ReportableLaws):
    def make(self, **given):
        return ImageGridReporter(np.arange(3 * 4 * 4).reshape(3, 4, 4) / 48, **given)


class TestFigureReporter(ReportableLaws):
    def make(self, **given):
        import matplotlib.pyplot as plt

        figure, axes = plt.subplots(figsize=(2, 2))
        axes.plot([1, 2])
        # What is open before the law looks at it must be open because of this.
        return FigureReporter(figure, **given)


class TestLinePlotReporter(ReportableLaws):
    def make(self, **given):
        return LinePlotReporter({"train": [3, 2, 1], "test": [4, 3, 3]}, **given)


class TestPlotlyReporter(ReportableLaws):
    def make(self, **given):
        return PlotlyReporter({"data": [{"type": "bar", "x": ["a"], "y": np.ones(1)}]}, **given)


class TestFileReporter(ReportableLaws):
    @pytest.fixture(autouse=True)
    def take(self, sound):
        self.sound = sound

    def make(self, **given):
        return FileReporter(self.sound, **given)


class TestAudioReporter(TestFileReporter):
    def make(self, **given):
        return AudioReporter(self.sound, **given)


class TestVideoReporter(ReportableLaws):
    @pytest.fixture(autouse=True)
    def take(self, film):
        self.film = film

    def make(self, **given):
        return VideoReporter(self.film, **given)


class Badge(Reportable):
    """A reportable of one's own, by markup, with a file."""

    def __init__(self, text, **given):
        super().__init__(**given)
        self.text = text

    def render(self):
        with open(f"{self.path}/{self.qualified_name}.txt", "w") as file:
            file.write(self.text)

    def html(self):
        return f'<strong>{escape(self.text)}</strong> <a href="{self.path}/{self.qualified_name}.txt">all</a>'


class TestAReportableOfOnesOwnByMarkup(ReportableLaws):
    def make(self, **given):
        return Badge("a < b", **given)


class Tree:
    """A reportable of one's own, by data, of a kind that the page does not know, and no child of ours."""

    def __init__(self, name=None, group=None, caption=None):
        self.given = (name, group, caption)

    def to_fragment(self, folder, name):
        shown, group, caption = self.given
        return Fragment(shown or name, "tree", {"root": ["<leaf>"]}, (), group, caption)


class TestAReportableOfOnesOwnByData(ReportableLaws):
    def make(self, **given):
        return Tree(**given)

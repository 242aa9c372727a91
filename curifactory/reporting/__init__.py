"""What people see of a run: reportables, and pages that are drawn from a run's folder.

Public names are loaded when they are first asked for, so importing this module costs nothing:
``from curifactory.reporting import LinePlotReporter`` brings no matplotlib, only drawing a plot does.

Examples
--------
>>> from curifactory.reporting import JsonReporter
>>> JsonReporter({"accuracy": 0.97}, name="scores")
JsonReporter(name='scores')
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from curifactory.reporting.reportables.confusion import ConfusionMatrixReporter
    from curifactory.reporting.reportables.figure import FigureReporter
    from curifactory.reporting.reportables.frame import DFReporter
    from curifactory.reporting.reportables.image import ImageReporter
    from curifactory.reporting.reportables.image_grid import ImageGridReporter
    from curifactory.reporting.reportables.latex import LatexTableReporter
    from curifactory.reporting.reportables.lines import LinePlotReporter
    from curifactory.reporting.reportables.markup import HTMLReporter
    from curifactory.reporting.reportables.media import AudioReporter, FileReporter, VideoReporter
    from curifactory.reporting.reportables.metric import MetricReporter
    from curifactory.reporting.reportables.plotly_figure import PlotlyReporter
    from curifactory.reporting.reportables.reportable import Reportable
    from curifactory.reporting.reportables.table import TableReporter
    from curifactory.reporting.reportables.text import MarkdownReporter, TextReporter
    from curifactory.reporting.reportables.tree import JsonReporter

__all__ = [
    "AudioReporter",
    "ConfusionMatrixReporter",
    "DFReporter",
    "FigureReporter",
    "FileReporter",
    "HTMLReporter",
    "ImageGridReporter",
    "ImageReporter",
    "JsonReporter",
    "LatexTableReporter",
    "LinePlotReporter",
    "MarkdownReporter",
    "MetricReporter",
    "PlotlyReporter",
    "Reportable",
    "TableReporter",
    "TextReporter",
    "VideoReporter",
]

_HOMES = {
    "AudioReporter": "media",
    "ConfusionMatrixReporter": "confusion",
    "DFReporter": "frame",
    "FigureReporter": "figure",
    "FileReporter": "media",
    "HTMLReporter": "markup",
    "ImageGridReporter": "image_grid",
    "ImageReporter": "image",
    "JsonReporter": "tree",
    "LatexTableReporter": "latex",
    "LinePlotReporter": "lines",
    "MarkdownReporter": "text",
    "MetricReporter": "metric",
    "PlotlyReporter": "plotly_figure",
    "Reportable": "reportable",
    "TableReporter": "table",
    "TextReporter": "text",
    "VideoReporter": "media",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"curifactory.reporting.reportables.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

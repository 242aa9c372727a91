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
    from curifactory.reporting.reportables.figure import FigureReporter
    from curifactory.reporting.reportables.frame import DFReporter
    from curifactory.reporting.reportables.image import ImageReporter
    from curifactory.reporting.reportables.latex import LatexTableReporter
    from curifactory.reporting.reportables.lines import LinePlotReporter
    from curifactory.reporting.reportables.markup import HTMLReporter
    from curifactory.reporting.reportables.reportable import Reportable
    from curifactory.reporting.reportables.tree import JsonReporter

__all__ = [
    "DFReporter",
    "FigureReporter",
    "HTMLReporter",
    "ImageReporter",
    "JsonReporter",
    "LatexTableReporter",
    "LinePlotReporter",
    "Reportable",
]

_HOMES = {
    "DFReporter": "frame",
    "FigureReporter": "figure",
    "HTMLReporter": "markup",
    "ImageReporter": "image",
    "JsonReporter": "tree",
    "LatexTableReporter": "latex",
    "LinePlotReporter": "lines",
    "Reportable": "reportable",
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

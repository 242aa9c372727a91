"""``PlotlyReporter``: a plotly figure that can be zoomed and asked, drawn by the script that all reports share."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from typing import Any

from curifactory.core.trace import Fragment
from curifactory.errors import ReportError
from curifactory.reporting.reportables.reportable import Reportable

HEIGHT = 420
LOWEST = 120
HIGHEST = 4_000


class PlotlyReporter(Reportable):
    """Show a plotly figure.

    Only its description is kept; the script that draws it lies once in ``reports/_assets``, and nothing comes from the
    network. Backgrounds and text follow the page, light or dark, unless the figure sets them itself.

    Parameters
    ----------
    fig : plotly.graph_objects.Figure or dict
        The figure, or ``{"data": [...], "layout": {...}}``.
    name, group, caption : str, optional
        See :class:`~curifactory.reporting.Reportable`.
    alt : str, optional
        What it shows, for those who do not see it; without it, the caption, the figure's title or the name.

    Examples
    --------
    >>> import tempfile
    >>> figure = {"data": [{"type": "bar", "x": ["lr", "rf"], "y": [0.94, 0.97]}]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     PlotlyReporter(figure, name="models").to_fragment(folder=folder, name="models").files
    ('models.json',)
    """

    def __init__(
        self,
        fig: Any,
        name: str | None = None,
        group: str | None = None,
        caption: str | None = None,
        *,
        alt: str | None = None,
    ) -> None:
        super().__init__(name, group, caption)
        self.fig = fig
        self.alt = alt

    def to_fragment(self, folder: str, name: str) -> Fragment:
        """Write the figure's description.

        Raises
        ------
        ReportError
            If it is no plotly figure.
        """
        text = self._describe()
        figure = json.loads(text)
        if not isinstance(figure, dict) or not isinstance(figure.get("data"), list):
            raise ReportError("A plotly figure has a list 'data', and this one has none.")
        layout = figure.get("layout") or {}
        file = f"{name}.json"
        with open(os.path.join(folder, file), "w", encoding="utf-8") as stream:
            stream.write(text)
        data = {
            "height": _height(layout.get("height")),
            "title": _title(layout.get("title")),
            "alt": self.alt,
        }
        return self._fragment(name, "plotly", data, (file,))

    def _describe(self) -> str:
        to_json = getattr(self.fig, "to_json", None)
        if callable(to_json) and hasattr(self.fig, "to_plotly_json"):
            return str(to_json())
        if isinstance(self.fig, Mapping):
            return json.dumps(self.fig, default=_show)
        raise ReportError(
            f"PlotlyReporter was given {type(self.fig).__name__}, not a plotly figure.",
            hint="Figures of matplotlib go to FigureReporter.",
        )


def _show(value: Any) -> Any:
    to_list = getattr(value, "tolist", None)
    return to_list() if callable(to_list) else str(value)


def _height(given: Any) -> int:
    if not isinstance(given, int | float) or math.isnan(given):
        return HEIGHT
    return int(max(LOWEST, min(HIGHEST, given)))


def _title(given: Any) -> str:
    text = given.get("text") if isinstance(given, dict) else given
    return text if isinstance(text, str) else ""

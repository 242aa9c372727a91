"""``FigureReporter``: a matplotlib figure, as lines that stay sharp or, when there are many, as pixels."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

from curifactory.core.trace import Fragment
from curifactory.errors import ReportError
from curifactory.reporting.reportables.reportable import Reportable

LARGEST_SVG_BYTES = 100_000
MOST_POINTS = 5_000
MOST_DESCRIBED = 12
SHOWN_BY_BROWSERS = frozenset({"svg", "png", "jpg", "jpeg", "webp"})


class FigureReporter(Reportable):
    """Show a matplotlib figure.

    It is saved when it is reported, as SVG, or as PNG at twice its resolution where the SVG would be large; what is
    drawn into it later is not seen. A figure that pyplot keeps is closed, as people forget to, and a thousand
    forgotten ones fill the memory; the figure itself stays usable.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        Or what belongs to one: axes, a seaborn grid.
    name, group, caption : str, optional
        See :class:`~curifactory.reporting.Reportable`.
    alt : str, optional
        What it shows, for those who do not see it; without it, titles, labels and legends tell.
    **savefig_kwargs
        Go to ``Figure.savefig``. A ``format`` is kept to; one that no browser shows (``pdf``) becomes a file to
        download beside the picture.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> figure = Figure(figsize=(4, 3))
    >>> FigureReporter(figure, name="empty", caption="Nothing yet.", dpi=200)
    FigureReporter(name='empty', caption='Nothing yet.')
    """

    def __init__(
        self,
        fig: Any,
        name: str | None = None,
        group: str | None = None,
        caption: str | None = None,
        *,
        alt: str | None = None,
        **savefig_kwargs: Any,
    ) -> None:
        super().__init__(name, group, caption)
        self.fig = fig
        self.alt = alt
        self.savefig_kwargs = savefig_kwargs

    def to_fragment(self, folder: str, name: str) -> Fragment:
        """Save the figure.

        Raises
        ------
        ReportError
            If it is no matplotlib figure.
        """
        figure = find_figure(self.fig)
        if figure is None:
            raise ReportError(
                f"FigureReporter was given {type(self.fig).__name__}, not a matplotlib figure.",
                hint="Figures of plotly go to PlotlyReporter, those of other libraries, saved, to ImageReporter.",
            )
        try:
            files, size = save_figure(figure, folder, name, self.savefig_kwargs)
        finally:
            close_figure(figure)
        alt = describe_figure(figure) if self.alt is None else self.alt
        return self._fragment(name, "figure", {**size, **({"alt": alt} if alt else {})}, files)


def find_figure(value: Any) -> Any:
    """Return the figure that a value is or belongs to, or None."""
    for owner in (value, getattr(value, "figure", None), getattr(value, "fig", None)):
        if callable(getattr(owner, "savefig", None)) and callable(getattr(owner, "get_size_inches", None)):
            return owner
    return None


def save_figure(
    figure: Any, folder: str, name: str, savefig_kwargs: dict[str, Any]
) -> tuple[tuple[str, ...], dict[str, int]]:
    """Save a figure under the best format, or the asked one.

    Returns
    -------
    tuple
        Names of the files, the one to be shown first, and width and height in CSS pixels.
    """
    kwargs = dict(savefig_kwargs)
    wanted = kwargs.pop("format", None)
    width, height = figure.get_size_inches()
    size = {"width": round(float(width) * 96), "height": round(float(height) * 96)}
    if kwargs.get("bbox_inches") is not None:
        size = {}  # The saved part of the figure has a size of its own.
    if wanted is not None and wanted.lower() in SHOWN_BY_BROWSERS:
        return (_write(folder, name, wanted.lower(), _draw(figure, wanted.lower(), kwargs)),), size
    files = [_save_best(figure, folder, name, kwargs)]
    if wanted is not None:
        files.append(_write(folder, name, wanted.lower(), _draw(figure, wanted.lower(), kwargs)))
    return tuple(files), size


def close_figure(figure: Any) -> None:
    """Take a figure out of pyplot's memory, if pyplot is there at all and knows it."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    number = getattr(figure, "number", None)
    if pyplot is not None and number is not None and pyplot.fignum_exists(number):
        pyplot.close(figure)


def _save_best(figure: Any, folder: str, name: str, kwargs: dict[str, Any]) -> str:
    if count_points(figure) <= MOST_POINTS:
        # Without its date the file is the same whenever it is drawn.
        content = _draw(figure, "svg", {"metadata": {"Date": None}, **kwargs})
        if len(content) <= LARGEST_SVG_BYTES:
            return _write(folder, name, "svg", content)
    return _write(folder, name, "png", _draw(figure, "png", {"dpi": 2 * figure.dpi, **kwargs}))


def count_points(figure: Any) -> int:
    """Count what an SVG of the figure would have to list, so that a cloud of a million dots is not tried."""
    points = 0
    for axes in figure.get_axes():
        for line in axes.get_lines():
            points += len(line.get_xdata(orig=False))
        for collection in axes.collections:
            points += max(len(collection.get_offsets()), sum(len(path) for path in collection.get_paths()))
        points += len(axes.patches)
    return points


def describe_figure(figure: Any) -> str:
    """Say in words what a figure shows, as far as its titles, labels and legends tell.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> figure = Figure()
    >>> axes = figure.add_subplot(title="Loss", xlabel="epoch")
    >>> _ = axes.plot([3, 2, 1], label="train"), axes.plot([4, 3, 3], label="test"), axes.legend()
    >>> describe_figure(figure)
    'Loss; horizontally: epoch; train, test'
    """
    overall = getattr(figure, "get_suptitle", str)()
    parts = [_describe_axes(axes) for axes in figure.get_axes()[:MOST_DESCRIBED]]
    return ". ".join(part for part in [overall, *parts] if part)


def _describe_axes(axes: Any) -> str:
    legend = axes.get_legend()
    labels = [text.get_text() for text in legend.get_texts()] if legend is not None else []
    parts = (
        axes.get_title(),
        f"horizontally: {axes.get_xlabel()}" if axes.get_xlabel() else "",
        f"vertically: {axes.get_ylabel()}" if axes.get_ylabel() else "",
        ", ".join(labels[:MOST_DESCRIBED]),
    )
    return "; ".join(part.replace("\n", " ") for part in parts if part)


def _draw(figure: Any, format_name: str, kwargs: dict[str, Any]) -> bytes:
    import matplotlib as mpl

    buffer = io.BytesIO()
    salt = mpl.rcParams["svg.hashsalt"]
    # Without one, the names within an SVG are random, and the same figure is another file each time.
    mpl.rcParams["svg.hashsalt"] = salt or "curifactory"
    try:
        figure.savefig(buffer, format=format_name, **kwargs)
    finally:
        mpl.rcParams["svg.hashsalt"] = salt
    return buffer.getvalue()


def _write(folder: str, name: str, extension: str, content: bytes) -> str:
    file = f"{name}.{extension}"
    with open(os.path.join(folder, file), "wb") as stream:
        stream.write(content)
    return file

"""``LinePlotReporter``: one or several lines, drawn without any plotting code of one's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from curifactory.core.trace import Fragment
from curifactory.errors import ReportError
from curifactory.reporting.reportables.figure import MOST_DESCRIBED, save_figure
from curifactory.reporting.reportables.reportable import Reportable


class LinePlotReporter(Reportable):
    """Show numbers as lines.

    Parameters
    ----------
    y : sequence or dict of sequences
        The numbers of one line, or of several lines by the names that the legend shows.
    x : sequence or dict of sequences, optional
        Where the numbers stand: for all lines alike, or for each by its name. Without it, 0, 1, 2, …
    name, group : str, optional
        See :class:`~curifactory.reporting.Reportable`.
    plot_kwargs : dict, optional
        Go to ``Axes.plot`` for each line, such as ``{"marker": "o"}``.
    savefig_kwargs : dict, optional
        Go to ``Figure.savefig``.
    caption : str, optional
        A sentence below it.
    alt : str, optional
        What it shows, for those who do not see it; without it, where each line begins and ends.

    Examples
    --------
    >>> import tempfile
    >>> plot = LinePlotReporter({"train": [3, 2, 1], "test": [4, 3, 3]}, name="loss")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plot.to_fragment(folder=folder, name="loss").files
    ('loss.svg',)
    """

    def __init__(
        self,
        y: Any,
        x: Any = None,
        name: str | None = None,
        group: str | None = None,
        plot_kwargs: Mapping[str, Any] | None = None,
        savefig_kwargs: Mapping[str, Any] | None = None,
        *,
        caption: str | None = None,
        alt: str | None = None,
    ) -> None:
        super().__init__(name, group, caption)
        self.alt = alt
        self.y = y
        self.x = x
        self.plot_kwargs = dict(plot_kwargs or {})
        self.savefig_kwargs = dict(savefig_kwargs or {})

    def to_fragment(self, folder: str, name: str) -> Fragment:
        """Draw the lines.

        Raises
        ------
        ReportError
            If the numbers and the places of a line do not belong together.
        """
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6.4, 3.8))
        axes = figure.add_subplot()
        described = []
        for label, xs, ys in self._iter_lines():
            described.append(_describe(label, ys))
            axes.plot(ys, **{"label": label, **self.plot_kwargs}) if xs is None else axes.plot(
                xs, ys, **{"label": label, **self.plot_kwargs}
            )
        axes.grid(visible=True, color="#d8d8d4", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        if isinstance(self.y, Mapping) and self.y:
            axes.legend(frameon=False)
        files, size = save_figure(figure, folder, name, self.savefig_kwargs)
        alt = "; ".join(described[:MOST_DESCRIBED]) if self.alt is None else self.alt
        return self._fragment(name, "figure", {**size, "alt": alt}, files)

    def _iter_lines(self) -> Iterable[tuple[str | None, Any, Any]]:
        if not isinstance(self.y, Mapping):
            if isinstance(self.x, Mapping):
                raise ReportError(
                    "LinePlotReporter was given one line and a dictionary of places.",
                    hint="Give y as a dictionary with the same keys.",
                )
            yield None, _checked(self.x, self.y, "the line"), self.y
            return
        if isinstance(self.x, Mapping) and (missing := [key for key in self.y if key not in self.x]):
            raise ReportError(
                f"LinePlotReporter has no places for the lines {', '.join(map(repr, missing))}.",
                hint=f"x has {', '.join(map(repr, self.x)) or 'no keys'}.",
            )
        for key, ys in self.y.items():
            xs = self.x[key] if isinstance(self.x, Mapping) else self.x
            yield _legible(key), _checked(xs, ys, f"line {key!r}"), ys


def _describe(label: str | None, ys: Any) -> str:
    """Say where a line begins and ends, if it is made of plain numbers."""
    name = (label or "one line").replace("\\$", "$").lstrip("\N{ZERO WIDTH SPACE}")
    try:
        ends = [float(ys[position]) for position in (0, len(ys) - 1)]
    except (TypeError, ValueError, KeyError, IndexError):
        return name
    return f"{name} from {ends[0]:.4g} to {ends[1]:.4g}"


def _checked(xs: Any, ys: Any, line: str) -> Any:
    if xs is not None and len(xs) != len(ys):
        raise ReportError(f"LinePlotReporter: {line} has {len(ys)} numbers and {len(xs)} places.")
    return xs


def _legible(key: Any) -> str:
    """Keep matplotlib from hiding a label that begins with an underscore, and from reading ``$`` as mathematics."""
    text = str(key).replace("$", r"\$")
    return "\N{ZERO WIDTH SPACE}" + text if text.startswith("_") else text

"""The door of reporting: ``Reportable``, something that becomes a fragment when it is reported."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from curifactory.core.trace import Fragment
from curifactory.engine.rendering import error_fragment
from curifactory.errors import ReportError

__all__ = ["FILES", "Reportable", "error_fragment", "join_markup"]

FILES = "@files"
"""Stands in the markup of a reportable for the folder in which its files will lie."""


class Reportable:
    """Something that a stage wants people to see: ``record.report(…)`` turns it into a fragment there and then.

    Parameters
    ----------
    name : str, optional
        What people read above it; without one it is numbered within its call.
    group : str, optional
        Reportables of one group stand together in the report, whatever record they come from.
    caption : str, optional
        A sentence below it.

    Notes
    -----
    There are two ways to write one's own.

    *By markup.* Override :meth:`html`, which returns HTML, and, if there are files, :meth:`render`, which writes them
    into ``self.path`` under names that begin with ``self.qualified_name``. While :meth:`html` is asked,
    ``self.path`` is what an address of these files begins with. The markup goes into the page as it is: escape
    what comes from people (:func:`html.escape`).

    *By data.* Override :meth:`to_fragment` and return a :class:`~curifactory.core.trace.Fragment` of a kind that the
    page can draw, which then escapes everything: ``table``, ``figure``, ``image``, ``images``, ``json``, ``latex``,
    ``text``, ``markdown``, ``matrix``, ``metric``, ``plotly``, ``audio``, ``video``, ``file``. What their data hold is
    in ``docs/reports.md``; data of any other kind are shown as they are.

    The laws of the door:

    - a fragment is data and files, nothing live, and the data are JSON values;
    - files lie in ``folder`` itself, are whole when the method returns, and are called ``<name>.<extension>``, or
      ``<name>~….<extension>`` if there are several: no name of anything else begins so;
    - the thing that is shown is not changed, and no global state is; drawn again, it gives the same;
    - what cannot be drawn raises; the engine then shows the error in its place and the stage goes on.

    Examples
    --------
    >>> from html import escape
    >>> class Badge(Reportable):
    ...     def __init__(self, text, **kwargs):
    ...         super().__init__(**kwargs)
    ...         self.text = text
    ...
    ...     def html(self):
    ...         return f"<strong>{escape(self.text)}</strong>"
    >>> Badge("a < b", name="badge").to_fragment(folder=".", name="badge").data
    {'html': '<strong>a &lt; b</strong>'}
    """

    path: str = ""
    qualified_name: str = ""

    def __init__(self, name: str | None = None, group: str | None = None, caption: str | None = None) -> None:
        self.name = name
        self.group = group
        self.caption = caption

    def html(self) -> str | Sequence[str] | None:
        """Return markup for the page, as a string or a list of them; override it."""
        return None

    def render(self) -> None:
        """Write files into ``self.path``; override it if :meth:`html` shows any."""

    def to_fragment(self, folder: str, name: str) -> Fragment:
        """Become data and files.

        Parameters
        ----------
        folder : str
            An existing folder for the files.
        name : str
            A safe name, unique within the call, with which the names of the files begin.

        Returns
        -------
        Fragment
            What the report is drawn from.

        Raises
        ------
        ReportError
            If :meth:`html` gave nothing that can be shown.
        """
        self.qualified_name = name
        before = set(os.listdir(folder))
        try:
            self.path = folder
            self.render()
            files = tuple(sorted(set(os.listdir(folder)) - before))
            self.path = FILES
            markup = self.html()
        finally:
            self.path = ""
        return self._fragment(name, "html", {"html": join_markup(markup, type(self).__name__)}, files)

    def _fragment(self, name: str, kind: str, data: Any, files: tuple[str, ...] = ()) -> Fragment:
        # People also name by numbers and paths.
        group, caption = (None if each is None else str(each) for each in (self.group, self.caption))
        return Fragment(str(self.name or name), kind, data, files, group, caption)

    def _repr_html_(self) -> str:
        from curifactory.reporting.display import display_reportable

        return display_reportable(self).html

    def __repr__(self) -> str:
        given = ((key, getattr(self, key, None)) for key in ("name", "group", "caption"))
        return f"{type(self).__name__}({', '.join(f'{key}={value!r}' for key, value in given if value is not None)})"


def join_markup(markup: Any, owner: str) -> str:
    """Put the pieces that ``html()`` returned together.

    Raises
    ------
    ReportError
        If there are none, or one of them is no text.
    """
    pieces = [markup] if isinstance(markup, str) else markup
    if pieces is None:
        raise ReportError(
            f"{owner}.html() returned nothing.", hint="Let it return a string or a list of strings."
        )
    if not isinstance(pieces, Sequence) or not all(isinstance(piece, str) for piece in pieces):
        raise ReportError(
            f"{owner} was given {type(markup).__name__}, not markup.",
            hint="Give it a string or a list of strings.",
        )
    return "\n".join(pieces)

"""The door of reporting: ``Reportable``, something that becomes a fragment when it is reported."""

from __future__ import annotations

import os
import traceback
from collections.abc import Sequence
from typing import Any

from curifactory.core.trace import Fragment
from curifactory.errors import ReportError

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
    page can draw, which then escapes everything: ``table``, ``figure``, ``image``, ``json``, ``latex``, ``text``.

    The laws of the door:

    - a fragment is data and files, nothing live, and the data are JSON values;
    - files lie in ``folder`` itself, are whole when the method returns, and their names begin with ``name``;
    - the thing that is shown is not changed, and no global state is;
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
        return Fragment(self.name or name, kind, data, files, self.group, self.caption)

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


def error_fragment(reportable: Any, exception: BaseException, name: str) -> Fragment:
    """Return what stands in the report in place of a reportable that could not be drawn.

    Parameters
    ----------
    reportable : Reportable
        The thing itself, or whatever was given to ``record.report``.
    exception : BaseException
        Why it could not be drawn.
    name : str
        Its unique name within the call.

    Returns
    -------
    Fragment
        Of kind ``error``, with the message and the traceback as text.

    Examples
    --------
    >>> fragment = error_fragment(Reportable(name="map"), ValueError("no projection"), "map")
    >>> fragment.kind, fragment.data["message"]
    ('error', 'ValueError: no projection')
    """

    def given(attribute: str) -> str | None:
        value = getattr(reportable, attribute, None)
        return value if isinstance(value, str) and value else None

    data = {
        "reportable": type(reportable).__name__,
        "message": f"{type(exception).__name__}: {exception}",
        "traceback": "".join(traceback.format_exception(exception)),
    }
    return Fragment(given("name") or name, "error", data, (), given("group"), given("caption"))

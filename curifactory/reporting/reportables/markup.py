"""``HTMLReporter``: markup that goes into the page as it is, the only raw door."""

from __future__ import annotations

from collections.abc import Sequence

from curifactory.reporting.reportables.reportable import Reportable, join_markup


class HTMLReporter(Reportable):
    r"""Show HTML.

    Everything else in a report is escaped; this is not. Scripts in it run in the page, and what it links to is
    fetched: give it nothing that you do not trust, and :func:`html.escape` what comes from others.

    Parameters
    ----------
    html_string : str or list of str
        The markup; a list is joined by newlines.
    name, group, caption : str, optional
        See :class:`~curifactory.reporting.Reportable`.

    Raises
    ------
    ReportError
        If it is neither a string nor a list of strings.

    Examples
    --------
    >>> HTMLReporter(["<p>one</p>", "<p>two</p>"]).to_fragment(folder=".", name="0").data
    {'html': '<p>one</p>\n<p>two</p>'}
    """

    def __init__(
        self,
        html_string: str | Sequence[str],
        name: str | None = None,
        group: str | None = None,
        caption: str | None = None,
    ) -> None:
        super().__init__(name, group, caption)
        self.html_string = join_markup(html_string, type(self).__name__)

    def html(self) -> str:
        """Return the markup."""
        return self.html_string

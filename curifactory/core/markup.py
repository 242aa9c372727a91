"""A table as HTML, for values that show themselves in a notebook from below the room that draws reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_CELL = "text-align:left;vertical-align:top;padding:.15em .8em .15em 0"


def table_markup(title: str, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table that needs no style sheet; every text in it is escaped.

    Parameters
    ----------
    title : str
        Stands above the table.
    headings : sequence of str
        One for each column.
    rows : iterable of sequences
        What stands in the cells, as ``str`` writes it.

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> table_markup("Plan", ["stage"], [["<b>"]]).count("&lt;b&gt;")
    1
    """
    # Brings a table of all entities along, which a command has no use for.
    from html import escape

    head = "".join(f'<th scope="col" style="{_CELL}">{escape(heading)}</th>' for heading in headings)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{escape(str(cell))}</td>' for cell in row) + "</tr>"
        for row in rows
    )
    return (
        f'<div style="overflow-x:auto"><p style="margin:0 0 .4em"><strong>{escape(title)}</strong></p>'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )

"""Markdown becomes markup in which nothing runs and nothing is fetched: HTML is text, images are links."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

HIGHEST_LEVEL = 5
LOWEST_LEVEL = 6
SCHEMES = ("http://", "https://", "mailto:", "#")


def render_markdown(text: str) -> str:
    """Render text in Markdown, with tables.

    Parameters
    ----------
    text : str
        What a person wrote.

    Returns
    -------
    str
        Markup that is safe in a page: the parser escapes all that it does not write itself.

    Examples
    --------
    >>> print(render_markdown("The *forest* <script>wins</script>."), end="")
    <p>The <em>forest</em> &lt;script&gt;wins&lt;/script&gt;.</p>
    """
    markup: str = _parser().render(text)
    return markup


@functools.cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    # An address within the report's folder, or a script's, is not what a note needs.
    parser.validateLink = lambda url: url.strip().lower().startswith(SCHEMES)  # type: ignore[method-assign]
    rules: dict[str, Any] = parser.renderer.rules  # type: ignore[attr-defined]
    rules["image"] = _render_image
    rules["heading_open"] = _render_heading
    rules["heading_close"] = _render_heading
    rules["table_open"] = _render_table
    rules["table_close"] = lambda *_: "</table></div>\n"
    rules["fence"] = rules["code_block"] = _render_code
    return parser


def _render_image(tokens: Any, place: int, *_: Any) -> str:
    token = tokens[place]
    address = str(token.attrs.get("src", ""))
    from html import escape

    return f'<a href="{escape(address)}">{escape(token.content or address)}</a>'


def _render_heading(tokens: Any, place: int, *_: Any) -> str:
    """Let headings begin below the one of the reportable, which they belong to."""
    token = tokens[place]
    level = min(LOWEST_LEVEL, HIGHEST_LEVEL + int(token.tag[1]) - 1)
    return f"<h{level}>" if token.nesting == 1 else f"</h{level}>\n"


def _render_table(*_: Any) -> str:
    return '<div class="cf-scroll" tabindex="0" role="group" aria-label="Table"><table class="cf-table">\n'


def _render_code(tokens: Any, place: int, *_: Any) -> str:
    from html import escape

    code = escape(tokens[place].content)
    return f'<div class="cf-code"><pre tabindex="0" role="group" aria-label="Code"><code>{code}</code></pre></div>\n'

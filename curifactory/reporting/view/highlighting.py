"""Code in its colours: what Pygments tells of it, as pieces that the page escapes like any text."""

from __future__ import annotations

from itertools import groupby

STYLES = (
    ("Comment", "c"),
    ("Literal.String", "s"),
    ("Literal.Number", "n"),
    ("Keyword", "k"),
    ("Operator.Word", "k"),
    ("Name.Function", "f"),
    ("Name.Class", "f"),
    ("Name.Decorator", "f"),
    ("Name.Tag", "k"),
    ("Name.Attribute", "f"),
    ("Generic.Inserted", "s"),
    ("Generic.Deleted", "k"),
)


def highlight(text: str, language: str) -> tuple[tuple[str, str], ...] | None:
    """Cut code into pieces of one style each.

    Parameters
    ----------
    text : str
        The code.
    language : str
        A name that Pygments has for it, or the extension of its files.

    Returns
    -------
    tuple of (str, str) or None
        Style, empty for plain, and text of each piece; together they are the code. None if nobody knows the language.

    Examples
    --------
    >>> highlight("n = 1 # one", "python")
    (('', 'n = '), ('n', '1'), ('', ' '), ('c', '# one'))
    """
    from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
    from pygments.util import ClassNotFound

    options = {"stripnl": False, "ensurenl": False}
    try:
        lexer = get_lexer_by_name(language, **options)
    except ClassNotFound:
        try:
            lexer = get_lexer_for_filename(f"x.{language}", **options)
        except ClassNotFound:
            return None
    pieces = ((_style(str(token)), piece) for token, piece in lexer.get_tokens(text))
    return tuple(
        (style, "".join(piece for _, piece in group))
        for style, group in groupby(pieces, key=lambda pair: pair[0])
    )


def _style(token: str) -> str:
    name = token.removeprefix("Token.")
    return next((style for beginning, style in STYLES if name.startswith(beginning)), "")

"""Names of types in messages: as people write them, with the article that belongs to them."""

from __future__ import annotations

import sys


def public_name(kind: type) -> str:
    """Return ``package.Class`` where that is the class, as most libraries hide theirs in inner modules.

    Examples
    --------
    >>> from collections import Counter
    >>> public_name(list), public_name(Counter)
    ('list', 'collections.Counter')
    """
    if kind.__module__ == "builtins":
        return kind.__qualname__
    package = kind.__module__.partition(".")[0]
    if getattr(sys.modules.get(package), kind.__qualname__, None) is kind:
        return f"{package}.{kind.__qualname__}"
    return f"{kind.__module__}.{kind.__qualname__}"


def with_article(kind: type) -> str:
    """Return the name of a type as the end of "it is ...".

    Examples
    --------
    >>> with_article(list), with_article(int)
    ('a list', 'an int')
    """
    name = public_name(kind)
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"

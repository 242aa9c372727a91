"""Names that a person may have meant: the nearest of those that exist."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

SHOWN = 12
_WORD = re.compile(r"[^\W_]+")
_ALIKE = 0.6
# As good as this is a name that begins with what was written, from so many letters on.
_BEGUN = 0.75
_LEAST_BEGUN = 3
# What is much less alike than the best is not what was meant.
_SPREAD = 0.15


def find_nearest(name: str, known: Iterable[str], *, limit: int = 3) -> list[str]:
    """Return the known names that are most like a name, best first; letter case does not count.

    A beginning is like the name that it begins, and words in another order are the same words.

    Parameters
    ----------
    name : str
        What was written.
    known : iterable of str
        What there is.
    limit : int
        How many to return at most.

    Examples
    --------
    >>> find_nearest("irs", ["iris", "mnist"])
    ['iris']
    >>> find_nearest("quux", ["iris", "mnist"])
    []
    >>> find_nearest("acc", ["accuracy", "loss"]), find_nearest("--full-store", ["--store-full", "--dry"])
    (['accuracy'], ['--store-full'])
    """
    from difflib import SequenceMatcher

    folded = name.casefold()
    likeness: dict[str, float] = {}
    matcher = SequenceMatcher(b=folded)
    words = sorted(_WORD.findall(folded))
    for each in known:
        other = each.casefold()
        if len(words) > 1 and sorted(_WORD.findall(other)) == words:
            likeness[each] = 1.0
            continue
        matcher.set_seq1(other)
        if len(folded) >= _LEAST_BEGUN and other.startswith(folded):
            likeness[each] = max(_BEGUN, matcher.ratio())
        elif matcher.real_quick_ratio() >= _ALIKE and matcher.quick_ratio() >= _ALIKE:
            likeness[each] = matcher.ratio()
    least = max(_ALIKE, max(likeness.values(), default=0.0) - _SPREAD)
    near = sorted(
        (each for each, ratio in likeness.items() if ratio >= least), key=lambda each: -likeness[each]
    )
    return near[:limit]


def suggest(name: str, known: Sequence[str], *, nothing: str) -> str:
    """Return the hint for a name that is not there: the nearest ones, else all, else that there is nothing.

    Parameters
    ----------
    name : str
        What was written.
    known : sequence of str
        What there is, in the order in which it is to be shown.
    nothing : str
        What to say if nothing is known at all.

    Examples
    --------
    >>> suggest("irs", ["iris", "mnist"], nothing="There is none.")
    "Did you mean 'iris'?"
    >>> suggest("quux", ["iris", "mnist"], nothing="There is none.")
    "There are 'iris' and 'mnist'."
    >>> suggest("quux", ["iris"], nothing="There is none.")
    "There is 'iris'."
    """
    near = find_nearest(name, known)
    if near:
        return f"Did you mean {join_names(near, 'or')}?"
    if not known:
        return nothing
    verb = "is" if len(known) == 1 else "are"
    return f"There {verb} {join_names(known, 'and')}."


def join_names(names: Sequence[str], word: str) -> str:
    """Quote names and join them as in a sentence; many are cut short.

    Examples
    --------
    >>> join_names(["a", "b", "c"], "or")
    "'a', 'b' or 'c'"
    """
    quoted = [f"'{name}'" for name in names]
    if len(quoted) > SHOWN:
        return f"{', '.join(quoted[: SHOWN - 1])} {word} {len(quoted) - SHOWN + 1} more"
    if len(quoted) < 2:
        return "".join(quoted)
    return f"{', '.join(quoted[:-1])} {word} {quoted[-1]}"

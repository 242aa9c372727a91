"""What people call runs: which of them some words could mean, and which names are near."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from curifactory.errors import ConfigurationError
from curifactory.store.reference import Reference, safe_experiment

_COMPARED = 500
_SUGGESTED = 3


def iter_meant(
    query: str, references: Sequence[Reference], experiment: str | None
) -> Iterator[list[Reference]]:
    """Give the runs that words could mean: by whole reference, by short name, by beginning; the first that fits counts.

    Parameters
    ----------
    query : str
        Such as ``iris_4_2026-11-21-T101500``, ``iris_4``, ``iris_4_2026``; with an experiment also ``4``.
    references : sequence of Reference
        The runs to look among.
    experiment : str, optional
        The experiment that they are of.

    Examples
    --------
    >>> references = [Reference("iris", 4, "2026-11-21-T101500"), Reference("iris", 40, "2026-11-22-T101500")]
    >>> [[each.number for each in meant] for meant in iter_meant("iris_4", references, None)]
    [[], [4], [4, 40]]
    """
    words = {query, *_safe_forms(query)}
    yield [each for each in references if str(each) in words]
    yield [each for each in references if not words.isdisjoint(_short_names(each, experiment))]
    yield [each for each in references if str(each).startswith(tuple(words))]


def suggest(query: str, references: Sequence[Reference]) -> str:
    """Return a hint with the names that are nearest to words that mean no run.

    Examples
    --------
    >>> references = [Reference("iris", 4, "2026-11-21-T101500")]
    >>> suggest("irs_4", references), suggest("4", references)
    ("Did you mean 'iris_4'?", "Did you mean 'iris_4'?")
    """
    import difflib

    # Comparing with thousands of names takes seconds; a slip of the pen is in one of the latest.
    latest = sorted(references, key=start_of, reverse=True)[:_COMPARED]
    names = dict.fromkeys(name for each in latest for name in (_short_names(each, None)[0], str(each)))
    # A number alone says nothing of the experiment.
    near = [f"{each.experiment}_{query}" for each in latest if str(each.number) == query][:_SUGGESTED]
    near = near or difflib.get_close_matches(query, list(names), n=_SUGGESTED, cutoff=0.6)
    if near:
        return f"Did you mean {' or '.join(repr(name) for name in near)}?"
    return "See `experiment runs` for those there are."


def start_of(reference: Reference) -> tuple[str, int]:
    """Return what references are sorted by: the time in them, then the number.

    Examples
    --------
    >>> start_of(Reference("iris", 4, "2026-11-21-T101500"))
    ('2026-11-21-T101500', 4)
    """
    return reference.time, reference.number


def _safe_forms(query: str) -> Iterator[str]:
    """Give what a person's words are in the names of folders, with and without a number at their end."""
    for name, number in ((query, ""), query.rpartition("_")[::2]):
        with suppress(ConfigurationError):
            yield f"{safe_experiment(name)}_{number}" if number else safe_experiment(name)


def _short_names(reference: Reference, experiment: str | None) -> tuple[str, ...]:
    name = f"{reference.experiment}_{reference.number}"
    return (name,) if experiment is None else (name, str(reference.number))

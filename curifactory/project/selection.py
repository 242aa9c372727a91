"""Picks parameter sets by name and by position."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from curifactory.core.nearest import join_names, suggest
from curifactory.errors import ConfigurationError, DiscoveryError

if TYPE_CHECKING:
    from curifactory.parameters.sets import ExperimentParameters

# What sets of a sweep are called by, as in n=50,seed=2.
_VARIED = re.compile(r"[A-Za-z_][\w.]*=[^,\s]+")
_RANGE = re.compile(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?")


class SelectedSet(NamedTuple):
    """A parameter set that takes part in a run.

    Parameters
    ----------
    params : ExperimentParameters
        The set.
    file : str
        The file that it came from, relative to the project.
    """

    params: ExperimentParameters
    file: str


class CollectedSets(NamedTuple):
    """The parameter sets of a run, and what was imported for them.

    Parameters
    ----------
    sets : list of SelectedSet
        Those that were asked for.
    modules : tuple of str
        The modules of all parameter files that were named, in the order in which they were imported.
    """

    sets: list[SelectedSet]
    modules: tuple[str, ...]


def select(
    groups: Sequence[Sequence[SelectedSet]],
    *,
    names: Sequence[str] = (),
    indices: Sequence[str] = (),
    global_indices: Sequence[str] = (),
) -> list[SelectedSet]:
    """Return the sets that all given conditions hold for, in their order.

    Parameters
    ----------
    groups : sequence of sequence of SelectedSet
        The sets of each file.
    names : sequence of str
        Keep sets with these names.
    indices : sequence of str
        Keep sets at these positions of their file: ``"3"`` or ``"2-5"``, of which 5 is excluded.
    global_indices : sequence of str
        The same over all files together.

    Raises
    ------
    DiscoveryError
        If a name does not exist, a position lies outside, or nothing is left.
    ConfigurationError
        If a position is not written as one.

    Examples
    --------
    >>> from curifactory.parameters.sets import ExperimentParameters
    >>> sets = [SelectedSet(ExperimentParameters(name=name), "params/abc.py") for name in "abc"]
    >>> [each.params.name for each in select([sets], indices=["1-3"])]
    ['b', 'c']
    """
    everything = [each for group in groups for each in group]
    _check_names(names, everything)
    overall = parse_positions(
        global_indices, len(everything), where="all files together", option="--global-indices"
    )
    kept: list[SelectedSet] = []
    before = 0
    for group in groups:
        inside = (
            parse_positions(indices, len(group), where=group[0].file, option="--indices") if group else set()
        )
        kept += [
            each
            for position, each in enumerate(group)
            if (not names or each.params.name in names)
            and (not indices or position in inside)
            and (not global_indices or before + position in overall)
        ]
        before += len(group)
    if not kept:
        raise DiscoveryError(
            "No parameter set is left: none fits all that was asked for.",
            hint=f"There are {join_names([each.params.name for each in everything], 'and')}.",
        )
    return kept


def _check_names(names: Sequence[str], everything: Sequence[SelectedSet]) -> None:
    known = list(dict.fromkeys(each.params.name for each in everything))
    unknown = [name for name in dict.fromkeys(names) if name not in known]
    of_sweep = [name for name in unknown if _VARIED.search(name)]
    if of_sweep:
        changes = " ".join(_VARIED.findall(of_sweep[0]))
        raise DiscoveryError(
            f"No parameter set named '{of_sweep[0]}': names pick sets before they are multiplied.",
            hint=f"Of a sweep, write the values that are wanted: {changes}.",
        )
    if len(unknown) == 1:
        hint = suggest(unknown[0], known, nothing="There is none.")
        raise DiscoveryError(f"No parameter set named '{unknown[0]}'.", hint=hint)
    if unknown:
        raise DiscoveryError(
            f"No parameter sets named {join_names(unknown, 'or')}.",
            hint=f"There {'is' if len(known) == 1 else 'are'} {join_names(known, 'and')}.",
        )


def parse_positions(words: Sequence[str], count: int, *, where: str, option: str) -> set[int]:
    """Return the positions that words such as ``3`` and ``2-5`` (5 excluded) stand for.

    Parameters
    ----------
    words : sequence of str
        What was written.
    count : int
        How many sets there are; positions go from 0 to one less.
    where : str
        What the sets are counted in, for messages.
    option : str
        The option that the words were given to, for messages.

    Raises
    ------
    ConfigurationError
        If a word is no position.
    DiscoveryError
        If a position lies outside.

    Examples
    --------
    >>> sorted(parse_positions(["0", "2-4"], 5, where="params/iris.py", option="--indices"))
    [0, 2, 3]
    """
    positions: set[int] = set()
    for word in words:
        match = _RANGE.fullmatch(word)
        if match is None:
            raise ConfigurationError(
                f"{option} {word} is no position.", hint="Write one number, or two as in 2-5 (5 excluded)."
            )
        first = int(match[1])
        end = int(match[2]) if match[2] is not None else first + 1
        if end <= first:
            raise ConfigurationError(
                f"{option} {word} is empty: the second number is excluded.",
                hint=f"Write {first}-{first + 1} or {first}.",
            )
        if end > count:
            valid = "0 only" if count == 1 else f"0 to {count - 1}"
            raise DiscoveryError(
                f"{option} {word} lies outside: {where} has {count} parameter set{'' if count == 1 else 's'}.",
                hint=f"Positions go from {valid}." if count > 1 else "The only position is 0.",
            )
        positions.update(range(first, end))
    return positions

"""Which of many records are told of at the end of a run: those with the best scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

# Name of each record, and its metrics by type and name.
Scores = Sequence[tuple[str, Mapping[tuple[str, str], float]]]


def choose_best(
    scores: Scores, most: int, *, use_best: str | None = None, minimize: bool = False
) -> tuple[Scores, str | None]:
    """Return the best records, the best first, and what they are the best by; the first ones where no name tells it.

    Parameters
    ----------
    scores : Scores
        Of all records.
    most : int
        How many to return at most.
    use_best : str, optional
        The metric that counts, if the person has said so.
    minimize : bool
        Whether less of that is better.

    Examples
    --------
    >>> scores = [(name, {("val", "loss"): loss}) for name, loss in (("a", 0.5), ("b", 0.25), ("c", 0.125))]
    >>> choose_best(scores, 2)
    ([('c', {('val', 'loss'): 0.125}), ('b', {('val', 'loss'): 0.25})], 'val loss')
    """
    from curifactory.reporting.view.results import find_direction
    from curifactory.store.run_summary import rank_type

    known = list(dict.fromkeys(key for _, metrics in scores for key in metrics))
    if use_best is not None:
        known = [key for key in known if key[1] == use_best]
    directions = {
        key: ("lower" if minimize else "higher") if use_best is not None else find_direction(key[1])
        for key in known
    }
    telling = [key for key in known if directions[key]]
    if not telling:
        return scores[:most], None
    # Of one metric that has several types the most telling one counts, as where runs are compared.
    name = telling[0][1]
    chosen = min((key for key in telling if key[1] == name), key=lambda key: rank_type(key[0]))
    sign = 1 if directions[chosen] == "lower" else -1

    def rank(entry: tuple[str, Mapping[tuple[str, str], float]]) -> float:
        value = entry[1].get(chosen, math.nan)
        return math.inf if math.isnan(value) else sign * value

    return sorted(scores, key=rank)[:most], " ".join(chosen).lstrip()

"""How good the records of a run are by one of its metrics, and which of several parameter sets was the best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from curifactory.core.nearest import suggest
from curifactory.core.record import Record
from curifactory.errors import DiscoveryError
from curifactory.manager.manager import ArtifactManager
from curifactory.parameters.variations import Variation


def find_score(manager: ArtifactManager, record: Record, metric: str) -> float | None:
    """Return the last value of a metric of a record, else the number that its state has under this name.

    Parameters
    ----------
    manager : ArtifactManager
        The record's run.
    record : Record
        Whose score it is.
    metric : str
        Name of a metric that was logged, or of an output that is a number.

    Returns
    -------
    float or None
        None if there is neither, or the number is none.
    """
    logged = {name: value for (_, name), value in manager.last_metrics.of(record.index).items()}
    value: Any = logged.get(metric)
    if value is None and metric in record.state:
        value = record.state[metric]
    try:
        score = float(value)
    except (TypeError, ValueError):
        return None
    return None if math.isnan(score) else score


def choose_best(
    manager: ArtifactManager, variations: Sequence[Variation], metric: str, *, minimize: bool
) -> Variation | None:
    """Return the best of several parameter sets by the scores of their records; of equal ones the first.

    Parameters
    ----------
    manager : ArtifactManager
        The run; calls that wait are executed first.
    variations : sequence of Variation
        The sets.
    metric : str
        What counts.
    minimize : bool
        Whether less is better.

    Raises
    ------
    DiscoveryError
        If records of the sets have other metrics, but not this one.
    """
    manager.engine.run_all()
    scored: list[tuple[float, Variation]] = []
    records = {id(record.params): record for record in manager.records}
    for variation in variations:
        record = records.get(id(variation.params))
        score = None if record is None else find_score(manager, record, metric)
        if score is not None:
            scored.append((score, variation))
    if scored:
        pick = min if minimize else max
        return pick(scored, key=lambda each: each[0])[1]
    raise DiscoveryError(
        f"No record of {variations[0].params.name if variations else 'the sweep'} and its like has a metric '{metric}'.",
        hint=suggest(
            metric,
            sorted(manager.last_metrics.names),
            nothing="None was logged: write record.log({'" + metric + "': value}) in a stage, "
            "and make the records while going through param_sets.",
        ),
    )

"""A sweep as it is kept with its run: what varies, in which order, and what each set has of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from enum import Enum
from itertools import zip_longest
from typing import Any

from curifactory.core.secrets import MASK, holds_secret, mask_text
from curifactory.parameters.lossless import dump_value
from curifactory.parameters.names import resolve_name, value_at
from curifactory.parameters.parts import MISSING
from curifactory.parameters.shown import text_of
from curifactory.parameters.updates import ADD
from curifactory.parameters.variation_names import show_value
from curifactory.parameters.variations import Sweep, Variation

# Facts of a run are read by whoever lists runs; nobody looks at more sets than these one by one.
_MOST_SETS = 1000


def describe_sweep(
    sweep: Sweep, variations: Sequence[Variation], records: Sequence[int] = ()
) -> dict[str, Any]:
    """Return a sweep as JSON values.

    Parameters
    ----------
    sweep : Sweep
        Over what sets were multiplied.
    variations : sequence of Variation
        The sets.
    records : sequence of int
        Indices of the records with the sets, in their order, where those are known.

    Examples
    --------
    >>> facts = describe_sweep(Sweep("product", {}, {"n": (1, 2)}), [])
    >>> facts["kind"], facts["ranges"]
    ('product', [{'name': 'n', 'values': [1, 2]}])
    """
    return {
        "kind": sweep.kind,
        "fixed": {name: show(value, name) for name, value in sweep.fixed.items()},
        "ranges": [
            {"name": name, "values": [show(value, name) for value in values]}
            for name, values in sweep.varying.items()
        ],
        "repeat": sweep.repeat,
        "sets": [
            {
                "name": getattr(each.params, "name", None),
                "base": each.base,
                "values": {name: show(_value_of(each, name), name) for name in sweep.varying},
                "repeat": each.repeat,
                "record": record,
            }
            for each, record in zip_longest(variations[:_MOST_SETS], records[:_MOST_SETS])
        ],
        "count": len(variations),
    }


def describe_choice(
    metric: str | None, carried: Iterable[tuple[str, Any]], *, minimize: bool
) -> dict[str, Any]:
    """Return by what a chain has chosen, and the values that it has carried on.

    Examples
    --------
    >>> describe_choice("loss", [("lr", 0.1)], minimize=True)
    {'use_best': 'loss', 'minimize': True, 'carried': [{'name': 'lr', 'value': 0.1}]}
    """
    values = [{"name": name, "value": show(value, name)} for name, value in carried]
    return {"use_best": metric, "minimize": minimize, "carried": values}


def _value_of(variation: Variation, name: str) -> Any:
    """Return the value that a set has of a parameter, whether it is its turn to vary or not."""
    if name in variation.values:
        return variation.values[name]
    places = resolve_name(variation.params, name.removeprefix(ADD)).places
    value = value_at(variation.params, places[0]) if places else None
    return None if value is MISSING else value


def show(value: Any, name: str) -> Any:
    """Return a value as JSON has it: numbers as they are, everything else as a short text; secrets are masked.

    Examples
    --------
    >>> show(0.5, "lr"), show([1, 2], "sizes"), show("hunter2", "api_token")
    (0.5, '[1, 2]', '********')
    """
    last = name.rpartition(".")[2]
    if value is None or isinstance(value, bool) or type(value) is int:
        return value
    if type(value) is float and math.isfinite(value):
        return value
    if isinstance(value, str):
        return MASK if holds_secret(last, value) else mask_text(value)
    if isinstance(value, (Enum, type)):
        return show_value(value)
    return text_of(dump_value(value, name=last))

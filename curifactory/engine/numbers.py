"""Metric values: whatever ``float()`` takes, as plain numbers."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from curifactory.errors import DefinitionError


def as_numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Return metrics with plain Python numbers.

    Raises
    ------
    DefinitionError
        If a value is no number, or so large that no float holds it.

    Examples
    --------
    >>> as_numbers({"accuracy": 0.5, "epochs": 3})
    {'accuracy': 0.5, 'epochs': 3}
    """
    numbers: dict[str, float] = {}
    for name, value in values.items():
        kind = type(value)
        if kind is float:
            numbers[name] = value
            continue
        try:
            # A loss may still be a part of what torch differentiates, and torch would warn of making a number of it.
            number = float(value.detach() if getattr(value, "requires_grad", False) is True else value)
            numbers[name] = value if kind is int else number
        except OverflowError as error:
            raise DefinitionError(
                f"The metric '{name}' is larger than the largest float, {sys.float_info.max:.2g}.",
                hint="Log its logarithm.",
            ) from error
        except (TypeError, ValueError) as error:
            raise DefinitionError(
                f"The metric '{name}' is {value!r}, which is no number.",
                hint="Report other things with record.report(…).",
            ) from error
    return numbers

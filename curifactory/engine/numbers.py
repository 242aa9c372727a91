"""Metric values: whatever ``float()`` takes, as plain numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curifactory.errors import DefinitionError


def as_numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Return metrics with plain Python numbers.

    Raises
    ------
    DefinitionError
        If a value is no number.

    Examples
    --------
    >>> as_numbers({"accuracy": 0.5, "epochs": 3})
    {'accuracy': 0.5, 'epochs': 3}
    """
    numbers: dict[str, float] = {}
    for name, value in values.items():
        kind = type(value)
        if kind is float or kind is int:
            numbers[name] = value
            continue
        try:
            numbers[name] = float(value)
        except (TypeError, ValueError) as error:
            raise DefinitionError(
                f"The metric '{name}' is {value!r}, which is no number.",
                hint="Report other things with record.report(…).",
            ) from error
    return numbers

"""Metrics as plain values: texts, whatever ``float()`` takes, whole numbers for when it was."""

from __future__ import annotations

import operator
import sys
from collections.abc import Mapping
from typing import Any

from curifactory.errors import DefinitionError


def as_numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Return metrics with plain Python numbers.

    Raises
    ------
    DefinitionError
        If a name is no text, or a value no number, or so large that no float holds it.

    Examples
    --------
    >>> as_numbers({"accuracy": 0.5, "epochs": 3})
    {'accuracy': 0.5, 'epochs': 3}
    """
    numbers: dict[str, float] = {}
    for name, value in values.items():
        if type(name) is not str:
            name = _as_name(name)  # noqa: PLW2901 - the plain text of it
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


def as_whole(what: str, value: object) -> int:
    """Return a step or an epoch as a plain whole number.

    Raises
    ------
    DefinitionError
        If it is none.

    Examples
    --------
    >>> as_whole("step", 3.0), as_whole("epoch", True)
    (3, 1)
    """
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        if isinstance(value, float) and value.is_integer():
            return int(value)
    raise DefinitionError(
        f"The {what} of a metric is {value!r}, which is no whole number.",
        hint=f'What lies between two of them can be a metric, too: {{"{what}": 0.5}}.',
    )


def _as_name(name: object) -> str:
    if isinstance(name, str):
        # A member of an enumeration of texts is written as the text that it is.
        return str.__str__(name)
    raise DefinitionError(f"The name of a metric is {name!r}, which is no text.", hint='Write {"loss": 0.3}.')

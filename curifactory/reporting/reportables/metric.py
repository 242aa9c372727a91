"""``MetricReporter``: one number, large."""

from __future__ import annotations

import math
from typing import Any

from curifactory.core.trace import Fragment
from curifactory.errors import ReportError
from curifactory.reporting.reportables.reportable import Reportable
from curifactory.reporting.view.quantities import format_number

DIRECTIONS = frozenset({"higher", "lower", ""})


class MetricReporter(Reportable):
    """Show one number, and how it compares with another.

    It is a thing to look at; ``record.log`` is what makes a number comparable between records and runs.

    Parameters
    ----------
    value : float
        The number: what ``float()`` takes.
    name, group, caption : str, optional
        See :class:`~curifactory.reporting.Reportable`.
    unit : str
        Stands behind it.
    baseline : float, optional
        What it is compared with.
    better : {"higher", "lower", ""}
        Which of them is better; without it, the name of the metric tells, if it does.

    Raises
    ------
    ReportError
        If ``better`` is another word.

    Examples
    --------
    >>> MetricReporter(0.9412, name="accuracy", baseline=0.92).to_fragment(folder=".", name="accuracy").data[
    ...     "change"
    ... ]
    '+0.0212'
    """

    def __init__(
        self,
        value: Any,
        name: str | None = None,
        group: str | None = None,
        caption: str | None = None,
        *,
        unit: str = "",
        baseline: Any = None,
        better: str | None = None,
    ) -> None:
        super().__init__(name, group, caption)
        if better is not None and better not in DIRECTIONS:
            raise ReportError(
                f"MetricReporter was given better={better!r}.", hint="It is 'higher', 'lower' or ''."
            )
        self.value = value
        self.unit = unit
        self.baseline = baseline
        self.better = better

    def to_fragment(self, folder: str, name: str) -> Fragment:
        """Become text.

        Raises
        ------
        ReportError
            If a value is no number.
        """
        value = _as_number(self.value)
        data: dict[str, Any] = {"text": _shorten(value), "exact": repr(value), "unit": str(self.unit)}
        if self.baseline is not None:
            baseline = _as_number(self.baseline)
            difference = value - baseline
            data["baseline"] = _shorten(baseline)
            sign = "+" if difference > 0 else "−" if difference < 0 else "±"
            data["change"] = sign + _shorten(abs(difference))
            data["verdict"] = _judge(difference, self._direction())
        return self._fragment(name, "metric", data)

    def _direction(self) -> str:
        from curifactory.reporting.view.results import find_direction

        return find_direction(self.name or "") if self.better is None else self.better


def _shorten(value: float) -> str:
    text = format_number(value)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def _as_number(value: Any) -> float:
    if type(value) is int:
        return value
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise ReportError(f"MetricReporter was given {value!r}, which is no number.") from error


def _judge(difference: float, direction: str) -> str:
    if not direction or not difference or math.isnan(difference):
        return ""
    return "better" if (difference > 0) == (direction == "higher") else "worse"

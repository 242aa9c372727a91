"""``Range``: numbers from one end to the other, both included, written as ``Range(0, 1, 0.25)`` or ``0-1-0.25``."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from curifactory.errors import ParameterTypeError

# Zeros in front belong to something else, such as 10_000 or 2020-01-01.
_NUMBER = r"[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_TEXT = re.compile(
    rf"(?P<start>{_NUMBER})(?P<sign>[-_])(?P<stop>{_NUMBER})"
    rf"(?:(?P=sign)(?P<step>{_NUMBER})|:(?P<num>\d+))?(?P<log>\.log)?"
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_LOG = ".log"


class Range:
    """Numbers from one end to the other; the end is included, and the direction follows from the ends.

    Parameters
    ----------
    start : int, float or str
        Where to begin, where to end if it is the only number, or all of it as text: ``a-b``, ``a-b-step``, ``a-b:num``,
        each with ``.log`` behind it; ``_`` may stand for ``-``.
    stop : int or float, optional
        Where to end.
    step : int or float
        Distance of the numbers; its sign does not count. Of floats the nearest one that divides the range.
    num : int
        How many numbers, from 2 on. Of integers some of those that the step gives.
    log : bool
        Whether the numbers are equidistant as logarithms.

    Raises
    ------
    ParameterTypeError
        If that is no range; it is a ``ValueError`` too.

    Examples
    --------
    >>> list(Range(3)), list(Range(10, 1, 3)), list(Range("0-1-0.25"))
    ([0, 1, 2, 3], [10, 7, 4, 1], [0.0, 0.25, 0.5, 0.75, 1.0])
    >>> Range("1e-3_1e2:6.log")
    Range(0.001, 100.0, n=6, log=True)
    """

    __slots__ = ("_items", "log", "num", "start", "step", "stop")

    start: int | float
    stop: int | float
    step: int | float
    num: int
    log: bool

    def __init__(
        self,
        start: float | str,
        stop: float | None = None,
        step: float = 1,
        num: int = 0,
        log: bool = False,
    ) -> None:
        first: Any = start
        last: Any = stop
        if isinstance(start, str):
            if stop is not None or step != 1 or num or log:
                raise ParameterTypeError(
                    "A Range that is a text takes nothing else.", hint="Write it into the text."
                )
            first, last, step, num, log = _parse(start)
        elif stop is None:
            first, last = 0 if isinstance(start, int) else 0.0, start
        for name, value in (("start", first), ("stop", last), ("step", step)):
            if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
                raise ParameterTypeError(f"A Range has numbers, and its {name} is {value!r}.")
        if not isinstance(num, int) or isinstance(num, bool) or num < 0:
            raise ParameterTypeError(f"num is how many numbers a Range has, and it is {num!r}.")
        if step == 0 or (log and step != 1):
            raise ParameterTypeError("Invalid step.", hint=_hint_of_step(log=log))
        if log and min(first, last) <= 0:
            raise ParameterTypeError(
                f"A logarithmic Range has positive ends, and these are {first!r} and {last!r}."
            )
        self.start, self.stop, self.step, self.num, self.log = first, last, abs(step), num, bool(log)
        self._items: list[Any] | None = None

    @property
    def is_integer(self) -> bool:
        """Whether the numbers are integers."""
        return all(isinstance(each, int) for each in (self.start, self.stop, self.step))

    @property
    def is_float(self) -> bool:
        """Whether the numbers are floats."""
        return not self.is_integer

    def __iter__(self) -> Iterator[Any]:
        if self._items is None:
            self._items = self._make()
        return iter(self._items)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, value: object) -> bool:
        return any(value == each for each in self)

    def __eq__(self, other: object) -> bool:
        return self._facts() == other._facts() if isinstance(other, Range) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._facts())

    def __repr__(self) -> str:
        parts = [repr(self.start), repr(self.stop)]
        if self.num >= 2:
            # A step beside a number is said, as it decides which integers there are to choose from.
            parts += [repr(self.step)] if self.step != 1 else []
            parts.append(f"n={self.num}")
        elif self.step != 1:
            parts.append(repr(self.step))
        if self.log:
            parts.append("log=True")
        return f"Range({', '.join(parts)})"

    def __str__(self) -> str:
        """Write the range as ``Range`` reads it, as Python does where no text can say it."""
        if self.num >= 2 and (self.step != 1 or isinstance(self.step, float)):
            return repr(self)
        negative = "-" in f"{self.start!r}{self.stop!r}{self.step!r}" or "+" in f"{self.start!r}{self.stop!r}"
        sign = "_" if negative else "-"
        ends = f"{self.start!r}{sign}{self.stop!r}"
        if self.num >= 2:
            return f"{ends}:{self.num}{_LOG if self.log else ''}"
        stepped = f"{sign}{self.step!r}" if self.step != 1 or isinstance(self.step, float) else ""
        return f"{ends}{stepped}{_LOG if self.log else ''}"

    def _facts(self) -> tuple[Any, ...]:
        # 1 and 1.0 make different ranges; `num` of 0 or 1 says nothing.
        return (*(repr(each) for each in (self.start, self.stop, self.step)), max(self.num, 1), self.log)

    def _make(self) -> list[Any]:
        if self.log:
            return self._make_log()
        if not self.is_integer:
            count = self.num if self.num >= 2 else round(abs(self.stop - self.start) / self.step + 1)
            return _space(float(self.start), float(self.stop), count)
        step = int(self.step) if self.start <= self.stop else -int(self.step)
        start, stop = int(self.start), int(self.stop)
        items = list(range(start, stop + (1 if step > 0 else -1), step))
        if self.num >= 2:
            return [items[round(at)] for at in _space(0.0, len(items) - 1.0, self.num)]
        return items

    def _make_log(self) -> list[Any]:
        if self.num < 2:
            raise ParameterTypeError(
                f"num must be larger than 1, but {self.num} given.",
                hint="A logarithmic range has as many numbers as one says: 1e-5_1e-1:5.log",
            )
        exponents = _space(math.log10(self.start), math.log10(self.stop), self.num)
        found: list[Any] = [10.0**exponent for exponent in exponents]
        # Powers of rounded logarithms miss numbers that people would write down.
        found = [float(f"{each:.12g}") for each in found]
        found[0], found[-1] = float(self.start), float(self.stop)
        return list(dict.fromkeys(map(round, found))) if self.is_integer else found


def _space(start: float, stop: float, count: int) -> list[float]:
    if count < 2:
        return [start]
    width = stop - start
    return [*(start + width * at / (count - 1) for at in range(count - 1)), stop]


def _parse(text: str) -> tuple[Any, Any, Any, int, bool]:
    match = None if _DATE.fullmatch(text.strip()) else _TEXT.fullmatch(text.strip())
    if match is None:
        raise ParameterTypeError(
            f"Invalid string for Range: {text}", hint="Write 0-4, 0-1-0.25, 1-100:5, -3_3 or 1e-5_1e-1:5.log."
        )
    step = match["step"]
    start, stop = (_read_number(match[end]) for end in ("start", "stop"))
    return (
        start,
        stop,
        1 if step is None else _read_number(step),
        int(match["num"] or 0),
        match["log"] is not None,
    )


def _read_number(text: str) -> int | float:
    return float(text) if any(mark in text for mark in ".eE") else int(text)


def _hint_of_step(*, log: bool) -> str:
    return (
        "A logarithmic range is told how many numbers it has: 1e-5_1e-1:5.log" if log else "A step is not 0."
    )

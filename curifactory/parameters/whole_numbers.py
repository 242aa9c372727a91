"""Whole numbers that are written with a point or an exponent, where an int is declared: ``1e1``, ``1.0``."""

from __future__ import annotations

# From here on there are whole numbers that no float is, so that which one was written is not known any more.
_FIRST_UNSURE = 2.0**53
_MOST_DIGITS = 309


def read_whole(text: str) -> int | None:
    """Return the int that a decimal number is, exactly; None if it has a fraction, or is no such number.

    Examples
    --------
    >>> (
    ...     read_whole("1e1"),
    ...     read_whole("1.50e1"),
    ...     read_whole("1e23") == 10**23,
    ...     read_whole("1.5"),
    ...     read_whole("ten"),
    ... )
    (10, 15, True, None, None)
    """
    from decimal import Decimal, InvalidOperation

    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite() or number.adjusted() >= _MOST_DIGITS:
        return None
    whole = number.to_integral_value()
    return int(whole) if whole == number else None


def whole_of(number: float) -> int | None:
    """Return the int that a float is; None if it has a fraction, or is so large that another int has the same float.

    Examples
    --------
    >>> whole_of(10.0), whole_of(10.5), whole_of(1e23), whole_of(float("inf"))
    (10, None, None, None)
    """
    return int(number) if abs(number) < _FIRST_UNSURE and number.is_integer() else None

"""What is said of a value can be said of every value."""

from __future__ import annotations

import math

from curifactory.engine.describe import summary


def test_a_number_of_which_python_does_not_write_the_digits_has_a_summary() -> None:
    assert summary(math.factorial(3000)) == "30332 bits"
    assert summary(-(10**40)) == "-" + "1" + "0" * 38

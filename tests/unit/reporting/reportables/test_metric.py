import math

import pytest

from curifactory.errors import ReportError
from curifactory.reporting import MetricReporter


def data_of(*args, **kwargs):
    return MetricReporter(*args, **kwargs).to_fragment(".", "metric").data


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.94117647, "0.9412"),
        (12.5, "12.5"),
        (3, "3"),
        (100, "100"),
        (3.0, "3"),
        (1.5e-7, "1.500e-07"),
        (math.inf, "inf"),
    ],
)
def test_a_number_is_short_and_its_digits_are_kept(value, text):
    data = data_of(value)
    assert (data["text"], data["exact"]) == (text, repr(value))


@pytest.mark.parametrize(
    ("name", "better", "value", "change", "verdict"),
    [
        ("accuracy", None, 0.9, "+0.4", "better"),
        ("accuracy", None, 0.25, "−0.25", "worse"),
        ("loss", None, 0.25, "−0.25", "better"),
        ("flowers", None, 0.9, "+0.4", ""),
        ("flowers", "lower", 0.9, "+0.4", "worse"),
        ("accuracy", "", 0.9, "+0.4", ""),
        ("accuracy", None, 0.5, "±0", ""),
        ("accuracy", None, math.nan, "±nan", ""),
    ],
)
def test_it_is_compared_in_its_direction(name, better, value, change, verdict):
    data = data_of(value, name=name, baseline=0.5, better=better)
    assert (data["change"], data["verdict"], data["baseline"]) == (change, verdict, "0.5")


def test_what_is_no_number_is_refused():
    with pytest.raises(ReportError, match="was given 'high', which is no number"):
        data_of("high")
    with pytest.raises(ReportError, match="better='bigger'"):
        data_of(1, better="bigger")

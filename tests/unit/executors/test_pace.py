import pytest

from curifactory.executors.executor import Job
from curifactory.executors.pace import Pace

PLAIN = Job(number=1, payload=b"")


def pace_after(*times):
    pace = Pace(0.1, cores=2)
    for each in times:
        pace.note(each)
    return pace


def test_nothing_goes_ahead_before_enough_is_known():
    assert not pace_after(*[0.0] * 4).lets_ahead(PLAIN, beside=[])
    assert pace_after(*[0.0] * 5).lets_ahead(PLAIN, beside=[])


def test_only_the_latest_jobs_count_and_one_slow_one_does_not():
    assert pace_after(*[9.0] * 9, 0.0, 0.0, 9.0, 0.0, 0.0).lets_ahead(PLAIN, beside=[])
    assert not pace_after(*[0.0] * 9, 9.0, 9.0, 9.0).lets_ahead(PLAIN, beside=[])


def test_what_was_is_forgotten():
    pace = pace_after(*[0.0] * 5)
    pace.forget()
    assert not pace.lets_ahead(PLAIN, beside=[])


@pytest.mark.parametrize(
    "needs", [{"threads": 2}, {"memory_bytes": 1}, {"resources": {"gpu": 1}}, {"timeout_s": 1.0}]
)
def test_what_needs_more_than_a_core_neither_goes_ahead_nor_has_others_behind_it(needs):
    special, pace = Job(number=2, payload=b"", **needs), pace_after(*[0.0] * 5)
    assert not pace.lets_ahead(special, beside=[PLAIN])
    assert not pace.lets_ahead(PLAIN, beside=[PLAIN, special])

"""What was logged last is the same in whatever order calls end, and what was taken back is not there."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from curifactory.core.events import MetricLogged
from curifactory.core.last_metrics import LastMetrics

NOW = datetime(2026, 11, 21, tzinfo=UTC)
NAMES = st.sampled_from(["loss", "depth"])
LOGGED = st.tuples(
    st.integers(0, 2), st.sampled_from([None, 0, 1, 2, 3]), st.sampled_from(["", "val"]), NAMES
)


def log(last, each, value):
    record, call, kind, name = each
    last.keep(MetricLogged(record, call, kind, {name: value}, None, None, NOW))


@given(
    logged=st.lists(LOGGED, max_size=12),
    order=st.permutations([None, 0, 1, 2, 3]),
    retracted=st.sets(st.integers(0, 3)),
)
def test_calls_end_in_any_order_and_those_that_are_taken_back_leave_nothing(logged, order, retracted):
    numbered = list(enumerate(logged))
    # In which order calls end, and what each has logged in its own order.
    last = LastMetrics()
    for call in order:
        for value, each in numbered:
            if each[1] == call:
                log(last, each, value)
    for call in retracted:
        last.forget(call)
    kept = [(value, each) for value, each in numbered if each[1] not in retracted]
    kept.sort(key=lambda pair: -1 if pair[1][1] is None else pair[1][1])
    for record in range(3):
        expected = {}
        for value, (of, _, kind, name) in kept:
            if of == record:
                expected.pop((kind, name), None)
                expected[kind, name] = value
        assert last.of(record) == expected
    assert last.records == sorted({each[0] for _, each in kept})
    assert set(last.names) == {each[3] for _, each in kept}


def test_metrics_stand_in_the_order_of_the_calls_that_logged_them_last():
    last = LastMetrics()
    log(last, (0, 3, "", "depth"), 3.0)
    log(last, (0, 3, "", "loss"), 1.0)
    log(last, (0, 0, "", "accuracy"), 0.5)
    log(last, (0, 0, "", "loss"), 2.0)
    assert list(last.of(0).items()) == [(("", "accuracy"), 0.5), (("", "depth"), 3.0), (("", "loss"), 1.0)]

import json
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from curifactory.core.events import MetricLogged
from curifactory.store.metric_lines import encode_lines, iter_loggings

START = datetime.fromisoformat("2026-11-21T10:15:00.120+01:00")
NUMBERS = st.floats(allow_nan=False) | st.integers(-(2**53), 2**53)
LOGGINGS = st.builds(
    MetricLogged,
    record=st.integers(0, 2),
    call=st.none() | st.integers(0, 2),
    type=st.sampled_from(["", "train", "größe"]),
    # In one order: names in another one are the same names, see below.
    values=st.dictionaries(st.sampled_from(["loss", "accuracy", "</script>"]), NUMBERS, min_size=1).map(
        lambda values: dict(sorted(values.items()))
    ),
    step=st.none() | st.integers(0, 1000),
    epoch=st.none() | st.integers(0, 9),
    at=st.integers(0, 10_000).map(lambda ms: START + timedelta(milliseconds=ms)),
)


def by_key(loggings):
    found = {}
    for each in loggings:
        found.setdefault((each.record, each.call, each.type, tuple(each.values)), []).append(each)
    return found


@given(st.lists(LOGGINGS, max_size=20))
def test_what_was_logged_is_read_back(batch):
    batch.sort(key=lambda each: each.at)
    told = [each for line in encode_lines(batch) for each in iter_loggings(json.loads(line.text))]
    assert by_key(told) == by_key(batch)


def test_records_may_be_written_under_other_numbers():
    batch = [
        MetricLogged(7, 1, "", {"n": 1.0}, None, None, START),
        MetricLogged(8, 1, "", {"n": 2.0}, None, None, START),
    ]
    lines = encode_lines(batch, records={7: 0})
    assert [json.loads(line.text)["record"] for line in lines] == [0, 8]
    assert [line.key[0] for line in lines] == [7, 8]


def test_numbers_that_json_has_no_words_for_are_read_back():
    batch = [
        MetricLogged(0, 1, "", {"n": value}, None, None, START)
        for value in (float("nan"), float("inf"), -float("inf"))
    ]
    (line,) = encode_lines(batch)
    assert [repr(each.values["n"]) for each in iter_loggings(json.loads(line.text))] == ["nan", "inf", "-inf"]


def test_names_in_another_order_are_the_same_names_and_others_are_not():
    same = [
        MetricLogged(0, 1, "", {"a": 1.0, "b": 2.0}, 1, None, START),
        MetricLogged(0, 1, "", {"b": 4.0, "a": 3.0}, 2, None, START),
    ]
    (line,) = encode_lines(same)
    assert line.columns == {"a": [1.0, 3.0], "b": [2.0, 4.0]}
    assert list(iter_loggings(json.loads(line.text))) == same
    other = [*same, MetricLogged(0, 1, "", {"a": 5.0, "c": 6.0}, 3, None, START)]
    assert [line.loggings for line in encode_lines(other)] == [1, 1, 1]
    assert encode_lines([]) == []

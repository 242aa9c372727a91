from datetime import UTC, datetime

from curifactory.core.events import EventStream, MetricLogged, RunPlanned, Warned

NOW = datetime(2026, 11, 21, tzinfo=UTC)


class Choosy:
    """A listener that says which of its callables takes what."""

    def __init__(self):
        self.taken = []
        self.asked = []

    def __call__(self, event):
        raise AssertionError("it has said what takes this")

    def handler_of(self, kind):
        self.asked.append(kind)
        return self.taken.append if kind is Warned else None


def test_a_listener_may_take_some_kinds_only_and_is_asked_once():
    stream, choosy, all_of_it = EventStream(), Choosy(), []
    stream.subscribe(all_of_it.append)
    stream.subscribe(choosy)
    for _ in range(3):
        stream.emit(RunPlanned(calls=3, to_run=1))
        stream.emit(Warned("low disk", NOW))
    assert choosy.asked == [RunPlanned, Warned]
    assert choosy.taken == [Warned("low disk", NOW)] * 3
    assert len(all_of_it) == 6


def test_a_listener_of_one_kind_is_given_no_other():
    stream, warnings = EventStream(), []
    stream.subscribe(warnings.append, only=Warned)
    stream.emit(RunPlanned(calls=3, to_run=1))
    stream.emit(Warned("low disk", NOW))
    assert warnings == [Warned("low disk", NOW)]


def test_listeners_come_between_events():
    stream, first, second = EventStream(), [], []
    stream.subscribe(first.append)
    stream.emit(Warned("one", NOW))
    stream.subscribe(second.append)
    stream.emit(Warned("two", NOW))
    assert [event.text for event in first] == ["one", "two"]
    assert [event.text for event in second] == ["two"]


def test_a_logged_metric_is_a_tuple_of_its_parts():
    event = MetricLogged(0, None, "train", {"loss": 0.5}, 3, None, NOW)
    assert (event.record, event.values["loss"], event[4], event[6]) == (0, 0.5, 3, NOW)

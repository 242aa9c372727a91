"""Metrics: what is logged is read back, and little is written for it."""

import json
import math
import os
import threading
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curifactory.core.events import MetricLogged
from curifactory.errors import StoreError
from curifactory.store.clock import Clock
from curifactory.store.journal import read_journal
from curifactory.store.metrics import read_series
from curifactory.store.metrics_writer import BATCH, MetricsWriter

NOW = datetime(2026, 11, 21, 10, 15, 0, 123456, tzinfo=timezone(timedelta(hours=1)))


def log(*values, name="loss", record=0, call=3, kind="train", step=None, epoch=None, after_s=0.0):
    at = NOW + timedelta(seconds=after_s)
    return [MetricLogged(record, call, kind, {name: value}, step, epoch, at) for value in values]


@pytest.fixture
def writer(tmp_path):
    clock = Clock(lambda: None)
    writer = MetricsWriter(tmp_path / "metrics.jsonl", clock=clock)
    yield writer
    writer.close()
    clock.stop()


def series_after(writer, events, tmp_path):
    for event in events:
        writer.add(event)
    writer.flush()
    return read_series(read_journal(tmp_path / "metrics.jsonl"))


def test_a_single_logging_is_written_as_it_was(writer, tmp_path):
    writer.add(MetricLogged(0, 3, "train", {"loss": 0.5, "n": 7}, 7, None, NOW))
    writer.flush()
    assert json.loads((tmp_path / "metrics.jsonl").read_text()) == {
        "record": 0,
        "call": 3,
        "type": "train",
        "step": 7,
        "epoch": None,
        "at": "2026-11-21T10:15:00.123+01:00",
        "values": {"loss": 0.5, "n": 7},
    }


def test_many_loggings_are_one_line_of_columns(writer, tmp_path):
    for step in range(5):
        (event,) = log(step / 2, step=step, after_s=step / 100)
        writer.add(event)
    writer.flush()
    assert json.loads((tmp_path / "metrics.jsonl").read_text()) == {
        "record": 0,
        "call": 3,
        "type": "train",
        "steps": [0, 1, 2, 3, 4],
        "epochs": None,
        "at": "2026-11-21T10:15:00.123+01:00",
        "after_ms": [0, 10, 20, 30, 40],
        "columns": {"loss": [0.0, 0.5, 1.0, 1.5, 2.0]},
    }


def test_series_are_told_apart_by_record_call_type_and_name(writer, tmp_path):
    events = [
        *log(1.0, 2.0),
        *log(3.0, record=1),
        *log(4.0, call=None),
        *log(5.0, kind="val"),
        *log(6.0, name="acc"),
        *log(7.0),
    ]
    series = series_after(writer, events, tmp_path)
    assert [(each.record, each.call, each.type, each.name, each.values) for each in series] == [
        (0, 3, "train", "loss", [1.0, 2.0, 7.0]),
        (1, 3, "train", "loss", [3.0]),
        (0, None, "train", "loss", [4.0]),
        (0, 3, "val", "loss", [5.0]),
        (0, 3, "train", "acc", [6.0]),
    ]


def test_a_series_goes_on_over_lines_of_both_shapes(writer, tmp_path):
    series_after(writer, log(1.0, step=1), tmp_path)
    series_after(writer, log(2.0, 3.0, epoch=1, after_s=0.5), tmp_path)
    (series,) = series_after(writer, log(4.0, step=4, after_s=1.5), tmp_path)
    assert series.values == [1.0, 2.0, 3.0, 4.0]
    assert series.steps == [1, None, None, 4]
    assert series.epochs == [None, 1, 1, None]
    assert series.after_s == pytest.approx([0.0, 0.5, 0.5, 1.5])
    assert series.started_at == NOW.replace(microsecond=123000)
    assert series.last == 4.0


@given(st.lists(st.floats(width=64) | st.integers(-(2**60), 2**60), min_size=1, max_size=30))
def test_every_number_comes_back_equal(values):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        clock = Clock(lambda: None)
        writer = MetricsWriter(Path(folder) / "metrics.jsonl", clock=clock)
        (series,) = series_after(writer, log(*values), Path(folder))
        writer.close()
        clock.stop()
    assert [str(value) for value in series.values] == [str(value) for value in values]


def test_numbers_of_numpy_come_back_as_plain_ones(writer, tmp_path):
    (series,) = series_after(writer, log(np.float32(0.5), np.int64(3), np.float64("inf"), True), tmp_path)
    assert series.values == [0.5, 3, math.inf, 1]
    assert {type(value) for value in series.values} <= {float, int}


def test_facts_are_the_last_the_least_and_the_greatest(writer, tmp_path):
    series_after(writer, log(3.0, 1.0, 2.0), tmp_path)
    series_after(writer, log(float("nan"), 2.5), tmp_path)
    series_after(writer, log(float("nan"), name="bad"), tmp_path)
    assert {fact.name: fact[3:] for fact in writer.get_facts()} == {
        "loss": (2.5, 1.0, 3.0),
        "bad": (None, None, None),
    }


def test_a_loop_of_training_costs_less_than_45_bytes_a_step_and_waits_in_batches(writer, tmp_path):
    steps = 20_000
    waiting = 0
    for step in range(steps):
        (event,) = log(math.sin(step), step=step, after_s=step * 1e-5)
        writer.add(event)
        waiting = max(waiting, len(writer._waiting))
    writer.flush()
    assert os.path.getsize(tmp_path / "metrics.jsonl") / steps <= 45
    assert waiting <= BATCH
    (series,) = read_series(read_journal(tmp_path / "metrics.jsonl"))
    assert series.values == [math.sin(step) for step in range(steps)]
    assert series.steps == list(range(steps))


def test_threads_that_log_at_once_lose_nothing(tmp_path):
    clock = Clock(lambda: None)
    writer = MetricsWriter(tmp_path / "metrics.jsonl", clock=clock)

    def work(record):
        for step in range(3000):
            writer.add(MetricLogged(record, 0, "train", {"loss": 0.5}, step, None, NOW))

    threads = [threading.Thread(target=work, args=(record,)) for record in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    clock.stop()
    series = read_series(read_journal(tmp_path / "metrics.jsonl"))
    assert sorted(sorted(each.steps) == list(range(3000)) for each in series) == [True] * 4


def test_the_clock_writes_what_waits_although_nothing_more_happens(tmp_path):
    wrote = threading.Event()
    clock = Clock(lambda: writer.flush_quietly())  # noqa: PLW0108 - the writer is made after its clock
    writer = MetricsWriter(tmp_path / "metrics.jsonl", clock=clock, wrote=lambda key, count: wrote.set())
    writer.add(log(1.0)[0])
    assert wrote.wait(30)
    assert len(read_journal(tmp_path / "metrics.jsonl")) == 1
    wrote.clear()
    writer.add(log(2.0)[0])
    assert wrote.wait(30)
    clock.stop()
    writer.close()


def test_an_error_of_the_clock_is_raised_where_the_next_metric_is_logged(tmp_path):
    (tmp_path / "metrics.jsonl").mkdir()
    clock = Clock(lambda: None)
    writer = MetricsWriter(tmp_path / "metrics.jsonl", clock=clock)
    writer.add(log(1.0)[0])
    writer.flush_quietly()
    with pytest.raises(StoreError, match="metrics"):
        writer.add(log(2.0)[0])
    clock.stop()

"""Takes what is logged in a fraction of a microsecond, and writes it into `metrics.jsonl` in batches."""

from __future__ import annotations

import math
import os
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from curifactory.core.events import MetricLogged
from curifactory.store.clock import Clock
from curifactory.store.journal import Journal, encode
from curifactory.store.metrics import MetricFacts, Values, extend_facts

BATCH = 1000

_MILLISECOND = timedelta(milliseconds=1)

Key = tuple[int, int | None, str, tuple[str, ...]]


class MetricsWriter:
    """Takes logged metrics in a fraction of a microsecond and writes them when the clock strikes.

    Parameters
    ----------
    path : Path
        The file.
    clock : Clock
        Its strike must lead to :meth:`flush_quietly`.
    wrote : callable, optional
        Told of each batch: record, call, type and names, and how many loggings.
    """

    def __init__(self, path: Path, *, clock: Clock, wrote: Callable[[Key, int], None] | None = None) -> None:
        self._journal = Journal(path)
        self._clock = clock
        self._wrote = wrote
        self._waiting: deque[MetricLogged] = deque()
        self._turn = threading.Lock()
        self._facts: dict[tuple[int, str, str], Values] = {}
        self._error: Exception | None = None
        self._process = os.getpid()

    def add(self, event: MetricLogged) -> None:
        """Take one event.

        Raises
        ------
        StoreError
            If an earlier one could not be written.
        """
        self._waiting.append(event)
        if not self._clock.is_set:
            self._clock.set()
        if len(self._waiting) >= BATCH or self._error is not None:
            self.flush()

    def flush(self) -> None:
        """Write all that waits.

        Raises
        ------
        StoreError
            If it cannot be written, now or when the clock struck.
        """
        if self._process != os.getpid():
            # A forked child has a copy of what its parent will write.
            self._waiting.clear()
            return
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        with self._turn:
            batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if not batch:
                return
            try:
                self._write(batch)
            except KeyboardInterrupt:
                self._waiting.extendleft(reversed(batch))
                raise

    def flush_quietly(self) -> None:
        """Write all that waits; an error is kept and raised when the next metric is taken."""
        try:
            self.flush()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised in the thread that logs
            self._error = error

    def close(self) -> None:
        """Write all that waits and close the file; a later metric opens it again.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        try:
            self.flush()
        finally:
            self._journal.close()

    def get_facts(self) -> list[MetricFacts]:
        """Return last, least and greatest value of each metric that has been written."""
        return [MetricFacts(*key, *values) for key, values in self._facts.items()]

    def _write(self, batch: list[MetricLogged]) -> None:
        groups: dict[Key, list[MetricLogged]] = {}
        for event in batch:
            key = (event.record, event.call, event.type, tuple(event.values))
            groups.setdefault(key, []).append(event)
        lines = []
        for key, events in groups.items():
            columns = {name: [event.values[name] for event in events] for name in key[3]}
            lines.append(encode(_line(key, events, columns), use_msgspec=len(events) > 100))
            for name, values in columns.items():
                fact = (key[0], name, key[2])
                self._facts[fact] = extend_facts(self._facts.get(fact), values)
        self._journal.write(b"\n".join(lines) + b"\n")
        if self._wrote is not None:
            for key, events in groups.items():
                self._wrote(key, len(events))


def _line(key: Key, events: list[MetricLogged], columns: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    record, call, kind, _ = key
    first = events[0]
    line: dict[str, Any] = {"record": record, "call": call, "type": kind}
    at = first.at.isoformat(timespec="milliseconds")
    if len(events) == 1:
        values = {name: _number(value) for name, value in first.values.items()}
        return line | {"step": first.step, "epoch": first.epoch, "at": at, "values": values}
    start = first.at.replace(microsecond=first.at.microsecond // 1000 * 1000)
    steps = [event.step for event in events]
    epochs = [event.epoch for event in events]
    return line | {
        "steps": steps if any(step is not None for step in steps) else None,
        "epochs": epochs if any(epoch is not None for epoch in epochs) else None,
        "at": at,
        "after_ms": [(event.at - start) // _MILLISECOND for event in events],
        "columns": {name: list(map(_number, values)) for name, values in columns.items()},
    }


def _number(value: float) -> float | str:
    """Return a number as JSON can say it; a whole one stays whole."""
    if type(value) is not float:
        if type(value) is int:
            return value
        value = float(value)
    if value - value == 0.0:
        return value
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"

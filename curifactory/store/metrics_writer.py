"""Takes what is logged in a fraction of a microsecond, and writes it into `metrics.jsonl` in batches."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from curifactory.core.events import MetricLogged
from curifactory.store.clock import Clock
from curifactory.store.journal import Journal
from curifactory.store.metric_lines import Key, encode_lines
from curifactory.store.metrics import MetricFacts, Values, extend_facts

BATCH = 1000


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
        lines = encode_lines(batch)
        for line in lines:
            for name, values in line.columns.items():
                fact = (line.key[0], name, line.key[2])
                self._facts[fact] = extend_facts(self._facts.get(fact), values)
        self._journal.write(b"\n".join([line.text for line in lines]) + b"\n")
        if self._wrote is not None:
            for line in lines:
                self._wrote(line.key, line.loggings)

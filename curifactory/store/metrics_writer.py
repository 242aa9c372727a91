"""Takes what is logged in a fraction of a microsecond, and writes it into `metrics.jsonl` in batches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from curifactory.core.events import MetricLogged
from curifactory.store.clock import Clock
from curifactory.store.journal import encode_lines as encode_journal
from curifactory.store.journal import read_journal
from curifactory.store.metric_lines import Key, encode_lines
from curifactory.store.metrics import MetricFacts, Values, extend_facts, read_metric_facts, read_series
from curifactory.store.rows import retraction_line
from curifactory.store.waiting_events import WaitingEvents

BATCH = 1000


class MetricsWriter(WaitingEvents):
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

    __slots__ = ("_facts", "_has_retracted", "_path", "_wrote")

    # Of anything else a part may have been written, and counted.
    _tried_again = KeyboardInterrupt

    def __init__(self, path: Path, *, clock: Clock, wrote: Callable[[Key, int], None] | None = None) -> None:
        super().__init__(path, clock=clock)
        self._wrote = wrote
        self._facts: dict[tuple[int, str, str], Values] = {}
        self._path = path
        self._has_retracted = False

    def add(self, event: MetricLogged) -> None:
        """Take one event.

        Raises
        ------
        StoreError
            If an earlier one could not be written.
        """
        waiting = self._waiting
        waiting.append(event)
        if not self._clock.is_set:
            self._clock.set()
        if len(waiting) >= BATCH or self._error is not None:
            self.flush()

    def retract(self, call: int) -> None:
        """Note that what a call has logged so far does not count.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        self.flush()
        self._journal.write(encode_journal([retraction_line(call)]))
        self._has_retracted = True

    def get_facts(self) -> list[MetricFacts]:
        """Return last, least and greatest value of each metric that has been written."""
        if self._has_retracted:
            # What was counted along with the others is found by counting anew.
            return read_metric_facts(read_series(read_journal(self._path)))
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

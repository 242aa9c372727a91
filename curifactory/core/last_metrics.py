"""The last value of each metric of a run's records."""

from __future__ import annotations

from collections.abc import Collection

from curifactory.core.events import MetricLogged


class LastMetrics:
    """Keeps what was logged last, call by call: calls may end in any order, and what one has logged may be taken back.

    Examples
    --------
    >>> from datetime import datetime
    >>> last = LastMetrics()
    >>> for call, loss in ((2, 0.25), (1, 0.5), (3, 9.0)):
    ...     last.keep(MetricLogged(0, call, "val", {"loss": loss}, None, None, datetime.now()))
    >>> last.forget(3)
    >>> last.of(0), last.names
    ({('val', 'loss'): 0.25}, {'loss'})
    """

    __slots__ = ("_by_record",)

    def __init__(self) -> None:
        self._by_record: dict[int, dict[tuple[int, str], dict[str, float]]] = {}

    def keep(self, event: MetricLogged) -> None:
        """Keep what was logged."""
        logged = self._by_record.get(event.record)
        if logged is None:
            logged = self._by_record[event.record] = {}
        # What the person logs outside of a call comes before all calls.
        source = (-1 if event.call is None else event.call, event.type)
        values = logged.get(source)
        if values is None:
            values = logged[source] = {}
        values.update(event.values)

    def forget(self, call: int) -> None:
        """Forget what a call has logged."""
        for logged in self._by_record.values():
            for source in [source for source in logged if source[0] == call]:
                del logged[source]

    @property
    def records(self) -> list[int]:
        """Indices of the records that have logged something, in order."""
        return sorted(record for record, logged in self._by_record.items() if logged)

    @property
    def names(self) -> Collection[str]:
        """Names of all metrics, whatever their type."""
        return {name for logged in self._by_record.values() for values in logged.values() for name in values}

    def of(self, record: int) -> dict[tuple[str, str], float]:
        """Return the last value of each metric of a record by type and name, in the order of the calls that logged it last."""
        logged = self._by_record.get(record, {})
        last: dict[tuple[str, str], float] = {}
        for source in sorted(logged, key=_call_of):
            for name, value in logged[source].items():
                metric = (source[1], name)
                last.pop(metric, None)
                last[metric] = value
        return last


def _call_of(source: tuple[int, str]) -> int:
    return source[0]

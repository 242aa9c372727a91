"""Events that become lines of a journal: at once when they come slowly, together when they come by the hundred."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from curifactory.store.clock import Clock
from curifactory.store.waiting_events import WaitingEvents

# Faster than this nobody reads them, and a write for each would cost as much as a tiny call.
_PAUSE_S = 0.01
_MOST_WAITING = 500


class EventLines(WaitingEvents):
    """Writes a line for each event.

    An event that comes alone is with the operating system when :meth:`add` returns. Those that follow within 10 ms wait for the
    clock, 0.2 s at most.

    Parameters
    ----------
    path : Path
        The journal.
    clock : Clock
        Its strike must lead to :meth:`flush_quietly`.
    to_row : callable
        Turns an event into the JSON values of its line.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     clock = Clock(lambda: None)
    ...     lines = EventLines(Path(folder, "n.jsonl"), clock=clock, to_row=lambda n: {"n": n})
    ...     for n in range(2):
    ...         lines.add(n)
    ...     lines.close()
    ...     clock.stop()
    ...     Path(folder, "n.jsonl").read_text().split()
    ['{"n":0}', '{"n":1}']
    """

    __slots__ = ("_to_row", "_written_s")

    def __init__(self, path: Path, *, clock: Clock, to_row: Callable[[Any], Mapping[str, Any]]) -> None:
        super().__init__(path, clock=clock)
        self._to_row = to_row
        self._written_s = 0.0

    def add(self, event: Any) -> None:
        """Take one event.

        Raises
        ------
        StoreError
            If it, or an earlier one, cannot be written.
        """
        # What waits are bytes: objects that waited would be looked through for garbage again and again.
        self._waiting.append(self._journal.encode_line(self._to_row(event)))
        if (
            time.monotonic() - self._written_s > _PAUSE_S
            or len(self._waiting) >= _MOST_WAITING
            or self._error is not None
        ):
            self.flush()
        elif not self._clock.is_set:
            self._clock.set()

    def _write(self, batch: list[bytes]) -> None:
        self._journal.write(b"".join(batch))
        self._written_s = time.monotonic()

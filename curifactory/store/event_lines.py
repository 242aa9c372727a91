"""Events that become lines of a journal: at once when they come slowly, together when they come by the hundred."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from curifactory.store.clock import Clock
from curifactory.store.journal import LINES_WORTH_AN_IMPORT
from curifactory.store.waiting_events import WaitingEvents

# Faster than this nobody reads them, and a write for each would cost as much as a tiny call.
_PAUSE_S = 0.01
# Encoded together they take half of the time; more of them would be looked through for garbage again and again.
_MOST_WAITING = 50


# Turns events into JSON lines, each with its end.
Encode = Callable[[list[Any]], bytes]


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
    encode : Encode
        Turns the events that waited into their lines. They have to be what they were when they came.
    at_many : callable, optional
        Called once there have been very many lines: a run that is so large has a great deal to write beside them.

    Examples
    --------
    >>> import tempfile
    >>> from curifactory.store.journal import encode_lines
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     clock = Clock(lambda: None)
    ...     lines = EventLines(Path(folder, "n.jsonl"), clock=clock, encode=encode_lines)
    ...     for n in range(2):
    ...         lines.add({"n": n})
    ...     lines.close()
    ...     clock.stop()
    ...     Path(folder, "n.jsonl").read_text().split()
    ['{"n":0}', '{"n":1}']
    """

    __slots__ = ("_at_many", "_encode", "_lines", "_written_s")

    def __init__(
        self, path: Path, *, clock: Clock, encode: Encode, at_many: Callable[[], None] | None = None
    ) -> None:
        super().__init__(path, clock=clock)
        self._encode = encode
        self._at_many = at_many
        self._lines = 0
        self._written_s = 0.0

    def add(self, event: Any) -> None:
        """Take one event.

        Raises
        ------
        StoreError
            If it, or an earlier one, cannot be written.
        """
        waiting = self._waiting
        waiting.append(event)
        if (
            time.monotonic() - self._written_s > _PAUSE_S
            or len(waiting) >= _MOST_WAITING
            or self._error is not None
        ):
            self.flush()
        elif not self._clock.is_set:
            self._clock.set()

    def _write(self, batch: list[Any]) -> None:
        self._lines += len(batch)
        if self._at_many is not None and self._lines > LINES_WORTH_AN_IMPORT:
            at_many, self._at_many = self._at_many, None
            # It only makes quicker what is done without it as well.
            with suppress(Exception):
                at_many()
        try:
            lines = self._encode(batch)
        except Exception:  # noqa: BLE001 - whatever it is, it is told when all others are written
            lines = b"".join(map(self._encode_alone, batch))
        self._journal.write(lines)
        self._written_s = time.monotonic()

    def _encode_alone(self, event: Any) -> bytes:
        """Encode one event; of one that cannot be encoded nothing is left but the error, so that no other waits for it."""
        try:
            return self._encode([event])
        except Exception as error:  # noqa: BLE001 - it is raised where the events come from
            self._error = error
            return b""

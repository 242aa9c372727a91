"""Events that wait to be written together, until there are many of them or the clock strikes."""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from collections import deque
from contextlib import suppress
from itertools import repeat, starmap
from pathlib import Path
from typing import Any, ClassVar

from curifactory.store.clock import Clock
from curifactory.store.journal import Journal


class WaitingEvents(ABC):
    """Keeps events for a journal and writes them in their order.

    Parameters
    ----------
    path : Path
        The journal.
    clock : Clock
        Its strike must lead to :meth:`flush_quietly`.
    """

    __slots__ = ("_clock", "_error", "_journal", "_process", "_turn", "_waiting")

    # After what sort of failure nothing of a batch has been written, so that it can be tried again.
    _tried_again: ClassVar[type[BaseException]] = BaseException

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self._journal = Journal(path)
        self._clock = clock
        self._waiting: deque[Any] = deque()
        self._turn = threading.RLock()
        self._error: Exception | None = None
        self._process = os.getpid()

    @abstractmethod
    def _write(self, batch: list[Any]) -> None:
        """Write events that have waited; an error that concerns only one of them is kept for who flushes."""

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
        with self._turn:
            self._raise_kept()
            batch: list[Any] = []
            # A signal's handler, or the end of an object, may flush in the midst of this.
            with suppress(IndexError):
                batch.extend(starmap(self._waiting.popleft, repeat((), len(self._waiting))))
            if not batch:
                return
            try:
                self._write(batch)
            except self._tried_again:
                self._waiting.extendleft(reversed(batch))
                raise
            self._raise_kept()

    def flush_quietly(self) -> None:
        """Write all that waits; an error is kept and raised when the next event is taken."""
        try:
            self.flush()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised where the events come from
            self._error = error

    def _raise_kept(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    def close(self) -> None:
        """Write all that waits and close the file; a later event opens it again.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        try:
            self.flush()
        finally:
            self._journal.close()

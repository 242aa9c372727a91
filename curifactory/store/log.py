"""A run's `log.txt`: one line that `grep` finds for each event and each message, with time and level."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from curifactory.core.events import Event
from curifactory.core.secrets import mask_text
from curifactory.errors import StoreError
from curifactory.store.clock import Clock
from curifactory.store.log_lines import DESCRIPTIONS
from curifactory.store.waiting_events import WaitingEvents

LOG_NAME = "log.txt"
_OURS = "curifactory"
# Made into lines together they take less time; more of them would be looked through for garbage again and again.
_MOST_WAITING = 50
_LOUD = frozenset(("WARNING", "ERROR", "CRITICAL"))


class RunLog(WaitingEvents):
    """Writes lines to the log of a run, secrets masked. What is said has to stay as it is: its line is made when it is written.

    Lines wait until the clock strikes; a warning or an error is written at once, with all that waited. A line that
    cannot be written is dropped: no run fails for its log.

    Parameters
    ----------
    path : Path
        The file; lines are added to it.
    clock : Clock
        Its strike must lead to :meth:`flush_quietly`.
    silent : bool
        Whether nothing is kept at all, as of a run that is to have no log.
    """

    __slots__ = ("_silent",)

    def __init__(self, path: Path, *, clock: Clock, silent: bool = False) -> None:
        super().__init__(path, clock=clock)
        self._silent = silent

    def add(self, said: str | Event, level: str = "INFO", *, at: float | None = None) -> None:
        """Add a line: a text or an event, said now or at a POSIX time; further lines of it are indented."""
        if self._silent:
            return
        waiting = self._waiting
        waiting.append((time.time() if at is None else at, level, said))
        if len(waiting) >= _MOST_WAITING or level in _LOUD:
            self.flush()
        elif not self._clock.is_set:
            self._clock.set()

    def _write(self, batch: list[tuple[float, str, str | Event]]) -> None:
        try:
            lines = format_lines(batch)
        except Exception:  # noqa: BLE001 - a line of which one part cannot be told holds back no other
            lines = [_line_of_any(*each) for each in batch]
        with contextlib.suppress(StoreError):
            self._journal.write("".join(lines).encode("utf-8", "backslashreplace"))


class RunLogHandler(logging.Handler):
    r"""Takes what is said through ``logging`` while a run goes on into its log.

    It listens at the logger ``curifactory`` and, for people's own messages, *above* the root logger, so that nobody
    else's logging changes: levels, filters, ``basicConfig`` and the printing of warnings where nothing was configured
    work as they do without it.

    Parameters
    ----------
    log : RunLog
        Where the messages go.
    takes : callable, optional
        Says of a record whether it goes into the log; all do if not given.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     clock = Clock(lambda: None)
    ...     log = RunLog(Path(folder) / "log.txt", clock=clock)
    ...     handler = RunLogHandler(log)
    ...     handler.attach()
    ...     logging.getLogger("people").error("no more flowers")
    ...     handler.detach()
    ...     log.close()
    ...     clock.stop()
    ...     (Path(folder) / "log.txt").read_text().endswith("ERROR    people: no more flowers\n")
    True
    """

    def __init__(self, log: RunLog, *, takes: Callable[[logging.LogRecord], bool] | None = None) -> None:
        super().__init__()
        self._log = log
        # No filter of the handler: Python would then believe that somebody has heard a warning that nobody shows.
        self._takes = takes

    def attach(self) -> None:
        """Begin to listen."""
        logging.getLogger(_OURS).addHandler(self)
        _above.addHandler(self)
        # A handler at the root itself would make a later `basicConfig` do nothing, silently.
        logging.getLogger().parent = _above

    def detach(self) -> None:
        """Stop listening; what was said stays."""
        logging.getLogger(_OURS).removeHandler(self)
        _above.removeHandler(self)
        if not _above.handlers and logging.getLogger().parent is _above:
            logging.getLogger().parent = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write one message; an exception's traceback follows it, indented."""
        # What `curifactory` says comes by twice, unless somebody keeps it from the loggers above.
        heard_by = record.__dict__.setdefault("_run_logs", [])
        if self in heard_by:
            return
        heard_by.append(self)
        if self._takes is None or self._takes(record):
            self._keep(record)
        if len(heard_by) == 1 and _is_unheard(record):
            last_resort = logging.lastResort
            if last_resort is not None and record.levelno >= last_resort.level:
                last_resort.handle(record)

    def _keep(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
            if record.exc_info and record.exc_info[0] is not None:
                formatter = self.formatter or _formatter
                text = f"{text}\n{formatter.formatException(record.exc_info)}"
        except Exception:  # noqa: BLE001 - the standard library's way with a message that does not fit its arguments
            self.handleError(record)
            return
        # Whoever has made the record may have put anything there.
        self._log.add(f"{record.name}: {text}", str(record.levelname), at=record.created)


def format_lines(batch: Sequence[tuple[float, str, str | Event]]) -> list[str]:
    r"""Return lines of the log with their ends; further lines of a text are indented and begin with ``|``.

    No text can look like a line of another event, and no control character reaches the terminal of who reads it. What
    people's code may have had a hand in is masked.

    Parameters
    ----------
    batch : sequence of (float, str, str or Event)
        When something was said, how loudly, and what.

    Examples
    --------
    >>> (line,) = format_lines([(1795252500.123, "ERROR", "train failed\nValueError: \x1b no")])
    >>> print(line[30:], end="")
    ERROR    train failed
        | ValueError: \x1b no
    """
    lines = []
    head, head_ms, head_level = "", -1, ""
    for at, level, said in batch:
        at_ms = int(at * 1000)
        if at_ms != head_ms or level != head_level:
            # Lines come by the dozen in one millisecond.
            head, head_ms, head_level = _head(at_ms, level), at_ms, level
        text: str = DESCRIPTIONS[said.__class__](said)
        # Of calm events every text is made here, from names and from values that were masked when they were noted.
        if level in _LOUD or isinstance(said, str):
            text = mask_text(text)
        if not text.isprintable():
            visible = ["".join(map(_visible, line)) for line in text.expandtabs().split("\n")]
            text = "\n    | ".join(visible)
        lines.append(f"{head}{text}\n")
    return lines


def _head(at_ms: int, level: str) -> str:
    """Return what a line begins with."""
    second, zone = _second(at_ms // 1000)
    level = level if level.isprintable() else "".join(map(_visible, level))
    return f"{second}.{at_ms % 1000:03d}{zone} {level:<8} "


def _line_of_any(at: float, level: str, said: str | Event) -> str:
    """Return a line also of what has no time that there is: it has that of this moment."""
    try:
        (line,) = format_lines([(at, level, said)])
    except Exception:  # noqa: BLE001 - no run fails for its log
        (line,) = format_lines([(time.time(), level, said if isinstance(said, str) else repr(type(said)))])
    return line


@lru_cache(maxsize=2)
def _second(at: int) -> tuple[str, str]:
    """Return date and time of a second, and the zone."""
    text = datetime.fromtimestamp(at, UTC).astimezone().isoformat()
    return text[:19], text[19:]


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def _is_unheard(record: logging.LogRecord) -> bool:
    """Say whether nobody but us took a message, so that Python would have printed a warning by itself."""
    logger: logging.Logger | None = (
        logging.getLogger(record.name) if record.name != "root" else logging.getLogger()
    )
    while logger is not None and logger is not _above:
        if not all(isinstance(handler, RunLogHandler) for handler in logger.handlers):
            return False
        logger = logger.parent if logger.propagate else None
    return True


_above = logging.Logger("curifactory above root")  # noqa: LOG001 - in nobody's tree, by design
_formatter = logging.Formatter()

"""The client of a Dask scheduler that runs already."""

from __future__ import annotations

import queue
import threading
from typing import Any

from curifactory.errors import ConfigurationError

# How long Dask tries to reach a scheduler, and after how long one that was reached should have said something.
_CONNECT_S = 10.0
_ANSWER_S = 20.0


def connect(distributed: Any, address: str) -> Any:
    """Return a client of a scheduler.

    Parameters
    ----------
    distributed : module
        The package ``distributed``.
    address : str
        ``HOST:PORT`` of the scheduler.

    Raises
    ------
    ConfigurationError
        If none answers there, not even after a while.
    """
    try:
        return _make_client(distributed, address)
    except (OSError, TimeoutError, ValueError) as error:
        raise ConfigurationError(
            f"No Dask scheduler answers at {address}: {error}.",
            hint="Start one with `dask scheduler`, or write --executor dask for a cluster of this machine's own.",
        ) from error


def _make_client(distributed: Any, address: str) -> Any:
    """Make a client beside this thread: Dask waits for ever for one who takes the connection and never says a word."""
    made: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def make() -> None:
        try:
            made.put(distributed.Client(address, timeout=_CONNECT_S))
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is told
            made.put(error)

    threading.Thread(target=make, name="curifactory-dask", daemon=True).start()
    try:
        client = made.get(timeout=_ANSWER_S)
    except queue.Empty:
        raise TimeoutError("somebody takes the connection and says nothing") from None
    if isinstance(client, BaseException):
        raise client
    return client

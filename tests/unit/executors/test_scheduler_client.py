"""A scheduler that runs already, or who is in its place."""

from __future__ import annotations

import socket

import pytest

from curifactory.errors import ConfigurationError
from curifactory.executors import scheduler_client


def test_who_takes_the_connection_and_says_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed", reason="distributed is not installed")
    monkeypatch.setattr(scheduler_client, "_ANSWER_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ConfigurationError, match=f"at {address}: somebody takes the connection and says"):
            scheduler_client.connect(distributed, address)


def test_an_address_that_is_none_is_told() -> None:
    distributed = pytest.importorskip("distributed", reason="distributed is not installed")
    with pytest.raises(ConfigurationError, match="missing port number"):
        scheduler_client.connect(distributed, "127.0.0.1")

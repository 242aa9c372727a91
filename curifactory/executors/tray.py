"""Messages laid out for another process, each of which can be taken back until it was taken."""

from __future__ import annotations

import socket
from contextlib import suppress

# What a system lets through in one piece; some let less through, and say so.
_LARGEST_BYTES = 1 << 15


class Tray:
    """Messages in their order, of which whoever asks first takes the next one, whole: the system sees to that.

    Parameters
    ----------
    taken_from : socket
        Of a pair of sockets that keep messages apart, the end at which they are taken. The tray owns it from now on.
    put_into : socket, optional
        The other end, in the process that lays messages out.

    Examples
    --------
    >>> tray = Tray.open()
    >>> tray.put(b"one"), tray.put(b"two"), tray.take(), tray.take(), tray.take()
    (True, True, b'one', b'two', None)
    >>> tray.close()
    """

    __slots__ = ("_put_into", "_taken_from")

    def __init__(self, taken_from: socket.socket, put_into: socket.socket | None = None) -> None:
        self._taken_from = taken_from
        self._put_into = put_into

    @classmethod
    def open(cls) -> Tray:
        """Return a tray on which nothing lies."""
        return cls(*socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))

    def fileno(self) -> int:
        """Return the descriptor at which messages are taken."""
        return self._taken_from.fileno()

    def put(self, message: bytes) -> bool:
        """Lay a message out; False if there is no room for it."""
        if self._put_into is None or len(message) > _LARGEST_BYTES:
            return False
        try:
            self._put_into.send(message, socket.MSG_DONTWAIT)
        except OSError:
            return False
        return True

    def take(self) -> bytes | None:
        """Return the next message, or None if there is none."""
        with suppress(BlockingIOError):
            return self._taken_from.recv(_LARGEST_BYTES, socket.MSG_DONTWAIT) or None
        return None

    def close(self) -> None:
        """Let go of our ends."""
        self._taken_from.close()
        if self._put_into is not None:
            self._put_into.close()

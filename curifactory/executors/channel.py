"""Messages between two processes of this machine, each in one piece."""

from __future__ import annotations

import socket
import struct

_LENGTH = struct.Struct("=Q")
_CHUNK_BYTES = 1 << 16


class Channel:
    """One end of a socket pair, over which bytes come out as they were put in.

    Parameters
    ----------
    end : socket
        Whose owner the channel is from now on.

    Attributes
    ----------
    is_over : bool
        Whether the other end is known to be closed.

    Examples
    --------
    >>> here, there = map(Channel, socket.socketpair())
    >>> here.send(b"one"), here.send(b"two"), here.close()
    (None, None, None)
    >>> there.receive(), there.take(), there.is_over
    (b'one', [b'two'], True)
    >>> there.close()
    """

    __slots__ = ("_begun", "_end", "is_over")

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._begun = bytearray()
        self.is_over = False

    def fileno(self) -> int:
        """Return the descriptor, for those that wait for many; below zero when it is closed."""
        return self._end.fileno()

    def send(self, message: bytes) -> None:
        """Send a message and wait until it is on its way.

        Raises
        ------
        OSError
            If nobody is there any more to read it.
        """
        length = _LENGTH.pack(len(message))
        if len(message) < _CHUNK_BYTES:
            self._end.sendall(length + message)
        else:
            self._end.sendall(length)
            self._end.sendall(message)

    def receive(self) -> bytes:
        """Return the next message, waiting for it.

        Raises
        ------
        EOFError
            If none comes any more.
        """
        while (message := self._next()) is None:
            self._read(0)
            if self.is_over:
                raise EOFError
        return message

    def take(self) -> list[bytes]:
        """Return all messages that have come, without waiting."""
        while not self.is_over:
            before = len(self._begun)
            try:
                self._read(socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            if len(self._begun) - before < _CHUNK_BYTES:
                break
        messages = []
        while (message := self._next()) is not None:
            messages.append(message)
        return messages

    def close(self) -> None:
        """Close this end; the other one is told."""
        self._end.close()

    def _read(self, flags: int) -> None:
        try:
            read = self._end.recv(_CHUNK_BYTES, flags)
        except ConnectionError:
            read = b""
        self.is_over = not read
        self._begun += read

    def _next(self) -> bytes | None:
        begun = self._begun
        if len(begun) < _LENGTH.size:
            return None
        end = _LENGTH.size + _LENGTH.unpack_from(begun)[0]
        if len(begun) < end:
            return None
        message = bytes(memoryview(begun)[_LENGTH.size : end])
        del begun[:end]
        return message

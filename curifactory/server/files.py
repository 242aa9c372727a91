"""Serves the files below one folder, for reading only."""

from __future__ import annotations

import os
import posixpath
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from curifactory.errors import ConfigurationError

LOOPBACK = "127.0.0.1"
_INDEX = "index.html"
_CHUNK_BYTES = 1 << 16
_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".gif": "image/gif",
    ".html": "text/html; charset=utf-8",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
_HEADERS = {
    "Cache-Control": "no-cache",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class FileServer(ThreadingHTTPServer):
    """A server of the files below one folder.

    It answers GET and HEAD and nothing else, lists no folder, and follows no link out of the folder. While it listens on
    loopback it answers only to names of this machine, so that no page from elsewhere can reach it by a name of its own.

    Parameters
    ----------
    folder : Path
        What is served.
    host : str
        Address to listen on.
    port : int
        Port to listen on; 0 takes one that is free.

    Raises
    ------
    ConfigurationError
        If nobody can listen there.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, FileServer(Path(folder), port=0) as server:
    ...     server.address.startswith("http://127.0.0.1:")
    True
    """

    daemon_threads = True
    allow_reuse_address = os.name == "posix"

    def __init__(self, folder: Path, *, host: str = LOOPBACK, port: int = 0) -> None:
        self.root = os.path.realpath(folder)
        self.host = host
        self.is_local = is_loopback(host)
        try:
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError) as error:
            raise ConfigurationError(
                f"Nobody can listen on {host}, port {port}: {getattr(error, 'strerror', None) or error}.",
                hint="Choose another with --port; --port 0 takes one that is free.",
            ) from error

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f"http://{self.host}:{self.server_address[1]}/"

    def find_file(self, target: str) -> str | None:
        """Return the file that a request means; None if there is none, or it lies outside.

        Parameters
        ----------
        target : str
            What stands behind GET.
        """
        try:
            path = unquote(urlsplit(target).path, errors="strict")
        except (UnicodeDecodeError, ValueError):
            return None
        parts = path.split("/")
        if "\0" in path or "\\" in path or any(part in ("..", ".") for part in parts):
            return None
        found = os.path.realpath(os.path.join(self.root, *[part for part in parts if part]))
        if os.path.isdir(found):
            if not path.endswith("/"):
                return None
            found = os.path.realpath(os.path.join(found, _INDEX))
        inside = found.startswith(self.root + os.sep)
        return found if inside and os.path.isfile(found) else None

    def is_folder(self, target: str) -> bool:
        """Say whether a request means a folder whose last ``/`` is missing."""
        path = urlsplit(target).path
        return not path.endswith("/") and self.find_file(f"{path}/") is not None

    def answers_to(self, name: str | None) -> bool:
        """Say whether a ``Host`` header names this server."""
        if not self.is_local:
            return True
        if name is None:
            return False
        host = urlsplit(f"//{name}").hostname or ""
        return host == "localhost" or is_loopback(host)


def is_loopback(host: str) -> bool:
    """Say whether an address reaches this machine only.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("0.0.0.0"), is_loopback("localhost")
    (True, False, True)
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Handler(BaseHTTPRequestHandler):
    server_version = "curifactory"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    server: FileServer

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with a code and a line; nothing that was asked comes back as markup."""
        status = HTTPStatus(code)
        if status is HTTPStatus.NOT_IMPLEMENTED:
            status = HTTPStatus.METHOD_NOT_ALLOWED
        body = f"{status.value} {status.phrase}\n".encode()
        self.close_connection = True
        self.send_response(status)
        self._send_headers("text/plain; charset=utf-8", len(body))
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the terminal is the person's."""

    def _answer(self, *, with_body: bool) -> None:
        if not self.server.answers_to(self.headers.get("Host")):
            self.send_error(HTTPStatus.FORBIDDEN)
            return
        found = self.server.find_file(self.path)
        if found is None:
            if self.server.is_folder(self.path):
                self._redirect(f"{posixpath.normpath(urlsplit(self.path).path).lstrip('/')}/")
                return
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        try:
            with open(found, "rb") as file:
                left = os.fstat(file.fileno()).st_size
                self.send_response(HTTPStatus.OK)
                self._send_headers(
                    _KINDS.get(os.path.splitext(found)[1].lower(), "application/octet-stream"), left
                )
                while with_body and left and (part := file.read(min(left, _CHUNK_BYTES))):
                    self.wfile.write(part)
                    left -= len(part)
        except PermissionError:
            self.send_error(HTTPStatus.FORBIDDEN)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _redirect(self, path: str) -> None:
        self.send_response(HTTPStatus.MOVED_PERMANENTLY)
        # With one slash in front it stays on this server, whatever the path begins with.
        self.send_header("Location", f"/{path}")
        self._send_headers("text/plain; charset=utf-8", 0)

    def _send_headers(self, kind: str, length: int) -> None:
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.end_headers()

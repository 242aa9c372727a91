"""S4: ``experiment reports`` serves loopback only unless asked, only below its folder, and for reading only."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from curifactory.server.files import FileServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Project

OUTSIDE = "not for others"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[FileServer]:
    """Give a server of a folder of reports, with things beside it that are nobody's business."""
    reports = tmp_path / "reports"
    for path in ("index.html", "iris_1/index.html", "iris_1/log.txt", "größe/x y.html"):
        (reports / path).parent.mkdir(parents=True, exist_ok=True)
        (reports / path).write_text(f"<p>{path}</p>")
    (reports / "_latest").symlink_to("iris_1")
    (tmp_path / "secret.txt").write_text(OUTSIDE)
    (tmp_path / "reports-of-others").mkdir()
    (tmp_path / "reports-of-others/index.html").write_text(OUTSIDE)
    (reports / "out.txt").symlink_to(tmp_path / "secret.txt")
    (reports / "away").symlink_to(tmp_path)
    (reports / "empty").mkdir()
    with FileServer(reports) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(
    server: FileServer, target: str, method: str = "GET", host: str | None = None, body: str | None = None
) -> tuple[int, str, dict[str, str]]:
    """Send a request just so, without anything made tidy on its way."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    if host != "":
        connection.putheader("Host", host or f"127.0.0.1:{server.server_address[1]}")
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(None if body is None else body.encode())
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text, {name.lower(): value for name, value in answer.getheaders()}


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/", "index.html"),
        ("/index.html?x=1#y", "index.html"),
        ("/iris_1/", "iris_1/index.html"),
        ("/_latest/", "iris_1/index.html"),
        ("/gr%C3%B6%C3%9Fe/x%20y.html", "größe/x y.html"),
        ("//index.html", "index.html"),
        ("/iris_1//log.txt", "iris_1/log.txt"),
    ],
)
def test_reports_are_there(served: FileServer, target: str, path: str) -> None:
    status, text, _ = ask(served, target)
    assert (status, text) == (200, f"<p>{path}</p>")


@pytest.mark.parametrize(
    "target",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/%2E%2E%2Fsecret.txt",
        "/iris_1/../../secret.txt",
        "/iris_1/%2e%2e/%2e%2e/secret.txt",
        "/..%5csecret.txt",
        "/..\\secret.txt",
        "/%252e%252e/secret.txt",
        "/....//secret.txt",
        "/./../secret.txt",
        "../secret.txt",
        "//etc/passwd",
        "/%2Fetc/passwd",
        "//../secret.txt",
        "/out.txt",
        "/away/secret.txt",
        "/away/reports-of-others/index.html",
        "/../reports-of-others/index.html",
        "/index.html%00.txt",
        "/%00",
        "/%ff%fe",
        "/%",
        "http://127.0.0.1/../secret.txt",
        "file:///etc/passwd",
        "*",
        "/empty/",
        "/empty",
        "/" + "a" * 5000,
        "/nowhere",
    ],
)
def test_nothing_else_is(served: FileServer, target: str) -> None:
    status, text, _ = ask(served, target)
    assert status == 404
    assert OUTSIDE not in text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "MKCOL", "CONNECT", "TRACE"])
def test_it_takes_nothing_in(served: FileServer, method: str, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert ask(served, "/index.html", method, body="<p>mine</p>")[0] == 405
    assert sorted(tmp_path.rglob("*")) == before
    assert ask(served, "/index.html")[1] == "<p>index.html</p>"


def test_head_has_the_headers_and_nothing_behind_them(served: FileServer) -> None:
    status, text, headers = ask(served, "/iris_1/log.txt", "HEAD")
    assert (status, text) == (200, "")
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-length"] == str(len("<p>iris_1/log.txt</p>"))


def test_a_folder_without_its_slash_leads_to_the_one_with_it(served: FileServer) -> None:
    status, _, headers = ask(served, "/iris_1")
    assert (status, headers["location"]) == (301, "/iris_1/")


@pytest.mark.parametrize("target", ["//evil.example/..", "//evil.example", "/\\evil.example"])
def test_no_request_is_led_to_another_server(served: FileServer, target: str) -> None:
    status, _, headers = ask(served, target)
    assert status == 404
    assert "location" not in headers


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8080", 200),
        ("127.0.0.1", 200),
        ("[::1]:8080", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("", 403),
    ],
)
def test_a_name_from_elsewhere_that_leads_here_is_refused(served: FileServer, host: str, status: int) -> None:
    assert ask(served, "/", host=host)[0] == status


def test_what_was_asked_does_not_come_back_as_markup(served: FileServer) -> None:
    _, text, headers = ask(served, "/%3Cscript%3E")
    assert text == "404 Not Found\n"
    assert headers["content-type"].startswith("text/plain")


def test_it_listens_on_loopback(served: FileServer) -> None:
    assert served.server_address[0] == "127.0.0.1"
    others = {
        address[4][0]
        for address in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
        if not str(address[4][0]).startswith("127.")
    }
    for address in others:
        with pytest.raises(OSError, match=r"refused|unreachable|timed out"):
            socket.create_connection((str(address), served.server_address[1]), timeout=5)


# --------------------------------------------------------------------------------------------------------- the command


def test_the_command_serves_until_ctrl_c(project: Project) -> None:
    project.write("reports/index.html", "<p>all runs</p>")
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "curifactory.cli.experiment", "reports", "--port", "0"],
        cwd=project.root,
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.fullmatch(r"serving http://127\.0\.0\.1:(\d+)/  \(Ctrl-C ends\)\n", line)
    assert found, line
    connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=10)
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"<p>all runs</p>"
    connection.close()
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")


def test_without_reports_there_is_nothing_to_serve(project: Project) -> None:
    done = project.experiment("reports", check=False)
    assert done.returncode == 2
    assert done.stderr == f"There are no reports in {project.root}/reports. Make one with: experiment NAME\n"


def test_a_port_that_is_taken_is_one_line(project: Project) -> None:
    project.write("reports/index.html", "")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = project.experiment("reports", "--port", str(port), check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"Nobody can listen on 127.0.0.1, port {port}: Address already in use.")
    assert len(done.stderr.splitlines()) == 1

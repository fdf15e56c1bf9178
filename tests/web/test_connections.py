"""Connections that are silent, slow or too many keep nobody out; every answer has the headers."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest
import uvicorn

from descenso.web import _connections, create_app


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """The port of a server whose patience is a second."""
    kept = dict(_connections._PATIENCE), _connections.READ_PATIENCE
    _connections._PATIENCE.update(head=1.0, body=1.0)
    _connections.READ_PATIENCE = 1.0
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    app = create_app(str(tmp_path_factory.mktemp("store") / "s.db"))
    config = uvicorn.Config(
        app, log_level="critical", http=_connections.PatientProtocol, ws="none", lifespan="on"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join(timeout=20)
    _connections._PATIENCE.update(kept[0])
    _connections.READ_PATIENCE = kept[1]


def said(port, data, seconds=8):
    """Send bytes, and return all that comes until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as line:
        line.sendall(data)
        found = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := line.recv(65536):
                found += piece
    return found.decode()


def is_answered(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/studies", timeout=5) as answer:
        return answer.status == 200


@contextlib.contextmanager
def crowd(port, count, data=b""):
    with contextlib.ExitStack() as all_of_them:
        lines = []
        for _ in range(count):
            line = all_of_them.enter_context(
                socket.create_connection(("127.0.0.1", port), timeout=5)
            )
            with contextlib.suppress(OSError):  # an early one may have made way already
                line.sendall(data)
            lines.append(line)
        yield lines


HEAD = b"POST /api/jobs/start HTTP/1.1\r\nHost: 127.0.0.1\r\nx-descenso: 1\r\nContent-Length: 90\r\n\r\n{"


@pytest.mark.parametrize(
    "data",
    [b"", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ", HEAD],
    ids=["silent", "half a head", "half a body"],
)
def test_two_hundred_connections_that_wait_keep_nobody_out(port, data):
    with crowd(port, 200, data):
        for _ in range(3):
            assert is_answered(port)


def test_clients_that_take_no_answer_keep_nobody_out(port):
    request = b"GET /static/playground.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with crowd(port, 80, request * 60):
        time.sleep(0.5)
        assert is_answered(port)


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\r\nX-A: ", HEAD], ids=["half a head", "half a body"]
)
def test_a_request_that_does_not_arrive_in_time_is_told_so(port, data):
    began = time.monotonic()
    answer = said(port, data)
    assert answer.startswith("HTTP/1.1 408 Request Timeout")
    assert "content-security-policy: default-src 'none'" in answer
    assert 0.8 < time.monotonic() - began < 5


def test_a_silent_connection_is_closed(port):
    began = time.monotonic()
    assert said(port, b"") == ""
    assert 0.8 < time.monotonic() - began < 5


def test_a_head_that_trickles_in_does_not_lengthen_its_time(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ")
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - began < 4:
                line.sendall(b"a")
                time.sleep(0.1)
                line.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    if line.recv(100):
                        break
                line.setblocking(True)
        assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET /?" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", 414),
        (b"GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", 404),
        (b"GET / HTTP/1.0\r\n\r\n", 421),
        (b"GET /static/%00 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", 404),
        (b"GET /static/" + b"a" * 5_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n"
         b"Connection: close\r\n\r\n", 404),
        (b"GET /%ff%fe HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", 404),
        (b"BREW / HTTP/1.1\r\nHost: 127.0.0.1\r\nx-descenso: 1\r\nConnection: close\r\n\r\n", 405),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\n"
         b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", 200),
        (HEAD.replace(b"Content-Length: 90", b"Content-Length: 999999999999")
         .replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), 413),
        (HEAD.replace(b"Content-Length: 90", b"Transfer-Encoding: chunked\r\nConnection: close"), 411),
    ],
)  # fmt: skip
def test_whatever_is_sent_the_answer_has_its_status_and_the_headers(port, data, status):
    answer = said(port, data)
    assert answer.startswith(f"HTTP/1.1 {status} "), answer[:200]
    for name in ("content-security-policy", "x-content-type-options", "x-frame-options"):
        assert f"\r\n{name}: " in answer.lower()
    assert "traceback" not in answer.lower()


def test_ctrl_c_ends_the_server_though_connections_are_open(tmp_path):
    code = f"from descenso.web import serve; serve(port=0, store={str(tmp_path / 's.db')!r})"
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        address = process.stdout.readline()
        port = int(address.split(":")[2].split("/")[0])
        query = "function=x**2%2By**2&m=adam(lr=0.1)"  # the process of formulas runs as well
        with urllib.request.urlopen(
            f"http://127.0.0.1:{port}/api/paths?{query}", timeout=60
        ) as found:
            assert found.status == 200
        with crowd(port, 10, b"GET / HTTP/1.1\r\n"):
            process.send_signal(signal.SIGINT)
            process.wait(timeout=20)
    finally:
        process.kill()
        process.stdout.close()

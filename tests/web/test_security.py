"""Requests that another site could have caused are refused; answers carry secure headers."""

from __future__ import annotations

import errno
import socket
import subprocess
import sys

import pytest
from starlette.testclient import TestClient

from descenso.errors import SettingError
from descenso.web import create_app, serve
from descenso.web._formulas import mathml
from descenso.web._pages import as_data
from descenso.web._serve import ServerError


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    app = create_app(str(tmp_path_factory.mktemp("store") / "s.db"), hosts=["testserver", "::1"])
    with TestClient(app, raise_server_exceptions=False) as opened:
        yield opened


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "testserver.evil:80",
                                  "[::2]:80"])  # fmt: skip
def test_another_host_name_is_refused(client, host):
    assert client.get("/", headers={"host": host}).status_code == 421
    assert client.get("/api/studies", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["testserver", "testserver:1234", "TESTSERVER", "[::1]:80"])
def test_its_own_names_are_answered(client, host):
    assert client.get("/api/studies", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/studies", "/api/surface", "/static/page.css", "/nowhere"])
def test_every_answer_carries_secure_headers_and_allows_no_inline_script(client, path):
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "server" not in headers


def test_pages_hold_no_script_or_style_of_their_own(client):
    for path in ("/", "/studies"):
        text = client.get(path).text
        assert "<style" not in text
        assert " style=" not in text
        assert " onclick=" not in text
        scripts = [part.split(">")[0] for part in text.split("<script")[1:]]
        assert all("application/json" in s or 'src="/static/' in s for s in scripts)
        assert "http://" not in text.replace("http://www.w3.org/1998/Math/MathML", "")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"x-descenso": "1", "origin": "http://evil.example"}, 403),
        ({"x-descenso": "1", "origin": "null"}, 403),
        ({"x-descenso": "1", "content-length": "90000"}, 413),
        ({"x-descenso": "1", "origin": "http://testserver"}, 400),
    ],
)
def test_a_change_needs_the_pages_own_header_and_origin(client, headers, status):
    answer = client.post("/api/jobs/start", content=b"{}", headers=headers)
    assert answer.status_code == status


def test_a_change_that_does_not_say_how_long_it_is_is_refused(client):
    headers = {"x-descenso": "1", "origin": "http://testserver"}
    answer = client.post("/api/jobs/start", content=iter([b"{", b"}"]), headers=headers)
    assert answer.status_code == 411


def test_a_very_long_address_is_refused(client):
    assert client.get("/api/paths?function=" + "x" * 9000).status_code == 414


@pytest.mark.parametrize(
    "path", ["/static/../_app.py", "/static/%2e%2e/_app.py", "/static//etc/passwd"]
)
def test_files_outside_the_static_folder_are_not_served(client, path):
    assert client.get(path).status_code == 404


def test_a_page_that_does_not_exist_says_so(client):
    assert "no page at this address" in client.get("/nowhere").text
    assert "error" in client.get("/api/nowhere").json()


def test_data_in_a_page_cannot_end_its_element():
    assert "</script>" not in as_data({"name": "</script><script>alert(1)</script>"})


def test_a_formula_that_is_no_latex_is_shown_as_text():
    assert mathml("") == ""
    assert "<script" not in mathml(r"\frac{<script>alert(1)</script>")


def test_a_port_in_use_is_said(tmp_path):
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    with pytest.raises(ServerError, match="is in use; choose another with --port"):
        serve(port=taken.getsockname()[1], store=str(tmp_path / "s.db"))
    taken.close()


def test_a_port_that_is_none_and_an_address_that_is_not_here_are_refused(tmp_path):
    with pytest.raises(SettingError, match="between 0 and 65535; got 70000"):
        serve(port=70000)
    with pytest.raises(ServerError, match="cannot be bound"):
        serve(host="203.0.113.7", port=0, store=str(tmp_path / "s.db"))


def test_only_this_machine_is_bound_unless_asked(monkeypatch, tmp_path):
    bound = []

    class Stop(Exception):  # noqa: N818
        pass

    def run(self, sockets):
        bound.append(sockets[0].getsockname()[0])
        sockets[0].close()
        raise Stop

    monkeypatch.setattr("uvicorn.Server.run", run)
    with pytest.raises(Stop):
        serve(port=0, store=str(tmp_path / "s.db"), announce=False)
    assert bound == ["127.0.0.1"]
    assert errno.EADDRINUSE


def test_the_light_commands_do_not_load_the_web_server():
    code = "import descenso.cli._app, sys; print('starlette' in sys.modules, 'matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


NAVIGATION = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(
    "path",
    ["/api/paths?surface=ravine&m=adam", "/api/surface?function=x**2", "/api/studies", "/api/jobs",
     "/studies/abc/report.html", "/static/playground.js", "/"],
)  # fmt: skip
def test_an_image_a_frame_or_a_script_of_another_site_gets_nothing(client, site, path):
    for dest in ("image", "script", "iframe", "empty"):
        for mode in ("no-cors", "cors", "navigate"):
            headers = {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": dest}
            answer = client.get(path, headers=headers)
            assert answer.status_code == 403
            assert "own pages" in answer.text
            assert "content-security-policy" in answer.headers


def test_a_link_of_another_site_opens_the_pages_and_nothing_that_costs_or_tells(client):
    link = {"sec-fetch-site": "cross-site", **NAVIGATION}
    assert client.get("/", headers=link).status_code == 200
    assert client.get("/studies", headers=link).status_code == 200
    assert client.get("/api/studies", headers=link).status_code == 403
    assert client.get("/studies/abc/study.json", headers=link).status_code == 403
    assert client.post("/", headers={**link, "x-descenso": "1"}).status_code == 403


def test_its_own_pages_and_its_user_are_answered(client):
    for site in ("same-origin", "none"):
        assert client.get("/api/studies", headers={"sec-fetch-site": site}).status_code == 200
    assert client.get("/api/studies", headers={"origin": "http://testserver"}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://localhost:3000", "http://testserver:81", "null", "http://evil.example", ""]
)
def test_another_origin_even_on_this_machine_is_refused_by_an_older_browser_too(client, origin):
    assert client.get("/api/studies", headers={"origin": origin}).status_code == 403
    answer = client.post("/api/jobs/start", headers={"origin": origin, "x-descenso": "1"})
    assert answer.status_code == 403


@pytest.mark.parametrize("depth", [900, 5_000, 9_900])
def test_json_that_is_nested_deep_is_refused_in_words(client, depth):
    body = b"[" * depth + b"]" * depth
    answer = client.post("/api/jobs/start", content=body, headers={"x-descenso": "1"})
    assert answer.status_code == 400
    assert "name the problem" in answer.json()["error"]
    assert "content-security-policy" in answer.headers


def test_a_fault_of_the_server_is_said_with_the_headers_and_without_its_insides(
    client, monkeypatch
):
    monkeypatch.setattr("descenso.web._studies.listing", lambda *given: 1 / 0)
    answer = client.get("/api/studies", headers={"accept-language": "es"})
    assert answer.status_code == 500
    assert "ZeroDivision" not in answer.text
    assert "content-security-policy" in answer.headers


def test_refusals_are_said_in_the_language_of_the_request(client):
    there = {"accept-language": "es-MX", "host": "evil.example"}
    assert "nombre" in client.get("/", headers=there).text
    assert "evil.example" in client.get("/", headers={"host": "evil.example"}).text

"""What every request must be, and what every answer carries."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse, Response

from descenso import language
from descenso.language import _

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
LONGEST_QUERY = 8_000  # letters
LARGEST_BODY = 20_000  # bytes
#: Pages that a link of another site may open; what costs work or tells of studies is not among them.
LINKED = ("/", "/studies")

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-cache",
}

_log = logging.getLogger("descenso.web")


def speak(query: Mapping[str, str], headers: Mapping[str, str], spoken: str) -> None:
    """Answer in the language of the address, else the browser's, else the server's."""
    asked = query.get("lang")
    if asked not in language.LANGUAGES:
        wanted = re.match(r"\s*([a-z]{2})", headers.get("accept-language", "").lower())
        asked = wanted[1] if wanted and wanted[1] in language.LANGUAGES else spoken
    language.use(asked)


class Guard:
    """Refuses requests that a page of another site could have caused, and adds secure headers.

    A site that points its own name at 127.0.0.1 (DNS rebinding) is found by the Host header. An
    image, frame or script of another site is found by what browsers say of where a request comes
    from (``Sec-Fetch-Site``, ``Origin``). A form or a script of another site cannot set the header
    that changes ask for. What carries none of these comes from no browser.
    """

    def __init__(self, app: Any, hosts: Iterable[str], spoken: str = "en") -> None:
        self._app = app
        self._hosts = {host.lower().strip("[]") for host in hosts}
        self._spoken = spoken

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        began = False

        async def send_with_headers(message: Any) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = True
                headers = MutableHeaders(raw=message["headers"])
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                message["headers"] = headers.raw
            await send(message)

        headers = Headers(scope=scope)
        query = QueryParams(scope.get("query_string", b""))
        speak(query, headers, self._spoken)
        refusal = self._refusal(scope, headers)
        try:
            answer = _in_words(scope, *refusal) if refusal else self._app
            await answer(scope, receive, send_with_headers)
        except ClientDisconnect:
            return
        except Exception as error:
            if began:
                raise
            _log.error("a request failed", exc_info=error)
            speak(query, headers, self._spoken)
            text = _(
                "this should not have happened; the terminal of `descenso serve` shows what did"
            )
            await _in_words(scope, text, 500)(scope, receive, send_with_headers)

    def _refusal(self, scope: Any, headers: Headers) -> tuple[str, int] | None:
        host = headers.get("host", "")
        if _name_of(host) not in self._hosts:
            text = _(
                "this server does not answer to the host name {name!r}; if it should, start it with "
                "--name"
            )
            return text.format(name=_name_of(host)[:60]), 421
        if len(scope.get("query_string", b"")) > LONGEST_QUERY:
            return _("the address is too long"), 414
        if not _from_here(scope, headers, host):
            return _("requests are answered to this server's own pages alone"), 403
        if scope["method"] in ("GET", "HEAD"):
            return None
        return _refused_change(headers)


def _from_here(scope: Any, headers: Headers, host: str) -> bool:
    """Whether a page of this server, or its user by hand, asks."""
    site = headers.get("sec-fetch-site")
    if site in ("same-origin", "none"):
        return True
    if site is not None:
        opens_page = headers.get("sec-fetch-mode") == "navigate" and headers.get(
            "sec-fetch-dest"
        ) in (None, "document")
        return scope["method"] == "GET" and scope["path"] in LINKED and opens_page
    origin = headers.get("origin")
    return origin is None or origin.lower().partition("://")[2] == host.strip().lower()


def _refused_change(headers: Headers) -> tuple[str, int] | None:
    if headers.get("x-descenso") != "1":
        return _("requests are answered to this server's own pages alone"), 403
    if "transfer-encoding" in headers:
        return _("the request must say how long it is"), 411
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdecimal()):
        return _("the request is not understood"), 400
    if len(length) > 9 or int(length) > LARGEST_BODY:
        return _("the request is too large"), 413
    return None


def _in_words(scope: Any, text: str, status: int) -> Response:
    if scope["path"].startswith("/api/"):
        return JSONResponse({"error": text}, status)
    return PlainTextResponse(text, status)


def _name_of(host: str) -> str:
    """Return a Host header's name without its port."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
